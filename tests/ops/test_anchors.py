"""Anchors by simple rules: the rule itself, its randomness, bad input."""

from itertools import combinations

import networkx as nx
import pytest
import torch
from torch import Generator

from graphlab.errors import ArgumentError
from graphlab.ops import (
    Csr,
    anchor_distances,
    degree_anchors,
    farthest_point_anchors,
    pagerank_anchors,
    random_anchors,
)
from graphlab.ops.anchors import pagerank

ALL = (random_anchors, degree_anchors, pagerank_anchors, farthest_point_anchors)
SCORED = (degree_anchors, pagerank_anchors)
EACH = pytest.mark.parametrize("select", ALL)


def seeded(seed):
    return Generator().manual_seed(seed)


def parts(seed=0):
    """Components of 12, 5 and 3 nodes, and an isolated one."""
    g = nx.disjoint_union_all(
        [
            nx.connected_watts_strogatz_graph(12, 4, 0.3, seed=seed),
            nx.path_graph(5),
            nx.complete_graph(3),
            nx.empty_graph(1),
        ]
    )
    edges = torch.tensor(list(g.edges)).t()
    return torch.cat([edges, edges.flip(0)], 1), 21


def undirected(edge_index, number, anchors):
    hops = anchor_distances(edge_index, anchors, number, direction="both")
    return hops.long().masked_fill(hops < 0, number)


@EACH
def test_distinct_nodes_and_the_same_again(select):
    edge_index, number = parts()
    for k in (0, 1, 7, number):
        first = select(edge_index, number, k, seeded(3))
        assert first.dtype == torch.long and first.shape == (k,)
        assert first.unique().numel() == k
        assert torch.equal(first, select(edge_index, number, k, seeded(3)))
        torch.manual_seed(5)
        default = select(edge_index, number, k)
        torch.manual_seed(5)
        assert torch.equal(default, select(edge_index, number, k))
    draws = {tuple(select(edge_index, number, 7, seeded(s)).tolist()) for s in range(9)}
    assert len(draws) > 1


@EACH
def test_awkward_graphs(select, graph):
    edge_index, number = graph
    chosen = select(edge_index, number, number, seeded(0))
    assert chosen.sort().values.tolist() == list(range(number))


@EACH
@pytest.mark.parametrize("k", [-1, 22, 2.0, True, None])
def test_bad_number(select, k):
    edge_index, number = parts()
    with pytest.raises(ArgumentError, match="k must be"):
        select(edge_index, number, k)


def test_random_anchors_are_uniform():
    edge_index, number = parts()
    counts = torch.zeros(number)
    for seed in range(600):
        counts[random_anchors(edge_index, number, 7, seeded(seed))] += 1
    assert (counts - 200).abs().max() < 60  # 5 standard deviations


def test_degree_counts_both_directions():
    edge_index = torch.tensor([[0, 0, 0, 1, 2, 2], [1, 2, 3, 2, 4, 0]])
    degree = [4, 2, 4, 1, 1]  # ties: 0 and 2, 3 and 4
    for seed in range(5):
        chosen = degree_anchors(edge_index, 5, 5, seeded(seed)).tolist()
        assert [degree[v] for v in chosen] == sorted(degree, reverse=True)
    firsts = {int(degree_anchors(edge_index, 5, 1, seeded(s))) for s in range(20)}
    assert firsts == {0, 2}


def test_pagerank_is_that_of_networkx():
    g = torch.Generator().manual_seed(1)
    edge_index = torch.randint(25, (2, 60), generator=g)
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(30))
    graph.add_edges_from(edge_index.t().tolist())
    theirs = nx.pagerank(graph, tol=1e-12, max_iter=500)
    theirs = torch.tensor([theirs[v] for v in range(30)], dtype=torch.float64)
    assert (torch.bincount(edge_index[0], minlength=30) == 0).any()
    ours = pagerank(Csr.from_edge_index(edge_index, 30))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-8)
    chosen = pagerank_anchors(edge_index, 30, 10, seeded(0))
    torch.testing.assert_close(
        theirs[chosen], theirs.sort(descending=True).values[:10], rtol=0, atol=1e-7
    )


