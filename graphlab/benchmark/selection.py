"""Choosing cells of a recipe, and changing their settings from the command line."""

import tomllib
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from graphlab.benchmark.recipe import Cell, Recipe
from graphlab.benchmark.tasks import TASKS
from graphlab.benchmark.toml_reader import has_kind, kind_in_words, nearest
from graphlab.errors import ArgumentError

#: Filter name -> the attribute of a cell it compares with.
FILTERS = {
    "table": "table",
    "dataset": "dataset",
    "model": "model_name",
    "label": "label_name",
    "split": "split",
}


def map_cells(recipe: Recipe, change: Callable[[Cell], Cell | None]) -> Recipe:
    """The recipe with each cell changed, or dropped where ``change`` gives ``None``.

    Tables without cells are dropped, as are rows and columns without cells.
    """
    tables = []
    for table in recipe.tables:
        cells = tuple(new for cell in table.cells if (new := change(cell)) is not None)
        if not cells:
            continue
        kept = {
            name: tuple(n for n in getattr(table, name) if n in present)
            for name, present in (
                ("datasets", {cell.dataset for cell in cells}),
                ("models", {cell.model_name for cell in cells}),
                ("labels", {cell.label_name for cell in cells}),
            )
        }
        splits = {cell.split for cell in cells}
        split = splits.pop() if len(splits) == 1 else table.split
        tables.append(replace(table, cells=cells, split=split, **kept))
    return replace(recipe, tables=tuple(tables))


def select(recipe: Recipe, **filters: Iterable[str]) -> Recipe:
    """Keep the cells that match all filters (table, dataset, model, label, split).

    Names are compared without regard to case; an empty filter keeps everything.

    Raises:
        ArgumentError: A name that occurs in no cell, or nothing is left.
    """
    wanted = {
        name: _known_names(recipe, name, values)
        for name, values in filters.items()
        if values
    }

    def keep(cell: Cell) -> Cell | None:
        match = all(
            getattr(cell, FILTERS[name]) in names for name, names in wanted.items()
        )
        return cell if match else None

    selected = map_cells(recipe, keep)
    if not selected.cells:
        asked = ", ".join(f"{name} {sorted(names)}" for name, names in wanted.items())
        raise ArgumentError(f"no cell of {recipe.key} matches {asked}")
    return selected


def _known_names(recipe: Recipe, name: str, values: Iterable[str]) -> set[str]:
    present = list(dict.fromkeys(getattr(c, FILTERS[name]) for c in recipe.cells))
    by_lower = {candidate.lower(): candidate for candidate in present}
    for value in values:
        if value.lower() not in by_lower:
            hint = nearest(value, present)
            raise ArgumentError(f"--{name}: unknown {value!r} in {recipe.key}; {hint}")
    return {by_lower[value.lower()] for value in values}


def quick_recipe(recipe: Recipe) -> Recipe:
    """The quick profile: cells of what it names, trained as ``[quick]`` says.

    ``cuts`` of the result says what was cut, one line per setting.

    Raises:
        ArgumentError: There is no quick profile, or it keeps nothing.
    """
    quick = recipe.quick
    if quick is None:
        raise ArgumentError(f"{recipe.key} has no [quick] profile; use --full")

    def change(cell: Cell) -> Cell:
        task = TASKS[cell.task]
        training = {k: v for k, v in quick.training.items() if k in task.TRAINING_KEYS}
        split_args = {k: v for k, v in quick.split_args.items() if k in task.SPLIT_KEYS}
        return replace(
            cell,
            profile="quick",
            training=cell.training | training,
            split_args=cell.split_args | split_args,
            label_args=cell.label_args | quick.label_args.get(cell.label_name, {}),
            runs=min(cell.runs, quick.runs or cell.runs),
        )

    def keep(cell: Cell) -> Cell | None:
        table = not quick.tables or cell.table in quick.tables
        dataset = not quick.datasets or cell.dataset in quick.datasets
        return cell if table and dataset else None

    shorter = map_cells(recipe, keep)
    if not shorter.cells:
        only = [("tables", quick.tables), ("data sets", quick.datasets)]
        names = " and ".join(f"the {k} {', '.join(v)}" for k, v in only if v)
        problem = f"the [quick] profile of {recipe.key} has only {names}"
        raise ArgumentError(f"{problem}; use --full for others")
    changed = map_cells(shorter, change)
    cuts = _cuts(shorter.cells, changed.cells)
    return replace(changed, profile="quick", cuts=(*_left_out(recipe, shorter), *cuts))


def _left_out(full: Recipe, quick: Recipe) -> list[str]:
    """``tables: only a, b`` and the same of data sets, where some are left out."""
    lines, stated = [], full.quick
    for word, attribute, chosen in (
        ("tables", "table", stated.tables),
        ("data sets", "dataset", stated.datasets),
    ):
        before, after = (
            dict.fromkeys(getattr(cell, attribute) for cell in recipe.cells)
            for recipe in (full, quick)
        )
        if chosen and len(after) < len(before):
            lines.append(f"{word}: only {', '.join(after)}")
    return lines


