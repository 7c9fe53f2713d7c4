"""Spectral filters as Bernstein polynomials."""

import math

import torch
from torch import Tensor, nn

from graphlab.ops import spmm, sym_norm
from graphlab.ops.spmm import Graph


class BernConv(nn.Module):
    r"""The Bernstein polynomial filter of BernNet.

    From the `"BernNet: Learning Arbitrary Graph Spectral Filters via Bernstein
    Approximation" <https://arxiv.org/abs/2106.10994>`_ paper (Section 3):

    .. math::
        \mathbf{X}^{\prime} = \sum_{k=0}^{K} \mathrm{ReLU}(\theta_k) \frac{1}{2^K}
        \binom{K}{k} (2 \mathbf{I} - \mathbf{L})^{K - k} \mathbf{L}^k \mathbf{X},
        \qquad \mathbf{L} = \mathbf{I} - \mathbf{D}^{-1/2} \mathbf{A}
        \mathbf{D}^{-1/2}

    where self-loops are left out of :math:`\mathbf{A}`. All :math:`\theta_k` start at
    1, where the filter is the identity.

    Args:
        K: Order of the polynomial.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** edge weights :math:`(|\mathcal{E}|)` *(optional)*
        - **output:** node features :math:`(|\mathcal{V}|, F)`

    Example:
        >>> conv = BernConv(K=10)
        >>> conv(torch.randn(3, 16), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 16])

    .. note::
        The authors' code takes :math:`K + K (K + 1) / 2` products with the graph; ours,
        by Horner's rule in :math:`\mathbf{L}`, takes :math:`2 K`.
    """

    def __init__(self, K: int = 10):
        super().__init__()
        self.K = K
        self.theta = nn.Parameter(torch.ones(K + 1))

    def reset_parameters(self) -> None:
        """Make the filter the identity."""
        nn.init.ones_(self.theta)

    def forward(  # noqa: D102
        self, x: Tensor, edge_index: Graph, edge_weight: Tensor | None = None
    ) -> Tensor:
        edges, weight = sym_norm(edge_index, edge_weight, x.size(0), x.dtype)
        powers = [x]  # of 2I - L = I + A
        for _ in range(self.K):
            powers.append(powers[-1] + spmm(edges, powers[-1], weight))
        scale = [math.comb(self.K, k) / 2**self.K for k in range(self.K + 1)]
        theta = self.theta.relu()
        out = theta[self.K] * scale[self.K] * powers[0]
        for k in reversed(range(self.K)):
            out = out - spmm(edges, out, weight)  # L = I - A
            out = out + theta[k] * scale[k] * powers[self.K - k]
        return out

    def extra_repr(self) -> str:  # noqa: D102
        return f"K={self.K}"
