"""Small graphs and features, shared by the tests of layers and models."""

import pytest
import torch

GRAPHS = {
    "no_edges": ([], 3),
    "one_node": ([], 1),
    "one_loop": ([(0, 0)], 1),
    "isolated": ([(0, 1), (1, 0), (4, 1)], 6),
    "self_loops": ([(0, 0), (0, 1), (1, 0), (2, 2), (1, 2)], 3),
    "duplicates": ([(0, 1), (0, 1), (2, 1), (1, 0), (2, 2), (2, 2)], 3),
    "directed": ([(3, 0), (2, 0), (0, 1), (3, 1), (1, 2), (3, 2)], 5),
}


@pytest.fixture(params=GRAPHS)
def graph(request):
    """``(edge_index, num_nodes)`` of every awkward graph."""
    edges, num_nodes = GRAPHS[request.param]
    return torch.tensor(edges, dtype=torch.long).view(-1, 2).t().contiguous(), num_nodes


@pytest.fixture
def data():
    """``(x, edge_index)`` of a random graph with loops and duplicates."""
    torch.manual_seed(0)
    edge_index = torch.randint(12, (2, 40))
    x = torch.randn(14, 6).relu()  # two nodes without edges
    return x, edge_index


@pytest.fixture(autouse=True, scope="package")
def _one_thread():
    """On tensors this small, more threads only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
