"""How many pairs are put in the right order, and how sure that is over users."""

from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from graphlab.errors import ArgumentError

DRAWS = 1000


@dataclass(frozen=True)
class PairwiseAccuracy:
    """Share of pairs in the right order; NaN where there is no pair.

    Args:
        accuracy: Of all pairs; a tie counts as half.
        low: Lower end of the 95 % bootstrap interval over users; NaN below two users.
        high: Upper end.
        macro: Mean of the users' own accuracies.
        controversial: Of pairs about which users disagree; NaN if not told which.
        common: Of the other pairs.
        num_pairs: Number of pairs.
        num_users: Number of users with a pair.
        ties: Pairs whose two responses score the same.
        correct: Correct pairs of each user, ties as half, in the order of their rows.
        count: Pairs of each user.
    """

    accuracy: float
    low: float
    high: float
    macro: float
    controversial: float
    common: float
    num_pairs: int
    num_users: int
    ties: int
    correct: np.ndarray = field(repr=False)
    count: np.ndarray = field(repr=False)


def pairwise_accuracy(
    margin: Tensor,
    user: Tensor,
    controversial: Tensor | np.ndarray | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> PairwiseAccuracy:
    r"""Accuracy on pairs, from the margins of the preferred response.

    .. math::
        \frac{1}{|\mathcal{T}|} \sum_{(u, w, l) \in \mathcal{T}} \left(
        \mathbb{1}[m_{uwl} > 0] + \tfrac{1}{2} \mathbb{1}[m_{uwl} = 0] \right), \qquad
        m_{uwl} = s(u, w) - s(u, l)

    Pairs of a user depend on each other; the interval therefore draws users with all
    their pairs, with replacement (percentile bootstrap).

    Args:
        margin: Margins, e.g. of :meth:`PreferenceVectors.margin`.
        user: Row of the user of each pair.
        controversial: Which pairs are controversial, or :obj:`None`.
        draws: Bootstrap samples.
        seed: Seed of these.

    Shapes:
        - **margin, user, controversial:** :math:`(|\mathcal{T}|)`

    Raises:
        ArgumentError: If shapes differ or a margin is NaN.

    Example:
        >>> score = pairwise_accuracy(
        ...     torch.tensor([1.0, -1.0, 2.0]), torch.tensor([0, 0, 1]))
        >>> round(score.accuracy, 3), score.macro
        (0.667, 0.75)
    """
    margin = _array("margin", margin, None).astype(float)
    user = _array("user", user, margin)
    if np.isnan(margin).any():
        raise ArgumentError(
            f"margin must be numbers, got NaN for {int(np.isnan(margin).sum()):,} of "
            f"{len(margin):,} pairs"
        )
    right = (np.sign(margin) + 1) / 2
    rows = np.unique(user, return_inverse=True)[1]
    count = np.bincount(rows).astype(float)
    correct = np.bincount(rows, weights=right)
    low, high = bootstrap_over_users(correct, count, draws, seed)
    parts = {"controversial": float("nan"), "common": float("nan")}
    if controversial is not None:
        mask = _array("controversial", controversial, margin).astype(bool)
        parts = {"controversial": _mean(right[mask]), "common": _mean(right[~mask])}
    return PairwiseAccuracy(
        accuracy=_mean(right),
        low=low,
        high=high,
        macro=_mean(correct / count) if len(count) else float("nan"),
        num_pairs=len(right),
        num_users=len(count),
        ties=int((margin == 0).sum()),
        correct=correct,
        count=count,
        **parts,
    )


def bootstrap_over_users(
    correct: np.ndarray, count: np.ndarray, draws: int = DRAWS, seed: int = 0
) -> tuple[float, float]:
    """The 95 % percentile interval of correct over count when users are drawn anew.

    Args:
        correct: Correct pairs of each user, or differences of two models in them.
        count: Pairs of each user.
        draws: Bootstrap samples.
        seed: Seed of these.

    Returns:
        Lower and upper end; NaN below two users.
    """
    if len(count) < 2:
        return float("nan"), float("nan")
    generator = np.random.default_rng(seed)
    both = np.stack([correct, count], 1)
    shares = np.empty(draws)
    for draw in range(draws):
        chosen = generator.integers(len(count), size=len(count))
        times = np.bincount(chosen, minlength=len(count))
        good, all_ = times @ both
        shares[draw] = good / all_
    low, high = np.quantile(shares, [0.025, 0.975])
    return float(low), float(high)


def _array(name: str, values: Tensor | np.ndarray, like) -> np.ndarray:
    values = values.detach().cpu().numpy() if isinstance(values, Tensor) else values
    values = np.asarray(values)
    if values.ndim != 1 or (like is not None and len(values) != len(like)):
        wanted = "one value per pair" if like is None else f"shape ({len(like)})"
        raise ArgumentError(f"{name} must have {wanted}, got shape {values.shape}")
    return values


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")
