"""Reward models of CoPL on a tiny decoder: trained, resumed, judged, refused."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from graphlab.benchmark.copl.reward_backbones import (
    WordTokenizer,
    load_named,
    with_padding,
)
from graphlab.benchmark.copl.reward_config import RewardConfig
from graphlab.benchmark.copl.reward_stage import (
    evaluate_reward,
    reward_config,
    train_reward,
)
from graphlab.errors import ArgumentError, GraphlabError, StoreError
from graphlab.lora import UserVectors, score_pairs
from graphlab.preference import StylePreferences, SyntheticGroups

pytest.importorskip("transformers", reason="the extra 'lm' is not installed")

SMALL = dict(num_prompts=30, num_users=24, num_unseen=8, new_prompts=16)
PARTS = ["seen", "seen, new responses", "unseen", "unseen, new responses"]


@pytest.fixture(scope="module")
def split():
    return StylePreferences(**SMALL, num_test=8, num_new=4, common_share=0.2).split()


@pytest.fixture(scope="module")
def users(split):
    """Vectors that tell the group, as a good graph model would."""
    generator = torch.Generator().manual_seed(0)
    group = torch.tensor(split.groups.tolist())
    vectors = torch.eye(2)[group] - 0.5
    noise = 0.05 * torch.randn(len(group), 6, generator=generator)
    return UserVectors(
        torch.cat([vectors, torch.zeros(len(group), 4)], 1) + noise,
        list(range(len(group))),
    )


def config(method="experts", **changes):
    few = dict(backbone="tiny-phi3", steps=12, batch_size=16, lr=5e-3, num_experts=2)
    return RewardConfig(method, **{**few, "rank": 4, "shared_rank": 4, **changes})


def same_weights(one, two):
    states = one.trained_state(), two.trained_state()
    return all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize("backbone", ["tiny-phi3", "tiny-phi4", "tiny-llama"])
@pytest.mark.parametrize("method", ["agnostic", "concat", "bilinear", "experts"])
def test_every_method_on_every_backbone(split, users, tmp_path, method, backbone):
    chosen = config(method, backbone=backbone, steps=2)
    model = train_reward(split, users, chosen, tmp_path / "it")
    found = evaluate_reward(tmp_path / "it", split, users, max_pairs=40)
    assert list(found) == PARTS
    for part in found.values():
        assert part["low"] <= part["accuracy"] <= part["high"]
        assert part["pairs"] <= 40 and part["users"] <= part["pairs"]
    assert found["seen"]["of_pairs"] == len(split.test)
    assert reward_config(tmp_path / "it") == chosen
    again = evaluate_reward(model, split, users, chosen, max_pairs=40)
    assert again == found


def test_knowing_the_user_pays(split, users, tmp_path):
    more = dict(steps=60, layers=1, seed=1)
    accuracy = {}
    for method in ("agnostic", "bilinear"):
        model = train_reward(split, users, config(method, **more), tmp_path / method)
        found = evaluate_reward(model, split, users, config(method, **more))
        accuracy[method] = found["unseen"]["accuracy"]
    assert accuracy["bilinear"] > accuracy["agnostic"] + 0.15


def test_head_alone_trains_nothing_but_the_head(split, users, tmp_path):
    head = config("bilinear", layers=0)
    model = train_reward(split, users, head, tmp_path / "it")
    names = {n for n, p in model.named_parameters() if p.requires_grad}
    assert all(name.startswith("head.") for name in names)


def test_ranks_are_the_same_for_all_methods(split, users, tmp_path):
    sizes = {}
    for method in ("agnostic", "experts"):
        model = train_reward(split, users, config(method, steps=1), tmp_path / method)
        sizes[method] = sum(
            p.numel() for n, p in model.named_parameters() if "lora" in n
        )
    assert sizes["agnostic"] == sizes["experts"]


def test_same_seed_same_bits(split, users, tmp_path):
    one, two, other = (
        train_reward(split, users, config(steps=4, seed=seed), tmp_path / name)
        for name, seed in (("one", 0), ("two", 0), ("other", 1))
    )
    assert same_weights(one, two)
    assert not torch.equal(one.head.lin.weight, other.head.lin.weight)


def test_scores_do_not_depend_on_the_cache_of_states(split, users, tmp_path):
    """Nor on whether states are shared by the users, or read from a folder."""
    from graphlab.benchmark.copl.reward_model import (
        collator_for,
        pairs_of,
        scaled_users,
        texts_of,
    )
    from graphlab.benchmark.copl.reward_scores import margins

    for method in ("concat", "experts"):
        one = config(method, steps=3)
        model = train_reward(
            split, users, one, tmp_path / method, states=tmp_path / "s"
        )
        table = split.test.iloc[:30]
        texts = texts_of(split, split.texts["response"])
        scaled = scaled_users(users, split.users, one)
        collator = collator_for(one, WordTokenizer(), scaled, texts)
        plain = score_pairs(model, collator, pairs_of(table))
        torch.testing.assert_close(
            margins(model, collator, table), plain[:, 0] - plain[:, 1]
        )


def test_a_killed_training_goes_on(split, users, tmp_path, monkeypatch):
    whole = train_reward(split, users, config(), tmp_path / "whole")
    seen = []

    def kill(text, done, total):
        if text == "training":
            seen.append(done)
            if done == 7 and len(seen) == 7:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_reward(split, users, config(), tmp_path / "it", kill)
    assert not (tmp_path / "it" / "reward.json").exists()
    with pytest.raises(StoreError, match="no finished reward model"):
        evaluate_reward(tmp_path / "it", split, users)
    torn = tmp_path / "it" / "checkpoints" / "checkpoint-8"  # killed while writing
    torn.mkdir()
    (torn / "trainer_state.json").write_text('{"global_')
    model = train_reward(split, users, config(), tmp_path / "it", kill)
    assert seen[7] == 7  # the sixth step was in a checkpoint
    assert same_weights(whole, model)
    assert not (tmp_path / "it" / "checkpoints").exists()


def test_what_is_there_is_kept_and_other_settings_are_refused(split, users, tmp_path):
    folder, calls = tmp_path / "it", []
    train_reward(split, users, config(steps=2), folder)
    record = json.loads((folder / "reward.json").read_text())
    train_reward(split, users, config(steps=2), folder, lambda *a: calls.append(a))
    assert not calls and record["settings"]["steps"] == 2
    assert record["pairs"] == len(split.context) and record["val_pairs"]
    with pytest.raises(StoreError, match="steps 3 instead of 2.*--name, or --force"):
        train_reward(split, users, config(steps=3), folder)
    train_reward(split, users, config(steps=3), folder, force=True)
    (folder / "model.safetensors").write_bytes(b"damaged")
    train_reward(split, users, config(steps=3), folder, lambda *a: calls.append(a))
    assert calls  # trained again


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "expert"}, "method must be one of agnostic, .* got 'expert'"),
        ({"user_scale": "big"}, "user_scale must be one of"),
        ({"layers": -1}, "layers must be a whole number >= 0"),
        ({"layers": 0}, "layers must be at least 1 for method 'experts'"),
        ({"steps": 0}, "steps must be a whole number >= 1"),
        ({"num_experts": 2.5}, "num_experts must be a whole number"),
        ({"lr": 0}, "lr must be positive"),
        ({"lr": "fast"}, "lr must be positive and finite, got 'fast'"),
        ({"weight_decay": -1.0}, "weight_decay must be not negative"),
        ({"user_length": float("inf")}, "user_length must be positive and finite"),
        ({"backbone": ""}, "backbone must be a name"),
    ],
)
def test_settings_that_are_not_accepted(changes, message):
    with pytest.raises(ArgumentError, match=message):
        config(**changes)


def test_more_layers_than_there_are(split, users, tmp_path):
    with pytest.raises(ArgumentError, match="layers must be at most 3.*tiny-phi3"):
        train_reward(split, users, config(layers=4), tmp_path / "it")


def test_all_layers_leave_nothing_to_cache(split, users, tmp_path):
    train_reward(split, users, config(layers=3, steps=1), tmp_path / "it")
    assert reward_config(tmp_path / "it").layers == 3


def test_an_unknown_backbone(split, users, tmp_path, monkeypatch):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(GraphlabError, match="(?s)'tiny-phi5' is no folder here"):
        train_reward(split, users, config(backbone="tiny-phi5"), tmp_path / "it")


def test_users_without_vectors_and_responses_without_texts(split, users, tmp_path):
    few = UserVectors(users.vectors[:20], users.ids[:20])
    with pytest.raises(ArgumentError, match="user 20 has no vector among the 20"):
        train_reward(split, few, config(), tmp_path / "it")
    seen = UserVectors(users.vectors[:24], users.ids[:24])
    model = train_reward(split, seen, config(steps=1), tmp_path / "it")
    with pytest.raises(ArgumentError, match="user .* has no vector.*adapt it first"):
        evaluate_reward(model, split, seen, config(steps=1))
    texts = split.texts[split.texts["response"] != 7]
    lost = dataclasses.replace(split, texts=texts)
    with pytest.raises(ArgumentError, match="1 of .* have none, the first is 7"):
        train_reward(lost, users, config(), tmp_path / "other")
    plain = SyntheticGroups(num_prompts=30, num_users=8, num_unseen=2, num_test=5)
    with pytest.raises(ArgumentError, match="split has no texts.*style or jester"):
        train_reward(plain.split(), users, config(), tmp_path / "other")


def test_a_part_may_be_capped(split, users, tmp_path):
    model = train_reward(split, users, config(steps=1), tmp_path / "it")
    cap = dict(config=config(steps=1), max_pairs=10)
    one, two = (evaluate_reward(model, split, users, **cap, seed=s) for s in (0, 0))
    other = evaluate_reward(model, split, users, **cap, seed=1)
    assert one == two and one != other
    assert {part["pairs"] for part in one.values()} == {10}
    with pytest.raises(ArgumentError, match="max_pairs must be a whole number >= 1"):
        evaluate_reward(model, split, users, config(steps=1), max_pairs=0)
    with pytest.raises(ArgumentError, match="config must be given"):
        evaluate_reward(model, split, users)


def test_user_scales(split, users):
    from graphlab.benchmark.copl.reward_model import scaled_users

    unit = scaled_users(users, split.users, config(user_scale="unit")).vectors
    torch.testing.assert_close(unit.norm(dim=1), torch.full((32,), 6**0.5))
    standard = scaled_users(users, split.users, config(user_scale="standard"))
    seen = standard.vectors[:24]
    torch.testing.assert_close(seen.mean(0), torch.zeros(6), atol=1e-6, rtol=0)
    assert abs(float(seen.square().mean()) - 1) < 1e-5
    given = scaled_users(users, split.users, config(user_scale="given"))
    assert torch.equal(given.vectors, users.vectors)


def test_words_have_the_same_tokens_everywhere():
    tokenizer = WordTokenizer(64)
    tokens = tokenizer("Just do it, now!\n- ok")["input_ids"]
    assert len(tokens) == 9 and min(tokens) >= 3 and max(tokens) < 64
    assert tokens == WordTokenizer(64)("Just do it, now!\n- ok")["input_ids"]


def test_a_tokenizer_without_padding_gets_the_end_of_text():
    class Plain:
        pad_token_id, eos_token_id, eos_token = None, 2, "</s>"

    assert with_padding(Plain()).pad_token == "</s>"
    assert np.isin(["pad_token_id"], dir(load_named("tiny-phi3")[1])).all()
