"""Products of bounds, and that they bound."""

import math

import pytest
import torch
from torch import nn
from torch_geometric.nn import GATConv, GCN2Conv, SAGEConv
from torch_geometric.nn.models import GCN, GraphSAGE

import graphlab.nn as gnn
from graphlab.analysis import gradient_profile, lipschitz_product
from graphlab.errors import ArgumentError


def norm(weight):
    return float(torch.linalg.matrix_norm(weight.detach().double(), 2))


def ring(number=8):
    nodes = torch.arange(number)
    edges = torch.stack([nodes, (nodes + 1) % number])
    return torch.cat([edges, edges.flip(0)], 1)


def test_plain_layers_multiply_spectral_norms():
    model = GCN(5, 7, num_layers=3)
    found = lipschitz_product(model)
    norms = [norm(conv.lin.weight) for conv in model.convs]
    assert list(found.factors.values()) == pytest.approx(norms)
    assert found.log10 == pytest.approx(math.log10(math.prod(norms)))


def test_residual_layers_add_one():
    model = gnn.ResGCN(5, 7, 3, num_layers=3)
    norms = [norm(conv.lin.weight) for conv in model.convs]
    found = lipschitz_product(model).factors.values()
    assert list(found) == pytest.approx([1 + value for value in norms])
    plain = lipschitz_product(model, residual=False).factors.values()
    assert list(plain) == pytest.approx(norms)
    model.residual = False
    assert list(lipschitz_product(model).factors.values()) == pytest.approx(norms)


def test_a_layer_may_know_its_bound():
    model = gnn.LipschitzResGNN(5, 7, 3, num_layers=4, c="1/L", certified=True)
    found = lipschitz_product(model)
    assert found.log10 == pytest.approx(4 * math.log10(1.25), rel=1e-5)
    wider = lipschitz_product(model, propagation=2.0)
    assert wider.log10 == pytest.approx(4 * math.log10(1.5), rel=1e-5)

    class Known(nn.Module):
        def bound(self):
            return torch.tensor(10.0)

    known = nn.Module()
    known.blocks = nn.ModuleList([Known(), Known()])
    assert lipschitz_product(known).log10 == 2
    assert lipschitz_product(known, calls={"blocks.0": 5}).log10 == 5


def test_looking_at_bounded_weights_changes_nothing():
    model = gnn.LipschitzResGNN(5, 7, 3, num_layers=2).train()
    for parameter in model.parameters():
        parameter.data.mul_(3)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    lipschitz_product(model)
    assert model.training
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    plain = lipschitz_product(model, lambda n, m: type(m).__name__ == "GCNConv")
    for name, value in plain.factors.items():
        weight = model.eval().get_submodule(name).lin.weight
        assert value == pytest.approx(norm(weight))


def test_sides_add_up_and_attention_has_no_bound():
    conv = SAGEConv(4, 4)
    model = nn.ModuleList([conv])
    found = lipschitz_product(model, ["0"], propagation=3.0).factors["0"]
    expected = 3 * norm(conv.lin_l.weight) + norm(conv.lin_r.weight)
    assert found == pytest.approx(expected)
    assert lipschitz_product(GraphSAGE(4, 4, 2)).log10 > -3
    assert lipschitz_product(nn.ModuleList([GATConv(4, 4)])).log10 == math.inf


@pytest.mark.parametrize("kind", [GCN2Conv, gnn.GCN2Conv])
def test_gcnii_mixes_with_the_identity(kind):
    conv = kind(6, alpha=0.1, theta=0.5, layer=3)
    mixed = (1 - conv.beta) * torch.eye(6) + conv.beta * conv.weight1
    found = lipschitz_product(nn.ModuleList([conv])).factors["0"]
    assert found == pytest.approx(0.9 * norm(mixed), rel=1e-5)


def test_many_layers_do_not_overflow_and_nan_is_passed_on():
    model = gnn.GCN(8, 8, 8, num_layers=400)
    for conv in model.convs:
        conv.lin.weight.data.copy_(1e3 * torch.eye(8))
    assert lipschitz_product(model).log10 == pytest.approx(1200)
    nn.init.zeros_(model.convs[0].lin.weight)
    assert lipschitz_product(model).log10 == -math.inf
    nn.init.constant_(model.convs[0].lin.weight, torch.nan)
    assert math.isnan(lipschitz_product(model).log10)
    with pytest.raises(ArgumentError, match="no layers found"):
        lipschitz_product(nn.Linear(2, 2))


@pytest.mark.parametrize(
    "make",
    [
        lambda: gnn.GCN(6, 6, 6, num_layers=8),
        lambda: gnn.ResGCN(6, 6, 6, num_layers=8),
        lambda: gnn.LipschitzResGNN(6, 6, 6, num_layers=8, c=0.3),
        lambda: gnn.GCNII(6, 6, 6, num_layers=8),
    ],
)
def test_no_gradient_grows_beyond_the_product(make):
    torch.manual_seed(0)
    model, x, y = make(), torch.randn(8, 6), torch.randint(6, (8,))
    rows = gradient_profile(model, x, ring(), y).rows
    factors = list(lipschitz_product(model).factors.values())
    start = isinstance(model, gnn.GCNII)  # its first state is used in every layer
    for k in range(start, 7):
        gain = rows[k]["gradient_norm"] / rows[k + 1]["gradient_norm"]
        assert gain <= factors[k] * (1 + 1e-5)
