"""Graphs made from a seed, on which a node's place is all there is to know."""

import numpy as np
import torch
from torch_geometric.data import Data
from torch_geometric.utils import to_undirected

from graphlab.errors import ArgumentError


def grid(height: int = 20, width: int = 20) -> Data:
    r"""A grid in which each node is joined to its two to four neighbours.

    With the default sizes the grid of the `"Position-aware Graph Neural Networks"
    <https://arxiv.org/abs/1906.04817>`_ paper: 400 nodes, 760 edges without direction.

    Args:
        height: Number of rows.
        width: Number of columns.

    Returns:
        ``Data`` with the constant ``x``, ``edge_index`` (both directions) and ``pos``,
        row and column of each node; there is no ``y``.

    Raises:
        ArgumentError: If a size is not a positive whole number.

    Example:
        >>> grid(2, 3).edge_index.shape  # seven edges
        torch.Size([2, 14])
    """
    _check_size("height", height, 1)
    _check_size("width", width, 1)
    node = np.arange(height * width).reshape(height, width)
    right = np.stack([node[:, :-1].ravel(), node[:, 1:].ravel()])
    down = np.stack([node[:-1].ravel(), node[1:].ravel()])
    data = _graph(np.concatenate([right, down], axis=1), height * width)
    place = torch.arange(height * width)
    data.pos = torch.stack([place // width, place % width], dim=1).float()
    data.name = "grid"
    return data


def communities(
    num_communities: int = 20, size: int = 20, p: float = 0.01, seed: int = 0
) -> Data:
    r"""A ring of cliques with some edges rewired.

    As in the `"Position-aware Graph Neural Networks"
    <https://arxiv.org/abs/1906.04817>`_ paper and its code: a connected caveman graph,
    in which each clique gives up one edge to reach the clique before it. Then each edge
    :math:`(u, v)`, :math:`u < v`, becomes :math:`(u, w)` with probability :math:`p`,
    for a node :math:`w` drawn uniformly, unless that edge exists. :math:`w = u` takes
    the edge away, since the code drops self-loops at the end. One difference: whether
    an edge exists is asked of the graph before all rewiring and of the edges added so
    far, not of those taken away, so that no loop over edges is needed.

    Args:
        num_communities: Number of cliques.
        size: Nodes per clique.
        p: Probability that an edge is rewired.
        seed: Seed; the same graph on every machine.

    Returns:
        ``Data`` with the constant ``x``, ``edge_index`` (both directions) and ``y``,
        the clique of each node.

    Raises:
        ArgumentError: If an argument is out of range.

    Example:
        >>> communities(p=0).edge_index.shape  # 20 times 190 edges
        torch.Size([2, 7600])
    """
    _check_size("num_communities", num_communities, 2)
    _check_size("size", size, 2)
    if not 0 <= p <= 1:
        raise ArgumentError(f"p: got {p!r}; accepted is a probability, 0 <= p <= 1")
    if not 0 <= seed < 2**32:
        raise ArgumentError(f"seed: got {seed!r}; accepted is 0 <= seed < 2**32")
    num_nodes = num_communities * size
    edges = _caveman(num_communities, size)
    edges = _rewire(edges, num_nodes, p, np.random.RandomState(seed))
    data = _graph(edges, num_nodes)
    data.y = torch.arange(num_nodes) // size
    data.name = "communities"
    return data


def _caveman(num_communities: int, size: int) -> np.ndarray:
    """Edges ``u < v`` of the connected caveman graph, sorted."""
    start = np.arange(num_communities) * size
    source, target = (end[1:] for end in np.triu_indices(size, 1))  # without (0, 1)
    inner = np.stack([start[:, None] + source, start[:, None] + target])
    links = np.stack([start, (start - 1) % (num_communities * size)])
    edges = np.concatenate([inner.reshape(2, -1), np.sort(links, axis=0)], axis=1)
    return edges[:, np.lexsort(edges[::-1])]


def _rewire(
    edges: np.ndarray, num_nodes: int, p: float, random: np.random.RandomState
) -> np.ndarray:
    chosen = np.flatnonzero(random.random_sample(edges.shape[1]) < p)
    source = edges[0, chosen]
    target = random.randint(num_nodes, size=len(chosen), dtype=np.int64)
    code = _code(np.stack([source, target]), num_nodes)
    accepted = ~np.isin(code, _code(edges, num_nodes))
    first = np.zeros(len(code), dtype=bool)  # two may not become one edge
    first[np.unique(code, return_index=True)[1]] = True
    accepted &= first
    edges = edges.copy()
    edges[1, chosen[accepted]] = target[accepted]
    return edges[:, edges[0] != edges[1]]


def _code(edges: np.ndarray, num_nodes: int) -> np.ndarray:
    return np.minimum(*edges) * num_nodes + np.maximum(*edges)


def _graph(edges: np.ndarray, num_nodes: int) -> Data:
    edge_index = torch.from_numpy(edges.astype(np.int64))
    return Data(
        x=torch.ones(num_nodes, 1),
        edge_index=to_undirected(edge_index, num_nodes=num_nodes),
    )


def _check_size(name: str, value: int, low: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < low:
        raise ArgumentError(f"{name}: got {value!r}; accepted is an integer >= {low}")
