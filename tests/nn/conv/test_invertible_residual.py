import copy
import warnings

import pytest
import torch
import torch_geometric.nn as pyg

from graphlab.errors import ArgumentError
from graphlab.nn import GATConv, GCNConv, InvertibleResidual, SAGEConv

CAPS = [("frobenius", 0.999), ("spectral", 0.5), ("spectral", 0.9)]
EXACT = {"max_iter": 500, "tol": 1e-15}


def undirected(num_nodes=30, num_edges=60):
    torch.manual_seed(0)
    edges = torch.randint(num_nodes, (2, num_edges))
    return torch.cat([edges, edges.flip(0)], dim=1)


def gcn(width=8, **kwargs):
    torch.manual_seed(1)
    return InvertibleResidual(GCNConv(width, width), **kwargs)


def dense_norm(edge_index, num_nodes):
    adj = torch.zeros(num_nodes, num_nodes, dtype=torch.double)
    adj.index_put_((edge_index[1], edge_index[0]), torch.ones(1).double(), True)
    loops = adj.diagonal() == 0
    adj.diagonal()[loops] = 1
    scale = adj.sum(1).clamp(min=1e-300).rsqrt()
    return scale[:, None] * adj * scale


def test_matches_the_formula(graph):
    edge_index, num_nodes = graph
    edge_index = torch.unique(edge_index, dim=1)
    x = torch.randn(num_nodes, 8, dtype=torch.double)
    block = gcn(coeff=0.7).double()
    torch.nn.init.uniform_(block.conv.bias)
    original = block.conv.lin.parametrizations.weight.original
    weight = original * min(1, 0.7 / float(original.detach().norm()))
    expected = dense_norm(edge_index, num_nodes) @ x @ weight + block.conv.bias
    torch.testing.assert_close(block(x, edge_index), x + expected.relu())


@pytest.mark.parametrize(("norm", "coeff"), CAPS)
@pytest.mark.parametrize("depth", [1, 16])
@pytest.mark.parametrize("dtype", [torch.float, torch.double])
def test_inverse_undoes_the_layers(norm, coeff, depth, dtype):
    bound, tol = {torch.float: (1e-5, 1e-7), torch.double: (1e-12, 1e-15)}[dtype]
    torch.manual_seed(1)
    limits = {"norm": norm, "coeff": coeff, "max_iter": 200, "tol": tol}
    blocks = [InvertibleResidual(GCNConv(8, 8), **limits) for _ in range(depth)]
    edge_index, x = undirected(), torch.randn(30, 8).relu().to(dtype)
    state = x
    for block in blocks:
        state = block.to(dtype)(state, edge_index)
    size = max(1, float(state.detach().abs().max()))
    with warnings.catch_warnings():  # rounding may stop it above so small a tolerance
        warnings.simplefilter("ignore")
        for block in reversed(blocks):
            state = block.inverse(state, edge_index)[0]
    assert (state - x).abs().max() < bound * size


def test_inverse_on_awkward_graphs(graph):
    edge_index, num_nodes = graph
    block = gcn(coeff=0.5, **EXACT).double()
    x = torch.randn(num_nodes, 8, dtype=torch.double)
    found, result = block.inverse(block(x, edge_index), edge_index)
    torch.testing.assert_close(found, x, rtol=1e-11, atol=1e-11)
    assert result.iterations >= 1


def test_is_permutation_equivariant():
    edge_index, order = undirected(), torch.randperm(30)
    block = gcn(coeff=0.9, **EXACT).double()
    y = torch.randn(30, 8, dtype=torch.double)
    place = order.argsort()
    found = block.inverse(y[order], place[edge_index])[0]
    torch.testing.assert_close(found, block.inverse(y, edge_index)[0][order])


@pytest.mark.parametrize("mode", [True, False])
def test_state_round_trips(mode):
    edge_index, x = undirected(), torch.randn(30, 8)
    block = gcn(norm="spectral", coeff=0.8).train(mode)
    torch.nn.init.normal_(block.conv.lin.parametrizations.weight.original)
    expected = block(x, edge_index), block.inverse(x, edge_index)[0]
    other = InvertibleResidual(GCNConv(8, 8), norm="spectral", coeff=0.8).train(mode)
    other.load_state_dict(block.state_dict())
    for twin in (other, copy.deepcopy(block)):
        found = twin(x, edge_index), twin.inverse(x, edge_index)[0]
        assert all(map(torch.equal, found, expected))


@pytest.mark.parametrize(
    "conv",
    [
        GATConv(8, 8, heads=2, concat=False),
        SAGEConv(8, 8),
        pyg.GCNConv(8, 8),
        pyg.GATConv(8, 8, heads=2, concat=False),
    ],
    ids=lambda conv: f"{type(conv).__module__.split('.')[0]}-{type(conv).__name__}",
)
def test_other_layers_have_an_inverse(conv):
    edge_index = undirected()
    block = InvertibleResidual(conv, coeff=0.3, **EXACT).double()
    x = torch.randn(30, 8, dtype=torch.double)
    found, result = block.inverse(block(x, edge_index), edge_index)
    torch.testing.assert_close(found, x, rtol=1e-10, atol=1e-10)
    assert 0 < result.contraction < 1


def test_heads_are_bounded_one_by_one():
    block = InvertibleResidual(GATConv(8, 8, heads=3, concat=False), coeff=0.4)
    heads = block.conv.lin.weight.unflatten(1, (3, 8))
    norms = torch.linalg.vector_norm(heads, dim=(0, 2))
    torch.testing.assert_close(norms, torch.full((3,), 0.4))


def test_auto_keeps_the_spectral_norm_of_the_paper():
    assert gcn(width=64, coeff="auto").coeff == pytest.approx(0.999 / 2)
    assert gcn(width=512, coeff="auto").coeff == 0.999
    assert gcn(width=64, coeff="auto", norm="spectral").coeff == 0.125
    norms = [
        float(
            torch.linalg.matrix_norm(gcn(w, coeff="auto").conv.lin.weight.detach(), 2)
        )
        for w in (32, 256)
    ]
    assert norms[0] == pytest.approx(norms[1], rel=0.15)


def test_warns_once_where_the_cap_comes_first():
    block, x = gcn(max_iter=1, tol=1e-9), torch.randn(30, 8)
    with pytest.warns(UserWarning, match="1 of 1 inverses did not reach .* 1 iter"):
        block.inverse(x, undirected())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        block.inverse(x, undirected())


@pytest.mark.parametrize("coeff", [1, 1.0, 1.5, 0, -0.5, float("nan"), "3/L", True])
def test_refuses_a_coefficient_without_inverse(coeff):
    with pytest.raises(ArgumentError, match="coeff must lie between 0 and 1"):
        gcn(coeff=coeff)


def test_refuses_other_bad_input():
    with pytest.raises(ArgumentError, match="8 to 4|8.*4"):
        InvertibleResidual(GCNConv(8, 4))
    with pytest.raises(ArgumentError, match="GCNConv"):
        InvertibleResidual(torch.nn.ReLU())
    y = torch.randn(30, 8)
    y[7, 3] = float("nan")
    with pytest.raises(ArgumentError, match="y must be finite.*row 7"):
        gcn().inverse(y, undirected())
