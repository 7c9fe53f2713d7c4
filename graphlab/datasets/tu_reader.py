"""Read the text files of a TU set into one ``Data`` per graph."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch_geometric.data import Data

from graphlab.errors import DatasetError


def load_tu_folder(folder: str | Path) -> list[Data]:
    """A set of graphs of your own, in the text format of the TU collection.

    Args:
        folder: It, or its folder ``raw``, holds ``NAME_A.txt``,
            ``NAME_graph_indicator.txt``, ``NAME_graph_labels.txt`` and, if nodes have
            labels, ``NAME_node_labels.txt``. Other files are not read.

    Returns:
        Graphs as :func:`graphlab.datasets.load_graphs` gives them for ``"MUTAG"``.

    Raises:
        DatasetError: If files are missing or cannot be read.
    """
    places = [place for place in (Path(folder), Path(folder) / "raw") if place.is_dir()]
    found = [file for place in places for file in sorted(place.glob("*_A.txt"))]
    if len(found) != 1:
        count = f"{len(found)} files" if found else "no file"
        raise DatasetError(
            f"{folder}: a set in TU format has one file NAME_A.txt, found {count}"
        )
    start = str(found[0]).removesuffix("A.txt")
    parts = ("A", "graph_indicator", "graph_labels", "node_labels")
    files = [Path(f"{start}{part}.txt") for part in parts]
    missing = [file.name for file in files[:3] if not file.is_file()]
    if missing:
        raise DatasetError(f"{folder}: {' and '.join(missing)} are missing")
    try:
        return read_tu(*(file for file in files if file.is_file()))
    except (OSError, ValueError, IndexError) as error:
        reason = str(error).splitlines()[0] if str(error) else "no message"
        raise DatasetError(f"{folder}: cannot be read: {reason}") from error


def read_tu(
    edges: Path, indicator: Path, classes: Path, labels: Path | None = None
) -> list[Data]:
    """The graphs in the order of the files, as PyG's ``TUDataset`` gives them.

    Duplicate edges and self-loops are dropped. All graphs are cut from one sort.

    Args:
        edges: Lines "source, target", nodes numbered from 1.
        indicator: The graph of each node, numbered from 1, not falling.
        classes: The class of each graph; they become 0, 1, ... in rising order.
        labels: The label of each node; features are one-hot from the smallest label to
            the largest. Without it the feature is the constant 1.

    Raises:
        ValueError: If the files do not belong together.
    """
    edge_index = np.loadtxt(edges, dtype=np.int64, delimiter=",", ndmin=2).T - 1
    graph = np.loadtxt(indicator, dtype=np.int64, ndmin=1) - 1
    y = np.unique(np.loadtxt(classes, dtype=np.int64, ndmin=1), return_inverse=True)[1]
    _check(edge_index, graph, len(y))
    x = _features(labels, len(graph))
    ptr = np.searchsorted(graph, np.arange(len(y) + 1))
    edge_index = _sorted(edge_index, len(graph))
    cuts = np.searchsorted(graph[edge_index[0]], np.arange(len(y) + 1))
    local = torch.from_numpy(edge_index - ptr[graph[edge_index[0]]])
    return [
        Data(
            x=x[start:stop].clone(),  # or each graph would keep all others alive
            edge_index=local[:, first:last].clone(),
            y=torch.tensor([label]),
        )
        for start, stop, first, last, label in zip(
            *(bound.tolist() for bound in (ptr[:-1], ptr[1:], cuts[:-1], cuts[1:], y)),
            strict=True,
        )
    ]


def _check(edge_index: np.ndarray, graph: np.ndarray, num_graphs: int) -> None:
    if edge_index.min() < 0 or edge_index.max() >= len(graph):
        raise ValueError(f"an edge leaves the {len(graph)} nodes")
    if (np.diff(graph) < 0).any() or graph[0] < 0 or graph[-1] >= num_graphs:
        raise ValueError(f"nodes are not in the order of {num_graphs} graphs")
    if (graph[edge_index[0]] != graph[edge_index[1]]).any():
        raise ValueError("an edge joins two graphs")


def _features(labels: Path | None, num_nodes: int) -> Tensor:
    if labels is None:
        return torch.ones(num_nodes, 1)
    label = torch.from_numpy(np.loadtxt(labels, dtype=np.int64, ndmin=1))
    if label.shape != (num_nodes,):
        raise ValueError(f"{tuple(label.shape)} labels for {num_nodes} nodes")
    return F.one_hot(label - label.min()).float()


def _sorted(edge_index: np.ndarray, num_nodes: int) -> np.ndarray:
    """Edges sorted by source and target, each once, without self-loops."""
    edge_index = edge_index[:, edge_index[0] != edge_index[1]]
    code = np.unique(edge_index[0] * num_nodes + edge_index[1])
    return np.stack([code // num_nodes, code % num_nodes])
