"""Cut raw files into lists of graphs as the code of P-GNN does.

Source: ``dataset.py`` in the code of `"Position-aware Graph Neural Networks"
<https://arxiv.org/abs/1906.04817>`_.
"""

from pathlib import Path

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch_geometric.data import Data
from torch_geometric.utils import to_undirected


def read_email(edges: Path, labels: Path) -> list[Data]:
    """Components of more than 10 nodes once edges between groups are dropped.

    Departments are grouped by sixes. The graphs come in the order of their smallest
    node.

    Args:
        edges: Lines "sender receiver".
        labels: Lines "node department".
    """
    edge_index = np.loadtxt(edges, dtype=np.int64).T
    y = np.zeros(1 + int(edge_index.max()), dtype=np.int64)
    node, department = np.loadtxt(labels, dtype=np.int64).T
    y[node] = department
    group = y // 6
    edge_index = edge_index[:, group[edge_index[0]] == group[edge_index[1]]]
    adjacency = coo_array(
        (np.ones(edge_index.shape[1]), tuple(edge_index)), [len(y)] * 2
    )
    component = connected_components(adjacency, directed=False)[1]
    graphs = _cut(edge_index, component, y)
    return [graph for graph in graphs if graph.num_nodes > 10]


def read_protein(edges: Path, indicator: Path, labels: Path) -> list[Data]:
    """Graphs of 20 to 1,000 nodes in which at most n^2/4 pairs have one label.

    Nodes without an edge are dropped first.

    Args:
        edges: Lines "source, target", nodes numbered from 1.
        indicator: The graph of each node, from 1.
        labels: The label of each node.
    """
    edge_index = np.loadtxt(edges, dtype=np.int64, delimiter=",").T - 1
    graph = np.loadtxt(indicator, dtype=np.int64) - 1
    graph[np.setdiff1d(np.arange(len(graph)), edge_index)] = -1
    graphs = _cut(edge_index, graph, np.loadtxt(labels, dtype=np.int64))
    return [g for g in graphs if 20 <= g.num_nodes <= 1000 and _is_varied(g)]


def _is_varied(graph: Data) -> bool:
    size = graph.y.bincount()
    return 4 * int((size * (size - 1) // 2).sum()) <= graph.num_nodes**2


def _cut(edge_index: np.ndarray, part: np.ndarray, y: np.ndarray) -> list[Data]:
    """One graph per part, from one sort; nodes and edges of part -1 are left out.

    Args:
        edge_index: Edges ``[2, E]``, each inside of one part.
        part: Part of each node.
        y: Label of each node.
    """
    nodes = np.argsort(part, kind="stable")
    bounds = np.searchsorted(part[nodes], np.arange(part.max() + 2))
    local = np.empty(len(part), dtype=np.int64)
    local[nodes] = np.arange(len(part)) - bounds[np.maximum(part[nodes], 0)]
    edge_index = edge_index[:, edge_index[0] != edge_index[1]]
    edge_index = edge_index[:, np.argsort(part[edge_index[0]], kind="stable")]
    cuts = np.searchsorted(part[edge_index[0]], np.arange(part.max() + 2))
    return [
        _graph(nodes[start:stop], local[edge_index[:, first:last]], y)
        for start, stop, first, last in zip(
            bounds[:-1], bounds[1:], cuts[:-1], cuts[1:], strict=True
        )
    ]


def _graph(nodes: np.ndarray, edge_index: np.ndarray, y: np.ndarray) -> Data:
    edges = torch.from_numpy(edge_index)
    return Data(
        x=torch.ones(len(nodes), 1),
        edge_index=to_undirected(edges, num_nodes=len(nodes)),
        y=torch.from_numpy(y[nodes]),
        node_id=torch.from_numpy(nodes),
    )
