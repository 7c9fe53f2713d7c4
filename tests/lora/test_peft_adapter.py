import copy

import pytest
import torch

from graphlab.errors import ArgumentError
from graphlab.lora import (
    RewardModel,
    inject_experts,
    tiny_phi3,
    to_peft,
    to_peft_adapters,
)

from .conftest import BATCH, assert_equal, hidden, randomize

peft = pytest.importorskip("peft", reason="the extra 'lm' is not installed")


def test_adapter_of_a_user_of_a_reward_model(decoder, tokens, tmp_path):
    base = copy.deepcopy(decoder)
    torch.manual_seed(0)
    model = RewardModel.with_experts(
        decoder, 5, num_experts=4, rank=2, shared_rank=3, router={"noise": 1.0}
    )
    randomize(model)
    user = torch.randn(5)
    adapter = model.train().to_peft(user)
    # The best expert and the shared one, of two projections that Phi has fused.
    assert set(adapter.ranks.values()) == ({10} if "qkv" in str(decoder) else {5})
    assert model.router.training  # noise was off for a moment only
    loaded = peft.PeftModel.from_pretrained(base, adapter.save(tmp_path)).eval()
    model.eval()
    with model.context.use(model.router(user.expand(BATCH, -1))):
        expected = decoder(input_ids=tokens).last_hidden_state
    assert_equal(hidden(loaded, tokens), expected, 2e-6)


def test_adapters_of_all_experts_and_the_shared_one(decoder, tokens, tmp_path):
    base = copy.deepcopy(decoder)
    context = inject_experts(
        decoder, rank=[2, 3], alpha=[5.0, 1.0], shared_rank=4, shared_alpha=6.0
    )
    randomize(decoder)
    adapters = to_peft_adapters(decoder)
    assert list(adapters) == ["expert_0", "expert_1", "shared"]
    zero = torch.zeros(BATCH, 2)
    for name, gates in [("shared", zero), ("expert_1", zero + torch.tensor([0, 1.0]))]:
        loaded = peft.PeftModel.from_pretrained(
            copy.deepcopy(base), adapters[name].save(tmp_path / name)
        )
        if name != "shared":  # beside it, always
            loaded.load_adapter(str(adapters["shared"].save(tmp_path / "s")), "shared")
            loaded.base_model.set_adapter(["default", "shared"])
        expected = hidden(decoder, tokens, context, gates)
        assert_equal(hidden(loaded.eval(), tokens), expected, 2e-6)


def test_a_user_without_any_expert_is_the_base(phi3, tokens, tmp_path):
    base = copy.deepcopy(phi3)
    inject_experts(phi3, num_experts=2)
    randomize(phi3)
    folder = to_peft(phi3, torch.zeros(2)).save(tmp_path)
    loaded = peft.PeftModel.from_pretrained(copy.deepcopy(base), folder)
    assert torch.equal(hidden(loaded, tokens), hidden(base, tokens))


def test_adapter_for_the_causal_model_around(tokens, tmp_path):
    transformers = pytest.importorskip("transformers")
    causal = transformers.Phi3ForCausalLM(tiny_phi3().config).eval()
    decoder = copy.deepcopy(causal.model)
    context = inject_experts(decoder, num_experts=2)
    randomize(decoder)
    adapter = to_peft(decoder, torch.tensor([0.2, 0.8]), prefix="model.")
    loaded = peft.PeftModel.from_pretrained(causal, adapter.save(tmp_path)).eval()
    gates = torch.tensor([0.2, 0.8]).expand(BATCH, -1)
    states = hidden(decoder, tokens, context, gates)
    assert_equal(loaded(input_ids=tokens).logits, causal.lm_head(states), 2e-6)


def test_adapters_with_their_router(tmp_path, phi3):
    from graphlab.lora._files import load_tensors

    model = RewardModel.with_experts(phi3, 5, num_experts=2)
    model.save_peft_adapters(tmp_path)
    names = sorted(p.name for p in tmp_path.iterdir())
    assert names == ["expert_0", "expert_1", "router.safetensors", "shared"]
    saved = load_tensors(tmp_path / "router.safetensors")
    assert saved.keys() == model.router.state_dict().keys()
    config = peft.PeftConfig.from_pretrained(tmp_path / "shared")
    assert config.peft_type == "LORA"


def test_mistakes(phi3):
    with pytest.raises(ArgumentError, match="call inject_experts first"):
        to_peft(phi3, torch.ones(2))
    inject_experts(phi3, num_experts=2)
    with pytest.raises(ArgumentError, match="gates of 'layers.0.self_attn.q_proj'"):
        to_peft(phi3, torch.ones(3))
