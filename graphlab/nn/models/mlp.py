"""The multi-layer perceptron: no graph at all."""

import torch.nn.functional as F
from torch import Tensor, nn

from graphlab.nn.linear import FeatureLinear, feature_dropout
from graphlab.ops.spmm import Graph


class MLP(nn.Module):
    r"""The multi-layer perceptron, the baseline that ignores the graph.

    As in the comparison of the `"BernNet: Learning Arbitrary Graph Spectral Filters via
    Bernstein Approximation" <https://arxiv.org/abs/2106.10994>`_ paper:

    .. math::
        \mathbf{H}^{(l + 1)} = \mathrm{ReLU} ( \mathbf{H}^{(l)} \mathbf{W}^{(l)}
        + \mathbf{b}^{(l)} ), \qquad \mathbf{H}^{(0)} = \mathbf{X}

    without the non-linearity after the last layer.

    Args:
        in_channels: Size :math:`F` of each input sample.
        hidden_channels: Size of each hidden layer.
        out_channels: Number :math:`C` of classes.
        num_layers: Number of layers.
        dropout: Dropout probability of the input of each layer.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`, dense or sparse CSR
        - **edge_index:** accepted like in all models, and not used
        - **edge_weight:** edge weights :math:`(|\mathcal{E}|)` *(optional)*
        - **output:** logits :math:`(|\mathcal{V}|, C)`

    Example:
        >>> model = MLP(16, 64, 7)
        >>> model(torch.randn(3, 16), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 7])

    .. note::
        Weights start as in :class:`~graphlab.nn.FeatureLinear`; PosteL's code leaves
        them at :class:`torch.nn.Linear`'s own, narrower initialization.
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
        self.dropout = dropout
        sizes = [in_channels] + [hidden_channels] * (num_layers - 1) + [out_channels]
        self.lins = nn.ModuleList(map(FeatureLinear, sizes[:-1], sizes[1:]))

    def reset_parameters(self) -> None:
        """Draw new weights."""
        for lin in self.lins:
            lin.reset_parameters()

    def forward(  # noqa: D102
        self,
        x: Tensor,
        edge_index: Graph | None = None,
        edge_weight: Tensor | None = None,
    ) -> Tensor:
        for lin in self.lins[:-1]:
            x = feature_dropout(x, self.dropout, self.training)
            x = F.relu(lin(x))
        x = feature_dropout(x, self.dropout, self.training)
        return self.lins[-1](x)
