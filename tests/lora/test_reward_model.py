import copy

import pytest
import torch
from torch.nn import functional as F
from torch.testing import assert_close

from graphlab.errors import ArgumentError
from graphlab.lora import (
    RewardModel,
    TableRouter,
    inject_experts,
    tiny_llama,
    tiny_phi3,
)

from .conftest import randomize

pytest.importorskip("transformers", reason="the extra 'lm' is not installed")
LENGTHS = [9, 4, 7, 1, 9, 5]


def made(backbone=None, seed=0, **settings):
    torch.manual_seed(seed)
    model = RewardModel.with_experts(
        backbone or tiny_phi3(), 5, num_experts=3, rank=2, shared_rank=2, **settings
    )
    randomize(model)
    return model.eval()


@pytest.fixture
def users():
    torch.manual_seed(5)
    return torch.randn(6, 5)


def padded(tokens, left, fill):
    """Rows of different lengths, what is beyond filled with a token of the texts."""
    ids = torch.full(tokens.shape, fill)
    mask = torch.zeros_like(ids)
    for row, length in enumerate(LENGTHS):
        where = slice(9 - length, 9) if left else slice(0, length)
        ids[row, where], mask[row, where] = tokens[row, :length], 1
    return ids, mask


@pytest.mark.parametrize("fill", [0, 2, 7], ids=["pad", "eos", "word"])
@pytest.mark.parametrize("left", [False, True], ids=["right", "left"])
@pytest.mark.parametrize("backbone", [tiny_phi3, tiny_llama])
def test_reads_the_last_token_by_the_mask(backbone, tokens, users, left, fill):
    """Each text alone gives the same, although it contains the padding token."""
    model = made(backbone())
    tokens[:, 2] = fill
    tokens[1, 3] = fill  # the last token of a text
    ids, mask = padded(tokens, left, fill)
    out = model(ids, mask, users)["rewards"]
    for row, length in enumerate(LENGTHS):
        alone = model(tokens[row : row + 1, :length], None, users[row : row + 1])
        assert_close(out[row : row + 1], alone["rewards"], atol=1e-5, rtol=1e-4)
    assert out.std() > 1e-2


def test_reward_is_the_head_of_the_hidden_state(tokens, users):
    model = made()
    with model.context.use(model.router(users)):
        states = model.backbone(input_ids=tokens).last_hidden_state[:, -1]
    expected = states @ model.head.lin.weight[0] + model.head.lin.bias
    assert_close(model(tokens, user_vectors=users)["rewards"], expected)


def test_loss_is_bradley_terry(tokens, users):
    model = made()
    single = model(tokens, user_vectors=users[:3].repeat(2, 1))["rewards"]
    out = model(tokens, user_vectors=users[:3], return_loss=True)
    assert_close(out["rewards"], torch.stack([single[:3], single[3:]], 1))
    margin = single[:3] - single[3:]
    assert_close(out["loss"], (1 + (-margin).exp()).log().mean())


def test_both_responses_of_a_pair_get_the_same_noise(tokens, users):
    model = made(router={"noise": 1.0, "top_k": None}).train()
    seen = []
    layer = next(m for m in model.modules() if hasattr(m, "lora_A"))
    layer.register_forward_hook(
        lambda m, a, y: seen.append([m.context.gates(name) for name in m.slices])
    )
    model(tokens, user_vectors=users[:3], return_loss=True)
    for gates in seen[0]:
        assert torch.equal(gates[:3], gates[3:])
        assert not torch.equal(gates[0], gates[1])


def test_noise_comes_from_the_generator(tokens, users):
    model = made().train()

    def draw(seed):
        generator = torch.Generator().manual_seed(seed)
        return model(tokens, user_vectors=users, generator=generator)["rewards"]

    assert torch.equal(draw(0), draw(0)) and not torch.equal(draw(0), draw(1))


def test_users_get_rewards_of_their_own(tokens, users):
    model = made()
    same = tokens[:1].expand(6, -1)
    rewards = model(same, user_vectors=users)["rewards"]
    assert len({round(r.item(), 5) for r in rewards}) == 6
    again = model(same, user_vectors=users[:1].expand(6, -1))["rewards"]
    assert_close(again, rewards[:1].expand(6), atol=1e-6, rtol=0)


def test_gates_can_be_given_in_place_of_users(tokens, users):
    model = made()
    expected = model(tokens, user_vectors=users)["rewards"]
    assert torch.equal(model(tokens, gates=model.router(users))["rewards"], expected)


def test_only_what_is_new_is_trained_and_all_of_it(tokens, users):
    model = made(user_table=torch.randn(4, 5), router={"top_k": None}).train()
    model(tokens, users=torch.tensor([3, 1, 1]), return_loss=True)["loss"].backward()
    for name, parameter in model.named_parameters():
        # The bias of the head is the same for both responses of a pair.
        trained = not name.startswith("backbone") or "lora_" in name
        assert parameter.requires_grad == trained == (parameter.grad is not None)
        assert not trained or parameter.grad.abs().max() > 0 or name == "head.lin.bias"
    rows = model.user_table.grad.abs().amax(1) > 0
    assert rows.tolist() == [False, True, False, True]


def test_gradient_flows_to_user_vectors_that_want_it(tokens, users):
    users.requires_grad_()
    made()(tokens, user_vectors=users)["rewards"].sum().backward()
    assert users.grad.abs().amax(1).min() > 0


def test_balance_loss_is_added(tokens, users):
    model = made()
    plain = model(tokens, user_vectors=users[:3], return_loss=True)["loss"]
    model.balance_weight = 0.5
    more = model(tokens, user_vectors=users[:3], return_loss=True)["loss"]
    balance = model.router.route(users[:3]).balance_loss()
    assert_close(more - plain, 0.5 * balance)


