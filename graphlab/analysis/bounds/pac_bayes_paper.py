"""The PAC-Bayes bound as the paper of the k-variance bound compares with."""

import math

from graphlab.analysis.bounds._checks import a_positive
from graphlab.analysis.bounds._weights_bound import (
    heaviest,
    norms_of,
    standing_in,
    without_normalization,
)
from graphlab.analysis.bounds.bound import Assumption, Bound
from graphlab.analysis.bounds.pac_bayes_ju import CONSTANT
from graphlab.analysis.bounds.sample import GraphSample


def pac_bayes_paper(
    sample: GraphSample, loss_bound: float = 1.0, constant: float = 1.0
) -> Bound:
    r"""PAC-Bayes bound with powers of the adjacency matrix's norm.

    The one that `"Towards Bridging Generalization and Expressivity of Graph Neural
    Networks" <https://arxiv.org/abs/2410.10051>`_ compares with (Appendix E):

    .. math::
        \sum_{l=1}^{L} \sqrt{\frac{C B \, d_l \max \| \mathbf{X} \|^2 \max \| \mathbf{A}
        \|^{2(l-1)} \, \| \mathbf{W}_l \|_F^2}{m}}

    which is :func:`pac_bayes_ju` with all :math:`s_l = 1` and the adjacency matrix for
    :math:`\mathbf{P}_G`, whatever the model propagates with: it grows with depth by
    about :math:`\| \mathbf{A} \|` a layer, for GCN as well. The paper gives neither
    :math:`C` nor :math:`B`, so its figures are met up to a factor at best.

    Args:
        sample: Training graphs, with ``norms``.
        loss_bound: Largest loss :math:`B` of a graph.
        constant: The constant :math:`C`.

    Raises:
        ArgumentError: If the sample has no norms, or a number is not positive.

    Example:
        >>> import numpy as np
        >>> from graphlab.analysis import NetworkNorms
        >>> norms = NetworkNorms(("w",), (2.0,), (2.0,), (3,), (0,), 1, 1.0, 1, 9, 1)
        >>> sample = GraphSample(
        ...     np.eye(8), None, np.eye(2)[[0, 1] * 4], [0, 1] * 4, 2, norms=norms)
        >>> round(pac_bayes_paper(sample).value ** 2, 6)
        1.5
    """
    norms = norms_of(sample, "pac_bayes_paper")
    base = a_positive("loss_bound", loss_bound) * a_positive("constant", constant)
    powers = _powers(norms.layers)
    by_layer = {
        name: math.sqrt(base * width / sample.num_graphs)
        * norms.feature_norm
        * norms.adjacency_norm**power
        * frobenius
        for name, width, frobenius, power in zip(
            norms.names, norms.widths, norms.frobenius, powers, strict=True
        )
    }
    return Bound(
        name="PAC-Bayes (Li)",
        value=sum(by_layer.values()),
        bounded="expected less training loss",
        terms={
            **by_layer,
            "max ||X||": norms.feature_norm,
            "max ||A||": norms.adjacency_norm,
            "B": loss_bound,
        },
        meanings={
            **{name: "what this weight matrix adds" for name in by_layer},
            "max ||X||": "largest spectral norm of a graph's features",
            "max ||A||": "largest spectral norm of an adjacency matrix",
            "B": "largest loss of a graph",
        },
        parts=tuple(by_layer),
        limit=loss_bound,
        assumptions=(
            CONSTANT,
            Assumption(
                "the weights' spectral norms are 1",
                all(s <= 1 for s in norms.spectral),
                f"the largest is {max(norms.spectral):.3g}",
            ),
            *standing_in(norms),
            *without_normalization(norms),
        ),
        source="Li et al. 2025, Appendix E",
        advice=heaviest(by_layer),
    )


def _powers(layers: tuple[int, ...]) -> list[int]:
    """How many layers that pass messages stand before each matrix."""
    return [
        len(set(layers[:place]) - {-1, layer}) for place, layer in enumerate(layers)
    ]
