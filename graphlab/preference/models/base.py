"""What all preference models share: the loss and its regularization."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from graphlab.errors import ArgumentError
from graphlab.nn._checks import check_choice, check_count
from graphlab.preference.graph import PreferenceGraph
from graphlab.preference.vectors import PreferenceVectors


@dataclass(frozen=True)
class Regularizer:
    r"""A penalty on the vectors of the pairs of a batch :math:`\mathcal{B}`.

    .. math::
        \lambda \sum_{(u, w, l) \in \mathcal{B}} \left( \lVert \mathbf{e}_u \rVert^2
        + \lVert \mathbf{e}_w \rVert^2 + \lVert \mathbf{e}_l \rVert^2
        + b_w^2 + b_l^2 \right)

    Recommender codes differ in which vectors these are and in whether they sum or
    average; results depend on it.

    Args:
        weight: :math:`\lambda`.
        on: ``"final"`` takes the vectors that score, as the code of CoPL does,
            ``"initial"`` the free tables before propagation, as LightGCN does.
        reduce: ``"sum"`` as above (CoPL), or ``"mean"``, divided by
            :math:`|\mathcal{B}|`, for a strength that does not depend on the batch.
            (LightGCN's code has half of that.)

    Raises:
        ArgumentError: If a value is not accepted.
    """

    weight: float = 0.0
    on: str = "final"
    reduce: str = "sum"

    def __post_init__(self) -> None:
        check_choice("on", self.on, ("final", "initial"))
        check_choice("reduce", self.reduce, ("sum", "mean"))
        if not self.weight >= 0:
            raise ArgumentError(f"weight must not be negative, got {self.weight!r}")

    def __call__(
        self, vectors: PreferenceVectors, user: Tensor, winner: Tensor, loser: Tensor
    ) -> Tensor:
        """The penalty; each row's norm is taken once, and weighed by its count."""
        response = vectors.response.square().sum(1)
        if vectors.bias is not None:
            response = response + vectors.bias.square()
        total = _weighed(vectors.user.square().sum(1), user)
        total = total + _weighed(response, winner) + _weighed(response, loser)
        scale = self.weight / (1 if self.reduce == "sum" else max(user.numel(), 1))
        return scale * total


class PreferenceModel(nn.Module):
    r"""Base of the models: ``forward(graph)`` gives :class:`PreferenceVectors`.

    A sub-class has the parameters and says in ``initial`` which free vectors it starts
    from. A model belongs to the users and responses it was made for; their rows are
    those of the graph.

    Args:
        num_users: Number of users.
        num_responses: Number of responses.
        regularizer: Penalty that is added to the loss, or :obj:`None`.
    """

    def __init__(
        self,
        num_users: int,
        num_responses: int,
        regularizer: Regularizer | None = None,
    ):
        super().__init__()
        check_count("num_users", num_users)
        check_count("num_responses", num_responses)
        self.num_users, self.num_responses = num_users, num_responses
        self.regularizer = regularizer or Regularizer()

    def forward(
        self, graph: PreferenceGraph, *, generator: torch.Generator | None = None
    ) -> PreferenceVectors:
        """The vectors; ``generator`` decides about dropped edges in training."""
        raise NotImplementedError

    def initial(self) -> PreferenceVectors:
        """The free vectors before any propagation."""
        raise NotImplementedError

    def loss(
        self, vectors: PreferenceVectors, user: Tensor, winner: Tensor, loser: Tensor
    ) -> Tensor:
        r"""The Bradley-Terry loss of a batch of pairs, plus the regularization.

        .. math::
            - \frac{1}{|\mathcal{B}|} \sum_{(u, w, l) \in \mathcal{B}}
            \log \sigma \bigl( s(u, w) - s(u, l) \bigr) + \Omega

        Args:
            vectors: What ``forward`` returned.
            user: Rows of the users.
            winner: Rows of the responses they prefer.
            loser: Rows of the others.
        """
        loss = -logsigmoid(vectors.margin(user, winner, loser)).mean()
        if not self.regularizer.weight:
            return loss
        penalized = vectors if self.regularizer.on == "final" else self.initial()
        return loss + self.regularizer(penalized, user, winner, loser)

    def check_graph(self, graph: PreferenceGraph) -> None:
        """Refuse a graph of other users or responses than the model was made for."""
        if graph.num_nodes != (self.num_users, self.num_responses):
            raise ArgumentError(
                f"graph must have the {self.num_users:,} users and "
                f"{self.num_responses:,} responses of the model, got {graph}"
            )


def stack(vectors: PreferenceVectors) -> Tensor:
    """Users' vectors above responses' vectors."""
    return torch.cat([vectors.user, vectors.response])


def _weighed(values: Tensor, rows: Tensor) -> Tensor:
    count = torch.bincount(rows, minlength=values.numel())
    return (count * values).sum()
