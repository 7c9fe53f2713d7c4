import gc
import weakref

import pytest
import torch
from torch_geometric import EdgeIndex

from graphlab.errors import ArgumentError
from graphlab.ops import Csr
from graphlab.ops._cache import cached


def test_rows_list_the_incoming_edges(graph):
    edge_index, num_nodes = graph
    csr = Csr.from_edge_index(edge_index, num_nodes)
    assert csr.rowptr.dtype == csr.col.dtype == torch.int32
    edges = torch.arange(csr.num_edges) if csr.perm is None else csr.perm
    for node in range(num_nodes):
        row = slice(int(csr.rowptr[node]), int(csr.rowptr[node + 1]))
        assert (edge_index[1, edges[row]] == node).all()
        assert torch.equal(edge_index[0, edges[row]], csr.col[row].long())
    assert torch.equal(edges.sort().values, torch.arange(edge_index.size(1)))
    assert torch.equal(csr.src(), edge_index[0])
    assert torch.equal(csr.dst(), edge_index[1])


def test_transpose_has_the_same_edges_the_other_way(graph):
    edge_index, num_nodes = graph
    csr = Csr.from_edge_index(edge_index, num_nodes)
    assert torch.equal(csr.t().src(), edge_index[1])
    assert torch.equal(csr.t().dst(), edge_index[0])
    assert csr.t() is csr.t() and csr.t().t() is csr


def test_transpose_does_not_keep_its_origin_alive(unsorted):
    csr = Csr.from_edge_index(unsorted[0].clone(), 5)
    transpose, origin = csr.t(), weakref.ref(csr)
    del csr
    gc.collect()
    assert origin() is None
    assert torch.equal(transpose.t().src(), unsorted[0][0])


def test_sorted_edges_need_no_permutation(unsorted):
    edge_index = unsorted[0]
    assert Csr.from_edge_index(edge_index, 5).perm is not None
    order = edge_index[1].argsort(stable=True)
    assert Csr.from_edge_index(edge_index[:, order], 5).perm is None


def test_the_structure_is_built_once_and_freed_with_its_tensor(unsorted):
    edge_index = unsorted[0].clone()
    csr = Csr.from_edge_index(edge_index, 5)
    assert Csr.from_edge_index(edge_index, 5) is csr
    assert Csr.from_edge_index(edge_index, 6) is not csr
    assert Csr.from_edge_index(edge_index.clone(), 5) is not csr
    watch = weakref.ref(csr)
    del csr, edge_index
    gc.collect()
    assert watch() is None


def test_a_changed_tensor_is_read_again(unsorted):
    edge_index = unsorted[0].clone()
    Csr.from_edge_index(edge_index, 5)
    edge_index[0, 0] = 4
    assert Csr.from_edge_index(edge_index, 5).src()[0] == 4


def test_cached_works_in_inference_mode():
    with torch.inference_mode():
        tensor = torch.zeros(1)
        assert cached(tensor, "key", list) is cached(tensor, "key", list)


def test_other_forms_of_a_graph(unsorted):
    edge_index, num_nodes = unsorted
    csr = Csr.from_edge_index(edge_index, num_nodes)
    assert Csr.from_edge_index(csr) is csr
    other = Csr.from_edge_index(EdgeIndex(edge_index, sparse_size=(5, 5)))
    assert torch.equal(other.rowptr, csr.rowptr) and torch.equal(other.col, csr.col)
    dense = torch.tensor([[0.0, 2.0, 0.0], [1.0, 0.0, 3.0]])  # rows are destinations
    csr = Csr.from_edge_index(dense.to_sparse_csr())
    assert (csr.num_src, csr.num_dst) == (3, 2)
    assert csr.src().tolist() == [1, 0, 2] and csr.dst().tolist() == [0, 1, 1]
    assert repr(csr) == "Csr(num_src=3, num_dst=2, num_edges=3)"


def test_sizes_are_read_off_or_given():
    edge_index = torch.tensor([[0, 4], [1, 2]])
    csr = Csr.from_edge_index(edge_index)
    assert (csr.num_src, csr.num_dst) == (5, 5)
    csr = Csr.from_edge_index(edge_index, (7, 3))
    assert (csr.num_src, csr.num_dst) == (7, 3)
    assert csr.t().num_dst == 7


@pytest.mark.parametrize(
    ("edge_index", "size", "message"),
    [
        (torch.tensor([[0, 5], [1, 2]]), 5, "source nodes from 0 to 5.*0 to 4"),
        (torch.tensor([[0, 1], [-1, 2]]), 5, "destination nodes from -1 to 2"),
        (torch.tensor([[0, 3], [1, 2]]), (4, 2), "destination.*0 to 1"),
        (torch.tensor([0, 1]), 2, r"\[2, E\] tensor"),
        (torch.zeros(3, 2, dtype=torch.long), 2, r"\[2, E\] tensor"),
        (torch.zeros(2, 3), 2, "integers"),
        (torch.eye(2).to_sparse(), 2, "sparse CSR"),
    ],
)
def test_bad_graphs_are_refused(edge_index, size, message):
    with pytest.raises(ArgumentError, match=message):
        Csr.from_edge_index(edge_index, size)
