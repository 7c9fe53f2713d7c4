"""Attention over the edges of a row in one pass: scores, softmax, weighted sum.

Scores live in registers only. A running maximum keeps the exponentials in range, and
what was summed before is scaled down whenever it rises. Pieces of split rows leave
(maximum, sum, weighted sum), which a second kernel merges from first to last.
"""

import triton
import triton.language as tl

from graphlab.ops.kernels.triton_common import (
    COUNTS,
    edges_at,
    finite_or_zero,
    kept,
    partial_slots,
    segment_bounds,
    whole_rows,
)


@triton.jit
def load_heads(base, at, mask, h, HEADS: tl.constexpr, HEAD_STRIDE: tl.constexpr):
    """One value per head of the nodes (or edges) that start at ``at``."""
    mask = mask[:, :, None] & (h < HEADS)[None, None, :]
    at = at[:, :, None] + (h * HEAD_STRIDE)[None, None, :]
    return tl.load(base + at, mask=mask, other=0)


@triton.jit
def load_channels(
    base, at, mask, h, c,
    HEADS: tl.constexpr, CHANNELS: tl.constexpr, HEAD_STRIDE: tl.constexpr,
):  # fmt: skip
    """All channels of all heads of the nodes that start at ``at``."""
    columns = (h < HEADS)[:, None] & (c < CHANNELS)[None, :]
    column = (h * HEAD_STRIDE)[:, None] + c[None, :]
    mask = mask[:, :, None, None] & columns[None, None, :, :]
    return tl.load(base + at[:, :, None, None] + column, mask=mask, other=0)


@triton.jit
def load_scored(
    base, at, mask, h, d, KIND: tl.constexpr,
    HEADS: tl.constexpr, SCORED: tl.constexpr, HEAD_STRIDE: tl.constexpr,
):  # fmt: skip
    """What scores are computed from: one value per head, or ``SCORED`` channels."""
    if KIND == "additive":
        value = load_heads(base, at, mask, h, HEADS, HEAD_STRIDE)
    else:
        value = load_channels(base, at, mask, h, d, HEADS, SCORED, HEAD_STRIDE)
    return value


@triton.jit
def load_att(
    att, h, d, HEADS: tl.constexpr, SCORED: tl.constexpr, HEAD_STRIDE: tl.constexpr
):
    """The attention vector of every head, ``[1, 1, HEAD_BLOCK, SCORED_BLOCK]``."""
    mask = (h < HEADS)[:, None] & (d < SCORED)[None, :]
    column = (h * HEAD_STRIDE)[:, None] + d[None, :]
    return tl.load(att + column, mask=mask, other=0)[None, None, :, :]


@triton.jit
def attention_score(query, key, att, slope, scale, KIND: tl.constexpr):
    """Score of every edge and head; query or key belongs to the row."""
    if KIND == "dot":
        score = scale * tl.sum(query * key, 3)
    else:
        z = query + key
        score = tl.where(z > 0, z, slope * z)
        if KIND == "gatv2":
            score = tl.sum(att * score, 3)
    return score


