"""Every layer against its docstring's formula, with dense matrices."""

import math

import pytest
import torch

from graphlab.errors import ArgumentError
from graphlab.nn import (
    APPNPConv,
    BernConv,
    ChebConv,
    GATConv,
    GCNConv,
    GINConv,
    GPRConv,
)
from graphlab.nn import OrderedConv as Ordered


@pytest.fixture
def weight(graph):
    torch.manual_seed(1)
    return torch.rand(graph[0].size(1), dtype=torch.double) + 0.1


@pytest.fixture
def x(graph):
    torch.manual_seed(2)
    return torch.randn(graph[1], 6, dtype=torch.double)


def adjacency(edge_index, num_nodes, weight=None):
    """Rows are destinations; parallel edges add up."""
    if weight is None:
        weight = torch.ones(edge_index.size(1), dtype=torch.double)
    out = torch.zeros(num_nodes, num_nodes, dtype=torch.double)
    return out.index_put((edge_index[1], edge_index[0]), weight, accumulate=True)


def normalized(matrix):
    degree = matrix.sum(1)
    scale = torch.where(degree > 0, degree.rsqrt(), 0)
    return scale[:, None] * matrix * scale[None]


def off_diagonal(edge_index, num_nodes, weight=None):
    """``I - L``; on directed graphs the degree is that of the source, as in PyG."""
    matrix = loopless(edge_index, num_nodes, weight)
    degree = matrix.sum(0)
    scale = torch.where(degree > 0, degree.rsqrt(), 0)
    return scale[:, None] * matrix * scale[None]


def looped(edge_index, num_nodes, weight=None):
    """Exactly one self-loop per node; the last one there was keeps its weight."""
    matrix = adjacency(edge_index, num_nodes, weight)
    matrix.fill_diagonal_(1)
    if weight is not None:
        for (a, b), w in zip(edge_index.t().tolist(), weight, strict=True):
            if a == b:
                matrix[a, a] = w
    return matrix


def loopless(edge_index, num_nodes, weight=None):
    return adjacency(edge_index, num_nodes, weight).fill_diagonal_(0)


@pytest.mark.parametrize("out_channels", [3, 9])
def test_gcn(graph, x, weight, out_channels):
    conv = GCNConv(6, out_channels).double()
    torch.nn.init.normal_(conv.bias)
    matrix = normalized(looped(*graph, weight))
    want = matrix @ x @ conv.lin.weight + conv.bias
    torch.testing.assert_close(conv(x, graph[0], weight), want)
    plain = GCNConv(6, 3, normalize=False, bias=False).double()
    want = adjacency(*graph, weight) @ x @ plain.lin.weight
    torch.testing.assert_close(plain(x, graph[0], weight), want)


@pytest.mark.parametrize("concat", [True, False])
def test_gat(graph, x, concat):
    conv = GATConv(6, 3, heads=2, concat=concat).double()
    torch.nn.init.normal_(conv.bias)
    h = (x @ conv.lin.weight).view(-1, 2, 3)
    outs = []
    count = adjacency(*graph).fill_diagonal_(1)  # parallel edges attend twice
    for head in range(2):
        source = h[:, head] @ conv.att_src[head]
        target = h[:, head] @ conv.att_dst[head]
        score = torch.nn.functional.leaky_relu(target[:, None] + source[None], 0.2)
        attention = count * score.exp()
        outs.append(attention / attention.sum(1, keepdim=True) @ h[:, head])
    want = torch.cat(outs, 1) if concat else torch.stack(outs).mean(0)
    torch.testing.assert_close(conv(x, graph[0]), want + conv.bias)


@pytest.mark.parametrize("K", [1, 2, 3, 5])
def test_cheb(graph, x, weight, K):
    conv = ChebConv(6, 3, K).double()
    torch.nn.init.normal_(conv.bias)
    laplacian = -off_diagonal(*graph, weight)
    terms = [torch.eye(graph[1], dtype=torch.double), laplacian]
    while len(terms) < K:
        terms.append(2 * laplacian @ terms[-1] - terms[-2])
    want = sum(t @ x @ lin.weight for t, lin in zip(terms, conv.lins, strict=False))
    torch.testing.assert_close(conv(x, graph[0], weight), want + conv.bias)


