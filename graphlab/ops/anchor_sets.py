"""Random sets of anchors, and the member of each that is closest to a node."""

import math

import torch
from torch import Generator, Tensor

from graphlab.ops._cache import cached
from graphlab.ops.anchor_distances import along, anchor_distances
from graphlab.ops.backend import kernels_for
from graphlab.ops.csr import Csr
from graphlab.ops.spmm import Graph

BLOCK_ENTRIES = 2**22  # of nodes times sets at once


def bourgain_sets(
    num_nodes: int, k: int | None = None, generator: Generator | None = None
) -> Tensor:
    r"""Random sets of nodes of sizes that halve.

    With :math:`q = \lfloor \log_2 |\mathcal{V}| \rfloor` there are :math:`q` sets of
    :math:`\lfloor |\mathcal{V}| / 2^i \rfloor` nodes for each :math:`i = 1, \ldots, q`,
    drawn uniformly without replacement, as in the `"Position-aware Graph Neural
    Networks" <https://arxiv.org/abs/1906.04817>`_ paper. After Bourgain, distances to
    such sets embed any metric with distortion
    :math:`\mathcal{O}(\log |\mathcal{V}|)`.

    Args:
        num_nodes: Number of nodes.
        k: Number of sets, whose sizes then go through :math:`i = 1, \ldots, q` in
            turn; by default :math:`q^2`. A graph of one node has one set.
        generator: Source of the draw, on the CPU; torch's default one if not given.

    Shapes:
        - **output:** int64 :math:`(S, K)`, one set in each column, filled up with -1

    Example:
        >>> bourgain_sets(8).shape
        torch.Size([4, 9])
    """
    q = max(1, int(math.log2(max(num_nodes, 1))))
    powers = [i for i in range(1, q + 1) for _ in range(q)]
    if k is not None:
        powers = [1 + j % q for j in range(k)]
    sizes = [min(num_nodes, max(1, num_nodes // 2**i)) for i in powers]
    sets = torch.full((max(sizes, default=0), len(sizes)), -1)
    for column, size in enumerate(sizes):
        sets[:size, column] = torch.randperm(num_nodes, generator=generator)[:size]
    return sets


@torch.no_grad()
def closest_members(
    edge_index: Graph, sets: Tensor, num_nodes: int, *, cutoff: int | None = None
) -> tuple[Tensor, Tensor]:
    r"""The member of each set that is closest to each node, and its distance.

    Every edge is taken as undirected. A search from all members gives distances. One
    pass over the edges gives each node a neighbor that is one hop nearer, and following
    these pointers, twice as far each time, ends at the member:
    :math:`\mathcal{O}(K (|\mathcal{E}| + |\mathcal{V}| \log \text{hops}))` beyond the
    search. Among equally close members the choice is fixed, but not random. Where none
    is reached it is the first of the set.

    Args:
        edge_index: The edges; see :meth:`Csr.from_edge_index` for the accepted forms.
        sets: Sets of nodes, filled up with -1.
        num_nodes: Number of nodes.
        cutoff: Largest number of hops; nodes farther away count as unreachable.

    Shapes:
        - **sets:** :math:`(S, K)`
        - **output:** members, int64, and hops, -1 where unreachable; both
          :math:`(|\mathcal{V}|, K)`

    Example:
        >>> path = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
        >>> closest_members(path, torch.tensor([[0], [2]]), 4)[0].view(-1)
        tensor([0, 2, 2, 0])
    """
    graph = along(Csr.from_edge_index(edge_index, num_nodes), "both")
    hops = anchor_distances(graph, sets, num_nodes, cutoff=cutoff)
    member = _nearer_neighbor(graph, hops)
    for _ in range(max(int(hops.max()) if hops.numel() else 0, 1).bit_length()):
        member = member.gather(0, member)
    first = sets[:1].to(member.device).expand_as(member)
    return torch.where(hops >= 0, member, first), hops


def _nearer_neighbor(graph: Csr, hops: Tensor) -> Tensor:
    """For each node and set the last neighbor one hop nearer, or the node itself."""
    nodes = torch.arange(hops.size(0), device=hops.device).unsqueeze(1)
    if graph.num_edges == 0:
        return nodes.expand(hops.shape).contiguous()
    rows = cached(graph, "last_first", lambda: _last_first(graph))
    kernels = kernels_for(rows.col)
    columns = []
    for block in hops.split(max(1, BLOCK_ENTRIES // max(1, hops.size(0))), 1):
        far = block.float().masked_fill(block < 0, torch.inf)  # [N, c]
        place = kernels.spextreme(rows, far.unsqueeze(0), None, False)[1][0]
        nearest = rows.col[place.clamp(min=0)].long()
        columns.append(torch.where(block > 0, nearest, nodes))
    return torch.cat(columns, 1) if columns else nodes.new_empty(hops.shape)


def _last_first(graph: Csr) -> Csr:
    """The same edges, each row from its largest neighbor to its smallest."""
    edges = graph.edge_index()
    order = edges[0].argsort(descending=True)
    return Csr.from_edge_index(edges[:, order], graph.num_dst)
