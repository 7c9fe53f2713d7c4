import pytest
import torch
import torch.nn.functional as F
from torch.func import grad, vmap

from graphlab.errors import ArgumentError
from graphlab.ops import attend
from graphlab.ops.attend import SCORES

KINDS = pytest.mark.parametrize("score", SCORES)


def inputs(num_nodes, score, heads=3, width=4, dtype=torch.double):
    torch.manual_seed(0)
    inner = () if score == "additive" else (5,)
    query = torch.randn(num_nodes, heads, *inner, dtype=dtype)
    key = torch.randn(num_nodes, heads, *inner, dtype=dtype)
    value = torch.randn(num_nodes, heads, width, dtype=dtype)
    att = torch.randn(heads, 5, dtype=dtype) if score == "gatv2" else None
    return query, key, value, att


def dense(edge_index, query, key, value, att, score):
    """The docstring's formula, over all pairs of nodes, edge by edge counted."""
    num_dst, num_src = query.size(0), key.size(0)
    count = value.new_zeros(num_dst, num_src).index_put(
        (edge_index[1], edge_index[0]), value.new_ones(()), accumulate=True
    )
    pair = query[:, None] + key[None] if score != "dot" else None
    if score == "additive":
        scores = F.leaky_relu(pair, 0.2)
    elif score == "gatv2":
        scores = (F.leaky_relu(pair, 0.2) * att).sum(-1)
    else:
        scores = torch.einsum("ihd,jhd->ijh", query, key) / query.size(-1) ** 0.5
    mass = count[..., None] * scores.exp()  # duplicates count twice
    total = mass.sum(1, keepdim=True)
    alpha = mass / torch.where(total > 0, total, 1)
    return torch.einsum("ijh,jhc->ihc", alpha, value)


@KINDS
def test_attend_is_the_dense_formula(graph, score):
    edge_index, num_nodes = graph
    args = inputs(num_nodes, score)
    out = attend(edge_index, *args, score=score)
    torch.testing.assert_close(out, dense(edge_index, *args, score))


