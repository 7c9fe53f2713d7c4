"""One interface for all ways to choose anchors."""

import pytest
import torch

from graphlab.errors import ArgumentError
from graphlab.nn import AnchorSelector
from graphlab.ops import anchor_distances, farthest_point_anchors

METHODS = ("random", "farthest_point", "degree", "pagerank", "bourgain", "learned")


def ring(n):
    i = torch.arange(n)
    return torch.stack([torch.cat([i, (i + 1) % n]), torch.cat([(i + 1) % n, i])])


@pytest.mark.parametrize("method", METHODS)
def test_every_method_on_awkward_graphs(method, graph):
    edge_index, num_nodes = graph
    select = AnchorSelector(method, 4, in_channels=2)
    anchors = select(torch.randn(num_nodes, 2), edge_index).chosen()
    count = 4 if method == "bourgain" else min(4, num_nodes)
    assert anchors.distances.shape == (num_nodes, count)
    if method != "bourgain":
        assert len(anchors.nodes.unique()) == count
        torch.testing.assert_close(
            anchors.distances,
            anchor_distances(edge_index, anchors.nodes, num_nodes, direction="both"),
        )
    facts = select.facts()
    assert facts["num_anchors"] == count and 0 <= facts["coverage"] <= 1
    assert ("anchors" in facts) == (method != "bourgain")
    assert ("spread" in facts) == (method == "learned")


@pytest.mark.parametrize("method", METHODS)
def test_seeds_decide(method):
    edge_index, x = ring(40), torch.ones(40, 1)

    def nodes(seed):
        select = AnchorSelector(method, 4, in_channels=1, seed=seed).eval()
        return select(x, edge_index).chosen().nodes

    assert torch.equal(nodes(0), nodes(0))
    assert any(not torch.equal(nodes(0), nodes(seed)) for seed in (1, 2))


def test_generators_decide_and_own_rules_are_taken():
    edge_index = ring(40)
    select = AnchorSelector("farthest_point", 4)
    draw = lambda: torch.Generator().manual_seed(5)  # noqa: E731
    want = farthest_point_anchors(edge_index, 40, 4, draw())
    assert torch.equal(select.prepare(edge_index, 40, draw()).nodes, want)
    first = AnchorSelector(lambda e, n, k, g: torch.arange(k), 3)
    assert first(torch.ones(40, 1), edge_index).nodes.tolist() == [0, 1, 2]


def test_anchors_are_searched_once_a_graph():
    calls = []

    def rule(edge_index, num_nodes, k, generator):
        calls.append(num_nodes)
        return torch.arange(k)

    select, edge_index = AnchorSelector(rule, 2), ring(9)
    for _ in range(3):
        select(torch.ones(9, 1), edge_index)
    assert calls == [9]
    weight = torch.rand(18)
    for _ in range(2):
        anchors = select(torch.ones(9, 1), edge_index, weight)
    assert calls == [9, 9] and anchors.distances.is_floating_point()
    select(torch.ones(9, 1), ring(9))  # equal, but another graph
    assert len(calls) == 3
    select(torch.ones(9, 1), edge_index, anchors=anchors)
    assert len(calls) == 3


def test_cutoff_and_facts():
    select = AnchorSelector(lambda e, n, k, g: torch.arange(k), 1, cutoff=2)
    assert select.facts() == {}
    assert select(torch.ones(9, 1), ring(9)).distances.max() == 2
    facts = select.facts(radius=1)
    assert facts["reached"] == pytest.approx(5 / 9)
    assert facts["coverage"] == pytest.approx(3 / 9)


@pytest.mark.parametrize(
    "kwargs, name",
    [
        ({"method": "best"}, "method"),
        ({"num_anchors": 0}, "num_anchors"),
        ({"num_anchors": None}, "num_anchors"),
        ({"method": "learned"}, "in_channels"),
        ({"spread": 1.0}, "spread"),
        ({"method": "learned", "in_channels": 1, "num_candidates": 3}, "candidates"),
        ({"method": "learned", "in_channels": 1, "temperature": 0.0}, "temperature"),
    ],
)
def test_arguments_that_are_not_accepted(kwargs, name):
    with pytest.raises(ArgumentError, match=name):
        AnchorSelector(**kwargs)


def test_sets_take_no_lengths():
    select = AnchorSelector("bourgain")
    with pytest.raises(ArgumentError, match="edge_weight"):
        select(torch.ones(9, 1), ring(9), torch.rand(18))
