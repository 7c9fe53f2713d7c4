"""The k-variance bound against its formula, written out slowly, in every mode."""

import itertools
import math

import numpy as np
import pytest
from numpy.linalg import norm

from graphlab.analysis import k_variance_bound
from graphlab.errors import ArgumentError

MODES = ("theorem-D2", "theorem-5.1-plugin", "algorithm1", "paper-code")


def slow_w1(x, y):
    """Over all ways to match two samples of equal size."""
    orders = itertools.permutations(range(len(x)))
    return min(
        np.mean([norm(a - y[j]) for a, j in zip(x, o, strict=True)]) for o in orders
    )


def slow_halves(x, seed, repeats, pairs, overlap):
    """Mean distance of the samples that the seed draws."""
    rng, k, found = np.random.default_rng(seed), len(x) // (2 * pairs), []
    for _ in range(repeats):
        if overlap:
            first, second = (rng.choice(len(x), k, replace=False) for _ in range(2))
            found.append(slow_w1(x[first], x[second]))
            continue
        order = rng.permutation(len(x))
        for j in range(pairs):
            both = order[2 * k * j : 2 * k * (j + 1)]
            found.append(slow_w1(x[both[:k]], x[both[k:]]))
    return np.mean(found)


def slow_diameter(x):
    return max(norm(a - b) for a in x for b in x)


def slow_lip(phi, lam):
    pairs = itertools.combinations(range(len(phi)), 2)
    return max(
        norm(phi[i] - phi[j]) / norm(lam[i] - lam[j])
        for i, j in pairs
        if (lam[i] != lam[j]).any()
    )


