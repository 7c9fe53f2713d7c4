import json

import pytest
import torch

from graphlab.errors import ArgumentError, GraphlabError
from graphlab.lora import (
    RewardModel,
    TableRouter,
    inject_experts,
    tiny_llama,
    tiny_phi3,
)

from .conftest import randomize

transformers = pytest.importorskip(
    "transformers", reason="the extra 'lm' is not installed"
)


def made(backbone, **settings):
    torch.manual_seed(0)
    model = RewardModel.with_experts(
        backbone,
        5,
        num_experts=2,
        rank=[2, 3],
        shared_rank=2,
        layers=[0, -1],
        experts={"alpha": [1.0, 4.0], "dropout": 0.1},
        router={"per": "layer", "top_k": 2, "renormalize": True, "noise": 0.3},
        **settings,
    )
    randomize(model)
    return model.eval()


def rewards(model, tokens):
    users = torch.linspace(-1, 1, len(tokens) * 5).view(-1, 5)
    return model(tokens, user_vectors=users)["rewards"]


@pytest.mark.parametrize("backbone", [tiny_phi3, tiny_llama])
@pytest.mark.parametrize("whole", [False, True])
def test_the_same_model_comes_back(backbone, whole, tokens, tmp_path):
    model = made(backbone(), head="concat", balance_weight=0.1)
    expected = rewards(model, tokens)
    model.save_pretrained(tmp_path, save_backbone=whole)
    assert (tmp_path / "backbone").is_dir() == whole
    loaded = RewardModel.from_pretrained(tmp_path, None if whole else backbone())
    assert torch.equal(rewards(loaded, tokens), expected)
    assert not loaded.training and loaded.balance_weight == 0.1
    assert loaded.router.settings() == model.router.settings()
    assert loaded.context.settings == model.context.settings


def test_saved_backbone_is_an_ordinary_one(tokens, tmp_path):
    expected = tiny_phi3()(input_ids=tokens).last_hidden_state
    made(tiny_phi3()).save_pretrained(tmp_path, save_backbone=True)
    loaded = transformers.AutoModel.from_pretrained(tmp_path / "backbone")
    assert torch.equal(loaded(input_ids=tokens).last_hidden_state, expected)


def test_nothing_is_pickled(tmp_path):
    made(tiny_phi3()).save_pretrained(tmp_path, save_backbone=True)
    files = [f for f in tmp_path.rglob("*") if f.is_file()]
    assert {f.suffix for f in files} == {".json", ".safetensors"}


def test_users_and_tables_come_back(tokens, tmp_path):
    base = tiny_llama()
    context = inject_experts(base, num_experts=2)
    model = RewardModel(base, context, TableRouter(4, 2, context.sites))
    model.save_pretrained(tmp_path / "table")
    loaded = RewardModel.from_pretrained(tmp_path / "table", tiny_llama())
    assert torch.equal(loaded.router.table, model.router.table)
    model = made(tiny_llama(), user_table=torch.randn(3, 5))
    model.save_pretrained(tmp_path / "users")
    loaded = RewardModel.from_pretrained(tmp_path / "users", tiny_llama())
    assert torch.equal(loaded.user_table, model.user_table)
    plain = RewardModel(tiny_llama())
    plain.save_pretrained(tmp_path / "plain")
    loaded = RewardModel.from_pretrained(tmp_path / "plain", tiny_llama())
    assert loaded.context is None
    assert torch.equal(loaded(tokens)["rewards"], plain.eval()(tokens)["rewards"])


def test_a_backbone_in_bfloat16_is_the_same_one(tmp_path):
    made(tiny_phi3()).save_pretrained(tmp_path)
    loaded = RewardModel.from_pretrained(tmp_path, tiny_phi3().bfloat16())
    assert next(loaded.backbone.parameters()).dtype == torch.bfloat16


def test_mistakes(tmp_path):
    made(tiny_phi3()).save_pretrained(tmp_path)
    with pytest.raises(ArgumentError, match="backbone must be the one that"):
        RewardModel.from_pretrained(tmp_path, tiny_phi3(seed=1))
    with pytest.raises(ArgumentError, match="pass backbone=, or save with save_back"):
        RewardModel.from_pretrained(tmp_path)
    with pytest.raises(GraphlabError, match="cannot read .*graphlab_reward.json"):
        RewardModel.from_pretrained(tmp_path / "nowhere")
    settings = json.loads((tmp_path / "graphlab_reward.json").read_text())
    for change, message in [
        ({"format": 99}, "has format 99"),
        ({"head": "bilinear"}, "does not fit its settings"),
    ]:
        text = json.dumps({**settings, **change})
        (tmp_path / "graphlab_reward.json").write_text(text)
        with pytest.raises(GraphlabError, match=message):
            RewardModel.from_pretrained(tmp_path, tiny_phi3())
    (tmp_path / "graphlab_reward.json").write_text(json.dumps(settings))
    (tmp_path / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(GraphlabError, match="cannot read .*model.safetensors"):
        RewardModel.from_pretrained(tmp_path, tiny_phi3())
    with pytest.raises(GraphlabError, match="cannot write to"):
        made(tiny_phi3()).save_pretrained(tmp_path / "model.safetensors" / "a")
