"""Launches of the row sums that several operations of the Triton backend need."""

import torch
import triton
from torch import Tensor

from graphlab.ops._layout import rows_contiguous
from graphlab.ops._segments import Segments
from graphlab.ops.csr import Csr
from graphlab.ops.kernels.triton_launch import (
    accumulator,
    column_block,
    launch,
    partials,
    pieces,
    segment_grid,
    split_rows,
    strided,
    structure,
    tile,
)
from graphlab.ops.kernels.triton_spmm import spmm_kernel, sum_partials_kernel


def row_sums(
    graph: Csr,
    x: Tensor,
    weight: Tensor | None = None,
    *,
    mean: bool = False,
    over_edges: bool = False,
    arg: Tensor | None = None,
    arg_position: Tensor | None = None,
    dtype: torch.dtype | None = None,
) -> Tensor:
    """Sums of ``weight [B or 1, E, H]`` times ``x [B, Ns, F]`` over rows.

    Args:
        graph: The structure.
        x: One row per source, or per edge if ``over_edges``.
        weight: Weights; by default 1.
        mean: Whether to divide by the number of edges.
        over_edges: Whether ``x`` has one row per edge.
        arg: For every source and column the only position that counts, if given.
        arg_position: For every position of ``graph`` what ``arg`` calls it.
        dtype: Type of the result, by default that of ``x``.
    """
    x = rows_contiguous(x)
    batch, _, columns = x.shape
    parts, (acc, acc_triton) = pieces(graph), accumulator(x.dtype)
    out = x.new_empty(batch, graph.num_dst, columns, dtype=dtype or x.dtype)
    partial = partials(parts, x, columns, dtype=acc)
    block = column_block(columns)
    shape = tile(block, x.dtype)
    arguments = {
        "out": out,
        "partial": partial,
        **strided(x=x, arg=None if arg is None else rows_contiguous(arg)),
        **weights(weight, columns),
        "arg_position": arg_position,
        **structure(graph, parts),
        "num_rows": graph.num_dst,
        "num_slots": parts.num_slots,
        "columns": columns,
        "MEAN": mean,
        "ACC": acc_triton,
        "ROWS": shape.rows,
        "EDGES": shape.edges,
        "COLUMNS": block,
    }
    if over_edges:
        arguments["col"] = graph.perm
    blocks = triton.cdiv(columns, block)
    grid = segment_grid(parts, shape.rows, blocks, batch)
    launch(spmm_kernel, grid, arguments, shape.warps)
    sum_partials(graph, parts, out, partial, mean)
    return out


def weights(weight: Tensor | None, columns: int) -> dict:
    """Edge weights as kernels take them, with the number of columns each is for."""
    if weight is None:
        return strided(weight=None) | {"CHANNELS": 0}
    heads = weight.size(2)
    channels = 0 if heads == 1 else columns // max(1, heads)
    return strided(weight=rows_contiguous(weight)) | {"CHANNELS": channels}


def sum_partials(
    graph: Csr, parts: Segments, out: Tensor, partial: Tensor | None, mean: bool = False
) -> None:
    """Add partial results up, into the split rows of the contiguous ``out``."""
    if partial is None:
        return
    batch, slots, columns = partial.shape
    block = column_block(columns)
    arguments = {
        "out": out,
        "partial": partial,
        "rowptr": graph.rowptr,
        **split_rows(parts),
        "num_rows": out.size(1),
        "num_slots": slots,
        "columns": columns,
        "MEAN": mean,
        "ACC": accumulator(partial.dtype)[1],
        "COLUMNS": block,
    }
    grid = (parts.split_row.numel(), triton.cdiv(columns, block), batch)
    launch(sum_partials_kernel, grid, arguments)