@pytest.mark.parametrize("select", SCORED)
def test_scores_do_not_depend_on_the_numbering(select):
    """Where no two of the best are equal, the same nodes are taken."""
    edge_index = torch.tensor([(0, i) for i in range(1, 9)] + [(9, 1), (9, 2), (9, 3)])
    edge_index = torch.cat([edge_index.t(), edge_index.t().flip(0)], 1)
    chosen = select(edge_index, 10, 2, seeded(0))
    assert chosen.tolist() == [0, 9]
    place = torch.randperm(10)
    renamed = select(place[edge_index], 10, 2, seeded(1))
    assert torch.equal(renamed, place[chosen])


def test_equal_ranks_are_drawn():
    """Copies of a graph in other orders: rounding must not favour a node."""
    part = torch.randint(20, (2, 90), generator=seeded(0))
    orders = [torch.randperm(20, generator=seeded(c)) for c in range(8)]
    edges = torch.cat([order[part] + 20 * c for c, order in enumerate(orders)], 1)
    edges = edges[:, torch.randperm(edges.size(1), generator=seeded(0))]
    rank = pagerank(Csr.from_edge_index(edges, 160))
    assert (rank == rank.max()).sum() < 8  # rounding does differ
    found = {int(pagerank_anchors(edges, 160, 1, seeded(s))) for s in range(99)}
    best = int(rank[orders[0]].argmax())
    assert found == {int(order[best]) + 20 * c for c, order in enumerate(orders)}


@pytest.mark.parametrize("renamed", [False, True])
def test_each_pick_is_farthest(renamed):
    for seed in range(4):
        edge_index, number = parts(seed)
        if renamed:
            edge_index = torch.randperm(number)[edge_index]
        picks = farthest_point_anchors(edge_index, number, 12, seeded(seed))
        hops = undirected(edge_index, number, picks)
        for j in range(1, 12):
            nearest = hops[:, :j].amin(1)
            assert nearest[picks[j]] == nearest.max()


def test_every_component_comes_before_a_second_pick():
    edge_index, number = parts()
    component = torch.tensor([0] * 12 + [1] * 5 + [2] * 3 + [3])
    for seed in range(5):
        picks = farthest_point_anchors(edge_index, number, 4, seeded(seed))
        assert component[picks].sort().values.tolist() == [0, 1, 2, 3]


def test_farthest_points_cover_within_twice_the_optimum():
    graph = nx.connected_watts_strogatz_graph(16, 4, 0.2, seed=2)
    edges = torch.tensor(list(graph.edges)).t()  # each edge in one direction only
    table = undirected(edges, 16, torch.arange(16))
    for k in (2, 3):
        best = min(table[:, list(c)].amin(1).max() for c in combinations(range(16), k))
        for seed in range(5):
            picks = farthest_point_anchors(edges, 16, k, seeded(seed))
            assert table[:, picks].amin(1).max() <= 2 * best


def test_farthest_points_lie_wider_than_random_ones():
    node = torch.arange(400).view(20, 20)
    right = torch.stack([node[:, :-1].flatten(), node[:, 1:].flatten()])
    down = torch.stack([node[:-1].flatten(), node[1:].flatten()])
    edges = torch.cat([right, down], 1)

    def radius(select, seed):
        anchors = select(edges, 400, 9, seeded(seed))
        return undirected(edges, 400, anchors).amin(1).max().item()

    for seed in range(5):
        assert radius(farthest_point_anchors, seed) < radius(random_anchors, seed)


# ------------------------------------------------------------------ batches


def batch_of_graphs(seed=0, mixed=True):
    """Graphs of 12, 7, 3 and 1 nodes, in any order, and the graph of each node."""
    g = nx.disjoint_union_all(
        [
            nx.connected_watts_strogatz_graph(12, 4, 0.3, seed=seed),
            nx.disjoint_union(nx.path_graph(5), nx.path_graph(2)),
            nx.star_graph(2),
            nx.empty_graph(1),
        ]
    )
    edges = torch.tensor(list(g.edges)).t()
    edges = torch.cat([edges, edges.flip(0)], 1)
    batch = torch.tensor([0] * 12 + [1] * 7 + [2] * 3 + [3])
    if mixed:
        place = torch.randperm(23, generator=seeded(seed))
        edges, batch = place[edges], batch[place.argsort()]
    return edges, batch


