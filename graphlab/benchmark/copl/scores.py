"""Accuracy on tables of pairs, as it is kept and shown."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

#: What is said of a table of pairs.
FIGURES = ("accuracy", "low", "high", "macro", "controversial", "common")
_BY_USER = ("correct", "count")


def pair_scores(
    margin, user, table: "pd.DataFrame", figures: Sequence[str] = FIGURES
) -> dict[str, Any]:
    """Accuracy on a table of pairs with the interval over users, JSON-able.

    Args:
        margin: By how much each winner is ahead.
        user: The row of each pair's user.
        table: The pairs.
        figures: What to say of them, beside numbers of pairs and users and the counts
            of each user.
    """
    from graphlab.preference import pairwise_accuracy

    one = pairwise_accuracy(margin, user, table["controversial"].to_numpy())
    return {key: getattr(one, key) for key in figures} | {
        "pairs": one.num_pairs,
        "users": one.num_users,
        "correct": one.correct.tolist(),
        "count": one.count.tolist(),
    }


def without_counts(scores: dict[str, Any]) -> dict[str, Any]:
    """Scores without the counts of single users."""
    return {key: value for key, value in scores.items() if key not in _BY_USER}


def over_seeds(parts: Sequence[dict[str, Any]]) -> tuple[float, float, float]:
    """Mean accuracy, and the bootstrap interval over the users of all seeds.

    Args:
        parts: The scores of each seed.
    """
    import numpy as np

    from graphlab.benchmark.stats import mean
    from graphlab.preference import bootstrap_over_users

    correct = np.concatenate([one["correct"] for one in parts])
    count = np.concatenate([one["count"] for one in parts])
    return mean([one["accuracy"] for one in parts]), *bootstrap_over_users(
        correct, count
    )
