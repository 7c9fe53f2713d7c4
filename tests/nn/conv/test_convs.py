"""What holds for every layer; formulas and comparisons with PyG have their own file."""

import pytest
import torch

from graphlab.nn import (
    APPNPConv,
    BernConv,
    ChebConv,
    FeatureLinear,
    GATConv,
    GCNConv,
    GINConv,
    GPRConv,
    SAGEConv,
)
from graphlab.nn import OrderedConv as Ordered


def network():
    last = torch.nn.Linear(5, 3)
    return torch.nn.Sequential(FeatureLinear(6, 5), torch.nn.Tanh(), last)


CONVS = {
    "gcn": lambda: GCNConv(6, 3),
    "gcn_wide": lambda: GCNConv(6, 9),
    "gat": lambda: GATConv(6, 3, heads=2),
    "gat_mean": lambda: GATConv(6, 3, heads=2, concat=False),
    "cheb": lambda: ChebConv(6, 3, K=4),
    "appnp": lambda: APPNPConv(K=3, alpha=0.2),
    "gpr": lambda: GPRConv(K=3),
    "bern": lambda: BernConv(K=3),
    "ordered": lambda: Ordered(6, 2),
    "gin": lambda: GINConv(network(), eps=0.3, train_eps=True),
    "sage": lambda: SAGEConv(6, 3),
    "sage_max": lambda: SAGEConv(6, 3, aggr="max"),
}


@pytest.fixture(params=CONVS)
def conv(request):
    torch.manual_seed(0)
    conv = CONVS[request.param]()
    for parameter in conv.parameters():
        torch.nn.init.normal_(parameter)  # biases and filters other than the initial
    return conv


def first(out):
    return out[0] if isinstance(out, tuple) else out


def test_layers_are_permutation_equivariant(conv, data):
    x, edge_index = data
    p = torch.randperm(14)
    order = torch.randperm(40)
    moved = p.argsort()[edge_index][:, order]
    torch.testing.assert_close(
        first(conv(x[p], moved)), first(conv(x, edge_index))[p], atol=1e-4, rtol=1e-4
    )


def test_gradients(conv, graph):
    edge_index, num_nodes = graph
    conv = conv.double()
    x = torch.randn(num_nodes, 6, dtype=torch.double, requires_grad=True)
    parameters = dict(conv.named_parameters())

    def call(x, *values):
        state = dict(zip(parameters, values, strict=True))
        return first(torch.func.functional_call(conv, state, (x, edge_index)))

    assert call(x, *parameters.values()).isfinite().all()
    assert torch.autograd.gradcheck(call, (x, *parameters.values()), fast_mode=True)


def test_layers_depend_on_the_graph(conv, data):
    x, edge_index = data
    other = edge_index.flip(0)
    other[0, 0] = 13
    assert not torch.allclose(first(conv(x, edge_index)), first(conv(x, other)))


def test_reset_gives_finite_weights(conv, data):
    if hasattr(conv, "reset_parameters"):
        conv.reset_parameters()
    assert first(conv(*data)).isfinite().all()
    assert "Conv(" in str(conv)