@EACH
@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("k", [0, 1, 5, 30])
def test_each_graph_of_a_batch_gets_its_own(select, mixed, k):
    edges, batch = batch_of_graphs(mixed=mixed)
    anchors = select(edges, 23, k, seeded(1), batch)
    assert anchors.shape == (4, k) and anchors.dtype == torch.long
    for graph, row in enumerate(anchors):
        size = min(k, int((batch == graph).sum()))
        mine = row[:size]
        assert (batch[mine] == graph).all() and mine.unique().numel() == size
        assert (row[size:] == -1).all()
    assert torch.equal(anchors, select(edges, 23, k, seeded(1), batch))


@EACH
def test_one_graph_is_a_batch_of_one(select):
    edges, _ = batch_of_graphs()
    whole = torch.zeros(23, dtype=torch.long)
    for k in (0, 4, 23):
        alone = select(edges, 23, k, seeded(2))
        assert torch.equal(select(edges, 23, k, seeded(2), whole), alone.view(1, -1))


@EACH
def test_a_batch_of_nothing(select):
    none = torch.empty(2, 0, dtype=torch.long)
    assert select(none, 0, 3, seeded(0), none[0]).shape == (0, 3)


@pytest.mark.parametrize("seed", range(4))
def test_each_pick_in_a_batch_is_farthest_in_its_graph(seed):
    edges, batch = batch_of_graphs(seed)
    anchors = farthest_point_anchors(edges, 23, 7, seeded(seed), batch)
    for graph, row in enumerate(anchors):
        row = row[row >= 0]
        hops = undirected(edges, 23, row)[batch == graph]
        own = undirected(edges, 23, row)[row]
        for j in range(1, len(row)):
            assert own[j, :j].amin() == hops[:, :j].amin(1).max()


@pytest.mark.parametrize("select", SCORED)
def test_scores_in_a_batch_are_those_of_the_graph(select):
    edges, batch = batch_of_graphs(mixed=False)
    anchors = select(edges, 23, 3, seeded(0), batch)
    for graph in range(3):
        start = int((batch < graph).sum())
        size = int((batch == graph).sum())
        mine = edges[:, batch[edges[0]] == graph] - start
        own = Csr.from_edge_index(mine, size)
        score = own.degree() if select is degree_anchors else pagerank(own)
        found = score[anchors[graph] - start]
        best = score.sort(descending=True).values[:3]
        torch.testing.assert_close(found, best, rtol=1e-4, atol=0)


def test_random_anchors_of_a_batch_are_uniform():
    edges, batch = batch_of_graphs()
    counts = torch.zeros(23)
    for seed in range(600):
        anchors = random_anchors(edges, 23, 2, seeded(seed), batch)
        counts[anchors[anchors >= 0]] += 1
    for graph, size in enumerate((12, 7, 3, 1)):
        share = min(2, size) / size
        spread = (600 * share * (1 - share)) ** 0.5
        off = (counts[batch == graph] - 600 * share).abs().max()
        assert off <= 5 * spread


def test_components_are_graphs_of_a_batch():
    """Distances to own anchors equal those in the component by itself."""
    edges, _ = batch_of_graphs(3)
    whole = nx.Graph(edges.t().tolist())
    whole.add_nodes_from(range(23))
    parts = list(nx.connected_components(whole))
    component = torch.empty(23, dtype=torch.long)
    for c, part in enumerate(parts):
        component[list(part)] = c
    anchors = farthest_point_anchors(edges, 23, 2, seeded(0), component)
    hops = anchor_distances(edges, anchors, 23)
    for c, part in enumerate(parts):
        for k in range(min(2, len(part))):
            paths = nx.single_source_shortest_path_length(whole, int(anchors[c, k]))
            assert {v: int(hops[v, k]) for v in part} == paths
        if len(part) == 1:
            assert hops[list(part)[0], 1] == -1


@EACH
@pytest.mark.parametrize(
    "batch",
    [torch.zeros(22).long(), torch.zeros(23), torch.full((23,), -1), [0] * 23],
    ids=["short", "float", "negative", "list"],
)
def test_bad_batch(select, batch):
    edges, _ = batch_of_graphs()
    with pytest.raises(ArgumentError, match="batch must be int64"):
        select(edges, 23, 2, None, batch)


@EACH
@pytest.mark.parametrize("k", [-1, 2.0, True, None])
def test_bad_number_in_a_batch(select, k):
    edges, batch = batch_of_graphs()
    with pytest.raises(ArgumentError, match="k must be an integer >= 0"):
        select(edges, 23, k, None, batch)
