"""Generalized PageRank propagation."""

import torch
from torch import Tensor, nn

from graphlab.ops import gcn_norm, spmm
from graphlab.ops.spmm import Graph


class GPRConv(nn.Module):
    r"""The generalized PageRank of GPR-GNN.

    From the `"Adaptive Universal Generalized PageRank Graph Neural Network"
    <https://arxiv.org/abs/2006.07988>`_ paper (Section 3):

    .. math::
        \mathbf{X}^{\prime} = \sum_{k=0}^{K} \gamma_k \mathbf{\hat{A}}^k \mathbf{X}

    with :math:`\mathbf{\hat{A}}` as in :class:`~graphlab.nn.GCNConv` and learned
    :math:`\gamma`, which starts as personalized PageRank: :math:`\gamma_k = \alpha
    (1 - \alpha)^k` for :math:`k < K` and :math:`\gamma_K = (1 - \alpha)^K`.

    Args:
        K: Number of steps.
        alpha: Teleport probability :math:`\alpha` of the initial :math:`\gamma`.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** edge weights :math:`(|\mathcal{E}|)` *(optional)*
        - **output:** node features :math:`(|\mathcal{V}|, F)`

    Example:
        >>> conv = GPRConv(K=10)
        >>> conv(torch.randn(3, 16), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 16])
    """

    def __init__(self, K: int = 10, alpha: float = 0.1):
        super().__init__()
        self.K, self.alpha = K, alpha
        self.gamma = nn.Parameter(torch.empty(K + 1))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Set the weights to personalized PageRank."""
        power = torch.arange(self.K + 1, dtype=self.gamma.dtype)
        self.gamma.copy_((1 - self.alpha) ** power)
        self.gamma[: self.K] *= self.alpha

    def forward(  # noqa: D102
        self, x: Tensor, edge_index: Graph, edge_weight: Tensor | None = None
    ) -> Tensor:
        edge_index, weight = gcn_norm(edge_index, edge_weight, x.size(0), dtype=x.dtype)
        out = self.gamma[0] * x
        for k in range(1, self.K + 1):
            x = spmm(edge_index, x, weight)
            out = out + self.gamma[k] * x
        return out

    def extra_repr(self) -> str:  # noqa: D102
        return f"K={self.K}, alpha={self.alpha}"
