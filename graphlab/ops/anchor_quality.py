"""How well anchors cover a graph, how evenly, and whether they tell nodes apart."""

import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from graphlab.errors import ArgumentError

BLOCK_NODES = 2**16


class AnchorQuality(NamedTuple):
    """What :func:`anchor_quality` measures.

    Attributes:
        reached: Share of nodes that some anchor reaches, in [0, 1].
        coverage: Share of nodes within the radius of some anchor, in [0, 1].
        covering_radius: Largest distance of a reached node to its nearest anchor.
        mean_distance: Mean distance of reached nodes to their nearest anchor.
        evenness: How equally the anchors share the nodes, in [0, 1].
        resolved: Share of node pairs with different distances, in [0, 1].
    """

    reached: float
    coverage: float
    covering_radius: float
    mean_distance: float
    evenness: float
    resolved: float


def anchor_quality(
    distances: Tensor,
    radius: float,
    num_pairs: int = 100_000,
    generator: Generator | None = None,
) -> AnchorQuality:
    r"""Measure the two goals of anchors: to lie everywhere, and to tell nodes apart.

    With :math:`m_v = \min_k d(v, a_k)` the **coverage** is the share of nodes with
    :math:`m_v \le r`. Each reached node is shared equally by its nearest anchors; with
    :math:`p_k` the share of all reached nodes that falls to anchor :math:`k`, the
    **evenness** is the entropy

    .. math::
        - \frac{1}{\log K} \sum_{k = 1}^{K} p_k \log p_k

    which is 1 if all anchors have the same number of nodes, and 1 for :math:`K = 1`.
    **Resolved** is the share of pairs :math:`u \neq v` with
    :math:`d(u, a_k) \neq d(v, a_k)` for some :math:`k`, estimated by drawing pairs: its
    standard error is at most :math:`1 / (2 \sqrt{\text{pairs}})`. Without two nodes it
    is 1. Where nothing is reached, distances and evenness are NaN.

    Args:
        distances: Distances to the anchors; see :func:`graphlab.ops.anchor_distances`.
        radius: Radius :math:`r` of the coverage.
        num_pairs: Number of pairs to draw.
        generator: Source of the draw; torch's default one if not given.

    Shapes:
        - **distances:** :math:`(|\mathcal{V}|, K)`

    Raises:
        ArgumentError: If the distances are no matrix, or ``num_pairs`` is not positive.

    Example:
        >>> path = torch.tensor([[0, 4], [1, 3], [2, 2], [3, 1], [4, 0]])
        >>> quality = anchor_quality(path, radius=1)
        >>> quality.coverage, quality.evenness, quality.resolved
        (0.8, 1.0, 1.0)
    """
    if distances.dim() != 2:
        raise ArgumentError(
            f"distances must have shape [N, K], got {list(distances.shape)}"
        )
    if num_pairs < 1:
        raise ArgumentError(f"num_pairs must be at least 1, got {num_pairs}")
    nearest, cells = _nearest(distances.detach())
    reached = nearest.isfinite()
    number, known = max(nearest.numel(), 1), nearest[reached]
    none = float("nan")
    return AnchorQuality(
        reached=int(reached.sum()) / number,
        coverage=int((nearest <= radius).sum()) / number,
        covering_radius=known.max().item() if known.numel() else none,
        mean_distance=known.mean().item() if known.numel() else none,
        evenness=_evenness(cells) if known.numel() else none,
        resolved=_resolved(distances, num_pairs, generator),
    )


def _nearest(distances: Tensor) -> tuple[Tensor, Tensor]:
    """Distance of each node to its nearest anchor, and nodes per anchor, float64."""
    nearest = [distances.new_zeros(0, dtype=torch.float64)]
    cells = distances.new_zeros(distances.size(1), dtype=torch.float64)
    for block in distances.split(BLOCK_NODES):
        block = block.double()
        block = block.masked_fill(block < 0, float("inf"))
        if block.size(1) == 0:
            nearest.append(block.new_full((block.size(0),), float("inf")))
            continue
        least = block.amin(1, keepdim=True)
        mine = ((block == least) & least.isfinite()).double()
        cells += (mine / mine.sum(1, keepdim=True).clamp(min=1)).sum(0)
        nearest.append(least.squeeze(1))
    return torch.cat(nearest), cells


def _evenness(cells: Tensor) -> float:
    if cells.numel() == 1:
        return 1.0
    share = cells / cells.sum()
    entropy = -torch.special.xlogy(share, share).sum()
    return entropy.item() / math.log(cells.numel())


def _resolved(distances: Tensor, num_pairs: int, generator: Generator | None) -> float:
    number = distances.size(0)
    if number < 2:
        return 1.0
    first = torch.randint(number, (num_pairs,), generator=generator)
    other = torch.randint(number - 1, (num_pairs,), generator=generator)
    other += other >= first  # any node but the first
    first, other = first.to(distances.device), other.to(distances.device)
    return (distances[first] != distances[other]).any(1).double().mean().item()
