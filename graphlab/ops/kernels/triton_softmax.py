"""Softmax over the edges of a row, and its derivative.

Rows in one piece are read twice by one program. Of a split row, a first kernel leaves
what each piece knows of its maximum and sum; a second one has every piece put all of
that together, in order, and finish its own edges.
"""

import triton
import triton.language as tl

from graphlab.ops.kernels.triton_common import (
    COUNTS,
    edges_at,
    finite_or_zero,
    partial_slots,
    segment_bounds,
)


@triton.jit
def _edges_of(k, begin, length, perm, EDGES: tl.constexpr):
    step = k + tl.arange(0, EDGES)
    here = step[None, :] < length[:, None]
    return edges_at(perm, begin[:, None] + step[None, :], here), here


@triton.jit
def _normalize(
    out, logits, logits_n, perm, begin, length, top, total, h,
    HEADS: tl.constexpr, ACC: tl.constexpr, EDGES: tl.constexpr,
):  # fmt: skip
    """Write ``exp(s - top) / total`` for the edges of ``[ROWS, HEAD_BLOCK]``."""
    total = tl.where(total == 0, 1.0, total)
    for k in range(0, tl.max(length), EDGES):
        e, here = _edges_of(k, begin, length, perm, EDGES)
        mask = here[:, :, None] & (h < HEADS)[None, None, :]
        at = logits + (e * logits_n)[:, :, None] + h[None, None, :]
        score = tl.load(at, mask=mask, other=float("-inf")).to(ACC)
        alpha = tl.exp(score - top[:, None, :]) / total[:, None, :]
        tl.store(out + (e * HEADS)[:, :, None] + h[None, None, :], alpha, mask=mask)


@triton.jit(do_not_specialize=COUNTS)
def softmax_kernel(
    out,  # [B, num_edges, HEADS]
    partial_top,  # [B, num_slots, HEADS] or None
    partial_sum,
    logits,
    segment_ptr,
    segment_slot,
    perm,
    num_segments,
    num_slots,
    num_edges,
    logits_b,
    logits_n,
    HEADS: tl.constexpr,
    ACC: tl.constexpr,
    ROWS: tl.constexpr,
    EDGES: tl.constexpr,
    HEAD_BLOCK: tl.constexpr,
):
    """Softmax of whole rows; maximum and sum of the pieces of split ones."""
    segment, inside, begin, length = segment_bounds(segment_ptr, num_segments, ROWS)
    h = tl.program_id(1) * HEAD_BLOCK + tl.arange(0, HEAD_BLOCK)
    b = tl.program_id(2).to(tl.int64)
    logits += b * logits_b
    out += b * num_edges * HEADS
    top = tl.full([ROWS, EDGES, HEAD_BLOCK], float("-inf"), ACC)
    total = tl.zeros([ROWS, EDGES, HEAD_BLOCK], ACC)
    for k in range(0, tl.max(length), EDGES):
        e, here = _edges_of(k, begin, length, perm, EDGES)
        mask = here[:, :, None] & (h < HEADS)[None, None, :]
        at = logits + (e * logits_n)[:, :, None] + h[None, None, :]
        score = tl.load(at, mask=mask, other=float("-inf")).to(ACC)
        higher = tl.maximum(top, score)
        shift = finite_or_zero(higher)
        total = total * tl.exp(top - shift) + tl.exp(score - shift)
        top = higher
    peak = finite_or_zero(tl.max(top, 1))  # [ROWS, HEAD_BLOCK]
    total = tl.sum(total * tl.exp(top - peak[:, None, :]), 1)
    slot = partial_slots(segment_slot, segment, inside)
    if partial_top is not None:
        at = ((b * num_slots + slot) * HEADS)[:, None] + h[None, :]
        mask = (inside & (slot >= 0))[:, None] & (h < HEADS)[None, :]
        tl.store(partial_top + at, peak, mask=mask)
        tl.store(partial_sum + at, total, mask=mask)
    length = tl.where(slot < 0, length, 0)
    _normalize(
        out, logits, logits_n, perm, begin, length, peak, total, h, HEADS, ACC, EDGES
    )


@triton.jit(do_not_specialize=COUNTS)
def softmax_split_kernel(
    out,  # [B, num_edges, HEADS]
    partial_top,  # [B, num_slots, HEADS]
    partial_sum,
    logits,
    segment_ptr,
    slot_segment,
    slot_split,
    split_ptr,
    perm,
    num_slots,
    num_edges,
    logits_b,
    logits_n,
    HEADS: tl.constexpr,
    ACC: tl.constexpr,
    EDGES: tl.constexpr,
    HEAD_BLOCK: tl.constexpr,
):
    """Softmax of one piece of a split row."""
    begin, length, first, last = _piece(
        segment_ptr, slot_segment, slot_split, split_ptr
    )
    h = tl.program_id(1) * HEAD_BLOCK + tl.arange(0, HEAD_BLOCK)
    b = tl.program_id(2).to(tl.int64)
    top = tl.full([EDGES, HEAD_BLOCK], float("-inf"), ACC)
    total = tl.zeros([EDGES, HEAD_BLOCK], ACC)
    for k in range(first, last, EDGES):
        slot = k + tl.arange(0, EDGES)
        at = ((b * num_slots + slot) * HEADS)[:, None] + h[None, :]
        mask = (slot < last)[:, None] & (h < HEADS)[None, :]
        part = tl.load(partial_top + at, mask=mask, other=float("-inf"))
        higher = tl.maximum(top, part)
        shift = finite_or_zero(higher)
        part = tl.exp(part - shift) * tl.load(partial_sum + at, mask=mask, other=0)
        total = total * tl.exp(top - shift) + part
        top = higher
    peak = finite_or_zero(tl.max(top, 0))[None, :]  # [1, HEAD_BLOCK]
    total = tl.sum(total * tl.exp(top - peak), 0)[None, :]
    logits += b * logits_b
    out += b * num_edges * HEADS
    _normalize(
        out, logits, logits_n, perm, begin, length, peak, total, h, HEADS, ACC, EDGES
    )


