"""The VC bound, by its formula and by the rows that the paper prints."""

import math

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from graphlab.analysis import WLEncoder, vc_bound
from graphlab.datasets import load_graphs
from graphlab.errors import ArgumentError


def formula(m, d, delta):
    return math.sqrt((d * (math.log(2 * m / d) + 1) - math.log(delta / 4)) / m)


@pytest.mark.parametrize("groups", [1, 4, 12])
def test_formula(make_sample, groups):
    sample = make_sample(groups=groups)
    found = vc_bound(sample, delta=0.2)
    assert found.terms["D"] == len(np.unique(sample.histograms.toarray(), axis=0))
    assert found.value == pytest.approx(formula(12, found.terms["D"], 0.2))
    assert found.empirical_risk == sample.train_error


def test_colours_are_counted_for_graphs_of_any_order(make_sample):
    found = vc_bound(make_sample(num_colors=17), count="colors")
    assert found.value == pytest.approx(formula(12, 17, 0.1))
    with pytest.raises(ArgumentError, match="needs a sample with num_colors"):
        vc_bound(make_sample(), count="colors")
    # Beyond 2m the formula would fall again, although more can be told apart.
    values = [vc_bound(make_sample(), count=d).value for d in (20, 24, 25, 10**6)]
    assert values[0] < values[1] == values[2] == values[3]


def test_more_confidence_costs(make_sample):
    values = [vc_bound(make_sample(), delta=d).value for d in (1e-9, 0.01, 0.5)]
    assert values == sorted(values, reverse=True) and len(set(values)) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"delta": 0}, "delta must lie strictly between 0 and 1, got 0"),
        ({"count": "graphs"}, "count must be 'histograms', 'colors' or a number"),
        ({"count": 0}, "count must be a whole number of at least 1, got 0"),
    ],
)
def test_what_is_wrong_is_named(make_sample, arguments, message):
    with pytest.raises(ArgumentError, match=message):
        vc_bound(make_sample(), **arguments)


def test_advice_says_how_many_graphs(make_sample):
    sample = make_sample(groups=4)
    found, d = vc_bound(sample), 4
    need = int(found.advice[-1].split(" needs ")[1].split()[0])
    room = 1 - sample.train_error
    assert formula(need, d, 0.1) < room <= formula(need - 1, d, 0.1)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "layers", "published"),
    [
        ("MUTAG", 1, 1.103),
        ("MUTAG", 2, 1.280),
        ("MUTAG", 3, 1.287),
        ("MUTAG", 4, 1.293),
        ("ENZYMES", 1, 1.302),
        ("PROTEINS", 1, 1.293),
    ],
)
def test_the_rows_of_table_2(data_root, make_sample, name, layers, published):
    """Labelled 1-WL on 90 % of the graphs, mean over five splits (Table 2)."""
    graphs = load_graphs(name, data_root)
    histograms = WLEncoder(layers).fit_transform(graphs)
    y = np.array([int(graph.y) for graph in graphs])
    values = []
    for seed in range(41, 46):
        train, _ = train_test_split(range(len(y)), test_size=0.1, random_state=seed)
        classes = int(y.max()) + 1
        sample = make_sample(
            np.bincount(y[train]),
            histograms=histograms[train],
            logits=np.zeros((len(train), classes)),
            y=y[train],
        )
        values.append(vc_bound(sample).value)
    assert np.mean(values) == pytest.approx(published, abs=0.005)
