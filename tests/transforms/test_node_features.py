"""Features that follow from the graph alone."""

import pytest
import torch
from torch_geometric.data import Data

from graphlab.errors import ArgumentError
from graphlab.transforms import NodeFeatures


def star(num_nodes: int) -> Data:
    leaves = torch.arange(1, num_nodes)
    return Data(edge_index=torch.stack([leaves, leaves * 0]), num_nodes=num_nodes)


def test_constant_and_degree():
    assert NodeFeatures()(star(4)).x.tolist() == [[1], [1], [1], [1]]
    x = NodeFeatures("degree")(star(4)).x
    torch.testing.assert_close(x, torch.tensor([[3.0], [0], [0], [0]]).log1p())


def test_identity_is_sparse_for_large_graphs():
    assert torch.equal(NodeFeatures("identity")(star(5)).x, torch.eye(5))
    x = NodeFeatures("identity")(star(50_000)).x
    assert x.layout == torch.sparse_csr and x.shape == (50_000, 50_000)
    weight = torch.randn(50_000, 2)
    assert torch.equal(x @ weight, weight)


def test_the_input_is_left_alone():
    data = star(4)
    NodeFeatures()(data)
    assert data.x is None
    assert str(NodeFeatures("degree")) == "NodeFeatures('degree')"


def test_an_unknown_kind_is_refused():
    with pytest.raises(ArgumentError, match="kind: got 'one'; accepted is 'constant'"):
        NodeFeatures("one")
