"""A sample takes arrays of any kind, checks them once and says what is wrong."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import sparse

from graphlab.analysis import GraphSample
from graphlab.errors import ArgumentError

Y = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2])
LOGITS = np.random.default_rng(0).normal(size=(12, 3))


def sample(**parts):
    given = {"histograms": np.eye(12), "embeddings": None, "logits": LOGITS, "y": Y}
    return GraphSample(**{**given, "num_classes": 3, **parts})


def test_arrays_of_any_kind_give_the_same_sample():
    kinds = [
        sample(),
        sample(
            histograms=sparse.coo_matrix(np.eye(12)),
            logits=torch.tensor(LOGITS, requires_grad=True),
            y=torch.tensor(Y),
        ),
        sample(histograms=torch.eye(12), logits=LOGITS.tolist(), y=Y.tolist()),
    ]
    for each in kinds:
        assert isinstance(each.histograms, sparse.csr_array)
        assert np.array_equal(each.histograms.toarray(), np.eye(12))
        assert np.array_equal(each.logits, LOGITS)
        assert np.array_equal(each.y, Y) and each.y.dtype == np.int64
        assert each.embeds_logits


def test_one_score_stands_for_two_classes():
    z = np.array([3.0, -1.0, 0.5, 2.0, -3.0, -4.0, 1.0, -0.5])
    y = np.array([1, 1, 1, 1, 0, 0, 0, 0])
    for logits in (z, z[:, None], torch.tensor(z)):
        found = GraphSample(np.eye(8), None, logits, y, 2)
        probability = torch.softmax(torch.tensor(found.logits), 1)[:, 1]
        torch.testing.assert_close(probability, torch.tensor(z).sigmoid())
        assert np.allclose(found.margins, np.where(y == 1, z, -z))


def test_gaps_are_those_of_torch():
    test = np.random.default_rng(1).normal(size=(5, 3))
    test_y = np.array([0, 2, 1, 1, 0])
    found = sample(test_logits=test, test_y=test_y)

    def gap(loss):
        values = [
            float(loss(torch.tensor(z).log_softmax(1), torch.tensor(y)))
            for z, y in ((test, test_y), (LOGITS, Y))
        ]
        return values[0] - values[1]

    assert found.loss_gap == pytest.approx(gap(F.multi_margin_loss))
    assert found.cross_entropy_gap == pytest.approx(gap(F.nll_loss))
    errors = [(z.argmax(1) != y).mean() for z, y in ((test, test_y), (LOGITS, Y))]
    assert found.error_gap == pytest.approx(errors[0] - errors[1])
    assert found.train_error == errors[1]
    pairs = zip(LOGITS, Y, strict=True)
    share = np.mean([z[y] - max(np.delete(z, y)) <= 0.3 for z, y in pairs])
    assert found.margin_risk(0.3) == share
    assert found.margin_gap(0.3) == pytest.approx(errors[0] - share)


def test_without_test_graphs_there_is_no_gap():
    found = sample()
    assert found.error_gap is found.loss_gap is found.margin_gap(1) is None


def test_groups_are_the_equal_histograms():
    rows = np.array([[1, 0, 2], [1, 0, 2], [0, 1, 2], [1, 0, 2], [0, 0, 0], [0, 1, 2]])
    found = sample(histograms=sparse.csr_array(np.vstack([rows, rows])))
    assert found.groups[:6].tolist() == [0, 0, 1, 0, 2, 1]
    # An explicit zero is none.
    odd = sparse.csr_array(np.vstack([rows, rows]))
    odd.data[0] = 0.0
    assert sample(histograms=odd).groups.tolist()[:3] == [0, 1, 2]


def test_a_model_that_tells_the_largest_class_always_has_learned_nothing():
    constant = np.tile([1.0, 0.0, 0.0], (12, 1))
    assert not sample(logits=constant).has_learned
    assert sample(logits=np.eye(3)[Y]).has_learned


NAN = LOGITS.copy()
NAN[3, 1] = np.nan


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"num_classes": 1}, "num_classes must be .* at least 2, got 1"),
        ({"y": np.where(Y == 2, 1, Y)}, "at least 4 graphs .* got 0 of class 2"),
        ({"y": np.array([*Y[:-1], 0])}, "at least 4 graphs .* got 3 of class 2"),
        ({"logits": NAN}, "logits must have finite values only"),
        ({"logits": LOGITS[:, :2]}, "a column for each of 3 classes, got shape"),
        ({"logits": LOGITS[:-1]}, "histograms and logits must have a row for each"),
        ({"embeddings": LOGITS[:-1]}, "histograms and embeddings must have a row"),
        ({"y": Y[:-1]}, "y must have one integer class for each of the 12 rows"),
        ({"y": Y.astype(float)}, "y must have one integer class"),
        ({"y": Y - 1}, "y must hold classes from 0 to 2, got -1"),
        ({"histograms": np.eye(12)[0]}, "histograms must be a real matrix"),
        ({"histograms": np.full((12, 2), np.inf)}, "histograms must have finite"),
        ({"test_y": [0]}, "test_logits and test_y must come together"),
        ({"test_logits": NAN[3:4], "test_y": [0]}, "test_logits must have finite"),
        ({"test_logits": LOGITS, "test_y": [0]}, "test_y must have one integer class"),
        ({"gradient_norms": [1.0]}, "y and gradient_norms must have a row for each"),
    ],
)
def test_what_is_wrong_is_named(parts, message):
    with pytest.raises(ArgumentError, match=message):
        sample(**parts)
