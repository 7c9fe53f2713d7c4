"""Splits of a table of pairs into seen and unseen users, seen and new responses."""

import numpy as np
import pandas as pd

from graphlab.errors import ArgumentError
from graphlab.nn._checks import require_whole
from graphlab.preference.data.split import COLUMNS, PreferenceSplit
from graphlab.preference.ids import factorize
from graphlab.preference.tables import read_table


def split_users(
    pairs: pd.DataFrame,
    unseen_users: float = 0.2,
    new_responses: float = 0.0,
    *,
    num_annotations: int | None = None,
    num_val: int = 1,
    num_test: int | None = None,
    test_share: float = 0.3,
    seed: int = 0,
) -> PreferenceSplit:
    """Split a table of pairs by users and by responses.

    A random share of the users is unseen and a random share of the responses new. Pairs
    of two new responses are tests of these; pairs of one new response are left out.
    The other pairs of each user are shuffled: the first are given, the last of those of
    a seen user are for validation, and what follows is for testing. Users with a single
    pair give it.

    Args:
        pairs: A table with the columns ``user``, ``winner``, ``loser``; a column
            ``controversial`` is kept, without it no pair is.
        unseen_users: Share of users, at least 0 and less than 1.
        new_responses: Share of responses, likewise.
        num_annotations: Most pairs a user gives; by default what is not for testing.
        num_val: Pairs of a seen user for validation, taken from those given as long as
            one is left for the graph.
        num_test: Most pairs a user is tested on; by default all that are left.
        test_share: Share of a user's pairs for testing where ``num_annotations`` does
            not say.
        seed: Seed.

    Raises:
        ArgumentError: If a column is missing, a value out of range, or nothing is left
            for the graph.

    Example:
        >>> table = pd.DataFrame({
        ...     "user": [u for u in "abcde" for _ in range(4)],
        ...     "winner": [0, 1, 2, 3] * 5, "loser": [1, 2, 3, 0] * 5})
        >>> split = split_users(table, unseen_users=0.4, num_annotations=3)
        >>> len(split.context), len(split.val), len(split.test), len(split.adapt)
        (6, 3, 3, 6)
    """
    pairs = read_table(pairs, COLUMNS).reset_index(drop=True)
    for name in ("unseen_users", "new_responses", "test_share"):
        if not 0 <= locals()[name] < 1:
            raise ArgumentError(f"{name} must lie in [0, 1), got {locals()[name]!r}")
    require_whole("num_val", num_val, 0)
    for name, least in (("num_annotations", 1), ("num_test", 0)):
        if locals()[name] is not None:
            require_whole(name, locals()[name], least)
    if "controversial" not in pairs:
        pairs = pairs.assign(controversial=False)
    generator = np.random.default_rng(seed)
    user, users = factorize("user", pairs["user"])
    both = pd.concat([pairs["winner"], pairs["loser"]], ignore_index=True)
    response, responses = factorize("response", both)
    unseen = _some(len(users), unseen_users, generator)
    new = _some(len(responses), new_responses, generator)
    number_new = new[response].reshape(2, -1).sum(0)
    old = np.flatnonzero(number_new == 0)
    order = old[generator.permutation(len(old))]
    place = pd.Series(user[order]).groupby(user[order]).cumcount().to_numpy()
    total = np.bincount(user[order], minlength=len(users))
    given = total - (total * test_share).astype(int)
    if num_annotations is not None:
        given = np.minimum(total, num_annotations)
    val = np.where(unseen, 0, np.minimum(num_val, np.maximum(given - 1, 0)))
    mine, stranger = user[order], unseen[user[order]]
    in_graph = place < (given - val)[mine]
    last = place - given[mine]
    is_test = last >= 0 if num_test is None else (last >= 0) & (last < num_test)
    is_val = ~in_graph & (last < 0)
    fresh = np.flatnonzero(number_new == 2)
    stranger_fresh = unseen[user[fresh]]

    def rows(index: np.ndarray) -> pd.DataFrame:
        return pairs.loc[np.sort(index), [*COLUMNS, "controversial"]].reset_index(
            drop=True
        )

    context = rows(order[in_graph & ~stranger])
    if not len(context):
        raise ArgumentError("pairs: no pair of a seen user and two seen responses")
    return PreferenceSplit(
        context=context,
        val=rows(order[is_val & ~stranger]),
        test=rows(order[is_test & ~stranger]),
        adapt=rows(order[in_graph & stranger]),
        unseen_test=rows(order[is_test & stranger]),
        new_test=rows(fresh[~stranger_fresh]),
        unseen_new_test=rows(fresh[stranger_fresh]),
        users=users[~unseen],
        unseen_users=users[unseen],
        responses=responses[~new],
    )


def _some(count: int, share: float, generator: np.random.Generator) -> np.ndarray:
    """A mask of that share, rounded, but never of all."""
    chosen = generator.permutation(count)[: min(round(share * count), count - 1)]
    return np.isin(np.arange(count), chosen)
