"""Splits of node pairs: what is positive, what is negative, what may be seen."""

import itertools

import numpy as np
import pytest
import torch
from torch_geometric.data import Data
from torch_geometric.utils import erdos_renyi_graph

from graphlab.errors import ArgumentError
from graphlab.transforms import RandomPairSplit
from graphlab.transforms._pairs import (
    LabelPairs,
    LinkPairs,
    code_pair,
    distinct,
    pair_code,
)

KINDS = ("link", "pair")


def make_data(num_nodes=40, seed=0) -> Data:
    torch.manual_seed(seed)
    edge_index = erdos_renyi_graph(num_nodes, 0.2)
    y = torch.randint(0, 4, (num_nodes,))
    return Data(x=torch.ones(num_nodes, 1), edge_index=edge_index, y=y)


def unordered(pairs) -> list[tuple[int, int]]:
    return [tuple(sorted(pair)) for pair in pairs.t().tolist()]


def true_pairs(data: Data, kind: str) -> set[tuple[int, int]]:
    """All positive pairs, one by one."""
    if kind == "link":
        return {p for p in unordered(data.edge_index) if p[0] != p[1]}
    pairs = itertools.combinations(range(data.num_nodes), 2)
    return {(u, v) for u, v in pairs if data.y[u] == data.y[v] >= 0}


def parts_of(split) -> tuple[list, list]:
    positive = [unordered(d.edge_label_index[:, d.edge_label == 1]) for d in split]
    negative = [unordered(d.edge_label_index[:, d.edge_label == 0]) for d in split]
    return positive, negative


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(5))
def test_parts_hold_each_positive_once_and_only_true_negatives(kind, seed):
    data = make_data(seed=seed)
    split = RandomPairSplit(0.1, 0.2, kind, seed=seed)(data)
    positive, negative = parts_of(split)
    total = len(true_pairs(data, kind))
    assert [len(p) for p in positive] == [
        total - int(0.1 * total) - int(0.2 * total),
        int(0.1 * total),
        int(0.2 * total),
    ]
    assert sorted(sum(positive, [])) == sorted(true_pairs(data, kind))
    assert [len(n) for n in negative] == [len(p) for p in positive]
    every = sum(negative, [])
    assert len(set(every)) == len(every)  # distinct, and the parts are disjoint
    assert not set(every) & true_pairs(data, kind)
    assert all(u != v for u, v in every)


def test_encoders_see_training_edges_only_for_links():
    data = make_data()
    data.edge_index = torch.cat([data.edge_index, torch.tensor([[3], [3]])], dim=1)
    data.edge_attr = data.edge_index.t().clone()
    split = RandomPairSplit(seed=3)(data)
    training = set(parts_of(split)[0][0])
    for part in split:
        seen = unordered(part.edge_index)
        assert set(seen) - {(3, 3)} == training
        assert len(seen) == 2 * len(training) + 1  # both directions, and the loop
        assert torch.equal(part.edge_attr, part.edge_index.t())
        assert part.num_nodes == data.num_nodes
    assert data.edge_attr.size(0) == data.edge_index.size(1)  # the input is unchanged
    assert "edge_label" not in data


def test_encoders_see_all_edges_for_pairs():
    data = make_data()
    for part in RandomPairSplit(kind="pair")(data):
        assert part.edge_index is data.edge_index


def test_a_held_out_edge_leaves_no_trace_in_a_messy_graph():
    """Stored one way, twice, or both ways: a held-out pair is gone."""
    torch.manual_seed(0)
    edge_index = torch.randint(0, 12, (2, 60))
    split = RandomPairSplit(0.2, 0.2, seed=1)(Data(edge_index=edge_index, num_nodes=12))
    positive, _ = parts_of(split)
    held = set(positive[1]) | set(positive[2])
    assert len(held) == len(positive[1]) + len(positive[2]) > 5
    assert not held & set(unordered(split[0].edge_index))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("official", (False, True))
def test_seeds_decide(kind, official):
    def drawn(seed):
        split = RandomPairSplit(kind=kind, official=official, seed=seed)(make_data())
        return [part.edge_label_index for part in split]

    assert all(torch.equal(a, b) for a, b in zip(drawn(7), drawn(7), strict=True))
    assert not torch.equal(drawn(7)[0], drawn(8)[0])


def test_a_seed_gives_these_pairs_everywhere():
    path = torch.tensor([[0, 1, 2, 3, 4], [1, 2, 3, 4, 5]])
    data = Data(edge_index=path.int(), num_nodes=6)
    _, val, test = RandomPairSplit(1, 1, seed=5)(data)
    assert val.edge_label_index.tolist() == FROZEN[0]
    assert test.edge_label_index.tolist() == FROZEN[1]


FROZEN = ([[2, 2], [3, 5]], [[0, 1], [1, 3]])


def test_a_list_is_split_graph_by_graph():
    graphs = [make_data(30, 1), make_data(20, 2)]
    splits = RandomPairSplit(kind="pair", seed=4)(graphs)
    assert len(splits) == 2
    for data, split in zip(graphs, splits, strict=True):
        assert set(sum(parts_of(split)[0], [])) == true_pairs(data, "pair")
        assert all(part.num_nodes == data.num_nodes for part in split)


def test_unlabelled_nodes_are_in_no_pair():
    data = make_data()
    data.y[:10] = -1
    split = RandomPairSplit(kind="pair")(data)
    assert min(int(part.edge_label_index.min()) for part in split) >= 10


def test_max_positives_draws_a_subset():
    data = make_data()
    split = RandomPairSplit(0.25, 0.25, "pair", max_positives=20)(data)
    positive, negative = parts_of(split)
    assert [len(p) for p in positive] == [10, 5, 5] == [len(n) for n in negative]
    assert set(sum(positive, [])) < true_pairs(data, "pair")
    assert not set(sum(negative, [])) & true_pairs(data, "pair")


