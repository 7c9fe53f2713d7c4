import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphlab.benchmark import stats
from graphlab.benchmark.report import verdict
from graphlab.benchmark.report.results import CellResult

ACCURACIES = [0.79, 0.80, 0.81, 0.80, 0.78, 0.82, 0.80, 0.79, 0.81, 0.80]
WIDTH = 100 * stats.half_width(ACCURACIES)


@pytest.fixture
def result(cell, runs, published):
    """A cell measured at 80 % against a published mean and half-width."""

    def make(mean, half_width=1.0, accuracies=ACCURACIES, profile="full", **changes):
        c = cell(published=published(mean, half_width, **changes), profile=profile)
        return CellResult(c, tuple(runs(c, accuracies)))

    return make


def test_within_reaches_exactly_to_the_root_of_squares(result):
    reach = math.hypot(WIDTH, 1.0)
    for sign in (1, -1):
        inside = verdict.judge(result(80 + sign * reach * 0.9999))
        outside = verdict.judge(result(80 + sign * reach * 1.0001))
        assert inside.kind == "within"
        # Published above means measured below.
        assert outside.kind == ("below" if sign > 0 else "above")
    assert verdict.judge(result(80 - reach)).kind == "within", "the edge belongs to it"


def test_difference_and_tolerance_are_in_points(result):
    found = verdict.judge(result(78.5, 2.0))
    assert found.difference == pytest.approx(1.5)
    assert found.half_width == pytest.approx(math.hypot(WIDTH, 2.0))
    assert str(found) == "within"


@given(st.floats(-50, 50), st.floats(0, 10))
def test_agreement_is_symmetric(difference, tolerance):
    swap = {"above": "below", "below": "above", "within": "within"}
    there = verdict.agreement(difference, tolerance)
    assert verdict.agreement(-difference, tolerance) == swap[there]
    assert (there == "within") == (abs(difference) <= tolerance + 1e-9)


def test_what_follows_the_sign_is_converted(published):
    assert verdict.published_half_width(published(80, 2.0), 10) == 2.0
    std = published(80, 2.0, kind="standard deviation")
    assert verdict.published_half_width(std, 10) == pytest.approx(1.96 * 2 / 10**0.5)
    error = published(80, 2.0, kind="standard error")
    assert verdict.published_half_width(error, 10) == pytest.approx(1.96 * 2)
    assert verdict.published_half_width(published(80, None), 10) == 0


def test_quick_runs_are_not_comparable_but_show_the_difference(result):
    found = verdict.judge(result(70, profile="quick"))
    assert str(found) == "not comparable: quick profile"
    assert found.difference == pytest.approx(10)
    assert math.isnan(found.half_width)


def test_one_run_is_not_comparable(result):
    assert str(verdict.judge(result(80, accuracies=[0.8]))) == "not comparable: 1 run"


def test_identical_runs_still_have_the_published_interval(result):
    assert verdict.judge(result(80.5, 1.0, [0.8] * 10)).kind == "within"
    assert verdict.judge(result(80.5, None, [0.8] * 10)).kind == "below"


def test_no_published_number_gives_the_reason(cell, runs):
    c = cell(published_note="the paper has no such row")
    found = verdict.judge(CellResult(c, tuple(runs(c, ACCURACIES))))
    assert str(found) == "not comparable: the paper has no such row"


@pytest.mark.parametrize(
    ("failures", "words"),
    [
        ([], "not run"),
        ([("oom", None)], "OOM"),
        ([("nan", None)] * 2, "diverged"),
        ([("unavailable", "no\n file")], "unavailable: no file"),
        ([("error", "bad")] * 2 + [("oom", None)], "error: bad; OOM in 1 run"),
    ],
)
def test_missing_cells_say_why(cell, run, failures, words):
    c = cell()
    failed = tuple(
        run(c, k, status=status, message=message, metrics={})
        for k, (status, message) in enumerate(failures)
    )
    assert str(verdict.judge(CellResult(c, (), failed))) == words


@pytest.mark.parametrize("stated", ["no formula", "not implemented: no formula"])
def test_cells_that_cannot_run_say_why(cell, stated):
    c = cell(unavailable=stated)
    assert str(verdict.judge(CellResult(c))) == "not implemented: no formula"
