"""The signed graph between users and responses that pairwise preferences make."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import HeteroData

from graphlab.errors import ArgumentError
from graphlab.nn._checks import check_choice
from graphlab.preference.ids import IdMap, as_index, factorize
from graphlab.preference.tables import read_table

LIKES = ("user", "likes", "response")
DISLIKES = ("user", "dislikes", "response")


@dataclass(frozen=True)
class PairReport:
    """What was odd about the pairs of a :class:`PreferenceGraph`, and what was done.

    Args:
        given: Number of pairs given.
        kept: Number of pairs in the graph.
        self_pairs: Pairs of a response with itself; never in the graph.
        duplicates: Repetitions of a pair by the same user, beyond the first.
        contradictions: Pairs whose opposite the same user gave as well.
        dropped: Pairs left out.
    """

    given: int
    kept: int
    self_pairs: int
    duplicates: int
    contradictions: int
    dropped: int

    def __str__(self) -> str:
        return (
            f"{self.given:,} pairs, {self.kept:,} kept: {self.self_pairs:,} of a "
            f"response with itself, {self.duplicates:,} repeated, "
            f"{self.contradictions:,} contradicted"
        )


class PreferenceGraph:
    r"""Users and responses, joined by likes and dislikes.

    An annotation :math:`(u, w, l)`, user :math:`u` prefers :math:`w` to :math:`l`,
    makes an edge ``("user", "likes", "response")`` to :math:`w` and an edge ``("user",
    "dislikes", "response")`` to :math:`l`. Edges that several annotations make are one
    edge whose ``edge_weight`` :math:`a_{ur}` counts them; a user and a response may
    have an edge of either kind. Each kind has a normalization of its own,

    .. math::
        \hat{a}_{ur} = \frac{a_{ur}}{\sqrt{d_u d_r}}, \qquad
        d_u = \sum_r a_{ur}, \quad d_r = \sum_u a_{ur},

    with the degrees of that kind, as in the code of the `"CoPL: Collaborative
    Preference Learning for Personalizing LLMs" <https://arxiv.org/abs/2503.01658>`_
    paper. Made by :meth:`from_pairs` or
    :meth:`from_frame`.

    Attributes:
        data: The graph as :class:`torch_geometric.data.HeteroData`; its edge stores
            hold ``edge_index``, ``edge_weight`` (counts) and ``norm``.
        user: Row of the user of each annotation that was kept.
        winner: Row of the preferred response.
        loser: Row of the other response.
        user_ids: The users' ids, an :class:`IdMap`.
        response_ids: The responses' ids.
        report: A :class:`PairReport`.
    """

    def __init__(
        self,
        user: Tensor,
        winner: Tensor,
        loser: Tensor,
        user_ids: IdMap,
        response_ids: IdMap,
        report: PairReport,
    ):
        self.user, self.winner, self.loser = user, winner, loser
        self.user_ids, self.response_ids = user_ids, response_ids
        self.report = report
        self.cache: dict = {}
        self.data = HeteroData()
        self.data["user"].num_nodes = len(user_ids)
        self.data["response"].num_nodes = len(response_ids)
        for kind, response in ((LIKES, winner), (DISLIKES, loser)):
            edge_index, count = _coalesce(user, response, len(response_ids))
            self.data[kind].edge_index = edge_index
            self.data[kind].edge_weight = count
            self.data[kind].norm = _normalize(edge_index, count, self.num_nodes)

    @classmethod
    def from_pairs(
        cls,
        user: Any,
        winner: Any,
        loser: Any,
        *,
        user_ids: Any = None,
        response_ids: Any = None,
        duplicates: str = "keep",
        contradictions: str = "keep",
        self_pairs: str = "drop",
    ) -> "PreferenceGraph":
        """From three lists: who preferred what to what.

        Args:
            user: Id of the user of each pair; any hashable type, not only numbers.
            winner: Id of the response that the user prefers.
            loser: Id of the other.
            user_ids: All users, in the order their rows shall have; by default those
                that occur, in order of appearance. May hold users without a pair.
            response_ids: All responses, likewise.
            duplicates: A pair given twice by a user is twice the evidence
                (``"keep"``, as in the released code), counted once (``"drop"``), or
                an ``"error"``.
            contradictions: Pairs of which a user gave both directions stay
                (``"keep"``), go with all their repetitions (``"drop"``), or are an
                ``"error"``.
            self_pairs: Pairs of a response with itself are left out (``"drop"``) or
                an ``"error"``.

        Raises:
            ArgumentError: If the lists differ in length or are empty, an id is missing,
                not hashable or not in ``user_ids`` or ``response_ids``, or pairs are of
                a kind that shall be an error.

        Example:
            >>> graph = PreferenceGraph.from_pairs(
            ...     ["ann", "ann", "bob"], ["x", "y", "z"], ["y", "z", "x"])
            >>> graph
            PreferenceGraph(2 users, 3 responses, 3 pairs)
            >>> graph.data["user", "likes", "response"].edge_index
            tensor([[0, 0, 1],
                    [0, 1, 2]])
        """
        check_choice("duplicates", duplicates, ("keep", "drop", "error"))
        check_choice("contradictions", contradictions, ("keep", "drop", "error"))
        check_choice("self_pairs", self_pairs, ("drop", "error"))
        people, users = _rows("user", user, user_ids)
        count = len(people)
        answers = [as_index(name, v) for name, v in _named(winner, loser)]
        for name, index in zip(("winner", "loser"), answers, strict=True):
            if len(index) != count:
                raise ArgumentError(
                    f"{name} must have {count:,} entries, as user has, got "
                    f"{len(index):,}"
                )
        if not count:
            raise ArgumentError("user, winner and loser must hold a pair, got none")
        both, responses = _rows("response", answers[0].append(answers[1]), response_ids)
        pairs = np.stack([people, both[:count], both[count:]])
        keep, report = _examine(
            pairs, len(responses), duplicates, contradictions, self_pairs
        )
        kept = torch.from_numpy(np.ascontiguousarray(pairs[:, keep]))
        return cls(*kept, users, responses, report)

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame | str | Path,
        user: str = "user",
        winner: str = "winner",
        loser: str = "loser",
        **kwargs: Any,
    ) -> "PreferenceGraph":
        """From a pandas table, or a parquet or CSV file, with a row per pair.

        Args:
            frame: The table, or the file's path.
            user: Name of the column of users.
            winner: Name of the column of preferred responses.
            loser: Name of the column of the others.
            **kwargs: Arguments of :meth:`from_pairs`.

        Raises:
            ArgumentError: If a column is missing, the file cannot be read, or as
                :meth:`from_pairs`.
        """
        columns = (user, winner, loser)
        frame = read_table(frame, columns)
        return cls.from_pairs(*(frame[column] for column in columns), **kwargs)

    @property
    def num_users(self) -> int:
        """Number of users."""
        return len(self.user_ids)

    @property
    def num_responses(self) -> int:
        """Number of responses."""
        return len(self.response_ids)

    @property
    def num_nodes(self) -> tuple[int, int]:
        """Numbers of users and responses."""
        return self.num_users, self.num_responses

    @property
    def num_pairs(self) -> int:
        """Number of annotations."""
        return self.user.numel()

    @property
    def device(self) -> torch.device:
        """Where the graph lives."""
        return self.user.device

    @property
    def pairs(self) -> tuple[Tensor, Tensor, Tensor]:
        """Rows of users, preferred and other responses of all annotations."""
        return self.user, self.winner, self.loser

    def rows(self, pairs: pd.DataFrame) -> tuple[Tensor, Tensor, Tensor]:
        """Rows of pairs of known users and responses, e.g. those for validation.

        Args:
            pairs: A table with the columns ``user``, ``winner`` and ``loser``.

        Raises:
            ArgumentError: If a user or response is not in the graph.
        """
        read_table(pairs, ("user", "winner", "loser"))
        user = self.user_ids.rows(pairs["user"])
        winner, loser = (self.response_ids.rows(pairs[c]) for c in ("winner", "loser"))
        return user.to(self.device), winner.to(self.device), loser.to(self.device)

    def to(self, device: torch.device | str) -> "PreferenceGraph":
        """The graph on another device."""
        pairs = (t.to(device) for t in self.pairs)
        return PreferenceGraph(*pairs, self.user_ids, self.response_ids, self.report)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.num_users:,} users, "
            f"{self.num_responses:,} responses, {self.num_pairs:,} pairs)"
        )


def _named(winner: Any, loser: Any) -> tuple[tuple[str, Any], ...]:
    return ("winner", winner), ("loser", loser)


def _rows(name: str, values: Any, ids: Any) -> tuple[np.ndarray, IdMap]:
    """A row for each entry, and what the rows stand for."""
    if ids is None:
        rows, uniques = factorize(name, values)
        return rows, IdMap(uniques, name)
    known = IdMap(ids, name)
    return known.rows(values, f"{name}_ids").numpy(), known


def _examine(pairs, num_responses, duplicates, contradictions, self_pairs):
    """Which pairs stay, and the report on all."""
    user, winner, loser = pairs
    itself = winner == loser
    low, high = np.minimum(winner, loser), np.maximum(winner, loser)
    couple = pd.factorize(low * num_responses + high)[0]
    key = 2 * (user * (int(couple.max()) + 1) + couple) + (winner < loser)
    repeated = pd.Series(key).duplicated().to_numpy() & ~itself
    against = np.isin(key ^ 1, key) & ~itself  # the same couple, the other way round
    found = (
        ("self_pairs", itself, self_pairs, "of a response with itself"),
        ("duplicates", repeated, duplicates, "that repeat one of the same user"),
        ("contradictions", against, contradictions, "whose opposite is there too"),
    )
    keep = np.ones(len(user), dtype=bool)
    for name, mask, rule, words in found:
        if rule == "error" and mask.any():
            raise ArgumentError(
                f"{name}: {int(mask.sum()):,} pairs {words}, the first is pair "
                f"{int(mask.argmax())}; {name}='drop' leaves them out"
            )
        if rule == "drop":
            keep &= ~mask
    counts = {name: int(mask.sum()) for name, mask, _, _ in found}
    kept = int(keep.sum())
    report = PairReport(len(user), kept, dropped=len(user) - kept, **counts)
    return keep, report


def _coalesce(user: Tensor, response: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Different edges in order of users and responses, and how often each is there."""
    key, count = (user * max(size, 1) + response).unique(return_counts=True)
    edge_index = torch.stack([key // max(size, 1), key % max(size, 1)])
    return edge_index, count.to(torch.get_default_dtype())


def _normalize(edge_index: Tensor, count: Tensor, sizes: tuple[int, int]) -> Tensor:
    """Counts over the root of both degrees; every edge has a positive count."""
    product = count.new_ones(())
    for index, size in zip(edge_index, sizes, strict=True):
        degree = count.new_zeros(size).index_add_(0, index, count)
        product = product * degree[index]
    return count / product.sqrt()
