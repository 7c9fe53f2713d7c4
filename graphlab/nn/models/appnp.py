"""Predict, then propagate."""

from torch import Tensor, nn

from graphlab.nn.conv.appnp_conv import APPNPConv
from graphlab.nn.models.mlp import MLP
from graphlab.ops.spmm import Graph


class APPNP(nn.Module):
    r"""Predictions of a perceptron, propagated by personalized PageRank.

    From the `"Predict then Propagate: Graph Neural Networks meet Personalized PageRank"
    <https://arxiv.org/abs/1810.05997>`_ paper (Section 3):

    .. math::
        \mathbf{Z}^{(k)} = (1 - \alpha) \mathbf{\hat{A}} \mathbf{Z}^{(k - 1)}
        + \alpha \mathbf{Z}^{(0)}, \qquad
        \mathbf{Z}^{(0)} = \mathrm{MLP} ( \mathbf{X} )

    Args:
        in_channels: Size :math:`F` of each input sample.
        hidden_channels: Size of each hidden layer.
        out_channels: Number :math:`C` of classes.
        num_layers: Number of layers of the perceptron.
        dropout: Dropout probability of the input of each of its layers.
        K: Number of propagation steps.
        alpha: Teleport probability; PosteL tunes it in ``{0.1, 0.2, 0.5, 0.9}``.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`, dense or sparse CSR
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** edge weights :math:`(|\mathcal{E}|)` *(optional)*
        - **output:** logits :math:`(|\mathcal{V}|, C)`

    Example:
        >>> model = APPNP(16, 64, 7)
        >>> model(torch.randn(3, 16), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 7])

    .. note::
        The paper drops edges in each step too; here that is an option of
        :class:`~graphlab.nn.APPNPConv`. Logits are returned, where
        the paper applies a softmax.
    """

    sparse_features = True
    optim_overrides: dict[str, dict] = {}

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 2,
        dropout: float = 0.5,
        K: int = 10,
        alpha: float = 0.1,
    ):
        super().__init__()
        self.mlp = MLP(in_channels, hidden_channels, out_channels, num_layers, dropout)
        self.prop = APPNPConv(K, alpha)

    def reset_parameters(self) -> None:
        """Draw new weights."""
        self.mlp.reset_parameters()

    def forward(  # noqa: D102
        self, x: Tensor, edge_index: Graph, edge_weight: Tensor | None = None
    ) -> Tensor:
        x = self.mlp(x)
        return self.prop(x, edge_index, edge_weight)