@pytest.mark.parametrize("head", ["linear", "concat", "bilinear"])
def test_heads_without_experts(tokens, users, head):
    model = RewardModel(tiny_llama(), head=head, user_channels=5)
    assert model.first_expert_layer == 3
    states = model.backbone(input_ids=tokens).last_hidden_state[:, -1]
    h = model.head
    if head == "linear":
        expected = h.lin(states)[:, 0]
    elif head == "concat":
        expected = h.lin2(h.lin1(torch.cat([states, users], 1)).relu())[:, 0]
    else:
        expected = torch.einsum("bh,dh,bd->b", states, h.lin_user.weight, users)
        expected = expected + h.lin(states)[:, 0]
    assert_close(model(tokens, user_vectors=users)["rewards"], expected)
    out = model(tokens, user_vectors=users[:3], return_loss=True)
    assert_close(
        out["loss"], -F.logsigmoid(out["rewards"] @ torch.tensor([1.0, -1])).mean()
    )


def test_without_a_router_it_is_plain_lora(tokens):
    base = tiny_llama()
    model = RewardModel(base, inject_experts(base, num_experts=1, rank=4))
    randomize(model)
    with model.context.use(torch.ones(6, 1)):
        states = base(input_ids=tokens).last_hidden_state[:, -1]
    assert_close(model(tokens)["rewards"], model.head(states))


def test_a_table_router_takes_ids(tokens):
    base = tiny_llama()
    context = inject_experts(base, num_experts=3, rank=2)
    router = TableRouter(4, 3, context.sites)
    model = RewardModel(base, context, router)
    randomize(model)
    rows = torch.tensor([0, 3, 3])
    out = model(tokens, users=rows, return_loss=True)["rewards"]
    gates = router(rows)
    assert_close(model(tokens[:3], gates=gates)["rewards"], out[:, 0])


@pytest.mark.parametrize("mixed", [True, False], ids=["autocast", "whole model"])
def test_bfloat16(tokens, users, mixed):
    model = made(router={"top_k": None}).train()
    model.router.noise = 0
    exact = model(tokens, user_vectors=users[:3], return_loss=True)
    if not mixed:
        model.bfloat16()
        users = users.bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=mixed):
        out = model(tokens, user_vectors=users[:3], return_loss=True)
    assert out["rewards"].dtype == out["loss"].dtype == torch.float32
    assert_close(out["rewards"], exact["rewards"], atol=0.1, rtol=0.1)
    out["loss"].backward()
    for name, p in model.named_parameters():
        assert not p.requires_grad or p.grad.isfinite().all(), name


def test_copies_are_independent(tokens, users):
    model = made()
    other = copy.deepcopy(model)
    expected = model(tokens, user_vectors=users)["rewards"]
    assert torch.equal(other(tokens, user_vectors=users)["rewards"], expected)


def test_mistakes(tokens, users):
    model = made()
    with pytest.raises(ArgumentError, match="user_vectors must have 6 rows.*none"):
        model(tokens)
    with pytest.raises(ArgumentError, match=r"user_vectors must have 3 rows.*\[6, 5\]"):
        model(tokens, user_vectors=users, return_loss=True)
    with pytest.raises(ArgumentError, match="all winners, then all losers; got 5"):
        model(tokens[:5], user_vectors=users[:2], return_loss=True)
    with pytest.raises(ArgumentError, match=r"attention_mask must be \[6, 9\]"):
        model(tokens, torch.ones(6, 8), users)
    with pytest.raises(ArgumentError, match="either input_ids or prefix"):
        model(user_vectors=users)
    with pytest.raises(ArgumentError, match=r"gates\['layers.*must be"):
        gates = {site: torch.ones(6, 4) for site in model.context.sites}
        model(tokens, gates=gates)
    with pytest.raises(ArgumentError, match="head must be one of"):
        RewardModel(tiny_llama(), head="mlp")
    with pytest.raises(ArgumentError, match="'concat' needs user_channels"):
        RewardModel(tiny_llama(), head="concat")
    with pytest.raises(ArgumentError, match="router needs the context"):
        RewardModel(tiny_llama(), router=model.router)
    with pytest.raises(ArgumentError, match="needs user_vectors"):
        RewardModel(tiny_llama(), head="bilinear", user_channels=5)(tokens)


@pytest.mark.parametrize("target", [["q_proj", "v_proj"], ["q_proj", "up_proj"]])
@pytest.mark.parametrize("backbone", [tiny_phi3, tiny_llama])
def test_the_last_mlp_at_one_position_changes_nothing(
    backbone, target, tokens, users, monkeypatch
):
    """Same rewards and gradients as with all positions; a split MLP is left whole."""
    from contextlib import nullcontext

    from graphlab.lora import reward_model

    found = []
    for patch in (None, lambda *args: nullcontext()):
        if patch:
            monkeypatch.setattr(reward_model, "mlp_at", patch)
        model, mask = made(backbone(), target=target), torch.ones_like(tokens)
        mask[:3, 5:] = 0
        out = model(tokens, mask, users)["rewards"]
        out.sum().backward()
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        assert all("forward" not in vars(m) for m in model.backbone.modules())
        found.append((out, gradients))
    assert_close(found[0][0], found[1][0])
    assert len(found[0][1]) == len(found[1][1]) > 0
    for one, other in zip(found[0][1], found[1][1], strict=True):
        assert_close(one, other)


def test_the_last_mlp_sees_one_position(tokens, users):
    model, seen = made(), []
    hook = model.backbone.layers[-1].mlp.down_proj.register_forward_hook(
        lambda module, args, out: seen.append(args[0].shape)
    )
    model(tokens, None, users)
    hook.remove()
    assert seen == [(6, 1, 192)]
