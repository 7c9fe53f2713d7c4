r"""The parts of the posterior of a node's label given its neighbours' labels.

All of it is linear in the number of edges, plus :math:`O(N C^2)`: the counts come from
one scatter over the edges, the likelihood from one matrix product with the logarithm of
the conditional. Edges and nodes are taken in chunks, which bounds the memory beyond
inputs, the counts ``[N, C]`` and the result.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from ._labels import Labels

CHUNK_ENTRIES = 1 << 22  # at most 32 MiB of float64 per temporary


def chunks(total: int, width: int = 1) -> Iterator[slice]:
    """Slices that cover ``range(total)``, for temporaries of ``width`` per row."""
    step = max(CHUNK_ENTRIES // max(width, 1), 1)
    for start in range(0, total, step):
        yield slice(start, min(start + step, total))


def neighbour_counts(
    edge_index: Tensor, labels: Labels, edge_weight: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    r"""Histogram of the labels of each node's out-neighbours.

    .. math::
        h_i[m] = \sum_{(i, j) \in \mathcal{E},\, j \text{ labelled}} w_{ij}\, Y_j[m]

    Returns:
        The counts ``[N, C]`` (int32 for hard labels without weights, which makes them
        exact in any order of the edges; float64 otherwise), and the number of labelled
        neighbours, int32 ``[N]``: parallel edges count each, edges of weight 0 do not.
    """
    num_nodes, num_classes = labels.true.numel(), labels.num_classes
    exact = labels.index is not None and edge_weight is None
    dtype = torch.int32 if exact else torch.float64
    device = edge_index.device
    counts = torch.zeros(num_nodes, num_classes, dtype=dtype, device=device)
    degree = torch.zeros(num_nodes, dtype=torch.int32, device=device)
    width = 1 if labels.index is not None else num_classes
    for part in chunks(edge_index.size(1), width):
        source, target = edge_index[:, part].long()
        weight = None if edge_weight is None else edge_weight[part].double()
        keep = labels.known[target]
        if weight is not None:
            keep = keep & (weight > 0)
            weight = weight[keep]
        source, target = source[keep], target[keep]
        one = torch.ones(1, dtype=torch.int32, device=device)
        degree.scatter_add_(0, source, one.expand_as(source))
        _add_labels(counts, labels, source, target, weight)
    return counts, degree


def _add_labels(
    counts: Tensor,
    labels: Labels,
    source: Tensor,
    target: Tensor,
    weight: Tensor | None,
) -> None:
    """Add the (weighted) label of each ``target`` to the row of its ``source``."""
    if labels.index is not None:
        slot = source * labels.num_classes + labels.index[target]
        if weight is None:
            one = torch.ones(1, dtype=counts.dtype, device=counts.device)
            weight = one.expand_as(slot)
        counts.view(-1).scatter_add_(0, slot, weight)
        return
    rows = labels.rows[target]
    counts.index_add_(0, source, rows if weight is None else rows * weight[:, None])


def class_prior(labels: Labels) -> Tensor:
    r"""Share :math:`p[m]` of each class among all labelled nodes, float64 ``[C]``."""
    if labels.index is not None:
        index = labels.index[labels.known]
        total = torch.bincount(index, minlength=labels.num_classes).double()
    else:
        total = labels.rows.sum(dim=0)
    return total / total.sum()


def conditional(
    labels: Labels,
    counts: Tensor,
    kind: str = "edge",
    pseudo_count: float = 0.0,
) -> Tensor:
    r"""Label of a neighbour given a node's own label, float64 ``[C, C]``.

    .. math::
        \pi[n, m] \propto \epsilon + \sum_{i \in \mathcal{T}} Y_i[n]\, g_i[m]

    with :math:`g_i = h_i` for ``kind="edge"`` (every edge counts once), :math:`g_i =
    h_i / \sum_m h_i[m]` for ``kind="node"`` (every node counts once), and
    :math:`\epsilon` the pseudo-count. Only nodes with a true label
    (:math:`\mathcal{T}`) contribute rows. A class of which no node has a
    labelled neighbour gets a uniform row.
    """
    num_classes = labels.num_classes
    total = torch.zeros(
        num_classes, num_classes, dtype=torch.float64, device=counts.device
    )
    for part in chunks(counts.size(0), num_classes):
        share = counts[part].double()
        if kind == "node":
            share = share / share.sum(dim=1, keepdim=True).clamp(min=_TINY)
        own = labels.one_hot(part) * labels.true[part].unsqueeze(1)
        total += own.t() @ share
    total += pseudo_count
    norm = total.sum(dim=1, keepdim=True)
    return torch.where(norm > 0, total / norm.clamp(min=_TINY), 1.0 / num_classes)


_TINY = torch.finfo(torch.float64).tiny


def log_posterior(counts: Tensor, log_prior: Tensor, pi: Tensor) -> Tensor:
    r"""Unnormalised log posterior of some nodes, float64 ``[n, C]``.

    .. math::
        \log q_i[k] = \log p[k] + \sum_m h_i[m] \log \pi[k, m], \qquad
        0 \cdot (-\infty) = 0

    The infinite terms are counted apart, so that no ``[n, C, C]`` tensor is needed.
    """
    zero = pi == 0
    counts = counts.double()
    score = log_prior + counts @ pi.masked_fill(zero, 1.0).log().t()
    if not bool(zero.any()):
        return score
    vetoes = (counts > 0).double() @ zero.double().t()
    return score.masked_fill(vetoes > 0, float("-inf"))
