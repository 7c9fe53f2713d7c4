"""How close the points of each class lie to each other."""

from typing import Any

import numpy as np

from graphlab.analysis._points import as_classes, as_points
from graphlab.analysis.k_variance import k_variance
from graphlab.errors import ArgumentError


def concentration(
    x: Any,
    y: Any,
    weights: str = "empirical",
    k: int | str = "half",
    repeats: int = 8,
    disjoint: bool = True,
    solver: str = "auto",
    seed: int = 0,
    pairs: int = 1,
) -> float:
    r"""Mean over classes of the distance of two samples of the same class.

    .. math::
        \mathbb{E}_{c \sim \pi} \, \mathbb{E}_{S, \tilde{S} \sim \mu_c^k}
        \big[ W_1(\mu_{c, S}, \mu_{c, \tilde{S}}) \big]

    as in Theorem 5.1 of `"Towards Bridging Generalization and Expressivity of Graph
    Neural Networks" <https://arxiv.org/abs/2410.10051>`_, where :math:`\pi_c` is the
    share of class :math:`c`. The paper's Algorithm 1 and its code weigh all classes
    equally.

    Args:
        x: Points, dense or CSR.
        y: Class of each point; any integers.
        weights: ``"empirical"`` for the shares in ``y``, or ``"uniform"``.
        k: As in :func:`k_variance`, ``"half"`` of each class.
        repeats: As in :func:`k_variance`.
        disjoint: As in :func:`k_variance`.
        solver: As in :func:`k_variance`.
        seed: Seed of the draws, the same for each class.
        pairs: As in :func:`k_variance`.

    Shapes:
        - **x:** :math:`(m, F)`
        - **y:** :math:`(m)`

    Raises:
        ArgumentError: If a class has a single point, or as :func:`k_variance`.
        SolverError: If POT does not reach the optimum.

    Example:
        >>> concentration([[0.0], [1.0], [5.0], [7.0]], [0, 0, 1, 1])
        1.5
    """
    if weights not in ("empirical", "uniform"):
        raise ArgumentError(
            f"weights must be 'empirical' or 'uniform', got {weights!r}"
        )
    x = as_points(x)
    y = as_classes(y, x.shape[0])
    classes, sizes = np.unique(y, return_counts=True)
    if sizes.min() < 2:
        small = classes[sizes.argmin()]
        raise ArgumentError(f"y must have two points of each class, got 1 of {small}")
    options = {
        "k": k,
        "repeats": repeats,
        "disjoint": disjoint,
        "solver": solver,
        "seed": seed,
        "pairs": pairs,
    }
    found = [k_variance(x[y == c], **options).value for c in classes]
    shares = sizes if weights == "empirical" else np.ones_like(sizes)
    return float(np.average(found, weights=shares))