@triton.jit
def _piece(segment_ptr, slot_segment, slot_split, split_ptr):
    """First position and length of a slot's segment, slots of its row."""
    slot = tl.program_id(0) + tl.arange(0, 1)
    segment = tl.load(slot_segment + slot)
    begin = tl.load(segment_ptr + segment)
    length = tl.load(segment_ptr + segment + 1) - begin
    owner = tl.load(slot_split + tl.program_id(0))
    first = tl.load(split_ptr + owner)
    return begin.to(tl.int64), length, first, tl.load(split_ptr + owner + 1)


@triton.jit
def _differentiate(
    out, alpha, grad, alpha_n, grad_n, perm, begin, length, total, h,
    HEADS: tl.constexpr, ACC: tl.constexpr, EDGES: tl.constexpr,
):  # fmt: skip
    """Write ``alpha (grad - total)`` for the edges of ``[ROWS, HEAD_BLOCK]``."""
    for k in range(0, tl.max(length), EDGES):
        e, here = _edges_of(k, begin, length, perm, EDGES)
        mask = here[:, :, None] & (h < HEADS)[None, None, :]
        at = (e * alpha_n)[:, :, None] + h[None, None, :]
        a = tl.load(alpha + at, mask=mask, other=0).to(ACC)
        at = (e * grad_n)[:, :, None] + h[None, None, :]
        g = tl.load(grad + at, mask=mask, other=0).to(ACC)
        at = out + (e * HEADS)[:, :, None] + h[None, None, :]
        tl.store(at, a * (g - total[:, None, :]), mask=mask)


@triton.jit(do_not_specialize=COUNTS)
def softmax_backward_kernel(
    out,  # [B, num_edges, HEADS]
    partial,  # [B, num_slots, HEADS] or None
    alpha,
    grad,
    segment_ptr,
    segment_slot,
    perm,
    num_segments,
    num_slots,
    num_edges,
    alpha_b,
    alpha_n,
    grad_b,
    grad_n,
    HEADS: tl.constexpr,
    ACC: tl.constexpr,
    ROWS: tl.constexpr,
    EDGES: tl.constexpr,
    HEAD_BLOCK: tl.constexpr,
):
    """``alpha (grad - sum_row alpha grad)`` of whole rows; the sums of pieces."""
    segment, inside, begin, length = segment_bounds(segment_ptr, num_segments, ROWS)
    h = tl.program_id(1) * HEAD_BLOCK + tl.arange(0, HEAD_BLOCK)
    b = tl.program_id(2).to(tl.int64)
    alpha += b * alpha_b
    grad += b * grad_b
    out += b * num_edges * HEADS
    total = tl.zeros([ROWS, EDGES, HEAD_BLOCK], ACC)
    for k in range(0, tl.max(length), EDGES):
        e, here = _edges_of(k, begin, length, perm, EDGES)
        mask = here[:, :, None] & (h < HEADS)[None, None, :]
        at = (e * alpha_n)[:, :, None] + h[None, None, :]
        a = tl.load(alpha + at, mask=mask, other=0).to(ACC)
        at = (e * grad_n)[:, :, None] + h[None, None, :]
        total += a * tl.load(grad + at, mask=mask, other=0).to(ACC)
    total = tl.sum(total, 1)  # [ROWS, HEAD_BLOCK]
    slot = partial_slots(segment_slot, segment, inside)
    if partial is not None:
        at = ((b * num_slots + slot) * HEADS)[:, None] + h[None, :]
        mask = (inside & (slot >= 0))[:, None] & (h < HEADS)[None, :]
        tl.store(partial + at, total, mask=mask)
    length = tl.where(slot < 0, length, 0)
    _differentiate(
        out, alpha, grad, alpha_n, grad_n, perm, begin, length, total, h,
        HEADS, ACC, EDGES,
    )  # fmt: skip


@triton.jit(do_not_specialize=COUNTS)
def softmax_backward_split_kernel(
    out,  # [B, num_edges, HEADS]
    partial,  # [B, num_slots, HEADS]
    alpha,
    grad,
    segment_ptr,
    slot_segment,
    slot_split,
    split_ptr,
    perm,
    num_slots,
    num_edges,
    alpha_b,
    alpha_n,
    grad_b,
    grad_n,
    HEADS: tl.constexpr,
    ACC: tl.constexpr,
    EDGES: tl.constexpr,
    HEAD_BLOCK: tl.constexpr,
):
    """Gradient of one piece of a split row."""
    begin, length, first, last = _piece(
        segment_ptr, slot_segment, slot_split, split_ptr
    )
    h = tl.program_id(1) * HEAD_BLOCK + tl.arange(0, HEAD_BLOCK)
    b = tl.program_id(2).to(tl.int64)
    total = tl.zeros([EDGES, HEAD_BLOCK], ACC)
    for k in range(first, last, EDGES):
        slot = k + tl.arange(0, EDGES)
        at = ((b * num_slots + slot) * HEADS)[:, None] + h[None, :]
        mask = (slot < last)[:, None] & (h < HEADS)[None, :]
        total += tl.load(partial + at, mask=mask, other=0)
    total = tl.sum(total, 0)[None, :]
    alpha += b * alpha_b
    grad += b * grad_b
    out += b * num_edges * HEADS
    _differentiate(
        out, alpha, grad, alpha_n, grad_n, perm, begin, length, total, h,
        HEADS, ACC, EDGES,
    )  # fmt: skip
