"""Layers compile without a break in the graph, to the same values and gradients."""

import shutil

import pytest
import torch

import graphlab.nn as gnn

CONVS = {
    "gcn": lambda: gnn.GCNConv(6, 3),
    "gcn_raw": lambda: gnn.GCNConv(6, 3, normalize=False),
    "gat": lambda: gnn.GATConv(6, 4, heads=2),
    "sage": lambda: gnn.SAGEConv(6, 3),
    "sage_max": lambda: gnn.SAGEConv(6, 3, aggr="max"),
    "cheb": lambda: gnn.ChebConv(6, 3, K=3),
    "appnp": lambda: gnn.APPNPConv(K=3, alpha=0.1),
    "gpr": lambda: gnn.GPRConv(K=3),
    "bern": lambda: gnn.BernConv(K=3),
}


@pytest.mark.parametrize("name", CONVS)
def test_compiled_layers_equal_eager_ones(name, data):
    x, edge_index = data
    conv = CONVS[name]()
    x.requires_grad_()
    compiled = torch.compile(conv, backend="aot_eager", fullgraph=True)
    want, got = conv(x, edge_index), compiled(x, edge_index)
    torch.testing.assert_close(got, want)
    up = torch.randn_like(want)
    (grad_want,) = torch.autograd.grad(want, x, up)
    (grad_got,) = torch.autograd.grad(got, x, up)
    torch.testing.assert_close(grad_got, grad_want)


@pytest.mark.skipif(not shutil.which("g++"), reason="Inductor needs a C++ compiler")
def test_a_model_under_inductor(data):
    model = gnn.GCN(6, 8, 3).eval()
    compiled = torch.compile(model, fullgraph=True)
    torch.testing.assert_close(compiled(*data), model(*data))
