"""The base of all autograd functions of this package."""

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

try:  # private names of torch, for speed alone: see FusedFunction
    from torch._C._functorch import TransformType, _add_batch_dim, _unwrap_batched
    from torch._functorch.autograd_function import VmapInfo
    from torch._functorch.pyfunctorch import retrieve_current_functorch_interpreter
    from torch._functorch.utils import unwrap_dead_wrappers
except ImportError:
    TransformType = None


class FusedFunction(Function):
    """A function that costs little to call, as such or under :func:`torch.func.vmap`.

    On small graphs torch's general handling of a call takes longer than the product
    itself. So the signature is looked up once, not at every call; and the vmap rule is
    called directly, where torch would first flatten all arguments as nested
    containers. Ours are tensors and constants side by side.
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "forward" in cls.__dict__:
            cls.forward.__signature__ = inspect.signature(cls.forward)

    @classmethod
    def apply(cls, *args):
        """Call the function; see :meth:`torch.autograd.Function.apply`."""
        # What runs inside are kernels: no mode has a say there, but would be asked at
        # every look at a shape.
        with torch._C.DisableTorchFunction():
            if TransformType is None:
                return super().apply(*args)
            if torch._C._are_functorch_transforms_active():
                return cls._transformed(args)
            if not torch.is_grad_enabled():
                return cls.forward(*args)
            # Past torch's Python wrapper, which would look up the signature again.
            return super(Function, cls).apply(*unwrap_dead_wrappers(args))

    @classmethod
    def _transformed(cls, args: tuple):
        interpreter = retrieve_current_functorch_interpreter()
        if interpreter.key() != TransformType.Vmap:
            return super().apply(*args)
        level = interpreter.level()
        pairs = [
            _unwrap_batched(a, level) if isinstance(a, Tensor) else (a, None)
            for a in args
        ]
        dims = tuple(dim for _, dim in pairs)
        if all(dim is None for dim in dims):
            return super().apply(*args)
        info = VmapInfo(interpreter.batch_size(), interpreter.randomness())
        with interpreter.lower():
            out, out_dims = cls.vmap(info, dims, *[value for value, _ in pairs])
        return _wrap(out, out_dims, level)


def _wrap(out: Any, dims: Any, level: int) -> Any:
    if isinstance(out, Sequence):
        return tuple(_wrap(o, d, level) for o, d in zip(out, dims, strict=True))
    return out if dims is None or out is None else _add_batch_dim(out, dims, level)
