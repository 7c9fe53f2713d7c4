"""Scores of pairs against the formula, ROC-AUC against scikit-learn."""

import math

import pytest
import torch
from sklearn.metrics import roc_auc_score

from graphlab.errors import ArgumentError
from graphlab.training import PairScore, pair_roc_auc


@pytest.mark.parametrize("normalize", (True, False))
def test_scores_equal_the_dense_formula(normalize):
    torch.manual_seed(0)
    z, pairs = torch.randn(9, 4).double(), torch.randint(0, 9, (2, 30))
    score = PairScore(normalize, temperature=0.5, affine=True).double()
    with torch.no_grad():
        score.scale.fill_(3)
        score.shift.fill_(-1)
    rows = z / z.norm(dim=1, keepdim=True) if normalize else z
    dense = 3 * (rows @ rows.T) / 0.5 - 1
    torch.testing.assert_close(score(z, pairs), dense[pairs[0], pairs[1]])


def test_gradients():
    torch.manual_seed(0)
    z = torch.randn(5, 3, dtype=torch.double, requires_grad=True)
    pairs = torch.tensor([[0, 1, 1, 4], [1, 2, 1, 0]])
    assert torch.autograd.gradcheck(lambda z: PairScore()(z, pairs), z)


def test_a_node_without_state_scores_zero():
    z = torch.zeros(2, 3, requires_grad=True)
    score = PairScore()(z, torch.tensor([[0], [1]]))
    score.sum().backward()
    assert score.tolist() == [0] and bool(z.grad.isfinite().all())


def test_roc_auc_equals_scikit_learn_graph_by_graph():
    torch.manual_seed(0)
    scores = [torch.randn(size).mul(3).round() for size in (5, 40, 300)]  # with ties
    labels = [torch.arange(len(score)) % 3 % 2 for score in scores]
    mean, each = pair_roc_auc(scores, labels)
    expected = [roc_auc_score(y, s) for s, y in zip(scores, labels, strict=True)]
    assert each == pytest.approx(expected, abs=1e-12)
    assert mean == pytest.approx(sum(expected) / 3, abs=1e-12)


def test_roc_auc_of_nan_is_nan():
    score = torch.tensor([math.nan, 0.0])
    assert math.isnan(pair_roc_auc([score], [torch.tensor([1, 0])])[0])


@pytest.mark.parametrize(
    ("label", "missing"), [([1, 1], "negative"), ([0, 0], "positive"), ([], "positive")]
)
def test_roc_auc_needs_both_kinds(label, missing):
    label = torch.tensor(label)
    with pytest.raises(ArgumentError, match=f"graph 0 has no {missing} pair"):
        pair_roc_auc([label.float()], [label])
    with pytest.raises(ArgumentError, match="no graph"):
        pair_roc_auc([], [])
