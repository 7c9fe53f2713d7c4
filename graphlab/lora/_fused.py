"""Projections that a model keeps fused in one matrix, by the names of their parts."""

from collections.abc import Iterator
from typing import Any

from torch import nn

#: Name of the fused projection -> names of its parts, from the first row on.
FUSED = {
    "qkv_proj": ("q_proj", "k_proj", "v_proj"),
    "gate_up_proj": ("gate_proj", "up_proj"),
}


def parts_of(name: str, linear: nn.Linear, config: Any) -> dict[str, tuple[int, int]]:
    """Rows of each part of a fused projection; empty if it is not one.

    ``qkv_proj`` holds all query heads, then the key heads, then the value heads, and
    ``gate_up_proj`` two halves, as in ``transformers``' Phi-3.
    """
    parent, _, last = name.rpartition(".")
    heights = _heights(last, linear, config)
    if sum(heights) != linear.out_features:  # some other layout
        return {}
    rows, at = {}, 0
    for part, height in zip(FUSED[last], heights, strict=True):
        rows[f"{parent}.{part}" if parent else part] = (at, at + height)
        at += height
    return rows


def _heights(last: str, linear: nn.Linear, config: Any) -> tuple[int, ...]:
    if last == "gate_up_proj":
        return (linear.out_features // 2,) * 2
    heads = getattr(config, "num_attention_heads", None)
    if last != "qkv_proj" or not heads:
        return ()
    pairs = getattr(config, "num_key_value_heads", None) or heads
    head = getattr(config, "head_dim", None) or config.hidden_size // heads
    return (heads * head, pairs * head, pairs * head)


def linears(model: nn.Module) -> Iterator[tuple[str, nn.Linear]]:
    """All linear layers by name."""
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            yield name, module
