import math

import pytest

from graphlab.benchmark.report.results import collect, differences


def only(recipe, runs, key=None):
    (result,) = collect(recipe.tables[0], runs, key or recipe.key)
    return result


def test_runs_of_a_cell_are_found_and_ordered(cell, runs, recipe):
    c = cell()
    result = only(recipe([c]), reversed(runs(c, [0.7, 0.8, 0.9])))
    assert result.values("accuracy") == [0.7, 0.8, 0.9]
    assert result.n == 3 and not result.changed and result.set_aside == 0
    assert result.score.mean == pytest.approx(0.8)
    assert result.best_epoch() == 101


def test_failed_runs_are_excluded_and_counted(cell, run, runs, recipe):
    c = cell()
    lost = [run(c, 2, status="nan", metrics={}), run(c, 3, status="oom", metrics={})]
    result = only(recipe([c]), runs(c, [0.7, 0.9]) + lost)
    assert (result.n, result.score.n, result.score.excluded) == (2, 2, 2)
    assert result.score.mean == pytest.approx(0.8)
    assert result.failures() == {"nan": 1, "oom": 1}


def test_different_settings_are_never_pooled(cell, runs, recipe):
    c = cell()
    other = cell(training={"epochs": 5})
    result = only(recipe([c]), runs(c, [0.8] * 3) + runs(other, [0.1] * 10))
    assert (result.n, result.score.mean, result.set_aside) == (3, 0.8, 10)


def test_other_settings_stand_in_and_say_so(cell, runs, recipe):
    other = cell(training={"epochs": 5})
    result = only(recipe([cell()]), runs(other, [0.5, 0.6]))
    assert result.n == 2
    assert result.changed == ("training.epochs: 5 instead of 1000",)


def test_full_runs_come_before_quick_ones(cell, runs, recipe):
    quick = runs(cell(profile="quick", training={"epochs": 5}), [0.1], finished="9")
    full = runs(cell(training={"epochs": 500}), [0.9], finished="1")
    assert only(recipe([cell()]), quick + full).values("accuracy") == [0.9]
    assert only(recipe([cell()]), quick).quick


def test_changed_data_are_not_mixed(cell, runs, recipe):
    old = runs(cell(), [0.1] * 2, dataset_checksum="old", finished="2026-01-01")
    new = runs(cell(), [0.9] * 2, dataset_checksum="new", finished="2026-02-01")
    assert only(recipe([cell()]), old + new).score.mean == pytest.approx(0.9)


def test_exact_settings_match_across_tables_but_stand_ins_do_not(cell, runs, recipe):
    elsewhere = cell(table="another")
    assert only(recipe([cell()]), runs(elsewhere, [0.5])).n == 1
    changed = cell(table="another", training={"epochs": 5})
    assert only(recipe([cell()]), runs(changed, [0.5])).n == 0
    stranger = runs(cell(training={"epochs": 5}), [0.5], recipe="another")
    assert only(recipe([cell()]), stranger).n == 0


def test_a_repeated_run_counts_once_and_success_wins(cell, run, recipe):
    c = cell()
    files = [
        run(c, 0, 0.9, finished="1"),
        run(c, 0, status="oom", metrics={}, finished="2"),
        run(c, 1, status="nan", metrics={}, finished="1"),
        run(c, 1, 0.7, finished="0"),
    ]
    result = only(recipe([c]), files)
    assert result.values("accuracy") == [0.9, 0.7] and not result.failed


def test_runs_outside_the_recipe_become_cells(cell, runs, recipe):
    r = recipe([cell()])
    known, extra = collect(r.tables[0], runs(cell(model_name="New"), [0.5]), r.key)
    assert not known.started
    assert (extra.cell.model_name, extra.n) == ("New", 1)
    assert extra.cell.published_note == "not a cell of the recipe"


def test_missing_entries_are_undefined_not_errors(cell, recipe):
    c = cell()
    bare = {"cell": c.settings(), "run": 0, "status": "ok", "metrics": {}}
    result = only(recipe([c]), [bare | {"table": "table1"}])
    assert result.n == 1 and result.score.n == 0
    assert math.isnan(result.constant) and math.isnan(result.rounds())
    assert math.isnan(result.best_epoch()) and result.beats_constant


def test_constant_prediction_is_recognised(cell, runs, recipe):
    c = cell()
    same = only(recipe([c]), runs(c, [0.8, 0.6], constant_majority=0.7))
    better = only(recipe([c]), runs(c, [0.8, 0.6], constant_majority=0.69))
    assert not same.beats_constant and better.beats_constant


def test_differences_name_the_setting():
    before = {"training": {"lr": 0.1, "epochs": 9}, "profile": "full"}
    after = {"training": {"lr": 0.1}, "model_args": {"K": 2}, "profile": "quick"}
    assert differences(before, after) == (
        "model_args.K: 2 instead of the default",
        "training.epochs: the default instead of 9",
    )
