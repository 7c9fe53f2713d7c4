import copy

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from graphlab.errors import ArgumentError
from graphlab.lora import GateContext, LoRAExpertLinear

RANKS, ALPHAS = [3, 1, 4], [6.0, 5.0, 1.0]


def made(**settings):
    torch.manual_seed(0)
    layer = LoRAExpertLinear(nn.Linear(7, 5), RANKS, ALPHAS, **settings)
    nn.init.normal_(layer.lora_B)
    return layer


def one_by_one(layer, x, gates, shared_alpha=None):
    """The formula of the docstring, sample by sample and expert by expert."""
    out = []
    for row, g in zip(x, gates, strict=True):
        y = row @ layer.base.weight.T + layer.base.bias
        at = 0
        experts = list(zip(RANKS, ALPHAS, g, strict=True))
        if layer.shared_rank:
            experts.append((layer.shared_rank, shared_alpha, torch.tensor(1.0)))
        for rank, alpha, gate in experts:
            a = layer.lora_A[at : at + rank]
            b = layer.lora_B[:, at : at + rank]
            y = y + gate * alpha / rank * (row @ a.T @ b.T)
            at += rank
        out.append(y)
    return torch.stack(out)


def test_equals_the_formula():
    layer, gates = made(), torch.rand(4, 3)
    for shape in [(4, 7), (4, 6, 7)]:
        x = torch.randn(shape)
        assert_close(layer(x, gates), one_by_one(layer, x, gates))


def test_shared_expert_is_always_on():
    layer, x = made(shared_rank=2, shared_alpha=3.0), torch.randn(4, 6, 7)
    gates = torch.rand(4, 3)
    assert_close(layer(x, gates), one_by_one(layer, x, gates, 3.0))
    off = one_by_one(layer, x, torch.zeros(4, 3), 3.0)
    assert (off - layer.base(x)).abs().max() > 1e-2
    assert_close(layer(x, torch.zeros(4, 3)), off)


def test_gates_per_token():
    layer, x, gates = made(), torch.randn(2, 6, 7), torch.rand(2, 6, 3)
    expected = one_by_one(layer, x.flatten(0, 1), gates.flatten(0, 1))
    assert_close(layer(x, gates), expected.view(2, 6, 5))


def test_slices_have_experts_of_their_own():
    layer = made(slices={"v": (4, 5), "q": (0, 2)})  # rows 2 and 3 have none
    x = torch.randn(4, 6, 7)
    gates = {"q": torch.rand(4, 3), "v": torch.rand(4, 3)}
    expected = layer.base(x)
    for name, (a, b, (start, stop)) in layer.parts().items():
        single = LoRAExpertLinear(nn.Linear(7, stop - start), RANKS, ALPHAS)
        single.base.weight.data.zero_()
        single.base.bias.data.zero_()
        single.lora_A.data, single.lora_B.data = a.data, b.data
        expected[..., start:stop] += single(x, gates[name])
    assert_close(layer(x, gates), expected)
    assert not torch.equal(layer(x, torch.ones(4, 3)), expected)


def test_starts_as_the_base_and_from_its_generator():
    layers = [
        LoRAExpertLinear(
            nn.Linear(7, 5), [2], generator=torch.Generator().manual_seed(1)
        )
        for _ in range(2)
    ]
    x = torch.randn(3, 7)
    assert torch.equal(layers[0](x, torch.ones(3, 1)), layers[0].base(x))
    assert torch.equal(layers[0].lora_A, layers[1].lora_A)
    assert layers[0].lora_A.abs().max() <= 7**-0.5
    assert layers[0].lora_A.std().item() == pytest.approx((1 / 7 / 3) ** 0.5, rel=0.3)


def test_only_the_experts_are_trained():
    layer = made()
    trained = [name for name, p in layer.named_parameters() if p.requires_grad]
    assert trained == ["lora_A", "lora_B"]


def test_gradients_of_gates_and_experts():
    layer, x = made().double(), torch.randn(2, 3, 7).double()
    gates = torch.rand(2, 3, requires_grad=True)

    def loss(gates):
        return layer(x, gates).square().sum()

    loss(gates).backward()
    for row, expert in [(0, 0), (1, 2)]:
        moved = torch.zeros(2, 3)
        moved[row, expert] = 1e-2
        with torch.no_grad():
            slope = (loss(gates + moved) - loss(gates - moved)) / 2e-2
        assert_close(gates.grad[row, expert].double(), slope, rtol=1e-3, atol=1e-4)


def test_a_cast_of_the_model_leaves_the_scales_alone():
    layer = LoRAExpertLinear(nn.Linear(7, 5), [3], [1.0])  # 1/3 is no bfloat16
    weights = layer.bfloat16().weights_of(torch.ones(1, 1))
    assert torch.equal(weights, torch.full((1, 3), 1 / 3))
    out = layer(torch.randn(2, 7).bfloat16(), torch.ones(2, 1))
    assert out.dtype == torch.bfloat16


