"""The word for a bound follows from its value and its assumptions."""

import json
import math

import pytest

from graphlab.analysis import Assumption, Bound

TRUE, FALSE, OPEN = (Assumption(f"it is {h}", h) for h in (True, False, None))


def bound(value, *assumptions, **parts):
    return Bound("b", value, "R - R_0", {"a": value}, assumptions=assumptions, **parts)


@pytest.mark.parametrize(
    ("found", "status", "reason"),
    [
        (bound(0.5), "certified", "assumptions hold"),
        (bound(0.5, TRUE), "certified", "assumptions hold"),
        (bound(0.5, TRUE, OPEN), "heuristic", "not established: it is None"),
        (bound(0.5, FALSE, OPEN), "heuristic", "it is False; it is None"),
        (bound(1.0, TRUE), "vacuous", "1 is at least 1, and no gap is larger"),
        (bound(3.0, TRUE, limit=5.4), "certified", ""),
        (bound(5.5, TRUE, limit=5.4), "vacuous", "5.5 is at least 5.4"),
        (bound(0.7, empirical_risk=0.4), "vacuous", "bounds the risk by 1.1"),
        (bound(0.5, empirical_risk=0.4), "certified", ""),
        (bound(math.inf), "vacuous", "inf is at least 1"),
        (bound(math.nan), "vacuous", "not a number"),
        (bound(7.0, score=True), "heuristic", "a score"),
    ],
)
def test_status_in_words(found, status, reason):
    assert found.status == status and reason in found.reason


def test_all_of_it_is_json():
    found = bound(math.inf, OPEN, gamma=1.0, delta=0.1).to_dict()
    text = json.loads(json.dumps(found, allow_nan=False))
    assert text["value"] == text["terms"]["a"] == "inf"
    assert text["status"] == "vacuous" and text["gamma"] == 1.0
    assert text["assumptions"] == [
        {"statement": "it is None", "holds": None, "detail": ""}
    ]
    assert bound(1.0, score=True).to_dict()["risk_bound"] is None
