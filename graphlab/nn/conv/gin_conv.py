"""The layer of the graph isomorphism network."""

import torch
from torch import Tensor, nn

from graphlab.errors import ArgumentError
from graphlab.nn.linear import FeatureLinear, is_sparse, reset
from graphlab.ops import SparseFeatures, spmm
from graphlab.ops.spmm import Graph


class GINConv(nn.Module):
    r"""The layer of the graph isomorphism network.

    From the `"How Powerful are Graph Neural Networks?"
    <https://arxiv.org/abs/1810.00826>`_ paper (Eq. 4.1):

    .. math::
        \mathbf{x}^{\prime}_i = h \left( (1 + \epsilon) \mathbf{x}_i +
        \sum_{e = (j, i) \in \mathcal{E}} w_e \mathbf{x}_j \right)

    with a network :math:`h`, such as a perceptron, and :math:`w_e = 1` by default. The
    sum keeps how often each neighbour occurs, which a mean or a maximum forgets: with
    an injective :math:`h` two nodes of different neighbourhoods stay apart, as in one
    round of the Weisfeiler-Leman test.

    Args:
        nn: The network :math:`h`, on rows of features.
        eps: The (initial) value of :math:`\epsilon`.
        train_eps: Whether to learn :math:`\epsilon`.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`, dense or, where **nn** begins
          with a :class:`~graphlab.nn.FeatureLinear`, sparse CSR
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** edge weights :math:`(|\mathcal{E}|)` *(optional)*
        - **output:** node features :math:`(|\mathcal{V}|, F^{\prime})`

    Raises:
        ArgumentError: **x** is sparse and **nn** does not begin with such a layer.

    Example:
        >>> conv = GINConv(torch.nn.Sequential(FeatureLinear(16, 32), torch.nn.ReLU()))
        >>> conv(torch.randn(3, 16), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 32])

    .. note::
        Equal to :class:`torch_geometric.nn.GINConv`. Where **nn** is a sequence that
        begins with a :class:`~graphlab.nn.FeatureLinear`, ours multiplies before it
        sums if the product is narrower, so that features may be sparse.
    """

    def __init__(self, nn: nn.Module, eps: float = 0.0, train_eps: bool = False):
        super().__init__()
        self.nn, self.initial_eps = nn, float(eps)
        value = torch.empty(())
        if train_eps:
            self.eps = torch.nn.Parameter(value)
        else:
            self.register_buffer("eps", value)
        self._set_eps()

    def _set_eps(self) -> None:
        with torch.no_grad():
            self.eps.fill_(self.initial_eps)

    def reset_parameters(self) -> None:
        """Draw new weights."""
        reset(self.nn)
        self._set_eps()

    def forward(  # noqa: D102
        self,
        x: Tensor | SparseFeatures,
        edge_index: Graph,
        edge_weight: Tensor | None = None,
    ) -> Tensor:
        layers = list(self.nn) if isinstance(self.nn, nn.Sequential) else [self.nn]
        linear = bool(layers) and type(layers[0]) is FeatureLinear
        if is_sparse(x) and not linear:
            raise ArgumentError(
                "x must be dense, since nn does not begin with a FeatureLinear, got "
                f"sparse features and {type(self.nn).__name__}"
            )
        if linear and (is_sparse(x) or layers[0].out_channels < x.size(1)):
            first, *layers = layers
            out = self._sum(first.product(x), edge_index, edge_weight)
            out = out if first.bias is None else out + first.bias
        else:
            out = self._sum(x, edge_index, edge_weight)
        for layer in layers:
            out = layer(out)
        return out

    def _sum(self, x: Tensor, edge_index: Graph, edge_weight: Tensor | None) -> Tensor:
        return torch.addcmul(spmm(edge_index, x, edge_weight), x, 1 + self.eps)
