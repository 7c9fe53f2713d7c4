"""A residual GNN that stays trainable at a depth of hundreds of layers."""

import math
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from graphlab.errors import ArgumentError
from graphlab.nn.conv.gat_conv import GATConv
from graphlab.nn.conv.gcn_conv import GCNConv
from graphlab.nn.conv.lipschitz_residual_block import LipschitzResidualBlock
from graphlab.nn.conv.sage_conv import SAGEConv
from graphlab.nn.finite import require_finite
from graphlab.nn.linear import FeatureLinear, num_nodes_of
from graphlab.nn.norm.lipschitz_norm import held, resolve_bound
from graphlab.ops import gcn_norm
from graphlab.ops.spmm import Graph


class LipschitzResGNN(nn.Module):
    r"""Many residual layers, each of which may change its input only by a little.

    After `"Taming Gradient Oversmoothing and Expansion in Graph Neural Networks"
    <https://arxiv.org/abs/2410.04824>`_ (a withdrawn preprint):

    .. math::
        \mathbf{H}^{(l)} = \mathbf{H}^{(l - 1)} + \mathrm{ReLU} ( g_l (
        \mathbf{H}^{(l - 1)} ) ), \qquad
        \mathbf{H}^{(0)} = \mathrm{ReLU} ( \mathbf{X} \mathbf{W}_0 + \mathbf{b}_0 )

    with message-passing layers :math:`g_l` whose weights are bounded such that
    :math:`g_l` is :math:`c`-Lipschitz; see
    :class:`~graphlab.nn.LipschitzResidualBlock`. A linear map gives the logits. All
    :math:`L` layers together amplify features, and gradients on their way back, by at
    most :math:`(1 + c)^L \le e^{c L}`: only with :math:`c` proportional to
    :math:`1 / L` does this not depend on the depth.

    Args:
        in_channels: Size :math:`F` of each input sample.
        hidden_channels: Size of each hidden layer.
        out_channels: Number :math:`C` of classes.
        num_layers: Number :math:`L` of residual layers; hundreds are fine.
        dropout: Dropout probability after the encoder and before the decoder.
        conv: ``"gcn"``, ``"sage"`` (means) or ``"gat"`` (heads are averaged).
        c: The bound :math:`c`: a number, or ``"k/L"`` for :math:`k / L`.
        norm: ``"spectral"`` or ``"frobenius"``; see
            :class:`~graphlab.nn.LipschitzNorm`.
        mode: ``"soft"`` or ``"hard"``.
        num_iterations: Steps of the power iteration per change of the weights.
        certified: Whether spectral norms are taken exactly, by SVD.
        heads: Number of attention heads of ``"gat"``.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`, dense or sparse CSR
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** edge weights :math:`(|\mathcal{E}|)` *(optional, used by
          ``"gcn"`` only)*
        - **output:** logits :math:`(|\mathcal{V}|, C)`

    Raises:
        ArgumentError: An argument has a value that is not accepted, or features are
            NaN or infinite.

    Example:
        >>> model = LipschitzResGNN(16, 64, 7, num_layers=128)
        >>> model(torch.randn(3, 16), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 7])
        >>> model.bound() < 21  # e^3 = 20.1, and power iteration's error
        True

    .. note::
        The factor 3 of the default is ours, from measurements that the documentation
        shows; the paper's choice is not available offline.
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
        conv: Literal["gcn", "sage", "gat"] = "gcn",
        c: float | str = "3/L",
        norm: Literal["spectral", "frobenius"] = "spectral",
        mode: Literal["soft", "hard"] = "soft",
        num_iterations: int = 2,
        certified: bool = False,
        heads: int = 1,
    ):
        super().__init__()
        self.dropout, self.conv = dropout, conv
        self.c = resolve_bound(c, num_layers)
        self.lin_in = FeatureLinear(in_channels, hidden_channels)
        self.blocks = nn.ModuleList(
            LipschitzResidualBlock(
                _make_conv(conv, hidden_channels, heads),
                c=self.c,
                norm=norm,
                mode=mode,
                num_iterations=num_iterations,
                certified=certified,
            )
            for _ in range(num_layers)
        )
        self.lin_out = FeatureLinear(hidden_channels, out_channels)

    def reset_parameters(self) -> None:
        """Draw new weights."""
        for layer in (self.lin_in, *self.blocks, self.lin_out):
            layer.reset_parameters()

    def forward(  # noqa: D102
        self, x: Tensor, edge_index: Graph, edge_weight: Tensor | None = None
    ) -> Tensor:
        require_finite("x", x)
        if self.conv == "gcn":  # normalize once for all layers
            edge_index, edge_weight = gcn_norm(
                edge_index, edge_weight, num_nodes_of(x), dtype=self.lin_in.weight.dtype
            )
        else:
            edge_weight = None
        x = self.lin_in(x).relu()
        x = F.dropout(x, self.dropout, self.training)
        with held(self.blocks):
            for block in self.blocks:
                x = block(x, edge_index, edge_weight)
        x = F.dropout(x, self.dropout, self.training)
        return self.lin_out(x)

    def bound(
        self,
        edge_index: Graph | None = None,
        num_nodes: int | None = None,
        edge_weight: Tensor | None = None,
    ) -> float:
        r"""How much all residual layers together amplify differences at most.

        Args:
            edge_index: The graph that it should hold for. By default it holds for every
                undirected graph (``"gcn"``), or for every graph if features are
                measured by :math:`\max_i \lVert \mathbf{h}_i \rVert_2` (``"sage"``).
            num_nodes: Its number of nodes.
            edge_weight: Its edge weights.

        Shapes:
            - **edge_index:** :math:`(2, |\mathcal{E}|)` *(optional)*
            - **edge_weight:** :math:`(|\mathcal{E}|)` *(optional)*

        Returns:
            The product of the layers' bounds, from singular values; infinite for
            ``"gat"``.
        """
        propagation = 1.0
        if edge_index is not None and self.conv != "gat":
            if self.conv == "gcn":
                edge_index, edge_weight = gcn_norm(edge_index, edge_weight, num_nodes)
            first = self.blocks[0]
            propagation = first.propagation(edge_index, num_nodes, edge_weight)
        return math.prod(block.bound(propagation) for block in self.blocks)


def _make_conv(name: str, channels: int, heads: int) -> nn.Module:
    if name == "gcn":
        return GCNConv(channels, channels, normalize=False)
    if name == "sage":
        return SAGEConv(channels, channels)
    if name == "gat":
        return GATConv(channels, channels, heads, concat=False)
    raise ArgumentError(f"conv: must be 'gcn', 'sage' or 'gat', not {name!r}")
