"""The places of a module that hold its parameters and buffers."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn


class Slots:
    """Calls a module with other parameters and buffers, again and again.

    The same as :func:`torch.func.functional_call` with all of them given, except that
    the module is searched for its parameters once, not at every call. A parameter that
    occurs in several places is filled in at all of them.
    """

    def __init__(self, module: nn.Module):
        self.module = module
        names = {id(t): name for name, t in module.named_parameters()}
        names |= {id(t): name for name, t in module.named_buffers()}
        self.places = [
            (holder, key, names[id(tensor)], tensor)
            for part in module.modules()
            for holder in (part._parameters, part._buffers)
            for key, tensor in holder.items()
            if tensor is not None
        ]

    def __call__(self, state: Mapping[str, Tensor], arguments: Sequence) -> Any:
        """The module's output with the tensors of `state`, by their first names."""
        with self.filled(state):
            return self.module(*arguments)

    @contextmanager
    def filled(self, state: Mapping[str, Tensor]) -> Iterator[None]:
        """The tensors of `state` are the module's own for the length of the block."""
        try:
            for holder, key, name, _ in self.places:
                holder[key] = state[name]
            yield
        finally:
            for holder, key, _, original in self.places:
                holder[key] = original
