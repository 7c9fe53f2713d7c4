"""Models of many layers: their formulas, and what depth does to gradients."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F
import torch_geometric.nn as pyg
from torch.nn.utils import parametrize

from graphlab.errors import ArgumentError
from graphlab.nn import (
    GCNII,
    DeepGCN,
    GCN2Conv,
    LipschitzNorm,
    LipschitzResGNN,
    ResGCN,
)
from graphlab.nn.models import lipschitz_resgnn
from graphlab.ops import gcn_norm
from graphlab.training import Problem, TrainingConfig, fit

CLOSE = {"atol": 1e-5, "rtol": 1e-4}


def a_hat(edge_index, num_nodes):
    edges, weight = gcn_norm(edge_index, None, num_nodes)
    dense = torch.zeros(num_nodes, num_nodes)
    return dense.index_put((edges[1], edges[0]), weight, accumulate=True)


@pytest.mark.parametrize("certified", [True, False])
def test_lipschitz_resgnn_is_its_formula(data, certified):
    x, edge_index = data
    torch.manual_seed(0)
    model = LipschitzResGNN(6, 8, 3, num_layers=4, c=0.5, certified=certified).eval()
    a, h = a_hat(edge_index, 14), model.lin_in(x).relu()
    for block in model.blocks:
        raw = block.conv.lin.parametrizations.weight.original
        norm = torch.linalg.matrix_norm(raw, ord=2)
        assert norm > 0.5
        h = h + (a @ h @ (raw * 0.5 / norm) + block.conv.bias).relu()
    tolerance = CLOSE if certified else {"atol": 2e-2, "rtol": 2e-2}
    torch.testing.assert_close(model(x, edge_index), model.lin_out(h), **tolerance)


@pytest.mark.parametrize("kind", ["gcn", "sage", "gat"])
def test_bound_is_resolved_and_certified(data, kind):
    _, edge_index = data
    model = LipschitzResGNN(6, 8, 3, 10, conv=kind, c="3/L", heads=2, certified=True)
    assert model.c == 0.3
    if kind == "gat":
        assert model.bound() == model.bound(edge_index, 14) == math.inf
        return
    assert 10 < model.bound() <= 1.3**10 * (1 + 1e-5)
    # This graph is directed: it may amplify more than an undirected one.
    assert model.bound() < model.bound(edge_index, 14) < math.inf


def test_bounds_cost_one_normalization_and_one_norm_per_weight(data, monkeypatch):
    model, counts = LipschitzResGNN(6, 8, 3, 12), {"norm": 0, "gcn": 0}
    inner = LipschitzNorm._bounded

    def bounded(self, weight):
        counts["norm"] += 1
        return inner(self, weight)

    def normalized(*args, **kwargs):
        counts["gcn"] += 1
        return gcn_norm(*args, **kwargs)

    monkeypatch.setattr(LipschitzNorm, "_bounded", bounded)
    monkeypatch.setattr(lipschitz_resgnn, "gcn_norm", normalized)
    model(*data)
    assert counts == {"norm": 12, "gcn": 1}
    assert all(parametrize.is_parametrized(b.conv.lin) for b in model.blocks)


@pytest.mark.parametrize("kind", ["gcn", "sage", "gat"])
@pytest.mark.parametrize("training", [True, False])
def test_state_round_trips_after_training(data, kind, training):
    def make():
        return LipschitzResGNN(6, 8, 3, 3, conv=kind, dropout=0.0, c=0.2)

    torch.manual_seed(0)
    model = make()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(3):
        optimizer.zero_grad()
        model(*data).square().mean().backward()
        optimizer.step()
    loaded, copied = make(), copy.deepcopy(model)
    loaded.load_state_dict(model.state_dict())
    want = model.train(training)(*data)
    assert torch.equal(loaded.train(training)(*data), want)
    assert torch.equal(copied.train(training)(*data), want)


@pytest.mark.parametrize("kind", ["gcn", "sage", "gat"])
def test_replicas_are_trained_as_one_by_one(data, kind):
    x, edge_index = data
    y = torch.arange(14) % 3

    def problem(vectorize):
        mask = (torch.arange(14) < 7).expand(2, -1)
        return Problem(
            lambda: LipschitzResGNN(6, 8, 3, num_layers=4, conv=kind, c=0.2),
            x,
            edge_index,
            y,
            3,
            train_mask=mask,
            val_mask=~mask,
            test_mask=~mask,
            seeds=(3, 4),  # with 1, one sum is 0 up to rounding: ReLU's kink
            config=TrainingConfig(epochs=10, lr=0.05, vectorize=vectorize),
        )

    together, apart = fit(problem(True)), fit(problem(False))
    assert together.vectorized and not apart.vectorized
    torch.testing.assert_close(together.logits, apart.logits, atol=1e-4, rtol=1e-3)
    for one, other in zip(together.state_dicts, apart.state_dicts, strict=True):
        torch.testing.assert_close(dict(one), dict(other), atol=1e-4, rtol=1e-3)
    again = fit(problem(True))
    assert torch.equal(again.logits, together.logits)


def gradient_norms(model, x, edge_index):
    """Of the features that the first layer takes, and of those the last gives."""
    kept = []

    def keep(module, args):
        args[0].retain_grad()
        kept.append(args[0])

    layers = model.blocks if hasattr(model, "blocks") else model.convs
    for module in (layers[0], model.lin_out):
        module.register_forward_pre_hook(keep)
    F.cross_entropy(model(x, edge_index), torch.arange(len(x)) % 3).backward()
    return [tensor.grad.norm().item() for tensor in kept]


@pytest.fixture
def ring():
    """An undirected ring with chords: 40 nodes of varying degree."""
    torch.manual_seed(1)
    edges = torch.stack([torch.arange(40), (torch.arange(40) + 1) % 40])
    edges = torch.cat([edges, torch.randint(40, (2, 30))], dim=1)
    return torch.randn(40, 6), torch.cat([edges, edges.flip(0)], dim=1)


def test_depth_leaves_gradients_alone_only_if_the_bound_shrinks_with_it(ring):
    """256 layers, without dropout: first layer's gradient against the last's."""

    def ratio(make, **kwargs):
        torch.manual_seed(0)
        first, last = gradient_norms(make(6, 16, 3, 256, dropout=0.0, **kwargs), *ring)
        return first / last if last and math.isfinite(last) else math.nan

    assert ratio(ResGCN, residual=False) == 0  # underflow
    assert not ratio(ResGCN) < 1e12  # overflow, or close to it
    assert 0.5 < ratio(LipschitzResGNN, c="1/L") < 2
    assert 0.5 < ratio(LipschitzResGNN, c="3/L") < math.exp(3)
    assert ratio(LipschitzResGNN, c=1.0) > 1e6
    assert ratio(LipschitzResGNN, c="1/L", norm="frobenius") < 2


def test_frobenius_bounds_the_more_the_wider_the_layer():
    def spectral(width):
        torch.manual_seed(0)
        model = LipschitzResGNN(6, width, 3, 1, c=1.0, norm="frobenius")
        return model.blocks[0].bound() - 1

    assert spectral(16) > 1.5 * spectral(64) > 2 * spectral(256)


def test_gcn2_equals_pyg(data):
    x, edge_index = data
    x_0, edge_weight = torch.randn_like(x), torch.rand(40)
    for kwargs in ({}, {"theta": 0.5, "layer": 3}, {"add_self_loops": False}):
        ours, theirs = GCN2Conv(6, 0.2, **kwargs), pyg.GCN2Conv(6, 0.2, **kwargs)
        theirs.load_state_dict(ours.state_dict())
        for weight in (None, edge_weight):
            got = ours(x, x_0, edge_index, weight)
            want = theirs(x, x_0, edge_index, weight)
            torch.testing.assert_close(got, want, **CLOSE)
    raw = GCN2Conv(6, 0.2, normalize=False)
    theirs = pyg.GCN2Conv(6, 0.2, normalize=False)
    theirs.load_state_dict(raw.state_dict())
    got, want = raw(x, x_0, edge_index), theirs(x, x_0, edge_index)
    torch.testing.assert_close(got, want, **CLOSE)


def test_gcnii_equals_a_stack_of_pygs_layers(data):
    x, edge_index = data
    model = GCNII(6, 8, 3, num_layers=5, alpha=0.2, theta=0.7).eval()
    h = h_0 = model.lin_in(x).relu()
    for layer, conv in enumerate(model.convs, 1):
        theirs = pyg.GCN2Conv(8, 0.2, 0.7, layer)
        theirs.load_state_dict(conv.state_dict())
        h = theirs(h, h_0, edge_index).relu()
    torch.testing.assert_close(model(x, edge_index), model.lin_out(h), **CLOSE)
    assert torch.equal(model.convs[0].weight1, model.convs[0].state_dict()["weight1"])


@pytest.mark.parametrize("norm", [None, "batch", "pair", "layer"])
@pytest.mark.parametrize("residual", [True, False])
def test_resgcn_is_its_formula(data, norm, residual):
    x, edge_index = data
    torch.manual_seed(0)
    model = ResGCN(6, 8, 3, 3, norm=norm, residual=residual, dropout=0.0)
    a, h = a_hat(edge_index, 14), model.lin_in(x).relu()
    for conv in model.convs:
        new = a @ h @ conv.lin.weight + conv.bias
        if norm == "batch":
            new = (new - new.mean(0)) / (new.var(0, unbiased=False) + 1e-5).sqrt()
        elif norm == "layer":
            new = F.layer_norm(new, (8,))
        elif norm == "pair":
            new = new - new.mean(0)
            new = new / (1e-5 + new.square().sum(-1).mean()).sqrt()
        h = new.relu() + (h if residual else 0)
    got = model(x, edge_index)
    torch.testing.assert_close(got, model.lin_out(h), atol=1e-4, rtol=1e-3)


def test_replicas_of_batch_normalized_layers_are_trained_together(data):
    x, edge_index = data
    mask = (torch.arange(14) < 7).expand(2, -1)
    settings = {"train_mask": mask, "val_mask": ~mask, "test_mask": ~mask}
    for make in (
        lambda: ResGCN(6, 8, 3, 2, norm="batch"),
        lambda: ResGCN(6, 8, 3, 2, norm="pair"),
        lambda: GCNII(6, 8, 3, 2),
        lambda: DeepGCN(6, 8, 3, 2),
    ):
        y, config = torch.arange(14) % 3, TrainingConfig(epochs=2)
        result = fit(
            Problem(make, x, edge_index, y, 3, seeds=(1, 2), config=config, **settings)
        )
        assert result.vectorized, result.reason


def test_deepgcn_runs_in_the_documented_order(data):
    x, edge_index = data
    model = DeepGCN(6, 8, 3, num_layers=3).eval()
    h = model.convs[0].conv(model.lin_in(x), edge_index)
    for layer in model.convs[1:]:
        h = h + layer.conv(layer.norm(h).relu(), edge_index)
    h = model.convs[0].norm(h).relu()
    torch.testing.assert_close(model(x, edge_index), model.lin_out(h), **CLOSE)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LipschitzResGNN(6, 8, 3, 0), "num_layers: must be a whole number"),
        (lambda: LipschitzResGNN(6, 8, 3, c="3*L"), "c: must be"),
        (lambda: LipschitzResGNN(6, 8, 3, c=0), "c: must be"),
        (lambda: LipschitzResGNN(6, 8, 3, conv="gin"), "conv: must be 'gcn'"),
        (lambda: LipschitzResGNN(6, 8, 3, mode="medium"), "mode: must be"),
        (lambda: ResGCN(6, 8, 3, 0), "num_layers: must be"),
        (lambda: ResGCN(6, 8, 3, norm="PairNorm"), "norm: must be 'batch'"),
        (lambda: GCNII(6, 8, 3, 0), "num_layers: must be"),
        (lambda: DeepGCN(6, 8, 3, 0), "num_layers: must be"),
        (lambda: GCN2Conv(6, 0.1, theta=0.5), "theta, layer: give both"),
        (lambda: GCN2Conv(6, 0.1, theta=0.5, layer=0), "theta, layer: must be"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()
