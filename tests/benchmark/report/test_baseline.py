"""A model as the baseline of a table: differences between models on the same runs."""

import csv
import io
from dataclasses import replace

import pytest

from graphlab.benchmark.report import FORMATS, build_report, render_table
from graphlab.benchmark.report.effects import effects
from graphlab.benchmark.report.headline import headline
from graphlab.benchmark.report.notes import notes
from graphlab.benchmark.report.results import CellResult
from graphlab.benchmark.report.table import fill

BASE = [0.79, 0.80, 0.81, 0.80, 0.78, 0.82, 0.80, 0.79, 0.81, 0.80]
UP = [a + 0.02 + 0.001 * (k % 3) for k, a in enumerate(BASE)]
DOWN = [a - 0.03 - 0.001 * (k % 3) for k, a in enumerate(BASE)]
SPLIT = {"task": "link", "split": "pairs-80-10-10", "metric": "roc_auc"}


def auc_runs(runs, cell, values, **changes):
    found = runs(cell, values, **changes)
    for run, value in zip(found, values, strict=True):
        run["metrics"] = {"val": {"roc_auc": value}, "test": {"roc_auc": value}}
        run["constant_majority"] = None
        run["split_checksum"] = f"pairs/{run['run']}"
    return found


@pytest.fixture
def link(cell, runs, recipe):
    """A link table of three models on two graphs, GAT being the baseline."""
    cells = [
        cell(model_name=model, dataset=dataset, **SPLIT)
        for model in ("GCN", "GAT", "long_model_name")
        for dataset in ("grid", "communities")
    ]
    values = {"GCN": UP, "GAT": BASE, "long_model_name": DOWN}
    files = []
    for c in cells:
        facts = {"evenness": 0.5, "sound": True, "anchors": [1, 2]}
        info = {"model": facts} if c.model_name == "GCN" else {}
        files += auc_runs(runs, c, values[c.model_name], info=info)
    r = recipe(cells)
    table = replace(r.tables[0], task="link", metric="roc_auc", baseline="GAT")
    return replace(r, tables=(table,)), files


def test_models_are_compared_on_the_same_runs(link):
    r, files = link
    report = fill(r, r.tables[0], files)
    found = {
        (e.row.model, e.column.dataset): e.effect for e in report.entries if e.effect
    }
    assert set(model for model, _ in found) == {"GCN", "long_model_name"}
    gain, loss = found["GCN", "grid"], found["long_model_name", "grid"]
    assert (gain.kind, loss.kind) == ("gain", "loss")
    assert gain.paired.mean == pytest.approx(2.09)
    assert gain.paired.low < 2.09 < gain.paired.high
    assert gain.holm == pytest.approx(4 * 2 / 2**10)  # of four comparisons
    assert loss.paired.mean == pytest.approx(-3.09)
    text = "Models against GAT: 2 gains and 2 losses."
    assert text in headline(report)
    said = dict(notes(report))
    assert said["Paired tests"].startswith("Method minus GAT on the same split")
    assert "on the test pairs" in said["Numbers"]


def test_the_baseline_is_of_the_same_label_method(cell, runs):
    results = [
        CellResult(c, tuple(runs(c, values)))
        for c, values in (
            (cell("none", model_name="GAT"), BASE),
            (cell("LS", model_name="GAT"), UP),
            (cell("none", model_name="GCN"), UP),
            (cell("LS", model_name="GCN"), UP),
        )
    ]
    found = {e.result.cell.label_name: e.kind for e in effects(results, "GAT")}
    assert found == {"none": "gain", "LS": "identical"}
    # Without a baseline the label methods are compared with none, model by model.
    found = {e.result.cell.model_name: e.kind for e in effects(results)}
    assert found == {"GAT": "gain", "GCN": "identical"}


