"""Running a module with other tensors in the places of its own."""

import pytest
import torch
from torch import nn
from torch.func import functional_call

from graphlab.training.slots import Slots


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 3)
        self.second = nn.Linear(3, 3)
        self.second.weight = self.first.weight
        self.norm = nn.BatchNorm1d(3)
        self.register_buffer("absent", None)

    def forward(self, x):
        return self.norm(self.second(self.first(x)))


def other_state(model: nn.Module) -> dict[str, torch.Tensor]:
    torch.manual_seed(3)
    named = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    return {
        n: torch.rand_like(t) if t.is_floating_point() else t.clone()
        for n, t in named.items()
    }


def test_equals_functional_call_with_tied_weights_and_buffers():
    model, x = Tied(), torch.randn(5, 3)
    ours, theirs = other_state(model), other_state(model)
    expected = functional_call(model, theirs, (x,))
    assert torch.equal(Slots(model)(ours, (x,)), expected)
    assert not torch.equal(model(x), expected)
    for name in ours:  # running statistics were updated in what was given
        assert torch.equal(ours[name], theirs[name])


def test_the_module_has_its_own_tensors_afterwards():
    model = Tied()
    before = {n: id(t) for n, t in model.named_parameters()}
    slots = Slots(model)
    slots(other_state(model), (torch.randn(5, 3),))
    with pytest.raises(RuntimeError):
        slots(other_state(model), (torch.randn(5, 4),))
    assert {n: id(t) for n, t in model.named_parameters()} == before
    assert model.second.weight is model.first.weight


def test_gradients_reach_the_given_tensors():
    model = Tied()
    state = {
        name: t.requires_grad_(t.is_floating_point() and "running" not in name)
        for name, t in other_state(model).items()
    }
    Slots(model)(state, (torch.randn(5, 3),)).square().sum().backward()
    assert state["first.weight"].grad.abs().sum() > 0
    assert model.first.weight.grad is None
