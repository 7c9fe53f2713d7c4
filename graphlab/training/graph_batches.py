"""Graphs side by side in one graph, from which batches are cut."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch_geometric.data import Data

from graphlab.errors import ArgumentError
from graphlab.ops import Csr
from graphlab.ops._cache import cached


class GraphBatch(NamedTuple):
    """Some graphs, as models take them.

    Args:
        x: Node features, ``[N, F]``.
        edge_index: Edges, ``[2, E]``, sorted by target.
        batch: The graph of each node, ``[N]``.
        y: The class of each graph, ``[B]``.
    """

    x: Tensor
    edge_index: Tensor
    batch: Tensor
    y: Tensor

    @property
    def arguments(self) -> tuple[Tensor, Tensor, Tensor]:
        """What the model is called with."""
        return self.x, self.edge_index, self.batch


class GraphSet:
    """All graphs of a set, collated once; a batch is gathered from them.

    Edges are sorted by target before, so that no batch has to be sorted again.

    Args:
        graphs: Graphs with ``x``, ``edge_index`` and one class ``y``.

    Raises:
        ArgumentError: If a graph lacks one of them, has no node, a class that is no
            whole number from 0 on, or an edge to a node that it does not have.
    """

    def __init__(self, graphs: Sequence[Data]):
        graphs = list(graphs)
        if not graphs:
            raise ArgumentError("graphs must hold at least one graph")
        for place, graph in enumerate(graphs):
            _check(place, graph, graphs[0])
        self.x = torch.cat([graph.x for graph in graphs])
        self.y = torch.cat([graph.y.view(1) for graph in graphs]).long()
        device = self.x.device
        self.num_nodes = torch.tensor([g.num_nodes for g in graphs], device=device)
        self.num_edges = torch.tensor([g.num_edges for g in graphs], device=device)
        self.first_node = _starts(self.num_nodes)
        self.first_edge = _starts(self.num_edges)
        first = self.first_node.repeat_interleave(self.num_edges)
        edges = torch.cat([graph.edge_index for graph in graphs], dim=1) + first
        whole = Csr.from_edge_index(edges, len(self.x))
        self.degree = whole.degree()  # of each node, within its own graph
        self.edge_index = torch.stack([whole.col.long(), _targets(whole)]) - first
        self._shared: dict = {}

    def __len__(self) -> int:
        return len(self.y)

    def batch(self, index: Tensor) -> GraphBatch:
        """The graphs at the places ``index``, in this order."""
        sizes, counts = self.num_nodes[index], self.num_edges[index]
        first = _starts(sizes)
        nodes = _ranges(self.first_node[index], sizes)
        edges = _ranges(self.first_edge[index], counts)
        edge_index = self.edge_index[:, edges] + first.repeat_interleave(counts)
        places = torch.arange(len(index), device=self.x.device)
        batch = places.repeat_interleave(sizes)
        _remember(edge_index, self.degree[nodes])
        return GraphBatch(self.x[nodes], edge_index, batch, self.y[index])


def _starts(sizes: Tensor) -> Tensor:
    return sizes.cumsum(0) - sizes


def _ranges(first: Tensor, sizes: Tensor) -> Tensor:
    """``first[i], first[i] + 1, ...``, ``sizes[i]`` numbers, for each ``i`` in turn."""
    offset = (first - _starts(sizes)).repeat_interleave(sizes)
    return torch.arange(len(offset), device=first.device) + offset


def _targets(graph: Csr) -> Tensor:
    nodes = torch.arange(graph.num_dst, device=graph.device)
    return nodes.repeat_interleave(graph.degree())


def _remember(edge_index: Tensor, degree: Tensor) -> None:
    """Spare the layers the checks and the sort: the edges are known to be in order."""
    num_nodes = len(degree)

    def build() -> Csr:
        rowptr = degree.new_zeros(num_nodes + 1, dtype=torch.int32)
        torch.cumsum(degree, 0, dtype=torch.int32, out=rowptr[1:])
        return Csr(rowptr, edge_index[0].int(), None, num_nodes, num_nodes)

    cached(edge_index, ("csr", (num_nodes, num_nodes)), build)


def _check(place: int, graph: Data, first: Data) -> None:
    where = f"graphs: graph {place}"
    for key in ("x", "edge_index", "y"):
        if graph.get(key) is None:
            raise ArgumentError(f"{where} has no {key}")
    if graph.x.dim() != 2 or graph.x.shape[1:] != first.x.shape[1:] or not len(graph.x):
        raise ArgumentError(
            f"{where} must have one row or more of {first.num_features} features, got "
            f"x of shape {list(graph.x.shape)}"
        )
    if graph.y.numel() != 1 or graph.y.is_floating_point() or int(graph.y) < 0:
        raise ArgumentError(
            f"{where} must have one class, a whole number from 0 on, got {graph.y}"
        )
    edges = graph.edge_index
    if edges.numel() and not 0 <= int(edges.min()) <= int(edges.max()) < len(graph.x):
        raise ArgumentError(
            f"{where} has an edge to a node outside of its {len(graph.x)}"
        )
