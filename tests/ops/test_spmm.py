import pytest
import torch
from torch.func import grad, vmap

from graphlab.errors import ArgumentError
from graphlab.ops import Csr, sddmm, spmm, torch_csr


def dense(edge_index, weight, num_src, num_dst):
    """The weighted adjacency matrix, rows are destinations."""
    matrix = weight.new_zeros(num_dst, num_src)
    return matrix.index_put((edge_index[1], edge_index[0]), weight, accumulate=True)


def reference(edge_index, x, weight=None, reduce="sum", num_dst=None):
    num_dst = x.size(0) if num_dst is None else num_dst
    ones = x.new_ones(edge_index.size(1))
    if weight is None:
        weight = ones
    if weight.dim() == 1:
        out = torch.tensordot(dense(edge_index, weight, x.size(0), num_dst), x, 1)
    else:
        heads = range(weight.size(1))
        out = [dense(edge_index, weight[:, h], x.size(0), num_dst) for h in heads]
        out = torch.stack([a @ x[:, h] for h, a in zip(heads, out, strict=True)], 1)
    if reduce == "mean":
        count = dense(edge_index, ones, x.size(0), num_dst).sum(1).clamp(min=1)
        out = out / count.view(-1, *[1] * (x.dim() - 1))
    return out


def inputs(edge_index, num_nodes, kind, dtype=torch.double):
    """Features and weights of a kind: none, one per edge, one per edge and head."""
    torch.manual_seed(0)
    shape = (num_nodes, 4) if kind in ("none", "edge") else (num_nodes, 3, 2)
    weight = {
        "none": None,
        "edge": torch.randn(edge_index.size(1), dtype=dtype),
        "shared": torch.randn(edge_index.size(1), dtype=dtype),
        "head": torch.randn(edge_index.size(1), 3, dtype=dtype),
    }[kind]
    return torch.randn(shape, dtype=dtype), weight


KINDS = pytest.mark.parametrize("kind", ["none", "edge", "shared", "head"])


@KINDS
@pytest.mark.parametrize("reduce", ["sum", "mean"])
def test_spmm_is_a_product_with_the_adjacency_matrix(graph, kind, reduce):
    edge_index, num_nodes = graph
    x, weight = inputs(edge_index, num_nodes, kind)
    out = spmm(edge_index, x, weight, reduce)
    torch.testing.assert_close(out, reference(edge_index, x, weight, reduce))


@KINDS
def test_spmm_is_permutation_equivariant(unsorted, kind):
    edge_index, num_nodes = unsorted
    x, weight = inputs(edge_index, num_nodes, kind)
    p = torch.tensor([3, 0, 4, 1, 2])
    edge_order = torch.tensor([6, 2, 0, 5, 1, 3, 4])
    moved = p.argsort()[edge_index][:, edge_order]
    permuted = spmm(moved, x[p], None if weight is None else weight[edge_order])
    torch.testing.assert_close(permuted, spmm(edge_index, x, weight)[p])


@KINDS
def test_spmm_gradients(graph, kind):
    edge_index, num_nodes = graph
    x, weight = inputs(edge_index, num_nodes, kind)
    args = [t.requires_grad_() for t in (x, weight) if t is not None]
    if num_nodes == 0:
        return

    def call(*args):
        return spmm(edge_index, *args)

    assert torch.autograd.gradcheck(call, args)
    assert torch.autograd.gradgradcheck(call, args)


@pytest.mark.parametrize("heads", [False, True])
def test_sddmm_values_and_gradients(graph, heads):
    edge_index, num_nodes = graph
    torch.manual_seed(0)
    shape = (num_nodes, 3, 2) if heads else (num_nodes, 4)
    a, b = (torch.randn(shape, dtype=torch.double) for _ in range(2))
    out = sddmm(edge_index, a, b)
    torch.testing.assert_close(out, (a[edge_index[1]] * b[edge_index[0]]).sum(-1))
    if num_nodes > 0:
        args = (a.requires_grad_(), b.requires_grad_())
        assert torch.autograd.gradcheck(lambda a, b: sddmm(edge_index, a, b), args)
        assert torch.autograd.gradgradcheck(lambda a, b: sddmm(edge_index, a, b), args)


def test_bipartite_graphs():
    edge_index = torch.tensor([[3, 0, 2, 3], [1, 0, 0, 1]])
    graph = Csr.from_edge_index(edge_index, (4, 2))
    x = torch.randn(4, 3, dtype=torch.double, requires_grad=True)
    weight = torch.randn(4, dtype=torch.double, requires_grad=True)
    expected = reference(edge_index, x, weight, num_dst=2)
    torch.testing.assert_close(spmm(graph, x, weight), expected)
    assert torch.autograd.gradgradcheck(lambda *a: spmm(graph, *a), (x, weight))
    y = torch.randn(2, 3, dtype=torch.double)
    expected = (y[edge_index[1]] * x[edge_index[0]]).sum(-1)
    torch.testing.assert_close(sddmm(graph, y, x), expected)


