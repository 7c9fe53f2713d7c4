"""Which implementation of the operations is used, and why."""

import os
import warnings
from functools import cache
from importlib.util import find_spec
from types import ModuleType
from typing import NamedTuple

import torch

from graphlab.errors import ArgumentError

VARIABLE = "GRAPHLAB_BACKEND"
NAMES = ("reference", "cpu", "torch", "cuda")


class Backend(NamedTuple):
    """The implementation that serves a type of device."""

    name: str
    reason: str
    module: ModuleType


def backend(device: str | torch.device = "cpu") -> Backend:
    """Tell which backend the operations use on a device, and why.

    ``"cpu"`` are the C++ kernels, ``"cuda"`` the Triton kernels, ``"torch"`` torch's
    sparse products, which serve where the kernels cannot, and ``"reference"`` the plain
    formulas. The environment variable ``GRAPHLAB_BACKEND`` forces one of them.

    Args:
        device: The device of the tensors.

    Raises:
        ArgumentError: If ``GRAPHLAB_BACKEND`` names no backend, or one that cannot
            serve the device.
    """
    forced = os.environ.get(VARIABLE, "")
    kind = device.type if isinstance(device, torch.device) else str(device)
    return _choose(kind.split(":")[0], forced)


@cache
def _choose(device: str, forced: str) -> Backend:
    if forced and forced not in NAMES:
        raise ArgumentError(
            f"{VARIABLE} must be one of {', '.join(NAMES)}, got {forced!r}"
        )
    if forced in ("reference", "torch"):
        return _load(forced, f"{VARIABLE}={forced}")
    kernels = "cuda" if device == "cuda" else "cpu"
    obstacle = _obstacle(device)
    if forced and (forced != kernels or obstacle):
        obstacle = obstacle or f"tensors are on {device}"
        raise ArgumentError(f"{VARIABLE}={forced} cannot be used: {obstacle}")
    if not obstacle:
        return _load(kernels, f"{VARIABLE}={forced}" if forced else _asset(kernels))
    if device == "cpu":
        warnings.warn(
            f"graphlab works through torch's sparse products, since {obstacle}",
            stacklevel=2,
        )
    return _load("torch", obstacle)


def _obstacle(device: str) -> str:
    """Why a device's own kernels cannot be used; empty if they can."""
    if device == "cpu":
        from graphlab.ops import cpu

        return cpu.why_not()
    if device != "cuda":
        return f"there are no kernels for {device}"
    return "" if find_spec("triton") else "triton is not installed"


def _asset(name: str) -> str:
    if name == "cuda":
        return "Triton kernels"
    return f"C++ kernels for {torch.backends.cpu.get_cpu_capability()}"


def _load(name: str, reason: str) -> Backend:
    # Imported when chosen: Triton is not everywhere, and torch's path is rarely used.
    if name == "cpu":
        from graphlab.ops import cpu as module
    elif name == "cuda":
        from graphlab.ops import cuda as module
    elif name == "torch":
        from graphlab.ops import torch_csr as module
    else:
        from graphlab.ops import reference as module
    return Backend(name, reason, module)


def kernels_for(x: torch.Tensor) -> ModuleType:
    """The module that serves a tensor."""
    return _choose(x.device.type, os.environ.get(VARIABLE, "")).module
