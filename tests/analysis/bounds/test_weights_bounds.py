"""Each bound on weights against its formula, written out for a network by hand."""

import math
from dataclasses import replace

import pytest

from graphlab.analysis import (
    pac_bayes_ju,
    pac_bayes_liao,
    pac_bayes_paper,
    pac_hessian,
    rademacher_garg,
)
from graphlab.errors import ArgumentError

# The network of the fixture `norms`: s, ||W||_F and width of two layers and a readout.
S, F, D = (1.5, 0.7, 2.0), (2.5, 1.1, 2.2), (8, 6, 3)
X, A, P, DEGREE, M = 3.0, 2.5, 1.2, 4, 12


def test_ju(make_sample, norms):
    found = pac_bayes_ju(make_sample(norms=norms), loss_bound=2.0, constant=3.0)
    product = (1.5 * 0.7 * 2.0) ** 2
    wanted = sum(
        math.sqrt(3.0 * 2.0 * d * X**2 * P ** (2 * 2) * (f / s) ** 2 * product / M)
        for s, f, d in zip(S, F, D, strict=True)
    )
    assert found.value == pytest.approx(wanted)
    assert found.parts == ("a", "b", "head")
    assert found.status == "vacuous" and found.empirical_risk is None
    assert found.limit == 2.0  # a loss that is at most 2 has no larger gap


def test_paper(make_sample, norms):
    found = pac_bayes_paper(make_sample(norms=norms), loss_bound=2.0)
    wanted = sum(
        math.sqrt(2.0 * d * X**2 * A ** (2 * power) * f**2 / M)
        for power, (f, d) in enumerate(zip(F, D, strict=True))
    )
    assert found.value == pytest.approx(wanted)


def test_paper_grows_with_the_layers_before_a_matrix(make_sample, norms):
    """Two matrices in the first layer see the same power of the adjacency matrix."""
    both = replace(norms, layers=(0, 0, -1), num_layers=1)
    found = pac_bayes_paper(make_sample(norms=both)).terms
    wanted = [math.sqrt(8 / M) * X * 2.5, math.sqrt(6 / M) * X * 1.1]
    wanted.append(math.sqrt(3 / M) * X * A * 2.2)
    assert [found[name] for name in both.names] == pytest.approx(wanted)


def test_hessian(make_sample, norms):
    found = pac_hessian(make_sample(norms=norms), loss_bound=2.0, epsilon=0.5)
    wanted = 1.5 * sum(
        math.sqrt(2.0 * max(trace, 0) * f**2 / M)
        for trace, f in zip((5.0, -1.0, 0.25), F, strict=True)
    )
    assert found.value == pytest.approx(wanted)
    bare = replace(norms, hessian_traces=None)
    with pytest.raises(ArgumentError, match="needs norms with hessian_traces"):
        pac_hessian(make_sample(norms=bare))


def test_liao(make_sample, norms):
    found = pac_bayes_liao(make_sample(norms=norms), gamma=0.5)
    s1, f1, s_last, f_last, layers, h = 1.5, 2.5, 2.0, 2.2, 3, 8
    xi = ((DEGREE * s1) ** (layers - 1) - 1) / (DEGREE * s1 - 1)
    zeta, lam = min(s1, s_last), s1 * s_last
    scale = max(zeta ** -(layers - 1), (lam * xi) ** ((layers + 1) / layers)) ** 2
    inner = 42**2 / (0.5**2 * M) * X**2 * scale * layers**2 * h
    inner *= math.log(4 * layers * h) * (2 * f1**2 + f_last**2)
    assert found.value == pytest.approx(math.sqrt(inner))


@pytest.mark.parametrize("kappa", [1.0, math.inf])
def test_garg(make_sample, norms, kappa):
    found = rademacher_garg(make_sample(norms=norms), 0.5, activation_bound=kappa)
    s1, s_last, h, layers = 1.5, 2.0, 8, 3
    m_ = ((DEGREE * s1) ** (layers - 1) - 1) / (DEGREE * s1 - 1)
    k2 = X**2
    r = DEGREE * min(kappa * math.sqrt(h), k2 * s1 * m_)
    z = k2 * s1 + r * s1
    inside = 24 * s_last * math.sqrt(M)
    inside *= max(z, m_ * math.sqrt(h) * max(k2 * s1, r * s1))
    wanted = 48 * s_last * h * z * math.sqrt(3 / (0.5**2 * M) * math.log(inside))
    assert found.value == pytest.approx(wanted)


@pytest.mark.parametrize("bound", [pac_bayes_liao, rademacher_garg])
def test_a_larger_margin_divides_them(make_sample, norms, bound):
    sample = make_sample(norms=norms)
    assert bound(sample, 1.0).value == pytest.approx(3 * bound(sample, 3.0).value)


def test_a_geometric_sum_has_no_hole_at_one(make_sample, norms):
    """The closed form divides by d s_1 - 1."""
    even = replace(norms, max_degree=1, spectral=(1.0, 1.0, 1.0))
    found = rademacher_garg(make_sample(norms=even))
    assert found.terms["M"] == 2


def test_a_chain_of_matrices_in_a_layer_multiplies(make_sample, norms):
    both = replace(norms, layers=(0, 0, -1), num_layers=1)
    found = rademacher_garg(make_sample(norms=both)).terms
    assert found["s_1"] == pytest.approx(1.5 * 0.7)


def test_assumptions_tell_what_the_network_is(make_sample, norms):
    def verdicts(**changes):
        sample = make_sample(norms=replace(norms, **changes))
        found = (*pac_bayes_ju(sample).assumptions, *pac_bayes_liao(sample).assumptions)
        return {each.statement.split()[0]: each.holds for each in found}

    assert verdicts() == {"the": False, "one": True, "no": True, "all": False}
    assert verdicts(layers=(0, 0, -1), num_layers=1)["one"] is False
    assert verdicts(normalizations=("norms.0",))["no"] is False


def test_huge_depth_is_infinite_and_not_an_error(make_sample, norms):
    deep = replace(norms, num_layers=600, spectral=(1e3, 1e3, 1.0))
    for bound in (pac_bayes_liao, rademacher_garg):
        found = bound(make_sample(norms=deep))
        assert found.value == math.inf and found.status == "vacuous"


@pytest.mark.parametrize(
    "bound",
    [pac_bayes_ju, pac_bayes_paper, pac_bayes_liao, pac_hessian, rademacher_garg],
)
def test_without_norms_there_is_none(make_sample, bound):
    with pytest.raises(ArgumentError, match=f"{bound.__name__} needs a sample with no"):
        bound(make_sample())


@pytest.mark.parametrize(
    ("bound", "arguments", "message"),
    [
        (pac_bayes_ju, {"loss_bound": 0}, "loss_bound must be a finite positive"),
        (pac_bayes_paper, {"constant": -1}, "constant must be a finite positive"),
        (pac_bayes_liao, {"gamma": math.inf}, "gamma must be a finite positive"),
        (pac_hessian, {"epsilon": -0.1}, "epsilon must be finite and not negative"),
        (rademacher_garg, {"gamma": True}, "gamma must be a finite positive"),
    ],
)
def test_what_is_wrong_is_named(make_sample, norms, bound, arguments, message):
    with pytest.raises(ArgumentError, match=message):
        bound(make_sample(norms=norms), **arguments)
