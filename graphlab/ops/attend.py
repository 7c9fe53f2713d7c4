"""Attention over neighbours in one pass: scores, softmax and weighted sum."""

import math
from typing import Literal

import torch
from torch import Tensor

from graphlab.errors import ArgumentError
from graphlab.ops import _compiled, reference
from graphlab.ops._function import FusedFunction
from graphlab.ops._layout import lead
from graphlab.ops.backend import kernels_for
from graphlab.ops.spmm import Graph, as_csr, check_types

SCORES = ("additive", "gatv2", "dot")
_SEED_RANGE = 2**62


def attend(
    graph: Graph,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    att: Tensor | None = None,
    score: Literal["additive", "gatv2", "dot"] = "dot",
    negative_slope: float = 0.2,
    scale: float | None = None,
    dropout: float = 0.0,
    training: bool = True,
) -> Tensor:
    r"""Softmax attention of every node over the nodes that point to it.

    .. math::
        \mathbf{x}^{\prime}_i = \sum_{e = (j, i) \in \mathcal{E}} \alpha_e
        \mathbf{v}_j, \qquad
        \alpha_e = \frac{\exp(s_e)}{\sum_{e^{\prime} = (k, i)} \exp(s_{e^{\prime}})}

    for each head by itself, with the scores of

    .. math::
        \text{additive (GAT):} \quad & s_e = \mathrm{LeakyReLU}(q_i + k_j) \\
        \text{gatv2:} \quad & s_e = \mathbf{a}^{\top}
        \mathrm{LeakyReLU}(\mathbf{q}_i + \mathbf{k}_j) \\
        \text{dot:} \quad & s_e = \tau \, \mathbf{q}_i^{\top} \mathbf{k}_j

    No message, score or coefficient of an edge is kept: the backward pass computes the
    coefficients again from one number per node and head. Dropout acts on
    :math:`\alpha_e`; its noise is a function of a seed, the edge and the head, so the
    backward pass finds it again. The seed comes from torch's default generator. A node
    without incoming edges gets zeros.

    The scores are those of the `"Graph Attention Networks"
    <https://arxiv.org/abs/1710.10903>`_ (Eq. 3), `"How Attentive are Graph Attention
    Networks?" <https://arxiv.org/abs/2105.14491>`_ (Eq. 7) and `"Attention Is All You
    Need" <https://arxiv.org/abs/1706.03762>`_ (Eq. 1) papers.

    Args:
        graph: The edges; see :meth:`Csr.from_edge_index` for the accepted forms.
        query: What the destination brings to the score.
        key: What the source brings to the score.
        value: What the source hands on.
        att: The vector :math:`\mathbf{a}`, for ``score="gatv2"`` only.
        score: ``"additive"``, ``"gatv2"`` or ``"dot"``.
        negative_slope: Slope of the LeakyReLU, not negative.
        scale: The factor :math:`\tau`, by default :math:`1 / \sqrt{D}`.
        dropout: Probability with which a coefficient is set to zero.
        training: Whether dropout acts.

    Shapes:
        - **query:** :math:`(|\mathcal{V}_d|, H, D)`, or :math:`(|\mathcal{V}_d|, H)`
          for additive scores
        - **key:** :math:`(|\mathcal{V}_s|, H, D)`, or :math:`(|\mathcal{V}_s|, H)`
        - **value:** :math:`(|\mathcal{V}_s|, H, C)`
        - **att:** :math:`(H, D)` *(optional)*
        - **output:** :math:`(|\mathcal{V}_d|, H, C)`

    Raises:
        ArgumentError: If shapes, types or devices do not fit each other, ``score`` is
            unknown, or a number is out of its range.
    """
    compiling = torch.compiler.is_compiling()
    if not compiling:
        graph = as_csr(graph, (key.size(0), query.size(0)))
        _check(graph, query, key, value, att, score, negative_slope, dropout)
    if score == "dot" and scale is None:
        scale = 1 / math.sqrt(max(1, query.size(-1)))
    seeds, keep = None, 1.0
    if training and dropout > 0:
        if dropout == 1:
            return value.new_zeros(query.size(0), *value.shape[1:])
        keep = 1 - dropout
        seeds = torch.randint(_SEED_RANGE, (1,), device=value.device)
    dtype = value.dtype
    query, key = query.to(dtype), key.to(dtype)
    att = None if att is None else att.to(dtype)
    scale = 1.0 if scale is None else float(scale)
    numbers = (float(negative_slope), scale, keep)
    if compiling:
        arguments = (query, key, value, att, seeds, score, numbers)
        return _compiled.attend(graph, *arguments)
    return _Attend.apply(graph, score, query, key, value, att, seeds, numbers, False)[0]


def _check(graph, query, key, value, att, score, slope, dropout) -> None:
    if score not in SCORES:
        raise ArgumentError(f"score must be one of {', '.join(SCORES)}, got {score!r}")
    if value.dim() != 3 or value.size(0) != graph.num_src:
        raise ArgumentError(
            f"value must have shape [{graph.num_src}, H, C], got {list(value.shape)}"
        )
    inner = () if score == "additive" else key.shape[2:]
    heads = value.size(1)
    for name, tensor, rows in (
        ("query", query, graph.num_dst),
        ("key", key, graph.num_src),
    ):
        fits = tensor.shape == (rows, heads, *inner)
        if not fits or tensor.dim() != (2 if score == "additive" else 3):
            text = "" if score == "additive" else ", D"
            raise ArgumentError(
                f"{name} must have shape [{rows}, {heads}{text}] for score={score!r}, "
                f"got {list(tensor.shape)}"
            )
    tensors = {"query": query, "key": key, "value": value}
    if (att is None) == (score == "gatv2"):
        raise ArgumentError("att must be given for score='gatv2', and for no other")
    if att is not None:
        if att.shape != key.shape[1:]:
            raise ArgumentError(
                f"att must have shape {list(key.shape[1:])}, got {list(att.shape)}"
            )
        tensors["att"] = att
    check_types(graph, **tensors)
    if not 0 <= dropout <= 1:
        raise ArgumentError(f"dropout: got {dropout}; accepted is 0 <= dropout <= 1")
    if slope < 0:
        raise ArgumentError(f"negative_slope: got {slope}; accepted is 0 or more")


