"""The bound of a weight: what it is, and what training and saving must not change."""

import copy

import pytest
import torch
import torch_geometric.nn as pyg
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

from graphlab.errors import ArgumentError
from graphlab.nn import (
    FeatureLinear,
    GATConv,
    LipschitzNorm,
    held,
    lipschitz_norm,
    resolve_bound,
)
from graphlab.nn.norm.lipschitz_norm import unbounded

NORMS = {
    "spectral": {"norm": "spectral", "num_iterations": 200},
    "certified": {"norm": "spectral", "certified": True},
    "frobenius": {"norm": "frobenius"},
}


def norm_of(weight, norm):
    return torch.linalg.matrix_norm(weight, ord="fro" if norm == "frobenius" else 2)


def bounded(weight, **kwargs):
    lin = nn.Linear(*reversed(weight.shape), bias=False).to(weight.dtype)
    with torch.no_grad():
        lin.weight.copy_(weight)
    return lipschitz_norm(lin, **kwargs)


def norm_module(lin):
    return lin.parametrizations.weight[0]


@pytest.fixture
def weight():
    torch.manual_seed(0)
    return torch.randn(7, 5, dtype=torch.double)


@pytest.mark.parametrize("mode", ["soft", "hard"])
@pytest.mark.parametrize("kind", NORMS)
@pytest.mark.parametrize("c", [0.3, 100.0])
def test_the_formula(weight, kind, mode, c):
    lin = bounded(weight, c=c, mode=mode, **NORMS[kind])
    norm = norm_of(weight, NORMS[kind]["norm"])
    scale = c / norm if mode == "hard" else min(1.0, c / norm)
    torch.testing.assert_close(lin.weight, weight * scale, rtol=1e-6, atol=1e-9)
    got = norm_module(lin).bound(weight)
    want = torch.linalg.matrix_norm(lin.weight, ord=2).item()
    assert got == pytest.approx(want) and got <= c * (1 + 1e-6)


@pytest.mark.parametrize("kind", NORMS)
def test_a_small_weight_is_left_bit_for_bit(weight, kind):
    norm = norm_of(weight, NORMS[kind]["norm"]).item()
    lin = bounded(weight, c=1.001 * norm, **NORMS[kind])
    assert torch.equal(lin.weight, weight)


@pytest.mark.parametrize("kind", NORMS)
@pytest.mark.parametrize("mode", ["soft", "hard"])
def test_gradients_flow_through_the_norm(weight, kind, mode):
    norm = LipschitzNorm(weight, c=0.5, mode=mode, **NORMS[kind])
    norm.restart(weight)
    norm.eval()
    weight.requires_grad_()
    assert torch.autograd.gradcheck(norm, weight, atol=1e-6)
    # Scaling does not change a weight at its bound, so along itself the slope is 0,
    # which it is not for a scale that is cut off from the graph.
    (grad,) = torch.autograd.grad(norm(weight).square().sum(), weight)
    assert (grad * weight).sum().abs() < 1e-6
    assert grad.norm() > 1e-3 or NORMS[kind]["norm"] == "frobenius"


@pytest.mark.parametrize("kind", NORMS)
@pytest.mark.parametrize("mode", ["soft", "hard"])
def test_a_zero_weight_has_finite_gradients_and_recovers(kind, mode):
    lin = bounded(torch.zeros(4, 3), c=0.5, mode=mode, **NORMS[kind])
    lin.weight.sum().backward()
    assert torch.equal(lin.weight, torch.zeros(4, 3))
    assert lin.parametrizations.weight.original.grad.isfinite().all()
    with torch.no_grad():
        lin.parametrizations.weight.original.copy_(torch.randn(4, 3) * 10)
    assert norm_of(lin.weight, NORMS[kind]["norm"]).item() == pytest.approx(0.5, 1e-3)


@pytest.mark.parametrize("dim", [0, 1])
@pytest.mark.parametrize("kind", NORMS)
def test_each_block_is_bounded_by_itself(kind, dim):
    torch.manual_seed(0)
    heads = [torch.randn(5, 4) * size for size in (0.01, 1, 100)]
    weight = torch.cat(heads, dim=-1) if dim else torch.cat([h.T for h in heads])
    lin = bounded(weight, c=0.5, num_blocks=3, dim=dim, **NORMS[kind])
    first, second, third = lin.weight.chunk(3, dim=dim)
    norm = NORMS[kind]["norm"]
    assert torch.equal(first, heads[0] if dim else heads[0].T)
    assert norm_of(second, norm).item() == pytest.approx(0.5, 1e-3)
    assert norm_of(third, norm).item() == pytest.approx(0.5, 1e-3)
    original = lin.parametrizations.weight.original
    assert norm_module(lin).bound(original) <= 0.5 * (1 + 1e-3)


