"""Many residual layers, or their inverses, in a row, at the memory of a few states.

A stack of ``L`` layers keeps a state every ``sqrt(L)`` layers. The backward pass of a
forward run recomputes one section at a time. That of a reverse run goes the way back
without: the state before an inverse is the state after it put through the layer, which
is the very evaluation that the gradient needs; at each kept state it starts from there,
so that no error builds up.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from graphlab.nn.inverse.extrapolation import Extrapolation
from graphlab.nn.inverse.maps import ConvMap, GCNMap
from graphlab.nn.inverse.solver import FixedPoint, FixedPointResult, solve
from graphlab.ops._allocator import keep_freed_memory

Map = GCNMap | ConvMap


@dataclass
class Run:
    """A row of layers, by the blocks that they use.

    Args:
        make_maps: From all tensors to the residual function of every block.
        order: Number of the block of each step.
        settings: How inverses, and adjoints, are solved.
        results: Filled with the result of every inverse.
        adjoints: Filled with the result of every adjoint.
        drift: Filled in the backward pass: how far the states that were recovered
            ended up from those kept, relative to these.
    """

    make_maps: Callable[[Sequence[Tensor]], list[Map]]
    order: Sequence[int]
    settings: FixedPoint = field(default_factory=FixedPoint)
    results: list[FixedPointResult] = field(default_factory=list)
    adjoints: list[FixedPointResult] = field(default_factory=list)
    drift: list[float] = field(default_factory=list)
    keep: bool = True

    @property
    def section(self) -> int:
        """Number of steps between two states that are kept."""
        return math.isqrt(max(0, len(self.order) - 1)) + 1


def forward_run(run: Run, x: Tensor, tensors: Sequence[Tensor]) -> Tensor:
    """The state after all layers ``x + g(x)`` of the run."""
    keep_freed_memory()
    run.keep = _needs_grad(x, tensors)
    return _Forward.apply(run, x, *tensors) if run.order else x


def reverse_run(run: Run, x: Tensor, tensors: Sequence[Tensor]) -> Tensor:
    """The state after all inverses of the run."""
    keep_freed_memory()
    run.keep = _needs_grad(x, tensors)
    return _Reverse.apply(run, x, *tensors) if run.order else x


def _needs_grad(x: Tensor, tensors: Sequence[Tensor]) -> bool:
    learned = any(t.requires_grad for t in (x, *tensors))
    return learned and torch.is_grad_enabled()


class _Forward(Function):
    @staticmethod
    def forward(ctx, run, x, *tensors):
        ctx.run, ctx.maps, ctx.kept = run, run.make_maps(tensors), []
        for step, block in enumerate(run.order):
            if run.keep and step % run.section == 0:
                ctx.kept.append(x)
            x = ctx.maps[block](x).add_(x)
        return x

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        run, gradients = ctx.run, _Gradients(ctx.maps)
        for number in reversed(range(len(ctx.kept))):
            first = number * run.section
            blocks = run.order[first : first + run.section]
            x, section = ctx.kept[number], []
            for block in blocks:
                near = ctx.maps[block].at(x)
                section.append((block, near))
                if len(section) < len(blocks):
                    x = x + near.value
            for block, near in reversed(section):
                gradients.add(block, near, grad)
                grad = near.vjp(grad).add_(grad)
        return None, grad, *gradients.all()


class _Reverse(Function):
    @staticmethod
    def forward(ctx, run, x, *tensors):
        ctx.run, ctx.maps, ctx.kept = run, run.make_maps(tensors), []
        past = _extrapolations(ctx.maps)
        for step, block in enumerate(run.order):
            if run.keep and step % run.section == 0:
                ctx.kept.append(x)
            after, result = solve(
                ctx.maps[block], x, run.settings, past[block].start(x)
            )
            run.results.append(result)
            if not result.finite:  # nor would be what follows
                after = torch.full_like(x, math.nan)
                ctx.kept = None
                break
            past[block].add(x - after)
            x = after
        else:
            after = x
        if run.keep:
            ctx.save_for_backward(after)
        return after

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        run, gradients = ctx.run, _Gradients(ctx.maps)
        if ctx.kept is None:
            return None, torch.full_like(grad, math.nan), *gradients.none()
        (x,) = ctx.saved_tensors
        past, settings = _extrapolations(ctx.maps), _adjoint_settings(run)
        for step in reversed(range(len(run.order))):
            block = run.order[step]
            near = ctx.maps[block].at(x)
            u, result = solve(near.vjp, grad, settings, past[block].start(grad))
            run.adjoints.append(result)
            gradients.add(block, near, u, sign=-1)
            past[block].add(grad - u)
            grad, x = u, _before(ctx, step, x, near.value)
        return None, grad, *gradients.all()


def _before(ctx, step: int, x: Tensor, value: Tensor) -> Tensor:
    """The state before a step: the kept one, or the layer's image of the one after."""
    if step % ctx.run.section:
        return x + value
    kept = ctx.kept[step // ctx.run.section]
    change = torch.linalg.vector_norm(value.add(x).sub_(kept))
    ctx.run.drift.append(float(change / (1 + torch.linalg.vector_norm(kept))))
    return kept


def _adjoint_settings(run: Run) -> FixedPoint:
    r"""Settings under which the adjoint is as exact as its tolerance says.

    After a difference of :math:`\delta` between two iterates, the last one is within
    :math:`\delta \rho / (1 - \rho)` of the solution; the contraction :math:`\rho` is
    known from the way here.
    """
    rates = [r.contraction for r in run.results if r.contraction == r.contraction]
    rate = min(max(rates, default=0.5), 0.5)
    slack = (1 - rate) / max(rate, 0.1)
    return replace(run.settings, tol=run.settings.tol * slack)


def _extrapolations(maps: list[Map]) -> list[Extrapolation]:
    return [Extrapolation() for _ in maps]


class _Gradients:
    """Sums over all steps of the gradients of each block's tensors."""

    def __init__(self, maps: list[Map]):
        self.sums: list[list[Tensor | None]] = [[None] * m.num_tensors for m in maps]

    def add(self, block: int, near, u: Tensor, sign: int = 1) -> None:
        sums = self.sums[block]
        for place, grad in enumerate(near.parameter_grads(u)):
            if grad is None:
                continue
            if sums[place] is None:
                sums[place] = torch.zeros_like(grad)
            sums[place].add_(grad, alpha=sign)

    def all(self) -> list[Tensor | None]:
        return [grad for block in self.sums for grad in block]

    def none(self) -> list[None]:
        return [None for block in self.sums for _ in block]
