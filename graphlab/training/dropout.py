"""Dropout noise that belongs to a replica, however replicas are grouped."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor
from torch.overrides import TorchFunctionMode

from graphlab.ops._function import FusedFunction

_LEVELS = 2**16


class _ReplicaDropout(FusedFunction):
    """Dropout whose mask comes from the generator of the replica.

    `token` is the only argument that is certain to be batched under ``vmap``: it
    makes the rule below apply even to an input that all replicas share.
    """

    @staticmethod
    def forward(
        x: Tensor, p: float, token: Tensor, generators: list[Generator]
    ) -> tuple[Tensor, Tensor]:
        mask = _draw(torch.empty_like(x).unsqueeze(0), p, generators[:1])[0]
        return x * mask, mask

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: tuple) -> None:
        ctx.save_for_backward(output[1])
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    def backward(ctx: Any, grad: Tensor, _: Any) -> tuple:
        (mask,) = ctx.saved_tensors
        return grad * mask, None, None, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple, x, p, token, generators) -> tuple:
        dim = in_dims[0]
        if dim is None:
            mask, dim = x.new_empty(info.batch_size, *x.shape), 0
        else:
            mask = torch.empty_like(x)
        _draw(mask.movedim(dim, 0), p, generators)
        return (x * mask, mask), (dim, dim)


class _ReplicaIntegers(FusedFunction):
    """:func:`torch.randint`, from the generator of the replica; see above."""

    @staticmethod
    def forward(token: Tensor, generators: list[Generator], arguments: tuple) -> Tensor:
        args, kwargs = arguments
        return torch.randint(*args, generator=generators[0], **kwargs)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        ctx.mark_non_differentiable(output)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple:
        return None, None, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple, token, generators, arguments) -> tuple:
        args, kwargs = arguments
        drawn = [torch.randint(*args, generator=g, **kwargs) for g in generators]
        return torch.stack(drawn), 0


def _draw(mask: Tensor, p: float, generators: Sequence[Generator]) -> Tensor:
    """Fills masks ``[R, ...]`` with 0 and ``1 / (1 - p)``, 16 random bits an entry.

    Raw bits are about ten times cheaper than ``bernoulli_``, which dominated the
    epochs of large graphs; in exchange `p` is rounded to a multiple of 2^-16.
    """
    dropped = round(p * _LEVELS)
    if dropped == _LEVELS:
        return mask.zero_()
    count = mask[0].numel()
    words = torch.empty(
        len(generators), -(-count // 4), dtype=torch.long, device=mask.device
    )
    for row, generator in zip(words, generators, strict=True):
        row.random_(-(2**63), None, generator=generator)
    bits = words.view(torch.int16)[:, :count].view(mask.shape)
    kept = bits >= dropped - _LEVELS // 2
    return torch.mul(kept, _LEVELS / (_LEVELS - dropped), out=mask)


class ReplicaNoise(TorchFunctionMode):
    """Sends dropout to the replicas' generators.

    That is :func:`torch.nn.functional.dropout`, and :func:`torch.randint`, from which
    :func:`graphlab.ops.attend` takes the seed of its dropout.

    Inside the mode, replica `r` draws from ``generators[r]`` alone. So its noise is
    the same whether it is trained by itself or among others, and stays the same
    when a neighbour leaves the batch.
    """

    def __init__(self, generators: Sequence[Generator], token: Tensor):
        super().__init__()
        self.generators = list(generators)
        self.token = token
        self.drawn = False  # whether anything was drawn inside the mode

    def __torch_function__(self, func: Callable, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is F.dropout:
            return self._dropout(*args, **kwargs)
        if func is torch.randint and kwargs.get("generator") is None:
            self.drawn = True
            return _ReplicaIntegers.apply(self.token, self.generators, (args, kwargs))
        return func(*args, **kwargs)

    def _dropout(
        self, input: Tensor, p: float = 0.5, training: bool = True, inplace=False
    ) -> Tensor:
        if not training or p == 0.0:
            return input
        if not 0.0 <= p <= 1.0:
            return F.dropout(input, p, training)  # torch words the error
        self.drawn = True
        return _ReplicaDropout.apply(input, p, self.token, self.generators)[0]
