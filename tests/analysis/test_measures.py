"""Each measure against its dense formula, and the laws that it obeys."""

import pytest
import torch
from torch_geometric import EdgeIndex
from torch_geometric.utils import coalesce, remove_self_loops, to_undirected

from graphlab.analysis import (
    dirichlet_energy,
    distance_to_constant,
    distance_to_degree_subspace,
    mean_cosine_similarity,
)
from graphlab.errors import ArgumentError

NONE = torch.empty(2, 0, dtype=torch.long)
ON_GRAPHS = (dirichlet_energy, distance_to_degree_subspace)


def two_parts(seed: int = 0, isolated: int = 2):
    """Two random components of 7 and 6 nodes, then isolated nodes."""
    torch.manual_seed(seed)
    paths = torch.cat([torch.arange(6), torch.arange(7, 12)])
    edges = torch.stack([paths, paths + 1])
    more = torch.cat([torch.randint(7, (2, 5)), torch.randint(7, 13, (2, 5))], 1)
    edges = to_undirected(remove_self_loops(torch.cat([edges, more], 1))[0])
    number = 13 + isolated
    return torch.randn(number, 4, dtype=torch.float64), edges


def dense(edge_index, number):
    """A + I and degrees, of the graph made undirected, without its own self-loops."""
    adjacency = torch.zeros(number, number, dtype=torch.float64)
    for j, i in edge_index.t().tolist():
        adjacency[i, j] += i != j
    adjacency = (adjacency + adjacency.t()) / 2 + torch.eye(number)
    return adjacency, adjacency.sum(1)


def directions(edge_index, number):
    """One vector of the roots of degrees for each component, as columns."""
    adjacency, degree = dense(edge_index, number)
    reach = torch.linalg.matrix_power((adjacency > 0).double(), number) > 0
    rows = torch.unique(reach, dim=0).double()
    return (rows * degree.sqrt()).t()


def dense_dirichlet(x, edge_index):
    adjacency, degree = dense(edge_index, len(x))
    scaled = x / degree.sqrt().unsqueeze(1)
    square = torch.cdist(scaled, scaled).square()
    return (adjacency * square).sum() / 2


def dense_degree_distance(x, edge_index):
    v = directions(edge_index, len(x))
    return (x - v @ torch.linalg.inv(v.t() @ v) @ v.t() @ x).norm()


def test_cosine_similarity_is_that_of_all_pairs():
    x, _ = two_parts()
    similar = torch.nn.functional.cosine_similarity(x[:, None], x[None], dim=-1)
    pairs = ~torch.eye(len(x), dtype=torch.bool)
    torch.testing.assert_close(mean_cosine_similarity(x), similar[pairs].mean())
    x[3] = x[5] = 0  # torch too counts no direction as 0
    similar = torch.nn.functional.cosine_similarity(x[:, None], x[None], dim=-1)
    torch.testing.assert_close(mean_cosine_similarity(x), similar[pairs].mean())


def test_cosine_similarity_looks_at_directions_only():
    x, _ = two_parts()
    scale = torch.logspace(-200, 200, len(x), dtype=torch.float64).unsqueeze(1)
    torch.testing.assert_close(
        mean_cosine_similarity(x * scale), mean_cosine_similarity(x)
    )
    same = torch.ones(50, 3) * torch.rand(50, 1)
    assert float(mean_cosine_similarity(same)) == pytest.approx(1, abs=1e-7)
    assert float(mean_cosine_similarity(torch.tensor([[1.0], [-3.0]]))) == -1


def test_cosine_similarity_without_a_pair_is_nan():
    assert mean_cosine_similarity(torch.ones(1, 3)).isnan()
    assert mean_cosine_similarity(torch.zeros(4, 3)).isnan()
    assert mean_cosine_similarity(torch.eye(4, 3)[2:] * 1.0).isnan()


def test_distance_to_constant_is_the_dense_formula():
    x, _ = two_parts()
    centred = x - torch.ones(len(x), len(x), dtype=x.dtype) @ x / len(x)
    torch.testing.assert_close(distance_to_constant(x), centred.norm())
    share = distance_to_constant(x, relative=True)
    torch.testing.assert_close(share, centred.norm() / x.norm())


