"""The generalized PageRank network."""

import torch.nn.functional as F
from torch import Tensor, nn

from graphlab.nn.conv.gpr_conv import GPRConv
from graphlab.nn.models.mlp import MLP
from graphlab.ops.spmm import Graph


class GPRGNN(nn.Module):
    r"""Predictions of a perceptron, propagated by a learned generalized PageRank.

    From the `"Adaptive Universal Generalized PageRank Graph Neural Network"
    <https://arxiv.org/abs/2006.07988>`_ paper (Section 3):

    .. math::
        \mathbf{Z} = \sum_{k=0}^{K} \gamma_k \mathbf{\hat{A}}^k
        \mathrm{MLP} ( \mathbf{X} )

    Args:
        in_channels: Size :math:`F` of each input sample.
        hidden_channels: Size of each hidden layer.
        out_channels: Number :math:`C` of classes.
        num_layers: Number of layers of the perceptron.
        dropout: Dropout probability of the input of each of its layers.
        K: Number of propagation steps.
        alpha: Teleport probability that :math:`\gamma` starts from; PosteL tunes it in
            ``{0.1, 0.2, 0.5, 0.9}``.
        dprate: Dropout probability of what is propagated; PosteL tunes it in
            ``{0.0, 0.1, ..., 0.9}``.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`, dense or sparse CSR
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** edge weights :math:`(|\mathcal{E}|)` *(optional)*
        - **output:** logits :math:`(|\mathcal{V}|, C)`

    Example:
        >>> model = GPRGNN(16, 64, 7)
        >>> model(torch.randn(3, 16), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 7])

    .. note::
        As in the authors' code, :math:`\gamma` is trained without weight decay.
    """

    sparse_features = True
    optim_overrides: dict[str, dict] = {"prop.": {"weight_decay": 0.0}}

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 2,
        dropout: float = 0.5,
        K: int = 10,
        alpha: float = 0.1,
        dprate: float = 0.5,
    ):
        super().__init__()
        self.mlp = MLP(in_channels, hidden_channels, out_channels, num_layers, dropout)
        self.prop = GPRConv(K, alpha)
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
