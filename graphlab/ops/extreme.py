"""The largest or smallest message of every node, channel by channel."""

from torch import Tensor

from graphlab.ops._function import FusedFunction
from graphlab.ops._layout import canonical, fold, lead, readable, shape_like, wide
from graphlab.ops.backend import kernels_for
from graphlab.ops.csr import Csr


def extreme(graph: Csr, x: Tensor, weight: Tensor | None, largest: bool) -> Tensor:
    """The largest or smallest weighted message; see :func:`~graphlab.ops.spmm`."""
    return _Extreme.apply(graph, x, weight, largest, False)[0]


class _Extreme(FusedFunction):
    @staticmethod
    def forward(graph, x, weight, largest, batched):
        graph, weight = readable(graph, weight, batched)
        kernels = kernels_for(x)
        out, arg = kernels.spextreme(graph, wide(x, batched), weight, largest)
        out = out.view(shape_like(x, graph.num_dst, batched))
        return out, arg if batched else arg[0]

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.graph, x, weight, _, ctx.batched = inputs
        ctx.mark_non_differentiable(output[1])
        learned = weight is not None and weight.requires_grad
        ctx.save_for_backward(x if learned else None, weight, output[1])
        ctx.shape = x.shape

    @staticmethod
    def backward(ctx, grad, _):
        needed = ctx.needs_input_grad[1:3]
        settings = (ctx.graph, needed, ctx.shape, ctx.batched)
        grads = _ExtremeBackward.apply(grad, *ctx.saved_tensors, *settings)
        return None, *grads, None, None

    @staticmethod
    def vmap(info, in_dims, graph, x, weight, largest, batched):
        x, weight, unfold = fold(info.batch_size, in_dims[1:3], x, weight, batched)
        out, arg = _Extreme.apply(graph, x, weight, largest, True)
        return (unfold(out), unfold(arg)), (0, 0)


class _ExtremeBackward(FusedFunction):
    """Apart, so that a second derivative is refused instead of being silently 0."""

    @staticmethod
    def forward(grad, x, weight, arg, graph, needed, shape, batched):
        x = None if x is None else wide(x, batched)
        factor = canonical(graph, weight, batched)
        grads = kernels_for(grad).spextreme_backward(
            graph, wide(grad, batched), wide(arg, batched), x, factor, *needed
        )
        grad_x, grad_weight = grads
        return (
            None if grad_x is None else grad_x.view(shape),
            None if grad_weight is None else grad_weight.view(weight.shape),
        )

    @staticmethod
    def setup_context(ctx, inputs, output):
        pass

    @staticmethod
    def backward(ctx, *grads):
        raise NotImplementedError(
            "spmm with reduce='max' or 'min' has no second derivative"
        )

    @staticmethod
    def vmap(info, in_dims, grad, x, weight, arg, graph, needed, shape, batched):
        size = info.batch_size
        grad, x, weight, arg = (
            None if t is None else lead(t, dim, size)
            for t, dim in zip((grad, x, weight, arg), in_dims[:4], strict=True)
        )
        inner = arg.size(1) if batched else 1  # replicas that there were before
        form = None
        if weight is not None:  # each replica has a gradient of its own
            form = weight.shape
            heads = weight.size(-1) if batched or weight.dim() == 3 else 1
            shared = weight.size(1) if batched else 1
            weight = weight.reshape(size, shared, graph.num_edges, heads)
            weight = weight.expand(-1, inner, -1, -1).flatten(0, 1)
        if batched:
            grad, x, arg = (
                None if t is None else t.flatten(0, 1) for t in (grad, x, arg)
            )
        settings = (graph, needed, (size * inner, *shape[batched:]), True)
        grad_x, grad_weight = _ExtremeBackward.apply(grad, x, weight, arg, *settings)
        if grad_x is not None:
            grad_x = grad_x.view(size, *shape)
        if grad_weight is not None:
            grad_weight = grad_weight.unflatten(0, (size, inner))
            if shared < inner:
                grad_weight = grad_weight.sum(1, keepdim=True)
            grad_weight = grad_weight.reshape(form)
        return (grad_x, grad_weight), (0, 0)