def test_distance_to_constant_ignores_a_shift_and_scales():
    x, _ = two_parts()
    shift = torch.randn(1, 4, dtype=x.dtype)
    torch.testing.assert_close(distance_to_constant(x + shift), distance_to_constant(x))
    torch.testing.assert_close(
        distance_to_constant(-3 * x), 3 * distance_to_constant(x)
    )
    # Float32 sums would see a distance of about 1e3 here.
    far = torch.full((1000, 2), 1e8)
    assert distance_to_constant(far) == 0


@pytest.mark.parametrize("isolated", [0, 2])
def test_degree_distance_is_the_dense_formula(isolated):
    x, edges = two_parts(isolated=isolated)
    assert directions(edges, len(x)).size(1) == 2 + isolated
    expected = dense_degree_distance(x, edges)
    torch.testing.assert_close(distance_to_degree_subspace(x, edges), expected)
    share = distance_to_degree_subspace(x, edges, relative=True)
    torch.testing.assert_close(share, expected / x.norm())


def test_dirichlet_energy_is_the_dense_formula():
    x, edges = two_parts()
    expected = dense_dirichlet(x, edges)
    torch.testing.assert_close(dirichlet_energy(x, edges), expected)
    share = dirichlet_energy(x, edges, relative=True)
    torch.testing.assert_close(share, expected / x.square().sum())


@pytest.mark.parametrize("measure", ON_GRAPHS)
def test_each_component_has_a_smooth_direction_of_its_own(measure):
    x, edges = two_parts()
    v = directions(edges, len(x))
    mixed = v @ torch.randn(v.size(1), 4, dtype=torch.float64)
    assert measure(mixed, edges) < 1e-13
    torch.testing.assert_close(measure(x + mixed, edges), measure(x, edges))
    whole = v.sum(1, keepdim=True)
    joined = torch.cat([edges, torch.tensor([[0, 12], [12, 0]])], 1)
    assert measure(mixed, joined) > 1e-2
    assert measure(whole.float(), edges) < 1e-5


@pytest.mark.parametrize("measure", ON_GRAPHS)
def test_a_tiny_rough_part_is_not_lost_under_a_large_smooth_one(measure):
    x, edges = two_parts()
    v = directions(edges, len(x)).sum(1, keepdim=True)
    torch.testing.assert_close(
        measure(1e6 * v + 1e-3 * x, edges),
        measure(1e-3 * x, edges),
        rtol=1e-5,
        atol=0,
    )


@pytest.mark.parametrize("measure", ON_GRAPHS)
def test_directed_graphs_and_self_loops_count_as_documented(measure):
    x, edges = two_parts()
    reference = {
        dirichlet_energy: dense_dirichlet,
        distance_to_degree_subspace: dense_degree_distance,
    }[measure]
    one_way = edges[:, edges[0] < edges[1]]
    loops = torch.arange(len(x)).expand(2, -1)
    for awkward in (one_way, torch.cat([edges, loops], 1), torch.cat([edges] * 2, 1)):
        expected = reference(x, awkward)
        torch.testing.assert_close(measure(x, awkward), expected)
    with_loops = torch.cat([edges, loops], 1)
    torch.testing.assert_close(measure(x, with_loops), measure(x, edges))


@pytest.mark.parametrize("measure", ON_GRAPHS)
def test_permutations_change_nothing(measure):
    x, edges = two_parts()
    order = torch.randperm(len(x))
    place = order.argsort()
    torch.testing.assert_close(measure(x[order], place[edges]), measure(x, edges))


@pytest.mark.parametrize("measure", ON_GRAPHS)
def test_all_forms_of_edges_are_one(measure):
    x, edges = two_parts()
    expected = measure(x, edges)
    matrix = torch.sparse_coo_tensor(
        edges.flip(0), torch.ones(edges.size(1)), (len(x), len(x))
    ).to_sparse_csr()
    index = EdgeIndex(coalesce(edges), sparse_size=(len(x), len(x)))
    assert measure(x, matrix) == pytest.approx(float(expected), rel=1e-12)
    assert measure(x, index) == pytest.approx(float(expected), rel=1e-12)


