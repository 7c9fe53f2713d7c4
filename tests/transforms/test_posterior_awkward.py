"""Posterior label smoothing on graphs that break careless code."""

from fractions import Fraction

import pytest
import torch
from torch.testing import assert_close

from graphlab.transforms import posterior_label_smoothing

PURE = dict(alpha=1.0, beta=0.0)


def test_star_of_5000_leaves_does_not_underflow():
    """The power product is 0 in float64 for both classes; exact fractions are not."""
    half, step = 2500, Fraction(1, 1000)
    # Leaves 1..2500 have class 0, the rest class 1. Edges among leaves set
    # pi = [[.5, .5], [.499, .501]]; the hub, outside the mask, sees all leaves.
    zero, one = 1, half + 1
    edges = [(zero, zero)] * 500 + [(zero, one)] * 500
    edges += [(one, zero)] * 499 + [(one, one)] * 501
    edges += [(0, leaf) for leaf in range(1, 2 * half + 1)]
    y = torch.tensor([-1] + [0] * half + [1] * half)
    q = posterior_label_smoothing(torch.tensor(edges).t(), y, y >= 0, 2, **PURE)[0]

    likelihood = [
        Fraction(1, 2) ** (2 * half),
        (499 * step) ** half * (501 * step) ** half,
    ]
    assert [float(value) for value in likelihood] == [0.0, 0.0]
    exact = [float(value / sum(likelihood)) for value in likelihood]
    assert 0.5 < exact[0] < 0.6
    assert_close(q, torch.tensor(exact), rtol=0, atol=1e-6)


def test_isolated_node_keeps_its_label_or_takes_the_prior():
    edge_index = torch.tensor([[0, 1], [1, 0]])
    y = torch.tensor([0, 0, 1, -1])
    mask = torch.tensor([True, True, True, False])
    prior = torch.tensor([2 / 3, 1 / 3])

    one_hot = posterior_label_smoothing(edge_index, y, mask, **PURE)
    assert_close(one_hot[2], torch.tensor([0.0, 1.0]))
    assert_close(one_hot[3], prior)  # there is no label to keep
    for option in ({"fallback": "prior"}, {"min_labelled": 0}):
        out = posterior_label_smoothing(edge_index, y, mask, **PURE, **option)
        assert_close(out[2:], prior.expand(2, 2))
    cold = posterior_label_smoothing(
        edge_index, y, mask, **PURE, fallback="prior", temperature=2.0
    )
    assert_close(cold[2], torch.tensor([0.8, 0.2]))


def test_graph_without_edges_and_graph_of_one_node():
    empty = torch.empty(2, 0, dtype=torch.long)
    y = torch.tensor([0, 1, 1])
    out = posterior_label_smoothing(empty, y, y >= 0, **PURE)
    assert_close(out, torch.eye(2)[y])
    one = posterior_label_smoothing(empty, y[:1], y[:1] >= 0, 1)
    assert_close(one, torch.ones(1, 1))
    loop = torch.zeros(2, 1, dtype=torch.long)
    assert_close(posterior_label_smoothing(loop, y[:1], y[:1] >= 0), torch.ones(1, 1))


def test_every_class_ruled_out_falls_back_on_the_prior():
    # pi = [[0, 1], [1, 0]]: no class has neighbours of both classes, but node 4 does.
    edge_index = torch.tensor([[0, 1, 2, 4, 4], [1, 0, 1, 0, 1]])
    y = torch.tensor([0, 1, 0, 0, 7])
    mask = torch.tensor([True, True, True, True, False])
    out = posterior_label_smoothing(edge_index, y, mask, 2, **PURE)
    assert_close(out[4], torch.tensor([0.75, 0.25]))
    assert not out.isnan().any()
    # With a pseudo-count pi = [[1/4, 3/4], [2/3, 1/3]] and no class is ruled out:
    # (3/4 1/4 3/4, 1/4 2/3 1/3) is proportional to (81, 32).
    soft = posterior_label_smoothing(edge_index, y, mask, 2, **PURE, pseudo_count=1.0)
    assert_close(soft[4], torch.tensor([81 / 113, 32 / 113]))


@pytest.mark.parametrize("conditional", ["edge", "node"])
def test_class_without_edges_or_without_nodes(conditional):
    # Class 1 has one isolated node, class 2 none; rows of pi are uniform for both.
    edge_index = torch.tensor([[0, 1], [1, 0]])
    y = torch.tensor([0, 0, 1])
    out = posterior_label_smoothing(
        edge_index, y, y >= 0, 3, **PURE, conditional=conditional
    )
    # (2/3 · 1, 1/3 · 1/3, 0) normalised.
    assert_close(out[:2], torch.tensor([[6 / 7, 1 / 7, 0.0]]).expand(2, 3))
    assert_close(out[2], torch.tensor([0.0, 1.0, 0.0]))


def test_train_set_of_one_class(make_graph, naive_targets):
    edge_index, y, mask = make_graph(seed=5)
    y[mask] = 2
    out = posterior_label_smoothing(edge_index, y, mask, 4, **PURE)
    assert_close(out, torch.eye(4)[2].expand_as(out))
    assert_close(
        posterior_label_smoothing(edge_index, y, mask, 4).double(),
        naive_targets(edge_index, y, mask, 4),
        rtol=0,
        atol=1e-6,
    )


def test_edges_point_from_a_node_to_its_neighbours():
    edge_index = torch.tensor([[0], [1]])
    y = torch.tensor([0, 1])
    out = posterior_label_smoothing(
        edge_index, y, y >= 0, **PURE, fallback="prior", pseudo_count=1.0
    )
    # pi[0] = (1/3, 2/3), pi[1] uniform: node 0 sees {1}, node 1 sees nothing.
    assert_close(out, torch.tensor([[4 / 7, 3 / 7], [0.5, 0.5]]))


def test_self_loop_brings_in_the_own_label():
    y = torch.tensor([0, 1])
    loops = torch.tensor([[0, 1], [0, 1]])
    out = posterior_label_smoothing(loops, y, y >= 0, **PURE, fallback="prior")
    assert_close(out, torch.eye(2))


def test_degree_cut_off_counts_edges_not_weight():
    edge_index = torch.tensor([[0, 0, 1], [1, 2, 2]])
    y = torch.tensor([0, 1, 1])
    weight = torch.tensor([0.1, 0.1, 50.0])
    out = posterior_label_smoothing(
        edge_index, y, y >= 0, **PURE, edge_weight=weight, min_labelled=2
    )
    fallen = torch.eye(2)[y]
    assert not torch.allclose(out[0], fallen[0])
    assert_close(out[1:], fallen[1:])
