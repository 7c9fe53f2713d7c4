"""Where PyG has the same layer: the same values with the same weights."""

import pytest
import torch
import torch_geometric.nn as pyg
from torch_geometric import EdgeIndex

from graphlab.nn import (
    APPNPConv,
    ChebConv,
    FeatureLinear,
    GATConv,
    GCNConv,
    GINConv,
    GPRConv,
    SAGEConv,
)
from graphlab.ops import Csr

TOLERANCE = {"atol": 1e-5, "rtol": 1e-5}


@pytest.fixture
def edge_weight():
    torch.manual_seed(3)
    return torch.rand(40)


@pytest.mark.parametrize("out_channels", [3, 9])
@pytest.mark.parametrize("loops", [True, False])
def test_gcn(data, edge_weight, out_channels, loops):
    ours = GCNConv(6, out_channels, add_self_loops=loops)
    theirs = pyg.GCNConv(6, out_channels, add_self_loops=loops)
    theirs.lin.weight.data = ours.lin.weight.data.t()
    for weight in (None, edge_weight):
        got, want = ours(*data, weight), theirs(*data, weight)
        torch.testing.assert_close(got, want, **TOLERANCE)


def test_gcn_on_an_edge_index_object(data):
    x, edge_index = data
    conv = GCNConv(6, 3)
    wrapped = EdgeIndex(edge_index, sparse_size=(14, 14))
    torch.testing.assert_close(conv(x, wrapped), conv(x, edge_index))


@pytest.mark.parametrize("concat", [True, False])
@pytest.mark.parametrize("loops", [True, False])
def test_gat(data, concat, loops):
    ours = GATConv(6, 4, heads=3, concat=concat, add_self_loops=loops)
    theirs = pyg.GATConv(6, 4, heads=3, concat=concat, add_self_loops=loops)
    theirs.lin.weight.data = ours.lin.weight.data.t()
    theirs.att_src.data = ours.att_src.data[None]
    theirs.att_dst.data = ours.att_dst.data[None]
    torch.testing.assert_close(ours(*data), theirs(*data), **TOLERANCE)


@pytest.mark.parametrize("K", [1, 2, 4])
def test_cheb(data, edge_weight, K):
    ours, theirs = ChebConv(6, 3, K), pyg.ChebConv(6, 3, K)
    for lin, other in zip(theirs.lins, ours.lins, strict=True):
        lin.weight.data = other.weight.data.t()
    for weight in (None, edge_weight):
        got, want = ours(*data, weight), theirs(*data, weight)
        torch.testing.assert_close(got, want, **TOLERANCE)


def test_appnp(data, edge_weight):
    for weight in (None, edge_weight):
        got = APPNPConv(5, 0.2)(*data, weight)
        want = pyg.APPNP(5, 0.2)(*data, weight)
        torch.testing.assert_close(got, want, **TOLERANCE)


@pytest.mark.parametrize("aggr", ["mean", "sum", "max", "min"])
@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("root_weight", [True, False])
def test_sage(data, aggr, normalize, root_weight):
    settings = {"aggr": aggr, "normalize": normalize, "root_weight": root_weight}
    ours, theirs = SAGEConv(6, 3, **settings), pyg.SAGEConv(6, 3, **settings)
    torch.nn.init.normal_(ours.bias)
    theirs.lin_l.weight.data = ours.lin_l.weight.data.t()
    theirs.lin_l.bias.data = ours.bias.data
    if root_weight:
        theirs.lin_r.weight.data = ours.lin_r.weight.data.t()
    torch.testing.assert_close(ours(*data), theirs(*data), **TOLERANCE)


@pytest.mark.parametrize("width", [4, 9])  # multiplied before and after the sum
@pytest.mark.parametrize("train_eps", [True, False])
@pytest.mark.parametrize("sequence", [True, False])
def test_gin(data, width, train_eps, sequence):
    network = FeatureLinear(6, width)
    torch.nn.init.normal_(network.bias)
    if sequence:
        network = torch.nn.Sequential(network, torch.nn.Tanh())
    ours = GINConv(network, 0.3, train_eps)
    theirs = pyg.GINConv(network, 0.3, train_eps)
    torch.testing.assert_close(ours(*data), theirs(*data), **TOLERANCE)
    loaded = GINConv(network, train_eps=not train_eps)
    loaded.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(loaded(*data), theirs(*data), **TOLERANCE)
    torch.testing.assert_close(
        ours(data[0].to_sparse_csr(), data[1]), theirs(*data), **TOLERANCE
    )


def test_gpr_as_powers_of_pygs_propagation(data):
    """PyG has no GPR layer: its terms are APPNP's propagation without teleport."""
    x, edge_index = data
    conv = GPRConv(K=3)
    torch.nn.init.normal_(conv.gamma)
    terms = [x] + [pyg.APPNP(k, 0.0)(x, edge_index) for k in (1, 2, 3)]
    want = sum(g * t for g, t in zip(conv.gamma, terms, strict=True))
    torch.testing.assert_close(conv(x, edge_index), want, **TOLERANCE)


def test_pygs_layers_take_the_edges_of_our_graphs(data):
    x, edge_index = data
    graph = Csr.from_edge_index(edge_index, 14)
    conv = pyg.SAGEConv(6, 3)
    torch.testing.assert_close(conv(x, graph.edge_index()), conv(x, edge_index))
