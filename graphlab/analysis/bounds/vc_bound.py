"""The VC bound by what colour refinement can tell apart."""

import math

from graphlab.analysis.bounds._advice import smallest_size
from graphlab.analysis.bounds._checks import a_count, a_probability
from graphlab.analysis.bounds.bound import Assumption, Bound
from graphlab.analysis.bounds.sample import GraphSample
from graphlab.errors import ArgumentError


def vc_bound(
    sample: GraphSample, delta: float = 0.1, count: str | int = "histograms"
) -> Bound:
    r"""VC bound with the number of graphs that colour refinement distinguishes.

    .. math::
        R - \hat{R} \leq \sqrt{\frac{1}{m} \left( D \left( \ln \frac{2m}{D} + 1 \right)
        - \ln \frac{\delta}{4} \right)}

    from `"WL meet VC" <https://arxiv.org/abs/2301.11039>`_, in the form of Appendix E
    of `"Towards Bridging Generalization and Expressivity of Graph Neural Networks"
    <https://arxiv.org/abs/2410.10051>`_. :math:`D` is the number of histograms that
    differ among the training graphs. If all of them do, :math:`D = m` and the bound is
    :math:`\sqrt{1 + \ln 2 + \ldots} \approx 1.30` whatever the model has learned.

    Args:
        sample: Training graphs.
        delta: Probability of failure.
        count: What :math:`D` counts: different ``"histograms"``, for graphs of bounded
            order; ``"colors"``, for graphs of any order; or a number.

    Raises:
        ArgumentError: If an argument is not accepted, or colours were not counted.

    Example:
        >>> import numpy as np
        >>> sample = GraphSample(np.eye(8), None, np.eye(2)[[0, 1] * 4], [0, 1] * 4, 2)
        >>> round(vc_bound(sample).value, 3)
        1.468
    """
    delta = a_probability("delta", delta)
    m = sample.num_graphs
    dimension = _dimension(sample, count)
    return Bound(
        name="VC",
        value=_value(m, dimension, delta),
        bounded="R - R_0",
        terms={
            "VC": _value(m, dimension, delta),
            "D": float(dimension),
            "m": float(m),
        },
        meanings={
            "VC": "the bound",
            "D": "colours met" if count == "colors" else "graphs told apart",
            "m": "training graphs",
        },
        parts=("VC",),
        empirical_risk=sample.train_error,
        delta=delta,
        assumptions=(
            Assumption(
                "D is the VC dimension for graphs of any sample",
                None,
                f"{dimension} counted on {m} training graphs; more graphs may add more",
            ),
        ),
        source="Morris et al. 2023; form of Li et al. 2025, Appendix E",
        advice=_advice(sample, dimension, delta),
    )


def _dimension(sample: GraphSample, count: str | int) -> int:
    if count == "histograms":
        return int(sample.groups.max()) + 1
    if count == "colors":
        if sample.num_colors is None:
            raise ArgumentError("count='colors' needs a sample with num_colors")
        return a_count("num_colors", sample.num_colors)
    if isinstance(count, str):
        raise ArgumentError(
            f"count must be 'histograms', 'colors' or a number, got {count!r}"
        )
    return a_count("count", count)


def _value(m: int, dimension: int, delta: float) -> float:
    d = min(dimension, 2 * m)  # beyond it the formula would fall again
    return math.sqrt((d * (math.log(2 * m / d) + 1) - math.log(delta / 4)) / m)


def _advice(sample: GraphSample, dimension: int, delta: float) -> tuple[str, ...]:
    m = sample.num_graphs
    need = smallest_size(
        lambda size: _value(size, dimension, delta) + sample.train_error < 1, m
    )
    share = f"{dimension} of {m} training graphs have a histogram of their own"
    if dimension >= 0.9 * m:
        share += (
            ": fewer rounds or coarser labels would merge some, more graphs add "
            "histograms nearly as fast as graphs"
        )
    if need is None:
        return (share,)
    return (share, f"with D = {dimension} unchanged it needs {need} graphs to say more")
