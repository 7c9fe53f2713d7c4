import numpy as np
import pandas as pd
import pytest

from graphlab.errors import ArgumentError
from graphlab.preference import SyntheticGroups


def small(**changes):
    settings = dict(num_prompts=80, num_users=60, num_unseen=20, num_test=30)
    return SyntheticGroups(**{**settings, **changes}).split()


def opinions(split):
    """Who prefers the first response of a prompt: one column a group."""
    tables = [split.context, split.val, split.test, split.adapt, split.unseen_test]
    table = pd.concat(tables, ignore_index=True)
    assert (table["winner"] // 2 == table["loser"] // 2).all()  # one prompt
    table = table.assign(
        prompt=table["winner"] // 2,
        first=table["winner"] < table["loser"],
        group=split.groups.to_numpy()[table["user"]],
    )
    return table


def test_users_of_a_group_agree_without_noise():
    table = opinions(small())
    agreed = table.groupby(["prompt", "group"])["first"].nunique()
    assert (agreed == 1).all()


def test_controversial_is_where_two_groups_differ():
    table = opinions(small())
    by_group = table.pivot_table(index="prompt", columns="group", values="first")
    flag = table.groupby("prompt")["controversial"].agg(["min", "max"])
    assert (flag["min"] == flag["max"]).all()
    known = by_group.dropna().index
    differ = by_group.loc[known, 0] != by_group.loc[known, 1]
    assert (differ == flag.loc[known, "max"]).all() and 0.3 < differ.mean() < 0.7


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_share_of_common_prompts(share):
    split = small(num_prompts=2000, common_share=share, num_test=100)
    common = 1 - split.test["controversial"].mean()
    assert abs(common - share) < 0.03


def test_four_groups_never_all_agree_and_are_controversial_two_to_two():
    split = SyntheticGroups.preset(
        "uf4-1000", num_prompts=100, num_users=200, num_unseen=8, num_test=80
    ).split()
    table = opinions(split)
    by_group = table.pivot_table(index="prompt", columns="group", values="first")
    count = by_group.dropna().sum(axis=1)
    assert set(count) == {1, 2, 3}
    flag = table.groupby("prompt")["controversial"].max()
    assert (flag.loc[count.index] == (count == 2)).all()


def test_users_annotate_different_prompts_and_are_tested_on_others():
    split = small()
    parts = [(split.context, split.val, split.test), (split.adapt, split.unseen_test)]
    for tables in parts:
        table = pd.concat(tables)
        assert (
            not table.assign(prompt=table["winner"] // 2)
            .duplicated(["user", "prompt"])
            .any()
        )
    assert (split.context.groupby("user").size() == 7).all()
    assert (split.val.groupby("user").size() == 1).all()
    assert (split.adapt.groupby("user").size() == 8).all()
    assert set(split.context["user"]) == set(split.users) == set(range(60))
    assert set(split.adapt["user"]) == set(split.unseen_users) == set(range(60, 80))


def test_prompts_are_drawn_uniformly():
    split = small(num_users=4000, num_unseen=1)
    for table in (split.context, split.val, split.test):
        count = np.bincount(table["winner"] // 2, minlength=80)
        expected = len(table) / 80
        assert abs(count - expected).max() < 6 * np.sqrt(expected)


@pytest.mark.parametrize("noisy_test", [True, False])
def test_noise_flips_its_share_of_the_labels(noisy_test):
    clean = small(num_users=500)
    noisy = small(num_users=500, noise=0.15, noisy_test=noisy_test)
    for name, share in (("context", 0.15), ("test", 0.15 * noisy_test)):
        one, other = getattr(clean, name), getattr(noisy, name)
        assert (one["user"] == other["user"]).all()
        low, high = (t[["winner", "loser"]].min(axis=1) for t in (one, other))
        assert (low == high).all()  # the same pairs
        flipped = (one["winner"] != other["winner"]).mean()
        assert abs(flipped - share) < 0.02


def test_groups_have_equal_sizes_among_seen_and_unseen_users():
    split = small(num_groups=4)
    assert split.groups[:60].value_counts().tolist() == [15] * 4
    assert split.groups[60:].value_counts().tolist() == [5] * 4
    assert not (split.groups[:8] == np.arange(8) % 4).all()  # in random order


def test_the_seed_decides():
    one, same, other = small(seed=3), small(seed=3), small(seed=4)
    pd.testing.assert_frame_equal(one.context, same.context)
    pd.testing.assert_frame_equal(one.unseen_test, same.unseen_test)
    assert not one.context.equals(other.context)


def test_new_responses_stay_out_of_the_graph():
    split = small(new_prompts=10, num_new=5)
    assert len(split.responses) == 160
    assert len(split.new_test) == 300 and len(split.unseen_new_test) == 100
    assert split.new_test[["winner", "loser"]].min(axis=None) >= 160
    graph = split.graph()
    assert graph.num_nodes == (60, 160)
    with pytest.raises(ArgumentError, match="response must be one of the 160"):
        graph.rows(split.new_test)


def test_the_average_setting():
    split = small(average=True, num_users=3000, num_prompts=100)
    count = split.context.groupby("user").size().reindex(split.users, fill_value=0)
    with_val = split.val.groupby("user").size()
    assert (with_val == 1).all()
    total = count.add(with_val, fill_value=0)
    assert set(total) == set(range(1, 16))
    assert (total[with_val.index] >= 8).all()
    assert (total.drop(with_val.index) < 8).all()
    assert abs(total.mean() - 8) < 0.3
    assert (split.adapt.groupby("user").size() == 8).all()


@pytest.mark.parametrize("name", ["uf2-200", "uf2-1000", "uf2-4000", "uf4-1000"])
def test_presets(name):
    split = SyntheticGroups.preset(name, num_users=40, num_unseen=4).split()
    given = 15 if name == "uf4-1000" else 7
    prompts = int(name.rsplit("-", 1)[1])
    assert len(split.context) == 40 * given
    assert split.responses.tolist() == list(range(2 * prompts))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        (dict(num_groups=1), "num_groups must be a whole number >= 2"),
        (dict(common_share=1.5), "common_share must lie in"),
        (dict(noise=0.6), "noise must lie in"),
        (dict(num_annotations=1), "num_annotations must be a whole number >= 2"),
        (dict(num_test=80), "each user shall get 88 different pairs, but there are 80"),
        (dict(num_new=1), "each user shall get 1 different pairs, but there are 0"),
        (dict(num_unseen=-1), "num_unseen must be"),
    ],
)
def test_bad_settings(changes, match):
    with pytest.raises(ArgumentError, match=match):
        small(**changes)
    with pytest.raises(ArgumentError, match="must be one of 'uf2-200'"):
        SyntheticGroups.preset("uf8")
