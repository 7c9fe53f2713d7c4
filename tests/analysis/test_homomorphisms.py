"""Rooted homomorphism counts against all maps of all small graphs."""

from itertools import product

import networkx as nx
import numpy as np
import pytest
import torch
from networkx.generators.atlas import graph_atlas_g

from graphlab.analysis import homomorphisms, rooted_homomorphism_counts
from graphlab.errors import ArgumentError

P = [f"P{length}" for length in range(2, 6)]
C = [f"C{size}" for size in range(3, 7)]
K = [f"K{size}" for size in range(3, 7)]
SHAPES = {"P": lambda length: nx.path_graph(length + 1)}
SHAPES |= {"C": nx.cycle_graph, "K": nx.complete_graph}


def by_all_maps(graph: nx.Graph, pattern: str) -> np.ndarray:
    """Try every map of the pattern's nodes; node 0, an end of the path, is the root."""
    shape = SHAPES[pattern[0]](int(pattern[1]))
    adjacency = nx.to_numpy_array(graph, dtype=bool)
    maps = np.array(list(product(range(len(graph)), repeat=len(shape))))
    good = np.ones(len(maps), dtype=bool)
    for u, v in shape.edges():
        good &= adjacency[maps[:, u], maps[:, v]]
    return np.bincount(maps[good, 0], minlength=len(graph))


def edges_of(graph: nx.Graph) -> torch.Tensor:
    edges = torch.tensor(list(graph.edges()), dtype=torch.long).view(-1, 2).t()
    return torch.cat([edges, edges.flip(0)], 1)


def test_all_graphs_of_up_to_five_nodes():
    graphs = [graph for graph in graph_atlas_g() if 1 <= len(graph) <= 5]
    assert len(graphs) == 52
    for graph in graphs:
        found = rooted_homomorphism_counts(edges_of(graph), len(graph), P + C + K)
        for column, pattern in enumerate(P + C + K):
            truth = by_all_maps(graph, pattern)
            assert found[:, column].tolist() == truth.tolist(), (graph.edges(), pattern)


def test_cliques_of_six_and_the_case_study():
    complete = edges_of(nx.complete_graph(6))
    assert rooted_homomorphism_counts(complete, 6, ["K6"]).tolist() == [[120]] * 6
    # Two K4 that share node 3, and an edge between them (Li et al., Table 1).
    graph = nx.compose(nx.complete_graph(4), nx.complete_graph([3, 4, 5, 6]))
    graph.add_edge(2, 4)
    found = rooted_homomorphism_counts(edges_of(graph), 7, ["C4", "K4"])
    assert found.sum(0).tolist() == [262, 48]


def test_columns_come_in_the_order_asked_for():
    edges = edges_of(nx.gnp_random_graph(9, 0.5, seed=1))
    whole = rooted_homomorphism_counts(edges, 9, P + C + K)
    for patterns in (["K4", "P3", "C5"], ["C3"], ["K3", "K3"], ["P2"]):
        places = [(P + C + K).index(pattern) for pattern in patterns]
        found = rooted_homomorphism_counts(edges, 9, patterns)
        assert found.dtype == np.int64
        assert np.array_equal(found, whole[:, places])
    assert np.array_equal(rooted_homomorphism_counts(edges, 9, "C4")[:, 0], whole[:, 5])
    assert rooted_homomorphism_counts(edges, 9, []).shape == (9, 0)


def test_direction_parallel_edges_and_loops_are_ignored():
    graph = nx.gnp_random_graph(8, 0.6, seed=3)
    edges = edges_of(graph)
    truth = rooted_homomorphism_counts(edges, 8, P + C + K)
    one_way = edges[:, : edges.size(1) // 2]
    loops = torch.tensor([[0, 4, 4], [0, 4, 4]])
    for other in (one_way, torch.cat([edges, one_way, loops], 1), edges.numpy()):
        assert np.array_equal(rooted_homomorphism_counts(other, 8, P + C + K), truth)
    assert np.array_equal(
        rooted_homomorphism_counts(edges.numpy(), 8, P + C + K), truth
    )


def test_graphs_without_edges_or_nodes():
    empty = torch.empty(2, 0, dtype=torch.long)
    for number in (0, 3):
        found = rooted_homomorphism_counts(empty, number, P + C + K)
        assert found.shape == (number, 12)
        assert not found.any()


def test_blocks_do_not_show(monkeypatch):
    edges = edges_of(nx.gnp_random_graph(40, 0.4, seed=5))
    truth = rooted_homomorphism_counts(edges, 40, P + C + K)
    assert truth[:, -1].any()
    monkeypatch.setattr(homomorphisms, "_BLOCK_STEPS", 3000)
    monkeypatch.setattr(homomorphisms, "_BLOCK_CLIQUES", 5)
    assert np.array_equal(rooted_homomorphism_counts(edges, 40, P + C + K), truth)


def test_counts_beyond_64_bits_are_an_error():
    leaves = 2**21 + 1  # A^5 1 has leaves^3 at the hub, above 2^63
    star = torch.stack(
        [torch.zeros(leaves, dtype=torch.long), 1 + torch.arange(leaves)]
    )
    found = rooted_homomorphism_counts(star, leaves + 1, ["P4"])
    assert found[0, 0] == leaves**2
    with pytest.raises(ArgumentError, match="counting P5 takes numbers of more"):
        rooted_homomorphism_counts(star, leaves + 1, ["P5"])


@pytest.mark.parametrize("pattern", ["C6", "C4", "P2"])
def test_each_kind_of_count_is_watched(pattern, monkeypatch):
    edges = edges_of(nx.complete_graph(6))
    largest = rooted_homomorphism_counts(edges, 6, [pattern]).max()
    monkeypatch.setattr(homomorphisms, "_LIMIT", float(largest))
    rooted_homomorphism_counts(edges, 6, [pattern])
    monkeypatch.setattr(homomorphisms, "_LIMIT", float(largest) - 1)
    with pytest.raises(ArgumentError, match="more than 64 bits"):
        rooted_homomorphism_counts(edges, 6, [pattern])


@pytest.mark.parametrize("pattern", ["P1", "P6", "C2", "K7", "c3", "S3", "", 3])
def test_unknown_patterns(pattern):
    with pytest.raises(ArgumentError, match=r"patterns must be out of P2, .*, K6, got"):
        rooted_homomorphism_counts(torch.tensor([[0], [1]]), 2, ["C3", pattern])


@pytest.mark.parametrize(
    ("edges", "problem"),
    [
        (torch.tensor([[0, 1], [1, 5]]), "name nodes from 0 to 2, got 0 to 5"),
        (torch.tensor([[0, -1], [1, 0]]), "got -1 to 1"),
        (torch.tensor([[0.0], [1.0]]), "whole numbers"),
        (torch.tensor([0, 1]), r"shape \[2, E\]"),
    ],
)
def test_edges_must_fit(edges, problem):
    with pytest.raises(ArgumentError, match=f"edge_index must .*{problem}"):
        rooted_homomorphism_counts(edges, 3, ["C3"])