def train(lin, steps, x):
    optimizer = torch.optim.SGD(lin.parameters(), lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        (lin(x) - x.flip(-1)).square().mean().backward()
        optimizer.step()
        lin(x)


def test_the_estimate_follows_training():
    torch.manual_seed(0)
    lin = lipschitz_norm(nn.Linear(16, 16), c=0.7)
    train(lin, 100, torch.randn(64, 16))
    bound = norm_module(lin).bound(lin.parametrizations.weight.original)
    assert 0.69 < bound < 0.7 * 1.05  # nearly all singular values crowd at the bound


def test_the_vector_advances_once_per_change_in_training_mode_only():
    torch.manual_seed(0)
    lin = lipschitz_norm(FeatureLinear(8, 8), c=0.5, dim=-1)
    norm, original = norm_module(lin), lin.parametrizations.weight.original

    def vector_after(access):
        access()
        return norm.vector.clone()

    start = norm.vector.clone()
    assert torch.equal(vector_after(lambda: lin.weight), start)
    with torch.no_grad():
        original.add_(torch.randn(8, 8))
    lin.eval()
    assert torch.equal(vector_after(lambda: lin.weight), start)
    lin.train()
    moved = vector_after(lambda: lin.weight)
    assert not torch.equal(moved, start)
    assert torch.equal(vector_after(lambda: (lin.weight, lin.weight)), moved)


def test_backward_after_the_weight_moved_on():
    lin = lipschitz_norm(nn.Linear(4, 4), c=0.1)
    first = lin.weight
    with torch.no_grad():
        lin.parametrizations.weight.original.mul_(torch.rand(4, 4))
    lin.weight.sum().backward()  # advances what `first` was computed with
    with pytest.raises(RuntimeError, match="inplace"):  # the parameter, as always
        first.sum().backward()
    lin.zero_grad()
    second = lin.weight
    norm_module(lin).restart(torch.randn(4, 4))
    second.sum().backward()


def pyg_linear():
    return lipschitz_norm(pyg.Linear(6, 6), c=0.5)


def own_linear():
    return lipschitz_norm(FeatureLinear(6, 6), c=0.5, dim=-1)


@pytest.mark.parametrize("make", [pyg_linear, own_linear])
@pytest.mark.parametrize("training", [True, False])
def test_a_saved_state_gives_identical_outputs(make, training):
    torch.manual_seed(0)
    lin, x = make(), torch.randn(20, 6)
    train(lin, 5, x)
    fresh = make()
    state = lin.state_dict()
    assert "weight" not in state and "parametrizations.weight.original" in state
    fresh.load_state_dict(state)
    twin = copy.deepcopy(lin)
    for module in (lin, fresh, twin):
        module.train(training)
    assert torch.equal(fresh(x), lin(x)) and torch.equal(twin(x), lin(x))
    assert torch.equal(fresh(x), lin(x)) and torch.equal(twin.weight, lin.weight)
    assert twin.state_dict().keys() == state.keys()


def test_held_computes_once_and_nests():
    stack = nn.Sequential(own_linear(), nn.ReLU(), own_linear())
    with held(stack) as weights:
        assert [w is lin.weight for w, lin in zip(weights, stack[::2], strict=True)]
        assert stack[0].weight is weights[0] and stack[2].weight is weights[1]
        with held(stack) as inner:
            assert inner[0] is weights[0]
        with held(stack[0], detach=True) as (leaf,):
            assert stack[0].weight is leaf and leaf.is_leaf and leaf.requires_grad
            assert torch.equal(leaf, weights[0])
        assert stack[0].weight is weights[0]
    assert stack[0].weight is not weights[0]
    with pytest.raises(KeyError), held(stack):
        raise KeyError
    assert stack[0].weight is not stack[0].weight
    assert copy.deepcopy(stack)[0].weight.shape == (6, 6)


def test_held_gradients_add_up_over_calls():
    torch.manual_seed(0)
    lin, x = own_linear(), torch.randn(3, 6)
    lin(lin(lin(x))).sum().backward()
    want = lin.parametrizations.weight.original.grad.clone()
    lin.zero_grad()
    with held(lin):
        lin(lin(lin(x))).sum().backward()
    torch.testing.assert_close(lin.parametrizations.weight.original.grad, want)


def test_frozen_weights_stay_frozen():
    lin = own_linear().requires_grad_(False)
    with held(lin, detach=True) as (leaf,):
        assert not leaf.requires_grad


def test_reset_reaches_the_parameter():
    lin = own_linear()
    before = lin.parametrizations.weight.original.clone()
    with unbounded(lin):
        lin.reset_parameters()
    assert not torch.equal(lin.parametrizations.weight.original, before)
    exact = norm_module(lin).bound(lin.parametrizations.weight.original)
    assert exact == pytest.approx(0.5, 2e-2)


class Twice(nn.Module):
    def __init__(self, **kwargs):
        super().__init__()
        self.lin = lipschitz_norm(FeatureLinear(6, 6), c=0.5, dim=-1, **kwargs)

    def forward(self, x):
        with held(self):
            return self.lin(self.lin(x))


@pytest.mark.parametrize("kind", NORMS)
def test_replicas_equal_one_by_one(kind):
    torch.manual_seed(0)
    lins = [Twice(**(NORMS[kind] | {"num_iterations": 2})) for _ in range(3)]
    params, buffers = stack_module_state(lins)
    x = torch.randn(4, 6)

    def call(params, buffers):
        return functional_call(lins[0], (params, buffers), (x,))

    def step():
        out = vmap(call)(params, buffers)
        grads = torch.autograd.grad(out.square().sum(), list(params.values()))
        for r, lin in enumerate(lins):
            single = lin(x)
            torch.testing.assert_close(out[r], single)
            want = torch.autograd.grad(single.square().sum(), list(lin.parameters()))
            torch.testing.assert_close(tuple(g[r] for g in grads), want)

    step()
    # Only the second replica's weight changes: only its vector may move.
    old = {name: b.clone() for name, b in buffers.items()}
    name = "lin.parametrizations.weight.original"
    with torch.no_grad():
        params[name][1] += 1
        lins[1].lin.parametrizations.weight.original += 1
    step()
    for name, buffer in buffers.items():
        assert torch.equal(buffer[0], old[name][0])
        assert not torch.equal(buffer[1], old[name][1])


def test_bounding_draws_no_random_numbers():
    torch.manual_seed(0)
    GATConv(4, 4)
    want = torch.rand(1)
    torch.manual_seed(0)
    lipschitz_norm(GATConv(4, 4).lin, c=0.5)
    assert torch.equal(torch.rand(1), want)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"c": 0}, "c: must be a positive"),
        ({"c": float("inf")}, "c: must be a positive"),
        ({"c": float("nan")}, "c: must be a positive"),
        ({"c": True}, "c: must be a positive"),
        ({"c": "1/L"}, "c: must be a positive"),
        ({"norm": "l1"}, "norm: must be one of 'spectral'"),
        ({"mode": "firm"}, "mode: must be one of 'soft'"),
        ({"num_iterations": 0}, "num_iterations: must be a whole number"),
        ({"num_blocks": 4}, "num_blocks: 4 must divide the 6 outputs"),
        ({"dim": 2}, "dim: must be one of"),
        ({"name": "w"}, "Linear has no parameter 'w'"),
        ({"name": "bias"}, "weight: must be a real matrix"),
    ],
)
def test_bad_arguments(kwargs, message):
    with pytest.raises(ArgumentError, match=message):
        lipschitz_norm(pyg.Linear(6, 6), **kwargs)


def test_other_misuse():
    with pytest.raises(ArgumentError, match="already"):
        lipschitz_norm(own_linear())
    with pytest.raises(ArgumentError, match="no shape yet"):
        lipschitz_norm(pyg.Linear(-1, 6))


def test_bounds_that_depend_on_depth():
    assert resolve_bound(0.5, 7) == 0.5 and resolve_bound(2, 7) == 2.0
    assert resolve_bound("1/L", 8) == 0.125
    assert resolve_bound(" 3 / L ", 4) == 0.75 and resolve_bound("0.5/L", 2) == 0.25
    for wrong in ("1/l", "L", "0/L", "1/8", "-1/L", "", -1.0, None, [1]):
        with pytest.raises(ArgumentError, match="c: must be"):
            resolve_bound(wrong, 8)
    for wrong in (0, -1, 2.0, True):
        with pytest.raises(ArgumentError, match="num_layers: must be"):
            resolve_bound("1/L", wrong)
