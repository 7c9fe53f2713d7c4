import pytest
import torch
from torch.testing import assert_close

from graphlab.errors import ArgumentError
from graphlab.lora import (
    GateCache,
    ModalityRouter,
    TableRouter,
    UserRouter,
    UserVectors,
    expert_gates,
    load_balancing_loss,
)

SITES = [f"layers.{i}.self_attn.{p}" for i in range(3) for p in ("q_proj", "v_proj")]
P = torch.tensor([0.5, 0.3, 0.2])


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [0.5, 0.3, 0.2]),
        ({"top_k": 1}, [0.5, 0, 0]),
        ({"top_k": 2}, [0.5, 0.3, 0]),
        ({"top_k": 2, "renormalize": True}, [0.625, 0.375, 0]),
        ({"top_k": 1, "gate_power": 2}, [0.25, 0, 0]),  # the released gate
        ({"top_k": 2, "renormalize": True, "gate_power": 2}, [0.625**2, 0.375**2, 0]),
        ({"top_k": 3}, [0.5, 0.3, 0.2]),
    ],
)
def test_gates_of_probabilities(settings, expected):
    assert_close(expert_gates(P, **settings), torch.tensor(expected))


def test_each_router_is_the_mlp_of_the_formula():
    router = UserRouter(5, 3, SITES, hidden_channels=7, temperature=0.5)
    user = torch.randn(4, 5)
    gates = router(user)
    assert list(gates) == SITES
    for number, site in enumerate(SITES):
        (w1, w2), (b1, b2) = (
            [p[number] for p in pair] for pair in (router.weights, router.biases)
        )
        z = (user @ w1 + b1).relu() @ w2 + b2
        assert_close(gates[site], (z / 0.5).softmax(-1))
    linear = UserRouter(5, 3, SITES[:1], hidden_channels=None)
    z = user @ linear.weights[0][0] + linear.biases[0][0]
    assert_close(linear(user)[SITES[0]], z.softmax(-1))


@pytest.mark.parametrize(("per", "count"), [("site", 6), ("layer", 3), ("model", 1)])
@pytest.mark.parametrize("kind", [UserRouter, TableRouter])
def test_number_of_routers(kind, per, count):
    router = kind(5, 3, SITES, per=per)
    gates = router(torch.tensor([1, 2]) if kind is TableRouter else torch.randn(2, 5))
    assert router.num_routers == count
    assert len({id(each) for each in gates.values()}) == count
    assert (gates[SITES[0]] is gates[SITES[1]]) == (per != "site")


def test_noise_is_for_training_and_repeatable():
    router, user = UserRouter(5, 3, SITES, noise=0.5), torch.randn(4, 5)

    def draw(seed):
        return router(user, torch.Generator().manual_seed(seed))[SITES[0]]

    assert torch.equal(draw(0), draw(0)) and not torch.equal(draw(0), draw(1))
    assert not torch.equal(router(user)[SITES[0]], router(user)[SITES[0]])
    router.eval()
    assert torch.equal(draw(0), draw(1))


def test_routing_stays_in_float32():
    router, user = UserRouter(5, 3, SITES).eval(), torch.randn(4, 5)
    expected = router(user)[SITES[0]]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(router(user)[SITES[0]], expected)
    out = router.bfloat16()(user.bfloat16())[SITES[0]]
    assert out.dtype == torch.float32
    assert_close(out.sum(-1), torch.ones(4), atol=1e-6, rtol=0)


def test_top_one_takes_the_most_probable_expert():
    router, user = UserRouter(5, 4, SITES, top_k=1), torch.randn(6, 5)
    routing = router.route(user)
    for number, site in enumerate(SITES):
        p, best = routing.probabilities[number].max(-1)
        gates = routing.gates[site]
        assert ((gates > 0).sum(-1) == 1).all()
        assert torch.equal(gates.gather(-1, best[:, None])[:, 0], p)


def test_balance_loss():
    p = torch.softmax(torch.randn(2, 8, 3), -1).requires_grad_()
    expected = 0
    for router in p:
        share = torch.tensor(
            [(router.argmax(-1) == e).float().mean() for e in range(3)]
        )
        expected = expected + 3 * (share * router.mean(0)).sum() / 2
    assert_close(load_balancing_loss(p), expected)
    assert_close(load_balancing_loss(torch.eye(3)), torch.tensor(1.0))
    assert_close(load_balancing_loss(torch.eye(3)[[0, 0, 0]]), torch.tensor(3.0))
    load_balancing_loss(p).backward()
    assert p.grad.abs().max() > 0


