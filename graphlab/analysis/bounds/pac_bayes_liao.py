"""The PAC-Bayes bound by the largest degree."""

import math

from graphlab.analysis.bounds._checks import a_positive
from graphlab.analysis.bounds._weights_bound import (
    first_and_last,
    geometric,
    norms_of,
    tied,
    without_normalization,
)
from graphlab.analysis.bounds.bound import Bound
from graphlab.analysis.bounds.sample import GraphSample


def pac_bayes_liao(sample: GraphSample, gamma: float = 1.0) -> Bound:
    r"""PAC-Bayes bound by the largest degree and the norms of weights.

    From `"A PAC-Bayesian Approach to Generalization Bounds for Graph Neural Networks"
    <https://arxiv.org/abs/2012.07690>`_, for networks that pass messages with one
    weight, in the form of Appendix B of `Ju et al.
    <https://proceedings.mlr.press/v206/ju23a.html>`_

    .. math::
        \sqrt{\frac{42^2}{\gamma^2 m} \max \| \mathbf{X} \|^2 \max \left(
        \zeta^{-(L-1)}, (\lambda \xi)^{(L+1)/L} \right)^2 L^2 h \ln(4 L h) \left( 2
        s_1^2 r_1^2 + s_L^2 r_L^2 \right)}

    with :math:`\zeta = \min(s_1, s_L)`, :math:`\lambda = s_1 s_L`, :math:`\xi = ((d
    s_1)^{L-1} - 1) / (d s_1 - 1)`, :math:`d` the largest degree and :math:`h` the
    largest width. :math:`L` counts the layers that pass messages and a readout.

    Args:
        sample: Training graphs, with ``norms``.
        gamma: Margin :math:`\gamma`.

    Raises:
        ArgumentError: If the sample has no norms, or ``gamma`` is not positive.

    Example:
        >>> import numpy as np
        >>> from graphlab.analysis import NetworkNorms
        >>> norms = NetworkNorms(
        ...     ("a", "b"), (1.0, 1.0), (1.0, 1.0), (2, 2), (0, -1), 1, 1.0, 2, 1, 1)
        >>> sample = GraphSample(
        ...     np.eye(8), None, np.eye(2)[[0, 1] * 4], [0, 1] * 4, 2, norms=norms)
        >>> round(pac_bayes_liao(sample).value, 1)
        121.1
    """
    norms = norms_of(sample, "pac_bayes_liao")
    gamma = a_positive("gamma", gamma)
    first, last = first_and_last(norms)
    depth, width = norms.num_layers + 1, max(norms.widths)
    xi = geometric(norms.max_degree * first.spectral, depth - 1)
    small = min(first.spectral, last.spectral)
    scale = max(
        small ** -(depth - 1) if small else math.inf,
        (first.spectral * last.spectral * xi) ** ((depth + 1) / depth),
    )
    weights = math.sqrt(2 * first.frobenius**2 + last.frobenius**2)
    root = math.sqrt(width * math.log(4 * depth * width) / sample.num_graphs)
    value = 42 / gamma * norms.feature_norm * scale * depth * root * weights
    return Bound(
        name="PAC-Bayes (Liao)",
        value=value,
        bounded="R - R_gamma",
        terms={
            "bound": value,
            "max ||X||": norms.feature_norm,
            "max(zeta, lambda xi)": scale,
            "norms of weights": weights,
            "L": float(depth),
            "h": float(width),
            "d": float(norms.max_degree),
        },
        meanings={
            "max ||X||": "largest spectral norm of a graph's features",
            "max(zeta, lambda xi)": "how far a change of a weight reaches",
            "norms of weights": "root of 2 s_1^2 r_1^2 + s_L^2 r_L^2",
            "L": "layers, the readout included",
            "h": "largest width",
            "d": "largest degree",
        },
        parts=("bound",),
        empirical_risk=sample.margin_risk(gamma),
        gamma=gamma,
        assumptions=(*tied(norms), *without_normalization(norms)),
        source="Liao et al. 2021; form of Ju et al. 2023, Appendix B",
        advice=(
            f"it grows with d s_1 = {norms.max_degree} x {first.spectral:.3g} a layer",
        ),
    )
