"""Spectral filters as Chebyshev polynomials."""

import torch
from torch import Tensor, nn

from graphlab.nn.linear import FeatureLinear, num_nodes_of
from graphlab.ops import SparseFeatures, spmm, sym_norm
from graphlab.ops.spmm import Graph


class ChebConv(nn.Module):
    r"""The Chebyshev spectral graph convolution.

    From the `"Convolutional Neural Networks on Graphs with Fast Localized Spectral
    Filtering" <https://arxiv.org/abs/1606.09375>`_ paper (Section 2.1):

    .. math::
        \mathbf{X}^{\prime} = \sum_{k=1}^{K} T_{k-1}(\mathbf{\tilde{L}}) \mathbf{X}
        \mathbf{\Theta}^{(k)} + \mathbf{b}, \qquad \mathbf{\tilde{L}} = \mathbf{L} -
        \mathbf{I} = - \mathbf{D}^{-1/2} \mathbf{A} \mathbf{D}^{-1/2}

    with :math:`T_0(z) = 1`, :math:`T_1(z) = z`, :math:`T_k(z) = 2 z T_{k-1}(z) -
    T_{k-2}(z)`, the largest eigenvalue of the normalized Laplacian
    :math:`\mathbf{L}` taken as its bound 2, and self-loops left out.

    Args:
        in_channels: Size :math:`F` of each input sample.
        out_channels: Size :math:`F^{\prime}` of each output sample.
        K: Number of polynomials, so the filter reaches :math:`K - 1` steps.
        bias: Whether to learn :math:`\mathbf{b}`.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`, dense or sparse CSR
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** edge weights :math:`(|\mathcal{E}|)` *(optional)*
        - **output:** node features :math:`(|\mathcal{V}|, F^{\prime})`

    Example:
        >>> conv = ChebConv(16, 32, K=3)
        >>> conv(torch.randn(3, 16), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 32])

    .. note::
        Equal to :class:`torch_geometric.nn.ChebConv`; ours multiplies with
        :math:`\mathbf{\Theta}` first and sums by Clenshaw's recurrence, so that the
        graph meets only :math:`F^{\prime}` columns and features may be sparse.
    """

    def __init__(self, in_channels: int, out_channels: int, K: int, bias: bool = True):
        super().__init__()
        self.lins = nn.ModuleList(
            FeatureLinear(in_channels, out_channels, bias=False) for _ in range(K)
        )
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def reset_parameters(self) -> None:
        """Draw new weights."""
        for lin in self.lins:
            lin.reset_parameters()
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(  # noqa: D102
        self,
        x: Tensor | SparseFeatures,
        edge_index: Graph,
        edge_weight: Tensor | None = None,
    ) -> Tensor:
        num_nodes, dtype = num_nodes_of(x), self.lins[0].weight.dtype
        edges, weight = sym_norm(edge_index, edge_weight, num_nodes, dtype)
        out = self.lins[-1](x)
        before = None  # the sum one step further out
        for k in reversed(range(len(self.lins) - 1)):
            factor = 2 if k > 0 else 1
            step = self.lins[k](x) - factor * spmm(edges, out, weight)
            out, before = step if before is None else step - before, out
        return out if self.bias is None else out + self.bias
