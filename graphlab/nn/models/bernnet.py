"""The Bernstein polynomial network."""

import torch.nn.functional as F
from torch import Tensor, nn

from graphlab.nn.conv.bern_conv import BernConv
from graphlab.nn.models.mlp import MLP
from graphlab.ops.spmm import Graph


class BernNet(nn.Module):
    r"""Predictions of a perceptron, filtered by a learned Bernstein polynomial.

    From the `"BernNet: Learning Arbitrary Graph Spectral Filters via Bernstein
    Approximation" <https://arxiv.org/abs/2106.10994>`_ paper (Section 3):

    .. math::
        \mathbf{Z} = \sum_{k=0}^{K} \mathrm{ReLU}(\theta_k) \frac{1}{2^K} \binom{K}{k}
        (2 \mathbf{I} - \mathbf{L})^{K - k} \mathbf{L}^k \mathrm{MLP} ( \mathbf{X} )

    Args:
        in_channels: Size :math:`F` of each input sample.
        hidden_channels: Size of each hidden layer.
        out_channels: Number :math:`C` of classes.
        num_layers: Number of layers of the perceptron.
        dropout: Dropout probability of the input of each of its layers.
        K: Order of the polynomial.
        dprate: Dropout probability of what is filtered; PosteL tunes it in
            ``{0.0, 0.1, ..., 0.9}``.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`, dense or sparse CSR
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** edge weights :math:`(|\mathcal{E}|)` *(optional)*
        - **output:** logits :math:`(|\mathcal{V}|, C)`

    Example:
        >>> model = BernNet(16, 64, 7)
        >>> model(torch.randn(3, 16), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 7])

    .. note::
        As in the authors' code, :math:`\theta` has a learning rate of its own and no
        weight decay.
    """

    sparse_features = True
    optim_overrides: dict[str, dict] = {"prop.": {"lr": 0.01, "weight_decay": 0.0}}

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 2,
        dropout: float = 0.5,
        K: int = 10,
        dprate: float = 0.5,
    ):
        super().__init__()
        self.mlp = MLP(in_channels, hidden_channels, out_channels, num_layers, dropout)
        self.prop = BernConv(K)
        self.dprate = dprate

    def reset_parameters(self) -> None:
        """Draw new weights."""
        self.mlp.reset_parameters()
        self.prop.reset_parameters()

    def forward(  # noqa: D102
        self, x: Tensor, edge_index: Graph, edge_weight: Tensor | None = None
    ) -> Tensor:
        x = self.mlp(x)
        x = F.dropout(x, self.dprate, self.training)
        return self.prop(x, edge_index, edge_weight)
