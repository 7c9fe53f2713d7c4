"""The block against its formula, and its certificate against random pairs."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F
import torch_geometric.nn as pyg

from graphlab.errors import ArgumentError
from graphlab.nn import GATConv, GCNConv, LipschitzResidualBlock, SAGEConv

CONVS = {
    "gcn": lambda: GCNConv(6, 6),
    "sage": lambda: SAGEConv(6, 6),
    "sage_sum": lambda: SAGEConv(6, 6, aggr="sum"),
    "sage_max": lambda: SAGEConv(6, 6, aggr="max"),
    "pyg_gcn": lambda: pyg.GCNConv(6, 6),
    "pyg_sage": lambda: pyg.SAGEConv(6, 6),
    "gat": lambda: GATConv(6, 3, heads=2),
    "gat_mean": lambda: GATConv(6, 6, heads=2, concat=False),
    "pyg_gat": lambda: pyg.GATConv(6, 3, heads=2),
    "pyg_gat_mean": lambda: pyg.GATConv(6, 6, heads=2, concat=False),
    "pyg_gat_residual": lambda: pyg.GATConv(6, 6, residual=True),
    "pyg_gatv2": lambda: pyg.GATv2Conv(6, 6),
}
ATTENTION = [name for name in CONVS if "gat" in name]
OTHERS = [name for name in CONVS if "gat" not in name]


def make(name, **kwargs):
    torch.manual_seed(0)
    return LipschitzResidualBlock(CONVS[name](), certified=True, **kwargs)


@pytest.mark.parametrize("name", CONVS)
def test_the_formula(name, data):
    """``x + act(conv(x))`` with a conv that has the bounded weights as its own."""
    block = make(name, c=0.3, act=F.elu)
    plain = CONVS[name]()
    state = plain.state_dict()
    for key in state:
        module, _, leaf = key.rpartition(".")
        owner = block.conv.get_submodule(module)
        state[key] = getattr(owner, leaf).detach()
    plain.load_state_dict(state)
    x, edge_index = data
    want = x + F.elu(plain(x, edge_index))
    torch.testing.assert_close(block(x, edge_index), want)


def heads_of(weight, block, dim):
    return weight.chunk(getattr(block.conv, "heads", 1), dim)


@pytest.mark.parametrize("name", CONVS)
def test_every_weight_of_the_features_is_bounded(name):
    c = 0.01  # below what they are drawn with
    block = make(name, c=c, mode="hard")
    lins = [m for m in block.modules() if hasattr(m, "parametrizations")]
    two = ("sage", "sage_sum", "sage_max", "pyg_sage", "pyg_gat_residual", "pyg_gatv2")
    assert len(lins) == (2 if name in two else 1)
    dim = 0 if "pyg" in name else -1
    for lin in lins:
        for head in heads_of(lin.weight, block, dim):
            norm = torch.linalg.matrix_norm(head, ord=2).item()
            assert norm == pytest.approx(c / len(lins), rel=1e-4)


@pytest.mark.parametrize("name", OTHERS)
def test_the_certificate_holds(name, graph):
    """Over random pairs, and along the direction that is amplified most."""
    edge_index, num_nodes = graph
    block = make(name, c=2.0, mode="hard").double()
    bound = block.bound(block.propagation(edge_index, num_nodes))
    assert 1 <= bound < math.inf

    def call(x):
        return block(x, edge_index)

    worst = 0.0
    for _ in range(20):
        x, y = torch.randn(2, num_nodes, 6, dtype=torch.double)
        worst = max(worst, float((call(x) - call(y)).norm() / (x - y).norm()))
    jacobian = torch.autograd.functional.jacobian(call, x).view(x.numel(), -1)
    worst = max(worst, torch.linalg.matrix_norm(jacobian, ord=2).item())
    assert worst <= bound * (1 + 1e-9)


@pytest.mark.parametrize("name", ["gcn", "pyg_gcn"])
def test_the_certificate_of_a_linear_layer_is_tight(name):
    ring = torch.tensor([[0, 1, 2, 3, 1, 2, 3, 0], [1, 2, 3, 0, 0, 1, 2, 3]])
    block = make(name, c=0.5, act=lambda x: x).double()
    with torch.no_grad():  # symmetric, so that the largest direction adds to the input
        block.conv.lin.parametrizations.weight.original.copy_(torch.eye(6))
    x = torch.randn(4, 6, dtype=torch.double)
    jacobian = torch.autograd.functional.jacobian(lambda x: block(x, ring), x)
    worst = torch.linalg.matrix_norm(jacobian.view(24, 24), ord=2).item()
    assert worst == pytest.approx(1.5) and block.bound() == pytest.approx(1.5)
    assert block.propagation(ring, 4) == pytest.approx(1)


def test_averages_are_bounded_by_the_largest_node_on_every_graph(graph):
    edge_index, num_nodes = graph
    block = make("sage", c=2.0, mode="hard").double()

    def length(x):
        return x.norm(dim=-1).max()

    for _ in range(20):
        x, y = torch.randn(2, num_nodes, 6, dtype=torch.double)
        change = block(x, edge_index) - block(y, edge_index)
        assert length(change) <= block.bound() * length(x - y) * (1 + 1e-9)
    assert block.bound() == pytest.approx(3.0)  # 1 + c / 2 + c / 2


def test_where_there_is_no_bound():
    edge_index = torch.tensor([[0], [1]])
    for name in ATTENTION:
        block = make(name)
        assert block.bound() == block.propagation(edge_index, 2) == math.inf
    assert make("sage_sum").bound() == make("sage_max").bound() == math.inf
    scaled = LipschitzResidualBlock(SAGEConv(4, 4, normalize=True))
    assert scaled.bound(1.0) == math.inf
    soft = LipschitzResidualBlock(pyg.SAGEConv(4, 4, aggr="softmax"))
    assert soft.bound(1.0) == math.inf


@pytest.mark.parametrize("name", CONVS)
@pytest.mark.parametrize("training", [True, False])
def test_saved_and_copied_blocks_are_identical(name, data, training):
    def block():
        return LipschitzResidualBlock(CONVS[name](), c=0.3)

    torch.manual_seed(0)
    first = block()
    optimizer = torch.optim.SGD(first.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        first(*data).square().mean().backward()
        optimizer.step()
    second = block()
    second.load_state_dict(first.state_dict())
    third = copy.deepcopy(first)
    outputs = [each.train(training)(*data) for each in (first, second, third)]
    assert torch.equal(outputs[0], outputs[1]) and torch.equal(outputs[0], outputs[2])


@pytest.mark.parametrize("name", ["gcn", "sage", "gat", "pyg_gat"])
def test_gradients(name, data):
    x, edge_index = data
    block = make(name, c=0.3).double()
    parameters = dict(block.named_parameters())

    def call(x, *values):
        state = dict(zip(parameters, values, strict=True))
        return torch.func.functional_call(block, state, (x, edge_index))

    arguments = (x.double().requires_grad_(), *parameters.values())
    assert torch.autograd.gradcheck(call, arguments, fast_mode=True)


@pytest.mark.parametrize("name", CONVS)
def test_blocks_are_permutation_equivariant(name, data):
    x, edge_index = data
    block = make(name)
    p = torch.randperm(14)
    got = block(x[p], p.argsort()[edge_index])
    torch.testing.assert_close(got, block(x, edge_index)[p], atol=1e-5, rtol=1e-4)


def test_edge_weights_reach_the_layer(data):
    block = make("gcn")
    weight = torch.rand(40)
    assert not torch.allclose(block(*data, weight), block(*data))
    assert block.propagation(data[1], 14, weight) != block.propagation(data[1], 14)


@pytest.mark.parametrize("name", CONVS)
def test_reset_draws_new_parameters(name):
    block = LipschitzResidualBlock(CONVS[name](), c=0.3)
    key = next(n for n, _ in block.named_parameters() if n.endswith("original"))
    before = block.get_parameter(key).clone()
    block.reset_parameters()
    assert not torch.equal(block.get_parameter(key), before)


@pytest.mark.parametrize(
    ("conv", "kwargs", "message"),
    [
        (lambda: GCNConv(6, 5), {}, "GCNConv must be as wide .* maps 6 to 5 channels"),
        (lambda: GATConv(6, 6, heads=2), {}, "maps 6 to 12 channels"),
        (lambda: pyg.GATConv(6, 3, heads=2, concat=False), {}, "maps 6 to 3"),
        (lambda: pyg.GCNConv(-1, 6), {}, "maps -1 to 6"),
        (lambda: pyg.SAGEConv(6, 6, project=True), {}, "without project"),
        (lambda: torch.nn.ReLU(), {}, "must be a layer like GCNConv"),
        (lambda: make("gcn").conv, {}, "bounded already"),
        (lambda: GCNConv(6, 6), {"c": "3/L"}, "c: must be a positive.*resolve_bound"),
        (lambda: GCNConv(6, 6), {"c": -1}, "c: must be a positive"),
        (lambda: GCNConv(6, 6), {"norm": "nuclear"}, "norm: must be one of"),
        (lambda: GCNConv(6, 6), {"act": "relu"}, "act: must be a function"),
    ],
)
def test_bad_arguments(conv, kwargs, message):
    with pytest.raises(ArgumentError, match=message):
        LipschitzResidualBlock(conv(), **kwargs)


def test_propagation_of_improved_loops_is_refused():
    block = LipschitzResidualBlock(pyg.GCNConv(6, 6, improved=True))
    with pytest.raises(ArgumentError, match="improved"):
        block.propagation(torch.tensor([[0], [1]]), 2)
