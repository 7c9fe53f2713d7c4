"""One table of a recipe, filled: what every output format is written from."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from graphlab.benchmark.metric import METRICS, Metric
from graphlab.benchmark.recipe import Recipe, Table
from graphlab.benchmark.report.effects import Effect, effects
from graphlab.benchmark.report.numbers import (
    DASH,
    decimal,
    defined,
    percent,
    plus_minus,
    signed,
)
from graphlab.benchmark.report.results import CellResult, collect
from graphlab.benchmark.report.verdict import Verdict, failure_words, judge
from graphlab.benchmark.tasks import TASKS

COLLAPSED = "†"
CONSTANT = "‡"
CHANGED = "§"
COPIED = "ᶜ"


@dataclass(frozen=True)
class Row:
    """A line of the wide table; ``repeat`` tells apart cells of the same name."""

    model: str
    label: str
    repeat: int = 0

    @property
    def method(self) -> str:
        """``GCN + PosteL``, and plain ``GCN`` without a label method."""
        name = self.model
        if self.label.lower() != "none":
            name += f" + {self.label}"
        return name + (f" ({self.repeat + 1})" if self.repeat else "")


@dataclass(frozen=True)
class Column:
    """A column of the wide table."""

    dataset: str
    split: str


@dataclass(frozen=True)
class Entry:
    """A cell with everything that the tables say about it, as text without markup."""

    row: Row
    column: Column
    result: CellResult
    verdict: Verdict
    effect: Effect | None = None

    @cached_property
    def published(self) -> str:
        """The authors' own number, or a dash."""
        number = self.result.cell.published
        return DASH if number is None or number.copied else self._printed()

    @cached_property
    def copied(self) -> str:
        """The number the authors took from another paper, or a dash."""
        number = self.result.cell.published
        return self._printed() + COPIED if number and number.copied else DASH

    def _printed(self) -> str:
        number = self.result.cell.published
        if number.half_width is None:
            return decimal(number.mean)
        return plus_minus(decimal(number.mean), decimal(number.half_width))

    @cached_property
    def marks(self) -> str:
        """Signs beside the measured number; the notes say what they mean."""
        result = self.result
        return (
            COLLAPSED * bool(result.collapsed)
            + CONSTANT * (not result.beats_constant)
            + CHANGED * bool(result.changed and result.n and not result.quick)
        )

    @cached_property
    def measured(self) -> str:
        """Measured mean ± half-width with marks, or a dash."""
        summary = self.result.score
        text = plus_minus(percent(summary.mean), percent(summary.half_width))
        return text + self.marks

    @cached_property
    def runs(self) -> str:
        """``10``, or ``3 of 10`` when runs are missing."""
        n, expected = self.result.score.n, self.result.cell.runs
        return f"{n}" if n >= expected else f"{n} of {expected}"

    @property
    def partial(self) -> bool:
        """Whether some but not all runs gave a number."""
        return 0 < self.result.score.n < self.result.cell.runs

    @cached_property
    def difference(self) -> str:
        """Measured minus published with its interval, in points, or a dash."""
        text = signed(self.verdict.difference)
        if not defined(self.verdict.half_width):
            return text
        return plus_minus(text, decimal(self.verdict.half_width))

    @cached_property
    def remark(self) -> str:
        """The words where no number was published: only what went wrong."""
        return failure_words(self.result) if self.result.n else self.words

    @cached_property
    def words(self) -> str:
        """The verdict, with what befell runs that gave no number."""
        lost = failure_words(self.result) if self.result.n else ""
        return "; ".join(filter(None, [str(self.verdict), lost]))


