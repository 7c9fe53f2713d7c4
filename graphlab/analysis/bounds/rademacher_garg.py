"""The Rademacher bound by degree and weights."""

import math

from graphlab.analysis.bounds._checks import a_positive
from graphlab.analysis.bounds._weights_bound import (
    first_and_last,
    geometric,
    norms_of,
    tied,
    without_normalization,
)
from graphlab.analysis.bounds.bound import Assumption, Bound
from graphlab.analysis.bounds.sample import GraphSample


def rademacher_garg(
    sample: GraphSample, gamma: float = 1.0, activation_bound: float = math.inf
) -> Bound:
    r"""Rademacher bound by the largest degree and the norms of weights.

    From `"Generalization and Representational Limits of Graph Neural Networks"
    <https://arxiv.org/abs/2002.06157>`_ (Proposition 7), in the form of Appendix B of
    `Ju et al. <https://proceedings.mlr.press/v206/ju23a.html>`_

    .. math::
        48 \, s_L h Z \sqrt{\frac{3}{\gamma^2 m} \ln \left( 24 s_L \sqrt{m} \max \left(
        Z, M \sqrt{h} \max(\kappa_2 s_1, \bar{R} s_1) \right) \right)}

    with :math:`M = ((d s_1)^{L-1} - 1) / (d s_1 - 1)`, :math:`\bar{R} = d \min(\kappa_1
    \sqrt{h}, \kappa_2 s_1 M)`, :math:`Z = \kappa_2 s_1 + \bar{R} s_1`,
    :math:`\kappa_2 = \max \| \mathbf{X} \|^2`, :math:`d` the largest degree and
    :math:`h` the largest width. Values of many thousands are its usual ones.

    Args:
        sample: Training graphs, with ``norms``.
        gamma: Margin :math:`\gamma`.
        activation_bound: Largest output :math:`\kappa_1` of the activation: 1 for tanh,
            infinite for ReLU.

    Raises:
        ArgumentError: If the sample has no norms, or a number is not accepted.

    Example:
        >>> import numpy as np
        >>> from graphlab.analysis import NetworkNorms
        >>> norms = NetworkNorms(
        ...     ("a", "b"), (1.0, 1.0), (1.0, 1.0), (2, 2), (0, -1), 1, 1.0, 2, 1, 1)
        >>> sample = GraphSample(
        ...     np.eye(8), None, np.eye(2)[[0, 1] * 4], [0, 1] * 4, 2, norms=norms)
        >>> round(rademacher_garg(sample).value)
        407
    """
    norms = norms_of(sample, "rademacher_garg")
    gamma = a_positive("gamma", gamma)
    first, last = first_and_last(norms)
    degree, width, m = norms.max_degree, max(norms.widths), sample.num_graphs
    root = math.sqrt(width)
    features = norms.feature_norm**2
    reach = geometric(degree * first.spectral, norms.num_layers)
    received = degree * min(activation_bound * root, features * first.spectral * reach)
    largest = (features + received) * first.spectral
    inner = max(largest, reach * root * max(features, received) * first.spectral)
    inside = 24 * last.spectral * math.sqrt(m) * inner
    logarithm = math.log(inside) if inside > 1 else 0.0
    spread = math.sqrt(3 * logarithm / m) / gamma
    value = 48 * last.spectral * width * largest * spread
    return Bound(
        name="Rademacher (Garg)",
        value=value,
        bounded="R - R_gamma",
        terms={
            "bound": value,
            "Z": largest,
            "M": reach,
            "R": received,
            "s_1": first.spectral,
            "s_L": last.spectral,
            "h": float(width),
            "d": float(degree),
        },
        meanings={
            "Z": "largest state of a node",
            "M": "how far a change of a weight reaches",
            "R": "largest sum of messages",
            "s_1": "largest spectral norm of a message-passing layer",
            "s_L": "spectral norm of the readout",
            "h": "largest width",
            "d": "largest degree",
        },
        parts=("bound",),
        empirical_risk=sample.margin_risk(gamma),
        gamma=gamma,
        assumptions=(
            Assumption(
                "the term that depends on the confidence is left out",
                False,
                "the form that is followed here has none",
            ),
            *tied(norms),
            *without_normalization(norms),
        ),
        source="Garg et al. 2020, Proposition 7; form of Ju et al. 2023, Appendix B",
        advice=(f"it grows with d s_1 = {degree} x {first.spectral:.3g} a layer",),
    )