def test_a_sparse_matrix_brings_its_weights(unsorted):
    matrix = torch.randn(4, 4).relu()
    x = torch.randn(4, 3)
    torch.testing.assert_close(spmm(matrix.to_sparse_csr(), x), matrix @ x)


REPLICAS = [(0, None), (0, 0), (None, 0), (1, 0), (2, 1)]


@pytest.mark.parametrize(
    ("kind", "dims"),
    [("none", (0, None))]
    + [(kind, dims) for kind in ("edge", "shared", "head") for dims in REPLICAS],
)
def test_vmap_equals_a_loop(unsorted, kind, dims):
    edge_index, num_nodes = unsorted
    x, weight = inputs(edge_index, num_nodes, kind)
    torch.manual_seed(1)

    def stack(t, dim):
        if t is None or dim is None:
            return t
        return torch.randn(3, *t.shape, dtype=t.dtype).movedim(0, min(dim, t.dim()))

    x, weight = stack(x, dims[0]), stack(weight, dims[1])
    dims = tuple(
        None if d is None or t is None else min(d, t.dim() - 1)
        for t, d in zip((x, weight), dims, strict=True)
    )
    args = [t for t in (x, weight) if t is not None]
    arg_dims = dims[: len(args)]

    def one(*args):
        return spmm(edge_index, *args)

    def loop(*args):
        pick = [
            [t if d is None else t.select(d, r) for t, d in zip(args, dims)]  # noqa: B905
            for r in range(3)
        ]
        return torch.stack([one(*p) for p in pick])

    def batched(*args):
        return vmap(one, arg_dims)(*args)

    torch.testing.assert_close(batched(*args), loop(*args))
    args = [t.detach().requires_grad_() for t in args]
    torch.manual_seed(2)
    seed = torch.randn_like(loop(*args))
    for got, want in zip(
        torch.autograd.grad(batched(*args), args, seed),
        torch.autograd.grad(loop(*args), args, seed),
        strict=True,
    ):
        torch.testing.assert_close(got, want)

    # Gradients inside of vmap: one per replica, also of what replicas share.
    def score(*args):
        return one(*args).square().sum()

    every = tuple(range(len(args)))
    inner = vmap(grad(score, every), arg_dims)(*args)
    for r in range(3):
        pick = [t if d is None else t.select(d, r) for t, d in zip(args, dims)]  # noqa: B905
        want = torch.autograd.grad(score(*pick), pick)
        torch.testing.assert_close(tuple(g[r] for g in inner), want)


def test_vmap_of_second_derivatives(unsorted):
    edge_index, num_nodes = unsorted
    x = torch.randn(3, num_nodes, 2, dtype=torch.double, requires_grad=True)
    weight = torch.randn(3, 7, dtype=torch.double, requires_grad=True)

    def call(x, weight):
        return vmap(lambda x, w: spmm(edge_index, x, w))(x, weight)

    assert torch.autograd.gradgradcheck(call, (x, weight))


def test_sddmm_vmap_equals_a_loop(unsorted):
    edge_index, num_nodes = unsorted
    a, b = torch.randn(3, num_nodes, 4), torch.randn(num_nodes, 4)
    out = vmap(lambda a: sddmm(edge_index, a, b))(a)
    torch.testing.assert_close(out, torch.stack([sddmm(edge_index, r, b) for r in a]))
    a = torch.randn(3, num_nodes, 2, 4)
    out = vmap(lambda a: sddmm(edge_index, a, a))(a)
    torch.testing.assert_close(out, torch.stack([sddmm(edge_index, r, r) for r in a]))


@pytest.mark.parametrize("cap", [1, 15, 30])
def test_many_heads_are_treated_in_pieces(unsorted, cap, monkeypatch):
    edge_index, num_nodes = unsorted
    monkeypatch.setenv("GRAPHLAB_BACKEND", "torch")
    monkeypatch.setattr(torch_csr, "MAX_BLOCK_ENTRIES", cap)
    x = torch.randn(num_nodes, 5, 2, dtype=torch.double)
    weight = torch.randn(7, 5, dtype=torch.double)
    want = reference(edge_index, x, weight)
    torch.testing.assert_close(spmm(edge_index.clone(), x, weight), want)
    want = (x[edge_index[1]] * x[edge_index[0]]).sum(-1)
    torch.testing.assert_close(sddmm(edge_index.clone(), x, x), want)


def test_only_a_few_block_structures_are_kept(unsorted):
    graph = Csr.from_edge_index(unsorted[0].clone(), 5)
    for heads in range(2, 12):
        torch_csr.matmul(graph, torch.randn(5, heads, 2), torch.randn(7, heads))
    assert len(graph.cache["blocks"]) == torch_csr.MAX_BLOCKS


@pytest.mark.parametrize("dtype", [torch.half, torch.bfloat16])
def test_half_precision_is_summed_in_float32(dtype):
    edge_index = torch.stack([torch.arange(1, 5001), torch.zeros(5000).long()])
    x = torch.ones(5001, 2, dtype=dtype)  # summed in half, 2048 + 1 stays 2048
    weight = torch.full((5000,), 0.5)
    out = spmm(edge_index, x, weight)
    assert out.dtype == dtype
    torch.testing.assert_close(out[0], torch.full((2,), 2500.0).to(dtype))


