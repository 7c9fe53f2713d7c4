"""Checks of arguments; each error names the argument and what is accepted."""

import math

import torch
from torch import Tensor

from ..errors import ArgumentError


def check_number(
    name: str, value: float, low: float, high: float, open_low: bool = False
) -> None:
    """Raise an ArgumentError unless ``low <= value <= high`` (``<`` if open) holds."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and math.isfinite(value) and low <= value <= high:
        if not (open_low and value == low):
            return
    bound = f"> {low}" if open_low else f">= {low}"
    accepted = f"a number {bound}" if high == math.inf else f"{low} <= {name} <= {high}"
    raise ArgumentError(f"{name}: got {value!r}; accepted is {accepted}")


def check_count(name: str, value: int, low: int) -> None:
    """Raise an ArgumentError unless the value is an integer of at least ``low``."""
    is_int = isinstance(value, int) and not isinstance(value, bool)
    if not is_int or value < low:
        raise ArgumentError(f"{name}: got {value!r}; accepted is an integer >= {low}")


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise an ArgumentError unless the value is one of the choices."""
    if value not in choices:
        accepted = " or ".join(repr(choice) for choice in choices)
        raise ArgumentError(f"{name}: got {value!r}; accepted is {accepted}")


def check_edges(edge_index: Tensor, nodes: Tensor, edge_weight: Tensor | None) -> None:
    """Raise an ArgumentError unless edges and weights fit a graph on ``nodes``."""
    is_edges = (
        isinstance(edge_index, Tensor)
        and edge_index.layout == torch.strided
        and edge_index.dtype in (torch.int64, torch.int32)
        and edge_index.dim() == 2
        and edge_index.size(0) == 2
    )
    if not is_edges:
        raise ArgumentError(
            "edge_index: not a [2, E] tensor of integers; accepted is int64 or int32, "
            "shape [2, E] (convert a sparse adjacency matrix first)"
        )
    check_device("edge_index", edge_index, nodes)
    if edge_index.numel():
        low, high = (int(end) for end in torch.aminmax(edge_index))
        if low < 0 or high >= nodes.numel():
            raise ArgumentError(
                f"edge_index: holds node {low if low < 0 else high} but y has "
                f"{nodes.numel()} nodes; accepted are 0 to {nodes.numel() - 1}"
            )
    if edge_weight is not None:
        _check_weight(edge_weight, edge_index)


def _check_weight(edge_weight: Tensor, edge_index: Tensor) -> None:
    if not isinstance(edge_weight, Tensor) or edge_weight.shape != edge_index.shape[1:]:
        raise ArgumentError(
            f"edge_weight: not one number per edge; accepted is a tensor of shape "
            f"[{edge_index.size(1)}]"
        )
    check_device("edge_weight", edge_weight, edge_index)
    if edge_weight.is_complex() or not bool(
        (torch.isfinite(edge_weight) & (edge_weight >= 0)).all()
    ):
        raise ArgumentError(
            "edge_weight: holds a negative, infinite or complex entry; accepted are "
            "finite numbers >= 0"
        )


def check_device(name: str, tensor: Tensor, other: Tensor) -> None:
    """Raise an ArgumentError when two tensors live on different devices."""
    if tensor.device != other.device:
        raise ArgumentError(
            f"{name}: is on {tensor.device}, other arguments are on {other.device}; "
            "accepted are tensors on one device"
        )


def describe(value: object) -> str:
    """What an argument is, in words for an error message."""
    if isinstance(value, Tensor):
        return f"a {value.dtype} tensor of shape {list(value.shape)}"
    return f"a {type(value).__name__}"
