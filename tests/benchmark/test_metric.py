"""A table about the ROC-AUC, from the recipe file to the search."""

import csv
import io
import json
import math
from pathlib import Path

import pytest

from graphlab.benchmark import store
from graphlab.benchmark.metric import METRICS, search_metric
from graphlab.benchmark.progress import summary
from graphlab.benchmark.recipe import Cell, Paper, Published, Recipe, Table
from graphlab.benchmark.recipe_file import load_recipe
from graphlab.benchmark.report import render_table
from graphlab.benchmark.runner import run_recipe
from graphlab.benchmark.search import run_search
from graphlab.benchmark.search_space import Budget
from graphlab.benchmark.search_toml import settings_toml
from graphlab.errors import ArgumentError, RecipeError

METRIC = 'metric = "roc_auc"\n'
MONITOR = '[table.main.settings."*"."*"]\ntraining = { monitor = "val_roc_auc" }\n'
SPACE = "[search]\ntraining = { lr = [0.0001, 0.05] }\n"


@pytest.fixture
def two_classes(monkeypatch):
    """``digits``, told apart as odd and even."""
    import graphlab.datasets

    real = graphlab.datasets.load_dataset

    def load(name, data_root=None):
        data = real(name, data_root=data_root).clone()
        data.y, data.num_classes = data.y % 2, 2
        return data

    monkeypatch.setattr(graphlab.datasets, "load_dataset", load)


def stored(folder):
    runs, problems = store.load_all(folder)
    assert not problems
    return runs


def test_the_metric_of_a_table_reaches_its_cells_and_not_their_identifier(small_recipe):
    plain, ranked = small_recipe(), small_recipe(extra=METRIC)
    assert (plain.tables[0].metric, ranked.tables[0].metric) == ("accuracy", "roc_auc")
    assert {cell.metric for cell in ranked.cells} == {"roc_auc"}
    assert plain.cells[0].cell_id("data") == ranked.cells[0].cell_id("data")


def test_like_takes_the_metric_over(small_recipe):
    more = '\n[table.next]\nlike = "main"\n[table.last]\nlike = "main"\n'
    recipe = small_recipe(extra=METRIC + more + 'metric = "accuracy"\n')
    assert [t.metric for t in recipe.tables] == ["roc_auc", "roc_auc", "accuracy"]


def test_short_form_and_mistakes(tmp_path):
    text = 'dataset = "digits"\nsplit = "s"\nmodel = "a:B"\n'
    file = tmp_path / "own.toml"
    file.write_text(text + METRIC)
    assert load_recipe(file).cells[0].metric == "roc_auc"
    file.write_text(text + 'metric = "roc_acu"\n')
    with pytest.raises(RecipeError, match=r"metric: unknown 'roc_acu'.*roc_auc"):
        load_recipe(file)


def test_progress_line_names_the_metric_and_chance():
    runs = [
        {
            "status": "ok",
            "metrics": {"test": {"accuracy": 0.9, "roc_auc": area}},
            "constant_majority": 0.8,
            "info": {},
        }
        for area in (0.7, 0.72)
    ]
    text = summary(runs, METRICS["roc_auc"])
    assert text == "ROC-AUC 71.0 ± 1.4 (std of 2; constant 50.0)"
    assert summary(runs) == "90.0 ± 0.0 (std of 2; constant 80.0)"
    for run in runs:  # as written before the metric was there
        del run["metrics"]["test"]["roc_auc"]
    assert summary(runs, METRICS["roc_auc"]) == "no ROC-AUC in the run files"


def test_what_a_search_is_judged_by():
    assert search_metric("accuracy", "val_loss").key == "accuracy"
    assert search_metric("accuracy", "").key == "accuracy"
    assert search_metric("roc_auc", "val_loss").key == "roc_auc"
    assert search_metric("accuracy", "val_roc_auc").key == "roc_auc"
    assert search_metric("roc_auc", "val_accuracy").key == "accuracy"


def test_a_sweep_selects_and_records_by_area(small_recipe, tmp_path, two_classes):
    recipe, events = small_recipe(extra=METRIC + MONITOR), []
    assert run_recipe(recipe, tmp_path, listener=events.append)["done"] == 1
    first, second = stored(tmp_path)
    assert first["selection"] == "highest validation ROC-AUC"
    areas = [100 * run["metrics"]["test"]["roc_auc"] for run in (first, second)]
    assert all(0 < area < 100 for area in areas)
    (line,) = [event.text for event in events if event.kind == "done"]
    assert line.startswith(f"ROC-AUC {sum(areas) / 2:.1f} ± ")
    assert "constant 50.0" in line


def test_two_classes_are_needed(small_recipe, tmp_path):
    with pytest.raises(ArgumentError, match="digits has 10"):
        run_recipe(small_recipe(extra=METRIC), tmp_path)
    with pytest.raises(ArgumentError, match="monitor .* 10 classes"):
        run_recipe(small_recipe(extra=MONITOR), tmp_path)


