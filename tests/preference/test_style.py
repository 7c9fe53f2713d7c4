import numpy as np
import pandas as pd
import pytest

from graphlab.errors import ArgumentError
from graphlab.preference import StylePreferences
from graphlab.preference.data.style_bank import STYLES, TOPICS


def made(**changes):
    settings = dict(num_prompts=80, num_users=40, num_unseen=10, new_prompts=40)
    return StylePreferences(**{**settings, **changes}).split()


def everything(split):
    tables = [split.context, split.val, split.test, split.new_test]
    return pd.concat(tables, ignore_index=True)


def text_by_response(split):
    return split.texts.set_index("response")


def topics_of(split, responses):
    prompts = text_by_response(split).loc[responses, "prompt"]
    return {topic for topic in TOPICS for each in prompts if topic in each}


def test_same_seed_same_texts_and_pairs():
    one, two, other = made(), made(), made(seed=1)
    pd.testing.assert_frame_equal(one.texts, two.texts)
    pd.testing.assert_frame_equal(everything(one), everything(two))
    assert not one.texts.equals(other.texts)


def test_every_response_has_a_text_and_the_two_of_a_prompt_differ():
    split = made()
    assert split.texts["response"].tolist() == list(range(240))
    answers = split.texts["answer"].to_numpy().reshape(-1, 2)
    assert (answers[:, 0] != answers[:, 1]).all()
    prompts = split.texts["prompt"].to_numpy().reshape(-1, 2)
    assert (prompts[:, 0] == prompts[:, 1]).all()
    for row in split.texts.itertuples():
        assert row.prompt in row.text and row.text.endswith(row.answer)


def test_new_prompts_are_about_other_topics():
    split = made()
    new = pd.unique(split.new_test[["winner", "loser"]].to_numpy().ravel())
    assert not set(new) & set(split.responses)
    old, fresh = topics_of(split, split.responses), topics_of(split, new)
    assert old and fresh and not old & fresh


def test_two_groups_disagree_on_every_style_and_agree_on_flaws():
    table = everything(made(common_share=0.5))
    group = made(common_share=0.5).groups.to_numpy()[table["user"]]
    table = table.assign(
        prompt=table["winner"] // 2, first=table["winner"] < table["loser"], group=group
    )
    sides = table.groupby(["prompt", "group"])["first"].agg(["min", "max"])
    assert (sides["min"] == sides["max"]).all()  # no noise
    by_group = sides["max"].unstack().dropna()
    flag = table.groupby("prompt")["controversial"].max().loc[by_group.index]
    assert ((by_group[0] != by_group[1]) == flag).all()
    assert 0.3 < flag.mean() < 0.7


def test_what_a_group_likes_can_be_read_off_the_texts():
    """Lists against prose, the easiest to see: one group likes one, one the other."""
    split = made(common_share=0.0, num_prompts=200)
    answer = text_by_response(split)["answer"]
    is_list = answer.str.startswith("1. ")
    table = everything(split)
    differs = is_list[table["winner"]].to_numpy() != is_list[table["loser"]].to_numpy()
    likes = is_list[table["winner"]].to_numpy()[differs]
    group = split.groups.to_numpy()[table["user"]][differs]
    share = [likes[group == g].mean() for g in (0, 1)]
    assert sorted(share) == [0.0, 1.0]


@pytest.mark.parametrize("groups", [3, 4])
def test_more_groups_split_on_every_style(groups):
    data = StylePreferences(num_groups=groups)
    tastes = data._tastes(np.random.default_rng(0))
    assert tastes.shape == (groups, len(STYLES) + 1)
    assert (np.abs(tastes[:, :-1].sum(0)) <= 1).all() and (tastes[:, -1] == 1).all()


def test_noise_flips_labels():
    clean, noisy = (
        everything(made(noise=n, num_users=200, num_test=60)) for n in (0, 0.2)
    )
    assert 0.15 < (clean["winner"] != noisy["winner"]).mean() < 0.25


def test_without_new_prompts():
    split = made(new_prompts=0, num_new=0)
    assert not len(split.new_test) and topics_of(split, split.responses)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_groups": 1}, "num_groups must be a whole number >= 2"),
        ({"common_share": 1.5}, r"common_share must lie in \[0, 1\]"),
        ({"num_annotations": 1}, "num_annotations must be a whole number >= 2"),
        ({"noise": 0.7}, "noise must lie in"),
        ({"num_new": 50}, "ask for fewer"),
    ],
)
def test_what_is_not_accepted(changes, message):
    with pytest.raises(ArgumentError, match=message):
        made(**changes)
