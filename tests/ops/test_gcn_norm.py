import pytest
import torch
from torch.func import vmap
from torch_geometric.nn.conv.gcn_conv import gcn_norm as pyg_gcn_norm
from torch_geometric.utils import get_laplacian

from graphlab.ops import (
    Csr,
    gcn_norm,
    spmm,
    sym_norm,
    with_self_loops,
    without_self_loops,
)


def dense(edge_index, weight, num_nodes):
    out = weight.new_zeros(num_nodes, num_nodes)
    return out.index_put((edge_index[1], edge_index[0]), weight, accumulate=True)


@pytest.mark.parametrize("loops", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_values_are_those_of_pyg(graph, loops, weighted):
    edge_index, num_nodes = graph
    torch.manual_seed(0)
    weight = torch.rand(edge_index.size(1), dtype=torch.double) if weighted else None
    edges, norm = gcn_norm(edge_index, weight, num_nodes, loops, torch.double)
    assert (edges[1].diff() >= 0).all()
    want = pyg_gcn_norm(
        edge_index, weight, num_nodes, add_self_loops=loops, dtype=torch.double
    )
    assert want[0].size(1) == edges.size(1)
    torch.testing.assert_close(dense(edges, norm, num_nodes), dense(*want, num_nodes))


def test_weights_have_gradients_and_replicas(unsorted):
    edge_index, num_nodes = unsorted
    weight = torch.rand(3, 7, dtype=torch.double, requires_grad=True)

    def norm(weight):
        return gcn_norm(edge_index, weight, num_nodes)[1]

    assert torch.autograd.gradcheck(norm, (weight[0],))
    torch.testing.assert_close(vmap(norm)(weight), torch.stack([*map(norm, weight)]))


def test_unweighted_norm_is_computed_once(unsorted):
    edge_index, num_nodes = unsorted
    first, second = (gcn_norm(edge_index, None, num_nodes) for _ in range(2))
    assert first[0] is second[0] and first[1] is second[1]
    assert gcn_norm(edge_index, None, num_nodes, False)[0] is not first[0]
    # With weights, at least everything derived from the edges is.
    weight = torch.rand(7)
    first, second = (gcn_norm(edge_index, weight, num_nodes) for _ in range(2))
    assert first[0] is second[0]


def test_other_forms_of_a_graph(unsorted):
    edge_index, num_nodes = unsorted
    want = gcn_norm(edge_index, None, num_nodes)
    got = gcn_norm(Csr.from_edge_index(edge_index, num_nodes))
    torch.testing.assert_close(got, want)
    matrix = torch.rand(4, 4).sub(0.5).relu()
    edges, norm = gcn_norm(matrix.to_sparse_csr())
    looped = matrix + torch.diag((matrix.diagonal() == 0).float())
    scale = looped.sum(1).rsqrt()  # row = destination
    torch.testing.assert_close(
        dense(edges, norm, 4), scale[:, None] * looped * scale[None]
    )


def test_self_loops_keep_their_weight_or_go(unsorted):
    edge_index = torch.tensor([[0, 1, 1, 2, 1], [0, 1, 0, 1, 1]])
    weight = torch.tensor([2.0, 3.0, 4.0, 5.0, 6.0])
    edges, looped = with_self_loops(edge_index, 3, weight)
    want = torch.tensor([[2.0, 4.0, 0.0], [0.0, 6.0, 5.0], [0.0, 0.0, 1.0]])
    assert torch.equal(dense(edges, looped, 3), want)
    edges, rest = without_self_loops(edge_index, 3, weight)
    assert torch.equal(dense(edges, rest, 3), want - torch.diag(want.diagonal()))
    assert with_self_loops(edge_index, 3)[1] is None
    assert without_self_loops(edge_index, 3)[1] is None


@pytest.mark.parametrize("weighted", [True, False])
def test_laplacian_is_that_of_pyg(graph, weighted):
    edge_index, num_nodes = graph
    torch.manual_seed(0)
    weight = torch.rand(edge_index.size(1), dtype=torch.double) if weighted else None
    edges, norm = sym_norm(edge_index, weight, num_nodes, torch.double)
    assert (edges[1].diff() >= 0).all()
    want = get_laplacian(edge_index, weight, "sym", torch.double, num_nodes)
    torch.testing.assert_close(
        torch.eye(num_nodes, dtype=torch.double) - dense(edges, norm, num_nodes),
        dense(*want, num_nodes),
    )
    again = sym_norm(edge_index, weight, num_nodes, torch.double)
    assert again[0] is edges and (weighted or again[1] is norm)


def test_what_inference_mode_built_serves_training():
    edge_index = torch.tensor([[0, 1, 2], [1, 2, 0]])
    x = torch.randn(3, 2, requires_grad=True)
    with torch.inference_mode():
        spmm(*_swap(gcn_norm(edge_index, num_nodes=3), x))
        spmm(edge_index, x, reduce="mean")
    spmm(*_swap(gcn_norm(edge_index, num_nodes=3), x)).sum().backward()
    spmm(edge_index, x, reduce="mean").sum().backward()
    assert x.grad.isfinite().all()


def _swap(normalized, x):
    edges, weight = normalized
    return edges, x, weight
