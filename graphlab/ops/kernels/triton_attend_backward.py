"""The derivative of attention, with scores and weights computed anew from ``lse``.

One pass over the sources gives the gradients of key and value, and of every score; one
pass over the destinations sums the latter up. Only scores, one per edge and head, ever
reach memory.
"""

import triton
import triton.language as tl

from graphlab.ops.kernels.triton_attend import (
    attention_score,
    load_att,
    load_channels,
    load_heads,
    load_scored,
)
from graphlab.ops.kernels.triton_common import (
    COUNTS,
    edges_at,
    kept,
    partial_slots,
    segment_bounds,
    whole_rows,
)


@triton.jit(do_not_specialize=COUNTS)
def row_dot_kernel(
    out,  # [B, num_rows, HEADS]
    x,
    y,
    num_rows,
    x_b,
    x_n,
    y_b,
    y_n,
    HEADS: tl.constexpr,
    CHANNELS: tl.constexpr,
    X_H: tl.constexpr,
    Y_H: tl.constexpr,
    ACC: tl.constexpr,
    ROWS: tl.constexpr,
    HEAD_BLOCK: tl.constexpr,
    CHANNEL_BLOCK: tl.constexpr,
):
    """``out[b, i, h] = <x[b, i, h], y[b, i, h]>``."""
    row = (tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS))[:, None]
    h = tl.program_id(1) * HEAD_BLOCK + tl.arange(0, HEAD_BLOCK)
    c = tl.arange(0, CHANNEL_BLOCK)
    b = tl.program_id(2).to(tl.int64)
    mask = row < num_rows
    at = b * x_b + row * x_n
    left = load_channels(x, at, mask, h, c, HEADS, CHANNELS, X_H).to(ACC)
    at = b * y_b + row * y_n
    right = load_channels(y, at, mask, h, c, HEADS, CHANNELS, Y_H).to(ACC)
    at = ((b * num_rows + row) * HEADS)[:, :, None] + h[None, None, :]
    mask = mask[:, :, None] & (h < HEADS)[None, None, :]
    tl.store(out + at, tl.sum(left * right, 3), mask=mask)


