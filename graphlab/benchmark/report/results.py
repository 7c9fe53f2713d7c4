"""Which runs stand behind a cell: matching, never pooling different settings."""

import json
import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from graphlab.benchmark import stats
from graphlab.benchmark.metric import METRICS, Metric, as_number
from graphlab.benchmark.recipe import Cell, Table

IDENTITY = ("dataset", "split", "model", "model_name", "label", "label_name", "task")


@dataclass(frozen=True)
class CellResult:
    """A cell of a recipe with the runs that measured it.

    Attributes:
        cell: The cell as the recipe states it.
        runs: Successful runs, in order of their index.
        failed: Runs that ended without a number (out of memory, NaN, error, no data).
        changed: Settings in which the runs differ from the recipe, one line each.
        set_aside: Runs of this cell under still other settings, which are not shown.
        metric: What the table is about.
    """

    cell: Cell
    runs: tuple[dict, ...] = ()
    failed: tuple[dict, ...] = ()
    changed: tuple[str, ...] = ()
    set_aside: int = 0
    metric: Metric = METRICS["accuracy"]

    @property
    def n(self) -> int:
        """Number of successful runs."""
        return len(self.runs)

    @property
    def started(self) -> bool:
        """Whether there is any run file, successful or not."""
        return bool(self.runs or self.failed)

    @property
    def profile(self) -> str:
        """Profile under which the runs were made, ``full`` or ``quick``."""
        for run in (*self.runs, *self.failed):
            return run["cell"].get("profile", "full")
        return self.cell.profile

    @property
    def quick(self) -> bool:
        """Whether the runs were cut short by the quick profile."""
        return self.profile == "quick"

    @property
    def collapsed(self) -> int:
        """Runs whose predictions fell to one class."""
        return sum(bool(run.get("info", {}).get("collapsed")) for run in self.runs)

    @cached_property
    def constant(self) -> float:
        """Mean test metric of a constant answer; NaN when not recorded."""
        return stats.mean([self.metric.constant_value(run) for run in self.runs])

    @property
    def beats_constant(self) -> bool:
        """Whether the mean of the metric exceeds that of a constant answer."""
        margin = self.score.mean - self.constant
        return not margin <= 1e-9  # true as well when there is nothing to compare

    def values(self, metric: str, part: str = "test") -> list[float]:
        """One metric of each run; NaN where a run lacks it."""
        return [
            as_number(run["metrics"].get(part, {}).get(metric)) for run in self.runs
        ]

    def summary(self, metric: str) -> stats.Summary:
        """A test metric over the runs, failed ones counted as excluded."""
        lost = [math.nan] * len(self.failed)
        return stats.summarize(self.values(metric) + lost)

    @cached_property
    def score(self) -> stats.Summary:
        """The table's test metric over the runs."""
        return self.summary(self.metric.key)

    @cached_property
    def macro_f1(self) -> float:
        """Mean test macro-F1."""
        return stats.mean(self.values("macro_f1"))

    @cached_property
    def balanced_accuracy(self) -> float:
        """Mean test balanced accuracy."""
        return stats.mean(self.values("balanced_accuracy"))

    def mean_of(self, field: str) -> float:
        """Mean of a top-level field of the run files, e.g. ``seconds``."""
        return stats.mean([as_number(run.get(field)) for run in self.runs])

    def rounds(self) -> float:
        """Mean number of pseudo-label rounds; NaN for methods without rounds."""
        infos = [run.get("info", {}) for run in self.runs]
        return stats.mean([as_number(info.get("rounds")) for info in infos])

    @cached_property
    def facts(self) -> dict[str, float]:
        """Means over the runs of the numbers that the model reports of itself."""
        told = [run.get("info", {}).get("model") or {} for run in self.runs]
        keys = dict.fromkeys(
            key
            for facts in told
            for key, value in facts.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        )
        return {
            key: stats.mean([as_number(facts.get(key)) for facts in told])
            for key in keys
        }

    def best_epoch(self) -> float:
        """Median epoch at which the test metrics were read."""
        epochs = stats.finite([as_number(run.get("best_epoch")) for run in self.runs])
        return statistics.median(epochs) if len(epochs) else math.nan

    def failures(self) -> Counter:
        """How many runs failed, by status."""
        return Counter(run["status"] for run in self.failed)


