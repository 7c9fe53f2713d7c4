"""Histograms of graphs, known and new."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from torch_geometric.data import Data

from graphlab.analysis import WLEncoder, wl_colors
from graphlab.errors import ArgumentError


def graphs_of(seed: int, number: int = 12) -> list[Data]:
    generator = torch.Generator().manual_seed(seed)
    graphs = []
    for _ in range(number):
        size = int(torch.randint(0, 8, (), generator=generator))
        edges = torch.randint(0, max(size, 1), (2, 2 * size), generator=generator)
        label = torch.randint(0, 3, (size,), generator=generator)
        graphs.append(
            Data(
                x=torch.nn.functional.one_hot(label, 3).float(),
                edge_index=torch.cat([edges, edges.flip(0)], 1),
                edge_attr=torch.randint(0, 2, (2 * size,), generator=generator).repeat(
                    2
                ),
            )
        )
    return graphs


SETTINGS = [
    {},
    {"exact": True},
    {"init": "degree", "patterns": ["C3", "P2"]},
    {"init": "attribute", "cumulative": True},
    {"exact": True, "use_edge_labels": True, "cumulative": True},
    {"use_edge_labels": True},
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("rounds", [0, 1, 3])
def test_new_graphs_get_the_colours_of_the_union(settings, rounds):
    """Fit on some, transform others: as if all had been coloured together."""
    known, new = graphs_of(0), graphs_of(1)
    encoder = WLEncoder(rounds, **settings)
    train = encoder.fit_transform(known).toarray()
    test = encoder.transform(new).toarray()
    assert test.shape[1] >= train.shape[1]
    padded = np.pad(train, ((0, 0), (0, test.shape[1] - train.shape[1])))
    found = np.concatenate([padded, test])
    truth = WLEncoder(rounds, **settings).fit_transform([*known, *new]).toarray()
    assert found.shape == truth.shape
    # Equal but for the order of the columns.
    assert sorted(map(tuple, found.T)) == sorted(map(tuple, truth.T))


@pytest.mark.parametrize("settings", SETTINGS)
def test_transform_of_the_fit_is_the_fit(settings):
    graphs = graphs_of(2)
    encoder = WLEncoder(2, **settings)
    first = encoder.fit_transform(graphs)
    assert isinstance(first, csr_array)
    assert first.dtype == np.int64
    again = WLEncoder(2, **settings).fit(graphs).transform(graphs[::-1])
    assert np.array_equal(again.toarray()[::-1], first.toarray())
    assert np.array_equal(encoder.transform(graphs[:3]).toarray(), first[:3].toarray())


def test_transform_does_not_depend_on_what_was_transformed_before():
    encoder = WLEncoder(2).fit(graphs_of(0))
    first = encoder.transform(graphs_of(1)).toarray()
    encoder.transform(graphs_of(5))
    assert np.array_equal(encoder.transform(graphs_of(1)).toarray(), first)
    turned = encoder.transform(graphs_of(1)[::-1]).toarray()[::-1]
    assert np.array_equal(turned, first)


def test_the_last_round_or_all():
    graphs = graphs_of(3)
    colors = wl_colors(graphs, 2)
    tables = [colors.histograms(t).toarray() for t in range(3)]
    encoder = WLEncoder(2)
    assert np.array_equal(encoder.fit_transform(graphs).toarray(), tables[2])
    assert encoder.num_colors == colors.num_colors
    whole = WLEncoder(2, cumulative=True).fit_transform(graphs).toarray()
    assert np.array_equal(whole, np.concatenate(tables, 1))


@pytest.mark.parametrize("cumulative", [False, True])
def test_shares_sum_to_one_and_forget_the_order(cumulative):
    graphs = graphs_of(4)
    counts = WLEncoder(2, cumulative=cumulative).fit_transform(graphs).toarray()
    encoder = WLEncoder(2, normalize="l1", cumulative=cumulative)
    shares = encoder.fit_transform(graphs).toarray()
    sizes = counts.sum(1, keepdims=True)
    assert 0 in sizes  # a graph without nodes has no shares
    np.testing.assert_allclose(shares * sizes, counts, rtol=1e-15)
    distance = np.linalg.norm(shares[:, None] - shares[None], axis=-1)
    assert distance.max() <= np.sqrt(2)
    one = Data(x=torch.eye(1))
    two = Data(x=torch.ones(2, 1))
    row, twice = WLEncoder(1, normalize="l1").fit_transform([one, two]).toarray()
    assert np.array_equal(row, twice)


def test_a_new_label_and_a_new_edge_label():
    line = torch.tensor([[0, 1], [1, 0]])

    def pair(label: int, edge: int) -> Data:
        x = torch.nn.functional.one_hot(torch.tensor([label, label]), 4)
        return Data(x=x, edge_index=line, edge_attr=torch.tensor([edge, edge]))

    for exact in (False, True):
        encoder = WLEncoder(1, use_edge_labels=True, exact=exact)
        encoder.fit([pair(1, 5), pair(1, 6)])
        new = [pair(0, 5), pair(1, 5), pair(1, 4), pair(3, 9), pair(1, 6)]
        table = encoder.transform(new).toarray()
        assert table.shape == (5, 5)
        assert (table[[1, 4], 2:] == 0).all()
        assert sorted(table.argmax(1)) == [0, 1, 2, 3, 4]
        assert (table.max(1) == 2).all()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"rounds": -1}, "rounds must be"),
        ({"rounds": 1, "init": "x"}, "init must be one of"),
        ({"rounds": 1, "normalize": "l2"}, "normalize must be 'l1' or None, got 'l2'"),
    ],
)
def test_settings_are_checked_at_once(arguments, problem):
    with pytest.raises(ArgumentError, match=problem):
        WLEncoder(**arguments)


def test_transform_before_fit_and_other_features():
    encoder = WLEncoder(1, "attribute")
    with pytest.raises(ArgumentError, match="call fit"):
        encoder.transform(graphs_of(0))
    encoder.fit(graphs_of(0))
    with pytest.raises(ArgumentError, match="x must have the width"):
        encoder.transform([Data(x=torch.ones(2, 5))])
    with pytest.raises(ArgumentError, match="x must have the width"):
        encoder.transform([Data(x=torch.ones(2, 1))])
