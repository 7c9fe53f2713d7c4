import numpy as np
import pandas as pd
import pytest
import torch

from graphlab.errors import ArgumentError
from graphlab.preference import IdMap


@pytest.mark.parametrize(
    "ids",
    [
        [3, 1, 2],
        ["b", "a", ""],
        [("a", 1), ("a", 2), ("b", 1)],  # tuples of one length are no table
        ["1", 1, ("x",), 2.5, frozenset({1})],
        np.array([5, 7]),
        torch.tensor([9, 4]),
        pd.Series(["x", "y"], index=[7, 8]),
        range(4),
        [],
    ],
)
def test_ids_come_back_in_order(ids):
    kept = IdMap(ids)
    given = ids.tolist() if hasattr(ids, "tolist") else list(ids)
    assert kept.ids == given and len(kept) == len(given)
    backwards = given[::-1]
    assert kept.rows(backwards).tolist() == list(range(len(given)))[::-1]


def test_numbers_and_strings_differ_and_numbers_of_numpy_do_not():
    ids = IdMap([1, "1"])
    assert ids.rows(["1", np.int64(1)]).tolist() == [1, 0]
    assert (
        1 in ids and 2 not in ids and IdMap([1, 2]).find([2, "2"]).tolist() == [1, -1]
    )


def test_unknown_ids_are_named():
    with pytest.raises(ArgumentError, match=r"user must be .* 'x', \('y', 1\) are not"):
        IdMap(["a"], "user").rows(["x", "a", ("y", 1)])
    with pytest.raises(ArgumentError, match="and 2 more are not"):
        IdMap(["a"]).rows(list("bcdefgh"))


@pytest.mark.parametrize(
    ("ids", "match"),
    [
        (["a", "a"], "'a' is repeated"),
        (["a", None], "missing, but entry 1"),
        ([1.0, float("nan")], "missing, but entry 1"),
        ([[1], [2]], r"hashable, got list \[1\]"),
        ([("a", [1]), "b"], "hashable, got tuple"),
        ("abc", "list of ids, got 'abc'"),
        (7, "list of ids, got 7"),
        (np.zeros((2, 2)), r"got shape \(2, 2\)"),
    ],
)
def test_bad_ids(ids, match):
    with pytest.raises(ArgumentError, match=match):
        IdMap(ids)
