"""What a search found, as TOML to paste into the recipe."""

import json
from typing import Any

from graphlab.benchmark.metric import METRICS
from graphlab.benchmark.recipe import Recipe
from graphlab.benchmark.search_space import Budget


def settings_toml(recipe: Recipe, results: list[dict[str, Any]], budget: Budget) -> str:
    """``[table.NAME.settings.MODEL.DATASET]`` sections, one line per label method."""
    metrics = dict.fromkeys(METRICS[result["metric"]].name for result in results)
    lines = [
        f"# graphlab run --search: at most {budget.trials} trials per label method, "
        f"the same for all,",
        f"# judged by mean validation {' or '.join(metrics)} over the first "
        f"{budget.splits} splits; test metrics unseen.",
    ]
    section = None
    for result in results:
        path = (result["table"], result["model"], result["dataset"])
        if path != section:
            section = path
            lines += ["", f"[{_section(recipe, *path)}]"]
        lines.append(_line(result))
    return "\n".join(lines) + "\n"


def _section(recipe: Recipe, table: str, model: str, dataset: str) -> str:
    tail = f"settings.{_name(model)}.{_name(dataset)}"
    return tail if recipe.short else f"table.{_name(table)}.{tail}"


def _line(result: dict[str, Any]) -> str:
    if not result["best"]:
        return f"# {result['label']}: no trial succeeded: {result['note']}"
    parts: dict[str, list[str]] = {}
    for name, value in result["best"].items():
        part, key = name.split(".", 1)
        parts.setdefault(part, []).append(f"{_name(key)} = {_value(value)}")
    tables = ", ".join(f"{part} = {{ {', '.join(v)} }}" for part, v in parts.items())
    tried = f"{len(result['trials'])} of {result['space_size']}"
    value = f"{METRICS[result['metric']].prefix}{100 * result['value']:.2f}"
    note = f"# validation {value}, {tried} settings"
    return f"{_name(result['label'])} = {{ {tables} }}  {note}"


def _name(text: str) -> str:
    bare = text.replace("-", "").replace("_", "")
    return text if bare.isascii() and bare.isalnum() else json.dumps(text)


def _value(value: Any) -> str:
    """A TOML value; JSON's form is TOML's for strings, numbers, booleans and lists."""
    return json.dumps(value)
