"""Anchors by simple rules, all with the same arguments."""

import torch
from torch import Generator, Tensor

from graphlab.errors import ArgumentError
from graphlab.ops.anchor_distances import anchor_distances
from graphlab.ops.csr import Csr
from graphlab.ops.spmm import Graph, spmm

DAMPING = 0.85
RANK_TOLERANCE = 1e-9  # change of all ranks together at which the iteration stops
RANK_STEPS = 200
RANK_UNIT = 1e-6  # ranks this close, in units of the mean rank, count as equal


def random_anchors(
    edge_index: Graph, num_nodes: int, k: int, generator: Generator | None = None
) -> Tensor:
    """Draw anchors uniformly, without replacement.

    Args:
        edge_index: The edges; they are not looked at.
        num_nodes: Number of nodes.
        k: Number of anchors, at most ``num_nodes``.
        generator: Source of the draw, on the CPU; torch's default one if not given.

    Shapes:
        - **output:** int64 :math:`(k)`, distinct nodes

    Raises:
        ArgumentError: If ``k`` is negative or more than the number of nodes.
    """
    _check(num_nodes, k)
    return _shuffled(edge_index, num_nodes, generator)[:k]


def degree_anchors(
    edge_index: Graph, num_nodes: int, k: int, generator: Generator | None = None
) -> Tensor:
    """Take the nodes with most edges, incoming and outgoing ones together.

    Args:
        edge_index: The edges; see :meth:`Csr.from_edge_index` for the accepted forms.
        num_nodes: Number of nodes.
        k: Number of anchors, at most ``num_nodes``.
        generator: Decides between equal degrees; torch's default one if not given.

    Shapes:
        - **output:** int64 :math:`(k)`, distinct nodes, largest degree first

    Raises:
        ArgumentError: If ``k`` is negative or more than the number of nodes.
    """
    _check(num_nodes, k)
    graph = Csr.from_edge_index(edge_index, num_nodes)
    return _largest(graph.degree() + _out_degree(graph), k, generator)


def pagerank_anchors(
    edge_index: Graph, num_nodes: int, k: int, generator: Generator | None = None
) -> Tensor:
    r"""Take the nodes of highest PageRank.

    .. math::
        r_v = \frac{1 - \alpha}{N} + \alpha \left( \sum_{u \to v}
        \frac{r_u}{d^{\mathrm{out}}_u} + \frac{1}{N}
        \sum_{u : d^{\mathrm{out}}_u = 0} r_u \right), \qquad \alpha = 0.85

    by power iteration in float64. Ranks that differ by less than a millionth of the
    mean rank count as equal, so that rounding has no say.

    Args:
        edge_index: The edges; see :meth:`Csr.from_edge_index` for the accepted forms.
        num_nodes: Number of nodes.
        k: Number of anchors, at most ``num_nodes``.
        generator: Decides between equal ranks; torch's default one if not given.

    Shapes:
        - **output:** int64 :math:`(k)`, distinct nodes, highest rank first

    Raises:
        ArgumentError: If ``k`` is negative or more than the number of nodes.
    """
    _check(num_nodes, k)
    rank = pagerank(Csr.from_edge_index(edge_index, num_nodes))
    return _largest((rank * num_nodes / RANK_UNIT).round(), k, generator)


def farthest_point_anchors(
    edge_index: Graph, num_nodes: int, k: int, generator: Generator | None = None
) -> Tensor:
    r"""Pick each anchor as far as possible from those before it.

    .. math::
        a_{j} = \arg\max_v \min_{i < j} d(v, a_i)

    with a random :math:`a_1` and distances in hops, every edge taken as undirected. So
    the :math:`k` anchors lie spread out: the largest distance of a node to the nearest
    of them is at most twice the smallest possible one (Gonzalez, 1985). Each pick is a
    breadth-first search, :math:`\mathcal{O}(|\mathcal{V}| + |\mathcal{E}|)`.

    Nodes that no anchor reaches count as farthest. So every connected component gets an
    anchor before any gets a second one, if ``k`` suffices; among components left over,
    and among equally far nodes, the choice is random. Isolated nodes are components,
    too.

    Args:
        edge_index: The edges; see :meth:`Csr.from_edge_index` for the accepted forms.
        num_nodes: Number of nodes.
        k: Number of anchors, at most ``num_nodes``.
        generator: Draws the first and decides between equally far ones; torch's default
            one if not given.

    Shapes:
        - **output:** int64 :math:`(k)`, distinct nodes in the order of the picks

    Raises:
        ArgumentError: If ``k`` is negative or more than the number of nodes.
    """
    _check(num_nodes, k)
    order = _shuffled(edge_index, num_nodes, generator)
    nearest = order.new_full((num_nodes,), num_nodes, dtype=torch.int32)
    picks = order.new_empty(k)
    for j in range(k):
        ranked = nearest[order]
        # The first in random order: argmax itself does not say which of equal ones.
        picks[j] = order[(ranked == ranked.max()).nonzero()[0, 0]]
        hops = anchor_distances(
            edge_index, picks[j : j + 1], num_nodes, direction="both", dtype=torch.int32
        ).view(-1)
        nearest = torch.where(hops >= 0, torch.minimum(nearest, hops), nearest)
    return picks


def pagerank(graph: Csr) -> Tensor:
    """Rank of each node, float64; see :func:`pagerank_anchors` for the formula."""
    number = graph.num_dst
    degree = _out_degree(graph)
    share = torch.where(degree > 0, 1 / degree.clamp(min=1).double(), 0)
    rank = share.new_full((number,), 1 / max(number, 1))
    for _ in range(RANK_STEPS):
        passed = spmm(graph, (rank * share).unsqueeze(1)).squeeze(1)
        lost = rank[degree == 0].sum() / max(number, 1)
        new = (1 - DAMPING) / max(number, 1) + DAMPING * (passed + lost)
        change = (new - rank).abs().sum()
        rank = new
        if change < RANK_TOLERANCE:
            break
    return rank


def _out_degree(graph: Csr) -> Tensor:
    return torch.bincount(graph.col, minlength=graph.num_src)


def _largest(score: Tensor, k: int, generator: Generator | None) -> Tensor:
    order = torch.randperm(score.numel(), generator=generator).to(score.device)
    return order[score[order].argsort(descending=True, stable=True)[:k]]


def _shuffled(edge_index: Graph, number: int, generator: Generator | None) -> Tensor:
    return torch.randperm(number, generator=generator).to(edge_index.device)


def _check(num_nodes: int, k: int) -> None:
    is_count = isinstance(k, int) and not isinstance(k, bool)
    if not is_count or not 0 <= k <= num_nodes:
        raise ArgumentError(
            f"k must be an integer from 0 to num_nodes = {num_nodes}, got {k!r}"
        )
