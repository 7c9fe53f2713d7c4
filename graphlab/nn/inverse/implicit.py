"""The inverse of a residual layer as a differentiable operation."""

from typing import Literal

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from graphlab.errors import ArgumentError
from graphlab.nn.finite import require_finite
from graphlab.nn.inverse.solver import FixedPoint, FixedPointResult, Residual, solve

GRADIENTS = ("implicit", "unroll")


def invert_residual(
    g: Residual,
    y: Tensor,
    settings: FixedPoint | None = None,
    grad: Literal["implicit", "unroll"] = "implicit",
) -> tuple[Tensor, FixedPointResult]:
    r"""Solve :math:`\mathbf{x} + g(\mathbf{x}) = \mathbf{y}` for :math:`\mathbf{x}`.

    As in `"Mitigating Oversmoothing Through Reverse Process of GNNs for Heterophilic
    Graphs" <https://arxiv.org/abs/2403.10543>`_ (Algorithm 1), by
    :math:`\mathbf{x}^{(k + 1)} = \mathbf{y} - g(\mathbf{x}^{(k)})`, which converges
    where :math:`g` contracts: after :math:`k` steps the error is at most :math:`c^k /
    (1 - c)` times the first difference.

    Gradients by the implicit function theorem need the solution alone, whatever the
    number of iterations: for an incoming gradient :math:`\mathbf{v}`, the equation
    :math:`\mathbf{u} + \mathbf{J}_g^{\top} \mathbf{u} = \mathbf{v}` is solved in the
    same way; then :math:`\mathbf{u}` goes to :math:`\mathbf{y}` and
    :math:`-(\partial g / \partial \theta)^{\top} \mathbf{u}` to all that :math:`g`
    computes with.

    Args:
        g: The residual function, of fixed shape; it may use parameters.
        y: Right-hand side.
        settings: Tolerance, cap and kind of iteration.
        grad: ``"implicit"``, or ``"unroll"`` to differentiate every iteration (memory
            grows with their number; no second derivative is lost).

    Shapes:
        - **y:** any
        - **output:** like **y**, and a :class:`FixedPointResult`

    Raises:
        ArgumentError: If ``y`` has a NaN or an infinity, or ``grad`` is unknown.
    """
    settings = settings or FixedPoint()
    check_gradient(grad)
    if grad == "unroll":
        x, result = _unrolled(g, y, settings)
    else:
        x, result = solve(lambda x: _own(g, x), y, settings)
    if not result.finite:
        require_finite("y", y)
    if grad == "implicit" and torch.is_grad_enabled():
        leaf = x.detach().requires_grad_()
        leaf.register_post_accumulate_grad_hook(_forget)
        value = g(leaf)
        x = _Adjoint.apply(x, y, value, leaf, settings)
    return x, result


def check_gradient(grad: str) -> None:
    """Refuse a way to differentiate that is unknown."""
    if grad not in GRADIENTS:
        raise ArgumentError(f"grad must be one of {', '.join(GRADIENTS)}, got {grad!r}")


def _own(g: Residual, x: Tensor) -> Tensor:
    """``g(x)`` in memory that may be overwritten."""
    value = g(x)
    return value.clone() if value is x or value._base is not None else value


def _forget(leaf: Tensor) -> None:
    leaf.grad = None  # a by-product: the adjoint has gone to ``y`` already


def _unrolled(g, y, settings):
    """As the solver, but out of place; no Anderson mixing and no second try."""
    if settings.anderson:
        raise ArgumentError("anderson must be 0 for grad='unroll'")
    x, beta, residual = y, settings.damping, float("nan")
    contraction = float("nan")
    for iteration in range(1, settings.max_iter + 1):  # noqa: B007
        new = y - g(x)
        change = torch.linalg.vector_norm((new - x).detach())
        size = torch.linalg.vector_norm(new.detach())
        before, residual = residual, float(change / (1 + size))
        contraction = residual / before if before > 0 else contraction
        x = new if beta == 1 else torch.lerp(x, new, beta)
        if not residual > settings.tol or residual == float("inf"):
            break
    converged = residual <= settings.tol
    return x, FixedPointResult(iteration, residual, converged, contraction, beta)


class _Adjoint(Function):
    """The identity of ``x``; its gradient solves the adjoint equation."""

    @staticmethod
    def forward(ctx, x, y, value, leaf, settings):
        ctx.value, ctx.leaf, ctx.settings = value, leaf, settings
        return x.view_as(x)

    @staticmethod
    @once_differentiable
    def backward(ctx, v):
        def vjp(u: Tensor) -> Tensor:
            (out,) = torch.autograd.grad(
                ctx.value, ctx.leaf, u, retain_graph=True, allow_unused=True
            )
            return torch.zeros_like(u) if out is None else _own(lambda t: t, out)

        u, _ = solve(vjp, v, ctx.settings)
        return None, u, -u, None, None
