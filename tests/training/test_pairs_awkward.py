"""What docs/positions.md says about awkward input, for splits and for training."""

import copy

import pytest
import torch
from torch_geometric.data import Data

from graphlab.errors import ArgumentError
from graphlab.nn import PGNN, PSGNN
from graphlab.training import PairConfig, fit_pairs
from graphlab.transforms import RandomPairSplit

NONE = torch.empty(2, 0, dtype=torch.long)
QUICK = PairConfig(epochs=2)


def two_rings():
    """Two rings of six nodes and a node by itself."""
    i = torch.arange(6)
    ring = torch.stack([i, (i + 1) % 6])
    edges = torch.cat([ring, ring.flip(0), ring + 6, ring.flip(0) + 6], 1)
    return Data(x=torch.ones(13, 1), edge_index=edges, y=torch.arange(13) // 6)


def parts(kind="pair"):
    return RandomPairSplit(0.2, 0.2, kind)(two_rings())


def changed(**attributes):
    """The same parts with other attributes."""
    triple = tuple(copy.copy(part) for part in parts())
    for part in triple:
        for name, value in attributes.items():
            part[name] = value
    return triple


# ------------------------------------------------------------------ splits


@pytest.mark.parametrize("number", [0, 1, 3])
@pytest.mark.parametrize("kind", ["link", "pair"])
@pytest.mark.parametrize("official", [False, True])
def test_graphs_without_positives_are_refused(number, kind, official):
    data = Data(edge_index=NONE, num_nodes=number, y=torch.arange(number))
    with pytest.raises(ArgumentError, match="graph 0 has 0 positive pairs, too few"):
        RandomPairSplit(kind=kind, official=official)(data)


def test_graphs_without_negatives_are_refused():
    every = torch.combinations(torch.arange(6)).t()
    data = Data(edge_index=every, num_nodes=6, y=torch.zeros(6).long())
    for kind in ("link", "pair"):
        with pytest.raises(ArgumentError, match="graph 0 has 0 negative pairs"):
            RandomPairSplit(0.3, 0.3, kind)(data)


def test_labels_are_those_of_the_nodes():
    data = Data(edge_index=NONE, num_nodes=6, y=torch.zeros(4).long())
    with pytest.raises(ArgumentError, match="has 6 nodes, but y has 4 entries"):
        RandomPairSplit(kind="pair")(data)


# ------------------------------------------------------------------ training


@pytest.mark.parametrize("kind", ["link", "pair"])
@pytest.mark.parametrize("selector", ["learned", "farthest_point", "bourgain"])
def test_unconnected_graphs_and_more_anchors_than_nodes(kind, selector):
    model = PSGNN(1, 4, num_anchors=40, selector=selector)
    result = fit_pairs(model, parts(kind), QUICK)
    assert not result.nan and 0 <= result.test_auc <= 1
    facts = model.facts()
    assert facts["reached"] == 1  # the lone node is an anchor
    assert facts["num_anchors"] == (40 if selector == "bourgain" else 13)


@pytest.mark.parametrize("make", [PSGNN, PGNN])
def test_graphs_without_edges_are_trained_on(make):
    result = fit_pairs(lambda: make(1, 4), changed(edge_index=NONE), QUICK)
    assert not result.nan and 0 <= result.test_auc <= 1


@pytest.mark.parametrize(
    "attributes, match",
    [
        ({"edge_index": torch.tensor([[0], [13]])}, "edge_index has destination nodes"),
        ({"x": torch.ones(3, 1), "num_nodes": 13}, "distances of 3 nodes, as x has"),
        ({"edge_label_index": NONE, "edge_label": torch.empty(0)}, "has no pair"),
        (
            {
                "edge_label_index": torch.tensor([[0, 1], [1, 13]]),
                "edge_label": torch.tensor([1.0, 0.0]),
            },
            "must lie in 0 to 12",
        ),
    ],
    ids=["edge", "x", "no pair", "pair"],
)
def test_parts_that_do_not_fit_are_refused(attributes, match):
    with pytest.raises(ArgumentError, match=match):
        fit_pairs(lambda: PSGNN(1, 4), changed(**attributes), QUICK)


def test_graphs_without_nodes_have_no_pair():
    empty = Data(x=torch.ones(0, 1), edge_index=NONE, num_nodes=0)
    empty.edge_label_index, empty.edge_label = NONE, torch.empty(0)
    with pytest.raises(ArgumentError, match="graph 0 has no pair"):
        fit_pairs(lambda: PSGNN(1, 4), (empty, empty, empty), QUICK)
    with pytest.raises(ArgumentError, match="graphs: is empty"):
        fit_pairs(lambda: PSGNN(1, 4), [], QUICK)


def test_features_that_are_no_numbers_end_the_training():
    result = fit_pairs(lambda: PSGNN(1, 4), changed(x=torch.full((13, 1), torch.nan)))
    assert result.nan and result.epochs == 1


def test_lengths_of_edges_are_not_looked_at():
    """The encoder is called with features and edges only."""
    plain = fit_pairs(lambda: PSGNN(1, 4), parts(), QUICK)
    weight = -torch.ones(two_rings().num_edges)
    weighted = fit_pairs(lambda: PSGNN(1, 4), changed(edge_weight=weight), QUICK)
    assert plain.history == weighted.history
