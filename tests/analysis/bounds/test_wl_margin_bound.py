"""The margin of histograms where it is known by hand, and where there is none."""

import math

import numpy as np
import pytest

from graphlab.analysis import wl_margin_bound
from graphlab.errors import ArgumentError


def test_two_classes_by_hand(make_sample):
    """Points 3 and 5 against 9 on a line: half of the way from 5 to 9."""
    lam = np.array([3, 5, 3, 5, 9, 9, 9, 9.0])[:, None]
    found = wl_margin_bound(make_sample((4, 4), histograms=lam, logits=np.eye(8, 2)))
    assert found.terms["margin"] == pytest.approx(2, rel=1e-3)
    assert found.terms["radius"] == 9
    assert found.terms["D"] == pytest.approx(81 / 4, rel=1e-3)
    assert found.value == pytest.approx(math.sqrt(81 / 4 / 8), rel=1e-3)
    assert found.terms["not separated"] == 0
    assert [each.holds for each in found.assumptions] == [False, True]


def test_of_several_classes_the_worst_counts(make_sample):
    """Corners of a triangle that is flat on one side."""
    lam = np.repeat([[0, 0], [10, 0], [5, 1.0]], 4, axis=0)
    found = wl_margin_bound(
        make_sample((4, 4, 4), histograms=lam, logits=np.eye(12, 3))
    )
    # The third corner is 1 away from the line through the others: half of that.
    assert found.terms["margin"] == pytest.approx(0.5, rel=1e-3)
    assert found.terms["D"] == pytest.approx(400, rel=2e-3)


def test_scaling_histograms_changes_nothing(make_sample):
    lam = np.random.default_rng(0).normal(size=(12, 20))
    one, many = (
        wl_margin_bound(make_sample(histograms=lam * s)).value for s in (1, 1e4)
    )
    assert one == pytest.approx(many, rel=1e-3)


def test_repeated_graphs_are_one_constraint(make_sample):
    lam = np.array([3, 3, 3, 3, 5, 9, 9, 9, 9.0])[:, None]
    found = wl_margin_bound(make_sample((5, 4), histograms=lam, logits=np.eye(9, 2)))
    assert found.terms["margin"] == pytest.approx(2, rel=1e-3)


def test_what_cannot_be_separated_is_said(make_sample):
    lam = np.array([0, 1, 0, 1, 0, 1, 2, 2.0])[:, None]
    found = wl_margin_bound(make_sample((4, 4), histograms=lam, logits=np.eye(8, 2)))
    assert found.terms["not separated"] >= 2
    assert found.assumptions[1].holds is False
    assert "on the wrong side" in found.advice[0]


def test_a_solver_that_stops_early_is_said(make_sample):
    found = wl_margin_bound(make_sample((20, 20), seed=1), max_iter=1)
    assert "stopped after 1 iterations" in found.assumptions[1].detail
    assert found.assumptions[1].holds is not True


def test_no_histogram_at_all(make_sample):
    found = wl_margin_bound(make_sample(histograms=np.zeros((12, 1))))
    assert found.assumptions[1].holds is False


@pytest.mark.parametrize("arguments", [{"penalty": 0}, {"max_iter": 0}])
def test_what_is_wrong_is_named(make_sample, arguments):
    with pytest.raises(ArgumentError, match=f"{next(iter(arguments))} must be"):
        wl_margin_bound(make_sample(), **arguments)