@dataclass(frozen=True)
class TableReport:
    """A recipe's table and the runs that fill it."""

    recipe: Recipe
    table: Table
    entries: tuple[Entry, ...]

    @property
    def metric(self) -> Metric:
        """What the table is about."""
        return METRICS[self.table.metric]

    @property
    def items(self) -> str:
        """What is judged, in the plural: nodes, pairs."""
        return TASKS[self.table.task].ITEMS

    @cached_property
    def labelled(self) -> bool:
        """Whether there is any label method to tell apart."""
        return any(entry.row.label.lower() != "none" for entry in self.entries)

    @property
    def by_model(self) -> bool:
        """Whether models stand side by side, not the label methods of one model."""
        return bool(self.table.baseline) or not self.labelled

    def group(self, row: Row) -> str:
        """What the rows of one plot have in common."""
        return row.label if self.by_model else row.model

    def name(self, row: Row) -> str:
        """What tells the rows of one plot apart."""
        return row.model if self.by_model else row.label

    @property
    def baseline(self) -> str:
        """What methods are compared with, in a word."""
        return self.table.baseline or "none"

    @property
    def effects_title(self) -> str:
        """Heading of the paired differences."""
        against = self.table.baseline or "no label method"
        return f"Paired differences against {against}, points"

    @cached_property
    def shown(self) -> tuple[Entry, ...]:
        """Entries in a row and a column in which anything was run."""
        return tuple(
            e for e in self.entries if e.row in self.rows and e.column in self.columns
        )

    @cached_property
    def measured(self) -> tuple[Entry, ...]:
        """Entries with at least one successful run."""
        return tuple(entry for entry in self.entries if entry.result.n)

    @cached_property
    def by_dataset(self) -> tuple[Entry, ...]:
        """The measured entries, dataset by dataset."""
        columns = self.columns
        return tuple(sorted(self.measured, key=lambda e: columns.index(e.column)))

    @cached_property
    def telling(self) -> tuple[Entry, ...]:
        """The measured entries whose models report numbers of themselves."""
        return tuple(entry for entry in self.by_dataset if entry.result.facts)

    @cached_property
    def effects(self) -> tuple[Effect, ...]:
        """The comparisons with the baseline."""
        return tuple(entry.effect for entry in self.entries if entry.effect)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Datasets on which anything was run."""
        return _ordered(e.column for e in self.entries if e.result.started)

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """All label methods of the models of which anything was run."""
        models = {e.row.model for e in self.entries if e.result.started}
        return _ordered(e.row for e in self.entries if e.row.model in models)

    @cached_property
    def grid(self) -> dict[tuple[Row, Column], Entry]:
        """The entry at a row and a column; missing where the recipe has no cell."""
        return {(entry.row, entry.column): entry for entry in self.entries}

    @cached_property
    def has_published(self) -> bool:
        """Whether there is any published number to compare with."""
        return any(entry.result.cell.published for entry in self.entries)

    @property
    def caption(self) -> str:
        """Heading of the first part."""
        what = "Published and measured" if self.has_published else "Measured"
        return f"{what} {self.metric.name}, %"

    def heading(self, column: Column) -> str:
        """The dataset, with its split where the table has several."""
        splits = {each.split for each in self.columns}
        return (
            column.dataset if len(splits) < 2 else f"{column.dataset}, {column.split}"
        )

    def constant(self, column: Column) -> float:
        """The metric of a constant answer on a dataset, from its first cell."""
        for entry in self.measured:
            if entry.column == column and defined(entry.result.constant):
                return entry.result.constant
        return float("nan")


def fill(recipe: Recipe, table: Table, runs: Iterable[dict]) -> TableReport:
    """Match, judge and compare: a table of a recipe with the runs it has."""
    results = collect(table, runs, recipe.key)
    found = effects(results, table.baseline)
    against = {id(effect.result): effect for effect in found}
    seen: dict[tuple[str, str, Column], int] = {}
    entries = []
    for result in results:
        cell, column = result.cell, Column(result.cell.dataset, result.cell.split)
        key = (cell.model_name, cell.label_name, column)
        seen[key] = seen.get(key, -1) + 1
        row = Row(cell.model_name, cell.label_name, seen[key])
        effect = against.get(id(result))
        entries.append(Entry(row, column, result, judge(result), effect))
    return TableReport(recipe, table, tuple(_sorted(table, entries)))


def _sorted(table: Table, entries: list[Entry]) -> list[Entry]:
    """Rows and columns in the order of the recipe; what it does not know comes last."""

    def place(names: tuple[str, ...], name: str) -> int:
        return names.index(name) if name in names else len(names)

    return sorted(
        entries,
        key=lambda e: (
            place(table.models, e.row.model),
            place(table.labels, e.row.label),
            e.row.repeat,
            place(table.datasets, e.column.dataset),
        ),
    )


def _ordered(items: Iterable) -> tuple:
    return tuple(dict.fromkeys(items))
