"""TOML -> :class:`~graphlab.benchmark.recipe.Recipe`, in two forms.

The *grid form* (``[models]``, ``[labels]``, ``[table.NAME]``) states a paper's tables;
the *short form* (``model = ...`` at the top) states one table for one's own model.
Whatever is wrong is a :class:`~graphlab.errors.RecipeError` that names file and key.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from graphlab.benchmark.recipe import Paper, Recipe, Table
from graphlab.benchmark.recipe_parts import (
    NO_LABELS,
    LabelSpec,
    ModelSpec,
    checked_path,
    read_labels,
    read_models,
    read_paper,
    read_quick,
    read_search,
    read_split_args,
    read_task,
    read_training,
)
from graphlab.benchmark.recipe_table import (
    Draft,
    Grid,
    build_cells,
    read_baseline,
    read_metric,
    read_overrides,
    read_table,
)
from graphlab.benchmark.tasks import TASKS
from graphlab.benchmark.toml_reader import Section, nearest, read_toml

#: What the short form may write instead of an import path.
LABELS = {
    "none": "graphlab.training:no_smoothing",
    "LS": "graphlab.training:label_smoothing",
    "KD": "graphlab.training:knowledge_distillation",
    "PosteL": "graphlab.training:postel",
}


def load_recipe(path: str | Path) -> Recipe:
    """Read a recipe file of either form.

    Raises:
        RecipeError: The file is missing or not TOML; a key is missing, unknown or of
            the wrong type; a name is not defined in the file.
    """
    path = Path(path)
    root = Section(read_toml(path), path)
    grid_form = any(key in root.content for key in ("paper", "table", "models"))
    return _grid_form(root) if grid_form else _short_form(root)


def _grid_form(root: Section) -> Recipe:
    paper = read_paper(root.section("paper"))
    defaults = root.section("defaults")
    default_task = read_task(defaults, "node")
    tasks = _tasks(root, default_task)
    models = read_models(root.section("models"), tasks)
    labels = read_labels(root.section("labels"), list(models), tasks)
    grid = Grid(
        models=models,
        labels=labels or NO_LABELS,
        training=read_training(defaults.section("training"), tasks),
        normalize_features=defaults.take("normalize_features", bool, False),
        runs=defaults.positive("runs", 10),
        split=defaults.take("split", str, None),
        task=default_task,
    )
    defaults.done()
    drafts: dict[str, Draft] = {}
    for name, section in root.section("table").sections().items():
        drafts[name] = read_table(section, grid, drafts)
    return _recipe(root, paper, grid, _tables(root, drafts, grid))


def _tasks(root: Section, default: str) -> list[str]:
    """The tasks of all tables, each once: what is shared must suit all of them."""
    found: dict[str, str] = {}
    for name, section in root.section("table").sections().items():
        like = str(section.content.get("like"))
        found[name] = read_task(section, found.get(like, default))
    return list(dict.fromkeys(found.values())) or [default]


def _tables(root: Section, drafts: dict[str, Draft], grid: Grid) -> tuple[Table, ...]:
    if not grid.models:
        raise root.error("models", "missing, at least one is needed")
    if not drafts:
        raise root.error("table", "missing, at least one [table.NAME] is needed")
    return tuple(
        replace(draft.table, cells=build_cells(draft, grid))
        for draft in drafts.values()
    )


def _recipe(
    root: Section, paper: Paper, grid: Grid, tables: tuple[Table, ...]
) -> Recipe:
    """The recipe, with the optional search space and quick profile."""
    models, labels = list(grid.models), list(grid.labels)
    tasks = list(dict.fromkeys(table.task for table in tables))
    search = read_search(root.section("search"), models, labels, tasks)
    quick = read_quick(root.section("quick"), labels, tables, tasks)
    root.take("printed", dict, {})  # for readers and scripts: what no run can fill
    root.done()
    return Recipe(
        key=paper.key,
        file=root.file,
        paper=paper,
        tables=tables,
        search=search if "search" in root.content else None,
        quick=quick if "quick" in root.content else None,
    )


def _short_form(root: Section) -> Recipe:
    """``dataset``, ``split``, ``model``, ``label`` at the top: one table."""
    key = root.file.stem
    title = root.take("title", str, key)
    task = read_task(root, "node")
    labels = _short_labels(root, task)
    grid = Grid(
        models=_short_models(root),
        labels=labels,
        training=read_training(root.section("training"), [task]),
        normalize_features=root.take("normalize_features", bool, False),
        runs=root.positive("runs", 10),
        task=task,
    )
    table = Table(
        name="main",
        title=title,
        source="",
        split=root.take("split", str),
        datasets=_one_or_many(root, "dataset"),
        models=tuple(grid.models),
        labels=tuple(labels),
        cells=(),
        metric=read_metric(root, task),
        task=task,
        baseline=read_baseline(root, tuple(grid.models), None),
    )
    note = {"*": "no published number"}
    overrides = read_overrides(root.section("settings"), table)
    split_args = read_split_args(root, task)
    draft = Draft(table, grid.runs, overrides, {}, note, root.where(), split_args)
    tables = (replace(table, cells=build_cells(draft, grid)),)
    return replace(_recipe(root, Paper(key, title), grid, tables), short=True)


def _one_or_many(root: Section, key: str, default: str | None = None) -> tuple:
    """``key = "a"`` or ``key = ["a", "b"]``."""
    if isinstance(root.content.get(key), list):
        return root.strings(key)
    return (root.take(key, str, *([default] if default else [])),)


def _short_models(root: Section) -> dict[str, ModelSpec]:
    args = root.take("model_args", dict, {})
    models = {}
    for value in _one_or_many(root, "model"):
        path = value if ":" in value else f"graphlab.nn:{value}"
        name = checked_path(root, "model", path).rpartition(":")[2]
        if name in models:
            raise root.error("model", f"two models are called {name}")
        models[name] = ModelSpec(path, args)
    return models


def _short_labels(root: Section, task: str) -> dict[str, LabelSpec]:
    if not TASKS[task].LABELS:
        for key in ("label", "label_args"):
            if key in root.content:
                raise root.error(key, f"a {task} table has no label methods")
        return NO_LABELS
    paths = {}
    for value in _one_or_many(root, "label", "none"):
        if ":" not in value and value not in LABELS:
            hint = nearest(value, [*LABELS, "package.module:function"])
            raise root.error("label", f"unknown label method {value!r}; {hint}")
        path = LABELS.get(value) or checked_path(root, "label", value)
        paths[value.rpartition(":")[2]] = path
    return {
        name: LabelSpec(path, args)
        for (name, path), args in zip(
            paths.items(), _short_label_args(root, list(paths)), strict=True
        )
    }


def _short_label_args(root: Section, names: list[str]) -> list[dict[str, Any]]:
    """``label_args`` are the arguments of the only label, or one table per label."""
    section = root.section("label_args")
    if len(names) == 1:
        return [section.content]
    args = [section.take(name, dict, {}) for name in names]
    section.done()
    return args
