import math

import pytest
import torch

from graphlab.errors import ArgumentError
from graphlab.nn import invert_residual
from graphlab.nn.inverse import FixedPoint
from graphlab.nn.inverse.solver import solve


def linear(factor):
    """A map that contracts by ``factor`` in one direction, less in the others."""
    torch.manual_seed(0)
    basis = torch.linalg.qr(torch.randn(6, 6, dtype=torch.double))[0]
    values = factor * torch.linspace(0.3, 1, 6, dtype=torch.double)
    matrix = basis @ torch.diag(values) @ basis.T
    return matrix, torch.randn(4, 6, dtype=torch.double)


@pytest.mark.parametrize(
    "settings",
    [
        FixedPoint(300, 1e-13),
        FixedPoint(300, 1e-13, check_every=7),
        FixedPoint(300, 1e-13, damping=0.7),
        FixedPoint(300, 1e-13, anderson=3),
    ],
)
def test_finds_the_solution(settings):
    matrix, y = linear(0.8)
    x, result = solve(lambda x: x @ matrix, y, settings)
    exact = torch.linalg.solve(torch.eye(6) + matrix, y, left=False)
    torch.testing.assert_close(x, exact, rtol=1e-11, atol=1e-11)
    assert result.converged and result.iterations < 300


def test_contraction_is_that_of_the_map():
    matrix, y = linear(0.8)
    result = solve(lambda x: x @ matrix, y, FixedPoint(60, 1e-12))[1]
    assert result.contraction == pytest.approx(0.8, abs=1e-3)


def test_anderson_needs_fewer_iterations():
    matrix, y = linear(0.95)
    plain = solve(lambda x: x @ matrix, y, FixedPoint(500, 1e-10))[1]
    mixed = solve(lambda x: x @ matrix, y, FixedPoint(500, 1e-10, anderson=3))[1]
    assert mixed.converged and mixed.iterations < plain.iterations / 3


def test_the_tolerance_is_relative_to_the_state():
    matrix, y = linear(0.5)
    small, large = (
        solve(lambda x: x @ matrix, y * scale, FixedPoint(100, 1e-6))[1]
        for scale in (1e3, 1e9)
    )
    assert small.iterations == large.iterations


def test_says_that_the_cap_came_first():
    matrix, y = linear(0.9)
    calls = []
    result = solve(lambda x: calls.append(1) or x @ matrix, y, FixedPoint(4, 1e-9))[1]
    assert not result.converged and result.iterations == len(calls) == 4
    assert result.residual > 1e-9


def test_damping_comes_to_the_aid_of_an_expanding_map():
    matrix, y = linear(1.5)
    x, result = solve(lambda x: x @ matrix, y, FixedPoint(200, 1e-10))
    assert result.converged and result.damping == 0.5
    torch.testing.assert_close(x + x @ matrix, y, rtol=1e-8, atol=1e-8)


def test_stops_where_an_iterate_is_not_finite():
    calls = []

    def overflows(x):
        calls.append(1)
        return x.square() * 1e200

    y = torch.full((2, 2), 1e100, dtype=torch.double)
    result = solve(overflows, y, FixedPoint(100))[1]
    assert not result.converged and not result.finite and len(calls) < 10
    assert math.isinf(result.contraction)


def test_refuses_a_right_hand_side_that_is_not_finite():
    y = torch.ones(3, 2)
    y[1, 0] = math.nan
    for grad in ("implicit", "unroll"):
        with pytest.raises(ArgumentError, match="y must be finite.* row 1"):
            invert_residual(lambda x: x / 2, y, grad=grad)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"max_iter": 0}, "max_iter"),
        ({"tol": -1.0}, "tol"),
        ({"damping": 0.0}, "damping"),
        ({"damping": 1.5}, "damping"),
        ({"anderson": -1}, "anderson"),
        ({"check_every": 0}, "check_every"),
    ],
)
def test_refuses_settings_out_of_range(arguments, word):
    with pytest.raises(ArgumentError, match=word):
        FixedPoint(**arguments)


def test_refuses_an_unknown_gradient():
    with pytest.raises(ArgumentError, match="implicit, unroll"):
        invert_residual(lambda x: x / 2, torch.ones(2), grad="magic")
