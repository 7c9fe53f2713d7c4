"""Propagation with a teleport, the personalized PageRank of features."""

import torch
from torch import Tensor, nn

from graphlab.nn.linear import feature_dropout
from graphlab.ops import gcn_norm, spmm
from graphlab.ops.spmm import Graph


class APPNPConv(nn.Module):
    r"""The propagation of APPNP.

    From the `"Predict then Propagate: Graph Neural Networks meet Personalized PageRank"
    <https://arxiv.org/abs/1810.05997>`_ paper (Section 3):

    .. math::
        \mathbf{X}^{(k)} = (1 - \alpha) \mathbf{\hat{A}} \mathbf{X}^{(k - 1)}
        + \alpha \mathbf{X}^{(0)}, \qquad \mathbf{X}^{\prime} = \mathbf{X}^{(K)}

    with :math:`\mathbf{\hat{A}}` as in :class:`~graphlab.nn.GCNConv`.

    Args:
        K: Number of steps.
        alpha: Teleport probability :math:`\alpha`.
        dropout: Dropout probability of the edges, drawn anew in each step.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** edge weights :math:`(|\mathcal{E}|)` *(optional)*
        - **output:** node features :math:`(|\mathcal{V}|, F)`

    Example:
        >>> conv = APPNPConv(K=10, alpha=0.1)
        >>> conv(torch.randn(3, 16), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 16])

    .. note::
        Equal to :class:`torch_geometric.nn.APPNP`; ours caches the normalization for
        every ``edge_index``, and runs all replicas of a :func:`torch.func.vmap` in one
        product per step.
    """

    def __init__(self, K: int, alpha: float, dropout: float = 0.0):
        super().__init__()
        self.K, self.alpha, self.dropout = K, alpha, dropout

    def forward(  # noqa: D102
        self, x: Tensor, edge_index: Graph, edge_weight: Tensor | None = None
    ) -> Tensor:
        edge_index, weight = gcn_norm(edge_index, edge_weight, x.size(0), dtype=x.dtype)
        teleport = self.alpha * x
        for _ in range(self.K):
            dropped = feature_dropout(weight, self.dropout, self.training)
            step = spmm(edge_index, x, dropped)
            x = torch.add(teleport, step, alpha=1 - self.alpha)
        return x

    def extra_repr(self) -> str:  # noqa: D102
        return f"K={self.K}, alpha={self.alpha}"
