import os
import subprocess
import sys
from dataclasses import replace

import pytest

from graphlab.benchmark.report import FORMATS, build_report, render_table
from graphlab.errors import ArgumentError, StoreError

PNG = b"\x89PNG\r\n\x1a\n"


def test_all_files_are_written(sample, tmp_path):
    recipe, runs = sample
    paths = build_report(recipe, runs, tmp_path / "deep" / "report")
    assert set(paths.files) == set(FORMATS)
    for name, path in paths.files.items():
        assert path.read_text(encoding="utf-8") == render_table(recipe, runs, name)
    names = [path.name for path in paths.plots]
    assert names == [
        "table1-differences-gcn.png",
        "table1-published-gcn.png",
        "table1-time.png",
    ]
    assert all(path.read_bytes().startswith(PNG) for path in paths.plots)


def test_equal_runs_give_equal_pictures(sample, tmp_path):
    recipe, runs = sample
    there = build_report(recipe, runs, tmp_path / "a", formats=())
    back = build_report(recipe, runs[::-1], tmp_path / "b", formats=())
    for a, b in zip(there.plots, back.plots, strict=True):
        assert a.read_bytes() == b.read_bytes()


def test_plots_leave_the_users_matplotlib_alone(sample, tmp_path):
    import matplotlib as mpl

    with mpl.rc_context({"font.size": 23}):
        before = dict(mpl.rcParams)
        build_report(*sample, tmp_path, formats=())
        assert dict(mpl.rcParams) == before


def test_chosen_formats_only(sample, tmp_path):
    paths = build_report(*sample, tmp_path, formats=["csv"], plots=False)
    assert [path.name for path in tmp_path.iterdir()] == ["report.csv"]
    assert paths.plots == ()


def test_nothing_run_is_a_report_not_a_crash(sample, tmp_path):
    paths = build_report(sample[0], [], tmp_path)
    assert "Nothing was run" in paths.files["html"].read_text(encoding="utf-8")
    assert paths.plots == () and not (tmp_path / "plots").exists()


def test_one_table_by_name(cell, runs, recipe):
    cells = [cell(), cell(table="table2", dataset="Texas")]
    tables = [recipe([c]).tables[0] for c in cells]
    tables[1] = replace(tables[1], name="table2", title="Second table")
    both = replace(recipe(cells), tables=tuple(tables))
    files = [x for c in cells for x in runs(c, [0.8, 0.9])]
    second = render_table(both, files, table="table2")
    assert "Second table" in second and "Main table" not in second
    whole = render_table(both, files)
    assert "Main table" in whole
    # What holds for both tables is said once.
    assert whole.count("Versions: ") == 1 and "Notes on all tables" in whole
    page = render_table(both, files, "html")
    assert '<a href="#table2">Second table</a>' in page
    with pytest.raises(ArgumentError, match="table1, table2 in paper, got 'x'"):
        render_table(both, files, table="x")


def test_unknown_format_names_the_known_ones(sample, tmp_path):
    with pytest.raises(ArgumentError, match="terminal, md, latex, csv, html"):
        render_table(*sample, "pdf")
    with pytest.raises(ArgumentError, match="got 'pdf'"):
        build_report(*sample, tmp_path / "new", formats=["md", "pdf"])
    assert not (tmp_path / "new").exists()


def test_unwritable_folder_is_a_clear_error(sample, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(StoreError, match="cannot write the report to"):
        build_report(*sample, blocked / "report", formats=["md"])


def test_plots_cope_with_few_and_odd_numbers(cell, runs, recipe, tmp_path):
    """One run, equal values, no time, a NaN accuracy, thirteen label methods."""
    cells = [cell(), *(cell(f"method {k}") for k in range(13))]
    files = runs(cells[0], [0.8])
    for c in cells[1:]:
        files += runs(c, [0.8], seconds=None)
    files += runs(cells[0], [0.8, float("nan")], seconds=0)[1:]
    paths = build_report(recipe(cells), files, tmp_path, formats=["html"])
    assert len(paths.plots) == 2


def test_report_runs_without_torch_and_without_a_screen(tmp_path):
    code = """
import sys
from graphlab.benchmark.recipe import Cell, Paper, Recipe, Table
from graphlab.benchmark.report import build_report
cell = Cell("t", "Cora", "s", "m:M", "M", "l:none", "none")
table = Table("t", "T", "", "s", ("Cora",), ("M",), ("none",), (cell,))
recipe = Recipe("k", sys.argv[1], Paper("k", "K"), (table,))
run = {"cell": cell.settings(), "table": "t", "run": 0, "status": "ok",
       "metrics": {"test": {"accuracy": 0.5}}, "seconds": 1.0}
assert build_report(recipe, [run], sys.argv[1]).plots
assert "torch" not in sys.modules and "matplotlib.pyplot" not in sys.modules
"""
    environment = {k: v for k, v in os.environ.items() if k != "DISPLAY"}
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        check=True,
        env=environment,
        timeout=120,
    )
