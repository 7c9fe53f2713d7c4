"""Dense products whose result lies in memory as the next sparse product wants it."""

import torch
from torch import Tensor

from graphlab.ops._function import FusedFunction


def matmul(x: Tensor, weight: Tensor) -> Tensor:
    r"""Multiply features with a weight matrix.

    .. math::
        \mathbf{X}^{\prime} = \mathbf{X} \mathbf{W}

    Same values as ``x @ weight``. Under :func:`torch.func.vmap` over :math:`R` replicas
    the result lies in memory as :math:`(|\mathcal{V}|, R, F^{\prime})`, so that
    :func:`~graphlab.ops.spmm` takes all replicas in one pass without a copy; replicas
    that share ``x`` are one wide product.

    Args:
        x: Node features.
        weight: Weight matrix.

    Shapes:
        - **x:** :math:`(|\mathcal{V}|, F)`
        - **weight:** :math:`(F, F^{\prime})`
        - **output:** :math:`(|\mathcal{V}|, F^{\prime})`
    """
    if torch.compiler.is_compiling() or torch.is_autocast_enabled(x.device.type):
        return x @ weight  # what compilers see through, and what knows how to cast
    return _Matmul.apply(x, weight)


class _Matmul(FusedFunction):
    @staticmethod
    def forward(x, weight):
        return x @ weight

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, grad):
        x, weight = ctx.saved_tensors
        grad_x = grad @ weight.mT if ctx.needs_input_grad[0] else None
        grad_weight = x.mT @ grad if ctx.needs_input_grad[1] else None
        return grad_x, grad_weight

    @staticmethod
    def vmap(info, in_dims, x, weight):
        x_dim, weight_dim = in_dims
        if weight_dim is None:
            x = x.movedim(x_dim, 1)  # [N, R, F]
            return (x.flatten(0, 1) @ weight).unflatten(0, x.shape[:2]), 1
        if x_dim is None:
            weight = weight.movedim(weight_dim, 1)  # [F, R, F']
            return (x @ weight.flatten(1)).unflatten(1, weight.shape[1:]), 1
        return _ReplicaMatmul.apply(
            x.movedim(x_dim, 1), weight.movedim(weight_dim, 0)
        ), 1


class _ReplicaMatmul(FusedFunction):
    """``[N, R, F]`` times ``[R, F, F']``, replica by replica, to ``[N, R, F']``.

    MKL is several times faster with a thin result (few classes) transposed, so that is
    what the forward does; the gradient of the weight always is transposed.
    """

    @staticmethod
    def forward(x, weight):
        if weight.size(2) < weight.size(1):
            out = torch.bmm(weight.mT, x.permute(1, 2, 0))
            return out.permute(2, 0, 1).contiguous()
        out = x.new_empty(*x.shape[:2], weight.size(2))
        torch.bmm(x.transpose(0, 1), weight, out=out.transpose(0, 1))
        return out

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, grad):
        x, weight = ctx.saved_tensors
        grad_x = grad_weight = None
        if ctx.needs_input_grad[0]:
            grad_x = _ReplicaMatmul.apply(grad, weight.mT)
        if ctx.needs_input_grad[1]:
            grad_weight = torch.bmm(grad.permute(1, 2, 0), x.transpose(0, 1)).mT
        return grad_x, grad_weight

    @staticmethod
    def vmap(info, in_dims, x, weight):
        out = torch.einsum(
            "bnri,brio->bnro",
            x.movedim(in_dims[0], 0) if in_dims[0] is not None else x[None],
            weight.movedim(in_dims[1], 0) if in_dims[1] is not None else weight[None],
        )
        return out.expand(info.batch_size, *out.shape[1:]), 0
