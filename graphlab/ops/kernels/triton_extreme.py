"""Largest (or smallest) weighted messages of rows, and where they come from."""

import triton
import triton.language as tl

from graphlab.ops.kernels.triton_common import (
    COUNTS,
    edges_at,
    partial_slots,
    segment_bounds,
    whole_rows,
)

NOWHERE = tl.constexpr(2**31 - 1)  # no position found yet; positions stay below


@triton.jit
def _beats(value, arg, best, best_arg):
    """Whether a later value takes the lead: NaN before all, first before equal."""
    larger = (value > best) | ((value != value) & (best == best))
    return (arg != NOWHERE) & (larger | (best_arg == NOWHERE))


@triton.jit(do_not_specialize=COUNTS)
def extreme_kernel(
    out,  # [B, num_rows, columns]
    out_arg,
    partial,  # [B, num_slots, columns] or None
    partial_arg,
    x,
    weight,  # None: ones
    segment_ptr,
    segment_row,
    segment_slot,
    col,
    perm,
    num_segments,
    num_rows,
    num_slots,
    columns,
    x_b,
    x_n,
    weight_b,
    weight_n,
    LARGEST: tl.constexpr,
    CHANNELS: tl.constexpr,  # columns per weight; 0: one weight for all
    ACC: tl.constexpr,
    ROWS: tl.constexpr,
    EDGES: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    """``out[b, i, f] = max_p w[b, perm p, f // CHANNELS] x[b, col p, f]``."""
    segment, inside, begin, length = segment_bounds(segment_ptr, num_segments, ROWS)
    f = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    b = tl.program_id(2).to(tl.int64)
    best = tl.full([ROWS, EDGES, COLUMNS], float("-inf"), ACC)
    best_arg = tl.full([ROWS, EDGES, COLUMNS], NOWHERE, tl.int32)
    for k in range(0, tl.max(length), EDGES):
        step = k + tl.arange(0, EDGES)
        here = step[None, :] < length[:, None]
        p = begin[:, None] + step[None, :]
        j = edges_at(col, p, here)
        mask = here[:, :, None] & (f < columns)[None, None, :]
        at = x + b * x_b + (j * x_n)[:, :, None] + f[None, None, :]
        message = tl.load(at, mask=mask, other=0).to(ACC)
        if weight is not None:
            at = weight + b * weight_b + edges_at(perm, p, here) * weight_n
            if CHANNELS == 0:
                message *= tl.load(at, mask=here, other=0).to(ACC)[:, :, None]
            else:
                at = at[:, :, None] + (f // CHANNELS)[None, None, :]
                message *= tl.load(at, mask=mask, other=0).to(ACC)
        if not LARGEST:
            message = -message
        arg = tl.where(mask, p.to(tl.int32)[:, :, None], NOWHERE)
        take = _beats(message, arg, best, best_arg)
        best = tl.where(take, message, best)
        best_arg = tl.where(take, arg, best_arg)
    # Of the lanes that reach the top of the row, or of those with NaN, the first one.
    nan = (best != best) & (best_arg != NOWHERE)
    any_nan = tl.max(nan.to(tl.int32), 1)  # [ROWS, COLUMNS]
    top = tl.max(tl.where(nan, float("-inf"), best), 1)
    leads = tl.where(any_nan[:, None, :] > 0, nan, best == top[:, None, :])
    arg = tl.min(tl.where(leads, best_arg, NOWHERE), 1)
    top = tl.where(any_nan > 0, float("nan"), top)
    row = whole_rows(segment_row, segment, inside)
    slot = partial_slots(segment_slot, segment, inside)
    mask = inside[:, None] & (f < columns)[None, :]
    if partial is not None:
        at = ((b * num_slots + slot) * columns)[:, None] + f[None, :]
        tl.store(partial + at, top, mask=mask & (slot >= 0)[:, None])
        tl.store(partial_arg + at, arg, mask=mask & (slot >= 0)[:, None])
    at = ((b * num_rows + row) * columns)[:, None] + f[None, :]
    mask &= (slot < 0)[:, None]
    _store_extreme(out, out_arg, at, top, arg, mask, LARGEST)


@triton.jit(do_not_specialize=COUNTS)
def extreme_partials_kernel(
    out,  # [B, num_rows, columns]
    out_arg,
    partial,  # [B, num_slots, columns]
    partial_arg,
    split_row,
    split_ptr,
    num_rows,
    num_slots,
    columns,
    LARGEST: tl.constexpr,
    ACC: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    """The first of the largest among the pieces of a row."""
    i = tl.program_id(0)
    f = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    b = tl.program_id(2).to(tl.int64)
    row = tl.load(split_row + i).to(tl.int64)
    first = tl.load(split_ptr + i).to(tl.int64)
    pieces = tl.load(split_ptr + i + 1) - tl.load(split_ptr + i)
    at = (b * num_slots + first) * columns + f
    best = tl.full([COLUMNS], float("-inf"), ACC)
    best_arg = tl.full([COLUMNS], NOWHERE, tl.int32)
    for _ in range(0, pieces):
        value = tl.load(partial + at, mask=f < columns, other=0)
        arg = tl.load(partial_arg + at, mask=f < columns, other=NOWHERE)
        take = _beats(value, arg, best, best_arg)
        best = tl.where(take, value, best)
        best_arg = tl.where(take, arg, best_arg)
        at += columns
    at = (b * num_rows + row) * columns + f
    _store_extreme(out, out_arg, at, best, best_arg, f < columns, LARGEST)


@triton.jit
def _store_extreme(out, out_arg, at, value, arg, mask, LARGEST: tl.constexpr):
    if not LARGEST:
        value = -value
    found = arg != NOWHERE
    tl.store(out + at, tl.where(found, value, 0.0), mask=mask)
    tl.store(out_arg + at, tl.where(found, arg, -1), mask=mask)
