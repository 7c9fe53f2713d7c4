"""Implicit gradients against those of autograd through every iteration."""

import pytest
import torch

from graphlab.nn import GCNConv, InvertibleResidual, ReverseGAT, ReverseGCN
from graphlab.nn.inverse import FixedPoint, invert_residual
from graphlab.nn.inverse.maps import ConvMap, GCNMap, normalized, tensors_of

EXACT = {"max_iter": 300, "tol": 1e-14}


def graph():
    torch.manual_seed(0)
    edges = torch.randint(10, (2, 24))
    x = torch.randn(10, 4, dtype=torch.double)
    return x, torch.cat([edges, edges.flip(0)], dim=1)


def layer(grad="implicit"):
    torch.manual_seed(1)
    block = InvertibleResidual(GCNConv(4, 4), 0.9, "spectral", grad=grad, **EXACT)
    torch.nn.init.uniform_(block.conv.bias)  # away from the kinks
    return block.double()


def test_gradcheck():
    y, edge_index = graph()
    weight = torch.randn(4, 4, dtype=torch.double) / 8
    settings = FixedPoint(**EXACT)

    def inverse(y, weight):
        def g(x):
            return torch.tanh(x[edge_index[0]].mean(0) / 4 + x @ weight)

        return invert_residual(g, y, settings)[0]

    inputs = (y.requires_grad_(), weight.requires_grad_())
    assert torch.autograd.gradcheck(inverse, inputs)


def test_gradcheck_of_a_layer():
    y, edge_index = graph()
    block = layer()
    assert torch.autograd.gradcheck(
        lambda y: block.inverse(y, edge_index)[0], y.requires_grad_()
    )


def test_a_layer_has_the_gradients_of_the_unrolled_iteration():
    y, edge_index = graph()
    found = []
    for grad in ("implicit", "unroll"):
        block, source = layer(grad), y.clone().requires_grad_()
        x, result = block.inverse(source, edge_index)
        (x.sin() * torch.arange(4)).sum().backward()
        assert result.converged
        found.append([source.grad, *(p.grad for p in block.parameters())])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-8, atol=1e-9)


def test_the_solution_leaves_nothing_behind():
    y, _ = graph()
    leaves = []

    def g(x):
        leaves.append(x)
        return x / 3

    invert_residual(g, y.requires_grad_())[0].sum().backward()
    assert all(x.grad is None for x in leaves if x is not y)


@pytest.mark.parametrize("bias", [True, False])
def test_the_map_by_hand_is_that_of_autograd(bias):
    x, edge_index = graph()
    conv = GCNConv(4, 4, bias=bias).double()
    directed = edge_index[:, :20]
    tensors = tensors_of(conv)
    hand = GCNMap(*normalized(conv, x, directed), *(t.detach() for t in tensors))
    auto = ConvMap(conv, (directed,), tensors[::-1])  # the layer's own come first
    u = torch.randn_like(x)
    torch.testing.assert_close(hand(x), auto(x))
    ours, theirs = hand.at(x), auto.at(x)
    torch.testing.assert_close(ours.value, theirs.value)
    torch.testing.assert_close(ours.vjp(u), theirs.vjp(u))
    pairs = (ours.parameter_grads(u), theirs.parameter_grads(u)[::-1])
    for mine, other in zip(*pairs, strict=True):
        torch.testing.assert_close(mine, other)


def run(cls, grad, num_blocks, **kwargs):
    """Output and gradients of a small model that differs in ``grad`` only."""
    x, edge_index = graph()
    torch.manual_seed(2)
    depths = {"num_layers": 6, "num_reverse_layers": 12, "num_blocks": num_blocks}
    model = cls(4, 6, 3, **depths, coeff=0.5, grad=grad, **EXACT, **kwargs).double()
    x = x.requires_grad_()
    out = model(x, edge_index)
    (out.sin() * torch.arange(3)).sum().backward()
    return [out.detach(), x.grad, *(p.grad for p in model.parameters())]


@pytest.mark.parametrize("cls", [ReverseGCN, ReverseGAT])
@pytest.mark.parametrize("num_blocks", [1, 3])
def test_stacks_have_the_gradients_of_the_unrolled_iteration(cls, num_blocks):
    lean, unrolled = (run(cls, grad, num_blocks) for grad in ("implicit", "unroll"))
    for ours, theirs in zip(lean, unrolled, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-9)


def test_edge_weights_are_learned():
    x, edge_index = graph()
    found = []
    for grad in ("implicit", "unroll"):
        torch.manual_seed(3)
        weight = torch.rand(edge_index.size(1), dtype=torch.double, requires_grad=True)
        model = ReverseGCN(4, 6, 3, 2, 4, coeff=0.5, grad=grad, **EXACT).double()
        model(x, edge_index, weight).square().sum().backward()
        found.append(weight.grad)
    torch.testing.assert_close(*found, rtol=1e-7, atol=1e-9)
    assert found[0].abs().max() > 1e-6


def test_a_user_layer_takes_the_general_way():
    class Conv(GCNConv):
        def forward(self, x, edge_index, edge_weight=None):
            return super().forward(x, edge_index, edge_weight)

    x, edge_index = graph()
    results = []
    for kind in (GCNConv, Conv):
        torch.manual_seed(4)
        model = ReverseGCN(4, 6, 3, 4, 4, coeff=0.5, **EXACT)
        model.blocks[0].conv.__class__ = kind
        model = model.double()
        model(x, edge_index).square().sum().backward()
        results.append([p.grad for p in model.parameters()])
    for fast, general in zip(*results, strict=True):
        torch.testing.assert_close(fast, general, rtol=1e-8, atol=1e-10)


def test_frozen_attention_weights_stay_frozen():
    x, edge_index = graph()
    model = ReverseGAT(4, 6, 3, 2, 4, heads=2)
    model.blocks[0].conv.att_src.requires_grad_(False)
    model = model.double()
    model(x, edge_index).square().sum().backward()
    grads = {name: p.grad for name, p in model.named_parameters()}
    frozen = [name for name, grad in grads.items() if grad is None]
    assert frozen == ["blocks.0.conv.att_src"]
