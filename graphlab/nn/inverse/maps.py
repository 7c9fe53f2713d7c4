"""One layer's residual function g, with what its inverse and its gradients need."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from graphlab.nn.conv.gcn_conv import GCNConv
from graphlab.nn.norm.lipschitz_norm import bounded_weights
from graphlab.ops import Csr, gcn_norm, spmm
from graphlab.ops.spmm import Graph, as_csr


@dataclass(frozen=True)
class Linearization:
    """``g`` near one state.

    Args:
        value: ``g`` of the state.
        vjp: From ``u`` to the transposed Jacobian of ``g`` times ``u``.
        parameter_grads: From ``u`` to the gradients of ``<u, g>`` with respect to the
            tensors of the map.
    """

    value: Tensor
    vjp: Callable[[Tensor], Tensor]
    parameter_grads: Callable[[Tensor], list[Tensor | None]]


class GCNMap:
    r"""The function :math:`\mathrm{ReLU}(\mathbf{\hat{A} X W} + \mathbf{b})`.

    Its derivatives are written by hand, so that each is one dense and one sparse
    product, and no graph is recorded:

    .. math::
        \mathbf{J}^{\top} \mathbf{U} = \mathbf{\hat{A}}^{\top} \left( (\mathbf{M}
        \odot \mathbf{U}) \mathbf{W}^{\top} \right), \qquad
        \nabla_{\mathbf{W}} = (\mathbf{\hat{A} X})^{\top} (\mathbf{M} \odot
        \mathbf{U})

    with :math:`\mathbf{M}` where the ReLU is active.
    """

    def __init__(
        self,
        graph: Csr,
        edge_weight: Tensor | None,
        weight: Tensor,
        bias: Tensor | None = None,
    ):
        self.graph, self.edge_weight = graph, edge_weight
        self.weight, self.bias = weight, bias
        self.num_tensors = 1 if bias is None else 2
        self._buffer: Tensor | None = None

    def __call__(self, x: Tensor) -> Tensor:
        """``g(x)``, a new tensor."""
        return self._transform(spmm(self.graph, x, self.edge_weight))

    def at(self, x: Tensor) -> Linearization:
        """The linearization at ``x``."""
        summed = spmm(self.graph, x, self.edge_weight)
        value = self._transform(summed)

        def masked(u: Tensor) -> Tensor:
            # One buffer for all: fresh memory costs a third of a product.
            self._buffer = torch.empty_like(x) if self._buffer is None else self._buffer
            return torch.ops.aten.threshold_backward.grad_input(
                u, value, 0, grad_input=self._buffer
            )

        def vjp(u: Tensor) -> Tensor:
            product = masked(u) @ self.weight.mT
            return spmm(self.graph.t(), product, self.edge_weight)

        def parameter_grads(u: Tensor) -> list[Tensor]:
            active = masked(u)
            grads = [summed.mT @ active]
            return grads if self.bias is None else [*grads, active.sum(0)]

        return Linearization(value, vjp, parameter_grads)

    def _transform(self, summed: Tensor) -> Tensor:
        if self.bias is None:
            return (summed @ self.weight).relu_()
        return torch.addmm(self.bias, summed, self.weight).relu_()


class ConvMap:
    """``relu(conv(x, *arguments))`` for any layer, differentiated by autograd."""

    def __init__(self, conv: nn.Module, arguments: tuple, tensors: Sequence[Tensor]):
        self.conv, self.arguments = conv, arguments
        self.tensors = [t.detach().requires_grad_(t.requires_grad) for t in tensors]
        self.num_tensors = len(self.tensors)

    def __call__(self, x: Tensor) -> Tensor:
        """``g(x)``, a new tensor."""
        with torch.no_grad(), swapped(self.conv, self.tensors):
            return self.conv(x, *self.arguments).relu()

    def at(self, x: Tensor) -> Linearization:
        """The linearization at ``x``."""
        leaf = x.detach().requires_grad_()
        with torch.enable_grad(), swapped(self.conv, self.tensors):
            out = self.conv(leaf, *self.arguments).relu()

        def vjp(u: Tensor) -> Tensor:
            return torch.autograd.grad(out, leaf, u, retain_graph=True)[0]

        def parameter_grads(u: Tensor) -> list[Tensor | None]:
            learned = [t for t in self.tensors if t.requires_grad]
            if not learned:
                return [None] * len(self.tensors)
            found = iter(
                torch.autograd.grad(
                    out, learned, u, retain_graph=True, allow_unused=True
                )
            )
            return [next(found) if t.requires_grad else None for t in self.tensors]

        return Linearization(out.detach(), vjp, parameter_grads)


def tensors_of(conv: nn.Module) -> list[Tensor]:
    """What a layer computes with: its bounded weights, then its other parameters.

    Within :func:`~graphlab.nn.held`, the bounded weights are the held ones.
    """
    if is_plain_gcn(conv):
        return [conv.lin.weight] + ([] if conv.bias is None else [conv.bias])
    weights = [each() for each in bounded_weights(conv)]
    return weights + [table[name] for table, name in _plain_parameters(conv)]


def map_of(
    conv: nn.Module, arguments: tuple, tensors: Sequence[Tensor]
) -> GCNMap | ConvMap:
    """The residual function of a layer with the given tensors."""
    if not is_plain_gcn(conv):
        return ConvMap(conv, arguments, tensors)
    return GCNMap(*arguments, *(t.detach() for t in tensors))


def is_plain_gcn(conv: nn.Module) -> bool:
    """Whether a layer is the one that :class:`GCNMap` knows."""
    return getattr(type(conv), "forward", None) is GCNConv.forward


def prepared(conv: nn.Module, x: Tensor, arguments: tuple) -> tuple:
    """The arguments of a layer beside ``x``, with the normalization done."""
    if not is_plain_gcn(conv):
        return arguments
    return normalized(conv, x, *arguments)


def normalized(
    conv: GCNConv, x: Tensor, edge_index: Graph, edge_weight: Tensor | None = None
) -> tuple[Csr, Tensor | None]:
    """The edges and weights that a :class:`~graphlab.nn.GCNConv` sums over."""
    if conv.normalize:
        edge_index, edge_weight = gcn_norm(
            edge_index, edge_weight, x.size(0), conv.add_self_loops, x.dtype
        )
    return as_csr(edge_index, x.size(0)), edge_weight


@contextmanager
def swapped(conv: nn.Module, tensors: Sequence[Tensor]) -> Iterator[None]:
    """Let a layer compute with the given tensors, ordered as :func:`tensors_of` does.

    The backward pass may come when a functional call has put other parameters back.
    """
    norms = [each[-1] for each in bounded_weights(conv)]
    places = [(norm.__dict__, "_held") for norm in norms] + _plain_parameters(conv)
    before = [table[name] for table, name in places]
    try:
        _put(places, tensors)
        yield
    finally:
        _put(places, before)


def _put(places: list[tuple[dict, str]], tensors: Sequence[Tensor | None]) -> None:
    for (table, name), tensor in zip(places, tensors, strict=True):
        table[name] = tensor


def _plain_parameters(conv: nn.Module) -> list[tuple[dict, str]]:
    """Where the parameters are kept that no norm bounds."""
    originals = {id(each) for each in bounded_weights(conv)}
    return [
        (module._parameters, name)
        for module in conv.modules()
        if id(module) not in originals
        for name, value in module._parameters.items()
        if value is not None
    ]
