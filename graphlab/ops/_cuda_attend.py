"""Launches of the attention kernels of :mod:`graphlab.ops.cuda`."""

from typing import Any, NamedTuple

import torch
import triton
from torch import Tensor

from graphlab.ops._cuda_spmm import row_sums, sum_partials
from graphlab.ops._layout import rows_contiguous
from graphlab.ops.csr import Csr
from graphlab.ops.kernels.triton_attend import attend_kernel, attend_partials_kernel
from graphlab.ops.kernels.triton_attend_backward import (
    attend_source_kernel,
    gatv2_destination_kernel,
    row_dot_kernel,
)
from graphlab.ops.kernels.triton_launch import (
    accumulator,
    head_block,
    launch,
    partials,
    pieces,
    power_of_2,
    segment_grid,
    split_rows,
    strided,
    structure,
    tile,
)


def attend(
    graph: Csr,
    kind: str,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    att: Tensor | None,
    slope: float,
    scale: float,
    keep: float,
    seeds: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """Attention ``[B, Nd, H, C]`` over the edges of rows, and log-sum-exp of scores."""
    scores = _Scores.of(kind, query, key, att, slope, scale, keep, seeds)
    value = rows_contiguous(value)
    batch, _, heads, channels = value.shape
    parts, (acc, acc_triton) = pieces(graph), accumulator(value.dtype)
    shape = (batch, graph.num_dst, heads)
    blocks, warps = scores.blocks(value)
    result = {
        "out": value.new_empty(*shape, channels),
        "lse": value.new_empty(shape, dtype=acc),
        "partial": partials(parts, value, heads, channels, dtype=acc),
        "partial_top": partials(parts, value, heads, dtype=acc),
        "partial_sum": partials(parts, value, heads, dtype=acc),
        "num_rows": graph.num_dst,
        "num_slots": parts.num_slots,
        "HEADS": heads,
        "CHANNELS": channels,
        "ACC": acc_triton,
        "HEAD_BLOCK": blocks["HEAD_BLOCK"],
        "CHANNEL_BLOCK": blocks["CHANNEL_BLOCK"],
    }
    operands = scores.arguments() | strided(value=value) | structure(graph, parts)
    operands |= blocks | {"VALUE_H": value.stride(2)}
    programs = triton.cdiv(heads, blocks["HEAD_BLOCK"])
    grid = segment_grid(parts, blocks["ROWS"], programs, batch)
    launch(attend_kernel, grid, result | operands, warps)
    if parts.num_slots:
        grid = (parts.split_row.numel(), programs, batch)
        launch(attend_partials_kernel, grid, result | split_rows(parts))
    return result["out"], result["lse"]


def attend_backward(
    graph: Csr,
    kind: str,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    att: Tensor | None,
    slope: float,
    scale: float,
    keep: float,
    seeds: Tensor | None,
    out: Tensor,
    lse: Tensor,
    grad_out: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """Gradients of :func:`attend` for query, key, value and attention vector."""
    scores = _Scores.of(kind, query, key, att, slope, scale, keep, seeds)
    delta = _row_dots(rows_contiguous(out), rows_contiguous(grad_out))
    grad_key, grad_value, grad_score = _over_sources(
        graph.t(), scores, rows_contiguous(value), lse, delta, rows_contiguous(grad_out)
    )
    grad_att = None
    if kind == "gatv2":
        grad_query, grad_att = _gatv2_over_destinations(graph, scores, grad_score)
    elif kind == "additive":
        dtype = query.dtype
        grad_query = row_sums(graph, grad_score, over_edges=True, dtype=dtype)
    else:
        grad_query = row_sums(graph, scores.key.flatten(2), grad_score)
    return grad_query.view(query.shape), grad_key, grad_value, grad_att


class _Scores(NamedTuple):
    """What scores and dropout are computed from."""

    kind: str
    query: Tensor
    key: Tensor
    att: Tensor | None
    slope: float
    scale: float
    keep: float
    seeds: Tensor | None

    @classmethod
    def of(cls, kind, query, key, att, *scalars) -> "_Scores":
        att = None if att is None else rows_contiguous(att)
        *numbers, seeds = scalars
        if seeds is not None:  # one per replica, also where all share one
            seeds = seeds.expand(key.size(0)).contiguous()
        query, key = rows_contiguous(query), rows_contiguous(key)
        return cls(kind, query, key, att, *numbers, seeds)

    @property
    def channels(self) -> int:
        """Channels that a score is summed over."""
        return 1 if self.kind == "additive" else self.key.size(3)

    def arguments(self) -> dict[str, Any]:
        """All of it, as the kernels take it."""
        gatv2 = self.kind == "gatv2"
        return {
            **self.operands(),
            "seeds": self.seeds,
            "slope": float(self.slope),
            "scale": float(self.scale),
            "threshold": round(self.keep * 2**24),
            "factor": 1 / self.keep,
            "KIND": self.kind,
            "ATT_H": self.att.stride(1) if gatv2 else 0,
        }

    def operands(self) -> dict[str, Any]:
        """Query, key and attention vector, with their strides."""
        additive, att = self.kind == "additive", self.att
        return {
            **strided(query=self.query, key=self.key),
            "att": att,
            "att_b": 0 if att is None or att.size(0) == 1 else att.stride(0),
            "SCORED": self.channels,
            "QUERY_H": 1 if additive else self.query.stride(2),
            "KEY_H": 1 if additive else self.key.stride(2),
        }

    def blocks(self, value: Tensor) -> tuple[dict[str, int], int]:
        """Sizes of a tile that holds all channels of some heads, and its warps."""
        channels, scored = power_of_2(value.size(3)), power_of_2(self.channels)
        heads = head_block(value.size(2), max(channels, scored))
        # Fewer values than elsewhere: sums of keys and of values stand side by side.
        per_thread = 4 if value.dtype == torch.float64 else 8
        size = tile(heads * max(channels, scored), value.dtype, per_thread)
        names = "ROWS EDGES HEAD_BLOCK CHANNEL_BLOCK SCORED_BLOCK".split()
        sizes = (size.rows, size.edges, heads, channels, scored)
        return dict(zip(names, sizes, strict=True)), size.warps


def _row_dots(x: Tensor, y: Tensor) -> Tensor:
    """Inner products of ``[B, N, H, C]`` with another, ``[B, N, H]``."""
    batch, num_rows, heads, channels = x.shape
    acc, acc_triton = accumulator(x.dtype)
    out = x.new_empty(batch, num_rows, heads, dtype=acc)
    channel_block = power_of_2(channels)
    heads_at_once = head_block(heads, channel_block)
    width = heads_at_once * channel_block
    rows = tile(width, x.dtype).rows
    arguments = {
        "out": out,
        **strided(x=x, y=y),
        "num_rows": num_rows,
        "HEADS": heads,
        "CHANNELS": channels,
        "X_H": x.stride(2),
        "Y_H": y.stride(2),
        "ACC": acc_triton,
        "ROWS": rows,
        "HEAD_BLOCK": heads_at_once,
        "CHANNEL_BLOCK": channel_block,
    }
    blocks = triton.cdiv(heads, heads_at_once)
    launch(row_dot_kernel, (triton.cdiv(num_rows, rows), blocks, batch), arguments)
    return out


def _over_sources(
    graph: Csr, scores: _Scores, value: Tensor, lse: Tensor, delta: Tensor, grad: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of key, value and scores; the structure is the transposed one."""
    batch, _, heads, channels = value.shape
    parts, (acc, acc_triton) = pieces(graph), accumulator(value.dtype)
    key = scores.key
    grad_key, grad_value = key.new_empty(key.shape), value.new_empty(value.shape)
    grad_score = value.new_empty(batch, graph.num_edges, heads, dtype=acc)
    partial_key = partials(parts, key, heads * scores.channels, dtype=acc)
    partial_value = partials(parts, value, heads * channels, dtype=acc)
    blocks, warps = scores.blocks(value)
    arguments = {
        "grad_key": grad_key,
        "grad_value": grad_value,
        "grad_score": grad_score,
        "partial_key": partial_key,
        "partial_value": partial_value,
        **scores.arguments(),
        **strided(value=value, lse=rows_contiguous(lse), grad=grad),
        "delta": delta,
        **structure(graph, parts),
        "num_rows": graph.num_dst,
        "num_neighbours": graph.num_src,
        "num_slots": parts.num_slots,
        "num_edges": graph.num_edges,
        "HEADS": heads,
        "CHANNELS": channels,
        "VALUE_H": value.stride(2),
        "GRAD_H": grad.stride(2),
        "ACC": acc_triton,
        **blocks,
    }
    programs = triton.cdiv(heads, blocks["HEAD_BLOCK"])
    grid = segment_grid(parts, blocks["ROWS"], programs, batch)
    launch(attend_source_kernel, grid, arguments, warps)
    sum_partials(graph, parts, grad_key, partial_key)
    sum_partials(graph, parts, grad_value, partial_value)
    return grad_key, grad_value, grad_score


def _gatv2_over_destinations(
    graph: Csr, scores: _Scores, grad_score: Tensor
) -> tuple[Tensor, Tensor]:
    """Gradients of query and attention vector."""
    query, att = scores.query, scores.att
    batch, num_rows, heads, channels = query.shape
    parts, (acc, acc_triton) = pieces(graph), accumulator(query.dtype)
    block = power_of_2(channels)
    heads_at_once = head_block(heads, block)
    size = tile(heads_at_once * block, query.dtype, 8)
    programs = triton.cdiv(heads, heads_at_once)
    grid = segment_grid(parts, size.rows, programs, batch)
    # Programs leave one sum each, which torch adds up: also in a fixed order.
    grad_att = query.new_zeros(batch, grid[0], heads, channels, dtype=acc)
    grad_query = query.new_empty(query.shape)
    partial = partials(parts, query, heads * channels, dtype=acc)
    arguments = {
        "grad_query": grad_query,
        "grad_att": grad_att,
        "partial": partial,
        **scores.operands(),
        "ATT_H": att.stride(1),
        "grad_score": grad_score,
        **structure(graph, parts),
        "num_rows": num_rows,
        "num_slots": parts.num_slots,
        "num_edges": graph.num_edges,
        "slope": float(scores.slope),
        "HEADS": heads,
        "ACC": acc_triton,
        "ROWS": size.rows,
        "EDGES": size.edges,
        "HEAD_BLOCK": heads_at_once,
        "SCORED_BLOCK": block,
    }
    launch(gatv2_destination_kernel, grid, arguments, size.warps)
    sum_partials(graph, parts, grad_query, partial)
    total = grad_att.sum((0, 1)).unsqueeze(0) if att.size(0) == 1 else grad_att.sum(1)
    return grad_query, total.to(att.dtype)
