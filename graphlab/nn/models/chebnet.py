"""The Chebyshev network."""

import torch.nn.functional as F
from torch import Tensor, nn

from graphlab.nn.conv.cheb_conv import ChebConv
from graphlab.ops.spmm import Graph


class ChebNet(nn.Module):
    r"""The Chebyshev network.

    From the `"Convolutional Neural Networks on Graphs with Fast Localized Spectral
    Filtering" <https://arxiv.org/abs/1606.09375>`_ paper (Section 2.1):

    .. math::
        \mathbf{H}^{(l + 1)} = \mathrm{ReLU} ( \mathrm{ChebConv}^{(l)}
        (\mathbf{H}^{(l)}) ), \qquad \mathbf{H}^{(0)} = \mathbf{X}

    without the non-linearity after the last layer; see :class:`~graphlab.nn.ChebConv`.

    Args:
        in_channels: Size :math:`F` of each input sample.
        hidden_channels: Size of each hidden layer; PosteL takes 32.
        out_channels: Number :math:`C` of classes.
        num_layers: Number of layers.
        dropout: Dropout probability between layers.
        K: Number of polynomials of each layer.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`, dense or sparse CSR
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** edge weights :math:`(|\mathcal{E}|)` *(optional)*
        - **output:** logits :math:`(|\mathcal{V}|, C)`

    Example:
        >>> model = ChebNet(16, 32, 7)
        >>> model(torch.randn(3, 16), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 7])

    .. note::
        Dropout stands between layers only, as in PosteL's code.
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
        K: int = 2,
    ):
        super().__init__()
        self.dropout = dropout
        sizes = [in_channels] + [hidden_channels] * (num_layers - 1) + [out_channels]
        pairs = zip(sizes[:-1], sizes[1:], strict=True)
        self.convs = nn.ModuleList(ChebConv(*pair, K) for pair in pairs)

    def reset_parameters(self) -> None:
        """Draw new weights."""
        for conv in self.convs:
            conv.reset_parameters()

    def forward(  # noqa: D102
        self, x: Tensor, edge_index: Graph, edge_weight: Tensor | None = None
    ) -> Tensor:
        for conv in self.convs[:-1]:
            x = F.relu(conv(x, edge_index, edge_weight))
            x = F.dropout(x, self.dropout, self.training)
        return self.convs[-1](x, edge_index, edge_weight)
