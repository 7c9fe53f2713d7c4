"""One ``[table.NAME]`` of a recipe file -> a table of cells.

A cell's settings come from the general to the particular, later ones winning:
``[defaults.training]``, the model, the label method, then the table's
``[table.NAME.settings.MODEL.DATASET]`` (``"*"`` stands for every model or data set) and
its sub-table for the label.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from graphlab.benchmark.recipe import Cell, Published, Table
from graphlab.benchmark.recipe_parts import (
    NO_LABELS,
    LabelSpec,
    ModelSpec,
    known,
    read_split_args,
    read_task,
    read_training,
)
from graphlab.benchmark.tasks import TASKS
from graphlab.benchmark.toml_reader import Section, nearest

_NUMBER = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:(?:±|\+-|\+/-)\s*(\d+(?:\.\d+)?))?\s*")
_MISSING = ("", "-", "–")


@dataclass(frozen=True)
class Grid:
    """What all tables of a recipe share."""

    models: dict[str, ModelSpec]
    labels: dict[str, LabelSpec]
    training: dict[str, Any] = field(default_factory=dict)
    normalize_features: bool = False
    runs: int = 10
    split: str | None = None
    task: str = "node"

    def labels_of(self, task: str) -> dict[str, LabelSpec]:
        """The label methods of the tables of a task."""
        return self.labels if TASKS[task].LABELS else NO_LABELS


@dataclass(frozen=True)
class Override:
    """Settings of one model on one data set, for all label methods or for one."""

    training: dict[str, Any]
    model_args: dict[str, Any]
    label_args: dict[str, Any]


#: (model or *, data set or *, label or "") -> settings
Overrides = dict[tuple[str, str, str], Override]
#: (model, label) -> data set -> number
Numbers = dict[tuple[str, str], dict[str, Published]]


@dataclass(frozen=True)
class Draft:
    """A table whose cells are not built yet; ``like`` copies from one of these."""

    table: Table
    runs: int
    overrides: Overrides
    numbers: Numbers
    notes: dict[str, str]
    origin: str
    split_args: dict[str, Any] = field(default_factory=dict)


def read_table(section: Section, grid: Grid, earlier: dict[str, Draft]) -> Draft:
    """Read one table; ``like = "NAME"`` takes from an earlier one what is not stated.

    Published numbers are never inherited: they belong to one protocol.
    """
    name = section.path.rpartition(".")[2]
    like = section.one_of("like", list(earlier)) if "like" in section.content else None
    base = earlier[like] if like else None
    inherited = base.table if base else None
    task = read_task(section, inherited.task if inherited else grid.task)
    # Settings of one kind of task mean nothing to another.
    same = inherited if inherited and TASKS[inherited.task] is TASKS[task] else None
    datasets = section.strings("datasets", *([inherited.datasets] if base else []))
    models = _names(section, "models", grid.models, inherited)
    fallback = same.split if same else grid.split
    split = section.take("split", str, *([fallback] if fallback else []))
    table = Table(
        name=name,
        title=section.take("title", str, name),
        source=section.take("source", str, ""),
        split=split,
        datasets=datasets,
        models=models,
        labels=_labels(section, grid, task, same),
        cells=(),
        metric=read_metric(section, task, same.metric if same else None),
        note=section.take("note", str, ""),
        task=task,
        baseline=read_baseline(section, models, inherited),
    )
    overrides = read_overrides(section.section("settings"), table)
    draft = Draft(
        table=table,
        runs=section.positive("runs", base.runs if base else grid.runs),
        overrides=_merged(base.overrides if same else {}, overrides),
        numbers=_read_numbers(section, table),
        notes=_read_notes(section.section("not_published"), table),
        origin=section.where(),
        split_args=(base.split_args if same else {}) | read_split_args(section, task),
    )
    section.done()
    return draft


def read_metric(section: Section, task: str, default: str | None = None) -> str:
    """``metric``: what the table shows and judges."""
    accepted = list(TASKS[task].METRICS)
    if "metric" not in section.content:
        return default or accepted[0]
    return section.one_of("metric", accepted)


def read_baseline(
    section: Section, models: tuple[str, ...], inherited: Table | None
) -> str:
    """``baseline``: the model that the others are compared with."""
    if "baseline" in section.content:
        return section.one_of("baseline", list(models))
    name = inherited.baseline if inherited else ""
    return name if name in models else ""


def _labels(section: Section, grid: Grid, task: str, inherited: Table | None) -> Any:
    if not TASKS[task].LABELS and "labels" in section.content:
        raise section.error("labels", f"a {task} table has no label methods")
    return _names(section, "labels", grid.labels_of(task), inherited)


def _names(section: Section, key: str, grid: dict, inherited: Table | None) -> Any:
    default = getattr(inherited, key) if inherited else tuple(grid)
    return known(section, key, list(grid), default)


def _merged(base: Overrides, own: Overrides) -> Overrides:
    merged = dict(base)
    for key, override in own.items():
        below = base.get(key, Override({}, {}, {}))
        merged[key] = Override(
            below.training | override.training,
            below.model_args | override.model_args,
            below.label_args | override.label_args,
        )
    return merged


def read_overrides(section: Section, table: Table) -> Overrides:
    """``settings.MODEL.DATASET``, with a sub-table per label method."""
    overrides: Overrides = {}
    for model, by_dataset in section.sections().items():
        _must_be_known(section, model, ["*", *table.models])
        for dataset, entry in by_dataset.sections().items():
            _must_be_known(by_dataset, dataset, ["*", *table.datasets])
            overrides[model, dataset, ""] = Override(
                read_training(entry.section("training"), [table.task]),
                entry.take("model_args", dict, {}),
                {},
            )
            for label in table.labels:
                override = _read_override(entry.section(label), table.task)
                overrides[model, dataset, label] = override
            entry.done()
    return overrides


def _read_override(section: Section, task: str) -> Override:
    override = Override(
        training=read_training(section.section("training"), [task]),
        model_args=section.take("model_args", dict, {}),
        label_args=section.take("label_args", dict, {}),
    )
    section.done()
    return override


def _must_be_known(section: Section, name: str, accepted: list[str]) -> None:
    if name not in accepted:
        raise section.error(name, f"unknown name; {nearest(name, accepted)}")


def _read_numbers(section: Section, table: Table) -> Numbers:
    """``[table.NAME.published]``: rows of ``"mean±half-width"`` in data set order."""
    published = section.section("published")
    kind = section.take("published_kind", str, "95% CI (bootstrap)")
    copied = section.take("copied_from", dict, {})
    sources = section.take("sources", dict, {})
    for name in (*copied, *sources):
        accepted = [*table.models, *table.labels]
        _must_be_known(section, name, accepted)
    if published.content and not table.source:
        raise section.error("source", "missing, must say where the numbers are printed")
    numbers: Numbers = {}
    for model, rows in published.sections().items():
        _must_be_known(published, model, list(table.models))
        for label in rows.content:
            _must_be_known(rows, label, list(table.labels))
            row = rows.take(label, list)
            if len(row) != len(table.datasets):
                problem = f"has {len(row)} numbers for {len(table.datasets)} datasets"
                raise rows.error(label, problem)
            source = sources.get(model, table.source)
            numbers[model, label] = {
                dataset: Published(*number, kind, source, copied.get(label, ""))
                for dataset, text in zip(table.datasets, row, strict=True)
                if (number := _number(rows, label, text))
            }
    return numbers


def _number(section: Section, key: str, text: Any) -> tuple[float, float | None] | None:
    if text in _MISSING:
        return None
    match = _NUMBER.fullmatch(text) if isinstance(text, str) else None
    if not match or float(match[1]) > 100:
        raise section.error(key, f"must hold strings like '87.14±1.01', not {text!r}")
    return float(match[1]), float(match[2]) if match[2] else None


def _read_notes(section: Section, table: Table) -> dict[str, str]:
    """Why numbers are missing: by model, by label, or ``"*"`` for the rest."""
    accepted = ["*", *table.models, *table.labels]
    for name in section.content:
        _must_be_known(section, name, accepted)
    return {name: section.take(name, str) for name in section.content}


def build_cells(draft: Draft, grid: Grid) -> tuple[Cell, ...]:
    """All cells of a table, data set by data set."""
    table, labels = draft.table, grid.labels_of(draft.table.task)
    return tuple(
        _cell(draft, grid, dataset, model, label)
        for dataset in table.datasets
        for model in table.models
        for label in table.labels
        if labels[label].models is None or model in labels[label].models
    )


def _cell(draft: Draft, grid: Grid, dataset: str, model: str, label: str) -> Cell:
    task = draft.table.task
    model_spec, label_spec = grid.models[model], grid.labels_of(task)[label]
    training = grid.training | model_spec.training | label_spec.training
    model_args, label_args = dict(model_spec.args), dict(label_spec.args)
    for at_model in ("*", model):
        for at_dataset in ("*", dataset):
            for at_label in ("", label):
                override = draft.overrides.get((at_model, at_dataset, at_label))
                if override:
                    training |= override.training
                    model_args |= override.model_args
                    label_args |= override.label_args
    published = draft.numbers.get((model, label), {}).get(dataset)
    notes = (draft.notes.get(name, "") for name in (model, label, "*"))
    return Cell(
        table=draft.table.name,
        dataset=dataset,
        split=draft.table.split,
        model=model_spec.path,
        model_name=model,
        label=label_spec.path,
        label_name=label,
        model_args=model_args,
        label_args=label_args,
        training=training,
        normalize_features=grid.normalize_features,
        runs=draft.runs,
        published=published,
        published_note="" if published else next(filter(None, notes), ""),
        unavailable=label_spec.unavailable,
        metric=draft.table.metric,
        origin=draft.origin,
        task=task,
        split_args=draft.split_args,
    )
