"""The adaptive Dormand-Prince method, by torchdiffeq."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from graphlab.errors import ArgumentError


def import_torchdiffeq():
    """The module torchdiffeq.

    Raises:
        ArgumentError: It is not installed.
    """
    try:
        import torchdiffeq
    except ImportError:
        raise ArgumentError(
            "method 'dopri5' needs torchdiffeq, which is not installed: "
            "pip install 'graphlab-pyg[ode]', or choose euler, midpoint or rk4"
        ) from None
    return torchdiffeq


def solve_adaptive(
    field: Callable[[Tensor], Tensor],
    x: Tensor,
    time: float,
    rtol: float,
    atol: float,
    adjoint_params: Sequence[Tensor] | None = None,
) -> Tensor:
    r"""The state after a time, by ``dopri5`` of `torchdiffeq
    <https://github.com/rtqichen/torchdiffeq>`_ with steps of its own choice.

    Args:
        field: The derivative :math:`f`, which does not depend on time.
        x: The state :math:`\mathbf{x}(0)`. One that is not finite is handed back: no
            step is short enough for it.
        time: Time at which the state is wanted; a negative one runs backwards.
        rtol: Relative tolerance of a step.
        atol: Absolute tolerance of a step.
        adjoint_params: Tensors that ``field`` depends on, to get the gradients from the
            adjoint equation, with memory that does not grow with the number of steps;
            :obj:`None` to differentiate through the steps.
    """  # noqa: D205
    torchdiffeq = import_torchdiffeq()
    if time == 0 or not bool(x.isfinite().all()):
        return x
    times = torch.tensor([0.0, time], dtype=x.dtype, device=x.device)
    options = {"rtol": rtol, "atol": atol, "method": "dopri5"}

    def derivative(_: Tensor, state: Tensor) -> Tensor:
        return field(state)

    if adjoint_params is None:
        return torchdiffeq.odeint(derivative, x, times, **options)[-1]
    options["adjoint_params"] = tuple(adjoint_params)
    return torchdiffeq.odeint_adjoint(derivative, x, times, **options)[-1]
