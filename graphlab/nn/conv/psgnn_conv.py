"""A position layer that chooses its anchors."""

from typing import Any

from torch import Generator, Tensor, nn

from graphlab.nn.anchors.anchors import Anchors
from graphlab.nn.anchors.selector import AnchorSelector
from graphlab.nn.conv.pgnn_conv import PGNNConv
from graphlab.ops.spmm import Graph


class PSGNNConv(nn.Module):
    r"""Messages from single nodes that the layer has learned to choose.

    A re-implementation from the abstract of the `"Position-Sensing Graph Neural
    Networks: Proactively Learning Nodes Relative Positions"
    <https://arxiv.org/abs/2105.11346>`_ paper, whose body was not at hand; the
    selection is ours. Anchors :math:`a_1, \ldots, a_K` are picked by
    :class:`~graphlab.nn.LearnedAnchors`, and

    .. math::
        \mathbf{m}_{vk} = \mathrm{ReLU} \left( \mathbf{W} \left[
        \phi \left( \tfrac{1}{d(v, a_k) + 1} \right) \mathbf{h}_{a_k} ; \mathbf{h}_v
        \right] + \mathbf{b} \right), \qquad
        \mathbf{h}^{\prime}_v = \frac{1}{K} \sum_{k = 1}^{K} \mathbf{m}_{vk}, \qquad
        z_{vk} = \langle \mathbf{w}, \mathbf{m}_{vk} \rangle + c

    as in :class:`~graphlab.nn.PGNNConv`.

    Args:
        in_channels: Size :math:`F` of each input sample.
        out_channels: Size :math:`F^{\prime}` of the structure output.
        num_anchors: Number :math:`K` of anchors, at most all nodes.
        selector: How anchors are chosen; see :class:`~graphlab.nn.AnchorSelector`.
        cutoff: Nodes farther away than so many hops count as unreachable.
        **kwargs: Additional arguments of :class:`~graphlab.nn.AnchorSelector`.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** lengths of edges :math:`(|\mathcal{E}|)` *(optional)*
        - **anchors:** what :meth:`prepare` gave *(optional)*
        - **output:** position :math:`(|\mathcal{V}|, K)` and structure
          :math:`(|\mathcal{V}|, F^{\prime})`

    Example:
        >>> conv = PSGNNConv(16, 32, num_anchors=2)
        >>> z, h = conv(torch.randn(3, 16), torch.tensor([[0, 1], [1, 2]]))
        >>> z.shape, h.shape
        (torch.Size([3, 2]), torch.Size([3, 32]))
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_anchors: int = 16,
        selector: str = "learned",
        cutoff: int | None = None,
        **kwargs: Any,
    ):
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.selector = AnchorSelector(
            selector, num_anchors, in_channels, cutoff, **kwargs
        )
        self.conv = PGNNConv(in_channels, out_channels)

    def reset_parameters(self) -> None:
        """Draw new weights."""
        self.selector.reset_parameters()
        self.conv.reset_parameters()

    def prepare(
        self, edge_index: Graph, num_nodes: int, generator: Generator | None = None
    ) -> dict[str, Anchors]:
        """What ``forward`` may be given, so as not to draw it with the own seed."""
        return {"anchors": self.selector.prepare(edge_index, num_nodes, generator)}

    def forward(  # noqa: D102
        self,
        x: Tensor,
        edge_index: Graph,
        edge_weight: Tensor | None = None,
        *,
        anchors: Anchors | None = None,
    ) -> tuple[Tensor, Tensor]:
        chosen = self.selector(x, edge_index, edge_weight, anchors=anchors)
        return self.conv(x, chosen)

    def facts(self) -> dict[str, Any]:
        """What the anchors of the last call are like; empty before the first."""
        return self.selector.facts()