def test_without_edges_everything_is_smooth():
    x = torch.randn(5, 3)
    assert distance_to_degree_subspace(x, NONE) == 0
    assert dirichlet_energy(x, NONE) == 0
    assert distance_to_constant(x) > 1
    assert distance_to_constant(x[:1]) == 0
    assert distance_to_degree_subspace(x[:1], NONE, relative=True) == 0


def test_shares_stay_in_their_range():
    x, edges = two_parts()
    v = directions(edges, len(x))
    rough = x - v @ torch.linalg.pinv(v) @ x
    for scale in (1e-30, 1.0, 1e30):
        scaled = (rough * scale).float()
        share = distance_to_degree_subspace(scaled, edges, relative=True)
        assert 1 - 1e-6 < share <= 1
        assert 0 <= dirichlet_energy(scaled, edges, relative=True) < 2
    assert distance_to_constant(torch.tensor([[1.0], [-1.0]]), relative=True) == 1


def test_nan_and_infinity_are_passed_on_and_nothing_has_no_share():
    x, edges = two_parts()
    for bad in (torch.nan, torch.inf):
        x[1, 1] = bad
        assert mean_cosine_similarity(x).isnan()
        assert distance_to_constant(x).isnan()
        assert distance_to_degree_subspace(x, edges).isnan()
        assert dirichlet_energy(x, edges).isnan()
    nothing = torch.zeros(15, 2)
    assert distance_to_constant(nothing) == 0 == dirichlet_energy(nothing, edges)
    assert distance_to_constant(nothing, relative=True).isnan()
    assert distance_to_degree_subspace(nothing, edges, relative=True).isnan()
    assert dirichlet_energy(nothing, edges, relative=True).isnan()


def test_measures_are_differentiable():
    x, edges = two_parts()
    x = x[:15].requires_grad_()
    for measure in (
        mean_cosine_similarity,
        distance_to_constant,
        lambda x: dirichlet_energy(x, edges),
        lambda x: distance_to_degree_subspace(x, edges, relative=True),
    ):
        assert torch.autograd.gradcheck(measure, x)
    x = torch.zeros(3, 2, requires_grad=True)
    start = torch.tensor([[1.0, 0], [0, 1], [0, 0]])
    mean_cosine_similarity(x + start).backward()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (torch.ones(3), "shape [N, F]"),
        (torch.ones(3, 2).to_sparse(), "dense tensor"),
        (torch.ones(3, 2, dtype=torch.long), "floating point"),
        (torch.ones(0, 2), "a node and a channel"),
        ([[1.0]], "dense tensor"),
    ],
)
def test_bad_features_are_named(x, text):
    for call in (
        lambda: mean_cosine_similarity(x),
        lambda: distance_to_constant(x),
        lambda: dirichlet_energy(x, NONE),
        lambda: distance_to_degree_subspace(x, NONE),
    ):
        with pytest.raises(ArgumentError, match="^x must") as caught:
            call()
        assert text in str(caught.value)


def test_a_graph_of_other_nodes_is_named():
    with pytest.raises(ArgumentError, match="edge_index"):
        dirichlet_energy(torch.ones(3, 2), torch.tensor([[0], [7]]))
    other = torch.eye(4).to_sparse_csr()
    with pytest.raises(ArgumentError, match="join the 3 nodes of x"):
        distance_to_degree_subspace(torch.ones(3, 2), other)


def test_a_graph_that_is_changed_in_place_is_looked_at_again():
    x, edges = two_parts()
    edges = edges.clone()
    before = dirichlet_energy(x, edges)
    edges[:, 0] = torch.tensor([0, 14])
    assert dirichlet_energy(x, edges) != before
    torch.testing.assert_close(dirichlet_energy(x, edges), dense_dirichlet(x, edges))
