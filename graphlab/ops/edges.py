"""From nodes to edges and back: copies along edges, sums over incoming edges."""

import torch
from torch import Tensor
from torch.autograd import Function

from graphlab.errors import ArgumentError
from graphlab.ops import _torch_csr as backend
from graphlab.ops.csr import Csr
from graphlab.ops.spmm import Graph, as_csr, replicas_second


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
        ArgumentError: If shapes do not fit the graph or each other.
    """
    graph = as_csr(graph, (src.size(0), dst.size(0)))
    rows = (graph.num_src, graph.num_dst)
    if src.shape[1:] != dst.shape[1:] or (src.size(0), dst.size(0)) != rows:
        raise ArgumentError(
            f"src and dst must have {rows[0]} and {rows[1]} rows of one shape, got "
            f"{list(src.shape)} and {list(dst.shape)}"
        )
    return copy_to_edges(graph.t(), src) + copy_to_edges(graph, dst)


def edge_softmax(graph: Graph, logits: Tensor) -> Tensor:
    r"""Softmax over the incoming edges of every node.

    .. math::
        \alpha_e = \frac{\exp(s_e)}{\sum_{e^{\prime} = (k, i)} \exp(s_{e^{\prime}})}
        \quad \text{for } e = (j, i)

    computed from :math:`s_e` minus the largest score of the destination, so that large
    scores do not overflow. An edge with score :math:`-\infty` gets 0, also where all
    edges of a node have it.

    Args:
        graph: The edges; see :meth:`Csr.from_edge_index` for the accepted forms.
        logits: Scores, in the order of ``edge_index``.

    Shapes:
        - **logits:** :math:`(|\mathcal{E}|)` or :math:`(|\mathcal{E}|, H)`
        - **output:** like **logits**

    Raises:
        ArgumentError: If there is not one score per edge.
    """
    graph = Csr.from_edge_index(graph)
    if logits.dim() not in (1, 2) or logits.size(0) != graph.num_edges:
        raise ArgumentError(
            f"logits must have shape [{graph.num_edges}] or [{graph.num_edges}, H], "
            f"got {list(logits.shape)}"
        )
    flat = logits.unsqueeze(-1) if logits.dim() == 1 else logits
    return _EdgeSoftmax.apply(graph, flat).view_as(logits)


def copy_to_edges(graph: Csr, x: Tensor) -> Tensor:
    """The value ``[N, ...]`` of its destination for every edge, ``[E, ...]``."""
    flat = x.unsqueeze(-1) if x.dim() == 1 else x
    return _CopyToEdges.apply(graph, flat).view(graph.num_edges, *x.shape[1:])


def sum_edges(graph: Csr, values: Tensor) -> Tensor:
    """The sum of edge values ``[E, ...]`` per destination, ``[N, ...]``."""
    flat = values.unsqueeze(-1) if values.dim() == 1 else values
    return _SumEdges.apply(graph, flat).view(graph.num_dst, *values.shape[1:])


def _incidence(graph: Csr) -> Csr:
    """The bipartite graph from edges, as sources, to their destinations."""
    if "incidence" not in graph.cache:
        perm = graph.perm
        if perm is None:
            perm = torch.arange(graph.num_edges, device=graph.device)
        graph.cache["incidence"] = Csr(
            graph.rowptr, perm.int(), None, graph.num_edges, graph.num_dst
        )
    return graph.cache["incidence"]


class _OverEdges(Function):
    """What the functions below share: replicas are more columns."""

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.graph = inputs[0]

    @classmethod
    def columns(cls, info, in_dims, graph, x):
        x = replicas_second(x, in_dims[1], info.batch_size)  # [E or N, R, H]
        return cls.apply(graph, x.flatten(1)).unflatten(1, x.shape[1:]), 1


class _CopyToEdges(_OverEdges):
    @staticmethod
    def forward(graph, x):
        return x.index_select(0, graph.dst())

    @staticmethod
    def backward(ctx, grad):
        return None, _SumEdges.apply(ctx.graph, grad)

    @staticmethod
    def vmap(info, in_dims, graph, x):
        return _CopyToEdges.columns(info, in_dims, graph, x)


class _SumEdges(_OverEdges):
    @staticmethod
    def forward(graph, values):
        return backend.matmul(_incidence(graph), values, None)

    @staticmethod
    def backward(ctx, grad):
        return None, _CopyToEdges.apply(ctx.graph, grad)

    @staticmethod
    def vmap(info, in_dims, graph, values):
        return _SumEdges.columns(info, in_dims, graph, values)


class _EdgeSoftmax(_OverEdges):
    @staticmethod
    def forward(graph, logits):
        lowest = torch.finfo(logits.dtype).min  # keeps rows of -inf free of NaN
        top = backend.maximum(graph, logits).clamp_(min=lowest)
        weight = (logits - top.index_select(0, graph.dst())).exp_()
        total = backend.matmul(_incidence(graph), weight, None)
        total.masked_fill_(total == 0, 1)
        return weight.div_(total.index_select(0, graph.dst()))

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.graph = inputs[0]
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx, grad):
        (weight,) = ctx.saved_tensors
        grad = weight * grad
        total = _SumEdges.apply(ctx.graph, grad)
        return None, grad - weight * _CopyToEdges.apply(ctx.graph, total)

    @staticmethod
    def vmap(info, in_dims, graph, logits):
        return _EdgeSoftmax.columns(info, in_dims, graph, logits)
