"""The ordered message passing of Ordered GNN."""

import torch
from torch import Tensor, nn

from graphlab.errors import ArgumentError
from graphlab.nn.linear import FeatureLinear
from graphlab.ops import spmm, without_self_loops
from graphlab.ops.spmm import Graph


class OrderedConv(nn.Module):
    r"""The ordered message passing of Ordered GNN.

    From the `"Ordered GNN: Ordering Message Passing to Deal with Heterophily and
    Over-smoothing" <https://arxiv.org/abs/2302.01524>`_ paper (Section 3):

    .. math::
        \mathbf{m}_i &= \frac{1}{|\mathcal{N}(i)|} \sum_{j \in \mathcal{N}(i)}
        \mathbf{x}_j, \qquad
        \mathbf{\hat{g}}_i = \mathrm{cumsum} ( \mathrm{softmax} ( \mathbf{W}
        [ \mathbf{x}_i \, \Vert \, \mathbf{m}_i ] + \mathbf{b} ) ) \\
        \mathbf{g}_i^{\prime} &= \mathbf{g}_i + (1 - \mathbf{g}_i) \odot
        \mathbf{\hat{g}}_i, \qquad
        \mathbf{x}_i^{\prime} = \mathrm{LayerNorm} ( \mathbf{g}_i^{\prime} \odot
        \mathbf{x}_i + (1 - \mathbf{g}_i^{\prime}) \odot \mathbf{m}_i )

    where :math:`\mathbf{g}` are the gates of the layer before, and every gate serves a
    chunk of consecutive channels. Self-loops are left out.

    Args:
        channels: Size :math:`F` of each sample.
        chunk_size: Channels per gate; must divide ``channels``.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **gate:** gates of the layer before :math:`(|\mathcal{V}|, F /
          \mathrm{chunk})`, none for the first layer *(optional)*
        - **output:** node features :math:`(|\mathcal{V}|, F)` and gates
          :math:`(|\mathcal{V}|, F / \mathrm{chunk})`

    Example:
        >>> conv = OrderedConv(16, chunk_size=4)
        >>> x, gate = conv(torch.randn(3, 16), torch.tensor([[0, 1], [1, 2]]))
        >>> x.shape, gate.shape
        (torch.Size([3, 16]), torch.Size([3, 4]))

    .. note::
        The normalization is that of the authors' code, whose option ``chunk_size``
        counts the gates instead.
    """

    def __init__(self, channels: int, chunk_size: int = 4):
        super().__init__()
        if chunk_size < 1 or channels % chunk_size:
            raise ArgumentError(
                f"chunk_size must divide the {channels} channels, got {chunk_size}"
            )
        self.chunk_size = chunk_size
        self.lin = FeatureLinear(2 * channels, channels // chunk_size)
        self.norm = nn.LayerNorm(channels)

    def reset_parameters(self) -> None:
        """Draw new weights."""
        self.lin.reset_parameters()
        self.norm.reset_parameters()

    def forward(  # noqa: D102
        self, x: Tensor, edge_index: Graph, gate: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        edge_index, _ = without_self_loops(edge_index, x.size(0))
        message = spmm(edge_index, x, reduce="mean")
        scores = self.lin(torch.cat([x, message], dim=-1))
        new = scores.softmax(-1).cumsum(-1)  # [N, F / chunk]
        gate = new if gate is None else gate + (1 - gate) * new
        # Chunks as a dimension of their own, instead of repeated gates.
        x, message = (t.unflatten(-1, (-1, self.chunk_size)) for t in (x, message))
        mixed = torch.lerp(message, x, gate.unsqueeze(-1))
        return self.norm(mixed.flatten(-2)), gate
