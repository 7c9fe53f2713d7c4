"""How Triton kernels are launched: sizes of tiles, strides of arguments."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

from graphlab.ops._segments import Segments, segments
from graphlab.ops.csr import Csr

# Edges per segment: short enough that a hub's piece takes no longer than a few hundred
# ordinary rows, long enough that partial results stay below a percent of the traffic.
SEGMENT_LENGTH = 256

WARPS = 4  # of a program, unless a row alone is too wide for them
MAX_COLUMNS = 256  # columns of a tile, where there is a choice


class Tile(NamedTuple):
    """Segments per program, edges of each per step, and warps to hold them."""

    rows: int
    edges: int
    warps: int


def tile(width: int, dtype: torch.dtype, per_thread: int = 16) -> Tile:
    """The shape of a tile with ``width`` columns and ``per_thread`` values a thread.

    One warp per row is what several rows aim at: most rows are short, and a warp that
    has one of its own waits for no other. Narrow tiles take more edges, then some more
    rows: rows and edges have addresses to hold, which in too large numbers would spill.
    A value of float64 takes two registers, so half as many fit.
    """
    per_thread = per_thread // 2 if dtype == torch.float64 else per_thread
    size = 32 * WARPS * per_thread
    edges = min(16, max(1, size // (WARPS * width)))
    rows = min(8, max(1, size // (edges * width)))
    return Tile(rows, edges, min(16, max(WARPS, width // (32 * per_thread))))


def column_block(columns: int) -> int:
    """Columns per tile: all of them up to a limit, else what wastes fewer lanes."""
    if columns <= MAX_COLUMNS:
        return power_of_2(columns)
    half = MAX_COLUMNS // 2
    few, many = (triton.cdiv(columns, size) * size for size in (half, MAX_COLUMNS))
    return half if few < many else MAX_COLUMNS


def head_block(heads: int, channels: int) -> int:
    """Heads per tile, if all ``channels`` of a head (a power of 2) are in it."""
    return min(power_of_2(heads), max(1, MAX_COLUMNS // channels))


def power_of_2(size: int) -> int:
    """The smallest power of 2 that is not below ``size``."""
    return triton.next_power_of_2(max(1, size))


def accumulator(dtype: torch.dtype) -> tuple[torch.dtype, Any]:
    """The type to add up in, for torch and for Triton."""
    if dtype == torch.float64:
        return torch.float64, tl.float64
    return torch.float32, tl.float32


def launch(
    kernel: Any, grid: tuple[int, ...], arguments: Mapping[str, Any], warps: int = WARPS
) -> None:
    """Run ``kernel`` on the device of its first argument; no program, no launch."""
    if 0 in grid:
        return
    with torch.cuda.device_of(next(iter(arguments.values()))):
        run(kernel, grid, arguments, warps)


def run(
    kernel: Any, grid: tuple[int, ...], arguments: Mapping[str, Any], warps: int
) -> None:
    """Hand a launch over to Triton."""
    kernel[grid](**arguments, num_warps=warps, enable_fp_fusion=True)


def strided(**tensors: Tensor | None) -> dict[str, Any]:
    """Tensors with their strides between replicas (``_b``) and rows (``_n``).

    One replica that all share has a stride of 0.
    """
    arguments = {}
    for name, x in tensors.items():
        shared = x is None or x.size(0) == 1
        arguments[name] = x
        arguments[f"{name}_b"] = 0 if shared else x.stride(0)
        arguments[f"{name}_n"] = 0 if x is None else x.stride(1)
    return arguments


def pieces(graph: Csr) -> Segments:
    """The segments that programs work on."""
    return segments(graph, SEGMENT_LENGTH)


def structure(graph: Csr, parts: Segments) -> dict[str, Any]:
    """A graph and its segments, as most kernels take them."""
    return {
        "segment_ptr": parts.ptr,
        "segment_row": parts.row,
        "segment_slot": parts.slot,
        "col": graph.col,
        "perm": graph.perm,
        "num_segments": parts.num_segments,
    }


def split_rows(parts: Segments) -> dict[str, Tensor | None]:
    """The rows in several pieces, as the kernels that merge them take them."""
    return {"split_row": parts.split_row, "split_ptr": parts.split_ptr}


def partials(
    parts: Segments, like: Tensor, *columns: int, dtype: torch.dtype
) -> Tensor | None:
    """Room for ``[B, T, ...]`` results of the pieces of split rows, if any."""
    if parts.num_slots == 0:
        return None
    return like.new_empty(like.size(0), parts.num_slots, *columns, dtype=dtype)


def segment_grid(
    parts: Segments, rows: int, blocks: int, batch: int
) -> tuple[int, int, int]:
    """Programs over segments, blocks of columns or heads, and replicas."""
    return triton.cdiv(parts.num_segments, rows), blocks, batch
