"""Checking what a recipe names, before anything is trained.

A misspelt import path, an argument the model does not take, an unknown data set: all of
it is found for every chosen cell at once, so that a long sweep does not end on a typing
error. A model that exists but cannot be imported (a missing package) is left to the
sweep, which records it and goes on.
"""

import inspect
from collections.abc import Callable, Iterable

from graphlab.benchmark.imports import resolve
from graphlab.benchmark.recipe import Cell
from graphlab.benchmark.tasks import TASKS
from graphlab.errors import ArgumentError, RecipeError


def check_cells(cells: Iterable[Cell]) -> None:
    """Check names, import paths, arguments and training settings of all cells.

    Raises:
        RecipeError: The message names the file, the table and what is wrong.
    """
    seen: set[str] = set()
    for cell in cells:
        if cell.unavailable:
            continue
        for check in (_check_names, _check_model, _check_label, _check_training):
            key = f"{check.__name__} {_relevant(check, cell)}"
            if key not in seen:
                seen.add(key)
                check(cell)


def _relevant(check: Callable, cell: Cell) -> tuple:
    """What a check looks at: equal cells are checked once."""
    return {
        _check_names: (cell.task, cell.dataset, cell.split, cell.split_args),
        _check_model: (cell.task, cell.model, cell.model_args),
        _check_label: (cell.label, cell.label_args),
        _check_training: (cell.task, cell.model, cell.model_args, cell.training),
    }[check]


def _check_names(cell: Cell) -> None:
    try:
        TASKS[cell.task].check_names(cell)
    except RecipeError as error:
        raise RecipeError(f"{cell.origin}: {error}") from None


def _check_model(cell: Cell) -> None:
    task = TASKS[cell.task]
    own = getattr(task, "MODEL_KEYS", {})
    arguments = {k: v for k, v in cell.model_args.items() if k not in own}
    channels = dict.fromkeys(task.CHANNELS, 2)
    _check_call(cell, "model", cell.model, (), channels | arguments)


def _check_label(cell: Cell) -> None:
    _check_call(cell, "label", cell.label, (None,), cell.label_args)


def _check_call(cell: Cell, kind: str, path: str, args: tuple, kwargs: dict) -> None:
    try:
        called = resolve(path)
    except RecipeError as error:
        raise RecipeError(f"{cell.origin}: {kind}: {error}") from None
    except Exception:
        return  # exists but cannot be imported: recorded when the cell is run
    if not callable(called):
        raise RecipeError(f"{cell.origin}: {kind}: {path} cannot be called")
    try:
        signature = inspect.signature(called)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        where = f"{cell.origin}: {kind}: {path}"
        raise RecipeError(f"{where}{signature}: {error}") from None


def _check_training(cell: Cell) -> None:
    try:
        TASKS[cell.task].config(cell)
    except ArgumentError as error:
        raise RecipeError(f"{cell.origin}: training: {error}") from None
