"""Synthetic recipes and run files: what the runner would have written."""

from collections.abc import Callable
from pathlib import Path

import pytest

from graphlab.benchmark.recipe import Cell, Paper, Published, Recipe, Table

METHODS = {
    "none": "graphlab.training:no_smoothing",
    "LS": "graphlab.training:label_smoothing",
    "PosteL": "graphlab.training:postel",
    "SALS": "graphlab.training:sals",
}
SEEDS = (1941488137, 4198936517, 983997847, 4023022221, 4019585660)
SEEDS += (2108550661, 1648766618, 629014539, 3212139042, 2424918363)


def make_published(mean: float, half_width: float | None = 1.0, **changes) -> Published:
    fields = {"kind": "95% CI (bootstrap)", "source": "Table 1"} | changes
    return Published(mean, half_width, **fields)


def make_cell(label: str = "none", **changes) -> Cell:
    model = changes.get("model_name", "GCN")
    fields = {
        "table": "table1",
        "dataset": "Cora",
        "split": "bernnet-10",
        "model": f"graphlab.nn:{model}",
        "model_name": model,
        "label": METHODS.get(label, f"mine:{label}"),
        "label_name": label,
        "training": {"epochs": 1000},
        "published_note": "" if changes.get("published") else "no published number",
    }
    return Cell(**(fields | changes))


def make_run(cell: Cell, index: int, accuracy: float = 0.8, **changes) -> dict:
    """One run file; ``changes`` replace its top-level entries."""
    run = {
        "format": 1,
        "recipe": "paper",
        "table": cell.table,
        "cell_id": cell.cell_id("data"),
        "cell": cell.settings(),
        "run": index,
        "split_seed": SEEDS[index % 10],
        "seed": index,
        "status": "ok",
        "message": None,
        "dataset_checksum": "data",
        "split_checksum": f"{cell.split}/{index}",
        "metrics": {
            "test": {
                "accuracy": accuracy,
                "macro_f1": accuracy - 0.02,
                "balanced_accuracy": accuracy - 0.01,
            }
        },
        "constant_majority": 0.3,
        "info": {},
        "selection": "lowest validation loss",
        "best_epoch": 100 + index,
        "epochs": 300,
        "seconds": 2.0,
        "peak_memory_mb": 512,
        "num_parameters": 92_231,
        "vectorized": True,
        "vectorized_note": "",
        "versions": {"graphlab": "0.1.0", "torch": "2.13.0"},
        "host": {"cpu": "Some CPU", "cores": 2, "node": "secret-name"},
        "commit": "0123456789abcdef",
        "started": f"2026-11-2{index % 3}T10:00:00",
        "finished": f"2026-11-2{index % 3}T10:00:02",
    }
    return run | changes


def make_runs(cell: Cell, accuracies, **changes) -> list[dict]:
    return [make_run(cell, k, a, **changes) for k, a in enumerate(accuracies)]


def make_recipe(cells, **changes) -> Recipe:
    """A recipe of one table, with names in the order of its cells."""

    def names(attribute: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(getattr(cell, attribute) for cell in cells))

    table = Table(
        name="table1",
        title="Main table",
        source="Table 1",
        split="bernnet-10",
        datasets=names("dataset"),
        models=names("model_name"),
        labels=names("label_name"),
        cells=tuple(cells),
    )
    paper = Paper(
        "paper", "A Paper", "A. Author", "Venue 2026", "https://example.org/p"
    )
    fields = {"key": "paper", "file": Path("recipe.toml"), "paper": paper}
    return Recipe(**(fields | {"tables": (table,)} | changes))


@pytest.fixture
def published() -> Callable[..., Published]:
    return make_published


@pytest.fixture
def cell() -> Callable[..., Cell]:
    return make_cell


@pytest.fixture
def run() -> Callable[..., dict]:
    return make_run


@pytest.fixture
def runs() -> Callable[..., list[dict]]:
    return make_runs


@pytest.fixture
def recipe() -> Callable[..., Recipe]:
    return make_recipe


@pytest.fixture
def sample() -> tuple[Recipe, list[dict]]:
    """Two datasets, two models, four methods: every outcome a table can have."""
    numbers = {
        ("Cora", "none"): make_published(80.0, copied_from="Other et al. 2021"),
        ("Cora", "LS"): make_published(80.5),
        ("Cora", "PosteL"): make_published(70.0),
        ("Texas", "PosteL"): make_published(99.0),
    }
    cells = [
        make_cell(
            label,
            dataset=dataset,
            model_name=model,
            published=numbers.get((dataset, label)),
            unavailable="no published formula" if label == "SALS" else "",
        )
        for model in ("GCN", "GAT_v2")
        for label in ("none", "LS", "PosteL", "SALS")
        for dataset in ("Cora", "Texas")
    ]
    by_name = {(c.model_name, c.label_name, c.dataset): c for c in cells}
    base = [0.79, 0.80, 0.81, 0.80, 0.78, 0.82, 0.80, 0.79, 0.81, 0.80]
    up = [a + 0.01 + 0.001 * (k % 3) for k, a in enumerate(base)]
    runs = make_runs(by_name["GCN", "none", "Cora"], base)
    runs += make_runs(by_name["GCN", "LS", "Cora"], up)
    runs += make_runs(by_name["GCN", "PosteL", "Cora"], up[:3], info={"rounds": 2})
    runs += [make_run(by_name["GCN", "PosteL", "Cora"], 3, status="nan", metrics={})]
    texas = {"constant_majority": 0.8, "info": {"rounds": 3, "collapsed": True}}
    runs += make_runs(by_name["GCN", "none", "Texas"], base, constant_majority=0.8)
    runs += make_runs(by_name["GCN", "PosteL", "Texas"], [0.8] * 10, **texas)
    runs += [
        make_run(
            by_name["GCN", "LS", "Texas"],
            0,
            status="unavailable",
            message="raw file\nmissing",
            metrics={},
        ),
        make_run(by_name["GAT_v2", "none", "Cora"], 0, status="oom", metrics={}),
    ]
    return make_recipe(cells), runs
