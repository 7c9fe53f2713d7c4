"""A checksum of a graph's content, the same on every machine."""

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor
from torch_geometric.data import Data


def graph_checksum(x: Tensor, edge_index: Tensor, y: Tensor) -> str:
    """SHA-256 over features, edges and labels.

    Features enter as shape, positions and values of their non-zero entries, edges
    sorted by source and target (their order carries no meaning), numbers in
    little-endian order.

    Args:
        x: Node features ``[N, F]``.
        edge_index: Edges ``[2, E]``.
        y: Labels ``[N]``.
    """
    flat = x.reshape(-1)
    position = flat.nonzero().view(-1)
    key = edge_index[0] * x.size(0) + edge_index[1]
    total = hashlib.sha256(f"graphlab-graph-1 {tuple(x.shape)}\n".encode())
    for tensor in (position, flat[position], torch.sort(key).values, y):
        _update(total, tensor)
    return total.hexdigest()


def graphs_checksum(graphs: Sequence[Data]) -> str:
    """SHA-256 over a list of graphs, in its order; the graph's own for a list of one.

    Args:
        graphs: Graphs with ``x``, ``edge_index`` and, if there are labels, ``y``.
    """
    if len(graphs) == 1 and "checksum" in graphs[0]:
        return graphs[0].checksum
    total = hashlib.sha256(f"graphlab-graphs-1 {len(graphs)}\n".encode())
    for graph in graphs:
        y = graph.edge_index.new_empty(0) if graph.y is None else graph.y
        total.update(graph_checksum(graph.x, graph.edge_index, y).encode())
    return total.hexdigest()


def _update(total: "hashlib._Hash", tensor: Tensor) -> None:
    array = tensor.contiguous().cpu().numpy()
    total.update(f"{array.dtype.name} {array.size}\n".encode())
    total.update(memoryview(array.astype(array.dtype.newbyteorder("<"), copy=False)))
