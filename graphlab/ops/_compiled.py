"""The public operations inside :func:`torch.compile`: registered ones, no checks.

What is asserted about shapes in eager code stands in the fake kernels or fails in the
operation itself; data-dependent checks would break the graph.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from graphlab.errors import ArgumentError
from graphlab.ops import library
from graphlab.ops.csr import Csr, matrix_values
from graphlab.ops.reference import accumulation_dtype


class Handle(NamedTuple):
    """What stands for the edges of a derived graph."""

    number: Tensor
    num_nodes: int
    num_edges: int


def normalize(
    edge_index: Tensor, edge_weight: Tensor | None, num_nodes: int, kind: str, dtype
) -> tuple[Handle, Tensor]:
    """Edges and weights of a normalized graph; see :func:`library.normalize`."""
    if not isinstance(edge_index, Tensor):
        raise ArgumentError(
            "edge_index must be a tensor inside torch.compile, where it is normalized; "
            "or normalize before, and set normalize=False"
        )
    arguments = (edge_index, edge_weight, num_nodes, kind, dtype)
    number, weight = library.normalize(*arguments)
    return Handle(number, num_nodes, weight.size(0)), weight


def _structure(graph, num_src: int, num_dst: int) -> tuple[Tensor, int, int]:
    """Handle, number of destinations and number of edges."""
    if isinstance(graph, Csr):
        return graph.handle, graph.num_dst, graph.num_edges
    if isinstance(graph, Handle):
        return graph.number, graph.num_nodes, graph.num_edges
    if matrix_values(graph) is not None:
        num_dst, num_src = graph.shape
        edges = graph.values().numel()
    else:
        edges = graph.size(1)
    return library.structure_of(graph, num_src, num_dst), num_dst, edges


def spmm(graph, x: Tensor, weight: Tensor | None, reduce: str) -> Tensor:
    """See :func:`graphlab.ops.spmm`."""
    handle, num_dst, _ = _structure(graph, x.size(0), x.size(0))
    wide = x.reshape(1, x.size(0), -1)
    if weight is not None:
        weight = weight.to(accumulation_dtype(x))
        weight = weight.view(1, weight.size(0), -1)
    if reduce in ("sum", "mean"):
        out = library.spmm(handle, False, num_dst, wide, weight, reduce == "mean")
    else:
        out, _ = library.extreme(handle, num_dst, wide, weight, reduce == "max")
    return out.view(num_dst, *x.shape[1:])


def sddmm(graph, a: Tensor, b: Tensor) -> Tensor:
    """See :func:`graphlab.ops.sddmm`."""
    handle, _, edges = _structure(graph, b.size(0), a.size(0))
    heads = a.size(1) if a.dim() == 3 else 1
    dtype = torch.promote_types(a.dtype, b.dtype)
    wide = (t.to(dtype).reshape(1, t.size(0), -1) for t in (a, b))
    out = library.sddmm(handle, False, edges, *wide, heads).to(a.dtype)
    return out[0] if a.dim() == 3 else out.view(-1)


def edge_softmax(graph, logits: Tensor) -> Tensor:
    """See :func:`graphlab.ops.edge_softmax`; the graph must be a Csr here."""
    flat = logits.reshape(1, logits.size(0), -1)
    return library.edge_softmax(graph.handle, flat).view(logits.shape)


def attend(graph, query, key, value, att, seeds, score, numbers) -> Tensor:
    """See :func:`graphlab.ops.attend`."""
    handle, _, _ = _structure(graph, key.size(0), query.size(0))
    tensors = (t.unsqueeze(0) for t in (query, key, value))
    att = None if att is None else att.unsqueeze(0)
    return library.attend(handle, score, *tensors, att, seeds, *numbers)[0][0]
