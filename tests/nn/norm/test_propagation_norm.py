"""The certified norm of a propagation matrix against its singular values."""

import pytest
import torch

from graphlab.nn import propagation_norm
from graphlab.ops import gcn_norm


def dense(edge_index, weight, num_nodes):
    matrix = torch.zeros(num_nodes, num_nodes, dtype=torch.double)
    values = torch.ones(edge_index.size(1)) if weight is None else weight
    return matrix.index_put((edge_index[1], edge_index[0]), values.double(), True)


def test_bounds_the_largest_singular_value(graph):
    edge_index, num_nodes = graph
    torch.manual_seed(0)
    for weight in (None, torch.randn(edge_index.size(1))):
        matrix = dense(edge_index, weight, num_nodes)
        exact = torch.linalg.matrix_norm(matrix, ord=2).item()
        absolute = torch.linalg.matrix_norm(
            dense(edge_index, None if weight is None else weight.abs(), num_nodes),
            ord=2,
        ).item()
        got = propagation_norm(edge_index, weight, num_nodes)
        assert exact <= got * (1 + 1e-9) and got <= absolute * 1.01 + 1e-12
        early = propagation_norm(edge_index, weight, num_nodes, num_iterations=1)
        assert exact <= early * (1 + 1e-9) and got <= early


def test_undirected_normalized_graphs_have_norm_one():
    torch.manual_seed(0)
    edges = torch.randint(30, (2, 60))
    edges = torch.cat([edges, edges.flip(0)], dim=1).unique(dim=1)
    edge_index, weight = gcn_norm(edges, None, 33, dtype=torch.double)
    assert propagation_norm(edge_index, weight, 33) == pytest.approx(1, abs=1e-9)


def test_averages_and_directed_graphs_can_amplify():
    star = torch.tensor([[0] * 8, list(range(1, 9))])  # a hub that eight leaves read
    weight = torch.ones(8)  # each leaf's average
    assert propagation_norm(star, weight, 9) == pytest.approx(8**0.5)
    edge_index, weight = gcn_norm(star, None, 9)
    exact = torch.linalg.matrix_norm(dense(edge_index, weight, 9), ord=2).item()
    assert exact > 2 and propagation_norm(edge_index, weight, 9) >= exact - 1e-6
