"""Graph classification in recipes, on a tiny set in the place of MUTAG."""

import json

import pytest
import torch

from graphlab.benchmark.checks import check_cells
from graphlab.benchmark.recipe_file import load_recipe
from graphlab.benchmark.runner import run_recipe
from graphlab.benchmark.tasks import graphs as task
from graphlab.datasets import graph_lists
from graphlab.errors import RecipeError

RECIPE = """
task = "graph"
dataset = "MUTAG"
split = "stratified-80-10-10"
model = "GIN"
runs = 2
model_args = { hidden_channels = 4, num_layers = 2, pooling = "mean" }
training = { epochs = 2, batch_size = 16 }
"""


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Forty cycles of 3 to 6 nodes; long ones are of class 1."""
    monkeypatch.setattr(graph_lists, "_compare", lambda card, graphs: None)
    folder = tmp_path / "data/TUDataset/MUTAG/raw"
    folder.mkdir(parents=True)
    lines: dict[str, list] = {"A": [], "graph_indicator": [], "graph_labels": []}
    labels, start = [], 1
    for g in range(40):
        n = 3 + g % 4
        for v in range(n):
            u, w = start + v, start + (v + 1) % n
            lines["A"] += [f"{u}, {w}", f"{w}, {u}"]
        lines["graph_indicator"] += [g + 1] * n
        lines["graph_labels"].append(1 if n > 4 else -1)
        labels += [v % 2 for v in range(n)]
        start += n
    for part, content in (lines | {"node_labels": labels}).items():
        text = "\n".join(map(str, content)) + "\n"
        (folder / f"MUTAG_{part}.txt").write_text(text)
    return tmp_path / "data"


@pytest.fixture
def recipe(tmp_path):
    def make(**changes):
        text = RECIPE
        for old, new in changes.values():
            assert old in text
            text = text.replace(old, new)
        file = tmp_path / "mine.toml"
        file.write_text(text)
        return load_recipe(file)

    return make


def records(folder):
    return [json.loads(f.read_text()) for f in sorted(folder.rglob("run-*.json"))]


def test_a_run_file_tells_split_metrics_and_gaps(recipe, root, tmp_path):
    found = run_recipe(recipe(), tmp_path / "runs", data_root=root)
    assert found["done"] == 1, records(tmp_path / "runs")[0]["message"]
    first, second = records(tmp_path / "runs")
    assert first["status"] == second["status"] == "ok"
    assert (first["split_seed"], second["split_seed"]) == (41, 42)
    assert first["split_checksum"] != second["split_checksum"]
    assert first["seed"] != second["seed"]
    assert first["selection"] == "lowest validation loss" and first["epochs"] == 2
    train, test = (first["metrics"][part] for part in ("train", "test"))
    info = first["info"]
    assert info["error_gap"] == pytest.approx(train["accuracy"] - test["accuracy"])
    assert info["loss_gap"] == pytest.approx(test["loss"] - train["loss"], abs=1e-6)
    assert first["constant_majority"] == 0.5 and first["num_parameters"] > 0
    assert first["cell"]["task"] == "graph"


def test_without_validation_graphs_the_last_epoch_is_taken(recipe, root, tmp_path):
    mine = recipe(
        split=("stratified-80-10-10", "random-90-10"),
        monitor=("epochs = 2", 'epochs = 2, monitor = "last", loss = "margin"'),
    )
    run_recipe(mine, tmp_path / "runs", data_root=root)
    for record in records(tmp_path / "runs"):
        assert record["status"] == "ok" and record["selection"] == "last epoch"
        assert record["metrics"]["val"]["accuracy"] is None
        assert 0 <= record["constant_majority"] <= 1


def test_runs_start_again_with_the_splits_but_not_with_the_seeds(recipe, root):
    cell = recipe().cells[0]
    data = task.load(cell, root)
    assert (
        task.split_of(cell, data, 12).checksum == task.split_of(cell, data, 2).checksum
    )
    one, other = (
        task.fit(cell, data, task.split_of(cell, data, r), r) for r in (2, 12)
    )
    assert not torch.equal(one.logits, other.logits)
    figures = task.validate(cell, data, [2])
    assert figures[0]["accuracy"] == one.accuracy["val"]


def test_features_can_be_normalized(recipe, root):
    cell = recipe(rows=("runs = 2", "runs = 2\nnormalize_features = true")).cells[0]
    data = task.load(cell, root)
    data.graphs[0].x.mul_(3)
    split = task.split_of(cell, data, 0)
    once = task.fit(cell, data, split, 0)
    data.graphs[0].x.div_(3)
    assert torch.equal(once.logits, task.fit(cell, data, split, 0).logits)


def test_the_checksum_is_that_of_the_content(recipe, root):
    cell = recipe().cells[0]
    first = task.load(cell, root).checksum
    assert first == task.load(cell, root).checksum
    file = root / "TUDataset/MUTAG/raw/MUTAG_graph_labels.txt"
    file.write_text("1\n" + file.read_text().partition("\n")[2])
    assert task.load(cell, root).checksum != first


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('"MUTAG"', '"Cora"'), "dataset: unknown 'Cora' for graphs"),
        (('"MUTAG"', '"protein"'), "dataset: unknown 'protein' for graphs"),
        (
            ("stratified-80-10-10", "bernnet-10"),
            "split: unknown 'bernnet-10' for graphs",
        ),
        (('pooling = "mean"', "pooling = 3"), "model_args.pooling: must be a str"),
        (('pooling = "mean"', "width = 3"), "unexpected keyword argument 'width'"),
        (("epochs = 2", 'epochs = 2, loss = "hinge"'), "training: loss must be one of"),
        (('"GIN"', '"GINN"'), "GINN"),
    ],
)
def test_mistakes_are_found_before_anything_is_trained(recipe, change, message):
    with pytest.raises(RecipeError, match=message):
        check_cells(recipe(it=change).cells)
