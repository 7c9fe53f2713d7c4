"""The distance between samples is the optimum, or an error."""

import sys
from itertools import permutations

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.optimize import linprog
from scipy.stats import wasserstein_distance

from graphlab.analysis import pairwise_distances, wasserstein
from graphlab.analysis.wasserstein import _emd
from graphlab.errors import ArgumentError, SolverError

RNG = np.random.default_rng(1)


def points(*shape):
    return RNG.normal(size=shape)


def by_all_matchings(x, y, p):
    cost = pairwise_distances(x, y) ** p
    rows = np.arange(len(x))
    return min(cost[rows, list(m)].mean() for m in permutations(rows)) ** (1 / p)


def by_linear_programming(x, y, p):
    """The definition: all couplings of two uniform distributions."""
    cost = pairwise_distances(x, y) ** p
    m, n = cost.shape
    marginals = np.vstack([np.kron(np.eye(m), np.ones(n)), np.tile(np.eye(n), m)])
    weights = np.concatenate([np.full(m, 1 / m), np.full(n, 1 / n)])
    return linprog(cost.ravel(), A_eq=marginals, b_eq=weights).fun ** (1 / p)


@pytest.mark.parametrize("p", [1, 2])
def test_equal_sizes_are_the_best_matching(p):
    x, y = points(6, 3), points(6, 3)
    assert wasserstein(x, y, p) == pytest.approx(by_all_matchings(x, y, p), rel=1e-12)


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("sizes", [(5, 3), (3, 7), (1, 4)])
def test_different_sizes_are_the_best_coupling(p, sizes):
    pytest.importorskip("ot")
    x, y = points(sizes[0], 2), points(sizes[1], 2)
    wanted = by_linear_programming(x, y, p)
    assert wasserstein(x, y, p) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_both_solvers_find_the_same(form):
    pytest.importorskip("ot")
    x, y = form(points(150, 4)), form(points(150, 4))
    one, other = (wasserstein(x, y, solver=s) for s in ("assignment", "emd"))
    assert one == pytest.approx(other, rel=1e-9)
    assert one == wasserstein(x, y)


@pytest.mark.parametrize("scale", [1e-13, 1.0, 1e13])
def test_the_scale_of_the_costs_does_not_matter(scale):
    """POT compares with an absolute tolerance; by itself it is off by 0.1 % here."""
    pytest.importorskip("ot")
    x, y = points(90, 4), points(60, 4)
    found = wasserstein(scale * x, scale * y)
    assert found / scale == pytest.approx(wasserstein(x, y), rel=1e-9)


def test_one_dimension_is_a_matter_of_sorting():
    x, y = points(40, 1), points(40, 1)
    wanted = wasserstein_distance(x.ravel(), y.ravel())
    assert wasserstein(x, y) == pytest.approx(wanted, rel=1e-12)


def test_identical_samples_have_distance_zero():
    x = points(20, 3)
    assert wasserstein(x, x[::-1]) == 0
    assert wasserstein(sparse.csr_array(x), x) == 0


def test_a_shifted_point_moves_by_the_shift():
    mass = np.tile([1.0, 2.0, 3.0], (9, 1))
    assert wasserstein(mass, mass + [3.0, 0.0, 4.0]) == pytest.approx(5.0)
    assert wasserstein(mass, mass + [3.0, 0.0, 4.0], p=2) == pytest.approx(5.0)


def test_it_lies_between_its_brackets():
    x, y = points(60, 5), points(60, 5) + 0.3
    found, all_pairs = wasserstein(x, y), pairwise_distances(x, y)
    assert np.linalg.norm(x.mean(0) - y.mean(0)) < found < all_pairs.mean()
    assert max(all_pairs.min(1).mean(), all_pairs.min(0).mean()) < found
    assert found < wasserstein(x, y, p=2)


def test_it_is_a_metric():
    x, y, z = points(12, 3), points(12, 3), points(12, 3)
    assert wasserstein(x, y) == pytest.approx(wasserstein(y, x), rel=1e-12)
    assert wasserstein(x, z) < wasserstein(x, y) + wasserstein(y, z)


@pytest.mark.parametrize("p", [1, 2])
def test_it_follows_order_shift_and_scale(p):
    x, y = points(30, 4), points(30, 4)
    found = wasserstein(x, y, p)
    mixed = wasserstein(x[RNG.permutation(30)], y[RNG.permutation(30)], p)
    assert mixed == pytest.approx(found, rel=1e-12)
    assert wasserstein(x + 7, y + 7, p) == pytest.approx(found, rel=1e-9)
    assert wasserstein(-3 * x, -3 * y, p) == pytest.approx(3 * found, rel=1e-12)


def test_tensors_are_taken():
    x, y = points(8, 3), points(8, 3)
    assert wasserstein(torch.tensor(x), torch.tensor(y)) == wasserstein(x, y)


def test_stopping_early_is_an_error():
    pytest.importorskip("ot")
    cost = pairwise_distances(points(64, 3), points(64, 3))
    with pytest.raises(SolverError, match="no optimum for 64 x 64 points in 10"):
        _emd(cost, iterations=10)


def test_without_pot_different_sizes_name_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ot", None)
    with pytest.raises(ArgumentError, match=r"3 and 2 points .*graphlab-pyg\[ot\]"):
        wasserstein(points(3, 2), points(2, 2))
    assert wasserstein(points(3, 2), points(3, 2)) > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"p": 3}, "p must be 1 or 2, got 3"),
        ({"p": True}, "p must be 1 or 2, got True"),
        ({"p": "1"}, "p must be 1 or 2, got '1'"),
        ({"p": [1, 2]}, "p must be 1 or 2"),
        ({"solver": "sinkhorn"}, "solver must be one of .* got 'sinkhorn'"),
        ({"solver": "assignment"}, "'assignment' needs samples of equal size, got 3"),
        ({"y": [[1.0]]}, "y must have as many columns as x, got 1 and 2"),
        ({"y": [[np.nan, 1.0]]}, "y must have finite values only"),
        ({"y": np.zeros((0, 2))}, "y must have at least 1 row"),
    ],
)
def test_wrong_arguments_are_refused(arguments, said):
    given = {"x": np.ones((3, 2)), "y": np.ones((2, 2))} | arguments
    with pytest.raises(ArgumentError, match=said):
        wasserstein(**given)
