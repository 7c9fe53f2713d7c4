"""What a sweep says of itself."""

from graphlab.benchmark.progress import Event, Tally, duration, line, summary


def run(accuracy, status="ok", collapsed=False):
    metrics = {"test": {"accuracy": accuracy}}
    return {
        "status": status,
        "message": None,
        "metrics": metrics,
        "constant_majority": 0.173,
        "info": {"collapsed": collapsed},
    }


def test_summary_names_spread_and_constant():
    text = summary([run(0.83), run(0.85)])
    assert text == "84.0 ± 1.4 (std of 2; constant 17.3)"
    assert summary([run(0.5)]) == "50.0 (constant 17.3)"
    text = summary([run(0.5, "nan", True), run(0.5, collapsed=True)])
    assert text.endswith("2 collapsed, 1 NaN")
    failed = {"status": "oom", "message": "MemoryError"}
    assert summary([failed]) == "oom: MemoryError"


def test_durations_read_like_a_clock():
    words = [duration(s) for s in (0.4, 59, 80, 3600 * 2 + 300)]
    assert words == ["0 s", "59 s", "1:20", "2:05:00"]


def test_eta_takes_a_data_sets_own_time_where_known(small_recipe):
    from dataclasses import replace

    (cell,) = small_recipe().cells
    big = replace(cell, dataset="big")
    tally = Tally([cell, cell, big, big], jobs=2)
    assert tally.eta() is None
    tally.count(Event("skip", 0, "a"))
    assert tally.eta() is None  # a skipped cell says nothing about time
    tally.count(Event("done", 2, "b", seconds=10))
    assert tally.eta() == (10 + 10) / 2  # nothing better known for the small one
    tally.count(Event("done", 1, "c", seconds=2))
    assert tally.eta() == 10 / 2
    assert tally.text() == "3/4 cells, ETA 5 s"


def test_a_line_names_the_table_where_there_are_several(small_recipe):
    from dataclasses import replace

    (cell,) = small_recipe().cells
    event = Event("done", 0, "digits GCN none", table="main")
    assert Tally([cell]).title(event) == "digits GCN none"
    several = Tally([cell, replace(cell, table="other")])
    assert several.title(event) == "main: digits GCN none"


def test_a_finished_cell_is_one_line(small_recipe):
    tally = Tally(list(small_recipe(("plain", "slow")).cells))
    event = Event("done", 0, "digits GCN none", "84.0 (constant 17.3)", 12.2)
    tally.count(event)
    assert line(event, tally) == (
        "digits GCN none: 84.0 (constant 17.3), 12 s, 1/2 cells, ETA 12 s"
    )
