"""How far classes lie apart."""

from itertools import combinations
from typing import Any

import numpy as np

from graphlab.analysis._points import as_classes, as_points, as_power
from graphlab.analysis.wasserstein import costs, transport_cost
from graphlab.errors import ArgumentError

_REDUCE = {"min": np.min, "max": np.max, "mean": np.mean}


def separation(
    x: Any, y: Any, reduce: str = "min", p: int = 1, solver: str = "auto"
) -> float:
    r"""Wasserstein distance between the points of different classes.

    .. math::
        \min_{c < c'} W_p(\mu_c, \mu_{c'})

    with :math:`\mu_c` the points of class :math:`c`. The minimum is the one in the
    trade-off of `"Towards Bridging Generalization and Expressivity of Graph Neural
    Networks" <https://arxiv.org/abs/2410.10051>`_ (Proposition 5.2), whose section 6
    takes the maximum. A class is not compared with itself, which would make every
    minimum 0. The other side of the trade-off is :func:`concentration`.

    Args:
        x: Points, dense or CSR.
        y: Class of each point; any integers.
        reduce: ``"min"``, ``"max"`` or ``"mean"`` over pairs of classes.
        p: Order, 1 or 2.
        solver: As in :func:`wasserstein`; classes of different size need POT.

    Shapes:
        - **x:** :math:`(m, F)`
        - **y:** :math:`(m)`

    Raises:
        ArgumentError: If there are fewer than two classes, or as :func:`wasserstein`.
        SolverError: If POT does not reach the optimum.

    Example:
        >>> separation([[0.0], [1.0], [5.0], [6.0], [9.0], [9.0]], [0, 0, 1, 1, 2, 2])
        3.5
    """
    if reduce not in _REDUCE:
        raise ArgumentError(f"reduce must be one of {tuple(_REDUCE)}, got {reduce!r}")
    x, p = as_points(x), as_power(p)
    y = as_classes(y, x.shape[0])
    parts = [x[y == c] for c in np.unique(y)]
    if len(parts) < 2:
        raise ArgumentError(f"y must have two classes or more, got {len(parts)}")
    found = [
        transport_cost(costs(first, second, p), solver) ** (1 / p)
        for first, second in combinations(parts, 2)
    ]
    return float(_REDUCE[reduce](found))