def test_bfloat16_base_with_experts_in_float32():
    layer = made()
    layer.base.bfloat16()
    x, gates = torch.randn(2, 6, 7).bfloat16(), torch.rand(2, 3)
    delta = made()(x.float(), gates) - made().base(x.float())
    out = layer(x, gates)
    assert out.dtype == torch.bfloat16
    # The base's own rounding apart, one rounding to 8 bits.
    expected = layer.base(x).float() + delta
    assert ((out.float() - expected).abs() <= expected.abs() / 256 + 1e-6).all()


def test_autocast_keeps_gates_in_float32():
    layer, x = made(), torch.randn(2, 6, 7)
    gates = torch.rand(2, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(layer.weights_of(gates), made().weights_of(gates))
        out = layer(x, gates)
    assert out.dtype == torch.bfloat16
    assert_close(out.float(), layer(x, gates), atol=0.15, rtol=0.05)


def test_dropout_is_the_experts_alone_and_in_training_alone():
    layer, x, gates = made(dropout=0.5), torch.ones(2, 6, 7), torch.ones(2, 3)
    assert not torch.equal(layer(x, gates), layer(x, gates))
    assert torch.equal(layer(x, torch.zeros(2, 3)), layer.base(x))
    layer.eval()
    assert_close(layer(x, gates), one_by_one(layer, x, gates))


def test_gates_come_from_the_context():
    context = GateContext(["a"], 3)
    layer = made(slices={"a": (0, 5)}, context=context)
    x, gates = torch.randn(2, 7), torch.rand(2, 3)
    with context.use({"a": gates}):
        assert torch.equal(layer(x), layer(x, gates))
        with context.use(None):
            assert torch.equal(layer(x), layer.base(x))
        assert torch.equal(layer(x), layer(x, gates))
    with pytest.raises(ArgumentError, match="no gates set for 'a'"):
        layer(x)


def test_an_error_inside_use_does_not_leave_gates_behind():
    context = GateContext(["a"], 3)
    with pytest.raises(ZeroDivisionError), context.use(None):
        raise ZeroDivisionError
    assert not context.active


def test_copies_have_a_context_of_their_own():
    context = GateContext(["a"], 3)
    layer = copy.deepcopy(made(slices={"a": (0, 5)}, context=context))
    with context.use(torch.ones(2, 3)), pytest.raises(ArgumentError, match="no gates"):
        layer(torch.randn(2, 7))


@pytest.mark.parametrize(
    ("gates", "message"),
    [
        (torch.ones(2, 4), r"\[B, 3\] or \[B, T, 3\], got torch.float32 .*\[2, 4\]"),
        (torch.ones(3), "got torch.float32 of shape"),
        (torch.ones(2, 3, dtype=torch.long), "floating point"),
        (torch.ones(5, 3), r"\[2, 6, 7\], got \[5, 3\]"),
        (torch.ones(2, 5, 3), r"\[2, 6, 7\], got \[2, 5, 3\]"),
        ([[1.0] * 3] * 2, "must be a tensor, got list"),
    ],
)
def test_gates_of_wrong_shape(gates, message):
    with pytest.raises(ArgumentError, match=message):
        made()(torch.randn(2, 6, 7), gates)


def test_no_gates_and_no_context():
    with pytest.raises(ArgumentError, match="no gates"):
        made()(torch.randn(2, 7))


def test_context_wants_every_site():
    context = GateContext(["a", "b"], 3)
    with pytest.raises(ArgumentError, match="missing: 'b'; unknown: 'c'"):
        with context.use({"a": torch.ones(1, 3), "c": torch.ones(1, 3)}):
            pass
    with pytest.raises(ArgumentError, match=r"gates\['b'\]"):
        with context.use({"a": torch.ones(1, 3), "b": torch.ones(1, 2)}):
            pass


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ranks": []}, "ranks"),
        ({"ranks": [0]}, "ranks"),
        ({"ranks": [2, True]}, "ranks"),
        ({"ranks": [2], "alphas": [1, 2]}, "alphas must be 1"),
        ({"ranks": [2], "alphas": [float("nan")]}, "alphas"),
        ({"ranks": [2], "shared_rank": -1}, "shared_rank"),
        ({"ranks": [2], "dropout": 1.0}, "dropout"),
        ({"ranks": [2], "slices": {"a": (0, 6)}}, "slices"),
        ({"ranks": [2], "slices": {"a": (0, 3), "b": (2, 5)}}, "disjoint"),
        ({"ranks": [2], "slices": {}}, "slices"),
    ],
)
def test_settings_that_make_no_sense(settings, message):
    with pytest.raises(ArgumentError, match=message):
        LoRAExpertLinear(nn.Linear(7, 5), **settings)
