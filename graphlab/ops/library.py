"""The operations as ``torch.ops.graphlab.*``: for torch.compile and torch.export.

Eager code does not come here: an autograd function costs half of what a registered
operation does. A compiled graph holds tensors only, so a structure travels as its
number in a tensor of no dimension, and ``transposed`` says which way the edges point.
All operations take the shapes of :mod:`graphlab.ops.reference`, replicas in front.
"""

from collections import OrderedDict

import torch
from torch import Tensor
from torch.library import custom_op

from graphlab.errors import GraphlabError
from graphlab.ops import reference
from graphlab.ops._layout import lead
from graphlab.ops.backend import kernels_for
from graphlab.ops.csr import Csr, structure

_KEPT = 64
_recent: OrderedDict[int, Csr] = OrderedDict()


def _graph(handle: Tensor, transposed: bool = False) -> Csr:
    graph = structure(int(handle))
    if graph is None:
        raise GraphlabError(
            "a compiled function met a graph that no longer exists; keep its "
            "edge_index or Csr alive as long as gradients are due"
        )
    return graph.t() if transposed else graph


@custom_op("graphlab::structure", mutates_args=())
def structure_of(edge_index: Tensor, num_src: int, num_dst: int) -> Tensor:
    """The number of the structure of ``edge_index``."""
    return _announce(Csr.from_edge_index(edge_index, (num_src, num_dst)))


@structure_of.register_fake
def _(edge_index, num_src, num_dst):
    return torch.empty((), dtype=torch.int64)


def _announce(graph: Csr) -> Tensor:
    """The number of a structure, which is kept for a while."""
    # Compiled code may hand on tensors that die at once, and their structure with them.
    _recent[graph.number] = graph
    _recent.move_to_end(graph.number)
    if len(_recent) > _KEPT:
        _recent.popitem(last=False)
    return graph.handle.clone()


@custom_op("graphlab::normalize", mutates_args=())
def normalize(
    edge_index: Tensor,
    edge_weight: Tensor | None,
    num_nodes: int,
    kind: str,
    dtype: torch.dtype,
) -> tuple[Tensor, Tensor]:
    """Structure and weights of a derived graph.

    ``kind`` is ``"gcn"`` or ``"gcn_loopless"`` for :func:`~graphlab.ops.gcn_norm`,
    ``"sym"`` for :func:`~graphlab.ops.sym_norm`, ``"looped"`` or ``"loopless"`` for
    :func:`~graphlab.ops.with_self_loops` and its counterpart, whose weights are ones
    where there are none. The weights are padded with zeros to E + N, since a compiler
    wants to know sizes beforehand. Not differentiable.
    """
    from graphlab.ops import gcn_norm, sym_norm, with_self_loops, without_self_loops

    if kind.startswith("gcn"):
        loops = kind == "gcn"
        edges, weight = gcn_norm(edge_index, edge_weight, num_nodes, loops, dtype)
    elif kind == "sym":
        edges, weight = sym_norm(edge_index, edge_weight, num_nodes, dtype)
    else:
        derive = with_self_loops if kind == "looped" else without_self_loops
        edges, weight = derive(edge_index, num_nodes, edge_weight)
    if weight is None:
        weight = torch.ones(edges.size(1), dtype=dtype, device=edges.device)
    padded = weight.new_zeros(edge_index.size(1) + num_nodes)
    padded[: weight.size(0)] = weight
    return _announce(Csr.from_edge_index(edges, num_nodes)), padded


@normalize.register_fake
def _(edge_index, edge_weight, num_nodes, kind, dtype):
    dtype = dtype if edge_weight is None else edge_weight.dtype
    size = edge_index.size(1) + num_nodes
    handle = torch.empty((), dtype=torch.int64)
    return handle, edge_index.new_empty(size, dtype=dtype)


@custom_op("graphlab::spmm", mutates_args=())
def spmm(
    handle: Tensor,
    transposed: bool,
    num_dst: int,
    x: Tensor,
    weight: Tensor | None,
    mean: bool,
) -> Tensor:
    """Weighted sums or means over neighbours."""
    graph = _graph(handle, transposed)
    if weight is not None:
        weight = weight[:, : graph.num_edges]  # of normalize, padded
    return kernels_for(x).spmm(graph, x, weight, mean).contiguous()


@spmm.register_fake
def _(handle, transposed, num_dst, x, weight, mean):
    return x.new_empty(x.size(0), num_dst, x.size(2))