class _Attend(FusedFunction):
    """[N, H, ...] and att [H, D]; when ``batched``, with replicas in front of all.

    Then att may be [1, H, D]. Seeds are [1], or one a replica.
    """

    @staticmethod
    def forward(graph, score, query, key, value, att, seeds, numbers, batched):
        slope, scale, keep = numbers
        tensors = _batch((query, key, value, att), batched)
        result = kernels_for(value).attend(
            graph, score, *tensors, slope, scale, keep, seeds
        )
        return result if batched else tuple(t.squeeze(0) for t in result)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.graph, ctx.score, *tensors, ctx.numbers, ctx.batched = inputs
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(*tensors, *output)

    @staticmethod
    def backward(ctx, grad, _):
        settings = (ctx.graph, ctx.score, ctx.numbers, ctx.batched)
        grads = _AttendBackward.apply(*ctx.saved_tensors, grad, *settings)
        return None, None, *grads, None, None, None

    @staticmethod
    def vmap(info, in_dims, graph, score, *rest):
        *tensors, numbers, batched = rest
        folded, outer = _fold(info, in_dims[2:7], tensors, batched)
        out = _Attend.apply(graph, score, *folded, numbers, True)
        return tuple(t.unflatten(0, outer) for t in out), (0, 0)


class _AttendBackward(FusedFunction):
    @staticmethod
    def forward(
        query, key, value, att, seeds, out, lse, grad, graph, score, numbers, batched
    ):
        slope, scale, keep = numbers
        tensors = _batch((query, key, value, att), batched)
        results = _batch((out, lse, grad), batched)
        grads = kernels_for(value).attend_backward(
            graph, score, *tensors, slope, scale, keep, seeds, *results
        )
        return grads if batched else tuple(g if g is None else g[0] for g in grads)

    @staticmethod
    def setup_context(ctx, inputs, output):
        *tensors, ctx.graph, ctx.score, ctx.numbers, ctx.batched = inputs
        query, key, value, att, seeds, _, _, grad = tensors
        ctx.save_for_backward(query, key, value, att, seeds, grad)

    @staticmethod
    def backward(ctx, *upper):
        """Twice through the formula: rare, so not worth kernels of its own."""
        *tensors, seeds, grad = ctx.saved_tensors
        with torch.enable_grad():
            leaves = [t if t is None else t.detach().requires_grad_() for t in tensors]
            upstream = grad.detach().requires_grad_()
            slope, scale, keep = ctx.numbers
            inputs = _batch(leaves, ctx.batched)
            out, _ = reference.attend(
                ctx.graph, ctx.score, *inputs, slope, scale, keep, seeds
            )
            known = [t for t in leaves if t is not None]
            up = upstream if ctx.batched else upstream.unsqueeze(0)
            grads = torch.autograd.grad(out, known, up, create_graph=True)
            wanted = [u for u in upper if u is not None]
            total = sum((g * u).sum() for g, u in zip(grads, wanted, strict=True))
            second = torch.autograd.grad(total, [*known, upstream], allow_unused=True)
        if tensors[3] is None:
            second = (*second[:3], None, second[3])
        return *second[:4], None, None, None, second[4], None, None, None, None

    @staticmethod
    def vmap(info, in_dims, *args):
        *tensors, graph, score, numbers, batched = args
        dims = list(in_dims[:8])
        if tensors[3] is not None:  # each replica has a gradient of its own
            tensors[3] = lead(tensors[3], dims[3], info.batch_size)
            dims[3] = 0
            if batched:
                tensors[3] = tensors[3].expand(-1, _inner(tensors, dims), -1, -1)
        folded, outer = _fold(info, dims, tensors, batched)
        grads = _AttendBackward.apply(*folded, graph, score, numbers, True)
        out = tuple(None if g is None else g.unflatten(0, outer) for g in grads)
        return out, (0, 0, 0, None if grads[3] is None else 0)


def _batch(tensors, batched: bool) -> list:
    """Tensors with replicas in front, be it one."""
    return [t if batched or t is None else t.unsqueeze(0) for t in tensors]


def _inner(tensors, dims) -> int:
    """Replicas that the tensors already had."""
    return tensors[0].size(1 if dims[0] == 0 else 0)


def _fold(info, dims, tensors, batched: bool):
    """All replicas in one leading dimension; those that share att keep sharing it."""
    moved = [
        None if t is None else lead(t, dim, info.batch_size)
        for t, dim in zip(tensors, dims, strict=True)
    ]
    if not batched:
        if moved[3] is not None and dims[3] is None:
            moved[3] = tensors[3].unsqueeze(0)
        if moved[4] is not None:
            moved[4] = moved[4].flatten()
        return moved, (info.batch_size,)
    outer = moved[0].shape[:2]
    for place, tensor in enumerate(moved):
        if tensor is None:
            continue
        if place == 3 and dims[3] is None and tensor.size(1) == 1:
            moved[3] = tensor[0]
        else:
            moved[place] = tensor.expand(*outer, *tensor.shape[2:]).flatten(0, 1)
    return moved, outer