def collect(
    table: Table, runs: Iterable[dict], recipe: str | None = None
) -> tuple[CellResult, ...]:
    """Join a table's cells with run files.

    A cell takes the runs made under its exact settings, whichever recipe or table
    caused them. Without such runs it takes those of the same table that agree in
    dataset, split, model and label method: full before quick profile, then the latest;
    how they differ is kept in ``changed``. Runs under different settings are never
    averaged together.
    Runs of the table that fit no cell become cells of their own, at the end.
    """
    groups = _group(runs)

    def ours(group: list[dict]) -> bool:
        """Whether the group was made for this table, under whatever settings."""
        return any(
            run.get("table") == table.name and run.get("recipe", recipe) == recipe
            for run in group
        )

    metric = METRICS[table.metric]
    results = [_match(cell, groups, ours) for cell in table.cells]
    known = {_identity(cell.settings()) for cell in table.cells}
    extra: dict[str, Cell] = {}
    for group in groups:
        settings = group[0]["cell"]
        if ours(group) and _identity(settings) not in known:
            extra.setdefault(_identity(settings), _cell_of(group, table.name))
    results += [_match(cell, groups, ours) for cell in extra.values()]
    return tuple(replace(result, metric=metric) for result in results)


def differences(recipe: dict[str, Any], actual: dict[str, Any]) -> tuple[str, ...]:
    """Settings that differ: ``training.epochs: 200 instead of 1000``."""
    before, after = _flat(recipe), _flat(actual)
    lines = []
    for key in sorted({*before, *after} - {"profile"}):
        old, new = before.get(key, "the default"), after.get(key, "the default")
        if old != new:
            lines.append(f"{key}: {new} instead of {old}")
    return tuple(lines)


def _group(runs: Iterable[dict]) -> list[list[dict]]:
    """Runs under identical settings and data, latest group first."""
    groups: dict[tuple, list[dict]] = defaultdict(list)
    for run in runs:
        groups[_canonical(run["cell"]), run.get("dataset_checksum")].append(run)

    def latest(key: tuple) -> tuple:
        return max(str(r.get("finished", "")) for r in groups[key]), str(key)

    return [groups[key] for key in sorted(groups, key=latest, reverse=True)]


def _match(
    cell: Cell, groups: list[list[dict]], ours: Callable[[list[dict]], bool]
) -> CellResult:
    settings = cell.settings()
    candidates = [
        group
        for group in groups
        if _canonical(group[0]["cell"]) == _canonical(settings)
        or (_identity(group[0]["cell"]) == _identity(settings) and ours(group))
    ]
    if not candidates:
        return CellResult(cell)
    # Stable sort: among equals the latest group stays first.
    candidates.sort(key=lambda group: _preference(group[0]["cell"], settings))
    chosen = _one_per_index(candidates[0])
    return CellResult(
        cell=cell,
        runs=tuple(run for run in chosen if run["status"] == "ok"),
        failed=tuple(run for run in chosen if run["status"] != "ok"),
        changed=differences(settings, chosen[0]["cell"]),
        set_aside=sum(len(group) for group in candidates[1:]),
    )


def _preference(actual: dict, wanted: dict) -> tuple[bool, bool]:
    exact = _canonical(actual) == _canonical(wanted)
    return not exact, actual.get("profile", "full") == "quick"


def _one_per_index(group: list[dict]) -> list[dict]:
    """One run per index: a success before a failure, then the latest."""
    best: dict[int, dict] = {}
    for run in sorted(group, key=lambda r: str(r.get("finished", ""))):
        known = best.get(run["run"])
        if known is None or run["status"] == "ok" or known["status"] != "ok":
            best[run["run"]] = run
    return [best[index] for index in sorted(best)]


def _cell_of(group: list[dict], table: str) -> Cell:
    fields = {k: v for k, v in group[0]["cell"].items() if k in Cell.__annotations__}
    count = len({run["run"] for run in group})
    note = "not a cell of the recipe"
    return Cell(table=table, runs=count, published_note=note, **fields)


def _identity(settings: dict[str, Any]) -> str:
    return _canonical([settings.get(name) for name in IDENTITY])


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = list(value) if isinstance(value, tuple) else value
    return flat
