"""Distances of all nodes to a few anchors."""

import math
from typing import Literal

import torch
from torch import Tensor

from graphlab.errors import ArgumentError
from graphlab.ops._cache import cached
from graphlab.ops._hops import weighted_distances
from graphlab.ops.backend import kernels_for
from graphlab.ops.csr import Csr
from graphlab.ops.spmm import Graph

MOST_HOPS = 2**15 - 2  # more are not kept in int16
DIRECTIONS = ("to", "from", "both")


@torch.no_grad()
def anchor_distances(
    edge_index: Graph,
    anchors: Tensor,
    num_nodes: int | None = None,
    *,
    edge_weight: Tensor | None = None,
    cutoff: float | None = None,
    direction: Literal["to", "from", "both"] = "to",
    dtype: torch.dtype = torch.int16,
) -> Tensor:
    r"""Shortest-path distances between every node and :math:`K` anchors.

    .. math::
        \mathbf{D}_{vk} = \min_{\text{paths } v \to a_k} |\text{path}|

    where the length of a path is its number of edges (hops), or the sum of their
    weights. It takes :math:`\mathcal{O}(K (|\mathcal{V}| + |\mathcal{E}|))` time and,
    beyond the :math:`2 |\mathcal{V}| K` bytes of the result, memory for a few columns;
    no matrix of :math:`|\mathcal{V}|^2` entries exists. Hops of 64 anchors are found in
    one search over words of 64 bits; where that takes more than 64 levels, each anchor
    has a search of its own. Parallel edges and self-loops change nothing, and an
    anchor given twice has two equal columns.

    Several nodes can share a column. ``anchors`` of shape :math:`(S, K)` gives column
    :math:`k` the distance to the nearest of its :math:`S` nodes: the distance to a set
    of nodes. For a **batch of graphs** let row :math:`g` hold the anchors of graph
    :math:`g`, numbered as in the batch. Graphs of a batch are not connected, so each
    node gets the distance to the :math:`k`-th anchor of its own graph, in one search
    for all graphs. In the same way row :math:`c` may hold the anchors of component
    :math:`c`. The functions that choose anchors return such rows for a ``batch``; see
    :func:`farthest_point_anchors`. With anchors of shape :math:`(K)` no such care is
    taken: nodes of other components than the anchor's are unreachable.

    Args:
        edge_index: The edges; see :meth:`Csr.from_edge_index` for the accepted forms.
            A sparse matrix counts as unweighted.
        anchors: Anchors, integers. In the form :math:`(S, K)` ``-1`` stands for none,
            for graphs with fewer anchors than others. :math:`K = 0` is accepted.
        num_nodes: Number of nodes, by default read off the largest index.
        edge_weight: Lengths of the edges, not negative. Distances are then found by
            scipy's implementation of Dijkstra's algorithm, on the CPU whatever the
            device.
        cutoff: Largest distance of interest; nodes farther away count as unreachable.
        direction: Which way edges are followed: ``"to"``, from the node to the anchor;
            ``"from"``, from the anchor to the node; or ``"both"``, as if each edge were
            undirected. On undirected graphs all are the same, and ``"to"`` is the one
            that needs nothing but the edges sorted by destination, which all
            operations share.
        dtype: :obj:`torch.int16`, which becomes :obj:`torch.int32` where a distance is
            more than 32,766 hops; or :obj:`torch.int32`. Not for weighted edges.

    Shapes:
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **anchors:** :math:`(K)` or :math:`(S, K)`
        - **edge_weight:** :math:`(|\mathcal{E}|)` *(optional)*
        - **output:** :math:`(|\mathcal{V}|, K)`. Hops are integers, and -1 where the
          anchor cannot be reached; weighted distances are float32, and infinite there.

    Raises:
        ArgumentError: If an anchor is no node, or ``anchors``, ``edge_weight``,
            ``cutoff``, ``direction`` or ``dtype`` is not of an accepted kind.

    Example:
        >>> path = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
        >>> anchor_distances(path, torch.tensor([0, 2]), num_nodes=4)
        tensor([[ 0,  2],
                [ 1,  1],
                [ 2,  0],
                [-1, -1]], dtype=torch.int16)
    """
    graph = _square(edge_index, num_nodes)
    _check_options(cutoff, direction, dtype, edge_weight is not None)
    ptr, node = _sources(anchors, graph)
    if edge_weight is None:
        return _hops(along(graph, direction), ptr, node, cutoff, dtype)
    _check_weight(edge_weight, graph)
    rows, weight = _weighted(graph, edge_weight, direction)
    limit = math.inf if cutoff is None else cutoff
    parts = (_on_cpu(rows), weight.cpu(), ptr.cpu(), node.cpu(), limit)
    return weighted_distances(*parts).to(graph.device)


def _hops(
    rows: Csr, ptr: Tensor, node: Tensor, cutoff: int | None, dtype: torch.dtype
) -> Tensor:
    limit = rows.num_dst if cutoff is None else min(cutoff, rows.num_dst)
    kernels = kernels_for(rows.col)
    if dtype == torch.int32 or limit <= MOST_HOPS:
        return kernels.hops(rows, ptr, node, limit, dtype)[0]
    out, cut = kernels.hops(rows, ptr, node, MOST_HOPS, dtype)
    if cut:
        out = kernels.hops(rows, ptr, node, limit, torch.int32)[0]
        if int(out.max()) <= MOST_HOPS:  # they were left, but led nowhere
            out = out.to(dtype)
    return out


