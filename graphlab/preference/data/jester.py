"""Jester: what 5,000 people think of 100 jokes."""

from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from graphlab.errors import ArgumentError
from graphlab.nn._checks import require_whole
from graphlab.preference.data.draw import draw_pairs
from graphlab.preference.data.local_files import find_folder, read_verified
from graphlab.preference.data.pool import MARGIN
from graphlab.preference.data.split import PreferenceSplit, pair_table

HASHES = {
    "ratings.parquet": (
        "3838add07b713afd3c60c89d7e1557b72fd8e06faa773460dbee49aad120dfde"
    ),
    "items.parquet": "3f6d64173423e1cb2033bfee794dfe9acb2f0d8eec89e861f4841d7ad814d595",
}
HINT = (
    "it holds ratings.parquet (user, item, rating) and items.parquet (item, text) made "
    "from data/Jester5k.rda of https://github.com/mhahsler/recommenderlab"
)


class Jester5k:
    r"""The Jester5k sample: 5,000 users, 100 jokes, 363,209 ratings.

    From `"Eigentaste: A Constant Time Collaborative Filtering Algorithm"
    <https://doi.org/10.1023/A:1011419012209>`_, whose authors ask to be cited by those
    who use the data; the sample is that of the R package recommenderlab. A user prefers
    the joke with the higher rating; equal ratings make no pair. Some jokes are crude.

    Over all pairs of jokes the majority is right for 61.7 % of users: the room for
    personalization is small.

    Args:
        data_root: Folder with ``preferences/jester5k/``; else the environment's
            ``GRAPHLAB_DATA``. The files' SHA-256 are checked.

    Raises:
        DatasetError: If the files are absent or not the expected ones.
    """

    def __init__(self, data_root: str | Path | None = None):
        folder = find_folder("jester5k", data_root, HINT)
        tables = {
            name: read_verified(folder / name, digest, HINT)
            for name, digest in HASHES.items()
        }
        ratings, items = tables["ratings.parquet"], tables["items.parquet"]
        self.ratings = np.full((5000, 100), np.nan)
        self.ratings[ratings["user"], ratings["item"]] = ratings["rating"]
        self.texts = pd.DataFrame({"response": items["item"], "text": items["text"]})

    @cached_property
    def pairs(self) -> np.ndarray:
        """All 4,950 pairs of jokes."""
        return np.stack(np.triu_indices(self.ratings.shape[1], 1), 1)

    @cached_property
    def controversial(self) -> np.ndarray:
        """Pairs of jokes of which 40 to 60 % of those who rated both prefer either."""
        out = np.empty(len(self.pairs), dtype=bool)
        for item in range(self.ratings.shape[1] - 1):  # a hundred columns at a time
            mine = self.pairs[:, 0] == item
            others = self.ratings[:, self.pairs[mine, 1]]
            difference = self.ratings[:, item, None] - others
            more, less = (difference > 0).sum(0), (difference < 0).sum(0)
            share = more / np.maximum(more + less, 1)
            out[mine] = np.abs(share - 0.5) <= MARGIN
        return out

    def split(
        self,
        num_users: int = 4000,
        num_unseen: int = 998,
        num_annotations: int = 8,
        num_test: int = 50,
        *,
        item_disjoint: bool = False,
        new_items: int = 0,
        num_new: int = 0,
        seed: int = 0,
    ) -> PreferenceSplit:
        """Draw users, and pairs of jokes for each.

        Users who make too few pairs are not drawn: two rated all jokes alike.

        Args:
            num_users: Number of seen users.
            num_unseen: Number of unseen users.
            num_annotations: Pairs each user annotates; the last of a seen user is for
                validation.
            num_test: Further pairs each user is tested on.
            item_disjoint: Whether a user is tested on jokes alone that none of the
                user's annotations has: half of the jokes a user rated are for one,
                half for the other.
            new_items: Jokes that the graph does not know.
            num_new: Test pairs of each user among these.
            seed: Seed of everything.

        Raises:
            ArgumentError: If there are not that many users or pairs.
        """
        require_whole("num_users", num_users, 1)
        require_whole("num_annotations", num_annotations, 2)
        for name in ("num_unseen", "num_test", "new_items", "num_new"):
            require_whole(name, locals()[name], 0)
        generator = np.random.default_rng(seed)
        order = generator.permutation(len(self.ratings))
        is_new = np.isin(np.arange(100), generator.permutation(100)[:new_items])
        rated = ~np.isnan(self.ratings[order])
        old, new = rated & ~is_new, rated & is_new
        parts = [(old, num_annotations + num_test), (new, num_new)]
        if item_disjoint:
            half = _halves(old, generator)
            parts = [(half, num_annotations), (old & ~half, num_test), (new, num_new)]
        enough = np.ones(len(order), dtype=bool)
        for allowed, count in parts:
            enough &= self._count(order, allowed) >= count
        chosen = np.flatnonzero(enough)[: num_users + num_unseen]
        if len(chosen) < num_users + num_unseen:
            raise ArgumentError(
                f"num_users and num_unseen must be at most {len(chosen):,} together, "
                f"the users with enough pairs, got {num_users + num_unseen:,}"
            )
        people = order[chosen]
        draw = _Draw(self, people, generator)
        *drawn, fresh = (draw(count, allowed[chosen]) for allowed, count in parts)
        both = np.concatenate(drawn, 1)
        given, tested = both[:, :num_annotations], both[:, num_annotations:]
        seen, unseen = slice(num_users), slice(num_users, None)
        return PreferenceSplit(
            context=draw.table(seen, given[:, :-1]),
            val=draw.table(seen, given[:, -1:]),
            test=draw.table(seen, tested),
            adapt=draw.table(unseen, given),
            unseen_test=draw.table(unseen, tested),
            new_test=draw.table(seen, fresh),
            unseen_new_test=draw.table(unseen, fresh),
            users=pd.Index(people[seen]),
            unseen_users=pd.Index(people[unseen]),
            responses=pd.Index(np.flatnonzero(~is_new)),
            texts=self.texts,
        )

    def _count(self, people: np.ndarray, allowed: np.ndarray) -> np.ndarray:
        """How many pairs users make of the jokes allowed to them."""
        ratings = np.sort(np.where(allowed, self.ratings[people], np.nan), 1)
        number = allowed.sum(1)
        # Sorted, equal ratings follow each other: count those before each one.
        same = ratings[:, 1:] == ratings[:, :-1]
        before = np.zeros(len(people), dtype=np.int64)
        ties = np.zeros(len(people), dtype=np.int64)
        for column in same.T:
            before = np.where(column, before + 1, 0)
            ties += before
        return number * (number - 1) // 2 - ties


