"""Matrix factorization trained on pairs."""

import torch
from torch import nn

from graphlab.nn._checks import check_count, check_positive
from graphlab.preference.graph import PreferenceGraph
from graphlab.preference.models.base import PreferenceModel, Regularizer
from graphlab.preference.models.bradley_terry import response_bias
from graphlab.preference.vectors import PreferenceVectors


class MFBPR(PreferenceModel):
    r"""Matrix factorization on pairs.

    From the `"BPR: Bayesian Personalized Ranking from Implicit Feedback"
    <https://arxiv.org/abs/1205.2618>`_ paper (Section 4.3.1):

    .. math::
        s(u, r) = \langle \mathbf{p}_u, \mathbf{q}_r \rangle + b_r

    with free vectors; no graph. Pairs are those that users gave: nothing is sampled,
    and a response not chosen is one that was shown.

    Args:
        num_users: Number of users.
        num_responses: Number of responses.
        dim: Size :math:`d` of the vectors.
        item_bias: Whether there is a :math:`b_r`.
        init_std: Standard deviation of the initial vectors.
        regularizer: Penalty that is added to the loss, or :obj:`None`.

    Shapes:
        - **graph:** a :class:`PreferenceGraph`
        - **output:** :class:`PreferenceVectors`

    Example:
        >>> graph = PreferenceGraph.from_pairs([1, 2], ["x", "y"], ["y", "z"])
        >>> MFBPR(2, 3, dim=8)(graph).user.shape
        torch.Size([2, 8])
    """

    def __init__(
        self,
        num_users: int,
        num_responses: int,
        dim: int = 64,
        item_bias: bool = True,
        init_std: float = 0.1,
        regularizer: Regularizer | None = None,
    ):
        super().__init__(num_users, num_responses, regularizer)
        check_count("dim", dim)
        check_positive("init_std", init_std)
        self.init_std = init_std
        self.user = nn.Parameter(torch.empty(num_users, dim))
        self.response = nn.Parameter(torch.empty(num_responses, dim))
        self.bias = response_bias(item_bias, num_responses)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new vectors; biases are zero."""
        nn.init.normal_(self.user, std=self.init_std)
        nn.init.normal_(self.response, std=self.init_std)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def initial(self) -> PreferenceVectors:  # noqa: D102
        return PreferenceVectors(self.user, self.response, self.bias)

    def forward(  # noqa: D102
        self, graph: PreferenceGraph, *, generator: torch.Generator | None = None
    ) -> PreferenceVectors:
        self.check_graph(graph)
        return self.initial()
