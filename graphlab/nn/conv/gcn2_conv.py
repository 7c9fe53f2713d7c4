"""The graph convolution with initial residual and identity mapping."""

import math

import torch
from torch import Tensor, nn

from graphlab.errors import ArgumentError
from graphlab.nn.linear import glorot
from graphlab.ops import gcn_norm, matmul, spmm
from graphlab.ops.spmm import Graph


class GCN2Conv(nn.Module):
    r"""The graph convolution with initial residual and identity mapping.

    From the `"Simple and Deep Graph Convolutional Networks"
    <https://arxiv.org/abs/2007.02133>`_ paper (Eq. 5):

    .. math::
        \mathbf{X}^{\prime} = \left( (1 - \alpha) \mathbf{\hat{A}} \mathbf{X}
        + \alpha \mathbf{X}^{(0)} \right) \left( (1 - \beta) \mathbf{I}
        + \beta \mathbf{W} \right), \qquad
        \beta = \log \left( \frac{\theta}{\ell} + 1 \right)

    with :math:`\mathbf{\hat{A}}` as in :class:`~graphlab.nn.GCNConv`.

    Args:
        channels: Size :math:`F` of each sample.
        alpha: Share :math:`\alpha` of the initial features.
        theta: Strength :math:`\theta` of the weight.
        layer: Place :math:`\ell` of the layer in the model, from 1; without
            ``theta`` and ``layer``, :math:`\beta = 1`.
        add_self_loops: Whether to add :math:`\mathbf{I}` to the adjacency matrix.
        normalize: Whether to normalize; if not, the edges are taken as they are.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`
        - **x_0:** initial features :math:`(|\mathcal{V}|, F)`
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** edge weights :math:`(|\mathcal{E}|)` *(optional)*
        - **output:** node features :math:`(|\mathcal{V}|, F)`

    Raises:
        ArgumentError: Only one of ``theta`` and ``layer`` is given, or they are not
            positive.

    Example:
        >>> conv, x = GCN2Conv(16, alpha=0.1, theta=0.5, layer=1), torch.randn(3, 16)
        >>> conv(x, x, torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 16])

    .. note::
        Equal to :class:`torch_geometric.nn.GCN2Conv` with shared weights, and has its
        parameter names.
    """

    def __init__(
        self,
        channels: int,
        alpha: float,
        theta: float | None = None,
        layer: int | None = None,
        add_self_loops: bool = True,
        normalize: bool = True,
    ):
        super().__init__()
        if (theta is None) != (layer is None):
            raise ArgumentError("theta, layer: give both or neither")
        if theta is not None and not (theta > 0 and layer > 0):
            raise ArgumentError(f"theta, layer: must be positive: {theta}, {layer}")
        self.alpha = alpha
        self.beta = 1.0 if theta is None else math.log(theta / layer + 1)
        self.add_self_loops, self.normalize = add_self_loops, normalize
        self.weight1 = nn.Parameter(torch.empty(channels, channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights."""
        glorot(self.weight1)

    def forward(  # noqa: D102
        self,
        x: Tensor,
        x_0: Tensor,
        edge_index: Graph,
        edge_weight: Tensor | None = None,
    ) -> Tensor:
        if self.normalize:
            edge_index, edge_weight = gcn_norm(
                edge_index, edge_weight, x.size(0), self.add_self_loops, x.dtype
            )
        x = spmm(edge_index, x, edge_weight)
        x = torch.lerp(x, x_0, self.alpha)
        return torch.lerp(x, matmul(x, self.weight1), self.beta)

    def extra_repr(self) -> str:  # noqa: D102
        return f"{self.weight1.size(0)}, alpha={self.alpha:g}, beta={self.beta:.4g}"