def test_a_search_is_judged_by_area(small_recipe, tmp_path, two_classes):
    pytest.importorskip("optuna")
    accuracy = small_recipe(extra=SPACE)
    area = small_recipe(extra=METRIC + MONITOR + SPACE)
    (before,) = run_search(accuracy, tmp_path, Budget(2, 1))
    (found,) = run_search(area, tmp_path, Budget(2, 1))
    assert found["objective"].startswith("mean validation ROC-AUC")
    assert before["objective"].startswith("mean validation accuracy")
    assert found["value"] == max(t["value"] for t in found["trials"])
    assert found["value"] != before["value"]
    text = settings_toml(area, [found], Budget(2, 1))
    assert "mean validation ROC-AUC" in text and "# validation ROC-AUC " in text
    files = list((tmp_path / "search").rglob("*.json"))
    assert len({json.loads(f.read_text())["metric"] for f in files}) == 2


# --------------------------------------------------------------------- report


@pytest.fixture
def ranked():
    """A recipe about the ROC-AUC and its runs, whose accuracy says the opposite."""

    def cell(label, **changes):
        return Cell(
            table="main",
            dataset="minesweeper",
            split="platonov-10",
            model="graphlab.nn:GCN",
            model_name="GCN",
            label=f"mine:{label}",
            label_name=label,
            runs=3,
            **changes,
        )

    number = Published(72.0, 1.0, "std", "Table 1")
    cells = (cell("none", published=number), cell("other"))
    names = {"datasets": ("minesweeper",), "models": ("GCN",)}
    table = Table(
        *("main", "Ranked", "Table 1", "platonov-10"),
        **names,
        labels=("none", "other"),
        cells=cells,
        metric="roc_auc",
    )
    runs = [
        {
            "format": 1,
            "recipe": "paper",
            "table": "main",
            "cell_id": "0",
            "cell": c.settings(),
            "run": k,
            "seed": k,
            "status": "ok",
            "split_checksum": f"{k}",
            "dataset_checksum": "d",
            "metrics": {
                "test": {
                    "accuracy": 0.8 - shift,
                    "macro_f1": 0.4,
                    "balanced_accuracy": 0.5,
                    "roc_auc": 0.715 + shift + k / 1000,
                }
            },
            "constant_majority": 0.8,
            "info": {},
            "best_epoch": 3,
            "seconds": 1.0,
            "num_parameters": 10,
            "finished": "2026-11-24",
        }
        for c, shift in zip(cells, (0.0, 0.05), strict=True)
        for k in range(3)
    ]
    recipe = Recipe("paper", Path("r.toml"), Paper("paper", "A Paper"), (table,))
    return recipe, runs


@pytest.mark.parametrize("format", ["terminal", "md", "latex", "html"])
def test_tables_are_about_the_area(ranked, format):
    text = render_table(*ranked, format)
    assert "Published and measured ROC-AUC" in text
    assert "constant prediction" in text and "constant majority" not in text
    assert "ROC-AUC ±" in text.replace(r"$\pm$", "±")
    assert "71.60" in text and "76.60" in text and "50.00" in text
    assert "within" in text and "+5.00" in text  # verdict and paired difference
    assert "80.00" not in text  # the accuracy
    assert "Accurac" not in text.replace("Balanced accuracy", "")


def test_csv_keeps_both_and_says_which_is_judged(ranked):
    row, _ = csv.DictReader(io.StringIO(render_table(*ranked, "csv")))
    assert row["metric"] == "roc_auc"
    assert float(row["roc_auc"]) == pytest.approx(0.716)
    assert float(row["accuracy"]) == pytest.approx(0.8)
    assert float(row["constant"]) == 0.5 and float(row["constant_majority"]) == 0.8
    assert float(row["difference_points"]) == pytest.approx(-0.4)


def test_plots_name_the_metric(ranked):
    html = render_table(*ranked, "html")
    assert "test ROC-AUC (%)" in html and "ROC-AUC difference" in html
    assert "measured minus published ROC-AUC" in html


def test_not_better_than_chance_is_marked(ranked):
    recipe, runs = ranked
    for run in runs:
        run["metrics"]["test"]["roc_auc"] = 0.49
    text = render_table(recipe, runs)
    assert "49.00 ± 0.00‡" in text
    assert "the mean ROC-AUC is not above 50.00, that of chance" in text


def test_run_files_without_the_metric_stay_readable(ranked):
    recipe, runs = ranked
    for run in runs:
        del run["metrics"]["test"]["roc_auc"]
    text = render_table(recipe, runs)
    assert "not comparable: 0 runs" in text
    assert math.isnan(METRICS["roc_auc"].value(runs[0]))
