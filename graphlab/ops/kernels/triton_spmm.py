"""Weighted sums over rows, and the ordered sum of partial results."""

import triton
import triton.language as tl

from graphlab.ops.kernels.triton_common import (
    COUNTS,
    edges_at,
    partial_slots,
    segment_bounds,
    whole_rows,
)


@triton.jit(do_not_specialize=COUNTS)
def spmm_kernel(
    out,  # [B, num_rows, columns]
    partial,  # [B, num_slots, columns] or None
    x,
    weight,  # None: ones
    arg,  # None, or per source and column the only position whose message counts
    arg_position,  # that position's counterpart here
    segment_ptr,
    segment_row,
    segment_slot,
    col,  # None: sources are positions
    perm,
    num_segments,
    num_rows,
    num_slots,
    columns,
    x_b,
    x_n,
    weight_b,
    weight_n,
    arg_b,
    arg_n,
    MEAN: tl.constexpr,
    CHANNELS: tl.constexpr,  # columns per weight; 0: one weight for all
    ACC: tl.constexpr,
    ROWS: tl.constexpr,
    EDGES: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    """``out[b, i, f] = sum_p w[b, perm p, f // CHANNELS] x[b, col p, f]``."""
    segment, inside, begin, length = segment_bounds(segment_ptr, num_segments, ROWS)
    f = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    b = tl.program_id(2).to(tl.int64)
    total = tl.zeros([ROWS, EDGES, COLUMNS], ACC)
    for k in range(0, tl.max(length), EDGES):
        step = k + tl.arange(0, EDGES)
        here = step[None, :] < length[:, None]
        p = begin[:, None] + step[None, :]
        j = edges_at(col, p, here)
        mask = here[:, :, None] & (f < columns)[None, None, :]
        if arg is not None:
            won = tl.load(arg_position + p, mask=here, other=-1)
            at = arg + b * arg_b + (j * arg_n)[:, :, None] + f[None, None, :]
            mask &= tl.load(at, mask=mask, other=-2) == won[:, :, None]
        at = x + b * x_b + (j * x_n)[:, :, None] + f[None, None, :]
        message = tl.load(at, mask=mask, other=0).to(ACC)
        if weight is not None:
            at = weight + b * weight_b + edges_at(perm, p, here) * weight_n
            if CHANNELS == 0:
                message *= tl.load(at, mask=here, other=0).to(ACC)[:, :, None]
            else:
                at = at[:, :, None] + (f // CHANNELS)[None, None, :]
                message *= tl.load(at, mask=mask, other=0).to(ACC)
        total += message
    total = tl.sum(total, 1)  # [ROWS, COLUMNS]
    row = whole_rows(segment_row, segment, inside)
    slot = partial_slots(segment_slot, segment, inside)
    mask = inside[:, None] & (f < columns)[None, :]
    if partial is not None:
        at = partial + ((b * num_slots + slot) * columns)[:, None] + f[None, :]
        tl.store(at, total, mask=mask & (slot >= 0)[:, None])
    if MEAN:
        total /= tl.maximum(length, 1).to(ACC)[:, None]
    at = out + ((b * num_rows + row) * columns)[:, None] + f[None, :]
    tl.store(at, total, mask=mask & (slot < 0)[:, None])


@triton.jit(do_not_specialize=COUNTS)
def sum_partials_kernel(
    out,  # [B, num_rows, columns]
    partial,  # [B, num_slots, columns]
    rowptr,
    split_row,
    split_ptr,
    num_rows,
    num_slots,
    columns,
    MEAN: tl.constexpr,
    ACC: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    """Add what the pieces of a row gave, from first to last."""
    i = tl.program_id(0)
    f = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    b = tl.program_id(2).to(tl.int64)
    row = tl.load(split_row + i).to(tl.int64)
    first = tl.load(split_ptr + i).to(tl.int64)
    pieces = tl.load(split_ptr + i + 1) - tl.load(split_ptr + i)
    at = partial + (b * num_slots + first) * columns + f
    total = tl.zeros([COLUMNS], ACC)
    for _ in range(0, pieces):
        total += tl.load(at, mask=f < columns, other=0)
        at += columns
    if MEAN:
        total /= (tl.load(rowptr + row + 1) - tl.load(rowptr + row)).to(ACC)
    tl.store(out + (b * num_rows + row) * columns + f, total, mask=f < columns)
