"""Messages from anchors to nodes, reduced without ever keeping them all."""

import torch
from torch import Tensor
from torch.autograd import Function

from graphlab.errors import ArgumentError

BLOCK_ENTRIES = 2**20  # of messages at once


def anchor_messages(
    scale: Tensor,
    source: Tensor,
    target: Tensor,
    weight: Tensor,
    anchors: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    r"""Means and projections of the messages that anchors send to all nodes.

    .. math::
        \mathbf{m}_{vk} = \mathrm{ReLU}(\sigma_{vk}\, \mathbf{p}_{a(v, k)} +
        \mathbf{q}_v), \qquad
        \mathbf{h}_v = \frac{1}{K} \sum_{k = 1}^{K} \mathbf{m}_{vk}, \qquad
        z_{vk} = \langle \mathbf{w}, \mathbf{m}_{vk} \rangle

    as in the `"Position-aware Graph Neural Networks"
    <https://arxiv.org/abs/1906.04817>`_ paper, whose linear map of the pair
    :math:`[\sigma \mathbf{h}_a; \mathbf{h}_v]` is split into
    :math:`\sigma \mathbf{W}_1 \mathbf{h}_a + \mathbf{W}_2 \mathbf{h}_v`. The
    :math:`|\mathcal{V}| K D` messages exist for a few anchors at a time, forwards and
    backwards, where they are computed again; what is kept is
    :math:`\mathcal{O}(|\mathcal{V}| (K + D))`.

    Args:
        scale: Scalars :math:`\sigma`.
        source: Anchor terms :math:`\mathbf{p}`.
        target: Node terms :math:`\mathbf{q}`.
        weight: Vector :math:`\mathbf{w}`.
        anchors: Row :math:`a(v, k)` of ``source`` for each node, where nodes have
            anchors of their own. Else row :math:`k` is anchor :math:`k` of all nodes.

    Shapes:
        - **scale:** :math:`(|\mathcal{V}|, K)`
        - **source:** :math:`(K, D)`, or with ``anchors`` any number of rows
        - **target:** :math:`(|\mathcal{V}|, D)`
        - **weight:** :math:`(D)`
        - **anchors:** :math:`(|\mathcal{V}|, K)` *(optional)*
        - **output:** :math:`\mathbf{h}`, :math:`(|\mathcal{V}|, D)`, zero without
          anchors, and :math:`\mathbf{z}`, :math:`(|\mathcal{V}|, K)`

    Raises:
        ArgumentError: If the shapes do not fit.

    Example:
        >>> scale = torch.tensor([[1.0, 0.5]])
        >>> source, target = torch.tensor([[1.0], [-4.0]]), torch.tensor([[1.0]])
        >>> anchor_messages(scale, source, target, torch.tensor([3.0]))
        (tensor([[1.]]), tensor([[6., 0.]]))
    """
    rows = source.size(0) if anchors is None else scale.size(1)
    fits = scale.shape == (target.size(0), rows)
    fits &= source.size(1) == target.size(1) == weight.numel()
    if not fits or (anchors is not None and anchors.shape != scale.shape):
        raise ArgumentError(
            "scale, source, target and weight must have shapes [N, K], [K, D], [N, D] "
            f"and [D], and anchors that of scale; got {list(scale.shape)}, "
            f"{list(source.shape)}, {list(target.shape)}, {list(weight.shape)} and "
            f"{None if anchors is None else list(anchors.shape)}"
        )
    if scale.size(1) == 0:
        return torch.zeros_like(target), torch.zeros_like(scale)
    return _Messages.apply(scale, source, target, weight, anchors)


def _blocks(scale: Tensor, target: Tensor) -> list[slice]:
    """Consecutive anchors, a bounded number of message entries at a time."""
    width = max(1, BLOCK_ENTRIES // max(1, target.numel()))
    count = scale.size(1)
    return [slice(i, min(i + width, count)) for i in range(0, count, width)]


def _terms(source: Tensor, anchors: Tensor | None, block: slice) -> Tensor:
    """The anchor terms of a block, ``[c, D]`` or ``[N, c, D]``."""
    return source[block] if anchors is None else source[anchors[:, block]]


class _Messages(Function):
    """Its backward is made of differentiable operations, so it has one, too."""

    generate_vmap_rule = True

    @staticmethod
    def forward(scale, source, target, weight, anchors):
        total, positions = 0, []
        for block in _blocks(scale, target):
            terms = _terms(source, anchors, block)
            messages = scale[:, block, None] * terms + target.unsqueeze(1)  # [N, c, D]
            messages = messages.relu()
            total = total + messages.sum(1)
            positions.append(messages @ weight)
        return total / scale.size(1), torch.cat(positions, 1)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, grad_mean, grad_position):
        scale, source, target, weight, anchors = ctx.saved_tensors
        grad_mean = grad_mean.unsqueeze(1) / scale.size(1)
        to_scale, to_source, to_target, to_weight = [], [], 0, 0
        for block in _blocks(scale, target):
            terms = _terms(source, anchors, block)
            factor = scale[:, block, None]
            messages = (factor * terms + target.unsqueeze(1)).relu()
            slope = grad_position[:, block]
            grad = grad_mean + slope.unsqueeze(2) * weight
            grad = torch.where(messages > 0, grad, 0)  # [N, c, D]
            to_scale.append((grad * terms).sum(2))
            to_target = to_target + grad.sum(1)
            to_weight = to_weight + (slope.unsqueeze(2) * messages).sum((0, 1))
            to_source.append(_to_source(grad * factor, source, anchors, block))
        to_source = torch.cat(to_source) if anchors is None else sum(to_source)
        return torch.cat(to_scale, 1), to_source, to_target, to_weight, None


def _to_source(
    grad: Tensor, source: Tensor, anchors: Tensor | None, block: slice
) -> Tensor:
    if anchors is None:
        return grad.sum(0)  # [c, D]
    rows = anchors[:, block].reshape(-1)
    return torch.zeros_like(source).index_add(0, rows, grad.flatten(0, 1))
