"""Preferences in recipes: one table of seen users, others from the same runs."""

import csv
import io
import json

import pytest

from graphlab.benchmark.checks import check_cells
from graphlab.benchmark.copl import MODELS, RunFolder
from graphlab.benchmark.copl.train_graph import SplitSettings, train_graph
from graphlab.benchmark.discovery import find_recipe
from graphlab.benchmark.recipe_file import load_recipe
from graphlab.benchmark.runner import distinct, run_recipe
from graphlab.benchmark.selection import quick_recipe, select
from graphlab.benchmark.store import load_all, matching_runs
from graphlab.benchmark.tasks import preferences as task
from graphlab.errors import RecipeError

RECIPE = """
[paper]
key = "mine"
title = "Mine"

[defaults]
task = "preference"
split = "unseen-users"
runs = 2

[models.BT]
path = "graphlab.preference:BradleyTerry"

[models.MF]
path = "graphlab.preference:MFBPR"
args = { dim = 4, choose = [
  { lr = 0.03, penalty = 0.01 },
  { lr = 0.03, penalty = 0.1 },
] }

[quick]
runs = 1
training = { epochs = 1 }
split_args = { num_users = 20 }

[table.seen]
datasets = ["uf2-5"]
metric = "seen_accuracy"
baseline = "BT"
split_args = { num_users = 40, num_unseen = 10, num_test = 6 }
not_published = { "*" = "mine" }
settings = { "*" = { "*" = { training = { epochs = 3, weight_decay = 0.0 } } } }

[table.unseen]
like = "seen"
metric = "unseen_accuracy"
runs = 3
not_published = { "*" = "mine" }
"""


@pytest.fixture
def read(tmp_path):
    def make(old="", new=""):
        assert old in RECIPE
        file = tmp_path / "mine.toml"
        file.write_text(RECIPE.replace(old, new, 1))
        return load_recipe(file)

    return make


def records(folder):
    return [json.loads(f.read_text()) for f in sorted(folder.rglob("run-*.json"))]


def test_two_tables_share_their_runs(read, tmp_path, monkeypatch):
    recipe, runs = read(), tmp_path / "runs"
    assert len(recipe.cells) == 4 and len(distinct(recipe.cells)) == 2
    assert {cell.runs for cell in distinct(recipe.cells)} == {3}
    assert run_recipe(recipe, runs)["done"] == 2
    found = records(runs)
    assert len(found) == 6 and {r["table"] for r in found} == {"seen"}
    monkeypatch.setattr(task, "train", None)  # nothing is left to be trained
    for chosen in (recipe, select(recipe, table=["unseen"])):
        assert run_recipe(chosen, runs)["skip"] == 2
        assert len(matching_runs(chosen, load_all(runs)[0])) == 6
    assert len(matching_runs(select(recipe, table=["seen"]), found)) == 4


def test_a_run_file_says_what_was_chosen_and_found(read, tmp_path):
    run_recipe(select(read(), table=["seen"]), tmp_path / "runs")
    first = next(
        r for r in records(tmp_path / "runs") if r["cell"]["model_name"] == "MF"
    )
    assert first["status"] == "ok" and first["seed"] == first["split_seed"] == 0
    test, info = first["metrics"]["test"], first["info"]
    assert set(test) == set(task.METRICS)
    assert test["seen_accuracy"] == info["seen"]["accuracy"]
    assert test["unseen_accuracy"] == info["unseen"]["two_hop"]["accuracy"]
    assert test["fold_in_accuracy"] == info["unseen"]["fold_in"]["accuracy"]
    assert info["seen"]["pairs"] == 240 and info["seen"]["users"] == 40
    assert len(info["tried"]) == 2 and info["setting"]["lr"] == 0.03
    assert "validation accuracy" in first["selection"] and first["epochs"] <= 3