@triton.jit(do_not_specialize=COUNTS)
def attend_kernel(
    out,  # [B, num_rows, HEADS, CHANNELS]
    lse,  # [B, num_rows, HEADS]
    partial,  # [B, num_slots, HEADS, CHANNELS] or None
    partial_top,  # [B, num_slots, HEADS]
    partial_sum,
    query,
    key,
    value,
    att,
    seeds,  # None: no dropout
    segment_ptr,
    segment_row,
    segment_slot,
    col,
    perm,
    num_segments,
    num_rows,
    num_slots,
    query_b,
    query_n,
    key_b,
    key_n,
    value_b,
    value_n,
    att_b,
    slope: tl.float64,
    scale: tl.float64,
    threshold,
    factor: tl.float64,
    KIND: tl.constexpr,
    HEADS: tl.constexpr,
    CHANNELS: tl.constexpr,
    SCORED: tl.constexpr,
    QUERY_H: tl.constexpr,
    KEY_H: tl.constexpr,
    VALUE_H: tl.constexpr,
    ATT_H: tl.constexpr,
    ACC: tl.constexpr,
    ROWS: tl.constexpr,
    EDGES: tl.constexpr,
    HEAD_BLOCK: tl.constexpr,
    CHANNEL_BLOCK: tl.constexpr,
    SCORED_BLOCK: tl.constexpr,
):
    """``out_i = sum_p softmax_p(score(query_i, key_col_p)) value_col_p``."""
    slope, scale = tl.full((), slope, ACC), tl.full((), scale, ACC)
    factor = tl.full((), factor, ACC)
    segment, inside, begin, length = segment_bounds(segment_ptr, num_segments, ROWS)
    row = whole_rows(segment_row, segment, inside)
    h = tl.program_id(1) * HEAD_BLOCK + tl.arange(0, HEAD_BLOCK)
    c = tl.arange(0, CHANNEL_BLOCK)
    d = tl.arange(0, SCORED_BLOCK)
    b = tl.program_id(2).to(tl.int64)
    start = (b * query_b + row * query_n)[:, None]
    mine = inside[:, None]
    ours = load_scored(query, start, mine, h, d, KIND, HEADS, SCORED, QUERY_H).to(ACC)
    if KIND == "gatv2":
        vector = load_att(att + b * att_b, h, d, HEADS, SCORED, ATT_H).to(ACC)
    else:
        vector = ours
    top = tl.full([ROWS, EDGES, HEAD_BLOCK], float("-inf"), ACC)
    total = tl.zeros([ROWS, EDGES, HEAD_BLOCK], ACC)
    acc = tl.zeros([ROWS, EDGES, HEAD_BLOCK, CHANNEL_BLOCK], ACC)
    for k in range(0, tl.max(length), EDGES):
        step = k + tl.arange(0, EDGES)
        here = step[None, :] < length[:, None]
        p = begin[:, None] + step[None, :]
        j = edges_at(col, p, here)
        at = b * key_b + j * key_n
        theirs = load_scored(key, at, here, h, d, KIND, HEADS, SCORED, KEY_H).to(ACC)
        score = attention_score(ours, theirs, vector, slope, scale, KIND)
        score = tl.where(here[:, :, None], score, float("-inf"))
        higher = tl.maximum(top, score)
        shift = finite_or_zero(higher)
        decay, weight = tl.exp(top - shift), tl.exp(score - shift)
        total = total * decay + weight
        top = higher
        if seeds is not None:
            counter = (edges_at(perm, p, here) * HEADS)[:, :, None] + h[None, None, :]
            keep = kept(tl.load(seeds + b), counter, threshold)
            weight = tl.where(keep, weight * factor, 0.0)
        at = b * value_b + j * value_n
        v = load_channels(value, at, here, h, c, HEADS, CHANNELS, VALUE_H).to(ACC)
        acc = acc * decay[:, :, :, None] + weight[:, :, :, None] * v
    peak = tl.max(top, 1)  # [ROWS, HEAD_BLOCK]
    decay = tl.exp(top - finite_or_zero(peak)[:, None, :])
    total = tl.sum(total * decay, 1)
    acc = tl.sum(acc * decay[:, :, :, None], 1)  # [ROWS, HEAD_BLOCK, CHANNEL_BLOCK]
    slot = partial_slots(segment_slot, segment, inside)
    columns = (h < HEADS)[:, None] & (c < CHANNELS)[None, :]
    if partial is not None:
        at = ((b * num_slots + slot) * HEADS)[:, None] + h[None, :]
        mask = inside & (slot >= 0)
        heads = mask[:, None] & (h < HEADS)[None, :]
        tl.store(partial_top + at, peak, mask=heads)
        tl.store(partial_sum + at, total, mask=heads)
        at = (at * CHANNELS)[:, :, None] + c[None, None, :]
        tl.store(partial + at, acc, mask=mask[:, None, None] & columns[None, :, :])
    at = ((b * num_rows + row) * HEADS)[:, None] + h[None, :]
    mask = inside & (slot < 0)
    heads = mask[:, None] & (h < HEADS)[None, :]
    total = tl.where(total == 0, 1.0, total)  # a row without finite scores has lse 0
    tl.store(lse + at, finite_or_zero(peak) + tl.log(total), mask=heads)
    acc = acc / total[:, :, None]
    at = (at * CHANNELS)[:, :, None] + c[None, None, :]
    tl.store(out + at, acc, mask=mask[:, None, None] & columns[None, :, :])


@triton.jit(do_not_specialize=COUNTS)
def attend_partials_kernel(
    out,  # [B, num_rows, HEADS, CHANNELS]
    lse,  # [B, num_rows, HEADS]
    partial,  # [B, num_slots, HEADS, CHANNELS]
    partial_top,  # [B, num_slots, HEADS]
    partial_sum,
    split_row,
    split_ptr,
    num_rows,
    num_slots,
    HEADS: tl.constexpr,
    CHANNELS: tl.constexpr,
    ACC: tl.constexpr,
    HEAD_BLOCK: tl.constexpr,
    CHANNEL_BLOCK: tl.constexpr,
):
    """Merge the pieces of a row, from first to last."""
    i = tl.program_id(0)
    h = tl.program_id(1) * HEAD_BLOCK + tl.arange(0, HEAD_BLOCK)
    c = tl.arange(0, CHANNEL_BLOCK)
    b = tl.program_id(2).to(tl.int64)
    row = tl.load(split_row + i).to(tl.int64)
    first = tl.load(split_ptr + i).to(tl.int64)
    pieces = tl.load(split_ptr + i + 1) - tl.load(split_ptr + i)
    columns = (h < HEADS)[:, None] & (c < CHANNELS)[None, :]
    top = tl.full([HEAD_BLOCK], float("-inf"), ACC)
    total = tl.zeros([HEAD_BLOCK], ACC)
    acc = tl.zeros([HEAD_BLOCK, CHANNEL_BLOCK], ACC)
    for piece in range(0, pieces):
        at = (b * num_slots + first + piece) * HEADS + h
        peak = tl.load(partial_top + at, mask=h < HEADS, other=float("-inf"))
        part = tl.load(partial_sum + at, mask=h < HEADS, other=0)
        higher = tl.maximum(top, peak)
        shift = finite_or_zero(higher)
        decay, grow = tl.exp(top - shift), tl.exp(peak - shift)
        total = total * decay + part * grow
        at = (at * CHANNELS)[:, None] + c[None, :]
        v = tl.load(partial + at, mask=columns, other=0)
        acc = acc * decay[:, None] + v * grow[:, None]
        top = higher
    at = (b * num_rows + row) * HEADS + h
    total = tl.where(total == 0, 1.0, total)
    tl.store(lse + at, finite_or_zero(top) + tl.log(total), mask=h < HEADS)
    acc = acc / total[:, None]
    tl.store(out + (at * CHANNELS)[:, None] + c[None, :], acc, mask=columns)
