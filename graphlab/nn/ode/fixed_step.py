r"""Explicit Runge-Kutta methods with equal steps, differentiated through the steps.

For :math:`\dot{\mathbf{x}} = f(\mathbf{x})` and a step :math:`h`, with the methods of
the `"Solving Ordinary Differential Equations I"
<https://doi.org/10.1007/978-3-540-78862-1>`_ book (Chapter II.1):

.. math::
    \text{euler (order 1):} \quad & \mathbf{x} + h f(\mathbf{x}) \\
    \text{midpoint (order 2):} \quad & \mathbf{x} + h f(\mathbf{x} + \tfrac{h}{2}
    f(\mathbf{x})) \\
    \text{rk4 (order 4):} \quad & \mathbf{x} + \tfrac{h}{6} (\mathbf{k}_1 +
    2 \mathbf{k}_2 + 2 \mathbf{k}_3 + \mathbf{k}_4)
"""

import math
from collections.abc import Callable

from torch import Tensor

from graphlab.errors import ArgumentError

Field = Callable[[Tensor], Tensor]


def _euler(field: Field, x: Tensor, step: float) -> Tensor:
    return x + step * field(x)


def _midpoint(field: Field, x: Tensor, step: float) -> Tensor:
    return x + step * field(x + step / 2 * field(x))


def _rk4(field: Field, x: Tensor, step: float) -> Tensor:
    k1 = field(x)
    k2 = field(x + step / 2 * k1)
    k3 = field(x + step / 2 * k2)
    k4 = field(x + step * k3)
    return x + step / 6 * (k1 + 2 * (k2 + k3) + k4)


FIXED_STEP = {"euler": _euler, "midpoint": _midpoint, "rk4": _rk4}


def solve_fixed_step(
    field: Field, x: Tensor, time: float, step_size: float, method: str = "rk4"
) -> Tensor:
    r"""The state after a time, by steps of equal size.

    Every evaluation of the field stays in the graph of the backward pass, so gradients
    are those of what was computed, and memory grows with the number of steps.

    Args:
        field: The derivative :math:`f`, which does not depend on time.
        x: The state :math:`\mathbf{x}(0)`.
        time: Time at which the state is wanted; a negative one runs backwards.
        step_size: Longest step; steps are shortened so that they end at ``time``.
        method: ``"euler"``, ``"midpoint"`` or ``"rk4"``.

    Raises:
        ArgumentError: If the method is unknown or ``step_size`` is not positive.
    """
    if method not in FIXED_STEP:
        accepted = ", ".join(FIXED_STEP)
        raise ArgumentError(f"method must be one of {accepted}, got {method!r}")
    if not step_size > 0:
        raise ArgumentError(f"step_size must be positive, got {step_size!r}")
    count = math.ceil(abs(time) / step_size - 1e-9)  # 0.3 / 0.1 is three steps
    for _ in range(count):
        x = FIXED_STEP[method](field, x, time / count)
    return x
