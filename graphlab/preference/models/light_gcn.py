"""LightGCN on the likes of users: PyG's model, propagated by our operations."""

import torch
import torch_geometric.nn
from torch import Tensor

from graphlab.nn._checks import check_count
from graphlab.preference.graph import PreferenceGraph
from graphlab.preference.models.base import PreferenceModel, Regularizer
from graphlab.preference.models.bradley_terry import response_bias
from graphlab.preference.propagation import check_dropout, propagation
from graphlab.preference.vectors import PreferenceVectors


class LightGCN(PreferenceModel):
    r"""Means over hops along likes.

    From the `"LightGCN: Simplifying and Powering Graph Convolution Network for
    Recommendation" <https://arxiv.org/abs/2002.02126>`_ paper:

    .. math::
        \mathbf{E} = \frac{1}{K + 1} \sum_{k=0}^{K} (\mathbf{\hat{A}}^{+})^k
        \mathbf{E}^{(0)}

    over users and responses, with :math:`\mathbf{\hat{A}}^{+}` the likes in both
    directions, symmetrically normalized. Dislikes are not seen. The weights are those
    of :class:`torch_geometric.nn.LightGCN`, in the attribute ``model``; only the
    propagation is ours, which needs no row per edge.

    Args:
        num_users: Number of users.
        num_responses: Number of responses.
        dim: Size :math:`d` of the vectors.
        num_layers: Number :math:`K` of hops.
        item_bias: Whether responses have a bias, which LightGCN has not.
        edge_dropout: Probability with which an edge is left out in training.
        regularizer: Penalty that is added to the loss, or :obj:`None`.

    Shapes:
        - **graph:** a :class:`PreferenceGraph`
        - **output:** :class:`PreferenceVectors`

    Example:
        >>> graph = PreferenceGraph.from_pairs([1, 2], ["x", "y"], ["y", "z"])
        >>> LightGCN(2, 3, dim=8)(graph).response.shape
        torch.Size([3, 8])
    """

    kind = "likes"

    def __init__(
        self,
        num_users: int,
        num_responses: int,
        dim: int = 64,
        num_layers: int = 3,
        item_bias: bool = False,
        edge_dropout: float = 0.0,
        regularizer: Regularizer | None = None,
    ):
        super().__init__(num_users, num_responses, regularizer)
        check_count("dim", dim)
        check_count("num_layers", num_layers)
        check_dropout(edge_dropout)
        self.edge_dropout = edge_dropout
        self.model = torch_geometric.nn.LightGCN(
            num_users + num_responses, dim, num_layers
        )
        self.bias = response_bias(item_bias, num_responses)

    def reset_parameters(self) -> None:
        """Draw new vectors; biases are zero."""
        self.model.reset_parameters()
        if self.bias is not None:
            torch.nn.init.zeros_(self.bias)

    def initial(self) -> PreferenceVectors:  # noqa: D102
        return self._split(self.model.embedding.weight)

    def forward(  # noqa: D102
        self, graph: PreferenceGraph, *, generator: torch.Generator | None = None
    ) -> PreferenceVectors:
        self.check_graph(graph)
        x = self.model.embedding.weight
        spread = propagation(graph, self.kind, x.dtype)
        out = x * self.model.alpha[0]
        for alpha in self.model.alpha[1:]:
            x = spread(x, self.edge_dropout if self.training else 0.0, generator)
            out = out + x * alpha
        return self._split(out)

    def _split(self, x: Tensor) -> PreferenceVectors:
        user, response = x.split([self.num_users, self.num_responses])
        return PreferenceVectors(user, response, self.bias)
