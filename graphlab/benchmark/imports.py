"""Resolving what a recipe names, before anything is trained.

A misspelt import path, an argument the model does not take, an unknown data set: all of
it is found for every chosen cell at once, so that a long sweep does not end on a typing
error. A model that exists but cannot be imported (a missing package) is left to the
sweep, which records it and goes on.
"""

import inspect
import sys
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from graphlab.benchmark.recipe import Cell
from graphlab.benchmark.toml_reader import nearest
from graphlab.errors import ArgumentError, RecipeError


def add_import_folders(*folders: Path) -> None:
    """Let import paths find modules in these folders, the first one first."""
    for folder in reversed(folders):
        text = str(folder.resolve())
        if text not in sys.path:
            sys.path.insert(0, text)


def resolve(path: str) -> Any:
    """The object at ``package.module:Name``.

    Raises:
        RecipeError: There is no such module, or no such name in it.
        ImportError: The module exists but cannot be imported.
    """
    module, _, name = path.partition(":")
    try:
        found = find_spec(module) is not None
    except ModuleNotFoundError as error:
        # Raised by a missing parent package, but also by what a parent imports.
        if not module.startswith(str(error.name)):
            raise
        found = False
    if not found:
        raise RecipeError(f"{path}: there is no module {module!r} to import")
    try:
        return resolve_name(path)
    except AttributeError as error:
        if str(getattr(error, "name", "")) not in name.split("."):
            raise
        public = [n for n in dir(sys.modules[module]) if not n.startswith("_")]
        hint = nearest(name, public)
        raise RecipeError(f"{path}: {module} has no {name!r}; {hint}") from None


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
        _check_names: (cell.dataset, cell.split),
        _check_model: (cell.model, cell.model_args),
        _check_label: (cell.label, cell.label_args),
        _check_training: (cell.training,),
    }[check]


def _check_names(cell: Cell) -> None:
    from graphlab.datasets import dataset_card, dataset_names, split_names

    names = dataset_names()
    if cell.dataset.lower() not in [name.lower() for name in names]:
        hint = nearest(cell.dataset, list(names))
        problem = f"dataset: unknown {cell.dataset!r}; {hint}"
        raise RecipeError(f"{cell.origin}: {problem}")
    splits = split_names(dataset_card(cell.dataset))
    if cell.split not in splits:
        problem = f"split: {cell.dataset} has no {cell.split!r}"
        hint = nearest(cell.split, list(splits))
        raise RecipeError(f"{cell.origin}: {problem}; {hint}")


def _check_model(cell: Cell) -> None:
    arguments = {"in_channels": 1, "out_channels": 2, **cell.model_args}
    _check_call(cell, "model", cell.model, (), arguments)


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
    from graphlab.training import TrainingConfig

    try:
        TrainingConfig(**cell.training)
    except ArgumentError as error:
        raise RecipeError(f"{cell.origin}: training: {error}") from None