def test_a_run_is_that_of_the_stages_on_the_same_seed(read, tmp_path):
    """Same users and pairs by checksum, same choice, same accuracy on validation."""
    cell = next(c for c in read().cells if c.model_name == "MF")
    (outcome,) = task.train(cell, task.load(cell), [1])
    settings = SplitSettings("uf2", 5, seed=1, sizes=cell.split_args)
    fixed = {"epochs": 3, "weight_decay": 0.0, "dim": 4, "lr": 0.03}
    fixed["penalty"] = outcome["info"]["setting"]["penalty"]
    folder = tmp_path / "stages"
    train_graph(folder, settings, "MF", beside=(), fixed=fixed)
    run = RunFolder(folder)
    assert run.require("split")["checksum"] == outcome["split_checksum"]
    val = outcome["metrics"]["val"]["seen_accuracy"]
    assert run.require("graph")["val_accuracy"] == val
    assert task.validate(cell, task.load(cell), [1])[0]["seen_accuracy"] == val


def test_reports_name_metric_and_differences(read, tmp_path):
    from graphlab.benchmark.report import render_table

    recipe, runs = read(), tmp_path / "runs"
    run_recipe(recipe, runs)
    found = load_all(runs)[0]
    text = render_table(recipe, found, "md")
    assert "accuracy on seen users" in text and "accuracy on unseen users" in text
    assert "tossing a coin" in text and "against BT" in text
    first, *_ = csv.DictReader(io.StringIO(render_table(recipe, found, "csv")))
    assert 0 < float(first["value"]) < 1 and first["accuracy"] == ""


def test_the_quick_profile_has_fewer_users(read):
    quick = quick_recipe(read())
    assert {cell.split_args["num_users"] for cell in quick.cells} == {20}
    assert {cell.training["epochs"] for cell in quick.cells} == {1}
    assert "num_users: 20 instead of 40" in quick.cuts
    for old, new in (("epochs = 1 }", "steps = 1 }"), ("num_users = 20", "users = 20")):
        with pytest.raises(
            RecipeError, match=r"quick.(training|split_args).\w+: unknown"
        ):
            read(old, new)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"uf2-5"', '"uf3-5"', "dataset: unknown source 'uf3'; did you mean"),
        ('"uf2-5"', '"uf2"', "dataset: 'uf2' must be SOURCE-ANNOTATIONS"),
        ('"uf2-5"', '"uf2-1"', "dataset: uf2-1: annotations must be .* at least 2"),
        ('"uf2-5"', '"pairs-5"', "dataset: unknown source 'pairs'"),
        ('"unseen-users"', '"random"', "split: unknown 'random' for preferences"),
        ("num_test = 6", "num_test = 0", "split_args.num_test: must be at least 1"),
        ("{ lr = 0.03, penalty = 0.01 }", "3", r"choose\[0\]: must be a table"),
        ("penalty = 0.01", "penalty = '1'", r"choose\[0\].penalty: must be a float"),
        ("lr = 0.03, penalty = 0.1", "lr = -1.0", "lr must be positive"),
        ("penalty = 0.01", "depth = 1", r"choose\[0\]: .*'depth'"),
        ("dim = 4", "size = 4", "unexpected keyword argument 'size'|'size'"),
    ],
)
def test_mistakes_are_named_before_training(read, old, new, message):
    with pytest.raises(RecipeError, match=message):
        check_cells(read(old, new).cells)


def test_absent_files_are_recorded(read, tmp_path, monkeypatch):
    monkeypatch.delenv("GRAPHLAB_DATA", raising=False)
    recipe = select(read('"uf2-5"', '"jester-5"'), model=["BT"])
    assert run_recipe(recipe, tmp_path / "runs")["failed"] == 1
    found = records(tmp_path / "runs")
    assert {r["status"] for r in found} == {"unavailable"}
    assert "recommenderlab" in found[0]["message"]


def test_the_recipe_has_the_models_of_the_stages():
    recipe = load_recipe(find_recipe("copl"))
    cells = [cell for cell in recipe.cells if cell.task == "preference"]
    assert {cell.model_name for cell in cells} == set(MODELS)
    for cell in cells:
        mine, theirs = task.model_of(cell), MODELS[cell.model_name]
        assert mine.path == theirs.path and mine.settings() == theirs.settings()
    tables = {cell.table: [] for cell in cells}
    for cell in cells:
        tables[cell.table].append(cell.settings())
    assert len(tables) == 3 and tables["seen"] == tables["unseen"] == tables["fold_in"]
    assert all(
        table.baseline == "MF" for table in recipe.tables if table.name in tables
    )
