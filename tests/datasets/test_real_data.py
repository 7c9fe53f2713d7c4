"""Every set below the data root: card, splits, and the figures of the papers."""

import numpy as np
import pytest

from graphlab.datasets import (
    constant_majority,
    dataset_card,
    dataset_names,
    load_dataset,
    load_splits,
    split_names,
)
from graphlab.datasets.random_splits import SEEDS
from graphlab.datasets.raw import whereabouts

from .test_random_splits import slow_bernnet

pytestmark = pytest.mark.real_data

# Mean over the ten splits of bernnet-10, and class counts of the first split's parts
# where the specification of PosteL gives them. Classes present in the test part.
MAJORITY = {
    "Cora": (50.67, 5),
    "CiteSeer": (25.84, 5),
    "Computers": (57.24, 4),
    "Photo": (39.02, 6),
    "Chameleon": (27.05, 5),
    "Actor": (34.34, 4),
    "Squirrel": (18.91, 5),
    "Texas": (80.33, 3),
    "cornell-geom": (80.33, 3),
}


def _load(name, data_root):
    if whereabouts(dataset_card(name), data_root) == "to fetch":
        pytest.skip(f"{name} is not below GRAPHLAB_DATA")
    return load_dataset(name, data_root)


@pytest.mark.parametrize("name", dataset_names())
def test_graph_and_card_agree(name, data_root):
    data = _load(name, data_root)
    card = dataset_card(name)
    figures = (data.num_nodes, data.num_edges, data.num_features, data.num_classes)
    assert figures == (card.nodes, card.edges, card.features, card.classes)
    source, target = data.edge_index
    same = (data.y[source] == data.y[target]).double().mean()
    assert float(same) == pytest.approx(card.homophily, abs=5.1e-5)
    assert data.checksum == card.checksum


@pytest.mark.parametrize("name", dataset_names())
def test_every_split_that_is_offered_can_be_loaded(name, data_root):
    data = _load(name, data_root)
    for split in split_names(dataset_card(name)):
        splits = load_splits(split, data, data_root=data_root)
        assert len({s.checksum for s in splits}) == len(splits)


@pytest.mark.parametrize(
    ("name", "edges"), [("Chameleon", 31396), ("Squirrel", 198423), ("Texas", 287)]
)
def test_edge_counts_of_the_papers(name, edges, data_root):
    assert _load(name, data_root).num_edges == 2 * edges


def test_the_papers_277_edges_of_cornell_are_its_node_pairs(data_root):
    source, target = _load("cornell-geom", data_root).edge_index
    assert int((source < target).sum()) == 277 and int((source == target).sum()) == 3


def test_actor_stays_directed(data_root):
    data = _load("Actor", data_root)
    assert data.num_edges == 30019 and data.is_directed()


def test_cornell_geom_has_the_labels_of_texas_and_cornell_its_own(data_root):
    texas, geom, real = (
        _load(name, data_root) for name in ("Texas", "cornell-geom", "Cornell")
    )
    assert np.array_equal(texas.x, geom.x) and np.array_equal(texas.y, geom.y)
    assert np.bincount(real.y).tolist() == [38, 16, 30, 82, 17]


@pytest.mark.parametrize("name", ["Texas", "Cora"])
def test_bernnet_10_equals_the_slow_form(name, data_root):
    data = _load(name, data_root)
    for split, seed in zip(load_splits("bernnet-10", data), SEEDS, strict=True):
        slow = slow_bernnet(data.y.numpy(), data.num_classes, seed)
        for mask, index in zip(split.masks, slow, strict=True):
            assert mask.nonzero().view(-1).tolist() == sorted(index)


@pytest.mark.parametrize("name", MAJORITY)
def test_constant_majority_of_bernnet_10(name, data_root):
    data = _load(name, data_root)
    mean, present = MAJORITY[name]
    splits = load_splits("bernnet-10", data)
    values = [constant_majority(data.y, s.val_mask, s.test_mask) for s in splits]
    assert 100 * np.mean(values) == pytest.approx(mean, abs=0.005)
    assert len(np.unique(data.y[splits[0].test_mask])) == present


def test_the_first_split_of_texas_is_degenerate_as_specified(data_root):
    data = _load("Texas", data_root)
    split = load_splits("bernnet-10", data, runs=1)[0]
    assert np.bincount(data.y[split.train_mask]).tolist() == [22, 1, 18, 22, 22]
    assert np.bincount(data.y[split.test_mask]).tolist() == [5, 0, 0, 52, 4]


@pytest.mark.parametrize(("name", "mean"), [("Texas", 54.05), ("Cornell", 44.44)])
def test_constant_majority_of_the_stratified_split(name, mean, data_root):
    data = _load(name, data_root)
    splits = load_splits("stratified-60-20-20", data)
    values = [constant_majority(data.y, s.val_mask, s.test_mask) for s in splits]
    assert 100 * np.mean(values) == pytest.approx(mean, abs=0.005)


@pytest.mark.parametrize(
    ("name", "split", "index", "sizes"),
    [
        ("Cora", "planetoid-public", 0, (140, 500, 1000)),
        ("PubMed", "planetoid-public", 0, (60, 500, 1000)),
        ("Cora", "geom-gcn-10", 9, (1192, 796, 497)),
        ("CiteSeer", "geom-gcn-10", 0, (1596, 1065, 666)),
        ("CiteSeer", "geom-gcn-10", 4, (1017, 679, 424)),
        ("Cornell", "platonov-10", 0, (87, 59, 37)),
    ],
)
def test_sizes_of_published_splits(name, split, index, sizes, data_root):
    data = _load(name, data_root)
    chosen = load_splits(split, data, data_root=data_root)[index]
    assert tuple(int(mask.sum()) for mask in chosen.masks) == sizes
