"""Ordered GNN: every block of channels belongs to a distance."""

import torch.nn.functional as F
from torch import Tensor, nn

from graphlab.nn.conv.ordered_conv import OrderedConv
from graphlab.nn.linear import FeatureLinear, feature_dropout
from graphlab.ops.spmm import Graph


class OrderedGNN(nn.Module):
    r"""Ordered GNN, which keeps what comes from different distances apart.

    From the `"Ordered GNN: Ordering Message Passing to Deal with Heterophily and
    Over-smoothing" <https://arxiv.org/abs/2302.01524>`_ paper (Section 3):

    .. math::
        \mathbf{H}^{(0)} &= \mathrm{LayerNorm} ( \mathrm{ReLU} ( \mathbf{X}
        \mathbf{W}_{\mathrm{in}} + \mathbf{b}_{\mathrm{in}} ) ) \\
        \mathbf{H}^{(l + 1)}, \mathbf{G}^{(l + 1)} &= \mathrm{OrderedConv}^{(l)}
        ( \mathbf{H}^{(l)}, \mathbf{G}^{(l)} ), \qquad
        \mathbf{Z} = \mathbf{H}^{(L)} \mathbf{W}_{\mathrm{out}}
        + \mathbf{b}_{\mathrm{out}}

    with gates :math:`\mathbf{G}` that only ever close from layer to layer; see
    :class:`~graphlab.nn.OrderedConv`.

    Args:
        in_channels: Size :math:`F` of each input sample.
        hidden_channels: Size of each hidden layer; the authors take 256.
        out_channels: Number :math:`C` of classes.
        num_layers: Number :math:`L` of message-passing layers; the authors take 8.
        dropout: Dropout probability of the features and of the last hidden layer.
        conv_dropout: Dropout probability of the input of each message-passing layer,
            by default ``dropout``.
        chunk_size: Channels per gate.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`, dense or sparse CSR
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** accepted like in all models, and not used
        - **output:** logits :math:`(|\mathcal{V}|, C)`

    Example:
        >>> model = OrderedGNN(16, 64, 7)
        >>> model(torch.randn(3, 16), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 7])

    .. note::
        Weights start as everywhere in this package; the authors' code leaves them at
        :class:`torch.nn.Linear`'s own initialization.
    """

    sparse_features = True
    optim_overrides: dict[str, dict] = {}

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 8,
        dropout: float = 0.5,
        conv_dropout: float | None = None,
        chunk_size: int = 4,
    ):
        super().__init__()
        self.dropout = dropout
        self.conv_dropout = dropout if conv_dropout is None else conv_dropout
        self.lin_in = FeatureLinear(in_channels, hidden_channels)
        self.norm = nn.LayerNorm(hidden_channels)
        self.convs = nn.ModuleList(
            OrderedConv(hidden_channels, chunk_size) for _ in range(num_layers)
        )
        self.lin_out = FeatureLinear(hidden_channels, out_channels)

    def reset_parameters(self) -> None:
        """Draw new weights."""
        for module in (self.lin_in, self.norm, *self.convs, self.lin_out):
            module.reset_parameters()

    def forward(  # noqa: D102
        self, x: Tensor, edge_index: Graph, edge_weight: Tensor | None = None
    ) -> Tensor:
        x = feature_dropout(x, self.dropout, self.training)
        x = self.norm(F.relu(self.lin_in(x)))
        gate = None
        for conv in self.convs:
            x = F.dropout(x, self.conv_dropout, self.training)
            x, gate = conv(x, edge_index, gate)
        x = F.dropout(x, self.dropout, self.training)
        return self.lin_out(x)
