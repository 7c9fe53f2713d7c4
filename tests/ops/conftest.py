"""Graphs that break careless code, shared by the tests of all operations."""

import pytest
import torch

GRAPHS = {
    # name: (edges, number of nodes)
    "no_nodes": ([], 0),
    "no_edges": ([], 3),
    "one_node": ([], 1),
    "one_loop": ([(0, 0)], 1),
    "one_edge": ([(1, 0)], 2),
    "isolated": ([(0, 1), (1, 0), (4, 1)], 6),
    "self_loops": ([(0, 0), (0, 1), (1, 0), (2, 2), (1, 2)], 3),
    "duplicates": ([(0, 1), (0, 1), (2, 1), (1, 0), (0, 1), (2, 2), (2, 2)], 3),
    "directed": ([(3, 0), (2, 0), (0, 1), (3, 1), (1, 2), (3, 2)], 4),
    "hub": ([(i, 0) for i in range(1, 9)] + [(0, 3), (5, 5)], 9),
    "sorted": ([(1, 0), (2, 0), (0, 1), (2, 2), (0, 3)], 4),
}


def _edge_index(name):
    edges, num_nodes = GRAPHS[name]
    return torch.tensor(edges, dtype=torch.long).view(-1, 2).t().contiguous(), num_nodes


@pytest.fixture(params=GRAPHS)
def graph(request):
    """``(edge_index, num_nodes)`` of every awkward graph."""
    return _edge_index(request.param)


@pytest.fixture
def unsorted():
    """One small graph with unsorted edges, a duplicate, a loop and a lone node."""
    edges = [(2, 1), (0, 1), (0, 0), (3, 2), (1, 0), (0, 1), (3, 0)]
    return torch.tensor(edges).t().contiguous(), 5


@pytest.fixture(autouse=True, scope="package")
def _one_thread():
    """On tensors this small, more threads only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
