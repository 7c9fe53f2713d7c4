import pickle

import pytest
import torch
from torch.testing import assert_close

from graphlab.errors import ArgumentError, GraphlabError
from graphlab.lora import (
    PreferenceCollator,
    RewardModel,
    cache_prefix,
    inject_experts,
    score_pairs,
    tiny_llama,
    tiny_phi3,
)

from .conftest import assert_equal, randomize

pytest.importorskip("transformers", reason="the extra 'lm' is not installed")


def made(backbone, layers=(-1,), **settings):
    torch.manual_seed(0)
    model = RewardModel.with_experts(
        backbone, 5, num_experts=3, rank=2, layers=list(layers), **settings
    )
    randomize(model)
    return model.eval()


@pytest.fixture
def responses():
    generator = torch.Generator().manual_seed(0)
    return {
        f"r{i}": torch.randint(3, 64, (length,), generator=generator).tolist()
        for i, length in enumerate([3, 11, 1, 7, 7, 5, 12])
    }


@pytest.fixture
def users():
    torch.manual_seed(5)
    return torch.randn(7, 5)


def both(model, responses, users, **settings):
    """Rewards from tokens, and from states."""
    collate = PreferenceCollator(responses=responses)
    plain = model(**collate.batch(list(responses)), user_vectors=users)
    collate.prefixes = cache_prefix(model, collate.all_tokens(), **settings)
    batch = collate.batch(list(responses))
    assert set(batch) == {"prefix", "attention_mask"}
    return plain["rewards"], model(**batch, user_vectors=users)["rewards"]


@pytest.mark.parametrize("layers", [[-1], [1, 2]])
@pytest.mark.parametrize("backbone", [tiny_phi3, tiny_llama])
@pytest.mark.parametrize("on_disk", [False, True], ids=["memory", "disk"])
def test_same_rewards_as_without(backbone, layers, on_disk, responses, users, tmp_path):
    model = made(backbone(), layers)
    folder = tmp_path / "states" if on_disk else None
    plain, cached = both(model, responses, users, folder=folder, batch_size=3)
    assert_close(cached, plain, atol=2e-6, rtol=1e-5)
    assert plain.std() > 1e-2