@custom_op("graphlab::degree", mutates_args=())
def degree(handle: Tensor, transposed: bool, num_dst: int, like: Tensor) -> Tensor:
    """Incoming edges of each node, at least 1, as [1, N, 1] of the type of ``like``."""
    count = _graph(handle, transposed).degree().clamp(min=1).to(like)
    return count.view(1, -1, 1)


@degree.register_fake
def _(handle, transposed, num_dst, like):
    return like.new_empty(1, num_dst, 1)


@custom_op("graphlab::sddmm", mutates_args=())
def sddmm(
    handle: Tensor, transposed: bool, num_edges: int, a: Tensor, b: Tensor, heads: int
) -> Tensor:
    """Inner products along edges, in at least float32."""
    out = kernels_for(a).sddmm(_graph(handle, transposed), a, b, heads)
    return out.to(reference.accumulation_dtype(a)).contiguous()


@sddmm.register_fake
def _(handle, transposed, num_edges, a, b, heads):
    dtype = reference.accumulation_dtype(a)
    return a.new_empty(a.size(0), num_edges, heads, dtype=dtype)


@custom_op("graphlab::extreme", mutates_args=())
def extreme(
    handle: Tensor, num_dst: int, x: Tensor, weight: Tensor | None, largest: bool
) -> tuple[Tensor, Tensor]:
    """Largest or smallest messages and their positions."""
    return kernels_for(x).spextreme(_graph(handle), x, weight, largest)


@extreme.register_fake
def _(handle, num_dst, x, weight, largest):
    out = x.new_empty(x.size(0), num_dst, x.size(2))
    return out, torch.empty_like(out, dtype=torch.int32)