def test_scarce_negatives_are_shared_out():
    """K8 less two edges: 26 positive pairs, 2 negative ones."""
    pairs = [
        p for p in itertools.combinations(range(8), 2) if p not in {(0, 1), (2, 3)}
    ]
    data = Data(edge_index=torch.tensor(pairs).t(), num_nodes=8)
    split = RandomPairSplit(13, 0, seed=0)(data)
    _, negative = parts_of(split)
    assert sorted(sum(negative, [])) == [(0, 1), (2, 3)]
    assert [len(n) for n in negative] == [1, 1, 0]
    with pytest.raises(ArgumentError, match="2 negative pairs.*validation part"):
        RandomPairSplit(0.1, 0.1)(data)


@pytest.mark.parametrize(
    ("settings", "change", "message"),
    [
        (dict(kind="edge"), {}, "kind: got 'edge'"),
        (dict(num_val=1.5), {}, "num_val: got 1.5"),
        (dict(num_test=-1), {}, "num_test: got -1"),
        (dict(seed=-1), {}, "seed: got -1"),
        (dict(seed=2**32), {}, "seed: got 4294967296"),
        (dict(max_positives=0), {}, "max_positives: got 0"),
        (dict(num_val=0.6, num_test=0.6), {}, "too few for a training part"),
        ({}, dict(edge_index=torch.empty(2, 0, dtype=torch.long)), "0 positive pairs"),
        ({}, dict(edge_index=torch.tensor([[0], [0]])), "0 positive pairs"),
        ({}, dict(edge_index=torch.tensor([[0], [99]])), "from 0 to 99"),
        ({}, dict(edge_index=None), "no edge_index"),
        (dict(kind="pair"), dict(y=None), "no y"),
        (dict(kind="pair"), dict(y=torch.rand(40)), "no y"),
        (dict(kind="pair"), dict(y=torch.zeros(40).long()), "0 negative pairs"),
    ],
)
def test_errors_name_the_argument(settings, change, message):
    data = make_data()
    for name, value in change.items():
        data[name] = value
    with pytest.raises(ArgumentError, match=message):
        RandomPairSplit(**settings)(data)


@pytest.mark.parametrize("num_nodes", (2, 3, 7))
def test_numbers_and_pairs_are_one_to_one(num_nodes):
    code = np.arange(num_nodes * (num_nodes - 1) // 2)
    pairs = code_pair(code)
    assert len(set(map(tuple, pairs.T))) == len(code)
    assert (pairs[0] < pairs[1]).all() and pairs.max() == num_nodes - 1
    assert (pair_code(pairs) == code).all() and (pair_code(pairs[::-1]) == code).all()


def test_pairs_of_huge_graphs_are_exact():
    high = np.array([2, 3, 94906266, 10**9, 2**31 - 1, 3 * 10**9])
    for low in (np.zeros_like(high), high // 2, high - 1):
        pair = np.stack([low, high])
        assert (code_pair(pair_code(pair)) == pair).all()


@pytest.mark.parametrize("kind", KINDS)
def test_populations_list_all_pairs(kind):
    data = make_data(15, 3)
    data.y[2] = -1
    if kind == "link":
        pairs = LinkPairs(data.edge_index.numpy(), 15)
    else:
        pairs = LabelPairs(data.y.numpy())
    positive = pairs.positive(np.arange(pairs.num_positive))
    negative = pairs.negative(np.arange(pairs.num_negative))
    assert sorted(map(tuple, positive.T)) == sorted(true_pairs(data, kind))
    nodes = [v for v in range(15) if kind == "link" or data.y[v] >= 0]
    rest = set(itertools.combinations(nodes, 2)) - true_pairs(data, kind)
    assert sorted(map(tuple, negative.T)) == sorted(rest)


@pytest.mark.parametrize("population", (30, 1000, 10**15))
def test_distinct_numbers(population):
    drawn = distinct(np.random.RandomState(0), 30, population)
    assert len(drawn) == len(set(drawn.tolist())) == 30
    assert 0 <= drawn.min() and drawn.max() < population


def test_negatives_are_uniform():
    """Each of the 21 negative pairs of a star is drawn about equally often."""
    star = torch.stack([torch.zeros(7, dtype=torch.long), torch.arange(1, 8)])
    data, counts, draws = Data(edge_index=star, num_nodes=8), {}, 600
    for seed in range(draws):
        _, negative = parts_of(RandomPairSplit(1, 1, seed=seed)(data))
        for pair in sum(negative, []):
            counts[pair] = counts.get(pair, 0) + 1
    assert len(counts) == 21
    expected = draws * 7 / 21
    chi = sum((count - expected) ** 2 / expected for count in counts.values())
    assert chi < 45.3  # 20 degrees of freedom, p = .001; without replacement: smaller


def test_large_graphs_need_no_table_of_pairs():
    """A million nodes: a table of pairs would take 4 TB."""
    torch.manual_seed(0)
    edge_index = torch.randint(0, 10**6, (2, 200_000))
    data = Data(edge_index=edge_index, y=torch.randint(0, 50, (10**6,)))
    data.num_nodes = 10**6
    link = RandomPairSplit(seed=0)(data)
    edges = set(unordered(edge_index))
    assert not edges & set(parts_of(link)[1][0])
    pair = RandomPairSplit(kind="pair", max_positives=10_000)(data)
    for part in pair:
        source, target = part.edge_label_index
        assert torch.equal(data.y[source] == data.y[target], part.edge_label == 1)
