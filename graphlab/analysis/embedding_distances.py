"""Euclidean distances between rows, dense or sparse."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse
from scipy.spatial.distance import cdist

from graphlab.analysis._points import Points, as_count, as_pair, as_points
from graphlab.errors import ArgumentError

BLOCK_ENTRIES = 2**21  # 16 MiB of distances at a time
_CLOSE = 1e-4  # share of the norms below which a difference of squares is not trusted
_CHUNK = 2**16  # pairs of sparse rows that are subtracted at a time


def pairwise_distances(x: Any, y: Any = None) -> np.ndarray:
    r"""Euclidean distances between the rows of two matrices.

    .. math::
        D_{ij} = \| \mathbf{x}_i - \mathbf{y}_j \|_2

    Equal rows have distance 0 exactly, also where rounding would make it a small
    number: whether two graphs have the same colour histogram is read off here. Dense
    rows are subtracted; of sparse ones the difference of squares is taken and the
    pairs that it cannot resolve are subtracted, so that histograms with :math:`10^5`
    colours cost what their non-zero entries cost.

    Args:
        x: Points, as NumPy array, SciPy sparse matrix or torch tensor.
        y: Points of the same kind; those of ``x`` if not given.

    Shapes:
        - **x:** :math:`(m, F)`
        - **y:** :math:`(n, F)`
        - **output:** float64 :math:`(m, n)`; for many points see
          :func:`distance_blocks`

    Raises:
        ArgumentError: If the points are no matrices of finite numbers, or of different
            width.

    Example:
        >>> pairwise_distances([[0, 0], [3, 4]])
        array([[0., 5.],
               [5., 0.]])
    """
    x, y = _both(x, y)
    blocks = _blocks(x, y, _rows_per_block(y))
    return np.concatenate([block for _, block in blocks])


def distance_blocks(
    x: Any, y: Any = None, block_rows: int | None = None
) -> Iterator[tuple[int, np.ndarray]]:
    """The rows of :func:`pairwise_distances` a block at a time.

    The blocks have the same bits as the whole matrix, however they are cut.

    Args:
        x: Points.
        y: Points; those of ``x`` if not given.
        block_rows: Rows per block; by default as many as fit 16 MiB.

    Returns:
        An iterator over the first row of a block and the block
        :math:`(b, n)`.

    Raises:
        ArgumentError: As :func:`pairwise_distances`, at the call.

    Example:
        >>> points = np.arange(5.0)[:, None]
        >>> [(start, block.shape) for start, block in distance_blocks(points, None, 2)]
        [(0, (2, 5)), (2, (2, 5)), (4, (1, 5))]
    """
    x, y = _both(x, y)
    rows = _rows_per_block(y) if block_rows is None else block_rows
    return _blocks(x, y, as_count(rows, "block_rows"))


def upper_blocks(x: Points) -> Iterator[tuple[int, np.ndarray]]:
    """Blocks of rows of the distances from the diagonal on, of checked points."""
    rows = _rows_per_block(x)
    for start in range(0, x.shape[0], rows):
        yield start, distances(x[start : start + rows], x[start:])


def distances(x: Points, y: Points) -> np.ndarray:
    """The distances of checked points, both dense or both CSR."""
    found = np.sqrt(_squares_of_sparse(x, y)) if sparse.issparse(x) else cdist(x, y)
    if not np.isfinite(found).all():
        raise ArgumentError("x must have smaller values: their squares overflow")
    return found


def mean_distance(x: Points, p: int = 1) -> float:
    """Mean over pairs of different rows of the distance to the power ``p``."""
    total = sum(float((block**p).sum()) for _, block in _blocks(x, x, None))
    return total / (x.shape[0] * (x.shape[0] - 1))


def _both(x: Any, y: Any) -> tuple[Points, Points]:
    if y is None:
        x = as_points(x)
        return x, x
    return as_pair(x, y)


def _rows_per_block(y: Points) -> int:
    return max(1, BLOCK_ENTRIES // y.shape[0])


def _blocks(x: Points, y: Points, rows: int | None) -> Iterator:
    rows = rows or _rows_per_block(y)
    for start in range(0, x.shape[0], rows):
        yield start, distances(x[start : start + rows], y)


def _squares_of_sparse(x: sparse.csr_array, y: sparse.csr_array) -> np.ndarray:
    norms = _squared_norms(x)[:, None] + _squared_norms(y)  # [m, n]
    squares = norms - 2 * (x @ y.T).toarray()
    if not (_whole(x) and _whole(y) and norms.max() < 2**52):  # else it is exact
        _subtract_close(squares, norms, x, y)
    return squares


def _subtract_close(squares, norms, x, y) -> None:
    rows, columns = np.nonzero(squares < _CLOSE * norms)
    for start in range(0, rows.size, _CHUNK):
        i, j = rows[start : start + _CHUNK], columns[start : start + _CHUNK]
        squares[i, j] = _squared_norms(x[i] - y[j])


def _squared_norms(x: sparse.csr_array) -> np.ndarray:
    return np.asarray(x.multiply(x).sum(axis=1)).ravel()


def _whole(x: sparse.csr_array) -> bool:
    return bool((x.data == np.rint(x.data)).all())
