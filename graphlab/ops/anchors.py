"""Anchors by simple rules, all with the same arguments.

Each rule orders the nodes, or picks them one after the other. A batch of graphs is a
graph of several parts, so one order and one search per pick serve all of them.
"""

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
    edge_index: Graph,
    num_nodes: int,
    k: int,
    generator: Generator | None = None,
    batch: Tensor | None = None,
) -> Tensor:
    r"""Draw anchors uniformly, without replacement.

    Args:
        edge_index: The edges; they are not looked at.
        num_nodes: Number of nodes.
        k: Number of anchors, at most ``num_nodes``, or for each graph.
        generator: Source of the draw, on the CPU; torch's default one if not given.
        batch: The graph of each node, for ``k`` anchors in each graph; or its connected
            component. Nodes may lie in any order.

    Shapes:
        - **batch:** integers :math:`(|\mathcal{V}|)` *(optional)*
        - **output:** int64 :math:`(k)`, distinct nodes; with ``batch``
          :math:`(G, k)`, filled up with -1 for graphs of fewer nodes

    Raises:
        ArgumentError: If ``k`` is negative or more than the number of nodes, or
            ``batch`` is not one number per node.
    """
    _check(num_nodes, k, batch)
    return _first(_shuffled(edge_index, num_nodes, generator), k, batch)


def degree_anchors(
    edge_index: Graph,
    num_nodes: int,
    k: int,
    generator: Generator | None = None,
    batch: Tensor | None = None,
) -> Tensor:
    r"""Take the nodes with most edges, incoming and outgoing ones together.

    Args:
        edge_index: The edges; see :meth:`Csr.from_edge_index` for the accepted forms.
        num_nodes: Number of nodes.
        k: Number of anchors, at most ``num_nodes``, or for each graph.
        generator: Decides between equal degrees; torch's default one if not given.
        batch: The graph of each node, for ``k`` anchors in each graph; or its connected
            component. Nodes may lie in any order.

    Shapes:
        - **batch:** integers :math:`(|\mathcal{V}|)` *(optional)*
        - **output:** int64 :math:`(k)`, distinct nodes, largest degree first; with
          ``batch`` :math:`(G, k)`, filled up with -1 for graphs of fewer nodes

    Raises:
        ArgumentError: If ``k`` is negative or more than the number of nodes, or
            ``batch`` is not one number per node.
    """
    _check(num_nodes, k, batch)
    graph = Csr.from_edge_index(edge_index, num_nodes)
    order = _descending(graph.degree() + _out_degree(graph), generator)
    return _first(order, k, batch)


def pagerank_anchors(
    edge_index: Graph,
    num_nodes: int,
    k: int,
    generator: Generator | None = None,
    batch: Tensor | None = None,
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
        k: Number of anchors, at most ``num_nodes``, or for each graph.
        generator: Decides between equal ranks; torch's default one if not given.
        batch: The graph of each node, for ``k`` anchors in each graph; or its connected
            component. Nodes may lie in any order.

    Shapes:
        - **batch:** integers :math:`(|\mathcal{V}|)` *(optional)*
        - **output:** int64 :math:`(k)`, distinct nodes, highest rank first; with
          ``batch`` :math:`(G, k)`, filled up with -1 for graphs of fewer nodes

    Raises:
        ArgumentError: If ``k`` is negative or more than the number of nodes, or
            ``batch`` is not one number per node.
    """
    _check(num_nodes, k, batch)
    rank = pagerank(Csr.from_edge_index(edge_index, num_nodes))
    order = _descending((rank * num_nodes / RANK_UNIT).round(), generator)
    return _first(order, k, batch)


def farthest_point_anchors(
    edge_index: Graph,
    num_nodes: int,
    k: int,
    generator: Generator | None = None,
    batch: Tensor | None = None,
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
        k: Number of anchors, at most ``num_nodes``, or for each graph.
        generator: Draws the first and decides between equally far ones; torch's default
            one if not given.
        batch: The graph of each node, for ``k`` anchors in each graph; or its connected
            component. Nodes may lie in any order.

    Shapes:
        - **batch:** integers :math:`(|\mathcal{V}|)` *(optional)*
        - **output:** int64 :math:`(k)`, distinct nodes in the order of the picks; with
          ``batch`` :math:`(G, k)`, filled up with -1 for graphs of fewer nodes

    Raises:
        ArgumentError: If ``k`` is negative or more than the number of nodes, or
            ``batch`` is not one number per node.
    """
    _check(num_nodes, k, batch)
    order = _shuffled(edge_index, num_nodes, generator)
    # Of equally far nodes the first in random order is taken: a pick is the largest of
    # numbers that say both, and from which the node can be read.
    before = num_nodes - 1 - order.argsort()
    nearest = order.new_full((num_nodes,), num_nodes)
    graph = torch.zeros_like(order) if batch is None else batch
    sizes = torch.bincount(graph)
    picks = order.new_empty(sizes.numel(), k)
    for j in range(k):
        far = nearest * num_nodes + before
        best = far.new_zeros(sizes.numel()).scatter_reduce(0, graph, far, "amax")
        pick = order[num_nodes - 1 - best % max(num_nodes, 1)]
        picks[:, j] = pick.masked_fill(sizes <= j, -1)  # no nodes are left
        hops = anchor_distances(
            edge_index,
            picks[:, j : j + 1],  # one search for the picks of all graphs
            num_nodes,
            direction="both",
            dtype=torch.int32,
        ).view(-1)
        nearest = torch.where(hops >= 0, torch.minimum(nearest, hops), nearest)
    return picks.view(-1) if batch is None else picks


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


def _descending(score: Tensor, generator: Generator | None) -> Tensor:
    """Nodes by falling score, equal ones in random order."""
    order = torch.randperm(score.numel(), generator=generator).to(score.device)
    return order[score[order].argsort(descending=True, stable=True)]


def _first(order: Tensor, k: int, batch: Tensor | None) -> Tensor:
    """The first ``k`` nodes of an order, or those of each graph, [G, k]."""
    if batch is None:
        return order[:k]
    order = order[batch[order].argsort(stable=True)]  # graph by graph
    graph, sizes = batch[order], torch.bincount(batch)
    place = torch.arange(order.numel(), device=order.device)
    place -= (sizes.cumsum(0) - sizes)[graph]  # within the graph
    out = order.new_full((sizes.numel(), k), -1)
    taken = place < k
    out[graph[taken], place[taken]] = order[taken]
    return out


def _shuffled(edge_index: Graph, number: int, generator: Generator | None) -> Tensor:
    return torch.randperm(number, generator=generator).to(edge_index.device)


def _check(num_nodes: int, k: int, batch: Tensor | None) -> None:
    is_count = isinstance(k, int) and not isinstance(k, bool) and k >= 0
    if batch is None and not (is_count and k <= num_nodes):
        raise ArgumentError(
            f"k must be an integer from 0 to num_nodes = {num_nodes}, got {k!r}"
        )
    if not is_count:
        raise ArgumentError(f"k must be an integer >= 0, got {k!r}")
    if batch is None:
        return
    fits = isinstance(batch, Tensor) and batch.dtype == torch.int64
    if not fits or batch.shape != (num_nodes,) or (batch < 0).any():
        raise ArgumentError(
            f"batch must be int64 with a number >= 0 for each of {num_nodes} nodes, "
            f"got {batch!r}"
        )
