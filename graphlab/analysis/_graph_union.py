"""Many graphs side by side, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Batch, Data

from graphlab.errors import ArgumentError


@dataclass(frozen=True, eq=False)
class GraphUnion:
    r"""The disjoint union of :math:`G` graphs.

    Attributes:
        graphs: The graphs.
        ptr: The nodes of graph :math:`g` are ``ptr[g]`` to ``ptr[g + 1] - 1``.
        source: Node that an edge leaves, counted over all graphs.
        target: Node that it enters.
    """

    graphs: list[Data]
    ptr: np.ndarray
    source: np.ndarray
    target: np.ndarray

    @property
    def num_nodes(self) -> int:
        """Number of nodes of all graphs."""
        return int(self.ptr[-1])

    def stacked(self, name: str) -> np.ndarray | None:
        """An attribute of all graphs below each other, or None where none has it."""
        values = [getattr(graph, name, None) for graph in self.graphs]
        if all(value is None for value in values):
            return None
        for number, value in enumerate(values):
            if not isinstance(value, Tensor) or value.layout != torch.strided:
                got = "none" if value is None else f"a {type(value).__name__}"
                got = f"layout {value.layout}" if isinstance(value, Tensor) else got
                raise ArgumentError(
                    f"{name} must be a dense tensor in all graphs or in none, got "
                    f"{got} in graph {number}"
                )
        values = [value.unsqueeze(1) if value.dim() == 1 else value for value in values]
        shapes = {tuple(value.shape[1:]) for value in values}
        if len(shapes) > 1:
            raise ArgumentError(
                f"{name} must have the same width in all graphs, got {sorted(shapes)}"
            )
        return torch.cat(values).detach().cpu().numpy()


def graph_union(graphs: Sequence[Data]) -> GraphUnion:
    """Number the nodes of all graphs through; nothing is said about attributes yet."""
    if isinstance(graphs, Batch):
        graphs = graphs.to_data_list()
    if isinstance(graphs, Data) or not hasattr(graphs, "__iter__"):
        raise ArgumentError(
            f"graphs must be a sequence of Data, got {type(graphs).__name__}"
        )
    graphs = list(graphs)
    if not graphs:
        raise ArgumentError("graphs must hold at least one graph, got none")
    edges = [_edges(number, graph) for number, graph in enumerate(graphs)]
    sizes = np.array([_size(number, graph) for number, graph in enumerate(graphs)])
    ptr = np.concatenate([[0], np.cumsum(sizes)])
    graph_of_edge = np.repeat(np.arange(len(graphs)), [e.size(1) for e in edges])
    local = torch.cat(edges, 1).cpu().numpy().astype(np.int64)
    wrong = ((local < 0) | (local >= sizes[graph_of_edge])).any(axis=0)
    if wrong.any():
        number = graph_of_edge[wrong.argmax()]
        raise ArgumentError(
            f"edge_index of graph {number} must name nodes from 0 to "
            f"{sizes[number] - 1}, got {local[:, wrong.argmax()].tolist()}"
        )
    return GraphUnion(graphs, ptr, *(local + ptr[graph_of_edge]))


def _edges(number: int, graph: Data) -> Tensor:
    edges = getattr(graph, "edge_index", None)
    if edges is None:
        edges = torch.empty(2, 0, dtype=torch.long)
    if not isinstance(edges, Tensor) or edges.dim() != 2 or edges.size(0) != 2:
        raise ArgumentError(
            f"edge_index of graph {number} must be a tensor of shape [2, E], got "
            f"{list(edges.shape) if isinstance(edges, Tensor) else type(edges)}"
        )
    return edges.detach()


def _size(number: int, graph: Data) -> int:
    size = graph.num_nodes  # looks at several attributes
    if size is None:
        raise ArgumentError(f"graphs: graph {number} does not say its num_nodes")
    return size