@custom_op("graphlab::extreme_backward", mutates_args=())
def extreme_backward(
    handle: Tensor, grad: Tensor, arg: Tensor, x: Tensor, weight: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Gradients of x and weight; an empty one where there is no weight."""
    grads = kernels_for(grad).spextreme_backward(
        _graph(handle), grad, arg, x, weight, True, weight is not None
    )
    return grads[0], grad.new_empty(0) if weight is None else grads[1].to(weight.dtype)


@extreme_backward.register_fake
def _(handle, grad, arg, x, weight):
    like = grad.new_empty(0) if weight is None else torch.empty_like(weight)
    return torch.empty_like(x), like


@custom_op("graphlab::edge_softmax", mutates_args=())
def edge_softmax(handle: Tensor, logits: Tensor) -> Tensor:
    """Softmax over the edges of each destination."""
    return kernels_for(logits).edge_softmax(_graph(handle), logits).contiguous()


@edge_softmax.register_fake
def _(handle, logits):
    return torch.empty_like(logits, memory_format=torch.contiguous_format)


@custom_op("graphlab::edge_softmax_backward", mutates_args=())
def edge_softmax_backward(handle: Tensor, alpha: Tensor, grad: Tensor) -> Tensor:
    """The gradient of the scores from that of the softmax."""
    kernels = kernels_for(alpha)
    return kernels.edge_softmax_backward(_graph(handle), alpha, grad).contiguous()


@edge_softmax_backward.register_fake
def _(handle, alpha, grad):
    return torch.empty_like(alpha, memory_format=torch.contiguous_format)


@custom_op("graphlab::attend", mutates_args=())
def attend(
    handle: Tensor,
    score: str,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    att: Tensor | None,
    seeds: Tensor | None,
    slope: float,
    scale: float,
    keep: float,
) -> tuple[Tensor, Tensor]:
    """Attention and the log of its denominator."""
    out, lse = kernels_for(value).attend(
        _graph(handle), score, query, key, value, att, slope, scale, keep, seeds
    )
    return out.contiguous(), lse.contiguous()


@attend.register_fake
def _(handle, score, query, key, value, att, seeds, slope, scale, keep):
    rows = (value.size(0), query.size(1), value.size(2))
    dtype = reference.accumulation_dtype(value)
    return value.new_empty(*rows, value.size(3)), value.new_empty(rows, dtype=dtype)


@custom_op("graphlab::attend_backward", mutates_args=())
def attend_backward(
    handle: Tensor,
    score: str,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    att: Tensor | None,
    seeds: Tensor | None,
    slope: float,
    scale: float,
    keep: float,
    out: Tensor,
    lse: Tensor,
    grad: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gradients of query, key, value and att; an empty one where there is no att."""
    tensors = (query, key, value, att, slope, scale, keep, seeds, out, lse, grad)
    grads = kernels_for(value).attend_backward(_graph(handle), score, *tensors)
    return *grads[:3], value.new_empty(0) if att is None else grads[3]


@attend_backward.register_fake
def _(handle, score, query, key, value, att, seeds, *rest):
    like = value.new_empty(0) if att is None else torch.empty_like(att)
    grads = (
        torch.empty_like(t, memory_format=torch.contiguous_format)
        for t in (query, key, value)
    )
    return *grads, like


def _save_spmm(ctx, inputs, output):
    ctx.handle, ctx.transposed, _, x, weight, ctx.mean = inputs
    ctx.save_for_backward(ctx.handle, x, weight)


def _spmm_backward(ctx, grad):
    handle, x, weight = ctx.saved_tensors
    if ctx.mean:
        grad = grad / degree(handle, ctx.transposed, grad.size(1), grad)
    grad_x = grad_weight = None
    if ctx.needs_input_grad[3]:
        grad_x = spmm(handle, not ctx.transposed, x.size(1), grad, weight, False)
    if ctx.needs_input_grad[4]:
        edges, heads = weight.shape[1:]
        grad_weight = sddmm(handle, ctx.transposed, edges, grad, x, heads)
        if weight.size(0) == 1:
            grad_weight = grad_weight.sum(0, keepdim=True)
    return None, None, None, grad_x, grad_weight, None


spmm.register_autograd(_spmm_backward, setup_context=_save_spmm)


def _save_sddmm(ctx, inputs, output):
    handle, ctx.transposed, _, a, b, _ = inputs
    ctx.save_for_backward(handle, a, b)


def _sddmm_backward(ctx, grad):
    handle, a, b = ctx.saved_tensors
    grad_a = spmm(handle, ctx.transposed, a.size(1), b, grad, False)
    grad_b = spmm(handle, not ctx.transposed, b.size(1), a, grad, False)
    return None, None, None, grad_a, grad_b, None


sddmm.register_autograd(_sddmm_backward, setup_context=_save_sddmm)


def _save_extreme(ctx, inputs, output):
    handle, _, x, weight, _ = inputs
    ctx.save_for_backward(handle, output[1], x, weight)


def _extreme_grads(ctx, grad, _):
    handle, arg, x, weight = ctx.saved_tensors
    grad_x, grad_weight = extreme_backward(handle, grad, arg, x, weight)
    return None, None, grad_x, None if weight is None else grad_weight, None


extreme.register_autograd(_extreme_grads, setup_context=_save_extreme)


def _save_softmax(ctx, inputs, output):
    ctx.save_for_backward(inputs[0], output)


def _softmax_grad(ctx, grad):
    handle, alpha = ctx.saved_tensors
    return None, edge_softmax_backward(handle, alpha, grad)


edge_softmax.register_autograd(_softmax_grad, setup_context=_save_softmax)


def _save_attend(ctx, inputs, output):
    handle, ctx.score, *tensors, slope, scale, keep = inputs
    ctx.numbers = (slope, scale, keep)
    ctx.save_for_backward(handle, *tensors, *output)


def _attend_grads(ctx, grad, _):
    handle, *tensors, out, lse = ctx.saved_tensors
    grads = attend_backward(handle, ctx.score, *tensors, *ctx.numbers, out, lse, grad)
    last = None if tensors[3] is None else grads[3]
    return None, None, *grads[:3], last, None, None, None, None


attend.register_autograd(_attend_grads, setup_context=_save_attend)


def _replicas(op, tensors: tuple[int, ...], outputs: int):
    """A vmap rule: replicas of replicas are just more of them in front."""

    def rule(info, in_dims, *args):
        args = list(args)
        inner = 1
        for place in tensors:
            if args[place] is not None:
                moved = args[place], in_dims[place]
                args[place] = lead(*moved, info.batch_size)
                inner = max(inner, args[place].size(1))
        for place in tensors:
            if args[place] is not None:
                shape = args[place].shape
                spread = args[place].expand(shape[0], inner, *shape[2:])
                args[place] = spread.flatten(0, 1)
        out = op(*args)
        split = (info.batch_size, inner)
        if outputs == 1:
            return out.unflatten(0, split), 0
        return tuple(t.unflatten(0, split) for t in out), (0,) * outputs

    op.register_vmap(rule)


_replicas(spmm, (3, 4), 1)
_replicas(sddmm, (3, 4), 1)
_replicas(extreme, (2, 3), 2)
_replicas(edge_softmax, (1,), 1)
_replicas(attend, (2, 3, 4, 5, 6), 2)
