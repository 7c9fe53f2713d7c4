"""What a sweep reports while it runs, and the plain-text listener.

The runner knows nothing of terminals: it calls a listener with :class:`Event` objects.
The command line shows them as a bar or as lines; tests collect them.
"""

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from graphlab.benchmark.metric import METRICS, Metric
from graphlab.benchmark.recipe import Cell


@dataclass(frozen=True)
class Event:
    """Something happened to a cell.

    Args:
        kind: ``start``, ``progress``, ``done`` (trained now), ``skip`` (was there),
            ``failed``, ``busy`` (another process has it) or ``sibling`` (another
            worker of the same sweep has finished and reported it).
        index: Number of the cell in the sweep.
        title: The cell in words.
        text: Result of a finished cell, or what is being trained.
        seconds: Time that a finished cell took.
        table: Table of the cell.
    """

    kind: str
    index: int
    title: str
    text: str = ""
    seconds: float = 0.0
    table: str = ""


Listener = Callable[[Event], None]


def summary(records: list[dict], metric: Metric = METRICS["accuracy"]) -> str:
    """``84.1 ± 0.5 (std of 10; constant 17.3)`` of the runs of one cell.

    A metric other than the accuracy stands before its numbers.
    """
    done = [record for record in records if record["status"] in ("ok", "nan")]
    if not done:
        return f"{records[0]['status']}: {records[0]['message']}"
    text = _figures(done, metric)
    collapsed = sum(bool(record["info"].get("collapsed")) for record in done)
    nan = sum(record["status"] == "nan" for record in done)
    text += f", {collapsed} collapsed" if collapsed else ""
    return text + (f", {nan} NaN" if nan else "")


def _figures(done: list[dict], metric: Metric) -> str:
    values = [100 * metric.value(record) for record in done]
    values = [value for value in values if not math.isnan(value)]
    if not values:
        return f"no {metric.name} in the run files"
    constant = statistics.fmean(100 * metric.constant_value(record) for record in done)
    spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
    of = f"std of {len(values)}; " if spread else ""
    mean = f"{metric.prefix}{statistics.fmean(values):.1f}"
    return f"{mean}{spread} ({of}constant {constant:.1f})"


def duration(seconds: float) -> str:
    """``8 s``, ``1:20`` or ``2:05:00``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@dataclass
class Tally:
    """Counts finished cells and estimates the time that is left.

    A cell of a data set seen before is expected to take that data set's mean; any
    other the mean over all.
    """

    cells: list[Cell]
    jobs: int = 1
    finished: set[int] = field(default_factory=set)
    times: dict[str, list[float]] = field(default_factory=dict)
    begun: float = field(default_factory=time.perf_counter)

    def count(self, event: Event) -> None:
        """Take a finished cell into account."""
        self.finished.add(event.index)
        if event.kind == "done":
            dataset = self.cells[event.index].dataset
            self.times.setdefault(dataset, []).append(event.seconds)

    def eta(self) -> float | None:
        """Seconds left, or ``None`` before the first cell was trained."""
        if not self.times:
            return None
        means = {name: statistics.fmean(t) for name, t in self.times.items()}
        overall = statistics.fmean(means.values())
        left = [c for i, c in enumerate(self.cells) if i not in self.finished]
        return sum(means.get(c.dataset, overall) for c in left) / self.jobs

    def title(self, event: Event) -> str:
        """The cell in words; with its table where there are several."""
        several = len({cell.table for cell in self.cells}) > 1
        return f"{event.table}: {event.title}" if several else event.title

    def text(self) -> str:
        """``3/12 cells, ETA 1:20``."""
        eta = self.eta()
        left = len(self.cells) > len(self.finished)
        tail = f", ETA {duration(eta)}" if eta is not None and left else ""
        return f"{len(self.finished)}/{len(self.cells)} cells{tail}"


FINISHED = ("done", "skip", "failed")


def line(event: Event, tally: Tally) -> str:
    """One finished cell in one line."""
    took = "there already" if event.kind == "skip" else duration(event.seconds)
    return f"{tally.title(event)}: {event.text}, {took}, {tally.text()}"
