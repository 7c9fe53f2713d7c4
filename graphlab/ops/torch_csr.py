"""Backend on torch's sparse CSR products (MKL on CPU, cuSPARSE on CUDA).

It serves where our own kernels cannot be built. The functions are those of
:mod:`graphlab.ops.reference`; what torch has no sparse product for is taken from there.
Two products do the rest, each with or without one set of weights per head:

* ``matmul``: sum of weighted source rows per destination,
* ``sampled_matmul``: inner product of destination and source row per edge.

Heads become one block-diagonal matrix whose row ``n * H + h`` is head ``h`` of node
``n``. So ``[N, H, C]`` features are its ``[N * H, C]`` operand as they lie in memory,
and only the edge weights have to be rearranged.
"""

import functools
import math
import warnings
from typing import NamedTuple

import torch
from torch import Tensor

from graphlab.ops._hops import hops_by_products, hops_by_scipy
from graphlab.ops.csr import Csr, incidence
from graphlab.ops.reference import (
    accumulation_dtype,
    attend_backward,
    dropout_mask,
    edge_softmax_backward,
    scores,
    spextreme,
    spextreme_backward,
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

MAX_BLOCK_ENTRIES = 2**22  # bounds the memory of a cached block structure (48 MB)
MAX_BLOCKS = 4  # structures kept per graph: heads of some layers, times replicas


class Block(NamedTuple):
    """A block-diagonal structure of several heads."""

    rowptr: Tensor  # [N * H + 1]
    col: Tensor  # [E * H]
    origin: Tensor  # [E * H], index into the flat [E, H] weights, per position
    position: Tensor  # [E * H], the inverse of origin


def spmm(graph: Csr, x: Tensor, weight: Tensor | None, mean: bool) -> Tensor:
    """``x`` [B, Ns, F] and ``weight`` [B or 1, E, H] to [B, Nd, F]."""
    batch, _, columns = x.shape
    value = x.to(accumulation_dtype(x)).transpose(0, 1)  # replicas beside each other
    if weight is None or weight.size(0) * weight.size(2) == 1:
        weight = None if weight is None else weight.view(-1)
        out = matmul(graph, value.flatten(1), weight)
    else:
        heads = weight.size(2)
        value = value.reshape(graph.num_src, batch * heads, columns // max(heads, 1))
        weight = weight.expand(batch, -1, -1).transpose(0, 1).flatten(1)
        out = matmul(graph, value, weight)
    if mean:
        degree = graph.degree().clamp(min=1).to(out.dtype)
        out = out / degree.view(-1, *[1] * (out.dim() - 1))
    return out.view(graph.num_dst, batch, columns).transpose(0, 1).to(x.dtype)


def sddmm(graph: Csr, a: Tensor, b: Tensor, heads: int) -> Tensor:
    """``a`` [B, Nd, F] and ``b`` [B, Ns, F] to [B, E, H]."""
    batch, _, columns = a.shape
    dtype = accumulation_dtype(a)

    def side_by_side(x: Tensor) -> Tensor:
        x = x.to(dtype).transpose(0, 1)
        return x.reshape(x.size(0), batch * heads, columns // max(heads, 1))

    out = sampled_matmul(graph, side_by_side(a), side_by_side(b))
    return out.view(graph.num_edges, batch, heads).transpose(0, 1)


def edge_softmax(graph: Csr, logits: Tensor) -> Tensor:
    """Softmax of [B, E, H] over the edges of each destination."""
    batch, _, heads = logits.shape
    score = logits.to(accumulation_dtype(logits)).transpose(0, 1).flatten(1)
    weight, _ = _softmax(graph, score)
    return weight.view(-1, batch, heads).transpose(0, 1).to(logits.dtype)


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
    """Attention [B, Nd, H, C] and the log of its denominator [B, Nd, H]."""
    batch, _, heads, _ = value.shape
    score = scores(graph, kind, query, key, att, slope, scale)
    alpha, lse = _softmax(graph, score.transpose(0, 1).flatten(1))
    alpha = alpha.view(-1, batch, heads).transpose(0, 1)
    if seeds is not None:
        alpha = alpha * dropout_mask(graph, seeds, heads, keep, alpha.dtype)
    out = spmm(graph, value.flatten(2), alpha, mean=False)
    lse = lse.view(-1, batch, heads).transpose(0, 1).contiguous()
    return out.unflatten(2, value.shape[2:]), lse


def _softmax(graph: Csr, score: Tensor) -> tuple[Tensor, Tensor]:
    """Softmax of [E, H] and the log of its denominator [N, H]."""
    lowest = torch.finfo(score.dtype).min  # keeps rows of -inf free of NaN
    top = maximum(graph, score).clamp_(min=lowest)
    weight = (score - top.index_select(0, graph.dst())).exp_()
    total = matmul(incidence(graph), weight, None)
    lse = torch.where(total == 0, 0, top + total.log())
    total.masked_fill_(total == 0, 1)
    return weight.div_(total.index_select(0, graph.dst())), lse


def matmul(graph: Csr, x: Tensor, weight: Tensor | None) -> Tensor:
    """``[N, F]`` and ``[E]`` to ``[N, F]``, or ``[N, H, C]`` and ``[E, H]``."""
    shape = (graph.num_dst, *x.shape[1:])
    if graph.num_edges == 0 or x.numel() == 0 or graph.num_dst == 0:
        return x.new_zeros(shape)
    if x.dim() == 2:
        values = _values(graph, weight, x.dtype)
        matrix = _matrix(graph.rowptr, graph.col, values, graph)
        return _product(matrix, x.contiguous())
    if x.size(1) == 1:
        return matmul(graph, x[:, 0], weight[:, 0]).unsqueeze(1)
    width = _block_width(graph, x.size(1))
    if width < x.size(1):
        pieces = zip(x.split(width, 1), weight.split(width, 1), strict=True)
        return torch.cat([matmul(graph, *piece) for piece in pieces], 1)
    block = _block(graph, width)
    values = weight.reshape(-1).index_select(0, block.origin)
    matrix = _matrix(block.rowptr, block.col, values, graph, width)
    return _product(matrix, x.reshape(-1, x.size(2))).view(shape)


def sampled_matmul(graph: Csr, a: Tensor, b: Tensor) -> Tensor:
    """``[N, F]`` and ``[N, F]`` to ``[E]``, or ``[N, H, C]`` to ``[E, H]``."""
    if graph.num_edges == 0 or a.numel() == 0:
        return a.new_zeros(graph.num_edges, *a.shape[1:-1])
    if a.dim() == 2:
        zeros = a.new_zeros(graph.num_edges)
        values = _sampled(_matrix(graph.rowptr, graph.col, zeros, graph), a, b)
        return _to_edge_order(graph, values)
    if a.size(1) == 1:
        return sampled_matmul(graph, a[:, 0], b[:, 0]).unsqueeze(1)
    width = _block_width(graph, a.size(1))
    if width < a.size(1):
        pieces = zip(a.split(width, 1), b.split(width, 1), strict=True)
        return torch.cat([sampled_matmul(graph, *piece) for piece in pieces], 1)
    block = _block(graph, width)
    zeros = a.new_zeros(block.col.numel())
    matrix = _matrix(block.rowptr, block.col, zeros, graph, width)
    values = _sampled(matrix, a.reshape(-1, a.size(2)), b.reshape(-1, b.size(2)))
    return values.index_select(0, block.position).view(-1, width)


def hops(
    graph: Csr, ptr: Tensor, node: Tensor, limit: int, dtype: torch.dtype
) -> tuple[Tensor, bool]:
    """Hops along the rows from the sources of each column, [N, K]; -1 if none."""
    if graph.device.type == "cpu":
        return hops_by_scipy(graph, ptr, node, limit, dtype)
    return hops_by_products(spmm, graph, ptr, node, limit, dtype)


def maximum(graph: Csr, values: Tensor) -> Tensor:
    """Largest ``[E, H]`` value per destination, ``[N, H]``; 0 where no edge ends."""
    if graph.num_edges == 0 or values.size(1) == 0:
        return values.new_zeros(graph.num_dst, values.size(1))
    index = graph.dst().unsqueeze(1).expand_as(values)
    out = values.new_zeros(graph.num_dst, values.size(1))
    return out.scatter_reduce_(0, index, values, "amax", include_self=False)


def _values(graph: Csr, weight: Tensor | None, dtype: torch.dtype) -> Tensor:
    """Weights at their CSR positions; ones if there are none."""
    if weight is not None:
        return weight if graph.perm is None else weight.index_select(0, graph.perm)
    key = ("ones", dtype)
    if key not in graph.cache:
        ones = torch.ones(graph.num_edges, dtype=dtype, device=graph.device)
        graph.cache[key] = ones
    return graph.cache[key]


def _to_edge_order(graph: Csr, values: Tensor) -> Tensor:
    if graph.perm is None:
        return values
    return torch.empty_like(values).index_copy_(0, graph.edges(), values)


def _matrix(rowptr: Tensor, col: Tensor, values: Tensor, graph: Csr, copies: int = 1):
    _accept_beta()
    size = (graph.num_dst * copies, graph.num_src * copies)
    return torch.sparse_csr_tensor(
        rowptr, col, values.contiguous(), size, check_invariants=False
    )


@functools.cache
def _accept_beta() -> None:
    """Use up torch's one-time warning that its CSR tensors are in beta."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        index = torch.zeros(1, dtype=torch.int32)
        torch.sparse_csr_tensor(index, index[:0], torch.zeros(0), (0, 0))


def _product(matrix: Tensor, x: Tensor) -> Tensor:
    out = x.new_empty(matrix.size(0), x.size(1))
    with torch.autocast(x.device.type, enabled=False):
        # Unlike `matrix @ x`, this neither fills nor copies a result beforehand.
        return torch.addmm(out, matrix, x, beta=0.0, out=out)


def _sampled(matrix: Tensor, a: Tensor, b: Tensor) -> Tensor:
    col = matrix.col_indices()
    if col.numel() > matrix.size(0) * matrix.size(1):  # torch refuses so many repeats
        places = torch.arange(matrix.size(0), device=a.device)
        row = places.repeat_interleave(matrix.crow_indices().diff())
        return (a[row] * b[col]).sum(-1)
    with torch.autocast(a.device.type, enabled=False):
        return torch.sparse.sampled_addmm(matrix, a, b.t(), beta=0.0).values()


def _block_width(graph: Csr, heads: int) -> int:
    """Heads to treat at once, in even pieces, within the bound on memory."""
    entries = max(graph.num_edges, graph.num_src, graph.num_dst)
    pieces = math.ceil(heads / max(1, MAX_BLOCK_ENTRIES // entries))
    return math.ceil(heads / pieces)


def _block(graph: Csr, heads: int) -> Block:
    """The structure for this many heads; the few last used ones are kept."""
    blocks = graph.cache.setdefault("blocks", {})
    block = blocks.pop(heads, None)
    if block is None:
        block = _build_block(graph, heads)
        if len(blocks) == MAX_BLOCKS:
            del blocks[next(iter(blocks))]
    blocks[heads] = block
    return block


def _build_block(graph: Csr, heads: int) -> Block:
    degree = graph.degree()
    head = torch.arange(heads, device=graph.device)
    edge = torch.arange(graph.num_edges, device=graph.device)
    start = graph.rowptr[:-1].long()
    # Row (n, h) starts after all heads of earlier nodes and h rows of its own node.
    base = (start * (heads - 1)).repeat_interleave(degree) + edge  # [E]
    stride = degree.repeat_interleave(degree)  # [E]
    slot = base[:, None] + head * stride[:, None]  # [E, H], by CSR position
    ids = graph.edges()
    origin = ids[:, None] * heads + head
    col = graph.col.long()[:, None] * heads + head
    size = graph.num_edges * heads
    rowptr = degree.new_zeros(graph.num_dst * heads + 1)
    torch.cumsum(degree.repeat_interleave(heads), 0, out=rowptr[1:])
    flat = slot.reshape(-1)
    new = functools.partial(torch.empty, size, dtype=torch.int32, device=graph.device)
    return Block(
        rowptr.int(),
        new().index_copy_(0, flat, col.reshape(-1).int()),
        new().index_copy_(0, flat, origin.reshape(-1).int()),
        new().index_copy_(0, origin.reshape(-1), flat.int()),
    )
