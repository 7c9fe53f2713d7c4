"""Search: validation only, one budget, resumable."""

import json
import tomllib

import pytest

from graphlab.benchmark.search import apply_best, run_search
from graphlab.benchmark.search_space import Budget, grid, space_of
from graphlab.benchmark.search_toml import settings_toml
from graphlab.benchmark.tasks import nodes
from graphlab.errors import ArgumentError, GraphlabError, RecipeError

pytest.importorskip("optuna")

LABELS = (
    'none = { path = "fakes:plain" }',
    'LS = { path = "graphlab.training:label_smoothing" }',
)
SPACE = """
[search]
training = { lr = [0.0001, 0.05], weight_decay = [0.0, 5e-4] }

[search.label_args]
LS = { beta = [0.1, 0.2, 0.3] }
"""


@pytest.fixture
def recipe(small_recipe):
    return small_recipe(LABELS, extra=SPACE)


def test_every_label_method_gets_the_same_budget(recipe, tmp_path):
    none, ls = run_search(recipe, tmp_path, Budget(trials=5, splits=1))
    assert len(none["trials"]) == none["space_size"] == 4  # its whole space
    assert len(ls["trials"]) == 5 and ls["space_size"] == 12
    points = [json.dumps(t["point"]) for t in ls["trials"]]
    assert len(set(points)) == 5  # a point proposed again is no trial
    best = max(t["value"] for t in ls["trials"])
    assert ls["value"] == best and none["best"]["training.lr"] == 0.05


def test_the_test_nodes_are_never_looked_at(recipe, tmp_path, monkeypatch):
    import graphlab.training

    masks, real = [], graphlab.training.evaluate

    def spy(logits, y, mask):
        masks.append(mask)
        return real(logits, y, mask)

    problems, make = [], nodes.make_problem
    monkeypatch.setattr(
        nodes,
        "make_problem",
        lambda *a, **k: problems.append(make(*a, **k)) or problems[-1],
    )
    monkeypatch.setattr(graphlab.training, "evaluate", spy)
    run_search(recipe, tmp_path, Budget(trials=2, splits=2))
    assert len(masks) == len(problems) == 4
    for mask, problem in zip(masks, problems, strict=True):
        assert mask is problem.val_mask and len(mask) == 2


def test_a_search_resumes_and_grows(recipe, tmp_path):
    first = run_search(recipe, tmp_path, Budget(3, 1))
    events = []
    again = run_search(recipe, tmp_path, Budget(3, 1), listener=events.append)
    assert again == first
    assert [e.kind for e in events] == ["start", "skip"] * 2
    more = run_search(recipe, tmp_path, Budget(6, 1))
    assert more[1]["trials"][:3] == first[1]["trials"] and len(more[1]["trials"]) == 6


def test_workers_search_too(recipe, tmp_path):
    found = run_search(recipe, tmp_path, Budget(2, 1), jobs=2)
    assert [len(result["trials"]) for result in found] == [2, 2]


def test_what_was_found_is_applied_and_pasted(recipe, tmp_path):
    found = run_search(recipe, tmp_path, Budget(4, 1))
    tuned = apply_best(recipe, found)
    for cell, result in zip(tuned.cells, found, strict=True):
        for name, value in result["best"].items():
            part, key = name.split(".")
            assert getattr(cell, part)[key] == value
    text = settings_toml(recipe, found, Budget(4, 1))
    assert "at most 4 trials" in text and "first 1 splits" in text
    file = recipe.file.with_name("pasted.toml")
    file.write_text(recipe.file.read_text() + text)
    from graphlab.benchmark.recipe_file import load_recipe

    assert [c.settings() for c in load_recipe(file).cells] == [
        c.settings() for c in tuned.cells
    ]
    assert tomllib.loads(text)["table"]["main"]["settings"]["Tiny"]["digits"]


def test_failing_trials_are_recorded(small_recipe, tmp_path):
    recipe = small_recipe(("boom",), extra="\n[search]\ntraining = { lr = [0.1] }\n")
    (result,) = run_search(recipe, tmp_path, Budget(2, 1))
    assert result["best"] is None and "boom" in result["note"]
    assert apply_best(recipe, [result]).cells == recipe.cells
    assert "# boom: no trial succeeded" in settings_toml(recipe, [result], Budget(2, 1))


def test_mistakes_are_errors(small_recipe, recipe, tmp_path, monkeypatch):
    with pytest.raises(RecipeError, match="search: missing"):
        run_search(small_recipe(), tmp_path, Budget())
    bad = small_recipe(LABELS, extra=SPACE.replace("0.3]", "-7.0]"))
    with pytest.raises(ArgumentError, match="digits Tiny LS: .*beta"):
        run_search(bad, tmp_path, Budget(12, 1))
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    with pytest.raises(GraphlabError, match=r"pip install 'graphlab-pyg\[search\]'"):
        run_search(recipe, tmp_path, Budget())


def test_the_grid_is_the_product_of_all_values(recipe):
    space = space_of(recipe, recipe.cells[1])
    assert set(space) == {"training.lr", "training.weight_decay", "label_args.beta"}
    assert len(grid(space)) == 12
