import math

import numpy as np
import pytest
import torch

from graphlab.errors import ArgumentError
from graphlab.preference import bootstrap_over_users, pairwise_accuracy


def test_shares_by_hand():
    margin = torch.tensor([1.0, -2.0, 0.0, 3.0, -1.0])
    user = torch.tensor([7, 7, 7, 2, 2])
    score = pairwise_accuracy(margin, user, np.array([1, 1, 0, 0, 0], dtype=bool))
    assert score.accuracy == pytest.approx(2.5 / 5)
    assert score.macro == pytest.approx((1 / 2 + 1.5 / 3) / 2)
    assert score.controversial == pytest.approx(1 / 2)
    assert score.common == pytest.approx(1.5 / 3)
    assert (score.num_pairs, score.num_users, score.ties) == (5, 2, 1)
    assert score.correct.tolist() == [1.0, 1.5] and score.count.tolist() == [2, 3]


def test_the_mean_over_users_weighs_them_alike():
    margin = torch.tensor([1.0] * 9 + [-1.0])
    score = pairwise_accuracy(margin, torch.tensor([0] * 9 + [1]))
    assert (score.accuracy, score.macro) == (0.9, 0.5)
    assert math.isnan(score.common)


def test_the_interval_draws_users_not_pairs():
    """Pairs of a user are all right or all wrong: as many facts as users."""
    right = torch.arange(40) % 2
    user = torch.arange(40).repeat_interleave(100)
    score = pairwise_accuracy((right * 2.0 - 1).repeat_interleave(100), user)
    expected = 1.96 * 0.5 / math.sqrt(40)
    assert score.high - score.low == pytest.approx(2 * expected, rel=0.15)
    again = pairwise_accuracy((right * 2.0 - 1).repeat_interleave(100), user)
    assert (again.low, again.high) == (score.low, score.high)
    few = pairwise_accuracy((right * 2.0 - 1).repeat_interleave(100), user, draws=9)
    assert (few.low, few.high) != (score.low, score.high)


def test_one_user_has_no_interval():
    low, high = bootstrap_over_users(np.array([3.0]), np.array([4.0]))
    assert math.isnan(low) and math.isnan(high)


def test_no_pairs():
    score = pairwise_accuracy(torch.empty(0), torch.empty(0, dtype=torch.long))
    assert math.isnan(score.accuracy) and score.num_users == 0


def test_bad_input():
    one = torch.ones(2)
    with pytest.raises(ArgumentError, match="NaN for 1 of 2 pairs"):
        pairwise_accuracy(torch.tensor([float("nan"), 1]), one.long())
    with pytest.raises(ArgumentError, match=r"user must have shape \(2\)"):
        pairwise_accuracy(one, one[:1].long())
    with pytest.raises(ArgumentError, match="controversial must have shape"):
        pairwise_accuracy(one, one.long(), one[:1])
