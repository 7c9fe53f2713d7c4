"""What a table is about: the test metric that it shows, judges and plots."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A metric of the run files that a table can be about.

    Args:
        key: Its name in run files and recipes.
        name: Its name within a sentence.
        constant: What a constant answer is called beside it.
        chance: The value of a constant answer; :obj:`None` where it depends on the
            labels and stands in the run files.
    """

    key: str
    name: str
    constant: str
    chance: float | None = None

    @property
    def title(self) -> str:
        """Its name at the beginning of a line."""
        return self.name[0].upper() + self.name[1:]

    @property
    def prefix(self) -> str:
        """What stands before a number where none but the accuracy goes unnamed."""
        return "" if self.key == "accuracy" else f"{self.name} "

    def value(self, run: dict, part: str = "test") -> float:
        """The metric of a run; NaN where its file lacks it."""
        return as_number((run.get("metrics") or {}).get(part, {}).get(self.key))

    def constant_value(self, run: dict) -> float:
        """The metric of a constant answer under the labels of a run."""
        if self.chance is not None:
            return self.chance
        return as_number(run.get("constant_majority"))


METRICS = {
    metric.key: metric
    for metric in (
        Metric("accuracy", "accuracy", "constant majority"),
        Metric("roc_auc", "ROC-AUC", "constant prediction", 0.5),
        Metric("seen_accuracy", "accuracy on seen users", "tossing a coin", 0.5),
        Metric("unseen_accuracy", "accuracy on unseen users", "tossing a coin", 0.5),
        Metric("seen_new", "accuracy on new texts", "tossing a coin", 0.5),
        Metric("unseen_new", "accuracy, users and texts new", "tossing a coin", 0.5),
        Metric("fold_in_accuracy", "accuracy by fold-in", "tossing a coin", 0.5),
    )
}


def as_number(value: object) -> float:
    """A number of a run file; NaN for null and for what is no number."""
    return float(value) if isinstance(value, int | float) else math.nan


def search_metric(metric: str, monitor: str) -> Metric:
    """What a search is judged by: the monitored metric, or that of the table.

    A monitored loss says how an epoch is picked, not what is wanted of a setting.
    """
    return METRICS.get(monitor.removeprefix("val_"), METRICS[metric])
