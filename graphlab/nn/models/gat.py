"""The graph attention network."""

import torch.nn.functional as F
from torch import Tensor, nn

from graphlab.nn.conv.gat_conv import GATConv
from graphlab.nn.linear import feature_dropout
from graphlab.ops.spmm import Graph


class GAT(nn.Module):
    r"""The graph attention network.

    From the `"Graph Attention Networks" <https://arxiv.org/abs/1710.10903>`_ paper
    (Section 3.3):

    .. math::
        \mathbf{H}^{(l + 1)} = \mathrm{ELU} ( \mathrm{GATConv}^{(l)}
        (\mathbf{H}^{(l)}) ), \qquad \mathbf{H}^{(0)} = \mathbf{X}

    where hidden layers concatenate their heads, and the last averages its
    ``output_heads`` and has no non-linearity; see :class:`~graphlab.nn.GATConv`.

    Args:
        in_channels: Size :math:`F` of each input sample.
        hidden_channels: Size of each head of a hidden layer.
        out_channels: Number :math:`C` of classes.
        num_layers: Number of layers.
        heads: Number of heads of a hidden layer.
        output_heads: Number of heads of the last layer.
        dropout: Dropout probability of the input of each layer.
        attention_dropout: Dropout probability of the attention coefficients.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`, dense or sparse CSR
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **output:** logits :math:`(|\mathcal{V}|, C)`

    Example:
        >>> model = GAT(16, 8, 7)
        >>> model(torch.randn(3, 16), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 7])

    .. note::
        The paper takes 0.6 for both kinds of dropout, PosteL's code 0.5 for both.
        ``edge_weight`` is accepted, so that all models are called alike, but attention
        replaces it.
    """

    sparse_features = True
    optim_overrides: dict[str, dict] = {}

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 2,
        heads: int = 8,
        output_heads: int = 1,
        dropout: float = 0.5,
        attention_dropout: float = 0.5,
    ):
        super().__init__()
        self.dropout = dropout
        hidden = heads * hidden_channels
        sizes = [in_channels] + [hidden] * (num_layers - 1)
        self.convs = nn.ModuleList(
            GATConv(size, hidden_channels, heads, dropout=attention_dropout)
            for size in sizes[:-1]
        )
        self.convs.append(
            GATConv(
                sizes[-1],
                out_channels,
                output_heads,
                concat=False,
                dropout=attention_dropout,
            )
        )

    def reset_parameters(self) -> None:
        """Draw new weights."""
        for conv in self.convs:
            conv.reset_parameters()

    def forward(  # noqa: D102
        self, x: Tensor, edge_index: Graph, edge_weight: Tensor | None = None
    ) -> Tensor:
        for conv in self.convs[:-1]:
            x = feature_dropout(x, self.dropout, self.training)
            x = F.elu(conv(x, edge_index))
        x = feature_dropout(x, self.dropout, self.training)
        return self.convs[-1](x, edge_index)
