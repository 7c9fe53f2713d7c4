import torch

from graphlab.training import TrainingConfig
from graphlab.training.stopping import Tracker

NAN = float("nan")


def run(losses, accuracies=None, **settings):
    """Feeds one replica; returns tracker and the number of epochs it trained."""
    config = TrainingConfig(**({"epochs": 100, "patience": 3} | settings))
    tracker, active = Tracker(1, config), torch.zeros(1, dtype=torch.long)
    for epoch, loss in enumerate(losses):
        accuracy = accuracies[epoch] if accuracies else 0.5
        values = torch.tensor([loss]), torch.tensor([accuracy])
        _, stopped = tracker.step(epoch, active, *values)
        if stopped:
            break
    return tracker, int(tracker.epochs)


def test_postel_rule_compares_with_the_mean_of_the_window():
    # Epoch 4 is the first that is judged: window of losses 1..3, mean 2.
    assert run([9, 2, 2, 2, 2.1, 0])[1] == 5
    assert run([9, 2, 2, 2, 2.0, 1, 1, 1])[1] == 8
    assert run([1, 5, 5, 5, 4, 4, 4.4])[1] == 7  # no new best, and still it goes on


def test_patience_rule_counts_from_the_best_epoch():
    tracker, epochs = run([3, 2, 2.5, 2.5, 2.5, 1], stopping="patience")
    assert (epochs, int(tracker.best_epoch)) == (5, 1)


def test_none_never_stops():
    assert run([1, 2, 3, 4, 5, 6, 7, 8], stopping="none")[1] == 8


def test_first_of_equal_losses_is_kept():
    assert int(run([2, 1, 1, 1])[0].best_epoch) == 1


def test_accuracy_monitor_breaks_ties_by_loss():
    losses, accuracies = [1, 2, 1.5, 1.7], [0.5, 0.7, 0.7, 0.7]
    tracker, _ = run(losses, accuracies, monitor="val_accuracy")
    assert int(tracker.best_epoch) == 2


def test_nan_stops_and_never_becomes_the_best():
    for monitor in ("val_loss", "val_accuracy"):
        tracker, epochs = run([2, NAN, 0], [0.1, 0.9, 0.9], monitor=monitor)
        assert (epochs, int(tracker.best_epoch), bool(tracker.nan)) == (2, 0, True)
