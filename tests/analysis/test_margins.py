"""The margin of the right class."""

import numpy as np
import pytest
import torch

from graphlab.analysis import margins
from graphlab.errors import ArgumentError


def test_margins_are_those_of_the_definition():
    rng = np.random.default_rng(0)
    logits, y = rng.normal(size=(30, 4)), rng.integers(0, 4, 30)
    wanted = [
        row[c] - max(score for k, score in enumerate(row) if k != c)
        for row, c in zip(logits, y, strict=True)
    ]
    assert margins(logits, y).tolist() == wanted
    found = margins(torch.tensor(logits, requires_grad=True), torch.tensor(y))
    assert found.tolist() == wanted


def test_a_draw_has_no_margin():
    assert margins([[1.0, 1.0, 0.0]], [0]).tolist() == [0.0]
    assert (margins([[1.0, 2.0]], [0]), margins([[1.0, 2.0]], [1])) == (-1, 1)


def test_logits_and_log_softmax_agree_and_softmax_saturates():
    torch.manual_seed(0)
    logits, y = 9 * torch.randn(50, 3).double(), torch.randint(3, (50,))
    by_logits = margins(logits, y)
    np.testing.assert_allclose(margins(logits.log_softmax(1), y), by_logits, atol=1e-12)
    by_softmax = margins(logits.softmax(1), y)
    assert np.abs(by_softmax).max() <= 1
    assert (np.sign(by_softmax) == np.sign(by_logits)).all()


@pytest.mark.parametrize(
    ("logits", "y", "said"),
    [
        ([[1.0], [2.0]], [0, 0], "logits must have a column for each class, .* got 1"),
        ([1.0, 2.0], [0, 1], "logits must be a real matrix"),
        ([[1.0, np.nan]], [0], "logits must have finite values only"),
        ([[1.0, 2.0]], [2], r"y must be in 0\.\.1, got 2\.\.2"),
        ([[1.0, 2.0]], [-1], r"y must be in 0\.\.1, got -1\.\.-1"),
        ([[1.0, 2.0]], [0, 1], r"y must have one integer class for each of the 1 rows"),
        ([[1.0, 2.0]], [0.0], "y must have one integer class .* float64"),
        ([[1.0, 2.0]], [[0]], r"y must have one integer class .* \[1, 1\]"),
        (np.zeros((0, 2)), [], "logits must have at least 1 row"),
    ],
)
def test_wrong_arguments_are_refused(logits, y, said):
    with pytest.raises(ArgumentError, match=said):
        margins(logits, y)
