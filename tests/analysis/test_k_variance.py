"""k-variance is the expectation of its definition, from exact matchings."""

import math
import sys
from itertools import combinations

import numpy as np
import pytest
from scipy import sparse

from graphlab.analysis import (
    effective_dimension,
    k_variance,
    pairwise_distances,
    wasserstein,
)
from graphlab.errors import ArgumentError

RNG = np.random.default_rng(2)


def points(*shape):
    return RNG.normal(size=shape)


def expectation(x, k, p=1, disjoint=True):
    """Over all ways to draw the two samples."""
    rows = range(len(x))
    return np.mean(
        [
            wasserstein(x[list(a)], x[list(b)], p) ** p
            for a in combinations(rows, k)
            for b in combinations(rows, k)
            if not (disjoint and set(a) & set(b))
        ]
    )


@pytest.mark.parametrize("disjoint", [True, False])
@pytest.mark.parametrize("p", [1, 2])
def test_the_mean_over_repeats_is_the_expectation(p, disjoint):
    x = points(7, 2)
    found = k_variance(x, k=2, p=p, repeats=1500, disjoint=disjoint)
    wanted = expectation(x, 2, p, disjoint)
    assert found.std_error < 0.03 * wanted
    assert abs(found.value - wanted) < 4 * found.std_error


def test_the_result_says_what_was_done():
    x = points(21, 3)
    found = k_variance(x, repeats=5)
    assert (found.k, found.p, found.repeats, found.pairs) == (10, 1, 5, 1)
    assert (found.solver, found.disjoint, found.normalize) == ("assignment", True, None)
    assert found.value == np.mean(found.values) and len(found.values) == 5
    assert found.std_error == pytest.approx(np.std(found.values, ddof=1) / 5**0.5)
    pairs = pairwise_distances(x)[np.triu_indices(21, 1)]
    assert found.mean_distance == pytest.approx(pairs.mean(), rel=1e-12)
    assert found.saturation == found.value / found.mean_distance
    assert found.effective_dimension is None
    assert math.isnan(k_variance(x, repeats=1).std_error)


@pytest.mark.parametrize("disjoint", [True, False])
def test_larger_samples_are_not_farther_apart(disjoint):
    x = points(6, 2)
    found = [expectation(x, k, 1, disjoint) for k in (1, 2, 3)]
    assert found[0] > found[1] > found[2]
    x = points(256, 3)
    found = [k_variance(x, k, disjoint=disjoint) for k in (8, 32, 128)]
    for small, large in zip(found, found[1:], strict=False):
        assert small.value - large.value > 3 * math.hypot(
            small.std_error, large.std_error
        )


def test_overlap_brings_samples_closer():
    x = points(300, 6)
    apart, overlapping = k_variance(x), k_variance(x, disjoint=False)
    assert overlapping.k == apart.k == 150
    assert not overlapping.disjoint
    assert 0.4 < overlapping.value / apart.value < 0.75


def test_disjoint_samples_use_no_point_twice():
    """The largest of all points has nothing to be matched to but a smaller one."""
    x = 4.0 ** np.arange(8)[:, None]
    assert min(k_variance(x, repeats=50).values) * 4 >= 4**7 - 4**6
    assert min(k_variance(x, disjoint=False, repeats=50).values) * 4 < 4**7 - 4**6
    assert k_variance(x, k=8, disjoint=False).value == 0  # twice all points


def test_points_that_are_all_equal():
    found = k_variance(np.ones((9, 2)))
    assert found.value == found.mean_distance == 0
    assert math.isnan(found.saturation)


def test_saturation_of_points_that_share_nothing():
    far = k_variance(np.eye(40))
    assert far.saturation == pytest.approx(1, rel=1e-12)
    near = k_variance(np.repeat(np.eye(2), 20, axis=0))
    assert near.saturation < 0.5


def test_it_follows_shift_scale_and_form():
    x = RNG.integers(0, 4, (40, 5)).astype(float)
    found = k_variance(x, seed=3)
    assert k_variance(x + 5, seed=3).values == pytest.approx(found.values, rel=1e-9)
    assert k_variance(3 * x, seed=3).values == pytest.approx(
        [3 * value for value in found.values], rel=1e-12
    )
    squared = k_variance(3 * x, p=2, seed=3)
    assert squared.value == pytest.approx(9 * k_variance(x, p=2, seed=3).value)
    assert squared.saturation == pytest.approx(
        squared.value / (pairwise_distances(3 * x) ** 2)[np.triu_indices(40, 1)].mean()
    )
    by_csr = k_variance(sparse.csr_array(x), seed=3)
    assert by_csr.values == pytest.approx(found.values, rel=1e-12)


def test_the_order_of_the_points_does_not_matter():
    x = points(60, 3)
    one, other = (k_variance(y, repeats=200) for y in (x, x[RNG.permutation(60)]))
    assert one.values != other.values
    error = math.hypot(one.std_error, other.std_error)
    assert abs(one.value - other.value) < 4 * error < 0.05 * one.value


def test_a_seed_fixes_every_bit():
    x = points(50, 4)
    assert k_variance(x, seed=7) == k_variance(x, seed=7)
    assert k_variance(x, seed=7).values != k_variance(x, seed=8).values
    # More repeats only add draws.
    assert k_variance(x, repeats=9).values[:4] == k_variance(x, repeats=4).values


