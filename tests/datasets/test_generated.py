"""Grid and communities against networkx and the description."""

import networkx as nx
import pytest
import torch
from torch_geometric.utils import contains_self_loops, is_undirected, to_networkx

from graphlab.datasets import communities, grid
from graphlab.errors import ArgumentError


def undirected(data) -> set[tuple[int, int]]:
    assert is_undirected(data.edge_index) and not contains_self_loops(data.edge_index)
    return {(u, v) for u, v in data.edge_index.t().tolist() if u < v}


def ordered(graph) -> set[tuple[int, int]]:
    return {tuple(sorted(edge)) for edge in graph.edges}


@pytest.mark.parametrize(("height", "width"), [(20, 20), (3, 5), (1, 4), (1, 1)])
def test_grid_equals_networkx(height, width):
    expected = nx.convert_node_labels_to_integers(nx.grid_2d_graph(height, width))
    data = grid(height, width)
    assert undirected(data) == ordered(expected)
    assert data.num_nodes == height * width == len(data.x)
    assert data.pos[-1].tolist() == [height - 1, width - 1]


@pytest.mark.parametrize(("number", "size"), [(20, 20), (2, 2), (3, 4)])
def test_communities_without_rewiring_equal_networkx(number, size):
    data = communities(number, size, p=0)
    assert undirected(data) == ordered(nx.connected_caveman_graph(number, size))
    assert data.y.tolist() == [v // size for v in range(number * size)]


def test_rewiring_moves_one_end_of_about_p_of_the_edges():
    plain = undirected(communities(p=0))
    moved = []
    for seed in range(30):
        data = communities(seed=seed)
        edges = undirected(data)
        assert 3790 <= len(edges) <= 3800  # only an edge onto its own end is lost
        gone, new = plain - edges, edges - plain
        assert len(gone) - len(new) == 3800 - len(edges)
        moved.append(len(gone))
        low_ends = {u for u, _ in gone}
        assert all(low_ends & set(edge) for edge in new)
    assert 33 < sum(moved) / 30 < 40  # 38 drawn, less those whose target is taken


def test_all_edges_can_be_rewired():
    edges = undirected(communities(5, 6, p=1.0, seed=1))
    assert len(edges) > 30  # none is merged into another


def test_the_seed_decides():
    edges = [communities(seed=seed).edge_index for seed in (3, 3, 4)]
    assert torch.equal(edges[0], edges[1])
    assert edges[0].shape != edges[2].shape or not torch.equal(edges[0], edges[2])


def test_communities_are_connected_before_rewiring():
    assert nx.is_connected(to_networkx(communities(p=0), to_undirected=True))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: grid(0, 3), "height: got 0"),
        (lambda: grid(3, 1.5), "width: got 1.5"),
        (lambda: communities(1), "num_communities: got 1"),
        (lambda: communities(size=1), "size: got 1"),
        (lambda: communities(p=1.1), "p: got 1.1"),
        (lambda: communities(seed=-1), "seed: got -1"),
    ],
)
def test_errors_name_the_argument(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()
