"""Weighted sums over neighbours, and their adjoint: inner products along edges."""

from typing import Literal

import torch
from torch import Tensor
from torch.autograd import Function
from torch_geometric import EdgeIndex

from graphlab.errors import ArgumentError
from graphlab.ops import _torch_csr as backend
from graphlab.ops.csr import Csr, matrix_values

Graph = Csr | EdgeIndex | Tensor


def spmm(
    graph: Graph,
    x: Tensor,
    weight: Tensor | None = None,
    reduce: Literal["sum", "mean"] = "sum",
) -> Tensor:
    r"""Sum (or average) the weighted features of the nodes that point to a node.

    .. math::
        \mathbf{x}^{\prime}_i = \sum_{e = (j, i) \in \mathcal{E}} w_e \mathbf{x}_j

    ``reduce="mean"`` divides by the number of incoming edges, whatever their weights.
    A node without incoming edges gets zeros. No message is ever written to memory;
    gradients with respect to ``x`` and ``weight`` are fused in the same way, to any
    order. Under :func:`torch.func.vmap`, all replicas go through the graph at once.

    Args:
        graph: The edges; see :meth:`Csr.from_edge_index` for the accepted forms.
        x: Features of the source nodes. Half precision is summed in float32.
        weight: One weight per edge, or one per edge and head, in the order of
            ``edge_index``; by default a sparse matrix's values, or 1.
        reduce: ``"sum"`` or ``"mean"``.

    Shapes:
        - **x:** :math:`(|\mathcal{V}|, F)`, or :math:`(|\mathcal{V}|, H, C)` for
          :math:`H` heads
        - **weight:** :math:`(|\mathcal{E}|)` or :math:`(|\mathcal{E}|, H)` *(optional)*
        - **output:** like **x**, with one row per destination

    Raises:
        ArgumentError: If shapes do not fit the graph, or ``reduce`` is unknown.
    """
    if reduce not in ("sum", "mean"):
        raise ArgumentError(f"reduce must be 'sum' or 'mean', got {reduce!r}")
    weight = matrix_values(graph) if weight is None else weight
    graph = as_csr(graph, x.size(0))
    _check(graph, x, weight)
    dtype = accumulation_dtype(x)
    value = x.to(dtype)
    weight = None if weight is None else weight.to(dtype)
    if x.dim() == 3 and (weight is None or weight.dim() == 1):  # heads are columns
        out = _Spmm.apply(graph, value.flatten(1), weight).unflatten(1, x.shape[1:])
    else:
        out = _Spmm.apply(graph, value, weight)
    if reduce == "mean":
        count = graph.degree().clamp(min=1).to(dtype)
        out = out / count.view(-1, *[1] * (x.dim() - 1))
    return out.to(x.dtype)


def sddmm(graph: Graph, a: Tensor, b: Tensor) -> Tensor:
    r"""Inner product of destination and source features along every edge.

    .. math::
        s_e = \mathbf{a}_i^{\top} \mathbf{b}_j \quad \text{for } e = (j, i)

    the gradient of :func:`spmm` with respect to its weights. Differentiable to any
    order, and batched by :func:`torch.func.vmap`.

    Args:
        graph: The edges; see :meth:`Csr.from_edge_index` for the accepted forms.
        a: Features of the destination nodes.
        b: Features of the source nodes.

    Shapes:
        - **a:** :math:`(|\mathcal{V}|, F)` or :math:`(|\mathcal{V}|, H, C)`
        - **b:** like **a**, with one row per source
        - **output:** :math:`(|\mathcal{E}|)` or :math:`(|\mathcal{E}|, H)`, in the
          order of ``edge_index``

    Raises:
        ArgumentError: If shapes do not fit the graph or each other.
    """
    graph = as_csr(graph, (b.size(0), a.size(0)))
    rows = (graph.num_dst, graph.num_src)
    if a.shape[1:] != b.shape[1:] or (a.size(0), b.size(0)) != rows:
        raise ArgumentError(
            f"a and b must have {rows[0]} and {rows[1]} rows of one shape, got "
            f"{list(a.shape)} and {list(b.shape)}"
        )
    dtype = accumulation_dtype(a)
    return _Sddmm.apply(graph, a.to(dtype), b.to(dtype)).to(a.dtype)


