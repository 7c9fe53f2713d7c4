"""A pool of pairs with attributes, and users who weigh the attributes."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from graphlab.errors import ArgumentError
from graphlab.nn._checks import require_whole
from graphlab.preference.data.draw import draw_pairs
from graphlab.preference.data.split import PreferenceSplit, pair_table

POPULATION = 1000  # users by whom it is judged what is controversial
MARGIN = 0.1


@dataclass(frozen=True)
class PairPool:
    r"""Pairs of responses to choose from, with their differences in some attributes.

    A user with weights :math:`a` prefers the first response where
    :math:`\langle a, d \rangle > 0`, tosses a coin at 0.

    Args:
        first: Ids of the first responses.
        second: Ids of the second.
        differences: By how much the first is better, (pairs, attributes).
        held_out: Pairs of new responses.
        texts: Prompt and text of each response, or :obj:`None`.
    """

    first: np.ndarray
    second: np.ndarray
    differences: np.ndarray
    held_out: np.ndarray
    texts: pd.DataFrame | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.first)

    def sample(
        self,
        weights: np.ndarray,
        num_unseen: int,
        num_annotations: int,
        *,
        num_test: int = 50,
        num_new: int = 0,
        average: bool = False,
        noise: float = 0.0,
        noisy_test: bool = True,
        groups: np.ndarray | None = None,
        generator: np.random.Generator,
    ) -> PreferenceSplit:
        """Let users annotate pairs.

        Args:
            weights: Weights of all users, (users, attributes), unseen users last.
            num_unseen: How many of them are unseen.
            num_annotations: Pairs a user annotates; the last of a seen user is for
                validation.
            num_test: Further pairs a user is tested on.
            num_new: And further pairs of new responses.
            average: The AVG setting of CoPL: a seen user annotates 1 to
                ``2 * num_annotations - 1`` pairs, uniformly, and has one for validation
                only if there are at least ``num_annotations``.
            noise: Share of labels that are flipped.
            noisy_test: Whether this holds for test pairs as well.
            groups: Group of each user, to keep.
            generator: Source of randomness.

        Raises:
            ArgumentError: If a number is not accepted or there are too few pairs.
        """
        for name in ("num_test", "num_new", "num_unseen"):
            require_whole(name, locals()[name], 0)
        require_whole("num_annotations", num_annotations, 2)
        if not 0 <= noise <= 0.5:
            raise ArgumentError(f"noise must lie in [0, 0.5], got {noise!r}")
        total = len(weights)
        if not num_unseen < total:
            raise ArgumentError(
                f"num_unseen must be less than the number of users, {total:,}, got "
                f"{num_unseen:,}"
            )
        seen = total - num_unseen
        most = 2 * num_annotations - 1 if average else num_annotations
        open_, new = np.flatnonzero(~self.held_out), np.flatnonzero(self.held_out)
        drawn = open_[draw_pairs(generator, total, len(open_), most + num_test)]
        fresh = new[draw_pairs(generator, total, len(new), num_new)]
        given = np.full(total, num_annotations)
        if average:
            given[:seen] = generator.integers(1, 2 * num_annotations, size=seen)
        label = _Labels(self, weights, noise, generator)
        place, user = np.arange(most), np.arange(total)[:, None]
        has_val = (given >= num_annotations) & (user[:, 0] < seen)
        graph = place < (given - has_val)[:, None]
        val = (place == given[:, None] - 1) & has_val[:, None]
        context = label.table(user, drawn[:, :most], graph)
        test = label.table(user, drawn[:, most:], noisy=noisy_test)
        later = label.table(user, fresh, noisy=noisy_test)
        known = np.unique(np.concatenate([self.first[open_], self.second[open_]]))
        return PreferenceSplit(
            context=_of(context, 0, seen),
            val=label.table(user, drawn[:, :most], val),
            test=_of(test, 0, seen),
            adapt=_of(context, seen, total),
            unseen_test=_of(test, seen, total),
            new_test=_of(later, 0, seen),
            unseen_new_test=_of(later, seen, total),
            users=pd.RangeIndex(seen),
            unseen_users=pd.RangeIndex(seen, total),
            responses=pd.Index(known),
            texts=self.texts,
            groups=None if groups is None else pd.Series(groups, name="group"),
        )

    def controversial(
        self, weights: np.ndarray, generator: np.random.Generator
    ) -> np.ndarray:
        """Pairs of which 40 to 60 % of the users prefer either response."""
        kinds, count = np.unique(weights, axis=0, return_counts=True)
        if len(kinds) > POPULATION:
            some = generator.choice(len(weights), POPULATION, replace=False)
            kinds, count = weights[some], np.ones(POPULATION)
        prefer = (np.sign(self.differences @ kinds.T) + 1) / 2
        return np.abs(prefer @ count / count.sum() - 0.5) <= MARGIN + 1e-9


class _Labels:
    """Who prefers what, noise included."""

    def __init__(self, pool: PairPool, weights, noise, generator):
        self.pool, self.weights = pool, weights
        self.noise, self.generator = noise, generator
        self.controversial = pool.controversial(weights, generator)

    def table(self, user, pairs, keep=None, noisy: bool = True) -> pd.DataFrame:
        user = np.broadcast_to(user, pairs.shape)
        keep = np.ones(pairs.shape, dtype=bool) if keep is None else keep
        user, pairs = user[keep], pairs[keep]
        worth = (self.weights[user] * self.pool.differences[pairs]).sum(1)
        coin = self.generator.random(len(pairs)) < 0.5
        prefers = np.where(worth == 0, coin, worth > 0)
        flips = self.generator.random(len(pairs)) < (self.noise if noisy else 0)
        prefers = prefers ^ flips
        first, second = self.pool.first[pairs], self.pool.second[pairs]
        winner, loser = (
            np.where(prefers, first, second),
            np.where(prefers, second, first),
        )
        return pair_table(user, winner, loser, self.controversial[pairs])


def _of(table: pd.DataFrame, start: int, stop: int) -> pd.DataFrame:
    """The rows of a range of users, numbered anew."""
    mask = (table["user"] >= start) & (table["user"] < stop)
    return table[mask].reset_index(drop=True)
