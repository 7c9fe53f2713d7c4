"""What a trained model is: vectors of users and responses, and how they score."""

from typing import NamedTuple

from torch import Tensor
from torch.nn.functional import normalize

from graphlab.preference.margins import margins


class PreferenceVectors(NamedTuple):
    r"""Vectors whose inner product says how much a user likes a response.

    .. math::
        s(u, r) = \langle \mathbf{e}_u, \mathbf{e}_r \rangle + b_r, \qquad
        P(w \succ l \mid u) = \sigma(s(u, w) - s(u, l))

    Args:
        user: Vectors :math:`\mathbf{e}_u` of the users.
        response: Vectors :math:`\mathbf{e}_r` of the responses.
        bias: What all users think of a response, :math:`b_r`; :obj:`None` if nothing
            is added.

    Shapes:
        - **user:** :math:`(|\mathcal{U}|, d)`
        - **response:** :math:`(|\mathcal{R}|, d)`
        - **bias:** :math:`(|\mathcal{R}|)` *(optional)*
    """

    user: Tensor
    response: Tensor
    bias: Tensor | None = None

    def score(self, user: Tensor, response: Tensor) -> Tensor:
        """Scores of pairs of a user and a response, given by their rows."""
        scores = (self.user[user] * self.response[response]).sum(-1)
        return scores if self.bias is None else scores + self.bias[response]

    def margin(self, user: Tensor, winner: Tensor, loser: Tensor) -> Tensor:
        """By how much users prefer one response to another, given by their rows."""
        margin = margins(self.user, self.response, user, winner, loser)
        if self.bias is None:
            return margin
        return margin + self.bias[winner] - self.bias[loser]

    def unit(self) -> "PreferenceVectors":
        """The same with users' vectors of length 1, as the paper exports them."""
        return self._replace(user=normalize(self.user, dim=1))

    def detach(self) -> "PreferenceVectors":
        """The same without a gradient."""
        return PreferenceVectors(*(t if t is None else t.detach() for t in self))
