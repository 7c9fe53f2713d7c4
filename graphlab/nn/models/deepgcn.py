"""DeeperGCN, from PyG's layers."""

import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.nn import DeepGCNLayer, GENConv, LayerNorm

from graphlab.nn._checks import check_count
from graphlab.nn.linear import FeatureLinear


class DeepGCN(nn.Module):
    r"""A deep stack of generalized graph convolutions, normalized before they are run.

    From the `"DeeperGCN: All You Need to Train Deeper GCNs"
    <https://arxiv.org/abs/2006.07739>`_ paper (Section 3.2, ``res+``):

    .. math::
        \mathbf{H}^{(l)} = \mathbf{H}^{(l - 1)} + \mathrm{GENConv}^{(l)} ( \mathrm{ReLU}
        ( \mathrm{Norm} ( \mathbf{H}^{(l - 1)} ) ) )

    between a linear encoder, whose result the first layer takes as it is, and a
    normalized linear decoder.

    Args:
        in_channels: Size :math:`F` of each input sample.
        hidden_channels: Size of each hidden layer.
        out_channels: Number :math:`C` of classes.
        num_layers: Number of graph convolutions.
        dropout: Dropout probability of the input of each layer but the first.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`, dense or sparse CSR
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **output:** logits :math:`(|\mathcal{V}|, C)`

    Raises:
        ArgumentError: There are no layers.

    Example:
        >>> model = DeepGCN(16, 64, 7, num_layers=8)
        >>> model(torch.randn(3, 16), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 7])

    .. note::
        PyG's :class:`~torch_geometric.nn.DeepGCNLayer` and
        :class:`~torch_geometric.nn.GENConv` as in PyG's example, with layer
        normalization for its batch normalization. It is here to compare with: every
        layer writes one message per edge to memory. ``edge_weight`` is accepted, so
        that all models are called alike, but these layers have no use for it.
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
    ):
        super().__init__()
        check_count("num_layers", num_layers)
        self.dropout = dropout
        self.lin_in = FeatureLinear(in_channels, hidden_channels)
        self.convs = nn.ModuleList(
            DeepGCNLayer(
                conv=GENConv(hidden_channels, hidden_channels, norm="layer"),
                norm=LayerNorm(in_channels=hidden_channels, mode="node"),
                act=nn.ReLU(),
                block="res+",
                dropout=dropout,
            )
            for _ in range(num_layers)
        )
        self.lin_out = FeatureLinear(hidden_channels, out_channels)

    def reset_parameters(self) -> None:
        """Draw new weights."""
        for layer in (self.lin_in, *self.convs, self.lin_out):
            layer.reset_parameters()

    def forward(  # noqa: D102
        self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None = None
    ) -> Tensor:
        first = self.convs[0]
        x = first.conv(self.lin_in(x), edge_index)
        for layer in self.convs[1:]:
            x = layer(x, edge_index)
        x = first.act(first.norm(x))
        x = F.dropout(x, self.dropout, self.training)
        return self.lin_out(x)
