"""The Bradley-Terry model: one quality per response, the same for all users."""

import torch
from torch import Tensor, nn

from graphlab.preference.graph import PreferenceGraph
from graphlab.preference.models.base import PreferenceModel, Regularizer
from graphlab.preference.vectors import PreferenceVectors


class BradleyTerry(PreferenceModel):
    r"""A quality per response, whoever is asked: the baseline without persons.

    From `"Rank Analysis of Incomplete Block Designs"
    <https://doi.org/10.2307/2334029>`_:

    .. math::
        P(w \succ l) = \sigma(b_w - b_l)

    Vectors have no columns, so any user scores by :math:`b` alone, new ones included.

    Args:
        num_users: Number of users.
        num_responses: Number of responses.
        regularizer: Penalty that is added to the loss, or :obj:`None`.

    Shapes:
        - **graph:** a :class:`PreferenceGraph`
        - **output:** :class:`PreferenceVectors` of width 0 with a bias

    Example:
        >>> graph = PreferenceGraph.from_pairs([1, 2], ["x", "y"], ["y", "z"])
        >>> vectors = BradleyTerry(2, 3)(graph)
        >>> vectors.user.shape, vectors.bias.shape
        (torch.Size([2, 0]), torch.Size([3]))
    """

    def __init__(
        self,
        num_users: int,
        num_responses: int,
        regularizer: Regularizer | None = None,
    ):
        super().__init__(num_users, num_responses, regularizer)
        self.bias = nn.Parameter(torch.zeros(num_responses))

    def reset_parameters(self) -> None:
        """All responses equal again."""
        nn.init.zeros_(self.bias)

    def initial(self) -> PreferenceVectors:  # noqa: D102
        user = self.bias.new_empty(self.num_users, 0)
        return PreferenceVectors(
            user, self.bias.new_empty(self.num_responses, 0), self.bias
        )

    def forward(  # noqa: D102
        self, graph: PreferenceGraph, *, generator: torch.Generator | None = None
    ) -> PreferenceVectors:
        self.check_graph(graph)
        return self.initial()


def response_bias(wanted: bool, count: int) -> Tensor | None:
    """A bias of zero for each response, if one is wanted."""
    return nn.Parameter(torch.zeros(count)) if wanted else None
