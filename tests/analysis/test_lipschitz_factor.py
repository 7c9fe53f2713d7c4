"""Ratios of distances: their maximum, quantiles, witnesses."""

from dataclasses import asdict
from itertools import combinations

import numpy as np
import pytest
import torch
from scipy import sparse

from graphlab.analysis import embedding_distances, lipschitz_factor
from graphlab.errors import ArgumentError

RNG = np.random.default_rng(3)


def ratios(phi, lam):
    """Pair -> ratio, over pairs that ``lam`` tells apart."""
    return {
        (i, j): np.linalg.norm(phi[i] - phi[j]) / np.linalg.norm(lam[i] - lam[j])
        for i, j in combinations(range(len(phi)), 2)
        if (lam[i] != lam[j]).any()
    }


def embeddings(rows=25):
    return RNG.normal(size=(rows, 3)), RNG.integers(0, 3, (rows, 4)).astype(float)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array, torch.from_numpy])
def test_it_is_the_maximum_over_pairs(form):
    phi, lam = embeddings()
    lam = lam[np.unique(lam, axis=0, return_index=True)[1]]  # no equal rows
    phi = phi[: len(lam)]
    wanted = ratios(phi, lam)
    found = lipschitz_factor(phi, form(lam))
    first, second = sorted(wanted.values())[:-3:-1]
    assert found.max == pytest.approx(first, rel=1e-12)
    assert found.second == pytest.approx(second, rel=1e-12)
    assert wanted[found.pair] == max(wanted.values())
    values = list(wanted.values())
    assert found.q99 == pytest.approx(np.quantile(values, 0.99), rel=1e-9)
    assert found.median == pytest.approx(np.median(values), rel=1e-9)
    assert found.num_pairs == found.num_sampled == len(wanted)
    assert (found.violations, found.violation_pair, found.num_equal) == (0, None, 0)


def test_pairs_that_are_not_told_apart():
    phi = np.array([[0.0], [1.0], [1.0], [4.0], [4.0 + 1e-6]])
    lam = np.array([[0.0], [0.0], [1.0], [1.0], [1.0]])
    found = lipschitz_factor(phi, lam)
    # Equal in lam: (0, 1), (2, 3), (2, 4), and (3, 4), which phi keeps as close.
    assert found.violations == 3
    assert found.violation_pair == (2, 4)  # the widest gap
    assert found.num_equal == 4
    assert found.num_pairs == 6
    assert found.max == pytest.approx(4 + 1e-6, rel=1e-12)
    assert found.pair == (0, 4)
    strict = lipschitz_factor(phi, lam, tolerance=0)
    assert strict.violations == 4
    assert lipschitz_factor(phi, lam, tolerance=2).violations == 0


def test_a_violation_is_measured_against_the_median_distance():
    phi = np.arange(11.0)[:, None]  # median distance 4
    lam = np.arange(11.0)[:, None]
    phi[1] = phi[0] + 3.9e-3
    lam[1] = lam[0]
    assert lipschitz_factor(phi, lam).violations == 0
    phi[1] = phi[0] + 4.1e-3
    assert lipschitz_factor(phi, lam).violations == 1
    assert lipschitz_factor(100 * phi, lam).violation_pair == (0, 1)


def test_a_median_of_zero_gives_way_to_the_mean():
    phi = np.zeros((9, 1))
    phi[0], phi[1] = 1.0, 1e-9
    found = lipschitz_factor(phi, np.ones((9, 1)))
    assert found.violations == 8  # of row 0; row 1 differs by rounding only


def test_a_function_of_the_histogram_is_bounded_by_it():
    _, lam = embeddings(60)
    weight = RNG.normal(size=(4, 2))
    found = lipschitz_factor(lam @ weight, lam)
    assert found.num_equal > 0
    assert found.violations == 0
    assert found.max <= np.linalg.norm(weight, 2) * (1 + 1e-9)


def test_rows_that_are_all_equal_have_no_ratio():
    found = lipschitz_factor(np.ones((4, 2)), np.ones((4, 2)))
    assert asdict(found) == {
        "max": 0.0,
        "q99": 0.0,
        "median": 0.0,
        "second": 0.0,
        "pair": None,
        "violations": 0,
        "violation_pair": None,
        "num_equal": 6,
        "num_pairs": 0,
        "num_sampled": 0,
    }


def test_two_rows():
    found = lipschitz_factor([[0.0], [6.0]], [[0.0], [2.0]])
    assert (found.max, found.second, found.pair) == (3.0, 0.0, (0, 1))
    constant = lipschitz_factor([[1.0], [1.0]], [[0.0], [2.0]])
    assert (constant.max, constant.pair, constant.num_pairs) == (0.0, (0, 1), 1)


@pytest.mark.parametrize("entries", [1, 60, 200])
def test_blocks_do_not_change_a_bit(entries, monkeypatch):
    phi, lam = embeddings(30)
    for form in (np.asarray, sparse.csr_array):
        whole = lipschitz_factor(phi, form(lam))
        monkeypatch.setattr(embedding_distances, "BLOCK_ENTRIES", entries)
        assert lipschitz_factor(phi, form(lam)) == whole
        monkeypatch.undo()


def test_it_follows_order_and_scale():
    phi, lam = embeddings(40)
    found = lipschitz_factor(phi, lam)
    order = RNG.permutation(40)
    mixed = lipschitz_factor(phi[order], lam[order])
    assert sorted(order[list(mixed.pair)]) == list(found.pair)
    assert mixed.max == found.max
    assert mixed.q99 == pytest.approx(found.q99, rel=1e-12)
    assert mixed.violations == found.violations > 0
    assert sorted(order[list(mixed.violation_pair)]) == list(found.violation_pair)
    assert lipschitz_factor(6 * phi, 2 * lam).max == pytest.approx(3 * found.max)


def test_many_pairs_are_sampled_for_the_quantiles_only():
    phi, lam = RNG.normal(size=(150, 2)), RNG.normal(size=(150, 2))
    whole = lipschitz_factor(phi, lam)
    found = lipschitz_factor(phi, lam, max_pairs=4000)
    assert (found.max, found.second, found.pair) == (
        whole.max,
        whole.second,
        whole.pair,
    )
    assert 3500 < found.num_sampled < 4500 < found.num_pairs
    assert found.median == pytest.approx(whole.median, rel=0.1)
    assert found.q99 == pytest.approx(whole.q99, rel=0.4)
    assert found == lipschitz_factor(phi, lam, max_pairs=4000)


def test_quantiles_where_no_differing_pair_was_drawn():
    lam = np.zeros((1000, 1))
    lam[0] = 1.0
    found = lipschitz_factor(lam, lam, max_pairs=1000)
    assert found.max == found.q99 == found.median == 1.0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"phi": [[np.nan], [1.0]]}, "phi must have finite values only"),
        ({"lam": [[np.inf], [1.0]]}, "lam must have finite values only"),
        ({"phi": [[1.0]]}, r"phi must have at least 2 row\(s\)"),
        ({"lam": [[1.0]] * 3}, "lam must have as many rows as phi, got 3 and 2"),
        ({"tolerance": -1}, "tolerance must be >= 0 and finite, got -1"),
        ({"tolerance": np.nan}, "tolerance must be >= 0 and finite, got nan"),
        ({"max_pairs": 999}, "max_pairs must be a whole number >= 1000, got 999"),
    ],
)
def test_wrong_arguments_are_refused(arguments, said):
    with pytest.raises(ArgumentError, match=said):
        lipschitz_factor(**{"phi": np.ones((2, 1)), "lam": np.eye(2), **arguments})
