"""Vectors for users whom the graph does not know, without training the model."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from graphlab.errors import ArgumentError
from graphlab.nn._checks import check_choice, check_positive
from graphlab.preference.fold_in import fold_in
from graphlab.preference.graph import PreferenceGraph
from graphlab.preference.ids import IdMap, factorize
from graphlab.preference.models.base import PreferenceModel
from graphlab.preference.tables import read_table
from graphlab.preference.two_hop import two_hop_mask
from graphlab.preference.vector_table import VectorTable
from graphlab.preference.vectors import PreferenceVectors

RULES = ("two_hop", "mean", "fold_in")
FALLBACKS = ("population_mean", "zero", "error")
BLOCK = 1 << 22  # entries of a (pairs or new users) x users block


@dataclass(frozen=True)
class AdaptedUsers:
    """Vectors of new users, and where they come from.

    Args:
        ids: The new users' ids.
        vectors: A vector for each.
        num_neighbors: Known users that the vector is made of; 0 for ``"fold_in"``.
        fallback: Which vectors are the fall-back, since there was nothing to go by.
        rule: The rule.
    """

    ids: IdMap
    vectors: Tensor
    num_neighbors: Tensor
    fallback: Tensor
    rule: str

    def table(self) -> VectorTable:
        """The vectors by id, to look up or save."""
        return VectorTable(self.ids, self.vectors)

    def scores(self, vectors: PreferenceVectors) -> PreferenceVectors:
        """The trained vectors with the new users in place of the known ones."""
        return vectors._replace(user=self.vectors)


@torch.no_grad()
def adapt_unseen_users(
    model: PreferenceModel | PreferenceVectors,
    graph: PreferenceGraph,
    new_pairs: pd.DataFrame,
    rule: str = "two_hop",
    *,
    users: Iterable[Hashable] | None = None,
    temperature: float = 0.07,
    normalize: bool = True,
    signed: bool = False,
    ridge: float = 0.1,
    fallback: str = "population_mean",
    unknown_responses: str = "error",
) -> AdaptedUsers:
    r"""Give vectors to new users from a few pairs of theirs; nothing is trained.

    ``rule="two_hop"`` is that of the `"CoPL: Collaborative Preference Learning for
    Personalizing LLMs" <https://arxiv.org/abs/2503.01658>`_ paper, as its code has it.
    Neighbours of a new user :math:`v` are the users who like a response that
    :math:`v` likes. How well a neighbour explains what :math:`v` said decides its
    weight:

    .. math::
        \ell_u = \frac{1}{|\mathcal{C}_v|} \sum_{(w, l) \in \mathcal{C}_v} \log \sigma
        \bigl( s(u, w) - s(u, l) \bigr), \qquad
        \mathbf{e}_v = \sum_{u \in \mathcal{N}_2(v)} \mathrm{softmax}_u (\ell_u / \tau)
        \, \mathbf{\hat{e}}_u

    with vectors :math:`\mathbf{\hat{e}}_u` of length 1, in the scores too. ``"mean"``
    weighs all neighbours alike. ``"fold_in"``, for comparison, fits the vector to the
    pairs with the responses as they are (see :func:`fold_in`): the ridge regression of
    matrix factorization, with a logistic loss, around the mean of known users.

    Args:
        model: A trained model, or its vectors.
        graph: The graph it was trained on.
        new_pairs: The new users' pairs: a table with the columns ``user``, ``winner``,
            ``loser``. Users may have the ids of known ones; these are not looked up.
        rule: ``"two_hop"``, ``"mean"`` or ``"fold_in"``.
        users: The new users, in the order their vectors shall have; by default those
            of ``new_pairs`` in order of appearance.
        temperature: :math:`\tau`; the code of CoPL has 0.07.
        normalize: Whether known users' vectors are brought to length 1 first. A model
            with biases of responses is trained for the lengths it has:
            ``normalize=False``.
        signed: Whether users who dislike what :math:`v` dislikes are neighbours, too.
        ridge: Strength of the pull towards the mean of known users in ``"fold_in"``.
        fallback: What a user without neighbours gets: ``"population_mean"``, the mean
            of the known users' vectors; ``"zero"``, the vector for which only biases
            count; or an ``"error"``.
        unknown_responses: Pairs with a response that the graph lacks are an
            ``"error"``, or left out (``"drop"``); a user with no pair left gets the
            fall-back.

    Raises:
        ArgumentError: If a user of ``users`` has no pair, a pair belongs to none of
            them, a response is unknown, or a user without neighbours is an error.

    Example:
        >>> from graphlab.preference import MFBPR
        >>> graph = PreferenceGraph.from_pairs(
        ...     ["ann", "bob"], ["x", "y"], ["y", "x"])
        >>> new = pd.DataFrame({"user": ["eve"], "winner": ["x"], "loser": ["y"]})
        >>> adapted = adapt_unseen_users(MFBPR(2, 2, dim=4), graph, new)
        >>> adapted.num_neighbors.tolist(), adapted.fallback.tolist()
        ([1], [False])
    """
    check_options(rule, temperature, ridge, fallback, unknown_responses)
    vectors = _vectors(model, graph)
    vectors = vectors.unit() if normalize else vectors
    ids, pairs = _read(graph, new_pairs, users, unknown_responses == "drop")
    center = vectors.user.mean(0)
    if rule == "fold_in":
        out = fold_in(vectors, pairs, len(ids), center, ridge)
        count = torch.zeros(len(ids), dtype=torch.long, device=out.device)
        alone = torch.bincount(pairs[0], minlength=len(ids)) == 0
    else:
        scale = temperature if rule == "two_hop" else None
        out, count = _from_neighbors(vectors, graph, pairs, len(ids), scale, signed)
        alone = count == 0
    if fallback == "error" and bool(alone.any()):
        lost = [one for one, is_alone in zip(ids.ids, alone, strict=True) if is_alone]
        raise ArgumentError(
            f"new_pairs: {len(lost):,} users share no response with a known one, the "
            f"first is {lost[0]!r}; fallback='population_mean' gives them the mean"
        )
    out[alone] = center if fallback == "population_mean" else 0
    return AdaptedUsers(ids, out, count, alone, rule)


def check_options(
    rule: str,
    temperature: float = 0.07,
    ridge: float = 0.1,
    fallback: str = "population_mean",
    unknown_responses: str = "error",
) -> None:
    """Refuse options of :func:`adapt_unseen_users` that there are none of.

    Raises:
        ArgumentError: The message names the option.
    """
    check_choice("rule", rule, RULES)
    check_choice("fallback", fallback, FALLBACKS)
    check_choice("unknown_responses", unknown_responses, ("error", "drop"))
    check_positive("temperature", temperature)
    check_positive("ridge", ridge)


def _vectors(model, graph: PreferenceGraph) -> PreferenceVectors:
    if isinstance(model, PreferenceModel):
        training = model.training
        model.eval()
        vectors = model(graph)
        model.train(training)
        return vectors.detach()
    if tuple(map(len, model[:2])) != graph.num_nodes:
        raise ArgumentError(
            f"model must have a vector for each user and response of {graph}, got "
            f"{len(model.user):,} and {len(model.response):,}"
        )
    return model.detach()


def _read(graph: PreferenceGraph, table, users, drop: bool):
    """New users, and the rows of users, winners and losers of their pairs."""
    table = read_table(table, ("user", "winner", "loser"))
    if users is None:
        ids = IdMap(factorize("user", table["user"])[1], "user")
    else:
        ids = IdMap(users, "user")
    user = ids.rows(table["user"], "users")
    without = torch.bincount(user, minlength=len(ids)) == 0
    if bool(without.any()):
        first = ids.ids[int(without.long().argmax())]
        raise ArgumentError(
            f"new_pairs must hold a pair of each user; {int(without.sum()):,} of "
            f"{len(ids):,} have none, the first is {first!r}"
        )
    if not len(ids):
        raise ArgumentError("new_pairs must hold a pair, got none")
    known = graph.response_ids
    if drop:
        winner, loser = known.find(table["winner"]), known.find(table["loser"])
        keep = (winner >= 0) & (loser >= 0)
        user, winner, loser = user[keep], winner[keep], loser[keep]
    else:
        winner, loser = known.rows(table["winner"]), known.rows(table["loser"])
    order = user.argsort(stable=True)
    return ids, tuple(t[order].to(graph.device) for t in (user, winner, loser))


def _from_neighbors(vectors, graph, pairs, num_new, temperature, signed):
    """Weighted means over neighbours, a block of new users at a time."""
    user, winner, loser = pairs
    known = max(1, vectors.user.size(0))
    per_user = torch.bincount(user, minlength=num_new)
    ends = per_user.cumsum(0)
    out = vectors.user.new_zeros(num_new, vectors.user.size(1))
    count = torch.zeros(num_new, dtype=torch.long, device=user.device)
    start = 0
    while start < num_new:
        before = int(ends[start - 1]) if start else 0
        rows = before + BLOCK // known  # pairs up to here fit into the block
        stop = int(torch.searchsorted(ends, ends.new_tensor(rows), right=True))
        stop = min(num_new, max(start + 1, stop), start + max(1, BLOCK // known))
        part = slice(before, int(ends[stop - 1]))
        some = user[part] - start, winner[part], loser[part]
        near = two_hop_mask(graph, some, stop - start, signed)
        weight = near.to(vectors.user.dtype)
        if temperature is not None:
            fit = _explain(vectors, some, stop - start) / temperature
            fit = fit.masked_fill(~near, -torch.inf)
            weight = fit.softmax(1).nan_to_num(0.0)
        else:
            weight = weight / weight.sum(1, keepdim=True).clamp(min=1)
        out[start:stop] = weight @ vectors.user
        count[start:stop] = near.sum(1)
        start = stop
    return out, count


def _explain(vectors: PreferenceVectors, pairs, num_new: int) -> Tensor:
    """Mean log-likelihood of each new user's pairs under each known user."""
    user, winner, loser = pairs
    margin = (vectors.response[winner] - vectors.response[loser]) @ vectors.user.t()
    if vectors.bias is not None:
        margin = margin + (vectors.bias[winner] - vectors.bias[loser]).unsqueeze(1)
    total = margin.new_zeros(num_new, margin.size(1))
    total.index_add_(0, user, logsigmoid(margin))
    count = torch.bincount(user, minlength=num_new).clamp(min=1)
    return total / count.unsqueeze(1)
