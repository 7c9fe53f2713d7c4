"""What a recipe is: a paper's tables as frozen dataclasses.

A recipe file names *tables*; a table is a grid of *cells* (dataset, split, model, label
method and their settings); a cell is executed as several *runs*, one per split or seed.
This module holds only the data; :mod:`graphlab.benchmark.recipe_file` reads TOML, and
:mod:`graphlab.benchmark.selection` filters and overrides. None of them imports torch.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Paper:
    """Where a recipe comes from.

    Args:
        key: Name on the command line, e.g. ``postel``.
        title: Title of the paper, or of the benchmark when there is no paper.
        authors: Authors as printed.
        venue: Venue and year.
        url: Link to the paper.
        bibtex: The entry that ``graphlab cite`` prints; empty when there is no paper.
    """

    key: str
    title: str
    authors: str = ""
    venue: str = ""
    url: str = ""
    bibtex: str = ""


@dataclass(frozen=True)
class Published:
    """A number printed in a paper, in percent exactly as printed (87.14, not 0.8714).

    Args:
        mean: The printed mean, in percent.
        half_width: What follows the ±, in percentage points; ``None`` when absent.
        kind: What the ± means, e.g. ``95% CI (bootstrap)``.
        source: Document and table, e.g. ``AAAI-26, Table 1``.
        copied_from: Non-empty when the paper took the number from another paper
            instead of running it.
    """

    mean: float
    half_width: float | None
    kind: str
    source: str
    copied_from: str = ""

    @property
    def copied(self) -> bool:
        """Whether the number was copied from another paper."""
        return bool(self.copied_from)


@dataclass(frozen=True)
class Cell:
    """One model x dataset x label method with its settings, and what was published.

    Args:
        table: Name of the table that the cell belongs to.
        dataset: Name of a dataset, as the task knows it.
        split: Name of a family of splits, as the task knows it.
        model: Import path ``module:Class`` of the model.
        model_name: Name of the model in the table.
        model_args: Arguments of the model beside the sizes that its task gives.
        label: Import path ``module:function`` of the label method.
        label_name: Name of the label method in the table.
        label_args: Arguments of the label method beside the problem.
        training: Training settings, fields of the configuration of the task.
        normalize_features: Whether each row of ``x`` is divided by its sum.
        runs: How many splits or seeds.
        profile: ``full`` or ``quick``.
        published: The paper's number, if there is one.
        published_note: Why there is none, otherwise empty.
        unavailable: Why this cell cannot be run at all, e.g. a label method without a
            published formula; empty for a cell that can.
        metric: The metric of its table (:mod:`graphlab.benchmark.metric`). All metrics
            are in the run file: it decides what is shown, not what is run.
        origin: ``file: key`` for error messages.
        task: What is predicted, a name of :mod:`graphlab.benchmark.tasks`.
        split_args: Arguments of the split beside its name.
    """

    table: str
    dataset: str
    split: str
    model: str
    model_name: str
    label: str
    label_name: str
    model_args: dict[str, Any] = field(default_factory=dict)
    label_args: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    normalize_features: bool = False
    runs: int = 10
    profile: str = "full"
    published: Published | None = None
    published_note: str = ""
    unavailable: str = ""
    metric: str = "accuracy"
    origin: str = ""
    task: str = "node"
    split_args: dict[str, Any] = field(default_factory=dict)

    def settings(self) -> dict[str, Any]:
        """What decides the outcome: the ``cell`` entry of a run file."""
        names = (
            "dataset split model model_name model_args label label_name label_args "
            "training normalize_features profile"
        )
        if self.task != "node":  # older files, all of that task, do not name it
            names += " task split_args"
        return {name: getattr(self, name) for name in names.split()}

    def cell_id(self, dataset_checksum: str) -> str:
        """12 hexadecimal digits over the settings and the dataset's content."""
        content = {"cell": self.settings(), "dataset_checksum": dataset_checksum}
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    @property
    def title(self) -> str:
        """The cell in a few words, for progress and errors."""
        label = "" if self.task != "node" else f" {self.label_name}"
        return f"{self.dataset} {self.model_name}{label}"


@dataclass(frozen=True)
class Table:
    """A grid of cells; ``datasets``, ``models``, ``labels`` keep the order of the file.

    ``cells`` holds only the combinations that exist (a label method may be restricted
    to some models), dataset by dataset within model within label order of the file.
    ``baseline`` names the model that the others are compared with; empty where label
    methods are compared with none.
    """

    name: str
    title: str
    source: str
    split: str
    datasets: tuple[str, ...]
    models: tuple[str, ...]
    labels: tuple[str, ...]
    cells: tuple[Cell, ...]
    metric: str = "accuracy"
    note: str = ""
    task: str = "node"
    baseline: str = ""


@dataclass(frozen=True)
class Search:
    """The hyper-parameter space: dotted setting -> the values to try.

    Args:
        training: Values per field of the training configuration.
        model_args: Model name -> argument -> values.
        label_args: Label name -> argument -> values.
        source: Where the space is stated.
    """

    training: dict[str, list] = field(default_factory=dict)
    model_args: dict[str, dict[str, list]] = field(default_factory=dict)
    label_args: dict[str, dict[str, list]] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True)
class Quick:
    """What the quick profile changes: the same cells, trained shorter.

    Args:
        training: Training settings that it changes, in tables whose task has them.
        split_args: Arguments of the split that it changes, likewise.
        label_args: Label name -> arguments that it changes.
        runs: Most runs of a cell.
        tables: The only tables that it keeps; ``None`` for all.
        datasets: The only data sets that it keeps; ``None`` for all.
    """

    training: dict[str, Any] = field(default_factory=dict)
    label_args: dict[str, dict[str, Any]] = field(default_factory=dict)
    runs: int | None = None
    split_args: dict[str, Any] = field(default_factory=dict)
    tables: tuple[str, ...] | None = None
    datasets: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Recipe:
    """A recipe file, read.

    Args:
        key: Name on the command line.
        file: The TOML file.
        paper: The paper.
        tables: Its tables.
        profile: ``full``, or ``quick`` after :func:`..selection.quick_recipe`.
        cuts: What the quick profile cut, one line each; empty for ``full``.
        search: The search space, if the file states one.
        quick: The quick profile, if the file states one.
        short: Whether the file has the short form, without ``[table.NAME]``.
    """

    key: str
    file: Path
    paper: Paper
    tables: tuple[Table, ...]
    profile: str = "full"
    cuts: tuple[str, ...] = ()
    search: Search | None = None
    quick: Quick | None = None
    short: bool = False

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells of all tables."""
        return tuple(cell for table in self.tables for cell in table.cells)
