"""How much the layers of a model can stretch, at most."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from graphlab.analysis.layers import Layers, find_layers, measuring


@dataclass(frozen=True)
class LipschitzProduct:
    """The product of the layers' Lipschitz bounds.

    Attributes:
        factors: Bound of each layer, ``1 + b`` for a residual one.
        log10: Logarithm of the product to base ten: 128 layers overflow a float.
    """

    factors: dict[str, float]
    log10: float


def lipschitz_product(
    model: nn.Module,
    layers: Layers = None,
    residual: bool | None = None,
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

    :math:`b_l` is what the layer's own method ``bound()`` returns. Without one it is
    the product of the spectral norms of the weight matrices in it, which assumes that
    they are applied one after another, that activations and normalization do not
    stretch, and that neither does message passing (true of the symmetric normalization
    :math:`\mathbf{\hat{A}}`, whose norm is 1). Layers that add up several products, as
    GraphSAGE does, or attend are not bounded by it. Singular values are computed in
    float64.

    Args:
        model: Any module.
        layers: Which modules are layers, see :func:`find_layers`.
        residual: Whether the layers are residual. By default, what the layer's or else
            the model's attribute ``residual`` says, and false without one.
        calls: How often each layer is used, once by default.

    Raises:
        ArgumentError: If no layers are found.

    Example:
        >>> from torch_geometric.nn import GCN
        >>> model = GCN(8, 8, num_layers=2)
        >>> for conv in model.convs:
        ...     _ = torch.nn.init.eye_(conv.lin.weight).mul_(10)
        >>> round(lipschitz_product(model).log10, 6)
        2.0
    """
    with measuring(model):  # a bounded weight must not move on by being looked at
        factors = {
            name: _bound(layer) + _is_residual(layer, model, residual)
            for name, layer in find_layers(model, layers).items()
        }
    calls = dict.fromkeys(factors, 1) if calls is None else calls
    log10 = sum(calls.get(name, 0) * _log10(value) for name, value in factors.items())
    return LipschitzProduct(factors, log10)


def _log10(value: float) -> float:
    return -math.inf if value == 0 else math.log10(value)  # log10(nan) is nan


def _bound(layer: nn.Module) -> float:
    if callable(getattr(layer, "bound", None)):
        return float(layer.bound())
    norms = [_spectral_norm(weight) for weight in _weights(layer)]
    return math.prod(norms) if norms else math.nan


def _spectral_norm(weight: Tensor) -> float:
    weight = weight.detach().double()
    if not bool(weight.isfinite().all()):
        return math.nan
    return float(torch.linalg.matrix_norm(weight, 2))


def _weights(layer: nn.Module) -> list[Tensor]:
    """The matrices in a layer as they are used, after any parametrization."""
    found = []
    for module in layer.modules():
        if isinstance(module, parametrize.ParametrizationList):
            continue
        own = dict(module.named_parameters(recurse=False))
        if parametrize.is_parametrized(module):
            own |= {name: getattr(module, name) for name in module.parametrizations}
        found += [weight for weight in own.values() if weight.dim() == 2]
    return found


def _is_residual(layer: nn.Module, model: nn.Module, residual: bool | None) -> bool:
    if residual is not None:
        return residual
    if getattr(layer, "block", "") in ("res", "res+"):  # PyG's DeepGCNLayer
        return True
    found = getattr(layer, "residual", getattr(model, "residual", False))
    return found is True
