"""From distances to similarities, with a gradient to the choice of anchors."""

import torch
from torch import Tensor
from torch.autograd import Function

from graphlab.errors import ArgumentError

BLOCK_BYTES = 2**24  # of similarities at once


def distance_similarity(
    distances: Tensor, dtype: torch.dtype = torch.float32
) -> Tensor:
    r"""Similarity that falls with the distance, and is 0 where there is no path.

    .. math::
        s(v, a) = \frac{1}{d(v, a) + 1}

    as in the `"Position-aware Graph Neural Networks"
    <https://arxiv.org/abs/1906.04817>`_ paper.

    Args:
        distances: Hops, -1 where unreachable, or weighted distances, infinite there;
            see :func:`anchor_distances`. Floating point distances are differentiable.
        dtype: Type of the result for hops; floating point distances keep their own.

    Shapes:
        - **distances:** of any shape, :math:`(|\mathcal{V}|, K)`
        - **output:** the same, from 0 to 1

    Example:
        >>> distance_similarity(torch.tensor([0, 1, 3, -1]))
        tensor([1.0000, 0.5000, 0.2500, 0.0000])
    """
    values = distances if distances.is_floating_point() else distances.to(dtype)
    reached = (values >= 0) & values.isfinite()
    # The inner choice keeps the gradient of the outer one free of NaN.
    return torch.where(reached, 1 / (torch.where(reached, values, 0) + 1), 0)


def anchor_similarity(distances: Tensor, selection: Tensor) -> Tensor:
    r"""Similarities to anchors that are chosen softly among :math:`M` candidates.

    .. math::
        \mathbf{S}_{vk} = \sum_{m = 1}^{M} \mathbf{W}_{km}\, s(v, c_m), \qquad
        s(v, c) = \frac{1}{d(v, c) + 1}

    with :math:`\mathbf{W}` the weight of each candidate in each anchor. A row of
    :math:`\mathbf{W}` with a single 1 is one chosen node. The distances do not depend
    on anything that is learned; the gradient goes to :math:`\mathbf{W}`, also to
    candidates that were not chosen. Only the distances are kept for it: similarities
    to all candidates exist for a block of nodes at a time.

    Args:
        distances: Distances of all nodes to the candidates; see
            :func:`anchor_distances`.
        selection: Weights :math:`\mathbf{W}`, floating point.

    Shapes:
        - **distances:** :math:`(|\mathcal{V}|, M)`
        - **selection:** :math:`(K, M)`
        - **output:** :math:`(|\mathcal{V}|, K)`, in the type of the weights

    Raises:
        ArgumentError: If the shapes do not fit, the weights are not of a floating point
            type, or the distances require a gradient.

    Example:
        >>> distances = torch.tensor([[0, 1], [1, 0], [3, -1]])
        >>> anchor_similarity(distances, torch.tensor([[0.5, 0.5]]))
        tensor([[0.7500],
                [0.7500],
                [0.1250]])
    """
    if distances.dim() != 2 or selection.dim() != 2:
        raise ArgumentError(
            "distances and selection must have shapes [N, M] and [K, M], got "
            f"{list(distances.shape)} and {list(selection.shape)}"
        )
    if distances.size(1) != selection.size(1):
        raise ArgumentError(
            f"selection must have {distances.size(1)} columns, one per candidate, got "
            f"{selection.size(1)}"
        )
    if not selection.is_floating_point():
        raise ArgumentError(
            f"selection must be of a floating point type, got {selection.dtype}"
        )
    if distances.requires_grad:
        raise ArgumentError(
            "distances must not require a gradient here; write "
            "distance_similarity(distances) @ selection.t()"
        )
    return _Mix.apply(distances, selection)


def _blocks(distances: Tensor, dtype: torch.dtype):
    """Similarities of consecutive nodes, a bounded number at a time."""
    rows = max(1, BLOCK_BYTES // (4 * max(1, distances.size(-1))))
    for block in distances.split(rows):
        yield distance_similarity(block, dtype).to(dtype)


class _Mix(Function):
    """``s(D) @ W.t()``, linear in W."""

    generate_vmap_rule = True

    @staticmethod
    def forward(distances, selection):
        blocks = _blocks(distances, selection.dtype)
        return torch.cat([block @ selection.t() for block in blocks])

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0])

    @staticmethod
    def backward(ctx, grad):
        return None, _Collect.apply(ctx.saved_tensors[0], grad)


class _Collect(Function):
    """``G.t() @ s(D)``, linear in G: the gradient of :class:`_Mix`, and back again."""

    generate_vmap_rule = True

    @staticmethod
    def forward(distances, grad):
        out, start = 0, 0
        for block in _blocks(distances, grad.dtype):
            out = out + grad[start : start + block.size(0)].t() @ block
            start += block.size(0)
        return out

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0])

    @staticmethod
    def backward(ctx, grad):
        return None, _Mix.apply(ctx.saved_tensors[0], grad)
