import numpy as np
import pandas as pd
import pytest

from graphlab.errors import ArgumentError
from graphlab.preference import split_users


def table(num_users=40, num_pairs=12, num_responses=25, seed=0):
    generator = np.random.default_rng(seed)
    user = np.repeat([f"u{i}" for i in range(num_users)], num_pairs)
    winner = generator.integers(0, num_responses, len(user))
    loser = (winner + generator.integers(1, num_responses, len(user))) % num_responses
    return pd.DataFrame({"user": user, "winner": winner, "loser": loser, "extra": 1})


PARTS = (
    "context",
    "val",
    "test",
    "adapt",
    "unseen_test",
    "new_test",
    "unseen_new_test",
)


def test_every_pair_is_in_one_part_or_on_the_border():
    pairs = table()
    split = split_users(pairs, 0.25, 0.2)
    parts = [getattr(split, name) for name in PARTS]
    together = pd.concat(parts).drop(columns="controversial")
    new = ~pd.Index(range(25)).isin(split.responses)
    border = new[pairs["winner"]] != new[pairs["loser"]]
    key = ["user", "winner", "loser"]
    expected = pairs.loc[~border, key].sort_values(key).reset_index(drop=True)
    got = together[key].sort_values(key).reset_index(drop=True)
    pd.testing.assert_frame_equal(got, expected)
    assert new.sum() == 5 and len(split.unseen_users) == 10


def test_parts_hold_who_and_what_they_say():
    split = split_users(table(), 0.25, 0.2)
    seen, unseen = set(split.users), set(split.unseen_users)
    known = set(split.responses)
    assert len(seen) == 30 and not seen & unseen
    for name in PARTS:
        part = getattr(split, name)
        strangers = name.startswith(("unseen", "adapt"))
        assert set(part["user"]) <= (unseen if strangers else seen), name
        responses = set(part["winner"]) | set(part["loser"])
        assert not responses & known if "new" in name else responses <= known, name
        assert len(part), name


def test_numbers_of_pairs():
    split = split_users(table(), 0.25, num_annotations=5, num_val=2, num_test=3)
    for name, count in dict(context=3, val=2, test=3, adapt=5, unseen_test=3).items():
        assert (getattr(split, name).groupby("user").size() == count).all(), name
    split = split_users(table(), 0.25, test_share=0.5)
    assert (split.test.groupby("user").size() == 6).all()
    assert (split.context.groupby("user").size() == 5).all()


def test_a_user_with_one_pair_gives_it():
    pairs = pd.concat([table(5), pd.DataFrame([dict(user="x", winner=0, loser=1)])])
    split = split_users(pairs, 0.0, num_val=3)
    assert "x" in set(split.context["user"]) and "x" not in set(split.val["user"])
    assert split.graph().num_users == 6


def test_the_seed_decides_and_flags_are_kept():
    pairs = table().assign(controversial=lambda t: t["winner"] < 10)
    one, same, other = (split_users(pairs, seed=seed) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(one.context, same.context)
    assert not one.context.equals(other.context)
    assert (one.test["controversial"] == (one.test["winner"] < 10)).all()
    assert not split_users(table()).test["controversial"].any()


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (dict(unseen_users=1.0), "unseen_users must lie in"),
        (dict(new_responses=-0.1), "new_responses must lie in"),
        (dict(num_annotations=0), "num_annotations must be"),
        (dict(num_val=-1), "num_val must be"),
    ],
)
def test_bad_arguments(arguments, match):
    with pytest.raises(ArgumentError, match=match):
        split_users(table(), **arguments)


def test_nothing_left():
    with pytest.raises(ArgumentError, match="no pair of a seen user"):
        split_users(table(2, 1, 2), 0.0, 0.5)
