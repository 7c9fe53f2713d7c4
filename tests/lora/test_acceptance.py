"""What the experts must equal, on a tiny Phi-3 and a tiny Llama."""

import copy

import pytest
import torch

from graphlab.lora import (
    ModalityRouter,
    UserRouter,
    expert_layers,
    inject_experts,
    to_peft,
    to_peft_adapters,
)

from .conftest import BATCH, LENGTH, assert_equal, hidden, randomize

TARGETS = [("q_proj", "v_proj"), ("q_proj", "o_proj", "gate_proj", "down_proj")]
RANKS = [4, 6, 8]


@pytest.fixture(params=TARGETS, ids="+".join)
def made(request, decoder):
    """Base model, the same with random experts, and its context."""
    base = copy.deepcopy(decoder)
    context = inject_experts(decoder, request.param, rank=RANKS, alpha=[8, 6, 4])
    randomize(decoder)
    return base, decoder, context


def test_zero_gates_are_the_base(made, tokens):
    base, model, context = made
    out = hidden(model, tokens, context, torch.zeros(BATCH, 3))
    assert_equal(out, hidden(base, tokens))
    gates = torch.full((BATCH, 3), 0.3)
    assert (hidden(model, tokens, context, gates) - out).abs().max() > 1e-2


def test_one_hot_gates_are_pefts_adapters_in_one_batch(made, tokens):
    peft = pytest.importorskip("peft")
    base, model, context = made
    adapters = to_peft_adapters(model)
    first, *others = adapters.values()
    reference = peft.get_peft_model(base, first.config(), adapter_name="expert_0")
    for name, adapter in zip(list(adapters)[1:], others, strict=True):
        reference.add_adapter(name, adapter.config())
    for name, adapter in adapters.items():
        loaded = peft.set_peft_model_state_dict(
            reference, adapter.state_dict(), adapter_name=name
        )
        assert not loaded.unexpected_keys
    reference.eval()
    chosen = [0, 2, 1, 1, 0, 2]
    expected = reference(
        input_ids=tokens, adapter_names=[f"expert_{e}" for e in chosen]
    ).last_hidden_state
    gates = torch.eye(3)[chosen]
    assert_equal(hidden(model, tokens, context, gates), expected)


def test_soft_gates_of_one_user_are_pefts_weighted_adapter(made, tokens):
    peft = pytest.importorskip("peft")
    base, model, context = made
    adapters = to_peft_adapters(model)
    reference = peft.get_peft_model(
        base, adapters["expert_0"].config(), adapter_name="expert_0"
    )
    for name, adapter in adapters.items():
        if name != "expert_0":
            reference.add_adapter(name, adapter.config())
        peft.set_peft_model_state_dict(
            reference, adapter.state_dict(), adapter_name=name
        )
    gates = [0.5, 0.2, 0.3]
    reference.add_weighted_adapter(
        list(adapters), gates, "user", combination_type="cat"
    )
    reference.set_adapter("user")
    reference.eval()
    soft = torch.tensor(gates).expand(BATCH, -1)
    expected = hidden(reference, tokens)
    assert_equal(hidden(model, tokens, context, soft), expected)


def test_our_merged_adapter_is_the_experts_of_the_user(made, tokens, tmp_path):
    peft = pytest.importorskip("peft")
    base, model, context = made
    torch.manual_seed(3)
    gates = {site: torch.rand(3) for site in context.sites}
    gates[context.sites[0]][1] = 0  # left out: ranks differ between modules
    to_peft(model, gates).save(tmp_path)
    loaded = peft.PeftModel.from_pretrained(base, tmp_path).eval()
    batch = {site: g.expand(BATCH, -1) for site, g in gates.items()}
    expected = hidden(loaded, tokens)
    assert_equal(hidden(model, tokens, context, batch), expected, 2e-6)
    merged = loaded.merge_and_unload()
    assert_equal(hidden(merged, tokens), expected, 2e-6)


def test_text_mode_has_the_bits_of_the_base(made, tokens):
    base, model, context = made
    router = ModalityRouter({"text": (), "image": ("a", "c")}, ["a", "b", "c"])
    expected = hidden(base, tokens)
    off = hidden(model, tokens, context, router("text"))
    assert torch.equal(off.view(torch.int32), expected.view(torch.int32))
    modes = ["text", "image", "text", "image", "text", "text"]
    mixed = hidden(model, tokens, context, router(modes))
    rows = torch.tensor([mode == "text" for mode in modes])
    assert torch.equal(mixed[rows], expected[rows])
    assert (mixed[~rows] - expected[~rows]).abs().amax((1, 2)).min() > 1e-2


def test_switched_off_experts_are_not_computed(made, tokens):
    base, model, context = made
    for _, layer in expert_layers(model):
        layer.lora_A.data.fill_(float("inf"))  # times 0 it would be no number
    assert torch.equal(hidden(model, tokens, context, None), hidden(base, tokens))


def test_gates_per_token_change_that_token_and_the_later_ones(made, tokens):
    _, model, context = made
    gates = torch.zeros(BATCH, LENGTH, 3)
    gates[:, 4] = 1
    out = hidden(model, tokens, context, gates)
    zero = hidden(model, tokens, context, torch.zeros(BATCH, 3))
    change = (out - zero).abs().amax((0, 2))
    assert change[:4].max() == 0 and change[4:].min() > 1e-3


@pytest.mark.parametrize("per", ["site", "layer", "model"])
def test_gradients_reach_every_router_expert_and_user(made, tokens, per):
    _, model, context = made
    torch.manual_seed(4)
    router = UserRouter(5, 3, context.sites, hidden_channels=32, per=per)
    user = torch.randn(BATCH, 5, requires_grad=True)
    hidden(model, tokens, context, router(user))[:, -1].square().sum().backward()
    for parameter in router.parameters():
        by_router = parameter.grad.flatten(1).abs().amax(1)
        assert len(by_router) == router.num_routers and by_router.min() > 0
    assert user.grad.abs().amax(1).min() > 0
    for name, parameter in model.named_parameters():
        assert (parameter.grad is not None) == ("lora_" in name), name
        assert parameter.grad is None or parameter.grad.abs().max() > 0