@triton.jit(do_not_specialize=COUNTS)
def attend_source_kernel(
    grad_key,  # [B, num_rows, HEADS (, SCORED)]
    grad_value,  # [B, num_rows, HEADS, CHANNELS]
    grad_score,  # [B, num_edges, HEADS]
    partial_key,  # the first two for [B, num_slots, ...], or None
    partial_value,
    query,
    key,
    value,
    att,
    lse,
    delta,  # [B, num_neighbours, HEADS]
    grad,
    seeds,  # None: no dropout
    segment_ptr,
    segment_row,
    segment_slot,
    col,
    perm,
    num_segments,
    num_rows,
    num_neighbours,
    num_slots,
    num_edges,
    query_b,
    query_n,
    key_b,
    key_n,
    value_b,
    value_n,
    att_b,
    lse_b,
    lse_n,
    grad_b,
    grad_n,
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
    GRAD_H: tl.constexpr,
    ACC: tl.constexpr,
    ROWS: tl.constexpr,
    EDGES: tl.constexpr,
    HEAD_BLOCK: tl.constexpr,
    CHANNEL_BLOCK: tl.constexpr,
    SCORED_BLOCK: tl.constexpr,
):
    """Gradients of a source's key and value, and of the scores of its edges.

    The structure is the transposed one: rows are sources, neighbours destinations. What
    is written to ``grad_score`` is the derivative up to the point from which only the
    query's side is left to do: before the leaky ReLU for "additive", times ``scale``
    for "dot".
    """
    slope, scale = tl.full((), slope, ACC), tl.full((), scale, ACC)
    factor = tl.full((), factor, ACC)
    segment, inside, begin, length = segment_bounds(segment_ptr, num_segments, ROWS)
    row = whole_rows(segment_row, segment, inside)
    h = tl.program_id(1) * HEAD_BLOCK + tl.arange(0, HEAD_BLOCK)
    c = tl.arange(0, CHANNEL_BLOCK)
    d = tl.arange(0, SCORED_BLOCK)
    b = tl.program_id(2).to(tl.int64)
    mine = inside[:, None]
    start = (b * key_b + row * key_n)[:, None]
    our_key = load_scored(key, start, mine, h, d, KIND, HEADS, SCORED, KEY_H).to(ACC)
    start = (b * value_b + row * value_n)[:, None]
    our_value = load_channels(value, start, mine, h, c, HEADS, CHANNELS, VALUE_H)
    our_value = our_value.to(ACC)
    if KIND == "gatv2":
        vector = load_att(att + b * att_b, h, d, HEADS, SCORED, ATT_H).to(ACC)
    else:
        vector = our_key
    if KIND == "additive":
        total_key = tl.zeros([ROWS, EDGES, HEAD_BLOCK], ACC)
    else:
        total_key = tl.zeros([ROWS, EDGES, HEAD_BLOCK, SCORED_BLOCK], ACC)
    total_value = tl.zeros([ROWS, EDGES, HEAD_BLOCK, CHANNEL_BLOCK], ACC)
    for k in range(0, tl.max(length), EDGES):
        step = k + tl.arange(0, EDGES)
        here = step[None, :] < length[:, None]
        p = begin[:, None] + step[None, :]
        i = edges_at(col, p, here)
        e = edges_at(perm, p, here)
        at = b * query_b + i * query_n
        their_query = load_scored(
            query, at, here, h, d, KIND, HEADS, SCORED, QUERY_H
        ).to(ACC)
        score = attention_score(their_query, our_key, vector, slope, scale, KIND)
        their_lse = load_heads(lse, b * lse_b + i * lse_n, here, h, HEADS, 1)
        alpha = tl.where(here[:, :, None], tl.exp(score - their_lse), 0.0)
        at = b * grad_b + i * grad_n
        theirs = load_channels(grad, at, here, h, c, HEADS, CHANNELS, GRAD_H).to(ACC)
        slopes = tl.sum(our_value * theirs, 3)  # [ROWS, EDGES, HEAD_BLOCK]
        weight = alpha
        if seeds is not None:
            counter = (e * HEADS)[:, :, None] + h[None, None, :]
            keep = kept(tl.load(seeds + b), counter, threshold)
            weight = tl.where(keep, alpha * factor, 0.0)
            slopes = tl.where(keep, slopes * factor, 0.0)
        total_value += weight[:, :, :, None] * theirs
        at = (b * num_neighbours + i) * HEADS
        slopes = alpha * (slopes - load_heads(delta, at, here, h, HEADS, 1))
        if KIND == "additive":
            slopes = tl.where(their_query + our_key > 0, slopes, slope * slopes)
            total_key += slopes
        elif KIND == "gatv2":
            outer = slopes[:, :, :, None] * vector
            total_key += tl.where(their_query + our_key > 0, outer, slope * outer)
        else:
            slopes *= scale
            total_key += slopes[:, :, :, None] * their_query
        at = ((b * num_edges + e) * HEADS)[:, :, None] + h[None, None, :]
        mask = here[:, :, None] & (h < HEADS)[None, None, :]
        tl.store(grad_score + at, slopes, mask=mask)
    total_key = tl.sum(total_key, 1)
    total_value = tl.sum(total_value, 1)  # [ROWS, HEAD_BLOCK, CHANNEL_BLOCK]
    slot = partial_slots(segment_slot, segment, inside)
    if partial_value is not None:
        at = (b * num_slots + slot) * HEADS
        mask = inside & (slot >= 0)
        store_channels(partial_value, at, total_value, mask, h, c, HEADS, CHANNELS)
        if KIND == "additive":
            store_heads(partial_key, at, total_key, mask, h, HEADS)
        else:
            store_channels(partial_key, at, total_key, mask, h, d, HEADS, SCORED)
    at = (b * num_rows + row) * HEADS
    mask = inside & (slot < 0)
    store_channels(grad_value, at, total_value, mask, h, c, HEADS, CHANNELS)
    if KIND == "additive":
        store_heads(grad_key, at, total_key, mask, h, HEADS)
    else:
        store_channels(grad_key, at, total_key, mask, h, d, HEADS, SCORED)


