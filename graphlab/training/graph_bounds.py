"""From a trained classifier of graphs to what generalization bounds look at."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch_geometric.data import Data

from graphlab.datasets.split import GraphSplit
from graphlab.errors import ArgumentError
from graphlab.training.graph_config import GraphResult

if TYPE_CHECKING:  # analysis imports matplotlib: not before a bound is asked for
    from scipy.sparse import csr_array

    from graphlab.analysis import GraphSample


def graph_sample(
    result: GraphResult,
    graphs: Sequence[Data],
    split: GraphSplit,
    histograms: "csr_array",
    *,
    encoder_bounds_model: bool | None = None,
    norms: bool = True,
    probes: int = 0,
    seed: int = 0,
    name: str = "",
) -> "GraphSample":
    r"""The training graphs of a run, as all bounds take them.

    The embedding :math:`\varphi(G)` is the vector of logits, as in the code of
    `"Towards Bridging Generalization and Expressivity of Graph Neural Networks"
    <https://arxiv.org/abs/2410.10051>`_.

    Args:
        result: What :func:`fit_graphs` returned.
        graphs: The graphs that it was given.
        split: Their split.
        histograms: Colour histograms of all graphs, ``[G, C]``; see
            :func:`graphlab.analysis.wl_colors`.
        encoder_bounds_model: Whether the architecture is known to tell no more graphs
            apart than the histograms do, see :func:`graphlab.analysis.wl_rounds`.
        norms: Whether norms of weights and graphs are measured, for bounds on weights.
        probes: Draws for traces of Hessians, of which one bound is made; 0 for none.
        seed: Seed of these draws.
        name: What to call it in reports.

    Raises:
        ArgumentError: If a class has fewer than four training graphs, logits are not
            finite, or the model has no weights to measure.
    """
    from graphlab.analysis import GraphSample, hessian_traces, network_norms

    train, test = split.train_mask.numpy(), split.test_mask.numpy()
    logits, y = result.logits.cpu().numpy(), result.y.cpu().numpy()
    measured = None
    if norms:
        mine = [graph for graph, used in zip(graphs, train, strict=True) if used]
        traces = hessian_traces(result.model, mine, probes, seed) if probes else None
        measured = network_norms(result.model, mine, hessian_traces=traces)
    return GraphSample(
        histograms=histograms[train],
        embeddings=None,
        logits=logits[train],
        y=y[train],
        num_classes=int(y.max()) + 1,
        test_logits=logits[test],
        test_y=y[test],
        norms=measured,
        encoder_bounds_model=encoder_bounds_model,
        name=name,
    )


def bound_terms(
    result: GraphResult, graphs: Sequence[Data], split: GraphSplit
) -> dict[str, Any]:
    r"""The k-variance bound of a run term by term and the VC bound, for a run file.

    Both with :math:`\gamma = 1` and :math:`\delta = 0.1`, on colours of as many rounds
    as the architecture needs.

    Args:
        result: What :func:`fit_graphs` returned.
        graphs: The graphs that it was given.
        split: Their split.

    Returns:
        Numbers by name; or ``{"refused": reason}`` where there is no bound.
    """
    from graphlab.analysis import k_variance_bound, vc_bound, wl_colors, wl_rounds

    try:
        rounds = wl_rounds(result.model)
        histograms = wl_colors(graphs, rounds, init="attribute").histograms()
        sample = graph_sample(
            *(result, graphs, split, histograms),
            encoder_bounds_model=True,
            norms=False,
        )
        bound, vc = k_variance_bound(sample), vc_bound(sample)
    except ArgumentError as error:
        return {"refused": str(error)}
    named = ("W1 term", "diameter term", "confidence term")
    named += ("Lip(f)", "Lip(f), 99 % quantile")
    return {
        "rounds": rounds,
        "margin_risk": bound.empirical_risk,
        bound.name: bound.value,
        **{term: bound.terms[term] for term in named},
        vc.name: vc.value,
    }
