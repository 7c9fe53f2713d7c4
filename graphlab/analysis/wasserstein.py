"""Wasserstein distances between samples, exact."""

import warnings
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from graphlab.analysis._points import Points, as_pair, as_power
from graphlab.analysis.embedding_distances import distances
from graphlab.errors import ArgumentError, SolverError

SOLVERS = ("auto", "assignment", "emd")
_ITERATIONS = 10_000_000


def wasserstein(x: Any, y: Any, p: int = 1, solver: str = "auto") -> float:
    r"""Wasserstein distance between two samples, exact.

    .. math::
        W_p(\mu, \nu) = \Big( \min_{\mathbf{T} \geq 0} \sum_{i, j} T_{ij}
        \| \mathbf{x}_i - \mathbf{y}_j \|_2^p \Big)^{1/p}, \quad
        \mathbf{T} \mathbf{1} = \tfrac{1}{m} \mathbf{1}, \quad
        \mathbf{T}^{\top} \mathbf{1} = \tfrac{1}{n} \mathbf{1}

    Samples of equal size are matched one to one by
    :func:`scipy.optimize.linear_sum_assignment`; samples of different size need the
    network simplex ``ot.emd2`` of `POT <https://pythonot.github.io>`_ (extra ``ot``),
    here with :math:`10^7` iterations instead of its default of :math:`10^5`, at which
    it stops early from some thousand points on. Memory and time are
    :math:`O(m n)` and about :math:`O(m^{2.5})`.

    Args:
        x: Points of the first sample, dense or CSR.
        y: Points of the second sample.
        p: Order, 1 or 2.
        solver: ``"assignment"``, ``"emd"``, or ``"auto"`` for the first where the sizes
            are equal and else the second.

    Shapes:
        - **x:** :math:`(m, F)`
        - **y:** :math:`(n, F)`

    Raises:
        ArgumentError: If the points are no matrices of finite numbers of one width, the
            sizes do not fit the solver, or POT is needed and not installed.
        SolverError: If POT does not reach the optimum.

    Example:
        >>> wasserstein([[0.0], [1.0]], [[1.5], [0.5]])
        0.5
    """
    p = as_power(p)
    x, y = as_pair(x, y)
    return transport_cost(costs(x, y, p), solver) ** (1 / p)


def costs(x: Points, y: Points, p: int) -> np.ndarray:
    """Distances of checked points to the power ``p``."""
    return distances(x, y) ** p


def transport_cost(cost: np.ndarray, solver: str = "auto") -> float:
    """Smallest mean cost of moving one uniform distribution to another.

    Raises:
        ArgumentError: If the solver is unknown, does not fit, or is not installed.
        SolverError: If POT does not reach the optimum.
    """
    if solver not in SOLVERS:
        raise ArgumentError(f"solver must be one of {SOLVERS}, got {solver!r}")
    square = cost.shape[0] == cost.shape[1]
    if solver == "emd" or (solver == "auto" and not square):
        return _emd(cost)
    if not square:
        raise ArgumentError(
            "solver 'assignment' needs samples of equal size, got "
            f"{cost.shape[0]} and {cost.shape[1]} points; 'emd' takes any sizes"
        )
    return float(cost[linear_sum_assignment(cost)].mean())


def _emd(cost: np.ndarray, iterations: int = _ITERATIONS) -> float:
    emd2 = _import_emd2(cost.shape)
    # It compares with an absolute tolerance: costs of 1e-12 would all look equal.
    scale = float(cost.max()) or 1.0
    first, second = (np.full(size, 1 / size) for size in cost.shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the log repeats it
        value, log = emd2(first, second, cost / scale, numItermax=iterations, log=True)
    if log["warning"] is not None:
        raise SolverError(
            f"ot.emd2 found no optimum for {cost.shape[0]} x {cost.shape[1]} points in "
            f"{iterations} iterations: {log['warning']}"
        )
    return scale * float(value)


def _import_emd2(shape: tuple[int, ...]):
    try:
        from ot import emd2
    except ImportError:
        raise ArgumentError(
            f"samples of {shape[0]} and {shape[1]} points need POT, which is not "
            "installed: pip install 'graphlab-pyg[ot]', or give samples of equal size"
        ) from None
    return emd2
