"""The parts of a recipe file that tables are made from: models, labels, search, quick.

Import paths are checked only for their form here: importing a model would import torch
(:mod:`graphlab.benchmark.imports` resolves them before anything is run).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from graphlab.benchmark.recipe import Paper, Quick, Search, Table
from graphlab.benchmark.tasks import TASKS
from graphlab.benchmark.toml_reader import Section, nearest

_IMPORT_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
#: Keys of a settings table that are not label names.
SETTINGS_KEYS = ("training", "model_args")


@dataclass(frozen=True)
class ModelSpec:
    """A model of the grid: what to import and its default settings."""

    path: str
    args: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LabelSpec:
    """A label method of the grid.

    Args:
        path: Import path; empty when ``unavailable`` says why there is none.
        args: Its default arguments.
        training: Training settings that it changes.
        models: The models it is combined with; ``None`` for all.
        unavailable: Why it cannot be run.
    """

    path: str
    args: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    models: tuple[str, ...] | None = None
    unavailable: str = ""


#: What a file without ``[labels]`` has, and every table of a task without them.
NO_LABELS = {"none": LabelSpec("graphlab.training:no_smoothing")}


def checked_path(section: Section, key: str, value: str) -> str:
    """``value`` if it has the form ``package.module:Name``."""
    if not _IMPORT_PATH.fullmatch(value):
        problem = f"must be an import path 'package.module:Name', not {value!r}"
        raise section.error(key, problem)
    return value


def training_keys(tasks: Sequence[str]) -> dict[str, type]:
    """The training settings that all of these tasks have."""
    first, *others = (TASKS[task].TRAINING_KEYS for task in tasks)
    return {k: kind for k, kind in first.items() if all(k in keys for keys in others)}


def read_training(section: Section, tasks: Sequence[str]) -> dict[str, Any]:
    """A ``training`` table that holds for tables of these tasks."""
    kinds = training_keys(tasks)
    for key in section.content:
        owners = [name for name, task in TASKS.items() if key in task.TRAINING_KEYS]
        if owners and key not in kinds:
            others = " and ".join(task for task in tasks if task not in owners)
            problem = f"a setting of {' and '.join(owners)} tables, not of {others}"
            raise section.error(key, f"{problem}; accepted: {', '.join(kinds)}")
    return section.those_of(kinds)


def read_task(section: Section, default: str) -> str:
    """``task``: what is predicted."""
    return section.one_of("task", list(TASKS)) if "task" in section.content else default


def read_split_args(section: Section, task: str) -> dict[str, Any]:
    """``split_args``: arguments of the split beside its name."""
    return section.section("split_args").those_of(TASKS[task].SPLIT_KEYS)


def read_paper(section: Section) -> Paper:
    """The ``[paper]`` table."""
    optional = ("authors", "venue", "url", "bibtex")
    paper = Paper(
        key=section.take("key", str),
        title=section.take("title", str),
        **{name: section.take(name, str, "") for name in optional},
    )
    section.done()
    return paper


def read_models(section: Section, tasks: Sequence[str]) -> dict[str, ModelSpec]:
    """The ``[models]`` table: name -> path, args, training."""
    models = {}
    for name, entry in section.sections().items():
        path = checked_path(entry, "path", entry.take("path", str))
        training = read_training(entry.section("training"), tasks)
        models[name] = ModelSpec(path, entry.take("args", dict, {}), training)
        entry.done()
    return models


def read_labels(
    section: Section, models: list[str], tasks: Sequence[str]
) -> dict[str, LabelSpec]:
    """The ``[labels]`` table: name -> path, args, training, models, unavailable."""
    tasks = [task for task in tasks if TASKS[task].LABELS]
    if section.content and not tasks:
        raise section.error("", "there is no table of a task that has label methods")
    labels = {}
    for name, entry in section.sections().items():
        if name in SETTINGS_KEYS:
            raise entry.error("", "this name is taken, choose another for the label")
        reason = entry.take("unavailable", str, "")
        path = entry.take("path", str, "") if reason else entry.take("path", str)
        labels[name] = LabelSpec(
            path=checked_path(entry, "path", path) if path else "",
            args=entry.take("args", dict, {}),
            training=read_training(entry.section("training"), tasks),
            models=known(entry, "models", models, None),
            unavailable=reason,
        )
        entry.done()
    return labels


def known(section: Section, key: str, accepted: list[str], default: Any) -> Any:
    """A list of names, each of which must be one of ``accepted``."""
    names = section.strings(key, default)
    for name in names or ():
        if name not in accepted:
            raise section.error(key, f"unknown {name!r}; {nearest(name, accepted)}")
    return names


def _choices(section: Section) -> dict[str, list]:
    """A table of non-empty lists."""
    choices = {key: section.take(key, list) for key in section.content}
    for key, values in choices.items():
        if not values:
            raise section.error(key, "needs at least one value")
    return choices


def read_search(
    section: Section, models: list[str], labels: list[str], tasks: Sequence[str]
) -> Search:
    """The ``[search]`` table: lists of values per setting."""
    training, kinds = section.section("training"), training_keys(tasks)
    for key in training.content:
        if key not in kinds:
            raise training.error(key, f"unknown key; {nearest(key, list(kinds))}")
    search = Search(
        training=_choices(training),
        model_args=_named(section.section("model_args"), models, _choices),
        label_args=_named(section.section("label_args"), labels, _choices),
        source=section.take("source", str, ""),
    )
    section.done()
    return search


def read_quick(
    section: Section, labels: list[str], tables: Sequence[Table], tasks: Sequence[str]
) -> Quick:
    """The ``[quick]`` table."""
    datasets = dict.fromkeys(name for table in tables for name in table.datasets)
    quick = Quick(
        training=section.section("training").those_of(_any(tasks, "TRAINING_KEYS")),
        split_args=section.section("split_args").those_of(_any(tasks, "SPLIT_KEYS")),
        label_args=_named(
            section.section("label_args"), labels, lambda entry: entry.content
        ),
        runs=section.positive("runs", None),
        tables=known(section, "tables", [table.name for table in tables], None),
        datasets=known(section, "datasets", list(datasets), None),
    )
    section.done()
    return quick


def _any(tasks: Sequence[str], keys: str) -> dict[str, type]:
    """The settings that some of these tasks have."""
    return {k: kind for task in tasks for k, kind in getattr(TASKS[task], keys).items()}


def _named(section: Section, accepted: list[str], read: Any) -> dict[str, Any]:
    """A table of tables whose names must be ``accepted``."""
    for name in section.content:
        if name not in accepted:
            raise section.error(name, f"unknown name; {nearest(name, accepted)}")
    return {name: read(entry) for name, entry in section.sections().items()}
