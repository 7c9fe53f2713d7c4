"""The bound by the margin of a linear classifier of colour histograms."""

import math
import warnings
from dataclasses import dataclass

import numpy as np

from graphlab.analysis.bounds._checks import a_count, a_positive
from graphlab.analysis.bounds.bound import Assumption, Bound
from graphlab.analysis.bounds.sample import GraphSample

ITERATIONS = 100_000


def wl_margin_bound(
    sample: GraphSample, penalty: float = 1e4, max_iter: int = ITERATIONS
) -> Bound:
    r"""Rate by the margin at which a linear classifier separates histograms.

    After `"Weisfeiler-Leman at the Margin: When More Expressivity Matters"
    <https://arxiv.org/abs/2402.07568>`_:

    .. math::
        \sqrt{\frac{\hat{D}}{m}}, \qquad \hat{D} = \max_c \left( \frac{\max_G \|
        \lambda(G) \|_2}{\gamma_c} \right)^2

    with :math:`\gamma_c` the margin of a support vector machine that separates class
    :math:`c` from the others. :math:`R^2 / \gamma^2` is, up to a constant, the VC
    dimension of linear classifiers with margin :math:`\gamma` of points of norm up to
    :math:`R`. Constants and logarithms are left out, so the value compares histograms,
    and 1 has no special meaning. It knows nothing of the model.

    Args:
        sample: Training graphs.
        penalty: Penalty :math:`C` of graphs on the wrong side of the margin, in units
            in which the largest norm is 1: large, for a hard margin.
        max_iter: Most iterations of the solver for a class.

    Raises:
        ArgumentError: If an argument is not positive.

    Example:
        >>> import numpy as np
        >>> sample = GraphSample(
        ...     [[0.0], [2.0]] * 4, None, np.eye(2)[[0, 1] * 4], [0, 1] * 4, 2)
        >>> bound = wl_margin_bound(sample)
        >>> round(bound.terms["margin"], 3), round(bound.terms["D"], 3)
        (1.0, 4.0)
    """
    penalty, max_iter = a_positive("penalty", penalty), a_count("max_iter", max_iter)
    # Graphs of one histogram and one class are one constraint.
    _, first = np.unique(np.stack([sample.groups, sample.y]), axis=1, return_index=True)
    points, y = sample.histograms[first], sample.y[first]
    gram = np.asarray((points @ points.T).todense())
    radius = math.sqrt(float(gram.diagonal().max()))
    gram /= radius**2 or 1
    found = [
        _separate(gram, np.where(y == c, 1, -1), penalty, max_iter)
        for c in _sides(sample.num_classes)
    ]
    margin = radius * min(each.margin for each in found)
    dimension = (radius / margin) ** 2 if margin else math.inf
    wrong, stopped = max(e.wrong for e in found), any(e.stopped for e in found)
    value = math.sqrt(dimension / sample.num_graphs)
    return Bound(
        name="1-WL margin",
        value=value,
        bounded="R - R_0 of a linear classifier, up to constants and logarithms",
        terms={
            "rate": value,
            "D": dimension,
            "radius": radius,
            "margin": margin,
            "not separated": float(wrong),
        },
        meanings={
            "D": "(radius / margin)^2",
            "radius": "largest norm of a histogram",
            "margin": "smallest margin of a class against the others",
            "not separated": "histograms on the wrong side, of the worst class",
        },
        parts=("rate",),
        assumptions=(
            Assumption(
                "constants and logarithms are 1",
                False,
                "the theorem gives an order; compare histograms with it, not with 1",
            ),
            Assumption(
                "a linear classifier separates the classes",
                False if wrong else None if stopped else True,
                f"{wrong} of {len(y)} histograms on the wrong side"
                + (f"; stopped after {max_iter} iterations" if stopped else ""),
            ),
        ),
        source="Franks et al. 2024; Alon et al. 2021",
        advice=_advice(wrong, dimension, sample.num_graphs),
    )


@dataclass(frozen=True)
class _Separation:
    margin: float
    wrong: int
    stopped: bool


def _sides(num_classes: int) -> range:
    """Of two classes, one against the other is enough."""
    return range(1) if num_classes == 2 else range(num_classes)


def _separate(
    gram: np.ndarray, side: np.ndarray, penalty: float, max_iter: int
) -> _Separation:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import SVC

    machine = SVC(C=penalty, kernel="precomputed", max_iter=max_iter, cache_size=500)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # reported instead
        machine.fit(gram, side)
    scores = machine.decision_function(gram)
    support = machine.support_
    alpha = machine.dual_coef_[0]
    norm = math.sqrt(max(float(alpha @ gram[np.ix_(support, support)] @ alpha), 0.0))
    stopped = bool(machine.fit_status_ or machine.n_iter_.max() >= max_iter)
    return _Separation(
        margin=1 / norm if norm else math.inf,
        wrong=int((scores * side <= 0).sum()),
        stopped=stopped,
    )


def _advice(wrong: int, dimension: float, m: int) -> tuple[str, ...]:
    if wrong:
        return (
            f"{wrong} histograms are on the wrong side: more rounds or patterns may "
            "separate them",
        )
    return (f"D = {dimension:.3g} against {m} graphs",)