def test_balance_loss_spreads_the_users():
    torch.manual_seed(0)
    router, user = UserRouter(5, 3, SITES[:1], hidden_channels=8), torch.randn(64, 5)
    with torch.no_grad():
        router.biases[1][..., 0] += 3  # one expert takes everything
    before = router.route(user).balance_loss()
    optimizer = torch.optim.Adam(router.parameters(), 0.05)
    for _ in range(50):
        optimizer.zero_grad()
        router.route(user).balance_loss().backward()
        optimizer.step()
    assert before > 2 and router.route(user).balance_loss() < 1.2


def test_table_rows_are_the_gates():
    router = TableRouter(4, 3, SITES[:1], temperature=2.0)
    gates = router(torch.tensor([3, 0]))[SITES[0]]
    assert_close(gates, (router.table[[3, 0], 0] / 2).softmax(-1))
    gates[:, 0].sum().backward()
    assert (router.table.grad.abs().amax((1, 2)) > 0).tolist() == [True, 0, 0, True]


def test_modes_per_token():
    router = ModalityRouter()
    tokens = torch.tensor([[0, 1, 1], [0, 2, 3]])
    assert router(tokens).tolist() == [
        [[0, 0], [1, 0], [1, 0]],
        [[0, 0], [0, 1], [1, 0]],
    ]
    assert router(torch.zeros(2, 3, dtype=torch.long)) is None
    assert router(["vision_speech"]).tolist() == [[1, 0]]
    assert not list(router.parameters()) and not router.state_dict()
    assert router.bfloat16()(["speech"]).dtype == torch.float32


def test_cached_gates_are_the_routers():
    router = UserRouter(5, 3, SITES, per="layer", noise=1.0, top_k=2)
    users = UserVectors(torch.randn(7, 5), [f"u{i}" for i in range(7)])
    cache = GateCache(router, users, batch_size=3)
    assert router.training
    expected = router.eval()(users.vectors[[5, 0]])
    for site, gates in cache.gates(["u5", "u0"]).items():
        assert_close(gates, expected[site])
    with pytest.raises(ArgumentError, match="user 'u9' has no vector among the 7"):
        cache.gates(["u9"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"top_k": 4}, "top_k must be in 1..3"),
        ({"top_k": 0}, "top_k"),
        ({"top_k": 1, "renormalize": True}, "renormalize with top_k=1"),
        ({"temperature": 0.0}, "temperature"),
        ({"gate_power": 0}, "gate_power"),
        ({"noise": -1.0}, "noise"),
        ({"per": "head"}, "per must be"),
        ({"hidden_channels": -1}, "hidden_channels"),
        ({"sites": []}, "sites"),
    ],
)
def test_settings_that_make_no_sense(settings, message):
    with pytest.raises(ArgumentError, match=message):
        UserRouter(5, 3, **{"sites": SITES, **settings})


def test_inputs_that_make_no_sense():
    with pytest.raises(ArgumentError, match=r"\[B, 5\], got \[2, 4\]"):
        UserRouter(5, 3, SITES)(torch.randn(2, 4))
    with pytest.raises(ArgumentError, match="ids must be in 0..4, got -1..2"):
        TableRouter(5, 3, SITES)(torch.tensor([2, -1]))
    with pytest.raises(ArgumentError, match="whole numbers"):
        TableRouter(5, 3, SITES)(torch.randn(2))
    with pytest.raises(ArgumentError, match="modes must be among .* got 'smell'"):
        ModalityRouter()(["text", "smell"])
    with pytest.raises(ArgumentError, match="0..3"):
        ModalityRouter()(torch.tensor([4]))
    with pytest.raises(ArgumentError, match=r"got \['smell'\]"):
        ModalityRouter({"text": ("smell",)})


def test_user_vectors_by_id(tmp_path):
    users = UserVectors(torch.randn(3, 2), ["b", 7, "a"])
    loaded = UserVectors.load(users.save(tmp_path))
    assert loaded.ids == ["b", 7, "a"] and torch.equal(loaded["a"], users.vectors[2])
    with pytest.raises(ArgumentError, match="user '7' has no vector"):
        loaded["7"]
    with pytest.raises(ArgumentError, match="3 different ones"):
        UserVectors(torch.randn(3, 2), [1, 1, 2])
    with pytest.raises(ArgumentError, match="int or str"):
        UserVectors(torch.randn(1, 2), [(1, 2)]).save(tmp_path)
