"""Seen and unseen users, seen and new responses: the tables of one experiment."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from graphlab.preference.graph import PreferenceGraph

COLUMNS = ["user", "winner", "loser"]


@dataclass(frozen=True)
class PreferenceSplit:
    """Pairs of seen and unseen users on seen and new responses.

    All tables have the columns ``user``, ``winner``, ``loser`` (ids) and
    ``controversial``. An unseen user has no pair in the graph, a new response neither;
    models of ids cannot score the latter, models of texts can.

    Args:
        context: Pairs of seen users that make the graph.
        val: Further pairs of theirs, to choose a model by.
        test: And to test it.
        adapt: Pairs of unseen users from which they get a vector.
        unseen_test: Pairs of unseen users for testing.
        new_test: Pairs of seen users on new responses.
        unseen_new_test: Pairs of unseen users on new responses.
        users: Ids of the seen users.
        unseen_users: Ids of the others.
        responses: Ids of the responses in the graph, whether a pair has them or not.
        texts: Prompt and text of each response, or :obj:`None`.
        groups: The group of each user, or :obj:`None`.
    """

    context: pd.DataFrame = field(repr=False)
    val: pd.DataFrame = field(repr=False)
    test: pd.DataFrame = field(repr=False)
    adapt: pd.DataFrame = field(repr=False)
    unseen_test: pd.DataFrame = field(repr=False)
    new_test: pd.DataFrame = field(repr=False)
    unseen_new_test: pd.DataFrame = field(repr=False)
    users: pd.Index = field(repr=False)
    unseen_users: pd.Index = field(repr=False)
    responses: pd.Index = field(repr=False)
    texts: pd.DataFrame | None = field(default=None, repr=False)
    groups: pd.Series | None = field(default=None, repr=False)

    def graph(self, **kwargs: Any) -> PreferenceGraph:
        """The graph of the seen users' context.

        Args:
            **kwargs: Arguments of :meth:`PreferenceGraph.from_pairs`.
        """
        ids = dict(user_ids=self.users, response_ids=self.responses)
        return PreferenceGraph.from_frame(self.context, **ids, **kwargs)

    def __str__(self) -> str:
        return (
            f"{len(self.users):,} seen users with {len(self.context):,} pairs (and "
            f"{len(self.val):,} for validation, {len(self.test):,} for testing), "
            f"{len(self.unseen_users):,} unseen users, {len(self.responses):,} "
            "responses"
        )


def pair_table(user, winner, loser, controversial) -> pd.DataFrame:
    """A table of pairs from flat arrays."""
    return pd.DataFrame(
        {
            "user": np.ravel(user),
            "winner": np.ravel(winner),
            "loser": np.ravel(loser),
            "controversial": np.ravel(controversial).astype(bool),
        }
    )
