import math
import sys

import pytest
import torch
from scipy.linalg import expm

from graphlab.errors import ArgumentError
from graphlab.nn.ode import FIXED_STEP, solve_adaptive, solve_fixed_step

ORDERS = {"euler": 1, "midpoint": 2, "rk4": 4}


@pytest.fixture
def linear():
    """A generator of a random walk, a state, and the exact flow."""
    generator = torch.Generator().manual_seed(0)
    walk = torch.rand(6, 6, dtype=torch.double, generator=generator)
    matrix = walk / walk.sum(1, keepdim=True) - torch.eye(6, dtype=torch.double)
    x = torch.randn(6, 3, dtype=torch.double, generator=generator)

    def exact(time):
        return torch.from_numpy(expm(time * matrix.numpy())) @ x

    return matrix, x, exact


@pytest.mark.parametrize("method", FIXED_STEP)
@pytest.mark.parametrize("time", [1.5, -1.5])
def test_error_falls_with_the_order_of_the_method(linear, method, time):
    matrix, x, exact = linear

    def error(step):
        found = solve_fixed_step(lambda z: matrix @ z, x, time, step, method)
        return float((found - exact(time)).norm())

    coarse, fine = error(0.1), error(0.05)
    assert fine > 1e-13  # not yet rounding
    assert math.log2(coarse / fine) == pytest.approx(ORDERS[method], abs=0.15)


def test_non_linear_field():
    """The stages are nested rightly: on a linear field a wrong nesting may not show."""
    x = torch.tensor([0.5], dtype=torch.double)
    exact = x / (x + (1 - x) * math.exp(-2))  # logistic growth
    for method, order in ORDERS.items():
        errors = [
            abs(float(solve_fixed_step(lambda z: z * (1 - z), x, 2.0, h, method)) - e)
            for h in (0.1, 0.05)
            for e in [float(exact)]
        ]
        assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.3)


@pytest.mark.parametrize(
    ("time", "step", "evaluations"),
    [(1.0, 0.25, 4), (0.3, 0.1, 3), (-1.0, 0.3, 4), (0.1, 1.0, 1), (0.0, 1.0, 0)],
)
def test_steps_are_equal_and_end_at_the_time(time, step, evaluations):
    calls = []

    def field(z):
        calls.append(z)
        return torch.ones_like(z)

    x = solve_fixed_step(field, torch.zeros(1), time, step, "euler")
    assert len(calls) == evaluations
    assert float(x) == pytest.approx(time)


def test_there_and_back_again(linear):
    matrix, x, _ = linear

    def field(z):
        return matrix @ z

    errors = []
    for method in FIXED_STEP:
        there = solve_fixed_step(field, x, 2.0, 0.05, method)
        back = solve_fixed_step(field, there, -2.0, 0.05, method)
        errors.append(float((back - x).abs().max()))
    assert errors[2] < 1e-6 < errors[1] < 1e-2 < errors[0]


@pytest.mark.parametrize("method", FIXED_STEP)
def test_gradients_through_the_steps(linear, method):
    matrix, x, _ = linear

    def run(matrix, x):
        return solve_fixed_step(lambda z: torch.tanh(matrix @ z), x, 0.5, 0.2, method)

    assert torch.autograd.gradcheck(
        run, (matrix.clone().requires_grad_(), x.clone().requires_grad_())
    )


def test_bad_arguments():
    x = torch.zeros(1)
    with pytest.raises(ArgumentError, match="method must be one of euler"):
        solve_fixed_step(torch.neg, x, 1.0, 0.1, "heun")
    with pytest.raises(ArgumentError, match="step_size must be positive"):
        solve_fixed_step(torch.neg, x, 1.0, 0.0)


def test_missing_torchdiffeq_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchdiffeq", None)
    with pytest.raises(ArgumentError, match=r"pip install 'graphlab-pyg\[ode\]'"):
        solve_adaptive(torch.neg, torch.zeros(1), 1.0, 1e-5, 1e-5)


@pytest.mark.parametrize("time", [1.5, -1.5])
def test_adaptive_steps_reach_the_exact_flow(linear, time):
    pytest.importorskip("torchdiffeq")
    matrix, x, exact = linear
    found = solve_adaptive(lambda z: matrix @ z, x, time, 1e-9, 1e-9)
    torch.testing.assert_close(found, exact(time), atol=1e-7, rtol=1e-7)


def test_adjoint_gives_the_gradients_of_the_steps(linear):
    pytest.importorskip("torchdiffeq")
    matrix, x, _ = linear
    grads = []
    for adjoint in (False, True):
        weight, start = matrix.clone().requires_grad_(), x.clone().requires_grad_()
        product = 2 * weight  # not a leaf, as attention is not
        out = solve_adaptive(
            lambda z, product=product: product @ z,
            *(start, 1.0, 1e-9, 1e-9),
            adjoint_params=(product,) if adjoint else None,
        )
        grads.append(torch.autograd.grad(out.square().sum(), (weight, start)))
    torch.testing.assert_close(grads[1], grads[0], atol=1e-6, rtol=1e-6)


def test_adaptive_hands_back_what_no_step_is_short_enough_for():
    pytest.importorskip("torchdiffeq")
    x = torch.tensor([float("nan"), 1.0])
    assert solve_adaptive(torch.neg, x, 1.0, 1e-5, 1e-5) is x
    assert solve_adaptive(torch.neg, x[1:], 0.0, 1e-5, 1e-5).tolist() == [1.0]
