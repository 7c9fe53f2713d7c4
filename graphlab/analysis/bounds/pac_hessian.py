"""The PAC-Bayes bound by the curvature of the loss."""

import math

from graphlab.analysis.bounds._checks import a_positive
from graphlab.analysis.bounds._weights_bound import heaviest, norms_of
from graphlab.analysis.bounds.bound import Assumption, Bound
from graphlab.analysis.bounds.sample import GraphSample
from graphlab.errors import ArgumentError


def pac_hessian(
    sample: GraphSample, loss_bound: float = 5.4, epsilon: float = 0.0
) -> Bound:
    r"""PAC-Bayes bound by traces of the Hessian.

    From `"Generalization in Graph Neural Networks: Improved PAC-Bayesian Bounds on
    Graph Diffusion" <https://proceedings.mlr.press/v206/ju23a.html>`_ (Lemma 4.1):

    .. math::
        (1 + \epsilon) \sum_{l=1}^{L} \sqrt{\frac{B \, \max_G
        \mathrm{tr}[\mathbf{H}^{(l)}] \, \| \mathbf{W}_l \|_F^2}{m}}

    with :math:`\mathbf{H}^{(l)}` the Hessian of the loss of a graph with respect to
    :math:`\mathbf{W}_l`, and :math:`\| \mathbf{W}_l \|_F = s_l r_l`. A trace that is
    negative counts as 0.

    Args:
        sample: Training graphs, with ``norms`` that hold what :func:`hessian_traces`
            found.
        loss_bound: Largest loss :math:`B` of a graph; 5.4 in the paper's experiments.
        epsilon: The :math:`\epsilon` of the theorem.

    Raises:
        ArgumentError: If the sample has no traces, or a number is not accepted.

    Example:
        >>> import numpy as np
        >>> from graphlab.analysis import NetworkNorms
        >>> norms = NetworkNorms(
        ...     ("w",), (2.0,), (2.0,), (3,), (0,), 1, 1.0, 1, 1, 1,
        ...     hessian_traces=(6,))
        >>> sample = GraphSample(
        ...     np.eye(8), None, np.eye(2)[[0, 1] * 4], [0, 1] * 4, 2, norms=norms)
        >>> round(pac_hessian(sample, loss_bound=1).value ** 2, 6)
        3.0
    """
    norms = norms_of(sample, "pac_hessian")
    if norms.hessian_traces is None:
        raise ArgumentError(
            "pac_hessian needs norms with hessian_traces, see hessian_traces(model, "
            "graphs)"
        )
    loss_bound = a_positive("loss_bound", loss_bound)
    if not 0 <= epsilon < math.inf:
        raise ArgumentError(f"epsilon must be finite and not negative, got {epsilon!r}")
    by_layer = {
        name: (1 + epsilon)
        * math.sqrt(loss_bound * max(trace, 0.0) / sample.num_graphs)
        * frobenius
        for name, trace, frobenius in zip(
            norms.names, norms.hessian_traces, norms.frobenius, strict=True
        )
    }
    traces = {
        f"trace, {name}": trace
        for name, trace in zip(norms.names, norms.hessian_traces, strict=True)
    }
    return Bound(
        name="PAC-Bayes (Hessian)",
        value=sum(by_layer.values()),
        bounded="expected less training loss",
        terms={**by_layer, **traces, "B": loss_bound},
        meanings={
            **{name: "what this weight matrix adds" for name in by_layer},
            **{name: "largest trace of a graph's Hessian" for name in traces},
            "B": "largest loss of a graph",
        },
        parts=tuple(by_layer),
        limit=loss_bound,
        assumptions=(
            Assumption(
                "traces hold for all graphs and are exact",
                False,
                "maxima over the training graphs of random estimates",
            ),
            Assumption(
                "terms of lower order are left out", False, "the theorem has O(...)"
            ),
        ),
        source="Ju et al. 2023, Lemma 4.1",
        advice=heaviest(by_layer),
    )
