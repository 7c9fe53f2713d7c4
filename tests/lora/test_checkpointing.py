"""Layers that run again in the backward pass find the gates of their own call."""

import copy

import pytest
import torch

from graphlab.lora import RewardModel, inject_experts, tiny_phi3

from .conftest import BATCH, assert_equal, hidden, randomize

KINDS = [{"use_reentrant": False}, {"use_reentrant": True}, None]


def gradients(model, router, user, tokens, calls=1):
    for p in (*model.parameters(), *router.parameters(), user):
        p.grad = None
    context = next(m.context for m in model.modules() if hasattr(m, "lora_A"))
    model.train()
    loss = 0
    for call in range(calls):  # several calls with other gates, then one backward pass
        out = hidden(model, tokens, context, router(user + call))
        loss = loss + (call + 1) * out[:, -1].square().mean()
    loss.backward()
    named = [*model.named_parameters(), *router.named_parameters(), ("user", user)]
    return {n: p.grad.clone() for n, p in named if p.grad is not None}


@pytest.mark.parametrize("calls", [1, 2])
@pytest.mark.parametrize("kind", KINDS, ids=["not reentrant", "reentrant", "default"])
@pytest.mark.parametrize("per", ["site", "model"])
def test_same_gradients(decoder, tokens, kind, calls, per):
    from graphlab.lora import UserRouter

    torch.manual_seed(0)
    context = inject_experts(decoder, num_experts=3, rank=2, shared_rank=2)
    randomize(decoder)
    router = UserRouter(5, 3, context.sites, per=per)
    user = torch.randn(BATCH, 5, requires_grad=True)
    expected = gradients(decoder, router, user, tokens, calls)
    runs = []
    decoder.layers[0].self_attn.o_proj.register_forward_hook(lambda *a: runs.append(1))
    decoder.activation_checkpointing_enable(activation_checkpointing_kwargs=kind)
    found = gradients(decoder, router, user, tokens, calls)
    assert len(runs) == 2 * calls  # it did run again
    assert found.keys() == expected.keys() and "user" in found
    for name in expected:
        assert_equal(found[name], expected[name], 1e-5)
    assert not context.active


@pytest.mark.parametrize("kind", KINDS[:2], ids=["not reentrant", "reentrant"])
def test_without_a_router_too(kind, tokens):
    """Gates without a gradient: then the hidden states have to want one."""
    model = RewardModel(base := tiny_phi3(), inject_experts(base, num_experts=1))
    randomize(model)
    plain = copy.deepcopy(model)
    model.activation_checkpointing_enable(activation_checkpointing_kwargs=kind)
    for each in (plain, model):
        each.train()
        each(tokens, return_loss=True)["loss"].backward()
    for one, other in zip(plain.parameters(), model.parameters(), strict=True):
        assert (one.grad is None) == (other.grad is None)
        if one.grad is not None:
            assert_equal(other.grad, one.grad, 1e-5)


def test_switched_off_experts_stay_off(decoder, tokens):
    base = copy.deepcopy(decoder)
    context = inject_experts(decoder, num_experts=3)
    randomize(decoder)
    decoder.activation_checkpointing_enable()
    decoder.train()
    embedded = base.embed_tokens(tokens).detach().requires_grad_()
    grads = []
    for model in (base.train(), decoder):
        with context.use(None):
            out = model(inputs_embeds=embedded).last_hidden_state
        grads.append(torch.autograd.grad(out.square().sum(), embedded)[0])
    assert torch.equal(*grads)
