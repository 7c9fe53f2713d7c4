"""The graph convolution of Kipf and Welling."""

import torch
from torch import Tensor, nn

from graphlab.nn.linear import FeatureLinear, is_sparse, num_nodes_of
from graphlab.ops import SparseFeatures, gcn_norm, spmm
from graphlab.ops.spmm import Graph


class GCNConv(nn.Module):
    r"""The graph convolution of Kipf and Welling.

    From the `"Semi-supervised Classification with Graph Convolutional Networks"
    <https://arxiv.org/abs/1609.02907>`_ paper (Eq. 2):

    .. math::
        \mathbf{X}^{\prime} = \mathbf{\hat{A}} \mathbf{X} \mathbf{W} + \mathbf{b},
        \qquad \mathbf{\hat{A}} = \mathbf{D}^{-1/2} (\mathbf{A} + \mathbf{I})
        \mathbf{D}^{-1/2}

    with :math:`\mathbf{D}` the degrees of :math:`\mathbf{A} + \mathbf{I}`.

    Args:
        in_channels: Size :math:`F` of each input sample.
        out_channels: Size :math:`F^{\prime}` of each output sample.
        add_self_loops: Whether to add :math:`\mathbf{I}`.
        normalize: Whether to normalize; if not, the edges are taken as they are.
        bias: Whether to learn :math:`\mathbf{b}`.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`, dense or sparse CSR
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** edge weights :math:`(|\mathcal{E}|)` *(optional)*
        - **output:** node features :math:`(|\mathcal{V}|, F^{\prime})`

    Example:
        >>> conv = GCNConv(16, 32)
        >>> conv(torch.randn(3, 16), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 32])

    .. note::
        Equal to :class:`torch_geometric.nn.GCNConv`; ours multiplies in the cheaper
        order, caches the normalization for every ``edge_index`` it meets, takes sparse
        features, and runs all replicas of a :func:`torch.func.vmap` in one product.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        add_self_loops: bool = True,
        normalize: bool = True,
        bias: bool = True,
    ):
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.add_self_loops, self.normalize = add_self_loops, normalize
        self.lin = FeatureLinear(in_channels, out_channels, bias=False)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def reset_parameters(self) -> None:
        """Draw new weights."""
        self.lin.reset_parameters()
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(  # noqa: D102
        self,
        x: Tensor | SparseFeatures,
        edge_index: Graph,
        edge_weight: Tensor | None = None,
    ) -> Tensor:
        if self.normalize:
            dtype = self.lin.weight.dtype
            edge_index, edge_weight = gcn_norm(
                edge_index, edge_weight, num_nodes_of(x), self.add_self_loops, dtype
            )
        if self.in_channels < self.out_channels and not is_sparse(x):
            out = self.lin(spmm(edge_index, x, edge_weight))  # sum the narrower side
        else:
            out = spmm(edge_index, self.lin(x), edge_weight)
        return out if self.bias is None else out + self.bias
