"""Values derived from a tensor or graph, kept for as long as it lives unchanged."""

from collections.abc import Callable, Hashable
from typing import Any

import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

try:  # a private name of torch
    from torch._functorch.pyfunctorch import temporarily_clear_interpreter_stack
except ImportError:
    from contextlib import nullcontext as temporarily_clear_interpreter_stack

_entries: WeakTensorKeyDictionary = WeakTensorKeyDictionary()


def cached(owner: Any, key: Hashable, build: Callable[[], Any]) -> Any:
    """Return ``build()``, remembered for this very ``owner`` and this ``key``.

    Entries belong to the tensor object, not to its address, so a new tensor in
    recycled memory never meets old values; a tensor written to in place starts
    afresh. The value must not hold ``owner`` itself, or neither is ever freed.

    Args:
        owner: A tensor, or an object with a dictionary ``cache`` of its own.
        key: What is derived.
        build: How, if it is not known yet.
    """
    values = _values_of(owner) if isinstance(owner, Tensor) else owner.cache
    if key not in values:
        values[key] = plainly(build)
    return values[key]


def plainly(build: Callable[[], Any]) -> Any:
    """``build()`` outside of inference mode and of any transform of :mod:`torch.func`.

    Inside :func:`torch.func.grad` results are wrapped for its duration, and those of
    inference mode cannot be used in training; what is kept must outlive both.
    """
    with torch.inference_mode(False):
        if not torch._C._are_functorch_transforms_active():
            return build()
        with temporarily_clear_interpreter_stack():
            return build()


def _values_of(tensor: Tensor) -> dict:
    with torch._C.DisableTorchFunction():
        version = 0 if tensor.is_inference() else tensor._version
    entry = _entries.get(tensor)
    if entry is None or entry[0] != version:
        entry = (version, {})
        _entries[tensor] = entry
    return entry[1]
