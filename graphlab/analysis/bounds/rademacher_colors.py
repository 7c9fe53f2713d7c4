"""The Rademacher bound of all functions that colour refinement allows."""

import math

import numpy as np

from graphlab.analysis.bounds._advice import smallest_size
from graphlab.analysis.bounds._checks import a_probability
from graphlab.analysis.bounds._k_variance_words import bounds_model
from graphlab.analysis.bounds.bound import Bound
from graphlab.analysis.bounds.sample import GraphSample


def rademacher_colors(sample: GraphSample, delta: float = 0.1) -> Bound:
    r"""Rademacher bound by the sizes of groups of equal histograms.

    After `"Rademacher Meets Colors: More Expressivity, but at What Cost?"
    <https://arxiv.org/abs/2510.10101>`_. Whatever the model has learned, its 0-1 loss
    is constant on graphs of one histogram and one class. All functions that are, with
    values in [0, 1], have an empirical Rademacher complexity of at most

    .. math::
        \hat{\mathfrak{R}} \leq \frac{1}{2 m} \sum_{j=1}^{p} \sqrt{m_j} \leq
        \frac{1}{2} \sqrt{\frac{p}{m}}

    with :math:`m_j` the sizes of the :math:`p` groups, since a shift by
    :math:`\frac{1}{2}` does not change it and :math:`\mathbb{E} | \sum_{i=1}^{m_j}
    \sigma_i | \leq \sqrt{m_j}`. Therefore

    .. math::
        R - \hat{R} \leq 2 \hat{\mathfrak{R}} + 3 \sqrt{\frac{\ln(2 / \delta)}{2 m}}

    by the usual theorem (Mohri, Rostamizadeh and Talwalkar, *Foundations of Machine
    Learning*, Theorem 3.3).

    Args:
        sample: Training graphs.
        delta: Probability of failure.

    Raises:
        ArgumentError: If ``delta`` is not a probability.

    Example:
        >>> import numpy as np
        >>> sample = GraphSample(
        ...     np.eye(2)[[0, 1] * 50], None, np.eye(2)[[0, 1] * 50], [0, 1] * 50, 2)
        >>> bound = rademacher_colors(sample)
        >>> round(bound.terms["complexity term"], 4), bound.status
        (0.1414, 'heuristic')
    """
    delta = a_probability("delta", delta)
    m = sample.num_graphs
    cells = np.unique(np.stack([sample.groups, sample.y]), axis=1, return_counts=True)
    sizes = cells[1]
    complexity = float(np.sqrt(sizes).sum() / m)
    tail = _tail(m, delta)
    return Bound(
        name="Rademacher (colours)",
        value=complexity + tail,
        bounded="R - R_0",
        terms={
            "complexity term": complexity,
            "confidence term": tail,
            "p": float(len(sizes)),
            "largest group": float(sizes.max()),
        },
        meanings={
            "complexity term": "twice the Rademacher complexity",
            "confidence term": "3 sqrt(ln(2 / delta) / 2m)",
            "p": "groups of equal histogram and class",
            "largest group": "graphs in the largest of them",
        },
        parts=("complexity term", "confidence term"),
        empirical_risk=sample.train_error,
        delta=delta,
        assumptions=(bounds_model(sample),),
        source="after Carrasco et al. 2025; Mohri et al., Theorem 3.3",
        advice=_advice(sample, complexity, tail, delta),
    )


def _tail(m: int, delta: float) -> float:
    return 3 * math.sqrt(math.log(2 / delta) / (2 * m))


def _advice(
    sample: GraphSample, complexity: float, tail: float, delta: float
) -> tuple[str, ...]:
    m, room = sample.num_graphs, 1 - sample.train_error
    found = [f"the groups alone give {complexity:.3g}, the confidence {tail:.3g}"]
    if complexity < 0.9 or room <= 0:
        return tuple(found)
    found.append(
        "graphs share too few histograms: fewer rounds or coarser labels make larger "
        "groups"
    )
    scale = complexity * math.sqrt(m)
    need = smallest_size(lambda s: scale / math.sqrt(s) + _tail(s, delta) < room, m)
    if need is not None:
        found.append(f"if no new histogram came, {need} graphs would be enough")
    return tuple(found)
