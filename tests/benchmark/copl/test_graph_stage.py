"""The choice among settings, what it goes on from, and the list of models."""

import dataclasses
import inspect

import pytest
import torch

from graphlab.benchmark.copl import MODELS, GraphModel, graph_model, load_split
from graphlab.benchmark.copl.graph_stage import (
    RIDGES,
    fit_chosen,
    score_seen,
    score_unseen,
)
from graphlab.benchmark.copl.models import CONFIG_KEYS, SETTING_KEYS
from graphlab.benchmark.copl.tries import Tries
from graphlab.benchmark.imports import resolve
from graphlab.errors import ArgumentError, GraphlabError
from graphlab.training import PreferenceConfig

SMALL = dict(num_prompts=40, num_users=40, num_unseen=10, num_test=6)


@pytest.fixture(scope="module")
def split():
    return load_split("uf2", annotations=5, **SMALL)


@pytest.fixture
def model():
    return graph_model("mf").fixed({"epochs": 5, "dim": 4})


def test_the_best_on_validation_pairs_is_kept(split, model):
    graph = split.graph()
    chosen = fit_chosen(model, graph, split.val, seed=1)
    best = max(chosen.tried, key=lambda one: one["val_accuracy"])
    assert len(chosen.tried) == 6 and chosen.val_accuracy == best["val_accuracy"]
    assert chosen.setting in [dict(one) for one in model.choose]
    alone = dataclasses.replace(model, choose=[chosen.setting])
    again = fit_chosen(alone, graph, split.val, seed=1)
    for one, other in zip(chosen.vectors, again.vectors, strict=True):
        assert torch.equal(one, other)
    seen = score_seen(chosen.vectors, graph, split.test)
    assert seen["pairs"] == 240 == sum(seen["count"]) and seen["users"] == 40


def test_unseen_users_by_each_rule(split, model):
    graph = split.graph()
    chosen = fit_chosen(model, graph, split.val)
    found = score_unseen(chosen.vectors, graph, split)
    assert set(found) == {"two_hop", "two_hop, other lengths", "mean", "fold_in"}
    assert not found["two_hop"]["normalize"]  # a model with biases keeps its lengths
    assert found["fold_in"]["ridge"] in RIDGES
    assert all(one["pairs"] == 60 and one["users"] == 10 for one in found.values())


def test_a_killed_choice_goes_on(split, model, tmp_path):
    graph, told = split.graph(), []
    whole = fit_chosen(model, graph, split.val)

    def interrupt(progress):
        told.append(progress.text)
        if "setting 4" in progress.text:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_chosen(model, graph, split.val, 0, interrupt, Tries(tmp_path))
    (tmp_path / "01.json").write_text("{")  # half a file counts as none
    told.clear()
    resumed = fit_chosen(
        *(model, graph, split.val, 0),
        lambda progress: told.append(progress.text.partition(",")[0]),
        Tries(tmp_path),
    )
    assert set(told) == {f"setting {n} of 6" for n in (2, 4, 5, 6)}
    assert resumed.tried == whole.tried and resumed.setting == whole.setting
    for one, other in zip(resumed.vectors, whole.vectors, strict=True):
        assert torch.equal(one, other)


def test_nothing_is_chosen_if_all_diverge(split):
    model = GraphModel("graphlab.preference:MFBPR", {"dim": 4}, {"lr": 1e38})
    with pytest.raises(GraphlabError, match="every setting diverged"):
        fit_chosen(model, split.graph(), split.val)


def test_fixed_values_are_not_chosen():
    model = graph_model("CoPL-GCF released")
    fixed = model.fixed({"num_layers": 2, "epochs": 3, "dim": 8})
    assert fixed.args["num_layers"] == 2 and fixed.training["epochs"] == 3
    assert len(fixed.choose) == 4  # two of the six differ in layers alone
    assert all("num_layers" not in one for one in fixed.choose)
    assert model.fixed({}).settings() == model.settings()


def test_the_models_can_be_made():
    assert len({len(model.choose) for model in MODELS.values()}) == 1
    fields = {field.name for field in dataclasses.fields(PreferenceConfig)}
    assert set(CONFIG_KEYS) == fields
    for model in MODELS.values():
        taken = inspect.signature(resolve(model.path)).parameters
        for setting in model.settings():
            assert {k for k in setting if k not in SETTING_KEYS} <= set(taken)
            build, config = model.build((3, 4), setting)
            assert config.epochs == 200 and build().num_users == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"depth": 3}, "model: .*unexpected keyword argument 'depth'"),
        ({"lr": -1.0}, "lr must be positive"),
        ({"penalty": -1.0}, "weight must not be negative"),
    ],
)
def test_a_wrong_setting_is_named(changes, message):
    model = graph_model("MF").fixed(changes)
    with pytest.raises(ArgumentError, match=message):
        model.build((3, 4), model.choose[0])[0]()


def test_an_unknown_model():
    with pytest.raises(ArgumentError, match="model: unknown 'GCF'; "):
        graph_model("GCF")