def _cuts(full: tuple[Cell, ...], quick: tuple[Cell, ...]) -> tuple[str, ...]:
    """``training.epochs: 200 instead of 1000``, each once."""
    cuts: dict[str, None] = {}
    for before, after in zip(full, quick, strict=True):
        pairs = [("runs", before.runs, after.runs)]
        for part in ("training", "split_args", "label_args"):
            prefix = f"{before.label_name}." if part == "label_args" else ""
            old, new = getattr(before, part), getattr(after, part)
            pairs += [(prefix + key, old.get(key), new[key]) for key in new]
        for name, was, now in pairs:
            if was != now:
                was = "the default" if was is None else was
                cuts[f"{name}: {now} instead of {was}"] = None
    return tuple(cuts)


def override(recipe: Recipe, assignments: Iterable[str]) -> Recipe:
    """Apply ``--set key=value`` to every cell.

    Keys are ``runs``, ``split``, ``normalize_features``, ``training.KEY``,
    ``split_args.KEY``, ``model_args.KEY`` and ``label_args.KEY``, the last two
    optionally narrowed to one model or label method as ``model_args.GAT.heads``. Values
    are TOML; a bare word is taken as a string.

    Raises:
        ArgumentError: An unknown key, or a value of the wrong type.
    """
    for assignment in assignments:
        change = _parse_assignment(recipe, assignment)
        recipe = map_cells(recipe, change)
    return recipe


def _parse_assignment(recipe: Recipe, assignment: str) -> Callable[[Cell], Cell]:
    key, sign, text = assignment.partition("=")
    key = key.strip()
    if not sign or not key:
        raise ArgumentError(f"--set {assignment}: must have the form key=value")
    value = toml_value(text.strip())
    head, *rest = key.split(".")
    simple = {"runs": int, "split": str, "normalize_features": bool}
    if head in simple and not rest:
        _check_kind(key, value, simple[head])
        if head == "runs" and value < 1:
            raise ArgumentError(f"--set runs: must be at least 1, not {value}")
        return lambda cell: replace(cell, **{head: value})
    for part in ("training", "split_args"):
        kinds = _kinds(recipe, part)
        if head == part and len(rest) == 1 and rest[0] in kinds:
            _check_kind(key, value, kinds[rest[0]])
            return _setting_change(part, rest[0], value)
    if head in ("model_args", "label_args") and len(rest) in (1, 2):
        return _argument_change(recipe, key, value)
    accepted = [*simple, *(f"training.{name}" for name in _kinds(recipe, "training"))]
    accepted += [f"split_args.{name}" for name in _kinds(recipe, "split_args")]
    hint = nearest(key, [*accepted, "model_args.KEY", "label_args.KEY"])
    raise ArgumentError(f"--set: unknown key {key!r}; {hint}")


_KEYS = {"training": "TRAINING_KEYS", "split_args": "SPLIT_KEYS"}


def _kinds(recipe: Recipe, part: str) -> dict[str, type]:
    """The settings that the tasks of a recipe have, with their types."""
    tasks = dict.fromkeys(cell.task for cell in recipe.cells)
    return {
        key: kind
        for task in tasks
        for key, kind in getattr(TASKS[task], _KEYS[part]).items()
    }


def _setting_change(part: str, key: str, value: Any) -> Callable[[Cell], Cell]:
    """The change of one setting, in the cells of tasks that have it."""

    def change(cell: Cell) -> Cell:
        if key not in getattr(TASKS[cell.task], _KEYS[part]):
            return cell
        return replace(cell, **{part: getattr(cell, part) | {key: value}})

    return change


def _argument_change(recipe: Recipe, key: str, value: Any) -> Callable[[Cell], Cell]:
    """The change of ``model_args[.MODEL].KEY`` or ``label_args[.LABEL].KEY``.

    Without a name it changes the cells that state this argument: an argument of one
    label method means nothing to another.
    """
    part, *names, argument = key.split(".")
    attribute = "model_name" if part == "model_args" else "label_name"
    present = list(dict.fromkeys(getattr(cell, attribute) for cell in recipe.cells))
    for name in names:
        if name not in present:
            hint = nearest(name, present)
            raise ArgumentError(f"--set {key}: unknown name {name!r}; {hint}")
    stated = sorted({arg for cell in recipe.cells for arg in getattr(cell, part)})
    if not names and argument not in stated:
        hint = nearest(argument, [*stated, f"{part}.NAME.{argument}"])
        raise ArgumentError(f"--set {key}: no cell states {argument!r}; {hint}")

    def change(cell: Cell) -> Cell:
        args = getattr(cell, part)
        hit = getattr(cell, attribute) in names if names else argument in args
        return replace(cell, **{part: args | {argument: value}}) if hit else cell

    return change


def toml_value(text: str) -> Any:
    """A value as TOML writes it; a bare word is taken as a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _check_kind(key: str, value: Any, kind: type) -> None:
    if not has_kind(value, kind):
        words = {str: "a string", bool: "true or false", int: "a whole number"}
        problem = f"must be {words.get(kind, 'a number')}, not {kind_in_words(value)}"
        raise ArgumentError(f"--set {key}: {problem}")
