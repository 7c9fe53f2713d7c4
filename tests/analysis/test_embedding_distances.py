"""Distances between rows are those of the formula, and 0 exactly where rows agree."""

import numpy as np
import pytest
import torch
from scipy import sparse

from graphlab.analysis import distance_blocks, embedding_distances, pairwise_distances
from graphlab.errors import ArgumentError

RNG = np.random.default_rng(0)


def by_the_formula(x, y):
    return np.array([[np.sqrt(((a - b) ** 2).sum()) for b in y] for a in x])


def histograms(rows, columns, density=0.2):
    counts = RNG.integers(1, 9, (rows, columns)).astype(float)
    return counts * (RNG.random((rows, columns)) < density)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array, torch.from_numpy])
def test_every_form_gives_the_formula(form):
    x, y = histograms(7, 30), histograms(5, 30)
    found = pairwise_distances(form(x), form(y))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, by_the_formula(x, y), rtol=1e-12)
    np.testing.assert_allclose(
        pairwise_distances(form(x)), by_the_formula(x, x), rtol=1e-12
    )


@pytest.mark.parametrize(
    "form",
    [
        lambda x: torch.from_numpy(x).to_sparse_csr(),
        lambda x: torch.from_numpy(x).to_sparse(),
        lambda x: torch.from_numpy(x).bfloat16(),  # the counts are small enough
        lambda x: torch.from_numpy(x).long(),
        lambda x: torch.from_numpy(x).requires_grad_(),
        lambda x: sparse.coo_matrix(x),
        lambda x: x.tolist(),
    ],
)
def test_other_forms_are_taken(form):
    x = histograms(6, 8)
    assert np.array_equal(pairwise_distances(form(x)), pairwise_distances(x))


def test_dense_and_sparse_meet():
    x, y = histograms(4, 9), histograms(3, 9)
    found = pairwise_distances(x, sparse.csr_array(y))
    np.testing.assert_allclose(found, by_the_formula(x, y), rtol=1e-12)


@pytest.mark.parametrize("shift", [0.0, 1e6])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_close_rows_are_resolved(form, shift):
    """Differences of squares lose half of the digits here, and more with a shift."""
    x = RNG.random((40, 6)) + shift
    x[20:] = x[:20]
    x[30:] += 2.0**-20
    found = pairwise_distances(form(x))
    assert found[np.arange(10), np.arange(20, 30)].tolist() == [0.0] * 10
    apart = found[np.arange(10, 20), np.arange(30, 40)]
    np.testing.assert_allclose(apart, 6**0.5 * 2.0**-20, rtol=1e-3)
    np.testing.assert_allclose(found, by_the_formula(x, x), rtol=1e-9)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_a_distance_matrix_is_symmetric_with_a_zero_diagonal(form):
    x = RNG.random((30, 11)) * (RNG.random((30, 11)) < 0.5)
    found = pairwise_distances(form(x))
    assert np.array_equal(found, found.T)
    assert not found.diagonal().any()


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("rows", [1, 4, 13, 99])
def test_blocks_have_the_bits_of_the_whole(form, rows, monkeypatch):
    x, y = form(RNG.random((13, 6))), form(RNG.random((9, 6)))
    whole = pairwise_distances(x, y)
    blocks = list(distance_blocks(x, y, rows))
    assert [start for start, _ in blocks] == list(range(0, 13, rows))
    assert np.array_equal(np.concatenate([block for _, block in blocks]), whole)
    monkeypatch.setattr(embedding_distances, "BLOCK_ENTRIES", 9 * rows)
    assert np.array_equal(pairwise_distances(x, y), whole)


def test_many_close_sparse_rows_are_subtracted_in_chunks(monkeypatch):
    monkeypatch.setattr(embedding_distances, "_CHUNK", 7)
    x = np.repeat(RNG.random((3, 5)), 4, axis=0)
    found = pairwise_distances(sparse.csr_array(x))
    assert (found == 0).sum() == 3 * 16
    np.testing.assert_allclose(found, by_the_formula(x, x), rtol=1e-12)


def test_the_input_is_left_alone():
    x = sparse.csr_array(([1.0, 0.0, 2.0], [1, 0, 1], [0, 2, 3]), shape=(2, 2))
    pairwise_distances(x)
    assert x.indices.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("x", "said"),
    [
        ([[np.nan, 1.0]], "x must have finite values only"),
        (sparse.csr_array([[np.inf, 0.0]]), "x must have finite values only"),
        (torch.tensor([[np.inf]]), "x must have finite values only"),
        (np.zeros((0, 3)), r"x must have at least 1 row\(s\) .* \[0, 3\]"),
        (np.zeros((3, 0)), r"x must have at least 1 row\(s\) .* \[3, 0\]"),
        (np.zeros(3), r"x must be a real matrix .* \[3\]"),
        ([[1.0], [1.0, 2.0]], "x must be a real matrix"),
        (np.zeros((2, 2), dtype=complex), "x must be a real matrix .* complex"),
        (torch.zeros(2, 2, dtype=torch.complex64), "x must be a real matrix"),
        ([["a"]], "x must be a real matrix"),
        (None, "x must be a real matrix"),
        ([[1e200], [-1e200]], "x must have smaller values"),
    ],
)
def test_what_is_no_matrix_of_points_is_refused(x, said):
    with pytest.raises(ArgumentError, match=said):
        pairwise_distances(x)


def test_widths_and_blocks_are_checked_at_the_call():
    with pytest.raises(ArgumentError, match="y must have as many columns .* 2 and 3"):
        distance_blocks(np.ones((4, 3)), np.ones((4, 2)))
    with pytest.raises(ArgumentError, match="block_rows must be a whole number"):
        distance_blocks(np.ones((4, 3)), block_rows=0)
