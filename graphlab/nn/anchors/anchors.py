"""Anchors of a graph, or the nodes among which they are chosen."""

from typing import NamedTuple

from torch import Tensor


class Anchors(NamedTuple):
    r"""Nodes that positions refer to, with the distances of all nodes to them.

    .. math::
        \mathbf{D}_{vk} = d(v, a_k) \quad \text{or} \quad d(v, a_{vk})

    after the `"Position-aware Graph Neural Networks"
    <https://arxiv.org/abs/1906.04817>`_ paper. :class:`AnchorSelector` makes them.

    Args:
        nodes: Anchors, the same for all nodes; or for each node its own, the closest
            members of sets.
        distances: Hops, -1 where unreachable, or weighted distances, infinite there.
        selection: Weights of these nodes, as candidates, in each anchor; a row has a
            single 1. Without it all of them are anchors.

    Shapes:
        - **nodes:** :math:`(K)` or :math:`(|\mathcal{V}|, K)`, or :math:`(M)`
          candidates
        - **distances:** :math:`(|\mathcal{V}|, K)` or :math:`(|\mathcal{V}|, M)`
        - **selection:** :math:`(K, M)` *(optional)*

    Example:
        >>> path = torch.tensor([[0, 1, 2], [1, 0, 1], [2, 1, 0]])
        >>> Anchors(torch.tensor([0, 1, 2]), path).take(torch.tensor([2, 0])).nodes
        tensor([2, 0])
    """

    nodes: Tensor
    distances: Tensor
    selection: Tensor | None = None

    def take(self, places: Tensor) -> "Anchors":
        """Only the anchors at these places."""
        return Anchors(self.nodes[..., places], self.distances[:, places])

    def chosen(self) -> "Anchors":
        """Without the candidates that are no anchors."""
        if self.selection is None:
            return self
        if not self.selection.size(1):  # a graph without nodes
            return self._replace(selection=None)
        return self.take(self.selection.detach().argmax(1))