def as_csr(graph: Graph, num_nodes: int | tuple[int, int]) -> Csr:
    """The structure of ``graph``; a matrix already knows how many nodes it has."""
    if isinstance(graph, Csr):
        return graph
    return Csr.from_edge_index(graph, num_nodes)


def accumulation_dtype(x: Tensor) -> torch.dtype:
    """Type to sum ``x`` in: its own, but never less than float32."""
    return torch.promote_types(x.dtype, torch.float32)


def _check(graph: Csr, x: Tensor, weight: Tensor | None) -> None:
    if x.dim() not in (2, 3) or x.size(0) != graph.num_src:
        raise ArgumentError(
            f"x must have shape [{graph.num_src}, F] or [{graph.num_src}, H, C], got "
            f"{list(x.shape)}"
        )
    if weight is None:
        return
    accepted = [(graph.num_edges,)]
    if x.dim() == 3:
        accepted.append((graph.num_edges, x.size(1)))
    if tuple(weight.shape) not in accepted:
        raise ArgumentError(
            f"weight must have shape {' or '.join(str(list(s)) for s in accepted)}, "
            f"got {list(weight.shape)}"
        )


class _Spmm(Function):
    """``[N, F]`` with ``[E]`` or no weights, or ``[N, H, C]`` with ``[E, H]``."""

    @staticmethod
    def forward(graph, x, weight):
        return backend.matmul(graph, x, weight)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.graph, x, weight = inputs
        # Constant weights have no gradient: then do not keep x alive for it.
        learned = weight is not None and weight.requires_grad
        ctx.save_for_backward(x if learned else None, weight)

    @staticmethod
    def backward(ctx, grad):
        x, weight = ctx.saved_tensors
        grad_x = grad_weight = None
        if ctx.needs_input_grad[1]:
            grad_x = _Spmm.apply(ctx.graph.t(), grad, weight)
        if ctx.needs_input_grad[2]:
            grad_weight = _Sddmm.apply(ctx.graph, grad, x)
        return None, grad_x, grad_weight

    @staticmethod
    def vmap(info, in_dims, graph, x, weight):
        _, x_dim, weight_dim = in_dims
        if weight_dim is None:  # one matrix for all: replicas are more columns
            x = x.movedim(x_dim, -2)  # [N, R, F] or [N, H, R, C]
            out = _Spmm.apply(graph, x.flatten(-2), weight)
            return out.unflatten(-1, x.shape[-2:]), out.dim() - 1
        x = replicas_second(x, x_dim, info.batch_size)  # [N, R, F] or [N, R, H, C]
        weight = weight.movedim(weight_dim, 1)  # [E, R] or [E, R, H]
        out = _Spmm.apply(graph, x.flatten(1, -2), weight.flatten(1))
        return out.unflatten(1, x.shape[1:-1]), 1


class _Sddmm(Function):
    @staticmethod
    def forward(graph, a, b):
        return backend.sampled_matmul(graph, a, b)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.graph, a, b = inputs
        ctx.save_for_backward(a, b)

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        grad_a = grad_b = None
        if ctx.needs_input_grad[1]:
            grad_a = _Spmm.apply(ctx.graph, b, grad)
        if ctx.needs_input_grad[2]:
            grad_b = _Spmm.apply(ctx.graph.t(), a, grad)
        return None, grad_a, grad_b

    @staticmethod
    def vmap(info, in_dims, graph, a, b):
        a = replicas_second(a, in_dims[1], info.batch_size)
        b = replicas_second(b, in_dims[2], info.batch_size)
        out = _Sddmm.apply(graph, a.flatten(1, -2), b.flatten(1, -2))
        return out.unflatten(1, a.shape[1:-1]), 1


def replicas_second(x: Tensor, dim: int | None, size: int) -> Tensor:
    """Bring (or repeat) the dimension of the replicas to the second place."""
    if dim is None:
        return x.unsqueeze(1).expand(-1, size, *x.shape[1:])
    return x.movedim(dim, 1)