def test_autocast_does_not_lower_the_precision(unsorted):
    edge_index, num_nodes = unsorted
    x, weight = inputs(edge_index, num_nodes, "edge", torch.float)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = spmm(edge_index, x, weight)
    assert torch.equal(out, spmm(edge_index, x, weight))


@pytest.mark.parametrize("shape", [(5, 0), (5, 3, 0), (5, 0, 3)])
def test_no_columns(unsorted, shape):
    x = torch.zeros(shape, requires_grad=True)
    weight = torch.ones(7, shape[1]) if len(shape) == 3 else torch.ones(7)
    out = spmm(unsorted[0], x, weight.requires_grad_())
    assert out.shape == shape
    out.sum().backward()
    assert x.grad.shape == shape and weight.grad.count_nonzero() == 0


def test_memory_layout_does_not_matter(unsorted):
    edge_index, num_nodes = unsorted
    x, weight = inputs(edge_index, num_nodes, "edge")
    strided = x.t().contiguous().t()
    torch.testing.assert_close(
        spmm(edge_index, strided, weight), spmm(edge_index, x, weight)
    )
    a = sddmm(edge_index, strided, strided[:, [0]].expand(-1, 4))
    torch.testing.assert_close(a, sddmm(edge_index, x, x[:, [0]].repeat(1, 4)))


def test_bad_arguments_are_refused(unsorted):
    edge_index = unsorted[0]
    graph = Csr.from_edge_index(edge_index, 5)
    x = torch.randn(5, 2)
    with pytest.raises(ArgumentError, match="reduce must be one of sum, mean, max"):
        spmm(edge_index, x, reduce="product")
    with pytest.raises(ArgumentError, match=r"x must have shape \[5, F\]"):
        spmm(graph, torch.randn(4, 2))
    with pytest.raises(ArgumentError, match=r"weight must have shape \[7\]"):
        spmm(edge_index, x, torch.ones(6))
    with pytest.raises(ArgumentError, match=r"\[7\] or \[7, 2\]"):
        spmm(edge_index, torch.randn(5, 2, 3), torch.ones(7, 3))
    with pytest.raises(ArgumentError, match="a and b must have 5 and 5 rows"):
        sddmm(graph, x, torch.randn(4, 2))


def test_gradients_that_are_not_laid_out_in_memory(unsorted):
    """``sum`` hands on a gradient of one number, expanded."""
    edge_index, num_nodes = unsorted
    a = torch.randn(num_nodes, 3, 2, dtype=torch.double, requires_grad=True)
    b = torch.randn(num_nodes, 3, 2, dtype=torch.double)
    (got,) = torch.autograd.grad(sddmm(edge_index, a, b).sum(), a)
    (want,) = torch.autograd.grad((a[edge_index[1]] * b[edge_index[0]]).sum(), a)
    torch.testing.assert_close(got, want)


@pytest.mark.parametrize("reduce", ["max", "min"])
@KINDS
def test_extremes_are_those_of_the_messages(graph, kind, reduce):
    edge_index, num_nodes = graph
    x, weight = inputs(edge_index, num_nodes, kind)
    out = spmm(edge_index, x, weight, reduce)
    message = x[edge_index[0]]
    if weight is not None:
        message = message * weight.view(*weight.shape, *[1] * (x.dim() - weight.dim()))
    for node in range(num_nodes):
        row = message[edge_index[1] == node]
        want = getattr(row, f"a{reduce}")(0) if len(row) else torch.zeros_like(x[0])
        assert torch.equal(out[node], want)
    args = [t.requires_grad_() for t in (x, weight) if t is not None]
    if num_nodes > 0:
        call = lambda *args: spmm(edge_index, *args, *[None] * (2 - len(args)), reduce)  # noqa: E731
        assert torch.autograd.gradcheck(call, args)


@KINDS
def test_extremes_of_replicas(unsorted, kind):
    edge_index, num_nodes = unsorted
    x, weight = inputs(edge_index, num_nodes, kind)
    x = torch.stack([x, -x, x.flip(0)])

    def loss(x, weight):
        return spmm(edge_index, x, weight, "max").pow(2).sum()

    own = None if weight is None else torch.stack([weight, -weight, weight + 1])
    for weights, dim in ((weight, None), (own, None if own is None else 0)):
        which = (0,) if weights is None else (0, 1)
        got = vmap(grad(loss, which), (0, dim))(x, weights)
        for r in range(3):
            single = weights if dim is None else weights[r]
            want = grad(loss, which)(x[r], single)
            for ours, theirs in zip(got, want, strict=True):
                torch.testing.assert_close(ours[r], theirs)


def test_an_extreme_has_no_second_derivative(unsorted):
    x = torch.randn(unsorted[1], 3, requires_grad=True)
    out = spmm(unsorted[0], x, reduce="max").pow(2).sum()
    (first,) = torch.autograd.grad(out, x, create_graph=True)
    with pytest.raises(NotImplementedError, match="no second derivative"):
        first.sum().backward()
