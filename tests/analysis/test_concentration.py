"""How close the points of a class lie to each other."""

import numpy as np
import pytest
from scipy import sparse

from graphlab.analysis import concentration, k_variance
from graphlab.errors import ArgumentError

RNG = np.random.default_rng(5)
Y = np.repeat([3, 8, 5], [10, 30, 20])
X = (
    RNG.normal(size=(60, 3))
    * np.array([[1.0], [5.0], [2.0]])[[0] * 10 + [1] * 30 + [2] * 20]
)


def of_classes(**options):
    return [k_variance(X[Y == c], **options).value for c in (3, 8, 5)]


def test_classes_weigh_what_their_share_is():
    wanted = np.dot([10 / 60, 30 / 60, 20 / 60], of_classes())
    assert concentration(X, Y) == pytest.approx(wanted, rel=1e-12)


def test_uniform_weights_are_those_of_the_paper():
    found = concentration(X, Y, weights="uniform")
    assert found == pytest.approx(np.mean(of_classes()), rel=1e-12)
    assert found < 0.9 * concentration(X, Y)  # the widest class is the largest


def test_balanced_classes_weigh_the_same():
    balanced = np.repeat([0, 1], 30)
    both = [concentration(X, balanced, weights=w) for w in ("empirical", "uniform")]
    assert both[0] == pytest.approx(both[1], rel=1e-12)


def test_options_reach_every_class():
    options = {"k": 4, "repeats": 3, "disjoint": False, "seed": 9}
    wanted = np.average(of_classes(**options), weights=[10, 30, 20])
    assert concentration(X, Y, **options) == pytest.approx(wanted, rel=1e-12)
    pairs = np.average(of_classes(pairs=2), weights=[10, 30, 20])
    assert concentration(X, Y, pairs=2) == pytest.approx(pairs, rel=1e-12)


def test_sparse_points_and_bits():
    counts = RNG.integers(0, 3, (60, 9))
    found = concentration(counts, Y)
    assert found == concentration(counts, Y)
    assert concentration(sparse.csr_array(counts), Y) == pytest.approx(found, rel=1e-12)


def test_points_of_a_class_that_are_equal():
    assert concentration(np.eye(3)[[0, 0, 1, 1, 2, 2]], [0, 0, 1, 1, 2, 2]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"y": [0, 0, 0, 4]}, "y must have two points of each class, got 1 of 4"),
        ({"y": [0, 1]}, "y must have one integer class for each of the 4 rows"),
        ({"weights": "sqrt"}, "weights must be 'empirical' or 'uniform', got 'sqrt'"),
        ({"k": 2}, "k must be at most 1"),
        ({"solver": "sinkhorn"}, "solver must be one of"),
        ({"x": [[1.0]]}, "y must have one integer class for each of the 1 rows"),
    ],
)
def test_wrong_arguments_are_refused(arguments, said):
    with pytest.raises(ArgumentError, match=said):
        concentration(**{"x": np.ones((4, 1)), "y": [0, 0, 1, 1], **arguments})