@KINDS
@pytest.mark.parametrize("heads, width", [(1, 1), (1, 16), (8, 8), (3, 7), (2, 32)])
def test_attend_of_all_widths_in_single_precision(score, heads, width):
    torch.manual_seed(0)
    edge_index = torch.randint(40, (2, 400))
    edge_index[1, :150] = 7  # a hub, longer than a block
    args = inputs(40, score, heads, width, torch.float)
    leaves = [t.requires_grad_() for t in args if t is not None]
    out = attend(edge_index, *args, score=score)
    want = dense(edge_index, *args, score)
    torch.testing.assert_close(out, want, rtol=1e-4, atol=1e-5)
    up = torch.randn_like(out)
    got = torch.autograd.grad(out, leaves, up)
    for ours, theirs in zip(got, torch.autograd.grad(want, leaves, up), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


@KINDS
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_attend_gradients(unsorted, score, dropout):
    edge_index, num_nodes = unsorted
    args = [t.requires_grad_() for t in inputs(num_nodes, score) if t is not None]

    def call(*args):
        torch.manual_seed(3)  # the same noise at every call
        return attend(edge_index, *args, score=score, dropout=dropout)

    assert torch.autograd.gradcheck(call, args)
    assert torch.autograd.gradgradcheck(call, args)


@KINDS
def test_attend_is_permutation_equivariant(unsorted, score):
    edge_index, num_nodes = unsorted
    query, key, value, att = inputs(num_nodes, score)
    p = torch.tensor([3, 0, 4, 1, 2])
    moved = p.argsort()[edge_index][:, torch.tensor([6, 2, 0, 5, 1, 3, 4])]
    out = attend(moved, query[p], key[p], value[p], att, score=score)
    want = attend(edge_index, query, key, value, att, score=score)[p]
    torch.testing.assert_close(out, want)


@KINDS
@pytest.mark.parametrize("shared_att", [True, False])
def test_attend_of_replicas(unsorted, score, shared_att):
    edge_index, num_nodes = unsorted
    sets = [inputs(num_nodes, score) for _ in range(3)]
    stacks = [
        None
        if parts[0] is None
        else torch.stack([p * (i + 1) for i, p in enumerate(parts)])
        for parts in zip(*sets, strict=True)
    ]
    dims = [0, 0, 0, None]
    if score == "gatv2":
        dims[3] = None if shared_att else 0
        stacks[3] = stacks[3][0] if shared_att else stacks[3]

    def call(query, key, value, att):
        return attend(edge_index, query, key, value, att, score=score)

    def loss(query, key, value, att):
        return call(query, key, value, att).pow(2).sum()

    def single(r):
        pairs = zip(stacks, dims, strict=True)
        return [s if d is None or s is None else s[r] for s, d in pairs]

    out = vmap(call, tuple(dims))(*stacks)
    torch.testing.assert_close(out, torch.stack([call(*single(r)) for r in range(3)]))
    which = (0, 1, 2, 3) if score == "gatv2" else (0, 1, 2)
    got = vmap(grad(loss, which), tuple(dims))(*stacks)
    for r in range(3):
        for ours, want in zip(got, grad(loss, which)(*single(r)), strict=True):
            torch.testing.assert_close(ours[r], want)


def test_dropout_keeps_the_expectation_and_the_seed():
    edge_index = torch.stack([torch.arange(2000), torch.zeros(2000).long()])
    query, key = torch.zeros(1, 1), torch.zeros(2000, 1)
    value = torch.ones(2000, 1, 1)
    torch.manual_seed(0)
    a = attend(edge_index, query, key, value, score="additive", dropout=0.3)
    b = attend(edge_index, query, key, value, score="additive", dropout=0.3)
    torch.manual_seed(0)
    c = attend(edge_index, query, key, value, score="additive", dropout=0.3)
    assert torch.equal(a, c) and not torch.equal(a, b)
    assert abs(a.item() - 1) < 0.06  # 4 standard deviations of 2000 coin flips
    args = (edge_index, query, key, value)
    eval_ = attend(*args, score="additive", dropout=0.3, training=False)
    assert eval_.item() == pytest.approx(1, rel=1e-4)
    assert attend(*args, score="additive", dropout=1.0).item() == 0


@pytest.mark.parametrize("dtype", [torch.half, torch.bfloat16])
@KINDS
def test_half_precision(dtype, score):
    torch.manual_seed(0)
    edge_index = torch.randint(30, (2, 200))
    args = inputs(30, score, 2, 8, torch.float)
    args = [None if t is None else t.to(dtype) for t in args]
    exact = [None if t is None else t.double() for t in args]
    out = attend(edge_index, *args, score=score)
    assert out.dtype == dtype
    want = dense(edge_index, *exact, score)
    error = (out.double() - want).abs().max() / want.abs().max()
    assert error < (2e-3 if dtype == torch.half else 2e-2)


def test_large_and_infinite_scores():
    edge_index = torch.tensor([[0, 1, 2], [0, 0, 1]])
    query, value = torch.zeros(3, 1), torch.eye(3).unsqueeze(1)
    key = torch.tensor([[1e4], [1e4], [-torch.inf]])
    out = attend(edge_index, query, key, value, score="additive")
    assert torch.equal(out[0], torch.tensor([[0.5, 0.5, 0.0]]))
    assert torch.equal(out[1:], torch.zeros(2, 1, 3))  # only -inf, and no edge
    key[0] = torch.nan
    out = attend(edge_index, query, key, value, score="additive")
    assert out[0].isnan().all() and not out[1:].isnan().any()


def test_bad_arguments_are_refused(unsorted):
    edge_index, num_nodes = unsorted
    query, key, value, att = inputs(num_nodes, "gatv2")
    with pytest.raises(ArgumentError, match="score must be one of"):
        attend(edge_index, query, key, value, score="cosine")
    with pytest.raises(ArgumentError, match="att must be given"):
        attend(edge_index, query, key, value, score="gatv2")
    with pytest.raises(ArgumentError, match="att must have shape"):
        attend(edge_index, query, key, value, att[:2], score="gatv2")
    with pytest.raises(ArgumentError, match=r"value must have shape \[5, H, C\]"):
        attend(edge_index, query, key, value[:4])
    with pytest.raises(ArgumentError, match=r"query must have shape \[5, 3\]"):
        attend(edge_index, query, key, value, score="additive")
    with pytest.raises(ArgumentError, match="dropout: got 1.5"):
        attend(edge_index, query, key, value, dropout=1.5)
    with pytest.raises(ArgumentError, match="negative_slope: got -0.1"):
        attend(edge_index, query, key, value, negative_slope=-0.1)
