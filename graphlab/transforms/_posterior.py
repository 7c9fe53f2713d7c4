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

CHUNK_ENTRIES = 1 << 17  # temporaries of 1 MiB stay in the cache


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
    if labels.index is None:
        return _soft_counts(edge_index, labels, edge_weight)
    return _hard_counts(edge_index, labels, edge_weight)


def _hard_counts(
    edge_index: Tensor, labels: Labels, edge_weight: Tensor | None
) -> tuple[Tensor, Tensor]:
    num_nodes, num_classes = labels.true.numel(), labels.num_classes
    # Unlabelled neighbours go to a column of their own: cheaper than a filter.
    column = torch.where(labels.known, labels.index, num_classes)
    dtype = torch.int32 if edge_weight is None else torch.float64
    counts = column.new_zeros(num_nodes * (num_classes + 1), dtype=dtype)
    degree = column.new_zeros(num_nodes, dtype=torch.int32)
    one = torch.ones(1, dtype=dtype, device=column.device)
    for part in chunks(edge_index.size(1)):
        source, target = edge_index[:, part].long()
        slot = column.gather(0, target).add_(source, alpha=num_classes + 1)
        if edge_weight is None:
            counts.scatter_add_(0, slot, one.expand_as(slot))
        else:
            weight = edge_weight[part].double()
            counts.scatter_add_(0, slot, weight)
            _add_degree(degree, labels, source, target, weight)
    counts = counts.view(num_nodes, num_classes + 1)[:, :num_classes]
    if edge_weight is None:
        degree = counts.sum(dim=1, dtype=torch.int32)
    return counts, degree


def _soft_counts(
    edge_index: Tensor, labels: Labels, edge_weight: Tensor | None
) -> tuple[Tensor, Tensor]:
    counts = torch.zeros_like(labels.rows)
    degree = counts.new_zeros(counts.size(0), dtype=torch.int32)
    for part in chunks(edge_index.size(1), labels.num_classes):
        source, target = edge_index[:, part].long()
        rows, weight = labels.rows[target], None
        if edge_weight is not None:
            weight = edge_weight[part].double()
            rows = rows * weight.unsqueeze(1)
        counts.index_add_(0, source, rows)
        _add_degree(degree, labels, source, target, weight)
    return counts, degree


def _add_degree(
    degree: Tensor,
    labels: Labels,
    source: Tensor,
    target: Tensor,
    weight: Tensor | None,
) -> None:
    """Count the labelled neighbours at the end of an edge that has some weight."""
    present = labels.known.gather(0, target)
    if weight is not None:
        present = present & (weight > 0)
    degree.scatter_add_(0, source, present.int())


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
    # With nodes as the long last dimension the product is about twice as fast.
    log_pi = pi.masked_fill(zero, 1.0).log()
    score = (log_pi @ counts.t()).t() + log_prior
    if not bool(zero.any()):
        return score
    vetoes = (zero.double() @ (counts > 0).double().t()).t()
    return score.masked_fill(vetoes > 0, float("-inf"))