@triton.jit(do_not_specialize=COUNTS)
def gatv2_destination_kernel(
    grad_query,  # [B, num_rows, HEADS, SCORED]
    grad_att,  # [B, number of programs, HEADS, SCORED]
    partial,  # [B, num_slots, HEADS, SCORED] or None
    query,
    key,
    att,
    grad_score,  # [B, num_edges, HEADS]
    segment_ptr,
    segment_row,
    segment_slot,
    col,
    perm,
    num_segments,
    num_rows,
    num_slots,
    num_edges,
    query_b,
    query_n,
    key_b,
    key_n,
    att_b,
    slope: tl.float64,
    HEADS: tl.constexpr,
    SCORED: tl.constexpr,
    QUERY_H: tl.constexpr,
    KEY_H: tl.constexpr,
    ATT_H: tl.constexpr,
    ACC: tl.constexpr,
    ROWS: tl.constexpr,
    EDGES: tl.constexpr,
    HEAD_BLOCK: tl.constexpr,
    SCORED_BLOCK: tl.constexpr,
):
    """Gradient of the query, and of the attention vector summed within a program."""
    slope = tl.full((), slope, ACC)
    segment, inside, begin, length = segment_bounds(segment_ptr, num_segments, ROWS)
    row = whole_rows(segment_row, segment, inside)
    h = tl.program_id(1) * HEAD_BLOCK + tl.arange(0, HEAD_BLOCK)
    d = tl.arange(0, SCORED_BLOCK)
    b = tl.program_id(2).to(tl.int64)
    start = (b * query_b + row * query_n)[:, None]
    ours = load_channels(query, start, inside[:, None], h, d, HEADS, SCORED, QUERY_H)
    ours = ours.to(ACC)
    vector = load_att(att + b * att_b, h, d, HEADS, SCORED, ATT_H).to(ACC)
    total = tl.zeros([ROWS, EDGES, HEAD_BLOCK, SCORED_BLOCK], ACC)
    total_att = tl.zeros([ROWS, EDGES, HEAD_BLOCK, SCORED_BLOCK], ACC)
    for k in range(0, tl.max(length), EDGES):
        step = k + tl.arange(0, EDGES)
        here = step[None, :] < length[:, None]
        p = begin[:, None] + step[None, :]
        at = b * key_b + edges_at(col, p, here) * key_n
        z = ours + load_channels(key, at, here, h, d, HEADS, SCORED, KEY_H).to(ACC)
        at = (b * num_edges + edges_at(perm, p, here)) * HEADS
        slopes = load_heads(grad_score, at, here, h, HEADS, 1)[:, :, :, None]
        slopes = tl.where(z > 0, slopes, slope * slopes)
        total += slopes
        # Lanes past the row's end have a slope of 0, but their z may be infinite.
        total_att += tl.where(here[:, :, None, None], slopes * z, 0.0)
    total = tl.sum(total * vector, 1)  # [ROWS, HEAD_BLOCK, SCORED_BLOCK]
    total_att = tl.sum(tl.sum(total_att, 1), 0)[None, :, :]
    program = tl.program_id(0) + tl.zeros([1], tl.int64)
    at = (b * tl.num_programs(0) + program) * HEADS
    store_channels(grad_att, at, total_att, program >= 0, h, d, HEADS, SCORED)
    slot = partial_slots(segment_slot, segment, inside)
    if partial is not None:
        at = (b * num_slots + slot) * HEADS
        store_channels(partial, at, total, inside & (slot >= 0), h, d, HEADS, SCORED)
    at = (b * num_rows + row) * HEADS
    store_channels(grad_query, at, total, inside & (slot < 0), h, d, HEADS, SCORED)


@triton.jit
def store_heads(base, at, value, mask, h, HEADS: tl.constexpr):
    """Write one value per head; rows are contiguous."""
    mask = mask[:, None] & (h < HEADS)[None, :]
    tl.store(base + at[:, None] + h[None, :], value, mask=mask)


@triton.jit
def store_channels(
    base, at, value, mask, h, c, HEADS: tl.constexpr, CHANNELS: tl.constexpr
):
    """Write all channels of all heads; ``at`` counts heads, rows are contiguous."""
    columns = (h < HEADS)[:, None] & (c < CHANNELS)[None, :]
    at = (at[:, None] + h[None, :]) * CHANNELS
    mask = mask[:, None, None] & columns[None, :, :]
    tl.store(base + at[:, :, None] + c[None, None, :], value, mask=mask)
