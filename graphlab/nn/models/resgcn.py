"""The graph convolutional network with residual connections."""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.nn import BatchNorm, LayerNorm, PairNorm

from graphlab.errors import ArgumentError
from graphlab.nn._checks import check_count
from graphlab.nn.conv.gcn_conv import GCNConv
from graphlab.nn.linear import FeatureLinear, num_nodes_of
from graphlab.ops import gcn_norm
from graphlab.ops.spmm import Graph


class ResGCN(nn.Module):
    r"""A GCN of constant width with residual connections, and a normalization.

    Residual connections as in `"Semi-supervised Classification with Graph Convolutional
    Networks" <https://arxiv.org/abs/1609.02907>`_ (Appendix B, Eq. 14), between a
    linear encoder and a linear decoder:

    .. math::
        \mathbf{H}^{(l)} = \mathbf{H}^{(l - 1)} + \mathrm{ReLU} ( \mathrm{Norm} (
        \mathbf{\hat{A}} \mathbf{H}^{(l - 1)} \mathbf{W}^{(l)} + \mathbf{b}^{(l)} ) ),
        \qquad
        \mathbf{H}^{(0)} = \mathrm{ReLU} ( \mathbf{X} \mathbf{W}_0 + \mathbf{b}_0 )

    with :math:`\mathbf{\hat{A}}` as in :class:`~graphlab.nn.GCNConv`.

    Args:
        in_channels: Size :math:`F` of each input sample.
        hidden_channels: Size of each hidden layer.
        out_channels: Number :math:`C` of classes.
        num_layers: Number of graph convolutions.
        dropout: Dropout probability after the encoder and before the decoder.
        norm: The normalization: ``"batch"``, ``"pair"`` (`PairNorm
            <https://arxiv.org/abs/1909.12223>`_), ``"layer"`` or :obj:`None`.
        residual: Whether there are residual connections; without them and without a
            normalization it is a GCN of constant width.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`, dense or sparse CSR
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** edge weights :math:`(|\mathcal{E}|)` *(optional)*
        - **output:** logits :math:`(|\mathcal{V}|, C)`

    Raises:
        ArgumentError: ``norm`` is unknown, or there are no layers.

    Example:
        >>> model = ResGCN(16, 64, 7, num_layers=8, norm="layer")
        >>> model(torch.randn(3, 16), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 7])

    .. note::
        The normalizations are PyG's, made by keyword: ``norm="PairNorm"`` of PyG's own
        models takes the number of channels for the scale (PyG issue 10337).
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
        norm: Literal["batch", "pair", "layer"] | None = None,
        residual: bool = True,
    ):
        super().__init__()
        check_count("num_layers", num_layers)
        self.dropout, self.residual = dropout, residual
        self.lin_in = FeatureLinear(in_channels, hidden_channels)
        self.convs = nn.ModuleList(
            GCNConv(hidden_channels, hidden_channels, normalize=False)
            for _ in range(num_layers)
        )
        self.norms = nn.ModuleList(
            _make_norm(norm, hidden_channels) for _ in range(num_layers)
        )
        self.lin_out = FeatureLinear(hidden_channels, out_channels)

    def reset_parameters(self) -> None:
        """Draw new weights."""
        for layer in (self.lin_in, *self.convs, *self.norms, self.lin_out):
            if hasattr(layer, "reset_parameters"):
                layer.reset_parameters()

    def forward(  # noqa: D102
        self, x: Tensor, edge_index: Graph, edge_weight: Tensor | None = None
    ) -> Tensor:
        edges, weight = gcn_norm(
            edge_index, edge_weight, num_nodes_of(x), dtype=self.lin_in.weight.dtype
        )
        x = self.lin_in(x).relu()
        x = F.dropout(x, self.dropout, self.training)
        for conv, norm in zip(self.convs, self.norms, strict=True):
            h = norm(conv(x, edges, weight)).relu()
            x = x + h if self.residual else h
        x = F.dropout(x, self.dropout, self.training)
        return self.lin_out(x)


def _make_norm(name: str | None, channels: int) -> nn.Module:
    if name is None:
        return nn.Identity()
    if name == "batch":
        return BatchNorm(in_channels=channels)
    if name == "layer":
        return LayerNorm(in_channels=channels, mode="node")
    if name == "pair":
        return PairNorm(scale=1.0)
    accepted = "'batch', 'pair', 'layer' or None"
    raise ArgumentError(f"norm: must be {accepted}, not {name!r}")
