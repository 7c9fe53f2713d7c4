"""Random sets and their closest members, against networkx and by the book."""

import networkx as nx
import pytest
import torch

from graphlab.ops import anchor_distances, bourgain_sets, closest_members

GRAPHS = {
    "grid": nx.grid_2d_graph(5, 6),
    "two_parts": nx.disjoint_union(nx.path_graph(9), nx.cycle_graph(5)),
    "no_edges": nx.empty_graph(4),
    "one_node": nx.empty_graph(1),
    "loops": nx.Graph([(0, 0), (0, 1), (1, 2), (2, 2)]),
}


def edges_of(graph):
    graph = nx.convert_node_labels_to_integers(graph)
    edges = [(u, v) for u, v in graph.edges] + [(v, u) for u, v in graph.edges]
    return torch.tensor(edges, dtype=torch.long).view(-1, 2).t().contiguous()


def test_sizes_halve_and_members_differ():
    generator = torch.Generator().manual_seed(0)
    sets = bourgain_sets(400, generator=generator)
    sizes = (sets >= 0).sum(0)
    assert sizes.tolist() == [400 // 2**i for i in range(1, 9) for _ in range(8)]
    for column, size in zip(sets.t(), sizes, strict=True):
        assert len(column[:size].unique()) == size and column[:size].max() < 400
    assert (bourgain_sets(400, 10) >= 0).sum(0).tolist() == [
        *(200, 100, 50, 25, 12, 6, 3, 1, 200, 100)
    ]
    assert bourgain_sets(1).tolist() == [[0]]


def test_sets_are_drawn_uniformly_and_repeatably():
    draws = [bourgain_sets(8, 1, torch.Generator().manual_seed(s)) for s in range(500)]
    hits = torch.bincount(torch.cat(draws).view(-1), minlength=8)
    assert (hits - 250).abs().max() < 60  # 5 standard deviations of a binomial
    again = bourgain_sets(8, 1, torch.Generator().manual_seed(3))
    assert torch.equal(again, draws[3])


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("cutoff", [None, 1])
def test_members_are_closest(name, cutoff):
    edge_index, number = edges_of(GRAPHS[name]), GRAPHS[name].number_of_nodes()
    sets = bourgain_sets(number, 6, torch.Generator().manual_seed(1))
    member, hops = closest_members(edge_index, sets, number, cutoff=cutoff)
    all_pairs = anchor_distances(edge_index, torch.arange(number), number)  # [N, N]
    for k, column in enumerate(sets.t()):
        mine = column[column >= 0]
        for v in range(number):
            reached = [d for d in all_pairs[v, mine].tolist() if d >= 0]
            reached = [d for d in reached if cutoff is None or d <= cutoff]
            assert hops[v, k] == min(reached, default=-1)
            assert member[v, k] in mine
            if reached:
                assert all_pairs[v, member[v, k]] == hops[v, k]
            else:
                assert member[v, k] == mine[0]


def test_directed_edges_count_both_ways():
    edge_index = torch.tensor([[0, 2], [1, 1]])
    member, hops = closest_members(edge_index, torch.tensor([[0]]), 3)
    assert hops.view(-1).tolist() == [0, 1, 2] and not member.any()


def test_blocks_of_sets_change_nothing(monkeypatch):
    edge_index = edges_of(GRAPHS["grid"])
    sets = bourgain_sets(30, 7, torch.Generator().manual_seed(1))
    want = closest_members(edge_index, sets, 30)
    monkeypatch.setitem(closest_members.__globals__, "BLOCK_ENTRIES", 1)
    torch.testing.assert_close(closest_members(edge_index, sets, 30), want)


@pytest.mark.parametrize("number", [40, 300])
def test_equally_close_members_go_by_the_last_neighbor(number):
    """Each node asks the neighbor of largest number among those one hop nearer."""
    generator = torch.Generator().manual_seed(2)
    edge_index = torch.randint(number, (2, 2 * number), generator=generator)
    sets = bourgain_sets(number, generator=generator)
    member, hops = closest_members(edge_index, sets, number)
    neighbors = [set() for _ in range(number)]
    for u, v in edge_index.t().tolist():
        neighbors[u].add(v)
        neighbors[v].add(u)
    far = hops > 0
    for v, k in far.nonzero().tolist():
        asked = max(u for u in neighbors[v] if hops[u, k] == hops[v, k] - 1)
        assert member[v, k] == member[asked, k]
    assert far.sum() > number
