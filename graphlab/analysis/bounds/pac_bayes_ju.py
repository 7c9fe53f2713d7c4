"""PAC-Bayes bounds by the norms of weights and of the graphs' diffusion matrix."""

import math

from graphlab.analysis.bounds._checks import a_positive
from graphlab.analysis.bounds._weights_bound import (
    heaviest,
    norms_of,
    stable_rank_root,
    standing_in,
    without_normalization,
)
from graphlab.analysis.bounds.bound import Assumption, Bound
from graphlab.analysis.bounds.sample import GraphSample

CONSTANT = Assumption(
    "the constant C is 1 and the term of order ln(1/delta) / m^(3/4) is left out",
    False,
    "the theorem gives an order, no numbers; compare models with it, not with 1",
)


def pac_bayes_ju(
    sample: GraphSample, loss_bound: float = 5.4, constant: float = 1.0
) -> Bound:
    r"""PAC-Bayes bound by the norms of weights and of the diffusion matrix.

    From `"Generalization in Graph Neural Networks: Improved PAC-Bayesian Bounds on
    Graph Diffusion" <https://proceedings.mlr.press/v206/ju23a.html>`_ (Theorem 3.1):

    .. math::
        \sum_{l=1}^{L} \sqrt{\frac{C B \, d_l \max \| \mathbf{X} \|^2 \max \|
        \mathbf{P}_G \|^{2(L-1)} \, r_l^2 \prod_{j=1}^{L} s_j^2}{m}}

    with :math:`s_l = \| \mathbf{W}_l \|_2`, :math:`r_l = \| \mathbf{W}_l \|_F / s_l`,
    :math:`d_l` the width and :math:`\mathbf{P}_G` what the layers propagate with. The
    theorem also has a factor on the training loss and a term of lower order, both
    without constants; they are left out here.

    The theorem counts :math:`L - 1` layers that pass messages and one readout. A model
    with more matrices than that has a factor for each, and :math:`\mathbf{P}_G` to the
    number of layers that pass messages.

    Args:
        sample: Training graphs, with ``norms``.
        loss_bound: Largest loss :math:`B` of a graph; 5.4 in the paper's experiments.
        constant: The constant :math:`C`.

    Raises:
        ArgumentError: If the sample has no norms, or a number is not positive.

    Example:
        >>> import numpy as np
        >>> from graphlab.analysis import NetworkNorms
        >>> norms = NetworkNorms(("w",), (2.0,), (2.0,), (3,), (0,), 1, 1.0, 1, 1, 1)
        >>> sample = GraphSample(
        ...     np.eye(8), None, np.eye(2)[[0, 1] * 4], [0, 1] * 4, 2, norms=norms)
        >>> round(pac_bayes_ju(sample, loss_bound=1).value ** 2, 6)
        1.5
    """
    norms = norms_of(sample, "pac_bayes_ju")
    base = a_positive("loss_bound", loss_bound) * a_positive("constant", constant)
    product = math.prod(norms.spectral)
    graph = norms.feature_norm * norms.diffusion_norm**norms.num_layers
    by_layer = {
        name: math.sqrt(base * width / sample.num_graphs) * graph * ratio * product
        for name, width, ratio in zip(
            norms.names, norms.widths, stable_rank_root(norms), strict=True
        )
    }
    return Bound(
        name="PAC-Bayes (Ju)",
        value=sum(by_layer.values()),
        bounded="expected less training loss",
        terms={
            **by_layer,
            "max ||X||": norms.feature_norm,
            "max ||P_G||": norms.diffusion_norm,
            "product of s_l": product,
            "B": loss_bound,
        },
        meanings={
            **{name: "what this weight matrix adds" for name in by_layer},
            "max ||X||": "largest spectral norm of a graph's features",
            "max ||P_G||": f"largest norm of the diffusion matrix: {norms.diffusion}",
            "product of s_l": "product of the weights' spectral norms",
            "B": "largest loss of a graph",
        },
        parts=tuple(by_layer),
        limit=loss_bound,
        assumptions=(CONSTANT, *standing_in(norms), *without_normalization(norms)),
        source="Ju et al. 2023, Theorem 3.1",
        advice=heaviest(by_layer),
    )
