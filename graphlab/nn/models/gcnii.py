"""Simple and deep graph convolutional networks."""

import torch.nn.functional as F
from torch import Tensor, nn

from graphlab.nn._checks import check_count
from graphlab.nn.conv.gcn2_conv import GCN2Conv
from graphlab.nn.linear import FeatureLinear, feature_dropout, num_nodes_of
from graphlab.ops import gcn_norm
from graphlab.ops.spmm import Graph


class GCNII(nn.Module):
    r"""A deep GCN with initial residuals and identity mappings.

    From the `"Simple and Deep Graph Convolutional Networks"
    <https://arxiv.org/abs/2007.02133>`_ paper (Section 3):

    .. math::
        \mathbf{H}^{(l)} = \mathrm{ReLU} \left( \left( (1 - \alpha) \mathbf{\hat{A}}
        \mathbf{H}^{(l - 1)} + \alpha \mathbf{H}^{(0)} \right) \left( (1 - \beta_l)
        \mathbf{I} + \beta_l \mathbf{W}^{(l)} \right) \right), \qquad
        \mathbf{H}^{(0)} = \mathrm{ReLU} ( \mathbf{X} \mathbf{W}_0 + \mathbf{b}_0 )

    with :math:`\beta_l = \log(\theta / l + 1)`, followed by a linear map.

    Args:
        in_channels: Size :math:`F` of each input sample.
        hidden_channels: Size of each hidden layer.
        out_channels: Number :math:`C` of classes.
        num_layers: Number of graph convolutions.
        dropout: Dropout probability of the input of each layer.
        alpha: Share :math:`\alpha` of the initial features in each layer.
        theta: Strength :math:`\theta` of the weights.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`, dense or sparse CSR
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** edge weights :math:`(|\mathcal{E}|)` *(optional)*
        - **output:** logits :math:`(|\mathcal{V}|, C)`

    Raises:
        ArgumentError: There are no layers.

    Example:
        >>> model = GCNII(16, 64, 7, num_layers=64)
        >>> model(torch.randn(3, 16), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 7])

    .. note::
        The authors' code decays the weights of the linear maps less than those of the
        convolutions; here one setting serves all.
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
        alpha: float = 0.1,
        theta: float = 0.5,
    ):
        super().__init__()
        check_count("num_layers", num_layers)
        self.dropout = dropout
        self.lin_in = FeatureLinear(in_channels, hidden_channels)
        self.convs = nn.ModuleList(
            GCN2Conv(hidden_channels, alpha, theta, layer, normalize=False)
            for layer in range(1, num_layers + 1)
        )
        self.lin_out = FeatureLinear(hidden_channels, out_channels)

    def reset_parameters(self) -> None:
        """Draw new weights."""
        for layer in (self.lin_in, *self.convs, self.lin_out):
            layer.reset_parameters()

    def forward(  # noqa: D102
        self, x: Tensor, edge_index: Graph, edge_weight: Tensor | None = None
    ) -> Tensor:
        edges, weight = gcn_norm(
            edge_index, edge_weight, num_nodes_of(x), dtype=self.lin_in.weight.dtype
        )
        x = feature_dropout(x, self.dropout, self.training)
        x = x_0 = self.lin_in(x).relu()
        for conv in self.convs:
            x = F.dropout(x, self.dropout, self.training)
            x = conv(x, x_0, edges, weight).relu()
        x = F.dropout(x, self.dropout, self.training)
        return self.lin_out(x)
