"""Reductions over neighbours, and the adjoint of their sum: products along edges."""

from typing import Literal

import torch
from torch import Tensor
from torch_geometric import EdgeIndex

from graphlab.errors import ArgumentError
from graphlab.ops import _compiled
from graphlab.ops._function import FusedFunction
from graphlab.ops._layout import fold, lead, readable, shape_like, wide
from graphlab.ops.backend import kernels_for
from graphlab.ops.csr import Csr, matrix_values
from graphlab.ops.extreme import extreme
from graphlab.ops.reference import accumulation_dtype

Graph = Csr | EdgeIndex | Tensor
REDUCTIONS = ("sum", "mean", "max", "min")


def spmm(
    graph: Graph,
    x: Tensor,
    weight: Tensor | None = None,
    reduce: Literal["sum", "mean", "max", "min"] = "sum",
) -> Tensor:
    r"""Sum, average, or take the extreme of, the weighted features of the neighbours.

    .. math::
        \mathbf{x}^{\prime}_i = \sum_{e = (j, i) \in \mathcal{E}} w_e \mathbf{x}_j

    for the nodes :math:`j` that point to :math:`i`. ``reduce="mean"`` divides by the
    number of incoming edges, whatever their weights; ``"max"`` and ``"min"`` take the
    extreme channel by channel, and a NaN wins. A node without incoming edges gets
    zeros. No message is ever written to memory. Gradients with respect to ``x`` and
    ``weight`` are fused in the same way, those of sum and mean to any order; the
    gradient of an extreme goes to the first edge that has it. Under
    :func:`torch.func.vmap`, one call serves all replicas.

    Args:
        graph: The edges; see :meth:`Csr.from_edge_index` for the accepted forms.
        x: Features of the source nodes. Half precision is summed in float32.
        weight: One weight per edge, or one per edge and head, in the order of
            ``edge_index``; by default a sparse matrix's values, or 1.
        reduce: ``"sum"``, ``"mean"``, ``"max"`` or ``"min"``.

    Shapes:
        - **x:** :math:`(|\mathcal{V}|, F)`, or :math:`(|\mathcal{V}|, H, C)` for
          :math:`H` heads
        - **weight:** :math:`(|\mathcal{E}|)` or :math:`(|\mathcal{E}|, H)` *(optional)*
        - **output:** like **x**, with one row per destination

    Raises:
        ArgumentError: If shapes, types or devices do not fit the graph, or ``reduce``
            is unknown.
    """
    if reduce not in REDUCTIONS:
        raise ArgumentError(
            f"reduce must be one of {', '.join(REDUCTIONS)}, got {reduce!r}"
        )
    weight = matrix_values(graph) if weight is None else weight
    if torch.compiler.is_compiling():
        return _compiled.spmm(graph, x, weight, reduce)
    graph = as_csr(graph, x.size(0))
    with torch._C.DisableTorchFunction():  # or a mode is asked about each shape
        _check(graph, x, weight)
        if weight is not None:
            weight = weight.to(accumulation_dtype(x))
    if reduce in ("max", "min"):
        return extreme(graph, x, weight, reduce == "max")
    return _Spmm.apply(graph, x, weight, reduce == "mean", False)


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
        ArgumentError: If shapes, types or devices do not fit the graph or each other.
    """
    if torch.compiler.is_compiling():
        return _compiled.sddmm(graph, a, b)
    graph = as_csr(graph, (b.size(0), a.size(0)))
    rows = (graph.num_dst, graph.num_src)
    if a.shape[1:] != b.shape[1:] or (a.size(0), b.size(0)) != rows or a.dim() < 2:
        raise ArgumentError(
            f"a and b must have {rows[0]} and {rows[1]} rows of one shape, got "
            f"{list(a.shape)} and {list(b.shape)}"
        )
    check_types(graph, a=a, b=b)
    dtype = torch.promote_types(a.dtype, b.dtype)
    return _Sddmm.apply(graph, a.to(dtype), b.to(dtype), False).to(a.dtype)


def as_csr(graph: Graph, num_nodes: int | tuple[int, int]) -> Csr:
    """The structure of ``graph``; a matrix already knows how many nodes it has."""
    if isinstance(graph, Csr):
        return graph
    return Csr.from_edge_index(graph, num_nodes)


def check_types(graph: Csr, **tensors: Tensor) -> None:
    """Floating point, and on the device of the graph."""
    for name, tensor in tensors.items():
        if not tensor.is_floating_point():
            raise ArgumentError(
                f"{name} must be of a floating point type, got {tensor.dtype}"
            )
        if tensor.device != graph.device:
            raise ArgumentError(
                f"{name} is on {tensor.device}, but the graph is on {graph.device}"
            )


def _check(graph: Csr, x: Tensor, weight: Tensor | None) -> None:
    if x.dim() not in (2, 3) or x.size(0) != graph.num_src:
        raise ArgumentError(
            f"x must have shape [{graph.num_src}, F] or [{graph.num_src}, H, C], got "
            f"{list(x.shape)}"
        )
    if weight is None:
        return check_types(graph, x=x)
    check_types(graph, x=x, weight=weight)
    accepted = [(graph.num_edges,)]
    if x.dim() == 3:
        accepted.append((graph.num_edges, x.size(1)))
    if tuple(weight.shape) not in accepted:
        raise ArgumentError(
            f"weight must have shape {' or '.join(str(list(s)) for s in accepted)}, "
            f"got {list(weight.shape)}"
        )


class _Spmm(FusedFunction):
    @staticmethod
    def forward(graph, x, weight, mean, batched):
        graph, weight = readable(graph, weight, batched)
        out = kernels_for(x).spmm(graph, wide(x, batched), weight, mean)
        return out.view(shape_like(x, graph.num_dst, batched))

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.graph, x, weight, ctx.mean, ctx.batched = inputs
        # Constant weights have no gradient: then do not keep x alive for it.
        learned = weight is not None and weight.requires_grad
        ctx.save_for_backward(x if learned else None, weight)

    @staticmethod
    def backward(ctx, grad):
        x, weight = ctx.saved_tensors
        grad_x = grad_weight = None
        if ctx.mean and weight is None and not ctx.batched:
            weight = ctx.graph.mean_weight(accumulation_dtype(grad))
        elif ctx.mean:
            factor = ctx.graph.mean_factor(grad.dtype)
            grad = grad * factor.view(-1, *[1] * (grad.dim() - 1 - ctx.batched))
        if ctx.needs_input_grad[1]:
            grad_x = _Spmm.apply(ctx.graph.t(), grad, weight, False, ctx.batched)
        if ctx.needs_input_grad[2]:
            grad_weight = _weight_grad(ctx.graph, grad, x, weight, ctx.batched)
        return None, grad_x, grad_weight, None, None

    @staticmethod
    def vmap(info, in_dims, graph, x, weight, mean, batched):
        x, weight, unfold = fold(info.batch_size, in_dims[1:3], x, weight, batched)
        return unfold(_Spmm.apply(graph, x, weight, mean, True)), 0


class _Sddmm(FusedFunction):
    """``[N, F]`` to ``[E]`` or ``[N, H, C]`` to ``[E, H]``, or with replicas."""

    @staticmethod
    def forward(graph, a, b, batched):
        heads = a.size(-2) if a.dim() == 3 + batched else 1
        wide_a, wide_b = wide(a, batched), wide(b, batched)
        out = kernels_for(a).sddmm(graph, wide_a, wide_b, heads)
        out = out if batched else out[0]
        return out if a.dim() == 3 + batched else out.squeeze(-1)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.graph, a, b, ctx.batched = inputs
        ctx.save_for_backward(a, b)

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        weight = grad.unsqueeze(-1) if ctx.batched and a.dim() == 3 else grad
        grad_a = grad_b = None
        if ctx.needs_input_grad[1]:
            grad_a = _Spmm.apply(ctx.graph, b, weight, False, ctx.batched)
        if ctx.needs_input_grad[2]:
            grad_b = _Spmm.apply(ctx.graph.t(), a, weight, False, ctx.batched)
        return None, grad_a, grad_b, None

    @staticmethod
    def vmap(info, in_dims, graph, a, b, batched):
        a, b = (
            lead(x, dim, info.batch_size)
            for x, dim in zip((a, b), in_dims[1:3], strict=True)
        )
        if not batched:
            return _Sddmm.apply(graph, a, b, True), 0
        out = _Sddmm.apply(graph, a.flatten(0, 1), b.flatten(0, 1), True)
        return out.unflatten(0, a.shape[:2]), 0


def _weight_grad(graph, grad, x, weight, batched):
    """Inner products along edges, in the shape of the weights."""
    if not batched:
        if weight.dim() == 1 and x.dim() == 3:  # heads share a weight
            grad, x = grad.flatten(1), x.flatten(1)
        return _Sddmm.apply(graph, grad, x, False).to(weight.dtype)
    heads = weight.size(2)
    grad, x = (t.flatten(2).unflatten(2, (heads, -1)) for t in (grad, x))
    out = _Sddmm.apply(graph, grad, x, True).to(weight.dtype)
    return out.sum(0, keepdim=True) if weight.size(0) == 1 else out
