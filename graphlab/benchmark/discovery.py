"""Finding the recipes that come with graphlab: one folder each, no list to keep."""

from pathlib import Path

import graphlab
from graphlab.benchmark.toml_reader import nearest
from graphlab.errors import RecipeError

_FILE = "recipe.toml"


def recipe_files() -> dict[str, Path]:
    """Key -> recipe file, from the source checkout or from the installed package."""
    package = Path(graphlab.__file__).resolve().parent
    checkout, installed = package.parent / "benchmarks", package / "_benchmarks"
    in_checkout = (package.parent / "pyproject.toml").is_file() and checkout.is_dir()
    folder = checkout if in_checkout else installed
    return {file.parent.name: file for file in sorted(folder.glob(f"*/{_FILE}"))}


def find_recipe(key: str) -> Path:
    """The file of a recipe.

    Raises:
        RecipeError: There is no recipe of that name.
    """
    files = recipe_files()
    if key.lower() not in files:
        problem = f"unknown recipe {key!r}; {nearest(key, list(files))}"
        raise RecipeError(f"{problem}; your own file: graphlab run FILE.toml")
    return files[key.lower()]
