"""What a matrix of node features must look like to be measured."""

import torch
from torch import Tensor

from graphlab.errors import ArgumentError


def in_double(x: Tensor) -> Tensor:
    """The features in float64: squares of float32 overflow early and cancel late."""
    if not isinstance(x, Tensor) or x.layout != torch.strided or x.dim() != 2:
        got = f"{x.layout} {list(x.shape)}" if isinstance(x, Tensor) else type(x)
        raise ArgumentError(f"x must be a dense tensor of shape [N, F], got {got}")
    if not x.is_floating_point():
        raise ArgumentError(f"x must be of a floating point type, got {x.dtype}")
    if 0 in x.shape:
        raise ArgumentError(f"x must have a node and a channel, got {list(x.shape)}")
    return x.double()
