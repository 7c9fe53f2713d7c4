"""Backend of Triton kernels, for CUDA devices.

Plain tensors in, plain tensors out: no autograd, no vmap. Tensors may have any strides
as long as their last dimension is contiguous. Sums are taken in float32, or in float64
for float64; every result has one writer and a fixed order of summation, so two runs
agree bit by bit. No kernel keeps a value per edge and feature.
"""

import torch
import triton
from torch import Tensor

from graphlab.ops._cache import cached
from graphlab.ops._cuda_attend import attend, attend_backward
from graphlab.ops._cuda_spmm import row_sums, weights
from graphlab.ops._hops import hops_by_products
from graphlab.ops._layout import rows_contiguous
from graphlab.ops._segments import Segments
from graphlab.ops.csr import Csr
from graphlab.ops.kernels.triton_extreme import extreme_kernel, extreme_partials_kernel
from graphlab.ops.kernels.triton_launch import (
    accumulator,
    column_block,
    head_block,
    launch,
    partials,
    pieces,
    segment_grid,
    split_rows,
    strided,
    structure,
    tile,
)
from graphlab.ops.kernels.triton_sddmm import sddmm_kernel
from graphlab.ops.kernels.triton_softmax import (
    softmax_backward_kernel,
    softmax_backward_split_kernel,
    softmax_kernel,
    softmax_split_kernel,
)

__all__ = [
    "attend",
    "attend_backward",
    "edge_softmax",
    "edge_softmax_backward",
    "hops",
    "sddmm",
    "spextreme",
    "spextreme_backward",
    "spmm",
]


def spmm(graph: Csr, x: Tensor, weight: Tensor | None, mean: bool) -> Tensor:
    """``[B, Ns, F]`` and ``[B or 1, E, H]`` to weighted row sums ``[B, Nd, F]``."""
    return row_sums(graph, x, weight, mean=mean)


def hops(
    graph: Csr, ptr: Tensor, node: Tensor, limit: int, dtype: torch.dtype
) -> tuple[Tensor, bool]:
    """Hops along the rows from the sources of each column, [N, K]; -1 if none."""
    return hops_by_products(spmm, graph, ptr, node, limit, dtype)


def sddmm(graph: Csr, a: Tensor, b: Tensor, heads: int) -> Tensor:
    """``[B, Nd, F]`` and ``[B, Ns, F]`` to inner products ``[B, E, H]``."""
    return _edge_products(graph, a, b, heads)


def spextreme(
    graph: Csr, x: Tensor, weight: Tensor | None, largest: bool
) -> tuple[Tensor, Tensor]:
    """Largest or smallest message ``[B, Nd, F]`` and its position, -1 for none."""
    x = rows_contiguous(x)
    batch, _, columns = x.shape
    parts, (acc, acc_triton) = pieces(graph), accumulator(x.dtype)
    shape = (batch, graph.num_dst, columns)
    block = column_block(columns)
    blocks = triton.cdiv(columns, block)
    size = tile(block, x.dtype, 8)  # half: each value has a position beside it
    result = {
        "out": x.new_empty(shape),
        "out_arg": x.new_empty(shape, dtype=torch.int32),
        "partial": partials(parts, x, columns, dtype=acc),
        "partial_arg": partials(parts, x, columns, dtype=torch.int32),
        "num_rows": graph.num_dst,
        "num_slots": parts.num_slots,
        "columns": columns,
        "LARGEST": largest,
        "ACC": acc_triton,
        "COLUMNS": block,
    }
    operands = {
        **strided(x=x),
        **weights(weight, columns),
        **structure(graph, parts),
        "ROWS": size.rows,
        "EDGES": size.edges,
    }
    grid = segment_grid(parts, size.rows, blocks, batch)
    launch(extreme_kernel, grid, result | operands, size.warps)
    if parts.num_slots:
        grid = (parts.split_row.numel(), blocks, batch)
        launch(extreme_partials_kernel, grid, result | split_rows(parts))
    return result["out"], result["out_arg"]


def spextreme_backward(
    graph: Csr,
    grad: Tensor,
    arg: Tensor,
    x: Tensor,
    weight: Tensor | None,
    need_x: bool,
    need_weight: bool,
) -> tuple[Tensor | None, Tensor | None]:
    """Gradients of :func:`spextreme`: those of a sum, over the winning messages only.

    The transposed structure is searched for the winners instead of adding to their
    sources, since there every source has one writer.
    """
    grad_x = grad_weight = None
    if need_x:
        positions = _positions(graph)
        grad_x = row_sums(graph.t(), grad, weight, arg=arg, arg_position=positions)
    if need_weight:
        shared = weight.size(0) == 1 and grad.size(0) > 1
        # Replicas that share their weights are added up before rounding.
        dtype = accumulator(x.dtype)[0] if shared else weight.dtype
        grad_weight = _edge_products(graph, grad, x, weight.size(2), arg, dtype)
        if shared:
            grad_weight = grad_weight.sum(0, keepdim=True).to(weight.dtype)
    return grad_x, grad_weight


