"""The GraphSAGE layer."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphlab.nn.linear import FeatureLinear
from graphlab.ops import SparseFeatures, spmm
from graphlab.ops.spmm import Graph


class SAGEConv(nn.Module):
    r"""The GraphSAGE layer.

    From the `"Inductive Representation Learning on Large Graphs"
    <https://arxiv.org/abs/1706.02216>`_ paper (Algorithm 1):

    .. math::
        \mathbf{x}^{\prime}_i = \mathbf{W}_1 \mathbf{x}_i + \mathbf{W}_2 \cdot
        \mathrm{mean}_{j \in \mathcal{N}(i)} \mathbf{x}_j + \mathbf{b}

    with the mean, sum, maximum or minimum over the neighbours.

    Args:
        in_channels: Size :math:`F` of each input sample.
        out_channels: Size :math:`F^{\prime}` of each output sample.
        aggr: ``"mean"``, ``"sum"``, ``"max"`` or ``"min"``.
        normalize: Whether outputs are scaled to length 1.
        root_weight: Whether a node's own features enter through :math:`\mathbf{W}_1`.
        bias: Whether to learn :math:`\mathbf{b}`.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`, dense or sparse CSR
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **output:** node features :math:`(|\mathcal{V}|, F^{\prime})`

    Example:
        >>> conv = SAGEConv(16, 32)
        >>> conv(torch.randn(3, 16), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 32])

    .. note::
        Equal to :class:`torch_geometric.nn.SAGEConv`, whose ``lin_l`` and ``lin_r`` are
        :math:`\mathbf{W}_2` and :math:`\mathbf{W}_1`. For mean and sum ours multiplies
        before it aggregates, so that features may be sparse; maximum and minimum need
        dense ones.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        aggr: Literal["mean", "sum", "max", "min"] = "mean",
        normalize: bool = False,
        root_weight: bool = True,
        bias: bool = True,
    ):
        super().__init__()
        self.aggr, self.normalize = aggr, normalize
        self.lin_l = FeatureLinear(in_channels, out_channels, bias=False)
        self.lin_r = None
        if root_weight:
            self.lin_r = FeatureLinear(in_channels, out_channels, bias=False)
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights."""
        self.lin_l.reset_parameters()
        if self.lin_r is not None:
            self.lin_r.reset_parameters()
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(  # noqa: D102
        self, x: Tensor | SparseFeatures, edge_index: Graph
    ) -> Tensor:
        if self.aggr in ("mean", "sum"):
            out = spmm(edge_index, self.lin_l(x), reduce=self.aggr)
        else:
            out = self.lin_l(spmm(edge_index, x, reduce=self.aggr))
        if self.lin_r is not None:
            out = out + self.lin_r(x)
        if self.bias is not None:
            out = out + self.bias
        return F.normalize(out, dim=-1) if self.normalize else out
