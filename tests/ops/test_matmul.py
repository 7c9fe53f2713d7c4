import pytest
import torch
from torch.func import grad, vmap

from graphlab.errors import ArgumentError
from graphlab.ops import SparseFeatures, matmul, sparse_features, sparse_matmul

DIMS = [(0, None), (None, 0), (0, 0), (1, 2), (2, 0)]


@pytest.mark.parametrize("dims", DIMS)
@pytest.mark.parametrize("width", [2, 6])
def test_replicas_equal_a_loop_of_plain_products(dims, width):
    torch.manual_seed(0)
    shapes = [(5, 4), (4, width)]
    args = [
        torch.randn(s if d is None else (3, *s), dtype=torch.double)
        for s, d in zip(shapes, dims, strict=True)
    ]
    stacked = [
        t if d is None else t.movedim(0, d) for t, d in zip(args, dims, strict=True)
    ]
    stacked = [t.detach().requires_grad_() for t in stacked]

    def call(x, weight):
        return vmap(matmul, dims)(x, weight)

    torch.testing.assert_close(call(*stacked), args[0] @ args[1])
    assert torch.autograd.gradcheck(call, stacked)
    assert torch.autograd.gradgradcheck(call, stacked)

    def score(x, weight):
        return matmul(x, weight).square().sum()

    inner = vmap(grad(score, (0, 1)), dims)(*stacked)
    for r in range(3):
        one = [t if d is None else t[r] for t, d in zip(args, dims, strict=True)]
        want = grad(score, (0, 1))(*one)
        torch.testing.assert_close(tuple(g[r] for g in inner), want)


def test_nested_replicas():
    x = torch.randn(2, 3, 5, 4, dtype=torch.double, requires_grad=True)
    weight = torch.randn(3, 4, 2, dtype=torch.double)

    def call(x):
        return vmap(vmap(matmul), (0, None))(x, weight)

    torch.testing.assert_close(call(x), x @ weight)
    assert torch.autograd.gradcheck(call, (x,))


def test_replicas_lie_side_by_side_in_memory():
    shared = vmap(matmul, (None, 0), out_dims=1)
    own = vmap(matmul, (1, 0), out_dims=1)
    x, weight = torch.randn(5, 4), torch.randn(3, 4, 2)
    hidden = shared(x, weight)
    assert hidden.is_contiguous()
    assert own(hidden, torch.randn(3, 2, 7)).is_contiguous()
    assert own(hidden, torch.randn(3, 2, 1)).is_contiguous()


def test_autocast_lowers_the_precision_as_usual():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert matmul(torch.randn(2, 3), torch.randn(3, 2)).dtype == torch.bfloat16


@pytest.fixture
def features():
    torch.manual_seed(0)
    x = torch.randn(6, 5, dtype=torch.double).relu()
    x[2] = 0  # a node without words
    x[:, 3] = 0  # a word without nodes
    return x


def test_sparse_matmul_equals_the_dense_product(features):
    weight = torch.randn(5, 3, dtype=torch.double, requires_grad=True)
    sparse = features.to_sparse_csr()
    torch.testing.assert_close(sparse_matmul(sparse, weight), features @ weight)
    assert torch.autograd.gradcheck(lambda w: sparse_matmul(sparse, w), (weight,))
    split = sparse_features(sparse)
    assert sparse_features(sparse) is split and sparse_features(split) is split
    values = split.values.clone().requires_grad_()

    def call(values, weight):
        return sparse_matmul(SparseFeatures(split.graph, values), weight)

    assert torch.autograd.gradcheck(call, (values, weight))


def test_sparse_matmul_of_replicas(features):
    sparse = sparse_features(features.to_sparse_csr())
    weight = torch.randn(3, 5, 2, dtype=torch.double)
    out = vmap(lambda w: sparse_matmul(sparse, w))(weight)
    torch.testing.assert_close(out, features @ weight)
    values = torch.randn(3, sparse.values.numel(), dtype=torch.double)

    def call(values, weight):
        return sparse_matmul(sparse._replace(values=values), weight)

    out = vmap(call)(values, weight)
    want = torch.stack([call(v, w) for v, w in zip(values, weight, strict=True)])
    torch.testing.assert_close(out, want)


def test_sparse_dropout_drops_stored_values_only(features):
    sparse = sparse_features(features.to_sparse_csr())
    torch.manual_seed(0)
    dropped = sparse.dropout(0.5).values
    kept = dropped != 0
    assert 0 < kept.sum() < kept.numel()
    assert torch.equal(dropped[kept], 2 * sparse.values[kept])
    assert torch.equal(sparse.dropout(0.5, training=False).values, sparse.values)
    noisy = vmap(lambda _: sparse.dropout(0.5).values, randomness="different")(
        torch.zeros(2)
    )
    assert not torch.equal(noisy[0], noisy[1])


def test_dense_features_are_refused(features):
    with pytest.raises(ArgumentError, match="must be a sparse CSR matrix"):
        sparse_matmul(features, torch.zeros(5, 2))
