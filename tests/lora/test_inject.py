import copy

import pytest
import torch
from torch import nn

from graphlab.errors import ArgumentError
from graphlab.lora import (
    expert_layers,
    inject_experts,
    phi4_mini_config,
)

from .conftest import BATCH, hidden, randomize


def test_sites_have_the_same_names_fused_or_not(phi3, llama):
    target = ("q_proj", "v_proj", "up_proj")
    assert inject_experts(phi3, target).sites == inject_experts(llama, target).sites


def test_phi_projections_are_slices_of_one_layer(phi3):
    context = inject_experts(phi3, rank=2, num_experts=3)
    layers = dict(expert_layers(phi3))
    assert list(layers) == [f"layers.{i}.self_attn.qkv_proj" for i in range(3)]
    first = layers["layers.0.self_attn.qkv_proj"]
    # 6 query heads and 2 key heads of 16: rows 0..96, 96..128, 128..160.
    assert list(first.slices.values()) == [(0, 96), (128, 160)]
    assert first.lora_A.shape == (12, 96) and first.lora_B.shape == (128, 6)
    assert len(context.sites) == 6


def test_query_and_value_experts_are_apart_on_phi(phi3, tokens):
    context = inject_experts(phi3, rank=2, num_experts=3)
    randomize(phi3)
    seen = {}
    layer = phi3.layers[0].self_attn
    layer.qkv_proj.register_forward_hook(lambda m, a, y: seen.update(y=y))
    outs = {}
    for on in (None, "q_proj", "v_proj"):
        gates = {s: torch.zeros(BATCH, 3) for s in context.sites}
        if on:
            gates[f"layers.0.self_attn.{on}"] += 1
        hidden(phi3, tokens, context, gates)
        outs[on] = seen["y"]
    q = (outs["q_proj"] - outs[None]).abs().amax((0, 1)) > 0
    v = (outs["v_proj"] - outs[None]).abs().amax((0, 1)) > 0
    assert q[:96].all() and not q[96:].any()
    assert v[128:].all() and not v[:128].any()


def test_fused_target_takes_all_rows(phi3):
    inject_experts(phi3, ["qkv_proj", "down_proj"], layers=[-1, 0])
    names = [name for name, _ in expert_layers(phi3)]
    assert names == [
        f"layers.{i}.{p}"
        for i in (0, 2)
        for p in ("self_attn.qkv_proj", "mlp.down_proj")
    ]
    assert phi3.layers[0].self_attn.qkv_proj.lora_B.size(0) == 160


def test_only_experts_are_trained(decoder):
    inject_experts(decoder)
    for name, parameter in decoder.named_parameters():
        assert parameter.requires_grad == ("lora_" in name)


def test_types(decoder):
    inject_experts(decoder.bfloat16())
    assert {m.lora_A.dtype for _, m in expert_layers(decoder)} == {torch.float32}


def test_experts_take_the_type_of_the_model_if_asked(decoder):
    inject_experts(decoder.bfloat16(), dtype=None)
    assert {m.lora_A.dtype for _, m in expert_layers(decoder)} == {torch.bfloat16}


def test_copies_do_not_share_gates(decoder, tokens):
    context = inject_experts(decoder, num_experts=2)
    randomize(decoder)
    other = copy.deepcopy(decoder)
    own = next(m for _, m in expert_layers(other)).context
    assert {id(m.context) for _, m in expert_layers(other)} == {id(own)}
    gates = torch.rand(BATCH, 2)
    expected = hidden(decoder, tokens, context, gates)
    with context.use(torch.zeros(BATCH, 2)):
        assert torch.equal(hidden(other, tokens, own, gates), expected)


def test_the_causal_model_works_and_generates(phi3, tokens):
    transformers = pytest.importorskip("transformers")
    model = transformers.Phi3ForCausalLM(phi3.config).eval()
    context = inject_experts(model, num_experts=2)
    assert context.sites[0] == "model.layers.0.self_attn.q_proj"
    randomize(model)
    gates = torch.rand(BATCH, 2)
    settings = {"max_new_tokens": 4, "min_new_tokens": 4, "do_sample": False}
    with context.use(gates), torch.no_grad():
        out = model.generate(tokens, **settings)  # with its cache, token by token
        again = model(out[:, :-1]).logits[:, -4:].argmax(-1)
    assert torch.equal(out[:, -4:], again)


def test_any_model_with_linear_layers(tokens):
    model = nn.ModuleDict({"a": nn.Linear(4, 4), "b": nn.Linear(4, 2)})
    context = inject_experts(model, ["a", "b"], rank=[1, 2], alpha=3)
    assert context.sites == ("a", "b") and context.num_experts == 2
    assert model["a"].alphas == (3.0, 3.0)


def test_phi4_multimodal_has_the_reported_number_of_weights():
    transformers = pytest.importorskip("transformers")
    with torch.device("meta"):
        model = transformers.Phi3Model(phi4_mini_config())
        inject_experts(
            model,
            ["qkv_proj", "o_proj", "gate_up_proj", "down_proj"],
            rank=[256, 320],
            alpha=[512, 640],
        )
    count = {256: 0, 320: 0}
    for _, layer in expert_layers(model):
        for rank in layer.ranks:
            count[rank] += rank * (layer.in_features + layer.out_features)
    # "370M" for vision and "460M" for speech in the report
    assert count == {256: 369_098_752, 320: 461_373_440}
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert trained == sum(count.values())


def test_target_that_matches_nothing_lists_what_there_is(phi3, llama):
    known = "this Phi3Model has: o_proj, qkv_proj, q_proj, k_proj, v_proj, "
    known += "gate_up_proj, gate_proj, up_proj, down_proj"
    with pytest.raises(ArgumentError, match=f"'query' matches no linear.*{known}"):
        inject_experts(phi3, ["q_proj", "query"])
    with pytest.raises(ArgumentError, match="this LlamaModel has: q_proj, k_proj"):
        inject_experts(llama, "qkv_proj")
    with pytest.raises(ArgumentError, match="no linear layer but Embedding"):
        inject_experts(llama, "embed_tokens")
    with pytest.raises(ArgumentError, match="has: none"):
        inject_experts(nn.ReLU(), "q_proj")
    assert not list(expert_layers(phi3))


def test_other_mistakes(phi3):
    with pytest.raises(ArgumentError, match="qkv_proj or parts of it, not both"):
        inject_experts(phi3, ["qkv_proj", "v_proj"])
    for layers in ([3], [-4], []):
        with pytest.raises(ArgumentError, match=r"layers must be .* -3..2"):
            inject_experts(phi3, layers=layers)
    inject_experts(phi3)
    with pytest.raises(ArgumentError, match="has LoRA experts already"):
        inject_experts(phi3)


def test_fused_projection_in_another_layout_has_no_parts(phi3):
    phi3.config.num_attention_heads = 5  # no longer what the rows say
    with pytest.raises(ArgumentError, match="'q_proj' matches no linear layer"):
        inject_experts(phi3)
