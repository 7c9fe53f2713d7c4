import math

import pytest

from graphlab.benchmark.report import numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.8714, "87.14"), (1, "100.00"), (0, "0.00"), (math.nan, "–"), (None, "–")],
)
def test_percent(value, text):
    assert numbers.percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.234, "+1.23"), (-1.5, "−1.50"), (-0.001, "0.00"), (0.001, "0.00"), (None, "–")],
)
def test_signed(value, text):
    assert numbers.signed(value) == text


def test_plus_minus_and_interval():
    assert numbers.plus_minus("80.00", "–") == "80.00 ± –"
    assert numbers.plus_minus("–", "–") == "–"
    assert numbers.interval(-1, 2.345) == "[−1.00, 2.35]"
    assert numbers.interval(math.nan, 1) == "–"


@pytest.mark.parametrize(
    ("p", "text"),
    [(None, "–"), (0.0004, "<.001"), (0.001953, ".002"), (0.05, ".050"), (1, "1.000")],
)
def test_p_value(p, text):
    assert numbers.p_value(p) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(50, "50"), (92_231, "92.2k"), (999_900, "1000k"), (1.44e6, "1.44M"), (None, "–")],
)
def test_count(value, text):
    assert numbers.count(value) == text


def test_words():
    assert numbers.plural(1, "run") == "1 run" and numbers.plural(0, "run") == "0 runs"
    assert numbers.listing(["a", "b", "c"]) == "a, b and c"
    assert numbers.listing([]) == "" and numbers.listing(["a"]) == "a"
    assert [numbers.seconds(s) for s in (1.234, 12.34, 123.4)] == [
        "1.23",
        "12.3",
        "123",
    ]
