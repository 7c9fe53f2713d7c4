"""The graph isomorphism network, as a model of nodes."""

import torch.nn.functional as F
from torch import Tensor, nn

from graphlab.nn._checks import check_count
from graphlab.nn.conv.gin_conv import GINConv
from graphlab.nn.linear import FeatureLinear
from graphlab.nn.norm._batch_norm import BatchNorm1d
from graphlab.ops.spmm import Graph


class GIN(nn.Module):
    r"""The graph isomorphism network.

    From the `"How Powerful are Graph Neural Networks?"
    <https://arxiv.org/abs/1810.00826>`_ paper (Eq. 4.1, Section 7):

    .. math::
        \mathbf{H}^{(l + 1)} = \mathrm{ReLU} \left( \mathrm{MLP}^{(l)} \left( (1 +
        \epsilon^{(l)}) \mathbf{H}^{(l)} + \mathbf{A} \mathbf{H}^{(l)} \right) \right),
        \qquad \mathbf{H}^{(0)} = \mathbf{X}

    without the non-linearity after the last layer, with perceptrons of two layers
    and batch normalization between them. :class:`~graphlab.nn.GraphClassifier` makes a
    model of graphs of it.

    Args:
        in_channels: Size :math:`F` of each input sample.
        hidden_channels: Size of each hidden layer.
        out_channels: Number :math:`C` of classes.
        num_layers: Number of graph convolutions.
        dropout: Dropout probability between convolutions.
        train_eps: Whether to learn :math:`\epsilon^{(l)}`, which is 0 otherwise.
        batch_norm: Whether to normalize inside of the perceptrons.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`, dense or sparse CSR
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** edge weights :math:`(|\mathcal{E}|)` *(optional)*
        - **output:** logits :math:`(|\mathcal{V}|, C)`

    Raises:
        ArgumentError: There are no layers.

    Example:
        >>> model = GIN(16, 64, 7)
        >>> model(torch.randn(3, 16), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 7])

    .. note::
        The paper's code normalizes once more before each non-linearity between
        convolutions, and reads out the sum of the nodes after every layer; here states
        of the last layer are handed on, as in PyG's :class:`~torch_geometric.nn.GIN`.
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
        train_eps: bool = False,
        batch_norm: bool = True,
    ):
        super().__init__()
        check_count("num_layers", num_layers)
        self.dropout = dropout
        sizes = [in_channels] + [hidden_channels] * (num_layers - 1) + [out_channels]
        self.convs = nn.ModuleList(
            GINConv(_mlp(i, hidden_channels, o, batch_norm), train_eps=train_eps)
            for i, o in zip(sizes[:-1], sizes[1:], strict=True)
        )

    def reset_parameters(self) -> None:
        """Draw new weights."""
        for conv in self.convs:
            conv.reset_parameters()

    def forward(  # noqa: D102
        self, x: Tensor, edge_index: Graph, edge_weight: Tensor | None = None
    ) -> Tensor:
        for conv in self.convs[:-1]:
            x = conv(x, edge_index, edge_weight).relu_()
            x = F.dropout(x, self.dropout, self.training)
        return self.convs[-1](x, edge_index, edge_weight)


def _mlp(inputs: int, hidden: int, outputs: int, batch_norm: bool) -> nn.Sequential:
    norm = [BatchNorm1d(hidden)] if batch_norm else []
    first, last = FeatureLinear(inputs, hidden), FeatureLinear(hidden, outputs)
    return nn.Sequential(first, *norm, nn.ReLU(), last)