def test_appnp(graph, x, weight):
    matrix = normalized(looped(*graph, weight))
    want = x
    for _ in range(4):
        want = 0.7 * matrix @ want + 0.3 * x
    torch.testing.assert_close(APPNPConv(4, 0.3)(x, graph[0], weight), want)


def test_appnp_drops_edges_only_in_training(data):
    conv = APPNPConv(2, 0.1, dropout=0.5)
    assert not torch.equal(conv(*data), conv(*data))
    conv.eval()
    assert torch.equal(conv(*data), APPNPConv(2, 0.1)(*data))


def test_gpr(graph, x, weight):
    conv = GPRConv(4, 0.3).double()
    start = [0.3 * 0.7**k for k in range(4)] + [0.7**4]
    torch.testing.assert_close(conv.gamma, torch.tensor(start).double())
    assert math.isclose(sum(start), 1)
    torch.nn.init.normal_(conv.gamma)
    matrix = normalized(looped(*graph, weight))
    powers = [torch.linalg.matrix_power(matrix, k) for k in range(5)]
    want = sum(g * p for g, p in zip(conv.gamma, powers, strict=True)) @ x
    torch.testing.assert_close(conv(x, graph[0], weight), want)


def test_bern(graph, x, weight):
    conv = BernConv(4).double()
    torch.testing.assert_close(conv(x, graph[0], weight), x)  # starts as identity
    torch.nn.init.normal_(conv.theta)
    eye = torch.eye(graph[1], dtype=torch.double)
    laplacian = eye - off_diagonal(*graph, weight)
    power = torch.linalg.matrix_power
    want = 0
    for k, theta in enumerate(conv.theta.relu()):
        basis = power(2 * eye - laplacian, 4 - k) @ power(laplacian, k)
        want = want + theta * math.comb(4, k) / 2**4 * basis
    torch.testing.assert_close(conv(x, graph[0], weight), want @ x)


@pytest.mark.parametrize("width", [3, 9])
def test_gin(graph, x, weight, width):
    network = torch.nn.Linear(6, width).double()
    conv = GINConv(network, eps=0.7)
    eye = torch.eye(graph[1], dtype=torch.double)
    for w in (None, weight):
        matrix = adjacency(*graph, w) + 1.7 * eye
        torch.testing.assert_close(conv(x, graph[0], w), network(matrix @ x))


def test_gin_resets_all_but_takes_sparse_features_only_where_it_multiplies_first():
    conv = GINConv(torch.nn.Sequential(torch.nn.Linear(6, 3)), 0.7, train_eps=True)
    before = conv.nn[0].weight.detach().clone()
    torch.nn.init.zeros_(conv.eps)
    conv.reset_parameters()
    assert conv.eps.item() == pytest.approx(0.7)
    assert not torch.equal(conv.nn[0].weight, before)
    bare = GINConv(torch.nn.Linear(6, 3))
    before = bare.nn.weight.detach().clone()
    bare.reset_parameters()
    assert not torch.equal(bare.nn.weight, before)
    with pytest.raises(ArgumentError, match="x must be dense"):
        conv(torch.ones(2, 6).to_sparse_csr(), torch.tensor([[0], [1]]))


def test_ordered(graph, x):
    conv = Ordered(6, chunk_size=2).double()
    matrix = loopless(*graph)
    mean = matrix @ x / matrix.sum(1, keepdim=True).clamp(min=1)
    scores = torch.cat([x, mean], 1) @ conv.lin.weight + conv.lin.bias
    new = scores.softmax(1).cumsum(1)
    ordered = torch.rand(graph[1], 3, dtype=torch.double).sort(dim=1).values
    for before in (None, ordered):
        gate = new if before is None else before + (1 - before) * new
        wide = gate.repeat_interleave(2, dim=1)
        want = conv.norm(wide * x + (1 - wide) * mean)
        out, got = conv(x, graph[0], before)
        torch.testing.assert_close((out, got), (want, gate))
        assert (got.diff(dim=1) >= -1e-12).all()  # gates are ordered
        assert before is None or (got >= before).all()  # and never open again
    with pytest.raises(ArgumentError, match="chunk_size must divide the 6 channels"):
        Ordered(6, chunk_size=4)
