"""The graph attention layer."""

import torch
from torch import Tensor, nn

from graphlab.nn.linear import FeatureLinear, glorot, num_nodes_of
from graphlab.ops import SparseFeatures, attend, with_self_loops
from graphlab.ops.spmm import Graph


class GATConv(nn.Module):
    r"""The graph attention layer of Veličković et al.

    From the `"Graph Attention Networks" <https://arxiv.org/abs/1710.10903>`_ paper
    (Eqs. 3, 4 and, for several heads, 5 and 6):

    .. math::
        \mathbf{x}^{\prime}_i = \sum_{j \in \mathcal{N}(i) \cup \{ i \}}
        \alpha_{ij} \mathbf{W} \mathbf{x}_j + \mathbf{b}, \qquad
        \alpha_{ij} = \mathrm{softmax}_j \left( \mathrm{LeakyReLU} \left(
        \mathbf{a}_s^{\top} \mathbf{W} \mathbf{x}_j
        + \mathbf{a}_d^{\top} \mathbf{W} \mathbf{x}_i \right) \right)

    with the results of all heads side by side, or averaged.

    Args:
        in_channels: Size :math:`F` of each input sample.
        out_channels: Size :math:`F^{\prime}` of each head's output.
        heads: Number :math:`H` of attention heads.
        concat: Whether heads are concatenated; if not, they are averaged.
        negative_slope: Slope of the LeakyReLU.
        dropout: Dropout probability of the attention coefficients.
        add_self_loops: Whether every node attends to itself.
        bias: Whether to learn :math:`\mathbf{b}`.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`, dense or sparse CSR
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **output:** node features :math:`(|\mathcal{V}|, H F^{\prime})`, or
          :math:`(|\mathcal{V}|, F^{\prime})` if not ``concat``

    Example:
        >>> conv = GATConv(16, 8, heads=4)
        >>> conv(torch.randn(3, 16), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 32])

    .. note::
        Equal to :class:`torch_geometric.nn.GATConv` on node features without edge
        features. Ours keeps neither features nor scores per edge, takes sparse
        features, and serves all replicas of a :func:`torch.func.vmap` in one call.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        heads: int = 1,
        concat: bool = True,
        negative_slope: float = 0.2,
        dropout: float = 0.0,
        add_self_loops: bool = True,
        bias: bool = True,
    ):
        super().__init__()
        self.out_channels, self.heads, self.concat = out_channels, heads, concat
        self.negative_slope, self.dropout = negative_slope, dropout
        self.add_self_loops = add_self_loops
        self.lin = FeatureLinear(in_channels, heads * out_channels, bias=False)
        self.att_src = nn.Parameter(torch.empty(heads, out_channels))
        self.att_dst = nn.Parameter(torch.empty(heads, out_channels))
        width = heads * out_channels if concat else out_channels
        self.bias = nn.Parameter(torch.empty(width)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights."""
        self.lin.reset_parameters()
        glorot(self.att_src)
        glorot(self.att_dst)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(  # noqa: D102
        self, x: Tensor | SparseFeatures, edge_index: Graph
    ) -> Tensor:
        if self.add_self_loops:
            edge_index, _ = with_self_loops(edge_index, num_nodes_of(x))
        x = self.lin(x).unflatten(-1, (self.heads, self.out_channels))  # [N, H, F']
        out = attend(
            edge_index,
            query=(x * self.att_dst).sum(-1),  # [N, H]
            key=(x * self.att_src).sum(-1),
            value=x,
            score="additive",
            negative_slope=self.negative_slope,
            dropout=self.dropout,
            training=self.training,
        )
        out = out.flatten(-2) if self.concat else out.mean(-2)
        return out if self.bias is None else out + self.bias
