"""Messages from anchors to nodes, reduced without ever keeping them all."""

import torch
from torch import Tensor
from torch.autograd import Function

from graphlab.errors import ArgumentError

BLOCK_ENTRIES = 2**17  # of messages at once, half a megabyte


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
    :math:`|\mathcal{V}| K D` messages exist for a few nodes at a time, forwards and
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
    """Consecutive nodes, whose messages stay in the cache of a core."""
    count = target.size(0)
    rows = max(1, BLOCK_ENTRIES // (scale.size(1) * max(1, target.size(1))))
    return [slice(i, min(i + rows, count)) for i in range(0, count, rows)]


def _messages(
    scale: Tensor, source: Tensor, target: Tensor, anchors: Tensor | None, block: slice
) -> tuple[Tensor, Tensor]:
    """Messages of a block ``[n, K, D]``, and their anchor terms ``[K, D]`` or equal."""
    terms = source
    if anchors is not None:  # index_select, since indexing takes six times as long
        own = anchors[block]
        terms = source.index_select(0, own.reshape(-1)).view(*own.shape, -1)
    target, scale = target[block].unsqueeze(1), scale[block].unsqueeze(2)
    return torch.addcmul(target, scale, terms).relu(), terms


class _Messages(Function):
    """Its backward is made of differentiable operations, so it has one, too."""

    generate_vmap_rule = True

    @staticmethod
    def forward(scale, source, target, weight, anchors):
        means, positions = [target.new_empty(0, target.size(1))], [scale[:0]]
        for block in _blocks(scale, target):
            messages, _ = _messages(scale, source, target, anchors, block)
            means.append(messages.mean(1))
            positions.append(messages @ weight)
        return torch.cat(means), torch.cat(positions)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, grad_mean, grad_position):
        scale, source, target, weight, anchors = ctx.saved_tensors
        grad_mean = grad_mean / scale.size(1)
        to_scale, to_target = [scale[:0]], [target[:0]]
        to_source, to_weight = torch.zeros_like(source), torch.zeros_like(weight)
        for place, block in enumerate(_blocks(scale, target)):
            messages, terms = _messages(scale, source, target, anchors, block)
            slope = grad_position[block].unsqueeze(2)
            grad = torch.addcmul(grad_mean[block].unsqueeze(1), slope, weight)
            # 0 where the message is; what torch.where does, in a 30th of the time.
            grad = torch.ops.aten.threshold_backward(grad, messages, 0)  # [n, K, D]
            to_scale.append((grad * terms).sum(2))
            to_target.append(grad.sum(1))
            to_weight = to_weight + slope.reshape(-1) @ messages.flatten(0, 1)
            grad = grad * scale[block].unsqueeze(2)
            if anchors is None:
                to_source = to_source + grad.sum(0)
                continue
            # In place but for the first time: what is zero may not be mapped by vmap.
            add = to_source.index_add_ if place else to_source.index_add
            to_source = add(0, anchors[block].reshape(-1), grad.flatten(0, 1))
        return torch.cat(to_scale), to_source, torch.cat(to_target), to_weight, None
