"""The settings that a search tries for one cell, and a cell with one of them."""

import hashlib
import itertools
import json
import math
from dataclasses import dataclass, replace
from typing import Any

from graphlab.benchmark.recipe import Cell, Recipe
from graphlab.errors import RecipeError

#: ``training.lr`` -> value
Point = dict[str, Any]


@dataclass(frozen=True)
class Budget:
    """What every label method gets, the same for all.

    Args:
        trials: Most settings that are tried per cell.
        splits: Splits that a setting is judged on.
    """

    trials: int = 20
    splits: int = 3


def space_of(recipe: Recipe, cell: Cell) -> dict[str, list]:
    """Dotted setting -> values to try, for one cell.

    Raises:
        RecipeError: The recipe states no search space.
    """
    search = recipe.search
    if search is None:
        raise RecipeError(f"{recipe.file}: search: missing, states what is searched")
    parts = {
        "training": search.training,
        "model_args": search.model_args.get(cell.model_name, {}),
        "label_args": search.label_args.get(cell.label_name, {}),
    }
    return {
        f"{part}.{key}": values
        for part, choices in parts.items()
        for key, values in choices.items()
    }


def size(space: dict[str, list]) -> int:
    """Number of points of the whole grid."""
    return math.prod(len(values) for values in space.values())


def grid(space: dict[str, list]) -> list[Point]:
    """All points."""
    combinations = itertools.product(*space.values())
    return [dict(zip(space, values, strict=True)) for values in combinations]


def with_point(cell: Cell, point: Point) -> Cell:
    """The cell with the settings of a point."""
    for name, value in point.items():
        part, key = name.split(".", 1)
        cell = replace(cell, **{part: getattr(cell, part) | {key: value}})
    return cell


def study_id(
    cell: Cell, space: dict[str, list], budget: Budget, checksum: str, metric: str
) -> str:
    """12 hexadecimal digits over everything that a trial's value depends on."""
    base = without(cell, space)
    content = [base, space, budget.splits, checksum]
    content += [metric] if metric != "accuracy" else []  # as in older journals
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def without(cell: Cell, space: dict[str, list]) -> dict[str, Any]:
    """The settings of a cell that the search leaves alone."""
    settings = cell.settings()
    for part in ("training", "model_args", "label_args"):
        settings[part] = {
            key: value
            for key, value in settings[part].items()
            if f"{part}.{key}" not in space
        }
    return settings
