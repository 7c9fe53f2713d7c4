"""The score against its formula, with the halves that the seed draws."""

import numpy as np
import pytest

from graphlab.analysis import kv_margin, wasserstein
from graphlab.errors import ArgumentError


def halves(x, seed, most=200):
    chosen = np.sort(np.random.default_rng(seed).permutation(len(x))[:most])
    order = np.random.default_rng(seed).permutation(len(chosen))
    k = len(chosen) // 2
    x = x[chosen]
    return wasserstein(x[order[:k]], x[order[k : 2 * k]])


@pytest.mark.parametrize("most", [4, 200])
def test_formula(make_sample, most):
    gradients = np.random.default_rng(3).uniform(1, 2, size=12)
    z = np.random.default_rng(4).normal(size=(12, 6))
    sample = make_sample(embeddings=z, gradient_norms=gradients)
    below = sum(
        n / 12 * halves(z[sample.y == c], 5, most) * gradients[sample.y == c].max()
        for c, n in enumerate((7, 5))
    )
    found = kv_margin(sample, seed=5, most=most)
    assert found.value == pytest.approx(-np.median(sample.margins) / below)
    plain = sum(
        n / 12 * halves(z[sample.y == c], 5, most) for c, n in enumerate((7, 5))
    )
    found = kv_margin(sample, True, seed=5, most=most)
    wanted = -np.median(sample.margins / (gradients + 1e-6)) / plain
    assert found.value == pytest.approx(wanted)


def test_it_is_a_score_and_no_bound(make_sample):
    found = kv_margin(make_sample())
    assert found.score and found.status == "heuristic"
    assert found.empirical_risk is None and found.to_dict()["risk_bound"] is None


def test_larger_margins_promise_smaller_gaps(make_sample):
    y = np.repeat([0, 1], (7, 5))
    noise = np.random.default_rng(0).normal(size=(12, 2))
    values = [
        kv_margin(make_sample(logits=np.eye(2)[y] * far + noise)).value
        for far in (0, 4, 8, 16)
    ]
    assert values == sorted(values, reverse=True) and len(set(values)) == 4


def test_points_that_coincide(make_sample):
    y = np.repeat([0, 1], (7, 5))
    assert kv_margin(make_sample(logits=np.eye(2)[y])).value == -np.inf
    assert kv_margin(make_sample(logits=np.eye(2)[1 - y])).value == np.inf


def test_what_is_wrong_is_named(make_sample):
    with pytest.raises(
        ArgumentError, match="most must be a whole number of at least 4"
    ):
        kv_margin(make_sample(), most=3)
    sample = make_sample(embeddings=make_sample().histograms)
    with pytest.raises(ArgumentError, match="needs a sample with gradient_norms"):
        kv_margin(sample)
