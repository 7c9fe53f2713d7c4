"""Inner products along edges."""

import triton
import triton.language as tl

from graphlab.ops.kernels.triton_common import (
    COUNTS,
    edges_at,
    segment_bounds,
    whole_rows,
)


@triton.jit(do_not_specialize=COUNTS)
def sddmm_kernel(
    out,  # [B, num_edges, HEADS]
    x,  # of rows
    y,  # of neighbours
    arg,  # None, or per row and column the only position whose product counts
    segment_ptr,
    segment_row,
    col,
    perm,
    num_segments,
    num_edges,
    x_b,
    x_n,
    y_b,
    y_n,
    arg_b,
    arg_n,
    HEADS: tl.constexpr,
    CHANNELS: tl.constexpr,
    ACC: tl.constexpr,
    ROWS: tl.constexpr,
    EDGES: tl.constexpr,
    HEAD_BLOCK: tl.constexpr,
    CHANNEL_BLOCK: tl.constexpr,
):
    """``out[b, perm p, h] = sum_c x[b, i, h, c] y[b, col p, h, c]``."""
    segment, inside, begin, length = segment_bounds(segment_ptr, num_segments, ROWS)
    row = whole_rows(segment_row, segment, inside)
    h = tl.program_id(1) * HEAD_BLOCK + tl.arange(0, HEAD_BLOCK)
    b = tl.program_id(2).to(tl.int64)
    for k in range(0, tl.max(length), EDGES):
        step = k + tl.arange(0, EDGES)
        here = step[None, :] < length[:, None]
        p = begin[:, None] + step[None, :]
        j = edges_at(col, p, here)
        total = tl.zeros([ROWS, EDGES, HEAD_BLOCK], ACC)
        for start in range(0, CHANNELS, CHANNEL_BLOCK):
            c = start + tl.arange(0, CHANNEL_BLOCK)
            f = h[:, None] * CHANNELS + c[None, :]
            columns = (h < HEADS)[:, None] & (c < CHANNELS)[None, :]
            ours = inside[:, None, None, None] & columns[None, None, :, :]
            mask = here[:, :, None, None] & columns[None, None, :, :]
            at = x + b * x_b + (row * x_n)[:, None, None, None] + f[None, None, :, :]
            left = tl.load(at, mask=ours, other=0).to(ACC)
            if arg is not None:
                at = row * arg_n
                at = arg + b * arg_b + at[:, None, None, None] + f[None, None, :, :]
                won = tl.load(at, mask=ours, other=-1)
                mask &= won == p[:, :, None, None]
            at = y + b * y_b + (j * y_n)[:, :, None, None] + f[None, None, :, :]
            right = tl.load(at, mask=mask, other=0).to(ACC)
            if arg is not None:  # 0 times an infinity of another edge is no product
                left = tl.where(mask, left, 0)
            total += tl.sum(left * right, 3)
        at = b * num_edges + edges_at(perm, p, here)
        at = out + (at * HEADS)[:, :, None] + h[None, None, :]
        tl.store(at, total, mask=here[:, :, None] & (h < HEADS)[None, None, :])