def slow_bound(
    sample, mode, gamma=1.0, delta=0.1, seed=0, repeats=8, pairs=1, mcdiarmid=2
):
    """All modes as the paper and the description of its code state them."""
    lam, phi, y = sample.histograms.toarray(), sample.embeddings, sample.y
    classes = sample.num_classes
    m, sizes = len(y), [int((y == c).sum()) for c in range(classes)]
    k = [size // (2 * pairs) for size in sizes]
    lip, code = slow_lip(phi, lam), mode == "paper-code"
    rho = {"algorithm1": 1.0, "paper-code": math.sqrt(classes - 1) / classes}
    rho = rho.get(mode, math.sqrt(2))
    log = math.log10 if code else math.log
    inner = []
    for c in range(classes):
        w1 = slow_halves(lam[y == c], seed, 1 if code else repeats, pairs, code)
        delta_c = slow_diameter((phi if code else lam)[y == c])
        spread = mcdiarmid * delta_c
        spread *= math.sqrt(log(2 * classes / delta) / (pairs * k[c]))
        inner.append(w1 if mode == "theorem-5.1-plugin" else w1 + spread)
    even = mode in ("algorithm1", "paper-code")
    shares = [1 / classes if even else size / m for size in sizes]
    tail = math.sqrt(math.log(2 / delta) / (2 * sum(k)))
    if mode == "theorem-5.1-plugin":
        tail = math.sqrt(math.log(1 / delta) / (2 * m))
    return rho * lip / gamma * np.dot(shares, inner) + tail


@pytest.mark.parametrize("sizes", [(7, 5), (4, 9, 6), (4, 4)])
@pytest.mark.parametrize("mode", MODES)
def test_every_mode_is_its_formula(make_sample, mode, sizes):
    sample = make_sample(sizes, seed=3)
    found = k_variance_bound(sample, mode, gamma=0.7, delta=0.05, seed=5)
    wanted = slow_bound(sample, mode, gamma=0.7, delta=0.05, seed=5)
    assert found.value == pytest.approx(wanted, rel=1e-12)
    assert sum(found.terms[part] for part in found.parts) == found.value
    assert found.gamma == 0.7 and found.delta == 0.05


@pytest.mark.parametrize("pairs", [1, 2, 3])
@pytest.mark.parametrize("mcdiarmid", [1, 2])
def test_pairs_and_deviation(make_sample, pairs, mcdiarmid):
    sample = make_sample((13, 12), seed=1)
    settings = {"pairs": pairs, "mcdiarmid": mcdiarmid, "repeats": 2}
    found = k_variance_bound(sample, **settings)
    wanted = slow_bound(sample, "theorem-D2", **settings)
    assert found.value == pytest.approx(wanted, rel=1e-12)


def test_by_hand():
    """Two classes of four graphs at 0, 0, 1, 1 and at 5, ..., 5, doubled by the model.

    Halves of the first class are 0 or 1 apart, the second is a point: W1 is at most 1.
    """
    from graphlab.analysis import GraphSample

    lam = np.array([0, 0, 1, 1, 5, 5, 5, 5.0])[:, None]
    sample = GraphSample(lam, None, np.hstack([-lam, lam]), [0] * 4 + [1] * 4, 2)
    found = k_variance_bound(sample, "theorem-D2", gamma=2.0, delta=0.2, repeats=64)
    w1 = found.terms["W1 of class 0"]
    assert 0 < w1 < 1 and found.terms["W1 of class 1"] == 0
    assert found.terms["Lip(f)"] == pytest.approx(math.sqrt(2))
    # Lip(rho) Lip(f) / gamma = 1; half of the graphs are of class 0; k = 2.
    diameter_term = 0.5 * 2 * math.sqrt(math.log(20) / 2)
    tail = math.sqrt(math.log(10) / 8)
    assert found.value == pytest.approx(0.5 * w1 + diameter_term + tail)
    # logits (-x, x): margins are -2x for class 0 and 2x for class 1.
    assert found.empirical_risk == 0.5


@pytest.mark.parametrize("mode", MODES)
def test_a_larger_margin_divides_all_but_the_confidence_term(make_sample, mode):
    one, four = (k_variance_bound(make_sample(), mode, gamma=g) for g in (1, 4))
    tail = one.terms["confidence term"]
    assert four.terms["confidence term"] == tail
    assert four.value - tail == pytest.approx((one.value - tail) / 4)


@pytest.mark.parametrize("mode", MODES)
def test_more_confidence_costs(make_sample, mode):
    values = [
        k_variance_bound(make_sample(), mode, delta=d).value
        for d in (1e-6, 0.01, 0.1, 0.5)
    ]
    assert values == sorted(values, reverse=True) and len(set(values)) == 4


def test_weights_of_classes(make_sample):
    sample = make_sample((4, 9, 6))

    def shares(weights):
        found = k_variance_bound(sample, class_weights=weights).terms
        return [found[f"weight of class {c}"] for c in range(3)]

    assert shares("frequency") == pytest.approx([4 / 19, 9 / 19, 6 / 19])
    assert shares("uniform") == pytest.approx([1 / 3] * 3)
    assert shares([0.5, 0.5, 0]) == [0.5, 0.5, 0]
    assert sorted(shares("worst")) == [0, 0, 1]
    for weights in ("frequency", "uniform", "worst", [0.5, 0.5, 0]):
        assert sum(shares(weights)) == pytest.approx(1)
    worst = k_variance_bound(sample, class_weights="worst").value
    for weights in ("frequency", "uniform", [1, 0, 0], [0, 1, 0], [0, 0, 1]):
        assert k_variance_bound(sample, class_weights=weights).value <= worst + 1e-12


def test_two_balanced_classes_weigh_the_same_either_way(make_sample):
    sample = make_sample((6, 6))
    even, counted = (
        k_variance_bound(sample, class_weights=w).value
        for w in ("uniform", "frequency")
    )
    assert even == pytest.approx(counted, rel=1e-14)
    assert even != k_variance_bound(make_sample((7, 5)), class_weights="uniform").value


def test_overlapping_halves_lie_closer(make_sample):
    sample = make_sample((40, 40), seed=2)
    code, own = (k_variance_bound(sample, m) for m in ("paper-code", "theorem-D2"))
    for c in range(2):
        ratio = code.terms[f"W1 of class {c}"] / own.terms[f"W1 of class {c}"]
        assert 0.3 < ratio < 0.8


def with_violation(make_sample):
    """Graphs 2 and 9 have one histogram; the model tells them apart."""
    sample = make_sample((7, 5))
    lam, phi = sample.histograms.toarray(), sample.logits.copy()
    lam[9] = lam[2]
    phi[9] = phi[2] + 3
    return make_sample(histograms=lam, logits=phi)


@pytest.mark.parametrize("mode", MODES)
def test_histograms_that_do_not_bound_the_model_are_an_error(make_sample, mode):
    sample = with_violation(make_sample)
    message = "graphs 2 and 9 have equal histograms, but embeddings that lie 4.24 apart"
    with pytest.raises(ArgumentError, match=message):
        k_variance_bound(sample, mode)
    found = k_variance_bound(sample, mode, allow_violations=True)
    assert found.assumptions[0].holds is False
    assert "graphs 2 and 9" in found.assumptions[0].detail
    assert found.status in ("vacuous", "heuristic")


def test_paper_code_drops_the_pairs_that_it_cannot_divide(make_sample):
    sample = with_violation(make_sample)
    found = k_variance_bound(sample, "paper-code", allow_violations=True)
    assert found.value == pytest.approx(slow_bound(sample, "paper-code"), rel=1e-12)


def test_a_certified_bound(make_sample):
    """One colour more tells the classes, so the model is a map of the histograms."""
    y = np.repeat([0, 1], 300)
    lam = np.eye(2)[y]
    sample = make_sample(
        (300, 300), histograms=lam, logits=lam * 40, encoder_bounds_model=True
    )
    prior = {"embedding_bound": 60.0, "separation": 1.4, "diameter": 0.1}
    found = k_variance_bound(sample, "certified", gamma=30, **prior)
    assert found.status == "certified" and found.reason == "assumptions hold"
    assert found.terms["Lip(f)"] == pytest.approx(60 / 1.4)
    spread = 2 * 0.1 * math.sqrt(math.log(40) / 150)
    tail = math.sqrt(math.log(20) / 600)
    wanted = math.sqrt(2) * 60 / 1.4 / 30 * spread + tail
    assert found.value == pytest.approx(wanted)
    # Without what the architecture says, nothing is certified.
    sample = make_sample((300, 300), histograms=lam, logits=lam * 40)
    found = k_variance_bound(sample, "certified", gamma=30, **prior)
    assert found.status == "heuristic" and "histograms bound the model" in found.reason


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"embedding_bound": 0.01}, "embedding_bound must be at least the distance"),
        ({"separation": 50.0}, "separation must be at most the distance"),
        ({"diameter": 0.01}, "diameter must be at least the distance"),
        ({"diameter": None}, "diameter must be given"),
        ({"separation": 0.0}, "separation must be a finite positive number"),
    ],
)
def test_no_training_graph_may_contradict_what_is_given(make_sample, change, message):
    prior = {"embedding_bound": 1e3, "separation": 0.5, "diameter": 1e3}
    sample = make_sample()
    assert k_variance_bound(sample, "certified", **prior).status == "vacuous"
    with pytest.raises(ArgumentError, match=message):
        k_variance_bound(sample, "certified", **{**prior, **change})


