"""Solves x + g(x) = y by fixed-point iteration, and says how far it got."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from graphlab.errors import ArgumentError
from graphlab.nn._checks import require_whole
from graphlab.nn.inverse.anderson import Anderson

Residual = Callable[[Tensor], Tensor]
_DAMPED = 0.5  # share of the new iterate where the plain iteration expands
_STRIDE = {"cpu": 1}  # reading a norm stalls any other device: there, every third
_FLOOR = 8  # differences below so many roundings say nothing about contraction


@dataclass(frozen=True)
class FixedPoint:
    r"""How :math:`\mathbf{x} + g(\mathbf{x}) = \mathbf{y}` is solved.

    .. math::
        \mathbf{x}^{(k + 1)} = (1 - \beta) \mathbf{x}^{(k)}
        + \beta \left( \mathbf{y} - g(\mathbf{x}^{(k)}) \right)

    until :math:`\| \mathbf{x}^{(k + 1)} - \mathbf{x}^{(k)} \|_F \le \epsilon \, (1 +
    \| \mathbf{x}^{(k + 1)} \|_F)`: relative to the state, for states may grow or
    shrink by orders of magnitude over a stack of layers.

    Args:
        max_iter: Most evaluations of :math:`g`.
        tol: Tolerance :math:`\epsilon`.
        damping: Share :math:`\beta \in (0, 1]` of the new iterate.
        anderson: Number of past iterates that Anderson acceleration mixes, 0 for none.
        check_every: Number of iterations between two looks at the residual, by default
            1 on CPU and 3 elsewhere, where each look waits for the device.

    Raises:
        ArgumentError: If a value is out of its range.
    """

    max_iter: int = 10
    tol: float = 1e-5
    damping: float = 1.0
    anderson: int = 0
    check_every: int | None = None

    def __post_init__(self) -> None:
        require_whole("max_iter", self.max_iter, 1)
        require_whole("anderson", self.anderson, 0)
        if self.check_every is not None:
            require_whole("check_every", self.check_every, 1)
        if not (isinstance(self.tol, float | int) and 0 <= self.tol < math.inf):
            raise ArgumentError(f"tol must not be negative, got {self.tol!r}")
        if not (isinstance(self.damping, float | int) and 0 < self.damping <= 1):
            raise ArgumentError(f"damping must lie in (0, 1], got {self.damping!r}")

    def stride(self, x: Tensor) -> int:
        """Iterations between two looks at the residual of ``x``."""
        return self.check_every or _STRIDE.get(x.device.type, 3)


@dataclass(frozen=True)
class FixedPointResult:
    """How far a fixed-point iteration got.

    Args:
        iterations: Number of evaluations of the residual function.
        residual: Last relative difference of two iterates.
        converged: Whether that is within the tolerance.
        contraction: Factor by which an iteration last shrank that difference, an
            estimate of the Lipschitz constant along the way; NaN where too few
            differences were seen.
        damping: Share of the new iterate that was used in the end.
    """

    iterations: int
    residual: float
    converged: bool
    contraction: float
    damping: float = 1.0

    @property
    def finite(self) -> bool:
        """Whether no iterate overflowed or became NaN."""
        return math.isfinite(self.residual)


@torch.no_grad()
def solve(
    g: Residual, y: Tensor, settings: FixedPoint, start: Tensor | None = None
) -> tuple[Tensor, FixedPointResult]:
    """The solution of ``x + g(x) = y``, without gradients.

    An iteration that expands is tried again with damping. It stops at once where an
    iterate is not finite.

    Args:
        g: The residual function; returns a new tensor that the solver may overwrite.
        y: Right-hand side.
        settings: Tolerance, cap and kind of iteration.
        start: First iterate (overwritten), by default ``y``.
    """
    x, result = _iterate(g, y, settings, start)
    expands = not result.converged and result.contraction >= 1
    if not expands or settings.damping <= _DAMPED:
        return x, result
    damped = replace(settings, damping=_DAMPED, anderson=0)
    other, second = _iterate(g, y, damped, None)
    spent = result.iterations + second.iterations
    if second.residual < result.residual:  # NaN is never better
        x, result = other, second
    return x, replace(result, iterations=spent)


def _iterate(g, y, settings, start):
    x, owned = (y, False) if start is None else (start, True)
    mixer = Anderson(settings.anderson) if settings.anderson else None
    stride, beta = settings.stride(y), settings.damping
    floor = _FLOOR * torch.finfo(y.dtype).eps
    residual = contraction = before = math.nan
    seen = 0
    for iteration in range(1, settings.max_iter + 1):
        new = g(x)
        torch.sub(y, new, out=new)
        looked = iteration % stride == 0 or iteration == settings.max_iter
        old, image = x, new
        if mixer is not None:
            new = mixer.next(old, image)
        if beta < 1:
            new = torch.lerp(old, new, beta)
        if looked:  # the old iterate makes room for the difference
            difference = torch.sub(old, image, out=old if owned else None)
            change, residual = _change(difference, image)
        x, owned = new, True
        if not looked:
            continue
        if before > 0 and residual > floor:
            contraction = (change / before) ** (1 / (iteration - seen))
        before, seen = change, iteration
        if not math.isfinite(residual) or residual <= settings.tol:
            break
    contraction = contraction if math.isfinite(residual) else math.inf
    converged = residual <= settings.tol
    return x, FixedPointResult(iteration, residual, converged, contraction, beta)


def _change(difference: Tensor, x: Tensor) -> tuple[float, float]:
    """Size of a difference, as it is and relative to the state."""
    sizes = torch.stack([torch.linalg.vector_norm(t) for t in (difference, x)])
    change, size = sizes.tolist()  # the only wait for the device
    return change, change / (1 + size)
