"""Messages from anchors: the formula, gradients, and no tensor of all messages."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from graphlab.errors import ArgumentError
from graphlab.ops import anchor_messages


def dense(scale, source, target, weight, anchors=None):
    """The formula, with all messages at once."""
    terms = source if anchors is None else source[anchors]
    messages = (scale.unsqueeze(2) * terms + target.unsqueeze(1)).relu()
    return messages.mean(1), messages @ weight


def inputs(own=False, n=7, k=5, d=3, dtype=torch.float64):
    torch.manual_seed(1)
    rows = 9 if own else k
    shapes = ((n, k), (rows, d), (n, d), (d,))
    tensors = [torch.randn(s, dtype=dtype, requires_grad=True) for s in shapes]
    return *tensors, torch.randint(rows, (n, k)) if own else None


@pytest.fixture(params=[1, 50, 2**20], ids=["one_by_one", "blocks", "at_once"])
def _block(request, monkeypatch):
    monkeypatch.setitem(anchor_messages.__globals__, "BLOCK_ENTRIES", request.param)


@pytest.mark.usefixtures("_block")
@pytest.mark.parametrize("own", [False, True])
def test_values_and_gradients_are_those_of_the_formula(own):
    args = inputs(own)
    got, want = anchor_messages(*args), dense(*args)
    torch.testing.assert_close(got, want)
    seeds = [torch.randn_like(part) for part in want]
    torch.testing.assert_close(
        torch.autograd.grad(got, args[:4], seeds),
        torch.autograd.grad(want, args[:4], seeds),
    )


@pytest.mark.usefixtures("_block")
@pytest.mark.parametrize("own", [False, True])
def test_gradients_twice(own):
    *tensors, anchors = inputs(own, n=3, k=4, d=2)
    call = lambda *parts: anchor_messages(*parts, anchors)  # noqa: E731
    assert torch.autograd.gradcheck(call, tensors)
    assert torch.autograd.gradgradcheck(call, tensors)


@pytest.mark.parametrize("own", [False, True])
def test_maps_over_replicas(own):
    scale, source, target, weight, anchors = inputs(own)
    stack = torch.stack([weight, 2 * weight]).detach()
    got = torch.vmap(lambda w: anchor_messages(scale, source, target, w, anchors)[1])(
        stack
    )
    torch.testing.assert_close(got[1], 2 * got[0])
    torch.testing.assert_close(got[0], dense(scale, source, target, weight, anchors)[1])


@pytest.mark.usefixtures("_block")
@pytest.mark.parametrize("own", [False, True])
def test_gradients_of_replicas(own):
    """Of weights that differ, while all that they meet is shared."""
    scale, source, target, weight, anchors = inputs(own)
    stack = torch.stack([weight, -weight]).detach()

    def loss(call):
        def of(source, weight):
            mean, position = call(scale, source, target, weight, anchors)
            return mean.sum() + position.square().sum()

        return torch.vmap(torch.func.grad(of, (0, 1)), (None, 0))

    parts = source.detach(), stack
    torch.testing.assert_close(loss(anchor_messages)(*parts), loss(dense)(*parts))


class Largest(TorchDispatchMode):
    """The number of entries of the largest tensor made."""

    entries = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for part in out if isinstance(out, tuple | list) else [out]:
            if isinstance(part, torch.Tensor):
                self.entries = max(self.entries, part.numel())
        return out


def test_no_tensor_holds_all_messages(monkeypatch):
    monkeypatch.setitem(anchor_messages.__globals__, "BLOCK_ENTRIES", 1)
    n, k, d = 300, 40, 20
    args = inputs(n=n, k=k, d=d)
    with Largest() as mode:
        sum(part.sum() for part in anchor_messages(*args)).backward()
    assert n * d <= mode.entries <= n * max(d, k)
    with Largest() as mode:  # what the formula makes is seen
        dense(*args)
    assert mode.entries == n * k * d


def test_without_anchors_there_is_nothing():
    mean, position = anchor_messages(
        torch.ones(4, 0), torch.ones(0, 3), torch.ones(4, 3), torch.ones(3)
    )
    assert not mean.any() and position.shape == (4, 0)


@pytest.mark.parametrize("wrong", range(5))
def test_shapes_that_do_not_fit(wrong):
    args = list(inputs(own=True))
    args[wrong] = args[wrong][:-1]
    if wrong == 1:
        args[1] = args[1][:, 1:]
    with pytest.raises(ArgumentError, match="shapes"):
        anchor_messages(*args)