def test_softmax_margins_are_at_most_one(make_sample):
    sample = make_sample()
    found = k_variance_bound(sample, margin="softmax")
    assert found.terms["Lip(rho)"] == pytest.approx(math.sqrt(0.5))
    assert found.empirical_risk == 1 and found.status == "vacuous"
    half = k_variance_bound(sample, margin="softmax", gamma=0.5).empirical_risk
    p = np.exp(sample.logits) / np.exp(sample.logits).sum(1, keepdims=True)
    own = p[np.arange(12), sample.y]
    assert half == np.mean(own - (1 - own) <= 0.5)  # of two classes


def test_embeddings_before_a_head_need_its_constant(make_sample):
    parts = {"embeddings": make_sample().histograms.toarray() * 2}
    with pytest.raises(ArgumentError, match="embeddings that are the logits"):
        k_variance_bound(make_sample(**parts))
    with pytest.raises(ArgumentError, match="needs a sample with gradient_norms"):
        k_variance_bound(make_sample(**parts), margin="jacobian")
    sample = make_sample(gradient_norms=np.linspace(1, 3, 12), **parts)
    given, found = (k_variance_bound(sample, margin=m) for m in (3.0, "jacobian"))
    assert given.value == found.value and found.terms["Lip(rho)"] == 3
    assert found.terms["Lip(f)"] == pytest.approx(2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "theorem"}, "mode must be one of 'paper-code'"),
        ({"gamma": 0.0}, "gamma must be a finite positive number, got 0.0"),
        ({"gamma": math.nan}, "gamma must be a finite positive number, got nan"),
        ({"delta": 1}, "delta must lie strictly between 0 and 1, got 1"),
        ({"pairs": 0}, "pairs must be a whole number of at least 1, got 0"),
        ({"pairs": 3}, "pairs must leave a point to each sample"),
        ({"repeats": 0}, "repeats must be"),
        ({"mcdiarmid": 3}, "mcdiarmid must be 1 or 2, got 3"),
        ({"class_weights": [1.0]}, "class_weights must be one of .* or 2 shares"),
        ({"class_weights": [0.9, 0.9]}, "2 shares that sum up to 1"),
        ({"class_weights": "equal"}, "class_weights must be one of"),
        ({"margin": -1.0}, "kind must be one of"),
        ({"diameter": 1.0}, "diameter must go with mode='certified'"),
        ({"mode": "paper-code", "repeats": 3}, "repeats must not be given"),
        ({"mode": "paper-code", "mcdiarmid": 1}, "mcdiarmid must not be given"),
    ],
)
def test_what_is_wrong_is_named(make_sample, arguments, message):
    with pytest.raises(ArgumentError, match=message):
        k_variance_bound(make_sample(), **arguments)


