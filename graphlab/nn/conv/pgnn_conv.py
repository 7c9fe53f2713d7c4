"""The layer of position-aware graph neural networks."""

import math

import torch
from torch import Tensor, nn

from graphlab.nn.anchors.anchors import Anchors
from graphlab.ops import anchor_messages, distance_similarity


class PGNNConv(nn.Module):
    r"""Messages from anchors, scaled by how close they are.

    From the `"Position-aware Graph Neural Networks" <https://arxiv.org/abs/1906.04817>`_
    paper (Algorithm 1), in the form of the authors' code:

    .. math::
        \mathbf{m}_{vk} &= \mathrm{ReLU} \left( \mathbf{W} \left[ \sigma_{vk}
        \mathbf{h}_{a(v, k)} ; \mathbf{h}_v \right] + \mathbf{b} \right), \qquad
        \sigma_{vk} = \phi \left( \frac{1}{d(v, a(v, k)) + 1} \right) \\
        \mathbf{h}^{\prime}_v &= \frac{1}{K} \sum_{k = 1}^{K} \mathbf{m}_{vk}, \qquad
        z_{vk} = \langle \mathbf{w}, \mathbf{m}_{vk} \rangle + c

    with :math:`\phi` a perceptron of one hidden layer of :math:`F^{\prime}` units, and
    similarity 0 where the anchor is out of reach. The **structure** output
    :math:`\mathbf{h}^{\prime}` feeds the next layer; the **position** output
    :math:`\mathbf{z}` has one number for each anchor.

    As :math:`\sigma` is a number, :math:`\mathbf{W}` splits: :math:`\sigma_{vk}
    \mathbf{W}_1 \mathbf{h}_{a(v, k)} + \mathbf{W}_2 \mathbf{h}_v`, which is two small
    products and no tensor of :math:`|\mathcal{V}| \times K \times 2 F` entries; see
    :func:`~graphlab.ops.anchor_messages`. And as hops are whole numbers, :math:`\phi`
    is evaluated once for each number of hops.

    Args:
        in_channels: Size :math:`F` of each input sample.
        out_channels: Size :math:`F^{\prime}` of the structure output.
        position: Whether to give the position output; if not, there is :obj:`None` in
            its place and no :math:`\mathbf{w}`, as only a last layer needs it.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`
        - **anchors:** :class:`~graphlab.nn.Anchors` of the graph
        - **output:** position :math:`(|\mathcal{V}|, K)` and structure
          :math:`(|\mathcal{V}|, F^{\prime})`

    Example:
        >>> conv = PGNNConv(16, 32)
        >>> hops = torch.tensor([[0, 2], [1, 1], [2, 0]])
        >>> z, h = conv(torch.randn(3, 16), Anchors(torch.tensor([0, 2]), hops))
        >>> z.shape, h.shape
        (torch.Size([3, 2]), torch.Size([3, 32]))

    .. note::
        Where anchors are chosen among candidates, :math:`\sigma` and
        :math:`\mathbf{h}_a` are the choice's weighted sums over candidates. The weights
        are 0 and 1, so that changes no value, but gives the choice a gradient.
    """

    def __init__(self, in_channels: int, out_channels: int, position: bool = True):
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.distance_in = nn.Linear(1, out_channels)
        self.distance_out = nn.Linear(out_channels, 1)
        self.lin = nn.Linear(2 * in_channels, out_channels)
        self.position = nn.Linear(out_channels, 1) if position else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights as the authors' code does."""
        for layer in self.children():
            nn.init.xavier_uniform_(layer.weight, gain=math.sqrt(2))
            nn.init.zeros_(layer.bias)

    def forward(  # noqa: D102
        self, x: Tensor, anchors: Anchors
    ) -> tuple[Tensor | None, Tensor]:
        nodes, distances, selection = anchors
        of_anchor, of_node = self.lin.weight.split(self.in_channels, 1)
        scale = self._scale(distances)
        own = nodes if nodes.dim() == 2 else None  # each node has its own anchors
        source = (x if own is not None else x[nodes]) @ of_anchor.t()
        if selection is not None:
            scale, source = scale @ selection.t(), selection @ source
        target = x @ of_node.t() + self.lin.bias
        weight = x.new_zeros(self.out_channels)
        if self.position is not None:
            weight = self.position.weight.squeeze(0)
        structure, position = anchor_messages(scale, source, target, weight, own)
        if self.position is None:
            return None, structure
        return position + self.position.bias, structure

    def _scale(self, distances: Tensor) -> Tensor:
        """The scalars of all nodes and anchors, ``[N, K]``."""
        dtype = self.lin.weight.dtype
        if distances.is_floating_point():
            return self._perceptron(distance_similarity(distances).to(dtype))
        most = int(distances.max()) if distances.numel() else 0
        hops = torch.arange(-1, most + 1, device=distances.device)
        table = self._perceptron(distance_similarity(hops, dtype).unsqueeze(1))
        places = (distances + 1).view(-1).long()
        return table.squeeze(1).index_select(0, places).view(distances.shape)

    def _perceptron(self, similarity: Tensor) -> Tensor:
        """The perceptron at each entry, with no more than a block of hidden units."""
        slope = self.distance_in.weight.t().expand(similarity.size(1), -1)
        bias = self.distance_in.bias.expand(similarity.size(0), -1)
        weight = self.distance_out.weight.squeeze(0)
        hidden = anchor_messages(similarity, slope, bias, weight)[1]
        return hidden + self.distance_out.bias

    def extra_repr(self) -> str:  # noqa: D102
        return f"{self.in_channels}, {self.out_channels}"
