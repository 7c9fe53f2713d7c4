import math
from dataclasses import replace

import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch_geometric.nn import GCN

from graphlab.errors import ArgumentError
from graphlab.training import TrainingConfig, evaluate, fit
from graphlab.training.losses import ValidationFigures
from graphlab.training.roc_auc import roc_auc
from graphlab.training.stopping import Tracker


@pytest.fixture
def make_binary(make_problem):
    """The small problem of this folder with two classes."""

    def make(**settings):
        settings = {"monitor": "val_roc_auc", "stopping": "patience"} | settings
        monitor = settings.pop("monitor")
        three = make_problem(lambda: GCN(7, 16, 2, 2, dropout=0.5), **settings)
        config = replace(three.config, monitor=monitor)
        return replace(three, y=three.y.clamp(max=1), num_classes=2, config=config)

    return make


def random_logits(ties: bool, replicas: int = 5, nodes: int = 40):
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(replicas, nodes, 2, generator=generator)
    y = torch.randint(0, 2, (nodes,), generator=generator)
    mask = torch.rand(replicas, nodes, generator=generator) < 0.6
    return (2 * logits).round() if ties else logits, y, mask


@pytest.mark.parametrize("ties", [False, True])
def test_equals_sklearn_for_each_replica(ties):
    logits, y, mask = random_logits(ties)
    expected = [
        roc_auc_score(y[m], (z[:, 1] - z[:, 0])[m])
        for z, m in zip(logits, mask, strict=True)
    ]
    at_once = ValidationFigures(y, mask).roc_auc(logits)
    one_by_one = [figures["roc_auc"] for figures in evaluate(logits, y, mask)]
    assert at_once.tolist() == pytest.approx(expected, abs=1e-12)
    assert one_by_one == pytest.approx(expected, abs=1e-12)
    assert len(set(mask.sum(1).tolist())) > 1  # replicas were padded


def test_by_hand():
    scores = torch.tensor([[3.0, 1.0, 1.0, 0.0, 9.0]])
    positive = torch.tensor([[True, True, False, False, False]])
    counted = torch.tensor([[True, True, True, True, False]])
    # Pairs: 3 > 1, 3 > 0, 1 = 1, 1 > 0.
    assert roc_auc(scores, positive, counted).tolist() == [3.5 / 4]


def test_very_sure_scores_do_not_round_to_ties():
    logits = torch.tensor([[[0.0, 40.0], [0.0, 41.0], [0.0, 42.0]]])
    mask = torch.ones(1, 3, dtype=torch.bool)
    assert evaluate(logits, torch.tensor([1, 0, 1]), mask)[0]["roc_auc"] == 0.5


def test_infinite_scores_are_ordered_and_nan_is_nan():
    scores = torch.tensor([[torch.inf, -torch.inf, 0.0], [torch.nan, 0.0, 1.0]])
    positive = torch.tensor([[True, False, True]]).expand(2, -1)
    values = roc_auc(scores, positive, torch.ones_like(positive))
    assert values[0] == 1 and values[1].isnan()


def test_undefined_without_two_classes():
    y, mask = torch.tensor([1, 1, 0]), torch.tensor([[True, True, False]])
    assert math.isnan(evaluate(torch.randn(1, 3, 2), y, mask)[0]["roc_auc"])
    assert math.isnan(evaluate(torch.randn(1, 3, 4), y, ~mask | mask)[0]["roc_auc"])


def test_monitor_picks_the_epoch_of_the_highest_area_and_the_lower_loss_on_ties():
    tracker = Tracker(1, TrainingConfig(epochs=9, monitor="val_roc_auc"))
    active = torch.zeros(1, dtype=torch.long)
    # loss, accuracy, area; epoch 2 ties with epoch 1 and has the lower loss
    for epoch, row in enumerate([(1, 0.9, 0.5), (3, 0.5, 0.8), (2, 0.4, 0.8)]):
        figures = [torch.tensor([v], dtype=torch.double) for v in row]
        tracker.step(epoch, active, *figures)
    assert int(tracker.best_epoch) == 2
    assert float(tracker.best_roc_auc) == 0.8
    assert float(tracker.best_accuracy) == pytest.approx(0.4)


def test_patience_counts_from_the_epoch_of_the_highest_area():
    config = TrainingConfig(
        epochs=9, patience=2, monitor="val_roc_auc", stopping="patience"
    )
    tracker, active = Tracker(1, config), torch.zeros(1, dtype=torch.long)
    for epoch, area in enumerate([0.6, 0.7, 0.65, 0.7]):
        # The loss falls all the while: the rule must not look at it alone.
        loss = 4.0 - epoch if area != 0.7 else 5.0
        row = [torch.tensor([v], dtype=torch.double) for v in (loss, 0.5, area)]
        _, stopped = tracker.step(epoch, active, *row)
    assert bool(stopped) and int(tracker.best_epoch) == 1


def test_fit_reports_the_best_epoch_by_area(make_binary):
    problem = make_binary(epochs=25, stopping="none")
    result = fit(problem)
    assert result.vectorized
    again = evaluate(result.logits, problem.y, problem.val_mask)
    assert [f["roc_auc"] for f in again] == pytest.approx(result.best_val_roc_auc)
    by_loss = fit(make_binary(epochs=25, stopping="none", monitor="val_loss"))
    other = evaluate(by_loss.logits, problem.y, problem.val_mask)
    for area, figures in zip(result.best_val_roc_auc, other, strict=True):
        assert area >= figures["roc_auc"]
    assert result.best_epoch != by_loss.best_epoch
    assert all(math.isnan(value) for value in by_loss.best_val_roc_auc)


def test_replicas_equal_training_one_by_one(make_binary):
    together = fit(make_binary())
    apart = fit(make_binary(vectorize=False))
    assert not apart.vectorized
    assert together.best_epoch == apart.best_epoch
    assert together.epochs == apart.epochs
    assert len(set(together.epochs)) > 1  # replicas did leave the batch
    assert together.best_val_roc_auc == pytest.approx(apart.best_val_roc_auc)


def test_selection_in_words():
    words = TrainingConfig(monitor="val_roc_auc").selection
    assert words == "highest validation ROC-AUC"


def test_more_than_two_classes_or_one_alone_are_refused(make_problem, make_binary):
    with pytest.raises(ArgumentError, match="monitor .* 3 classes"):
        make_problem(monitor="val_roc_auc")
    problem = make_binary()
    only = problem.val_mask & (problem.y == 1)
    with pytest.raises(ArgumentError, match=r"replica 0 are all of class 1"):
        replace(problem, val_mask=only)