def test_advice_is_backed_by_numbers(make_sample):
    sample = make_sample((30, 30), seed=6)
    found = k_variance_bound(sample)
    terms, text = found.terms, " | ".join(found.advice)
    largest = max(found.parts, key=terms.get)
    assert f"the {largest} makes up {terms[largest] / found.value:.0%}" in text
    i, j = sample.lipschitz.pair
    assert f"set by graphs {i} and {j}" in text
    # At the margin that it names, the bound is 1.
    scaled = terms["W1 term"] + terms["diameter term"]
    needed = scaled / (1 - terms["confidence term"])
    assert f"below 1 at gamma = {needed:.3g}" in text
    assert k_variance_bound(sample, gamma=needed).value == pytest.approx(1)


def test_the_best_margin_is_the_best_of_all():
    from graphlab.analysis.bounds._k_variance_words import best_margin

    rng = np.random.default_rng(0)
    margins = rng.normal(1, 2, size=30)
    gamma, bound = best_margin(margins, 0.4, 0.1)
    grid = np.linspace(1e-3, margins.max() * 2, 20_000)
    risks = [(margins <= g).mean() + 0.4 / g + 0.1 for g in grid]
    assert min(risks) == pytest.approx(bound, abs=2e-3) and min(risks) > bound - 1e-12
    assert grid[np.argmin(risks)] == pytest.approx(gamma, abs=1e-2)


def test_equal_calls_give_equal_bits(make_sample):
    first, second = (k_variance_bound(make_sample((9, 8)), seed=7) for _ in range(2))
    assert first == second
    assert first.value != k_variance_bound(make_sample((9, 8)), seed=8).value
