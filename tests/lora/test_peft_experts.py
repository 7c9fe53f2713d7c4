import copy
import json

import pytest
import torch

from graphlab.errors import ArgumentError, GraphlabError
from graphlab.lora import (
    ModalityRouter,
    expert_layers,
    inject_experts,
    load_peft_experts,
    to_peft_adapters,
)

from .conftest import BATCH, assert_equal, hidden, randomize

peft = pytest.importorskip("peft", reason="the extra 'lm' is not installed")


def saved(base, folder, seed=0, **settings):
    """A random adapter as PEFT saves it."""
    torch.manual_seed(seed)
    config = peft.LoraConfig(init_lora_weights=False, **settings)
    model = peft.get_peft_model(copy.deepcopy(base), config).eval()
    model.save_pretrained(folder)
    return model


def test_two_modes_in_one_batch(decoder, tokens, tmp_path):
    """As Phi-4-Multimodal's, of different ranks and different projections."""
    attention = [
        "qkv_proj" if hasattr(decoder.layers[0].mlp, "gate_up_proj") else "q_proj"
    ]
    vision = saved(decoder, tmp_path / "v", r=4, lora_alpha=8, target_modules=attention)
    speech = saved(
        decoder,
        tmp_path / "s",
        seed=1,
        r=6,
        lora_alpha=3,
        use_rslora=True,
        target_modules=[*attention, "down_proj"],
    )
    expected = {
        m: hidden(p, tokens) for m, p in [("vision", vision), ("speech", speech)]
    }
    expected["text"] = hidden(decoder, tokens)
    folders = {"vision": tmp_path / "v", "speech": tmp_path / "s"}
    context = load_peft_experts(decoder, folders)
    modes = ["text", "speech", "vision", "speech", "vision", "text"]
    out = hidden(decoder, tokens, context, ModalityRouter()(modes))
    for row, mode in enumerate(modes):
        assert_equal(out[row], expected[mode][row], 2e-6)
    assert (expected["vision"] - expected["speech"]).abs().max() > 1e-2


def test_our_own_experts_come_back(decoder, tokens, tmp_path):
    base = copy.deepcopy(decoder)
    context = inject_experts(decoder, rank=[2, 3], alpha=[5.0, 1.0])
    randomize(decoder)
    adapters = to_peft_adapters(decoder)
    folders = {name: a.save(tmp_path / name) for name, a in adapters.items()}
    gates = torch.rand(BATCH, 2)
    expected = hidden(decoder, tokens, context, gates)
    again = load_peft_experts(base, folders)
    assert_equal(hidden(base, tokens, again, gates), expected, 2e-6)


def test_adapter_of_the_causal_model_for_its_decoder(phi3, tmp_path):
    transformers = pytest.importorskip("transformers")
    causal = transformers.Phi3ForCausalLM(phi3.config)
    saved(causal, tmp_path, r=2, target_modules=["o_proj"])
    load_peft_experts(phi3, {"a": tmp_path})
    names = [name for name, _ in expert_layers(phi3)]
    assert names == [f"layers.{i}.self_attn.o_proj" for i in range(3)]


def test_mistakes(phi3, llama, tmp_path):
    with pytest.raises(GraphlabError, match="cannot read .*adapter_config.json"):
        load_peft_experts(phi3, {"a": tmp_path / "nowhere"})
    saved(phi3, tmp_path, r=2, target_modules=["qkv_proj"])
    with pytest.raises(
        ArgumentError, match="another model: this one has no .*qkv_proj"
    ):
        load_peft_experts(llama, {"a": tmp_path})
    config = tmp_path / "adapter_config.json"
    settings = json.loads(config.read_text())
    for change in ({"use_dora": True}, {"peft_type": "IA3"}, {"bias": "all"}):
        config.write_text(json.dumps({**settings, **change}))
        with pytest.raises(ArgumentError, match="must hold a plain LoRA"):
            load_peft_experts(phi3, {"a": tmp_path})
    assert not list(expert_layers(phi3))
