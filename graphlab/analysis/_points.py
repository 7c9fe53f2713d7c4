"""What points of a metric space and their classes must look like to be compared."""

from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphlab.errors import ArgumentError

Points = np.ndarray | sparse.csr_array


def as_points(x: Any, name: str = "x", least: int = 1) -> Points:
    """Rows in float64, dense or CSR; every value finite, at least ``least`` rows."""
    if isinstance(x, Tensor):
        x = _from_torch(x.detach().cpu())
    points = _csr(x, name) if sparse.issparse(x) else _dense(x, name)
    if points.shape[0] < least or points.shape[1] == 0:
        raise ArgumentError(
            f"{name} must have at least {least} row(s) and one column, "
            f"got shape {list(points.shape)}"
        )
    values = points.data if sparse.issparse(points) else points
    if not np.isfinite(values).all():
        raise ArgumentError(f"{name} must have finite values only, got NaN or infinity")
    return points


def as_pair(x: Any, y: Any, names: tuple[str, str] = ("x", "y")) -> tuple:
    """Two sets of points of one space, both dense or both CSR."""
    x, y = as_points(x, names[0]), as_points(y, names[1])
    if x.shape[1] != y.shape[1]:
        raise ArgumentError(
            f"{names[1]} must have as many columns as {names[0]}, "
            f"got {y.shape[1]} and {x.shape[1]}"
        )
    if sparse.issparse(x) != sparse.issparse(y):
        x, y = sparse.csr_array(x), sparse.csr_array(y)
    return x, y


def as_classes(y: Any, num_rows: int, name: str = "y") -> np.ndarray:
    """Integer classes of the rows, one each."""
    y = y.detach().cpu().numpy() if isinstance(y, Tensor) else np.asarray(y)
    if y.shape != (num_rows,) or y.dtype.kind not in "iu":
        raise ArgumentError(
            f"{name} must have one integer class for each of the {num_rows} rows, "
            f"got shape {list(y.shape)} of {y.dtype}"
        )
    return y


def as_count(value: Any, name: str, least: int = 1) -> int:
    """A whole number that is large enough."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < least:
        raise ArgumentError(f"{name} must be a whole number >= {least}, got {value!r}")
    return int(value)


def as_power(p: Any) -> int:
    """The order of a Wasserstein distance that can be computed here."""
    if isinstance(p, bool) or p not in (1, 2):
        raise ArgumentError(f"p must be 1 or 2, got {p!r}")
    return int(p)


def _from_torch(x: Tensor) -> Any:
    x = x if x.is_complex() else x.double()
    if x.layout == torch.strided or x.dim() != 2:
        return x.to_dense().numpy()
    x = x.to_sparse_csr()
    parts = (x.values(), x.col_indices(), x.crow_indices())
    return sparse.csr_array(tuple(part.numpy() for part in parts), shape=x.shape)


def _dense(x: Any, name: str) -> np.ndarray:
    try:
        points = np.asarray(x)
    except ValueError:  # rows of different lengths
        points = np.empty(0, dtype=object)
    _check_matrix(points, name)
    return np.ascontiguousarray(points, dtype=np.float64)


def _csr(x: Any, name: str) -> sparse.csr_array:
    _check_matrix(x, name)
    points = sparse.csr_array(x, dtype=np.float64, copy=True)
    points.sum_duplicates()  # sorts, too
    points.eliminate_zeros()
    return points


def _check_matrix(x: Any, name: str) -> None:
    if x.ndim != 2 or x.dtype.kind not in "biuf":
        raise ArgumentError(
            f"{name} must be a real matrix with a row for each point, "
            f"got shape {list(x.shape)} of {x.dtype}"
        )
