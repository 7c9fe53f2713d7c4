"""How far classes lie apart."""

import sys

import numpy as np
import pytest
import torch
from scipy import sparse

from graphlab.analysis import separation, wasserstein
from graphlab.errors import ArgumentError

RNG = np.random.default_rng(4)
CENTRES = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 30.0]])


def blobs(per_class=20):
    y = np.repeat([0, 1, 2], per_class)
    return CENTRES[y] + 0.1 * RNG.normal(size=(y.size, 2)), y


def test_reductions_over_pairs_of_classes():
    x, y = blobs()
    found = [wasserstein(x[y == a], x[y == b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert separation(x, y) == min(found) == pytest.approx(10, abs=0.2)
    assert separation(x, y, "max") == max(found) == pytest.approx(1000**0.5, abs=0.2)
    assert separation(x, y, "mean") == pytest.approx(np.mean(found), rel=1e-12)


def test_a_class_is_not_compared_with_itself():
    """Else the minimum would be 0 whatever the points."""
    x, y = blobs()
    assert separation(x, y, "min") > 9


def test_names_order_and_form_of_classes_do_not_matter():
    x, y = blobs()
    wanted, order = separation(x, y), RNG.permutation(y.size)
    assert separation(x, np.array([7, -1, 4])[y]) == wanted
    assert separation(x[order], y[order]) == pytest.approx(wanted, rel=1e-12)
    assert separation(torch.tensor(x), torch.tensor(y)) == wanted
    assert separation(sparse.csr_array(x), y) == pytest.approx(wanted, rel=1e-9)


def test_two_classes_and_order_two():
    x, y = blobs()
    two = y < 2
    assert separation(x[two], y[two], "min") == separation(x[two], y[two], "max")
    wanted = wasserstein(x[y == 0], x[y == 1], p=2)
    assert separation(x[two], y[two], p=2) == wanted


def test_classes_of_different_size():
    pytest.importorskip("ot")
    x, y = blobs()
    x, y = x[5:], y[5:]
    found = [wasserstein(x[y == a], x[y == b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert separation(x, y) == min(found) == pytest.approx(10, abs=0.3)


def test_without_pot_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ot", None)
    with pytest.raises(ArgumentError, match=r"1 and 2 points .*graphlab-pyg\[ot\]"):
        separation(np.ones((3, 1)), [0, 1, 1])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"y": [1, 1, 1, 1]}, "y must have two classes or more, got 1"),
        ({"y": [0, 1]}, "y must have one integer class for each of the 4 rows"),
        ({"y": [0.0, 0.0, 1.0, 1.0]}, "y must have one integer class .* float64"),
        ({"reduce": "sum"}, "reduce must be one of .* got 'sum'"),
        ({"p": 0}, "p must be 1 or 2, got 0"),
        ({"solver": "sliced"}, "solver must be one of"),
        ({"x": [[1.0], [np.nan], [1.0], [1.0]]}, "x must have finite values only"),
    ],
)
def test_wrong_arguments_are_refused(arguments, said):
    with pytest.raises(ArgumentError, match=said):
        separation(**{"x": np.ones((4, 1)), "y": [0, 0, 1, 1], **arguments})
