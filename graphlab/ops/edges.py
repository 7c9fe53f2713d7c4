"""From nodes to edges and back: copies along edges, sums over incoming edges."""

import torch
from torch import Tensor

from graphlab.errors import ArgumentError
from graphlab.ops import _compiled
from graphlab.ops._function import FusedFunction
from graphlab.ops._layout import lead
from graphlab.ops.backend import kernels_for
from graphlab.ops.csr import Csr, incidence
from graphlab.ops.spmm import Graph, as_csr, check_types


def edge_add(graph: Graph, src: Tensor, dst: Tensor) -> Tensor:
    r"""Add a value of the source and a value of the destination, for every edge.

    .. math::
        s_e = a_j + b_i \quad \text{for } e = (j, i)

    the additive attention score of GAT. Its gradients are sums over the edges of a
    node, computed in one pass over the graph.

    Args:
        graph: The edges; see :meth:`Csr.from_edge_index` for the accepted forms.
        src: Values :math:`a` of the source nodes.
        dst: Values :math:`b` of the destination nodes.

    Shapes:
        - **src, dst:** :math:`(|\mathcal{V}|)` or :math:`(|\mathcal{V}|, H)`
        - **output:** :math:`(|\mathcal{E}|)` or :math:`(|\mathcal{E}|, H)`, in the
          order of ``edge_index``

    Raises:
        ArgumentError: If shapes, types or devices do not fit the graph or each other.
    """
    graph = as_csr(graph, (src.size(0), dst.size(0)))
    rows = (graph.num_src, graph.num_dst)
    if src.shape[1:] != dst.shape[1:] or (src.size(0), dst.size(0)) != rows:
        raise ArgumentError(
            f"src and dst must have {rows[0]} and {rows[1]} rows of one shape, got "
            f"{list(src.shape)} and {list(dst.shape)}"
        )
    check_types(graph, src=src, dst=dst)
    return copy_to_edges(graph.t(), src) + copy_to_edges(graph, dst)


def edge_softmax(graph: Graph, logits: Tensor) -> Tensor:
    r"""Softmax over the incoming edges of every node.

    .. math::
        \alpha_e = \frac{\exp(s_e)}{\sum_{e^{\prime} = (k, i)} \exp(s_{e^{\prime}})}
        \quad \text{for } e = (j, i)

    computed from :math:`s_e` minus the largest score of the destination, so that large
    scores do not overflow. An edge with score :math:`-\infty` gets 0, also where all
    edges of a node have it; a NaN spoils the edges of its destination, and no others.

    Args:
        graph: The edges; see :meth:`Csr.from_edge_index` for the accepted forms.
        logits: Scores, in the order of ``edge_index``.

    Shapes:
        - **logits:** :math:`(|\mathcal{E}|)` or :math:`(|\mathcal{E}|, H)`
        - **output:** like **logits**

    Raises:
        ArgumentError: If there is not one score per edge, or its type or device does
            not fit.
    """
    if torch.compiler.is_compiling() and isinstance(graph, Csr):
        return _compiled.edge_softmax(graph, logits)
    graph = Csr.from_edge_index(graph)
    if logits.dim() not in (1, 2) or logits.size(0) != graph.num_edges:
        raise ArgumentError(
            f"logits must have shape [{graph.num_edges}] or [{graph.num_edges}, H], "
            f"got {list(logits.shape)}"
        )
    check_types(graph, logits=logits)
    flat = logits.unsqueeze(-1) if logits.dim() == 1 else logits
    return _EdgeSoftmax.apply(graph, flat.unsqueeze(0)).view_as(logits)


def copy_to_edges(graph: Csr, x: Tensor) -> Tensor:
    """The value ``[N, ...]`` of its destination for every edge, ``[E, ...]``."""
    flat = x.unsqueeze(-1) if x.dim() == 1 else x.flatten(1)
    return _CopyToEdges.apply(graph, flat.unsqueeze(0)).view(
        graph.num_edges, *x.shape[1:]
    )


class _OverEdges(FusedFunction):
    """Functions of [B, N or E, F], for which further replicas are a longer B."""

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.graph = inputs[0]

    @classmethod
    def replicas(cls, info, in_dims, graph, *tensors):
        tensors = [
            lead(t, dim, info.batch_size)
            for t, dim in zip(tensors, in_dims[1:], strict=True)
        ]
        out = cls.apply(graph, *[t.flatten(0, 1) for t in tensors])
        return out.unflatten(0, tensors[0].shape[:2]), 0


class _CopyToEdges(_OverEdges):
    @staticmethod
    def forward(graph, x):
        return x.index_select(1, graph.dst())

    @staticmethod
    def backward(ctx, grad):
        return None, _SumEdges.apply(ctx.graph, grad)

    @staticmethod
    def vmap(info, in_dims, graph, x):
        return _CopyToEdges.replicas(info, in_dims, graph, x)


class _SumEdges(_OverEdges):
    @staticmethod
    def forward(graph, values):
        return kernels_for(values).spmm(incidence(graph), values, None, False)

    @staticmethod
    def backward(ctx, grad):
        return None, _CopyToEdges.apply(ctx.graph, grad)

    @staticmethod
    def vmap(info, in_dims, graph, values):
        return _SumEdges.replicas(info, in_dims, graph, values)


class _EdgeSoftmax(_OverEdges):
    @staticmethod
    def forward(graph, logits):
        return kernels_for(logits).edge_softmax(graph, logits)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.graph = inputs[0]
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx, grad):
        return None, _EdgeSoftmaxBackward.apply(ctx.graph, *ctx.saved_tensors, grad)

    @staticmethod
    def vmap(info, in_dims, graph, logits):
        return _EdgeSoftmax.replicas(info, in_dims, graph, logits)


class _EdgeSoftmaxBackward(_OverEdges):
    @staticmethod
    def forward(graph, alpha, grad):
        return kernels_for(alpha).edge_softmax_backward(graph, alpha, grad)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.graph = inputs[0]
        ctx.save_for_backward(*inputs[1:])

    @staticmethod
    def backward(ctx, upper):
        """Derivative of ``alpha * (grad - sum(alpha * grad))`` in both."""
        alpha, grad = ctx.saved_tensors

        def total(values: Tensor) -> Tensor:
            return _CopyToEdges.apply(ctx.graph, _SumEdges.apply(ctx.graph, values))

        mixed = total(alpha * upper)
        to_alpha = upper * (grad - total(alpha * grad)) - grad * mixed
        return None, to_alpha, alpha * (upper - mixed)

    @staticmethod
    def vmap(info, in_dims, graph, alpha, grad):
        return _EdgeSoftmaxBackward.replicas(info, in_dims, graph, alpha, grad)
