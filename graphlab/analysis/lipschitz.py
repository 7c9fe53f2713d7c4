"""How much the layers of a model can stretch, at most."""

import inspect
import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from graphlab.analysis.layers import Layers, find_layers, measuring
from graphlab.analysis.weights import weight_matrices

_SIDE_BY_SIDE = (("lin_l", "lin_r"), ("lin_rel", "lin_root"))


@dataclass(frozen=True)
class LipschitzProduct:
    """The product of the layers' Lipschitz bounds.

    Attributes:
        factors: Bound of each layer, with what it adds to itself if it is residual.
        log10: Logarithm of the product to base ten: 128 layers overflow a float.
    """

    factors: dict[str, float]
    log10: float


def lipschitz_product(
    model: nn.Module,
    layers: Layers = None,
    residual: bool | None = None,
    propagation: float = 1.0,
    calls: Mapping[str, int] | None = None,
) -> LipschitzProduct:
    r"""Product of the Lipschitz bounds of a model's layers.

    .. math::
        \log_{10} \prod_{l} b_l \quad \text{or} \quad
        \log_{10} \prod_{l} (1 + b_l)

    the second for residual layers :math:`\mathbf{X} + g(\mathbf{X})` with :math:`b_l`
    the bound of :math:`g`. It bounds how much a stack stretches a difference of two
    inputs, and by the chain rule a gradient on its way from the last layer to the
    first: :math:`\| \mathbf{G}^{(0)} \| \leq \prod_l b_l \| \mathbf{G}^{(L)} \|`.

    The bound of a layer is what its own method ``bound()`` returns. Without one it is
    computed from the spectral norms of the layer's weight matrices as they are used,
    in float64:

    - one matrix: its norm, and of several the product, as if one followed the other;
    - ``lin_l`` and ``lin_r``, or ``lin_rel`` and ``lin_root`` (GraphSAGE): the sum;
    - ``GCN2Conv``: :math:`(1 - \alpha) \| (1 - \beta) \mathbf{I} + \beta \mathbf{W}
      \|_2`, with the initial features held;
    - attention (parameters called ``att...``): infinite, since there is none.

    It assumes that activations and normalization do not stretch. PairNorm and batch
    normalization may: the number then is an indication, no bound.

    Args:
        model: Any module.
        layers: Which modules are layers, see :func:`find_layers`.
        residual: Whether layers without ``bound()`` are residual. By default, what the
            layer's or else the model's attribute ``residual`` says, and false without
            one.
        propagation: How much message passing stretches at most. 1 holds for the
            symmetric normalization :math:`\mathbf{\hat{A}}` of an undirected graph;
            for averages only if features are measured by the largest norm of a node.
        calls: How often each layer is used, once by default.

    Raises:
        ArgumentError: If no layers are found.

    Example:
        >>> from torch_geometric.nn import GCN
        >>> model = GCN(8, 8, num_layers=2)
        >>> for conv in model.convs:
        ...     _ = conv.lin.weight.data.copy_(10 * torch.eye(8))
        >>> round(lipschitz_product(model).log10, 6)
        2.0
    """
    with measuring(model):  # a bounded weight must not move on by being looked at
        factors = {
            name: _factor(layer, model, residual, propagation)
            for name, layer in find_layers(model, layers).items()
        }
    calls = dict.fromkeys(factors, 1) if calls is None else calls
    log10 = sum(calls.get(name, 0) * _log10(value) for name, value in factors.items())
    return LipschitzProduct(factors, log10)


def _log10(value: float) -> float:
    return -math.inf if value == 0 else math.log10(value)  # log10(nan) is nan


def _factor(
    layer: nn.Module, model: nn.Module, residual: bool | None, propagation: float
) -> float:
    bound = getattr(layer, "bound", None)
    if not callable(bound):
        own = _is_residual(layer, model, residual)
        return _from_weights(layer, propagation) + own
    # Of all that the layer does, its residual connection included.
    takes = "propagation" in inspect.signature(bound).parameters
    return float(bound(propagation=propagation) if takes else bound())


def _from_weights(layer: nn.Module, propagation: float) -> float:
    names = [name.rpartition(".")[2] for name, _ in layer.named_parameters()]
    if any(name.startswith("att") for name in names):
        return math.inf
    if type(layer).__name__ == "GCN2Conv":
        weight = layer.weight1.detach().double()
        start = torch.eye(len(weight), dtype=weight.dtype, device=weight.device)
        mixed = start.lerp(weight, layer.beta)
        return propagation * (1 - layer.alpha) * _spectral_norm(mixed)
    for names in _SIDE_BY_SIDE:
        sides = [getattr(layer, name, None) for name in names]
        if all(isinstance(side, nn.Module) for side in sides):
            sent, own = map(_product, sides)
            return propagation * sent + own
    return propagation * _product(layer)


def _product(module: nn.Module) -> float:
    norms = [_spectral_norm(weight) for weight in weight_matrices(module).values()]
    return math.prod(norms) if norms else math.nan


def _spectral_norm(weight: Tensor) -> float:
    weight = weight.detach().double()
    if not bool(weight.isfinite().all()):
        return math.nan
    return float(torch.linalg.matrix_norm(weight, 2))


def _is_residual(layer: nn.Module, model: nn.Module, residual: bool | None) -> bool:
    if residual is not None:
        return residual
    if getattr(layer, "block", "") in ("res", "res+"):  # PyG's DeepGCNLayer
        return True
    found = getattr(layer, "residual", getattr(model, "residual", False))
    return found is True
