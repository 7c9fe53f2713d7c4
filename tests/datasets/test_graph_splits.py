"""Splits of sets of graphs: against scikit-learn, by class, and what is refused."""

import numpy as np
import pytest
import torch
from sklearn.model_selection import train_test_split
from torch_geometric.data import Data

from graphlab.datasets import GraphSplit, graph_split_names, load_graph_splits
from graphlab.datasets.graph_splits import SEEDS
from graphlab.errors import ArgumentError, SplitError

CLASSES = [0] * 27 + [2] * 10 + [1] * 4


@pytest.fixture
def graphs():
    return [Data(y=torch.tensor([label])) for label in CLASSES]


def places(mask):
    return mask.nonzero().view(-1).tolist()


@pytest.mark.parametrize("size", [2, 10, 11, 41])
def test_random_90_10_is_scikit_learns(graphs, size):
    splits = load_graph_splits("random-90-10", graphs[:size])
    for split, seed in zip(splits, range(41, 51), strict=True):
        train, test = train_test_split(range(size), test_size=0.1, random_state=seed)
        assert places(split.train_mask) == sorted(train)
        assert places(split.test_mask) == sorted(test)
        assert not split.val_mask.any() and split.seed == seed


def test_stratified_cuts_every_class(graphs):
    y = np.array(CLASSES)
    for split in load_graph_splits("stratified-80-10-10", graphs):
        counts = [np.bincount(y[mask], minlength=3).tolist() for mask in split.masks]
        assert counts == [[22, 3, 8], [2, 1, 1], [3, 0, 1]]
        assert (sum(mask.int() for mask in split.masks) == 1).all()


def test_splits_are_frozen_and_differ(graphs):
    for name in graph_split_names():
        first = load_graph_splits(name, graphs)
        again = load_graph_splits(name, graphs, runs=3)
        assert [s.checksum for s in again] == [s.checksum for s in first[:3]]
        assert len({s.checksum for s in first}) == len(SEEDS)
        assert isinstance(first[0], GraphSplit) and first[4].index == 4


def test_what_is_refused(graphs):
    with pytest.raises(SplitError, match="accepted: random-90-10, stratified"):
        load_graph_splits("bernnet-10", graphs)
    for runs in (0, 11):
        with pytest.raises(ArgumentError, match="runs must be in 1 to 10"):
            load_graph_splits("random-90-10", graphs, runs)
    with pytest.raises(ArgumentError, match="at least one graph"):
        load_graph_splits("random-90-10", [])
    with pytest.raises(SplitError, match="train_mask selects no graph"):
        load_graph_splits("random-90-10", graphs[:1])
    with pytest.raises(SplitError, match="test_mask selects no graph"):
        load_graph_splits("stratified-80-10-10", graphs[:1])
    for y in (None, torch.tensor([0, 1]), torch.tensor([0.5]), torch.tensor([-1])):
        with pytest.raises(ArgumentError, match="graph 2 has"):
            load_graph_splits("random-90-10", [*graphs[:2], Data(y=y)])


def test_a_split_of_graphs_may_lack_validation_but_no_other_part():
    full, none = torch.tensor([True, False]), torch.zeros(2, dtype=torch.bool)
    assert GraphSplit("x", 0, 1, full, none, ~full).checksum
    with pytest.raises(SplitError, match="a graph is in more than one"):
        GraphSplit("x", 0, 1, full, none, full)
    with pytest.raises(SplitError, match=r"val_mask must be bool \[graphs\]"):
        GraphSplit("x", 0, 1, full, none.int(), ~full)
