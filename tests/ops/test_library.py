"""The registered operations: schema, fake kernels, autograd, vmap and compilation."""

import gc

import pytest
import torch
from torch.func import vmap
from torch.library import opcheck

from graphlab.errors import GraphlabError
from graphlab.ops import Csr, attend, edge_softmax, library, sddmm, spmm


@pytest.fixture
def case(unsorted):
    """Structure, x [2, N, F], weights [2, E, H] of the small graph."""
    torch.manual_seed(0)
    graph = Csr.from_edge_index(unsorted[0].clone(), unsorted[1])
    x = torch.randn(2, 5, 6, dtype=torch.double, requires_grad=True)
    weight = torch.randn(2, 7, 3, dtype=torch.double, requires_grad=True)
    return graph, x, weight


def test_opcheck_of_products(case):
    graph, x, weight = case
    handle = graph.handle
    opcheck(library.spmm, (handle, False, 5, x, weight, False))
    opcheck(library.spmm, (handle, True, 5, x, None, True))
    opcheck(library.sddmm, (handle, False, 7, x, x.detach().clone(), 3))
    opcheck(library.degree, (handle, False, 5, x.detach()))


def test_opcheck_of_extremes(case):
    graph, x, weight = case
    opcheck(library.extreme, (graph.handle, 5, x, weight, True))
    opcheck(library.extreme, (graph.handle, 5, x, None, False))
    with torch.no_grad():
        out, arg = library.extreme(graph.handle, 5, x, weight, True)
        opcheck(library.extreme_backward, (graph.handle, out, arg, x, weight))


def test_opcheck_of_softmax(case):
    graph, _, logits = case
    opcheck(library.edge_softmax, (graph.handle, logits))
    alpha = library.edge_softmax(graph.handle, logits).detach()
    opcheck(library.edge_softmax_backward, (graph.handle, alpha, alpha * 2))


@pytest.mark.parametrize("score", ["additive", "gatv2", "dot"])
def test_opcheck_of_attention(case, score):
    graph = case[0]
    inner = () if score == "additive" else (4,)

    def new(*shape):
        return torch.randn(shape, dtype=torch.double, requires_grad=True)

    query, key, value = new(2, 5, 3, *inner), new(2, 5, 3, *inner), new(2, 5, 3, 2)
    att = new(1, 3, 4) if score == "gatv2" else None
    seeds = torch.tensor([3, 4])
    args = (graph.handle, score, query, key, value, att, seeds, 0.2, 0.5, 0.7)
    opcheck(library.attend, args)
    with torch.no_grad():
        out, lse = library.attend(*args)
        opcheck(library.attend_backward, (*args, out, lse, out * 2))


def test_opcheck_of_structures(unsorted):
    # Not the dispatch test: the number is another one for another tensor, by design.
    tests = ("test_schema", "test_autograd_registration", "test_faketensor")
    opcheck(library.structure_of, (unsorted[0], 5, 5), test_utils=tests)
    for kind in ("gcn", "gcn_loopless", "sym", "looped", "loopless"):
        args = (unsorted[0], None, 5, kind, torch.float)
        opcheck(library.normalize, args, test_utils=tests)


@pytest.mark.parametrize("as_edges", [True, False])
def test_compiled_operations_equal_eager_ones(unsorted, as_edges):
    edge_index, num_nodes = unsorted[0].clone(), unsorted[1]
    graph = edge_index if as_edges else Csr.from_edge_index(edge_index, num_nodes)

    def step(x, weight, query):
        out = spmm(graph, x, weight).relu() + spmm(graph, x, reduce="mean")
        out = out + spmm(graph, x, weight, "max") * spmm(graph, x, reduce="min")
        value = out.unflatten(1, (2, 2))
        attended = attend(graph, query, query, value, score="additive")
        scores = sddmm(graph, out, attended.flatten(1))
        if not as_edges:
            scores = edge_softmax(graph, scores)
        return spmm(graph, out, scores).sum()

    torch.manual_seed(0)
    leaves = [torch.randn(num_nodes, 4), torch.randn(7), torch.randn(num_nodes, 2)]
    leaves = [t.double().requires_grad_() for t in leaves]
    want = torch.autograd.grad(step(*leaves), leaves)
    compiled = torch.compile(step, backend="aot_eager", fullgraph=True)
    got = torch.autograd.grad(compiled(*leaves), leaves)
    for ours, theirs in zip(got, want, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_registered_operations_under_vmap(case):
    graph, x, weight = case
    x = torch.randn(3, 2, 5, 6, dtype=torch.double)

    def one(x):
        return library.spmm(graph.handle, False, 5, x, weight, False)

    torch.testing.assert_close(vmap(one)(x), torch.stack([one(r) for r in x]))


def test_a_structure_that_is_gone_is_an_error():
    handle = Csr.from_edge_index(torch.tensor([[0], [1]]), 2).handle
    gc.collect()
    with pytest.raises(GraphlabError, match="no longer exists"):
        library.spmm(handle, False, 2, torch.ones(1, 2, 1), None, False)