def test_left_padding(responses, users):
    class Left:
        padding_side, pad_token_id, eos_token_id = "left", 0, 2

    model = made(tiny_phi3())
    collate = PreferenceCollator(Left(), responses=responses)
    plain = model(**collate.batch(list(responses)), user_vectors=users)["rewards"]
    collate.prefixes = cache_prefix(model, collate.all_tokens())
    batch = collate.batch(list(responses))
    assert batch["attention_mask"][:, 0].tolist() == [0, 0, 0, 0, 0, 0, 1]
    cached = model(**batch, user_vectors=users)["rewards"]
    assert_close(cached, plain, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("routed", [True, False], ids=["router", "plain LoRA"])
@pytest.mark.parametrize("kind", [None, {"use_reentrant": True}])
def test_same_gradients_as_without(responses, users, kind, routed):
    model = made(tiny_phi3(), [1, 2], router={"noise": 0.0}).train()
    model.router = model.router if routed else None
    if kind:
        model.activation_checkpointing_enable(activation_checkpointing_kwargs=kind)
    collate = PreferenceCollator(responses=responses)
    chosen, grads = list(responses)[:6], []
    for prefixes in (None, cache_prefix(model, collate.all_tokens())):
        collate.prefixes = prefixes
        model.zero_grad()
        model(**collate.batch(chosen), user_vectors=users[:3], return_loss=True)[
            "loss"
        ].backward()
        named = model.named_parameters()
        grads.append({n: p.grad.clone() for n, p in named if p.grad is not None})
    assert model.training and grads[0].keys() == grads[1].keys()
    for name in grads[0]:
        assert_equal(grads[1][name], grads[0][name], 1e-5)


def test_the_lower_layers_do_not_run(responses, users):
    model = made(tiny_phi3())
    collate = PreferenceCollator(responses=responses)
    collate.prefixes = cache_prefix(model, collate.all_tokens())
    ran = []
    for number, layer in enumerate(model.backbone.layers):
        layer.mlp.register_forward_hook(lambda *a, n=number: ran.append(n))
    model(**collate.batch(list(responses)), user_vectors=users)
    assert ran == [2]
    model(torch.tensor([responses["r1"]]), user_vectors=users[:1])
    assert ran == [2, 0, 1, 2]  # the layers are as they were


def test_a_second_run_takes_what_is_there(responses, tmp_path):
    model = made(tiny_phi3())
    some = list(responses.values())
    cache_prefix(model, some[:4], tmp_path)
    ran = []
    model.backbone.layers[0].register_forward_hook(lambda m, a, y: ran.append(len(y)))
    cache = cache_prefix(model, some, tmp_path, batch_size=8)
    assert ran == [3] and len(cache) == 7
    assert {f.suffix for f in tmp_path.iterdir()} == {".json", ".safetensors"}
    for each in (cache, pickle.loads(pickle.dumps(cache))):
        assert each[some[1]].shape == (11, 96)
    assert cache_prefix(model, some, tmp_path)[some[0]].equal(cache[some[0]])
    assert ran == [3]


def test_half_the_space(responses, users):
    model = made(tiny_phi3())
    plain, cached = both(model, responses, users, dtype=torch.bfloat16)
    assert 0 < (plain - cached).abs().max() < 0.05


def test_without_experts_all_layers_are_kept(responses, users):
    model = RewardModel(tiny_llama(), head="bilinear", user_channels=5)
    plain, cached = both(model, responses, users)
    assert_close(cached, plain, atol=2e-6, rtol=1e-5)


def test_longrope_changes_frequencies_for_long_texts_alone(users):
    """Short texts are not computed with a long one's frequencies."""
    model = made(tiny_phi3())
    short, long = list(range(3, 40)), [5 + i % 50 for i in range(140)]
    responses = {"a": short, "b": long}
    alone = [
        model(torch.tensor([r]), user_vectors=users[:1])["rewards"]
        for r in (short, long)
    ]
    collate = PreferenceCollator(responses=responses)
    collate.prefixes = cache_prefix(model, collate.all_tokens())
    for name, expected in zip(responses, alone, strict=True):
        out = model(**collate.batch([name]), user_vectors=users[:1])["rewards"]
        assert_close(out, expected, atol=1e-5, rtol=1e-4)


def test_scores_are_in_the_order_of_the_pairs(responses):
    model = RewardModel(tiny_llama())
    collate = PreferenceCollator(responses=responses)
    names = list(responses)
    pairs = [{"winner": a, "loser": b} for a in names for b in names[:3]]
    rewards = score_pairs(model.train(), collate, pairs, batch_size=4)
    assert model.training
    model.eval()
    single = {n: model(torch.tensor([responses[n]]))["rewards"].item() for n in names}
    expected = [[single[p["winner"]], single[p["loser"]]] for p in pairs]
    assert_close(rewards, torch.tensor(expected), atol=1e-5, rtol=1e-4)


def test_states_of_another_model_are_refused(responses, tmp_path):
    tokens = list(responses.values())
    cache_prefix(made(tiny_phi3()), tokens, tmp_path)
    cache_prefix(made(tiny_phi3()), tokens, tmp_path)  # the same weights
    with pytest.raises(GraphlabError, match="another backbone"):
        cache_prefix(made(tiny_phi3(seed=1)), tokens, tmp_path)
    with pytest.raises(GraphlabError, match="another number of layers than 1"):
        cache_prefix(made(tiny_phi3(), [1]), tokens, tmp_path)


def test_mistakes(responses, tmp_path):
    with pytest.raises(ArgumentError, match="first layer has experts.*layers="):
        cache_prefix(made(tiny_phi3(), [0, 1]), [[3]])
    with pytest.raises(ArgumentError, match="at least one token"):
        cache_prefix(made(tiny_phi3()), [[3], []])
    cache = cache_prefix(made(tiny_phi3()), [[3, 4]], tmp_path)
    with pytest.raises(ArgumentError, match=r"no states of .* \[3, 5\]"):
        cache[[3, 5]]
    file = next(tmp_path.glob("states-*"))
    file.write_bytes(b"damaged")
    with pytest.raises(GraphlabError, match="cannot read .*states-"):
        cache_prefix(made(tiny_phi3()), [[3, 4]], tmp_path)


def test_experts_below_are_part_of_the_backbone(responses):
    base = tiny_phi3()
    inject_experts(base, layers=[2])
    assert len(cache_prefix(base, responses.values())) == 7


def test_progress_counts_what_is_computed(responses, tmp_path):
    model, calls = made(tiny_phi3()), []
    some = list(responses.values())
    cache_prefix(model, some[:2], tmp_path)
    told = lambda *args: calls.append(args)  # noqa: E731
    cache_prefix(model, some, tmp_path, batch_size=2, progress=told)
    assert calls == [(2, 5), (4, 5), (5, 5)]
