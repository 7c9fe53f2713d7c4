"""The transductive bound against slow loops; what the released code gets wrong."""

import itertools

import numpy as np
import pytest
import torch

from graphlab.analysis import separation, transductive_ot_bound, wasserstein
from graphlab.errors import ArgumentError

pytest.importorskip("ot")
N, K = 30, 3


def nodes(seed=0, classes=K):
    rng = np.random.default_rng(seed)
    y = np.arange(N) % classes
    z = rng.normal(size=(N, 2)) + 3 * np.eye(classes, 2)[y]
    logits = z @ rng.normal(size=(2, classes))
    order = rng.permutation(N)
    return {"embeddings": z, "logits": logits, "y": y} | {
        "train": order[:18],
        "test": order[18:28],
    }


def rho(row, c):
    return row[c] - max(np.delete(row, c))


def slow_global(d):
    """Largest ratio over training nodes, test nodes and classes; all ratios."""
    return [
        abs(rho(d["logits"][i], d["y"][i]) - rho(d["logits"][j], c))
        / np.linalg.norm(d["embeddings"][i] - d["embeddings"][j])
        for i, j, c in itertools.product(d["train"], d["test"], range(K))
    ]


def slow_class_wise(d, known, seed, resplits):
    z, logits, y = d["embeddings"], d["logits"], d["y"]
    both, n = np.concatenate([np.sort(d["train"]), np.sort(d["test"])]), len(d["train"])
    total = 0.0
    for c in range(K):
        near = [i for i in d["train"] if y[i] == c] + list(d["test"])
        largest = max(
            abs(rho(logits[i], c) - rho(logits[j], c)) / np.linalg.norm(z[i] - z[j])
            for i, j in itertools.combinations(near, 2)
        )
        moved = []
        for each in range(seed, seed + resplits):
            order = np.random.default_rng(each).permutation(both)
            train, test = order[:n], order[n:]
            if known:
                train, test = (
                    [i for i in part if i in d["train"]] for part in (train, test)
                )
            a = [i for i in train if y[i] == c]
            b = [i for i in test if y[i] == c]
            moved.append(len(a) / len(train) * wasserstein(z[a], z[b]))
        total += largest * np.mean(moved)
    return total


def test_global_is_its_formula():
    d = nodes()
    found = transductive_ot_bound(**d)
    ratios = slow_global(d)
    w1 = wasserstein(d["embeddings"][d["train"]], d["embeddings"][d["test"]])
    assert found.value == pytest.approx(max(ratios) * w1)
    assert found.terms["M"] == pytest.approx(max(ratios))
    for quantile in (0.9, 0.5):
        found = transductive_ot_bound(**d, quantile=quantile)
        assert found.value == pytest.approx(np.quantile(ratios, quantile) * w1)
        assert found.assumptions[0].holds is False


@pytest.mark.parametrize("known", [False, True])
def test_class_wise_is_its_formula(known):
    d = nodes(seed=2)
    kind = "class-wise-approx" if known else "class-wise"
    found = transductive_ot_bound(**d, kind=kind, resplits=3, seed=5)
    assert found.value == pytest.approx(slow_class_wise(d, known, 5, 3))


def test_it_bounds_the_difference_of_mean_margins():
    for seed in range(5):
        found = transductive_ot_bound(**nodes(seed))
        assert found.assumptions[0].holds is True
        assert found.value >= found.terms["measured gap of mean margins"] > 0


def test_the_approximation_does_not_see_test_labels():
    d = nodes(seed=1)
    other = {**d, "y": d["y"].copy()}
    i, j = next(
        p for p in itertools.combinations(d["test"], 2) if d["y"][p[0]] != d["y"][p[1]]
    )
    other["y"][[i, j]] = d["y"][[j, i]]
    values = {
        kind: [transductive_ot_bound(**each, kind=kind).value for each in (d, other)]
        for kind in ("class-wise", "class-wise-approx")
    }
    assert values["class-wise-approx"][0] == values["class-wise-approx"][1]
    assert values["class-wise"][0] != values["class-wise"][1]


def test_separation_is_not_that_of_a_class_from_itself():
    d = nodes()
    found = transductive_ot_bound(**d).terms
    z, y = d["embeddings"][d["train"]], d["y"][d["train"]]
    apart = [
        wasserstein(z[y == a], z[y == b])
        for a, b in itertools.combinations(range(K), 2)
    ]
    assert found["separation, least"] == pytest.approx(min(apart))
    assert found["separation, least"] == pytest.approx(separation(z, y)) and min(apart)
    # The concentration is weighted by class once, not averaged again.
    assert found["concentration"] > found["separation, least"] / 100


def test_one_score_serves_two_classes():
    d = nodes(classes=2)
    z = d["logits"][:, 1] - d["logits"][:, 0]
    wanted = transductive_ot_bound(**{**d, "logits": np.stack([-z / 2, z / 2], 1)})
    for logits in (z, z[:, None], torch.tensor(z)):
        assert transductive_ot_bound(**{**d, "logits": logits}) == wanted


def test_masks_are_indices():
    d = nodes()
    masks = {name: np.isin(np.arange(N), d[name]) for name in ("train", "test")}
    tensors = {name: torch.tensor(mask) for name, mask in masks.items()}
    wanted = transductive_ot_bound(**d, kind="class-wise")
    for given in (masks, tensors):
        assert transductive_ot_bound(**{**d, **given}, kind="class-wise") == wanted


def test_pairs_that_coincide_are_left_out_and_said():
    d = nodes()
    d["embeddings"][d["test"][0]] = d["embeddings"][d["train"][0]]
    found = transductive_ot_bound(**d)
    assert np.isfinite(found.value)
    assert found.assumptions[0].holds is False
    assert "pairs closer than" in found.assumptions[0].detail


def test_a_class_that_a_resplit_lacks_is_named():
    d = nodes()
    d["y"] = np.where(np.arange(N) == d["train"][0], 2, d["y"] % 2)
    message = "class 2 .* among the (training|test) nodes of the one with seed"
    for kind in ("class-wise", "class-wise-approx"):
        with pytest.raises(ArgumentError, match=message):
            transductive_ot_bound(**d, kind=kind)
    with pytest.raises(
        ArgumentError, match="two nodes of each class, got 1 of class 2"
    ):
        transductive_ot_bound(**d)
    assert transductive_ot_bound(**d, with_separation=False).value > 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "local"}, "kind must be one of 'global'"),
        ({"quantile": 1.0}, "quantile must lie between 0 and 1"),
        ({"resplits": 0}, "resplits must be a whole number of at least 1"),
        ({"train": []}, "train must be a mask or indices of at least one of 30"),
        ({"test": [0, 99]}, "test must be a mask or indices of at least one of 30"),
        ({"test": np.ones(5, bool)}, "test must be a mask or indices"),
        ({"train": [0, 1], "test": [1, 2]}, "must not overlap, got node 1 twice"),
        ({"logits": np.zeros((5, 3))}, "logits must have a row for each of 30 nodes"),
        ({"y": np.full(N, 3)}, "y must hold classes from 0 to 2, got 3 to 3"),
        ({"embeddings": np.full((N, 2), np.nan)}, "embeddings must have finite values"),
    ],
)
def test_what_is_wrong_is_named(change, message):
    with pytest.raises(ArgumentError, match=message):
        transductive_ot_bound(**{**nodes(), **change})
