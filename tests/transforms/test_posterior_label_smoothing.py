"""Posterior label smoothing against its formula, and against vectors worked by hand."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from graphlab.transforms import posterior_label_smoothing

COMBINATIONS = list(
    itertools.product(
        ("edge", "node"), ("one_hot", "prior"), ("off_class", "uniform"), (0.0, 0.5)
    )
)


def assert_equal(ours, oracle):
    assert ours.dtype == torch.float32
    assert_close(ours.double(), oracle, rtol=0, atol=1e-6)


def test_five_nodes_worked_by_hand():
    # Path 0-1-2-3 and the isolated node 4; node 3 is outside the mask.
    edge_index = torch.tensor([[0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2]])
    y = torch.tensor([0, 0, 1, 1, 1])
    mask = torch.tensor([True, True, True, False, True])
    # Labelled pairs 0->0, 0->0, 0->1, 1->0: pi = [[2/3, 1/3], [1, 0]], p = [1/2, 1/2].
    # Node 0 sees {0}: (1/2 2/3, 1/2) = (.4, .6). Node 1 sees {0, 1}: class 1 has
    # pi[1, 1] = 0, so (1, 0). Node 2 sees {0}: (.4, .6). Node 3 sees {1}: (1, 0).
    q = torch.tensor([[0.4, 0.6], [1, 0], [0.4, 0.6], [1, 0], [0, 1]])
    pure = posterior_label_smoothing(edge_index, y, mask, alpha=1.0, beta=0.0)
    assert_close(pure, q, rtol=0, atol=1e-6)
    # Defaults: .8 (.6 q + .4 (1 - e)) + .2 e on labelled nodes, q elsewhere.
    e = torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 1], [0, 1]])
    expected = 0.8 * (0.6 * q + 0.4 * (1 - e)) + 0.2 * e
    expected[3] = q[3]
    assert_close(
        posterior_label_smoothing(edge_index, y, mask), expected, rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("conditional, fallback, noise, pseudo_count", COMBINATIONS)
@pytest.mark.parametrize("seed", range(3))
def test_every_combination_equals_the_formula(
    naive_targets, make_graph, conditional, fallback, noise, pseudo_count, seed
):
    graph = make_graph(seed=seed)
    options = dict(
        alpha=0.7,
        beta=0.3,
        conditional=conditional,
        fallback=fallback,
        noise=noise,
        pseudo_count=pseudo_count,
    )
    for more in ({}, {"min_labelled": 3}, {"min_labelled": 0}, {"temperature": 0.4}):
        ours = posterior_label_smoothing(*graph, 4, **options, **more)
        assert_equal(ours, naive_targets(*graph, 4, **options, **more))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_random_graphs_equal_the_formula(naive_targets, data):
    n = data.draw(st.integers(1, 12), "nodes")
    c = data.draw(st.integers(1, 4), "classes")
    node = st.integers(0, n - 1)
    edges = data.draw(st.lists(st.tuples(node, node), max_size=25), "edges")
    y = torch.tensor(
        data.draw(st.lists(st.integers(-1, c - 1), min_size=n, max_size=n), "y")
    )
    mask = torch.tensor(
        data.draw(st.lists(st.booleans(), min_size=n, max_size=n), "mask")
    )
    first = data.draw(node, "a node that is labelled")
    y[first], mask[first] = y[first].clamp(min=0), True
    weight = data.draw(
        st.none()
        | st.lists(
            st.sampled_from([0.0, 0.5, 1.0, 2.0]),
            min_size=len(edges),
            max_size=len(edges),
        ),
        "weights",
    )
    pseudo = data.draw(
        st.none() | st.lists(st.integers(-1, c - 1), min_size=n, max_size=n), "pseudo"
    )
    options = dict(
        alpha=data.draw(st.sampled_from([0.0, 0.5, 1.0])),
        beta=data.draw(st.sampled_from([0.0, 0.5, 1.0])),
        temperature=data.draw(st.sampled_from([0.5, 1.0, 2.0])),
        min_labelled=data.draw(st.integers(0, 3)),
        conditional=data.draw(st.sampled_from(["edge", "node"])),
        fallback=data.draw(st.sampled_from(["one_hot", "prior"])),
        noise=data.draw(st.sampled_from(["off_class", "uniform"])),
        pseudo_count=data.draw(st.sampled_from([0.0, 0.1])),
        edge_weight=None if weight is None else torch.tensor(weight),
        pseudo_label=None if pseudo is None else torch.tensor(pseudo),
    )
    edge_index = torch.tensor(edges, dtype=torch.long).reshape(-1, 2).t()
    ours = posterior_label_smoothing(edge_index, y, mask, c, **options)
    assert_equal(ours, naive_targets(edge_index, y, mask, c, **options))
    assert_close(ours.sum(1), torch.ones(n))


@pytest.mark.parametrize("conditional", ["edge", "node"])
@pytest.mark.parametrize("seed", range(4))
def test_pseudo_labels_equal_the_iterative_form(
    naive_targets, make_graph, conditional, seed
):
    edge_index, y, mask = make_graph(seed=seed, train=0.3)
    pseudo = torch.randint(4, y.shape, generator=torch.Generator().manual_seed(seed))
    options = dict(pseudo_label=pseudo, conditional=conditional)
    ours = posterior_label_smoothing(edge_index, y, mask, 4, **options)
    assert_equal(ours, naive_targets(edge_index, y, mask, 4, **options))
    without = posterior_label_smoothing(edge_index, y, mask, 4, conditional=conditional)
    assert not torch.allclose(ours, without)
    # Pseudo labels of nodes with a true label are never read.
    pseudo = torch.where(mask, (pseudo + 1) % 4, pseudo)
    options["pseudo_label"] = pseudo
    assert torch.equal(
        ours, posterior_label_smoothing(edge_index, y, mask, 4, **options)
    )


def test_pseudo_labelled_conditional_has_rows_of_training_nodes_only():
    # Nodes 0 and 3 are training nodes of classes 0 and 1; 1 and 2 have pseudo label 1.
    edge_index = torch.tensor([[0, 1, 3, 3], [1, 2, 2, 0]])
    y, mask = torch.tensor([0, 9, 9, 1]), torch.tensor([True, False, False, True])
    pseudo = torch.tensor([-1, 1, 1, -1])
    # p = (1/4, 3/4); pi = [[0, 1], [1/2, 1/2]], to which 1 -> 2 adds nothing.
    # Nodes 0 and 1 see {1}: (1/4, 3/8) = (.4, .6); node 3 sees {0, 1}.
    out = posterior_label_smoothing(
        edge_index, y, mask, 2, alpha=1.0, beta=0.0, pseudo_label=pseudo
    )
    assert_close(out, torch.tensor([[0.4, 0.6], [0.4, 0.6], [0.25, 0.75], [0, 1]]))


@pytest.mark.parametrize("homophily", [(0.8, 0.6), (0.7, 0.7), (0.3, 0.2), (0.1, 0.6)])
@pytest.mark.parametrize("k", [0, 1])
def test_threshold_of_the_lemmas(homophily, k):
    """AAAI Lemmas 1-4: the posterior exceeds 1/2 beyond a ratio of neighbours."""
    edge_index, y = _two_class_graph(homophily)
    c, other = torch.tensor(homophily[k]), torch.tensor(homophily[1 - k])
    ratio = (other.log() - (1 - c).log()) / (c.log() - (1 - other).log())
    above = homophily[k] > 1 - homophily[1 - k]

    counts = list(itertools.product(range(1, 8), repeat=2))
    edges = [edge_index]
    for node, (own, others) in enumerate(counts, start=y.numel()):
        targets = [10 * k + j for j in range(own)]
        targets += [10 * (1 - k) + j for j in range(others)]
        edges.append(torch.tensor([[node] * len(targets), targets]))
    # These nodes lie outside the mask, so they change neither pi nor the prior.
    labels = torch.cat([y, torch.full((len(counts),), -1)])
    q = posterior_label_smoothing(torch.cat(edges, 1), labels, labels >= 0, 2)
    for (own, others), share in zip(counts, q[y.numel() :, k], strict=True):
        if abs(own - ratio * others) > 1e-4:  # not a tie
            assert bool(share > 0.5) == bool((own > ratio * others) == above)


def _two_class_graph(homophily):
    """Ten nodes of each class, whose out-edges have exactly the given homophily."""
    edges = []
    for k, share in enumerate(homophily):
        same = round(10 * share)
        for i in range(10):
            for j in range(10):
                target_class = k if j < same else 1 - k
                edges.append((10 * k + i, 10 * target_class + j))
    y = torch.arange(20) // 10
    return torch.tensor(edges).t(), y