def test_several_disjoint_pairs():
    x = points(50, 2)
    found = k_variance(x, pairs=3, repeats=400)
    assert (found.k, found.pairs) == (8, 3)
    alone = k_variance(x, k=8, repeats=400)
    error = math.hypot(found.std_error, alone.std_error)
    assert abs(found.value - alone.value) < 4 * error
    assert found.std_error < alone.std_error
    # Four pairs of single points use all eight, the largest one too.
    total = k_variance(4.0 ** np.arange(8)[:, None], k=1, pairs=4, repeats=9)
    assert all(4 * value >= 4**7 - 4**6 for value in total.values)


def test_large_samples_are_split_into_exact_smaller_ones(monkeypatch):
    module = sys.modules["graphlab.analysis.k_variance"]  # the name is the function's
    monkeypatch.setattr(module, "LARGEST", 40)
    monkeypatch.setattr(module, "_PART", 20)
    x = points(101, 3)
    found = k_variance(x)
    assert (found.k, found.pairs) == (20, 2)
    assert found.solver == "assignment on 2 disjoint pairs of 20 in place of 1 of 50"
    whole = k_variance(x, solver="assignment")
    assert (whole.k, whole.pairs, whole.solver) == (50, 1, "assignment")
    assert found.value > whole.value  # conservative
    assert found.values == k_variance(x, k=20, pairs=2).values
    assert k_variance(x, k=40).solver == "assignment"
    assert k_variance(x, disjoint=False).k == 50


def test_the_other_solver_finds_the_same():
    pytest.importorskip("ot")
    x = points(60, 3)
    found = k_variance(x, solver="emd")
    assert found.solver == "emd"
    assert found.values == pytest.approx(k_variance(x).values, rel=1e-9)


@pytest.mark.parametrize("columns", [1, 2, 5])
def test_solomons_normalization_is_the_variance_at_one(columns):
    x = points(40, columns)
    found = k_variance(x, k=1, p=2, normalize="solomon", repeats=6000)
    variance = x.var(0, ddof=1).sum()
    assert abs(found.value - variance) < 4 * found.std_error < 0.1 * variance
    assert found.saturation == pytest.approx(1, abs=0.1)


def test_solomons_normalization_undoes_the_decay():
    x = points(20, 4)
    plain = k_variance(x, k=9, p=2)
    scaled = k_variance(x, k=9, p=2, normalize="solomon")
    assert scaled.value == pytest.approx(0.5 * 9 ** (2 / 4) * plain.value, rel=1e-12)
    assert scaled.saturation == pytest.approx(plain.saturation, rel=1e-12)
    assert scaled.normalize == "solomon"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"x": [[1.0, 2.0]]}, r"x must have at least 2 row\(s\) .* \[1, 2\]"),
        ({"x": np.zeros((0, 2))}, "x must have at least 2 row"),
        ({"x": [[1.0], [np.nan]]}, "x must have finite values only"),
        ({"k": 6}, "k must be at most 5 for 1 disjoint pair.* from 10 points, got 6"),
        ({"k": 11, "disjoint": False}, "k must be at most 10 for samples"),
        ({"k": 3, "pairs": 2}, "k must be at most 2 for 2 disjoint pair"),
        ({"k": 0}, "k must be a whole number >= 1, got 0"),
        ({"k": 2.0}, "k must be a whole number >= 1, got 2.0"),
        ({"k": True}, "k must be a whole number >= 1, got True"),
        ({"k": "all"}, "k must be 'half' or a whole number, got 'all'"),
        ({"p": 3}, "p must be 1 or 2, got 3"),
        ({"repeats": 0}, "repeats must be a whole number >= 1, got 0"),
        ({"pairs": 6}, "pairs must leave a point to each sample, got 6"),
        ({"seed": -1}, "seed must be a whole number >= 0, got -1"),
        ({"solver": "sinkhorn"}, "solver must be one of .* got 'sinkhorn'"),
        ({"normalize": "l2"}, "normalize must be None or 'solomon', got 'l2'"),
        ({"normalize": "solomon"}, "normalize='solomon' must go with p=2, got p=1"),
        ({"normalize": "solomon", "p": 2}, "could not be checked; got k=5 and 2"),
    ],
)
def test_wrong_arguments_are_refused(arguments, said):
    with pytest.raises(ArgumentError, match=said):
        k_variance(**{"x": np.ones((10, 2)), **arguments})


@pytest.mark.parametrize(("columns", "low", "high"), [(3, 2.5, 4), (6, 5, 9)])
def test_effective_dimension_of_a_cube(columns, low, high):
    x = RNG.random((600, columns))
    x = np.hstack([x, np.zeros((600, 4))])  # columns that say nothing
    assert low < effective_dimension(x, [37, 75, 150, 300]) < high


def test_effective_dimension_with_the_result():
    x = points(200, 3)
    found = k_variance(x, dimension=True).effective_dimension
    assert found == effective_dimension(x, [12, 25, 50, 100])
    assert found == effective_dimension(x)
    assert math.isnan(k_variance(x, k=8, dimension=True).effective_dimension)


def test_effective_dimension_where_nothing_decays():
    assert effective_dimension(np.eye(64)) > 1000
    assert math.isnan(effective_dimension(np.ones((64, 2))))


def test_effective_dimension_needs_two_sizes():
    with pytest.raises(ArgumentError, match="ks must have two different sizes"):
        effective_dimension(points(20, 2), [4, 4])
    with pytest.raises(ArgumentError, match="x must have at least 32 rows"):
        effective_dimension(points(31, 2))
    with pytest.raises(ArgumentError, match="k must be at most 10"):
        effective_dimension(points(20, 2), [4, 12])
