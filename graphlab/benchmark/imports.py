"""Resolving the import paths that a recipe names."""

import sys
from importlib.util import find_spec
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from graphlab.benchmark.toml_reader import nearest
from graphlab.errors import RecipeError


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
