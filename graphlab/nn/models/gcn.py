"""The graph convolutional network."""

from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn

from graphlab.nn.conv.gcn_conv import GCNConv
from graphlab.ops.spmm import Graph


class GCN(nn.Module):
    r"""The graph convolutional network.

    From the `"Semi-supervised Classification with Graph Convolutional Networks"
    <https://arxiv.org/abs/1609.02907>`_ paper (Eq. 9):

    .. math::
        \mathbf{H}^{(l + 1)} = \mathrm{ReLU} ( \mathbf{\hat{A}} \mathbf{H}^{(l)}
        \mathbf{W}^{(l)} + \mathbf{b}^{(l)} ), \qquad \mathbf{H}^{(0)} = \mathbf{X}

    without the non-linearity after the last layer, and with
    :math:`\mathbf{\hat{A}}` as in :class:`~graphlab.nn.GCNConv`.

    Args:
        in_channels: Size :math:`F` of each input sample.
        hidden_channels: Size of each hidden layer.
        out_channels: Number :math:`C` of classes.
        num_layers: Number of layers.
        dropout: Dropout probability between layers.
        bias: Whether to learn :math:`\mathbf{b}^{(l)}`.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`, dense or sparse CSR
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** edge weights :math:`(|\mathcal{E}|)` *(optional)*
        - **output:** logits :math:`(|\mathcal{V}|, C)`

    Example:
        >>> model = GCN(16, 64, 7)
        >>> model(torch.randn(3, 16), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 7])

    .. note::
        The paper drops input features too; the code of PosteL and BernNet drops only
        between layers, and so do we.
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
        bias: bool = True,
    ):
        super().__init__()
        self.dropout = dropout
        sizes = [in_channels] + [hidden_channels] * (num_layers - 1) + [out_channels]
        make = partial(GCNConv, bias=bias)
        self.convs = nn.ModuleList(map(make, sizes[:-1], sizes[1:]))

    def reset_parameters(self) -> None:
        """Draw new weights."""
        for conv in self.convs:
            conv.reset_parameters()

    def forward(  # noqa: D102
        self, x: Tensor, edge_index: Graph, edge_weight: Tensor | None = None
    ) -> Tensor:
        for conv in self.convs[:-1]:
            x = conv(x, edge_index, edge_weight)
            # Without bias it is a view of a product, which is not written to.
            x = x.relu() if conv.bias is None else x.relu_()
            x = F.dropout(x, self.dropout, self.training)
        return self.convs[-1](x, edge_index, edge_weight)