class _Draw:
    """Pairs for users, among jokes allowed to them."""

    def __init__(self, data: Jester5k, people: np.ndarray, generator):
        self.pairs, self.controversial = data.pairs, data.controversial
        self.people, self.generator = people, generator
        self.ratings = data.ratings[people]

    def __call__(self, count: int, allowed: np.ndarray) -> np.ndarray:
        first, second = self.pairs.T

        def valid(some: slice) -> np.ndarray:
            ratings, mine = self.ratings[some], allowed[some]
            different = ratings[:, first] != ratings[:, second]
            return mine[:, first] & mine[:, second] & different

        sizes = len(self.people), len(self.pairs), count
        return draw_pairs(self.generator, *sizes, valid)

    def table(self, some: slice, chosen: np.ndarray) -> pd.DataFrame:
        chosen, ratings = chosen[some], self.ratings[some]
        first, second = self.pairs[chosen].transpose(2, 0, 1)
        rows = np.arange(len(chosen))[:, None]
        prefers = ratings[rows, first] > ratings[rows, second]
        user = np.broadcast_to(self.people[some][:, None], chosen.shape)
        winner, loser = (
            np.where(prefers, first, second),
            np.where(prefers, second, first),
        )
        return pair_table(user, winner, loser, self.controversial[chosen])


def _halves(allowed: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A random half of the allowed items of each user, the smaller if odd."""
    keys = np.where(allowed, generator.random(allowed.shape), np.inf)
    rank = keys.argsort(1).argsort(1)
    return allowed & (rank < allowed.sum(1, keepdims=True) // 2)