def along(graph: Csr, direction: str) -> Csr:
    """The edges as rows that list where a search from an anchor goes next."""
    if direction == "to":
        return graph  # against the edges: rows list where they come from
    transposed = graph.t()
    if direction == "from":
        return transposed
    if transposed.col is graph.col:  # the graph is symmetric
        return graph
    return cached(graph, "both_directions", lambda: _both(graph))


def _both(graph: Csr) -> Csr:
    edges = graph.edge_index()
    return Csr.from_edge_index(torch.cat([edges, edges.flip(0)], 1), graph.num_dst)


def _weighted(graph: Csr, weight: Tensor, direction: str) -> tuple[Csr, Tensor]:
    """Rows as for hops, and the weight at each of their positions."""
    if direction == "both":  # the weights of the two directions may differ
        rows, weight = _both(graph), torch.cat([weight, weight])
    else:
        rows = along(graph, direction)
    return rows, weight.detach()[rows.edges()]


def _on_cpu(rows: Csr) -> Csr:
    if rows.device.type == "cpu":
        return rows
    sizes = rows.num_src, rows.num_dst
    return Csr(rows.rowptr.cpu(), rows.col.cpu(), None, *sizes)


def _square(edge_index: Graph, num_nodes: int | None) -> Csr:
    if num_nodes is not None and (not isinstance(num_nodes, int) or num_nodes < 0):
        raise ArgumentError(f"num_nodes must be an integer >= 0, got {num_nodes!r}")
    graph = Csr.from_edge_index(edge_index, num_nodes)
    given = graph.num_dst if num_nodes is None else num_nodes
    if not graph.num_src == graph.num_dst == given:
        raise ArgumentError(
            f"edge_index must join {given} nodes with each other, got "
            f"{graph.num_src} sources and {graph.num_dst} destinations"
        )
    return graph


def _sources(anchors: Tensor, graph: Csr) -> tuple[Tensor, Tensor]:
    """Where the sources of each column start, and the sources, column by column."""
    anchors = _as_integers(anchors).to(graph.device)
    padded = anchors.dim() == 2
    lowest = -1 if padded else 0
    if anchors.numel():
        low, high = map(int, anchors.aminmax())
        if low < lowest or high >= graph.num_dst:
            nodes = f"nodes from 0 to {graph.num_dst - 1}"
            if graph.num_dst == 0:
                nodes = "nodes, of which the graph has none"
            raise ArgumentError(
                f"anchors must be {nodes}{', or -1 for none' if padded else ''}, got "
                f"{low} to {high}"
            )
    columns = anchors.t() if padded else anchors.unsqueeze(1)  # [K, S]
    given = columns >= 0
    ptr = anchors.new_zeros(columns.size(0) + 1)
    torch.cumsum(given.sum(1), 0, out=ptr[1:])
    return ptr, columns[given]


def _as_integers(anchors: Tensor) -> Tensor:
    if not isinstance(anchors, Tensor):
        try:
            empty = not len(anchors)
            anchors = torch.as_tensor(anchors, dtype=torch.long if empty else None)
        except (TypeError, ValueError, RuntimeError):
            raise ArgumentError(
                f"anchors must be a tensor or a list of nodes, got {anchors!r}"
            ) from None
    kind = anchors.dtype
    if kind.is_floating_point or kind.is_complex or kind == torch.bool:
        raise ArgumentError(f"anchors must be integers (numbers of nodes), got {kind}")
    if anchors.dim() not in (1, 2):
        raise ArgumentError(
            "anchors must have shape [K], or [S, K] for S nodes in each column, got "
            f"{list(anchors.shape)}"
        )
    return anchors.long()


def _check_options(
    cutoff: float | None, direction: str, dtype: torch.dtype, weighted: bool
) -> None:
    if direction not in DIRECTIONS:
        raise ArgumentError(
            f"direction must be one of {', '.join(DIRECTIONS)}, got {direction!r}"
        )
    if dtype not in (torch.int16, torch.int32):
        raise ArgumentError(f"dtype must be torch.int16 or torch.int32, got {dtype}")
    if cutoff is None:
        return
    kinds = int | float if weighted else int
    if not isinstance(cutoff, kinds) or isinstance(cutoff, bool) or not cutoff >= 0:
        what = "a number" if weighted else "an integer"
        raise ArgumentError(f"cutoff must be {what} of at least 0, got {cutoff!r}")


def _check_weight(weight: Tensor, graph: Csr) -> None:
    if not isinstance(weight, Tensor) or weight.shape != (graph.num_edges,):
        got = list(weight.shape) if isinstance(weight, Tensor) else repr(weight)
        raise ArgumentError(
            f"edge_weight must be a tensor of shape [{graph.num_edges}], got {got}"
        )
    if weight.is_complex() or weight.dtype == torch.bool:
        raise ArgumentError(f"edge_weight must hold real numbers, got {weight.dtype}")
    if not bool((weight >= 0).all()):
        raise ArgumentError(
            "edge_weight must not be negative or NaN, as shortest paths need not exist "
            f"then; got a smallest value of {weight.min().item()}"
        )