def test_runs_on_other_pairs_are_not_compared(link):
    r, files = link
    for run in files:
        if run["cell"]["model_name"] == "GCN":
            run["split_checksum"] = f"others/{run['run']}"
    report = fill(r, r.tables[0], files)
    kinds = {e.row.model: e.effect.kind for e in report.entries if e.effect}
    assert kinds == {"GCN": "not compared", "long_model_name": "loss"}


def test_settings_of_the_training_stand_apart_arguments_do_not(cell, runs):
    base = cell(model_name="GAT")
    other = cell(model_name="GCN", model_args={"K": 2}, training={"lr": 0.1})
    results = [CellResult(c, tuple(runs(c, BASE))) for c in (base, other)]
    (effect,) = effects(results, "GAT")
    assert effect.apart == (
        "training.epochs: the default instead of 1000",
        "training.lr: 0.1 instead of the default",
    )


def test_below_chance_is_said_with_the_metric_of_the_table(cell, runs):
    cells = [cell(model_name=model, **SPLIT) for model in ("GAT", "GCN")]
    low = [0.3 + 0.001 * k for k in range(10)]
    values = (low, [a + 0.1 for a in low[::-1]])
    from graphlab.benchmark.metric import METRICS

    results = [
        CellResult(c, tuple(auc_runs(runs, c, v)), metric=METRICS["roc_auc"])
        for c, v in zip(cells, values, strict=True)
    ]
    (effect,) = effects(results, "GAT")
    assert str(effect) == "gain (yet not above the constant prediction)"


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_names_the_baseline_and_shows_no_label_column(link, format):
    text = render_table(*link, format)
    shown = text.replace("$-$", "−")
    if format == "csv":
        rows = list(csv.DictReader(io.StringIO(text)))
        found = {(r["model"], r["baseline"], r["effect"]) for r in rows}
        assert ("GCN", "GAT", "gain") in found and ("GAT", "", "") in found
        assert {row["task"] for row in rows} == {"link"}
        assert '"evenness": 0.5' in rows[0]["facts"]
        return
    assert "aired differences against GAT, points" in text
    assert "+2.09" in text and "−3.09" in shown
    assert "abel method" not in text and "82.09" in text
    assert "| none |" not in text and ">none<" not in text and "& none &" not in text
    assert "0.500" in text and "evenness" in text.lower()


def test_tables_without_label_methods_need_no_baseline(cell, runs, recipe):
    """Recipes of node classification with one label, as they were all along."""
    c = cell(model_name="GCN")
    for format in ("md", "latex", "html"):
        text = render_table(recipe([c]), runs(c, [0.8, 0.9]), format)
        assert "Label method" not in text and "Paired differences" not in text
    both = [c, cell("LS")]
    files = [run for each in both for run in runs(each, [0.8, 0.9])]
    assert "Label method" in render_table(recipe(both), files, "md")


def test_plots_are_one_for_all_models(link, tmp_path):
    paths = build_report(*link, tmp_path, formats=["html"])
    names = [path.name for path in paths.plots]
    assert names == ["table1-differences.png", "table1-time.png"]
    page = paths.files["html"].read_text()
    caption = (
        "ROC-AUC of each model minus ROC-AUC of GAT, run by run on the same split."
    )
    assert caption in page


def test_runs_of_another_task_are_not_taken(link):
    r, files = link
    for run in files:
        run["cell"] = run["cell"] | {"task": "pair"}
    report = fill(r, r.tables[0], files)
    ours = [e for e in report.entries if e.result.cell.task == "link"]
    assert all(not e.result.started for e in ours)


def test_arguments_of_the_split_are_in_the_notes(cell, runs, recipe):
    c = cell(split_args={"max_positives": 9}, **SPLIT)
    r = recipe([c])
    table = replace(r.tables[0], task="link", metric="roc_auc")
    said = dict(notes(fill(r, table, auc_runs(runs, c, BASE))))
    assert "pairs-80-10-10 (max_positives 9, split seeds" in said["Splits and seeds"]