def edge_softmax(graph: Csr, logits: Tensor) -> Tensor:
    """Softmax of ``[B, E, H]`` over the edges of every row."""
    logits = rows_contiguous(logits)
    parts, acc = pieces(graph), accumulator(logits.dtype)[0]
    operands = {
        "out": logits.new_empty(logits.shape),
        "partial_top": partials(parts, logits, logits.size(2), dtype=acc),
        "partial_sum": partials(parts, logits, logits.size(2), dtype=acc),
        **strided(logits=logits),
    }
    return _over_rows(graph, parts, softmax_kernel, softmax_split_kernel, operands)


def edge_softmax_backward(graph: Csr, alpha: Tensor, grad: Tensor) -> Tensor:
    """``alpha * (grad - sum of alpha * grad over the row)``, ``[B, E, H]``."""
    alpha, grad = rows_contiguous(alpha), rows_contiguous(grad)
    parts, acc = pieces(graph), accumulator(alpha.dtype)[0]
    operands = {
        "out": alpha.new_empty(alpha.shape),
        "partial": partials(parts, alpha, alpha.size(2), dtype=acc),
        **strided(alpha=alpha, grad=grad),
    }
    kernels = softmax_backward_kernel, softmax_backward_split_kernel
    return _over_rows(graph, parts, *kernels, operands)


def _over_rows(graph: Csr, parts: Segments, kernel, split_kernel, operands) -> Tensor:
    """Both kernels of a softmax: over all segments, over those of split rows."""
    batch, num_edges, heads = operands["out"].shape
    block = head_block(heads, 1)
    blocks = triton.cdiv(heads, block)
    size = tile(block, operands["out"].dtype, 8)
    operands = operands | {
        "segment_ptr": parts.ptr,
        "perm": graph.perm,
        "num_slots": parts.num_slots,
        "num_edges": num_edges,
        "HEADS": heads,
        "ACC": accumulator(operands["out"].dtype)[1],
        "EDGES": size.edges,
        "HEAD_BLOCK": block,
    }
    whole = {"segment_slot": parts.slot, "num_segments": parts.num_segments}
    grid = segment_grid(parts, size.rows, blocks, batch)
    launch(kernel, grid, operands | whole | {"ROWS": size.rows}, size.warps)
    split = {"slot_segment": parts.slot_segment, "slot_split": parts.slot_split}
    split |= {"split_ptr": parts.split_ptr}
    launch(split_kernel, (parts.num_slots, blocks, batch), operands | split, warps=1)
    return operands["out"]


def _edge_products(
    graph: Csr,
    a: Tensor,
    b: Tensor,
    heads: int,
    arg: Tensor | None = None,
    dtype: torch.dtype | None = None,
) -> Tensor:
    """Inner products; with ``arg [B, Nd, F]``, over the columns an edge has won."""
    a, b = rows_contiguous(a), rows_contiguous(b)
    batch, _, columns = a.shape
    parts, channels = pieces(graph), columns // max(1, heads)
    out = a.new_empty(batch, graph.num_edges, heads, dtype=dtype or a.dtype)
    channel_block = column_block(channels)
    heads_at_once = head_block(heads, channel_block)
    size = tile(heads_at_once * channel_block, a.dtype)
    arguments = {
        "out": out,
        **strided(x=a, y=b, arg=None if arg is None else rows_contiguous(arg)),
        "segment_ptr": parts.ptr,
        "segment_row": parts.row,
        "col": graph.col,
        "perm": graph.perm,
        "num_segments": parts.num_segments,
        "num_edges": graph.num_edges,
        "HEADS": heads,
        "CHANNELS": channels,
        "ACC": accumulator(a.dtype)[1],
        "ROWS": size.rows,
        "EDGES": size.edges,
        "HEAD_BLOCK": heads_at_once,
        "CHANNEL_BLOCK": channel_block,
    }
    blocks = triton.cdiv(heads, heads_at_once)
    grid = segment_grid(parts, size.rows, blocks, batch)
    launch(sddmm_kernel, grid, arguments, size.warps)
    return out


def _positions(graph: Csr) -> Tensor:
    """Position in ``graph`` of the edge at every position of ``graph.t()``, int32."""
    return cached(graph, "position_of_transposed", lambda: _build_positions(graph))


def _build_positions(graph: Csr) -> Tensor:
    position = torch.arange(graph.num_edges, dtype=torch.int32, device=graph.device)
    edge = position if graph.t().perm is None else graph.t().perm
    if graph.perm is None:
        return edge.int()
    of_edge = torch.empty_like(position).index_copy_(0, graph.perm.long(), position)
    return of_edge[edge.long()]
