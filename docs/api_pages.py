"""Writes what the documentation derives from the code: API pages, dataset table.

The pages follow from each sub-package's ``__all__``, so a new name is documented by
being public. They go to ``docs/api/``, which is not tracked.
"""

import inspect
from importlib import import_module
from pathlib import Path

#: Sub-package -> title of its page.
PACKAGES = {
    "graphlab.nn": "Layers and models",
    "graphlab.transforms": "Transforms",
    "graphlab.datasets": "Datasets and splits",
    "graphlab.training": "Training",
    "graphlab.analysis": "Diagnostics and bounds",
    "graphlab.preference": "Preferences",
    "graphlab.ops": "Operations",
    "graphlab.lora": "LoRA experts and reward models",
    "graphlab.benchmark.report": "Reports",
}
#: Public names of modules that have no ``__all__``.
MODULES = {
    "graphlab.datasets.embedded": ("WordNetVerbs", "DebianPackages", "embedded_splits"),
    "graphlab.benchmark.copl": ("load_split", "GraphModel", "graph_model", "RunFolder"),
    "graphlab.benchmark.copl.train_graph": ("train_graph", "SplitSettings"),
    "graphlab.benchmark.copl.adapt_stage": ("adapt", "adapt_pairs", "Adaptation"),
    "graphlab.benchmark.copl.reward_config": ("RewardConfig",),
    "graphlab.benchmark.copl.reward_stage": (
        *("train_reward", "evaluate_reward", "load_reward", "reward_config"),
    ),
    "graphlab.benchmark.copl.reward_run": ("train_run_reward", "evaluate_run_reward"),
    "graphlab.benchmark.copl.evaluate_stage": ("evaluate", "Evaluation"),
    "graphlab.benchmark.recipe": ("Recipe", "Table", "Cell", "Published", "Search"),
    "graphlab.benchmark.recipe_file": ("load_recipe",),
    "graphlab.benchmark.selection": ("select", "quick_recipe", "override"),
    "graphlab.benchmark.runner": ("run_recipe",),
    "graphlab.benchmark.store": ("load_all", "read_run", "matching_runs"),
    "graphlab.benchmark.search": ("run_search", "apply_best"),
    "graphlab.benchmark.stats": (
        *("summarize", "Summary", "bootstrap_interval", "half_width"),
        *("paired_difference", "PairedDifference", "wilcoxon", "holm"),
        "minimum_detectable_effect",
    ),
    "graphlab.errors": (
        *("GraphlabError", "ArgumentError", "DatasetError", "SplitError"),
        *("RecipeError", "StoreError", "SolverError"),
    ),
}


def package_page(package: str, title: str) -> str:
    """One page for a sub-package: models before layers before functions."""
    module = import_module(package)
    intro = (inspect.getdoc(module) or "").split("\n\n")[0]
    lines = [title, "=" * len(title), "", f"``{package}``: {intro}", ""]
    lines += [f".. currentmodule:: {package}", ""]
    for heading, names in _grouped(module).items():
        lines += [heading, "-" * len(heading), ""]
        lines += [line for name in names for line in _entry(module, name)]
    return "\n".join(lines)


def modules_page() -> str:
    """The modules behind the command line, and the errors."""
    title = "Recipes, runs, statistics, errors"
    lines = [title, "=" * len(title), ""]
    for name, public in MODULES.items():
        module = import_module(name)
        lines += [name, "-" * len(name), "", f".. currentmodule:: {name}", ""]
        lines += [(inspect.getdoc(module) or "").split("\n\n")[0], ""]
        lines += [line for each in public for line in _entry(module, each)]
    return "\n".join(lines)


def dataset_table() -> str:
    """The cards as a Markdown table."""
    from graphlab.datasets import dataset_card, dataset_names

    head = ("name", "nodes", "edges", "features", "classes", "homophily", "licence")
    rows = [head, ("---",) + ("---:",) * 5 + ("---",)]
    for card in map(dataset_card, dataset_names()):
        counts = (card.nodes, card.edges, card.features, card.classes)
        shown = ["?" if count is None else f"{count:,}" for count in counts]
        share = "?" if card.homophily is None else f"{card.homophily:.3f}"
        rows.append((f"`{card.name}`", *shown, share, card.licence))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def dataset_cards() -> str:
    """Raw variant and warnings of each dataset, as a Markdown list."""
    from graphlab.datasets import dataset_card, dataset_names

    parts = []
    for card in map(dataset_card, dataset_names()):
        splits = ", ".join(f"`{name}`" for name in card.splits)
        published = f" Published splits: {splits}." if splits else ""
        parts.append(f"`{card.name}`\n: {card.variant}{published}")
        parts += [f"  {warning}" for warning in card.warnings]
        parts.append("")
    return "\n".join(parts)


def pages() -> dict[str, str]:
    """File name -> content of all that is generated."""
    found = {
        f"{package.removeprefix('graphlab.')}.rst": package_page(package, title)
        for package, title in PACKAGES.items()
    }
    return found | {
        "modules.rst": modules_page(),
        "_dataset_table.md": dataset_table(),
        "_dataset_cards.md": dataset_cards(),
    }


def write(folder: Path) -> None:
    """Write the pages; an unchanged one keeps its time, so Sphinx skips it."""
    folder.mkdir(exist_ok=True)
    for name, content in pages().items():
        file = folder / name
        if not file.is_file() or file.read_text(encoding="utf-8") != content:
            file.write_text(content, encoding="utf-8")


def _grouped(module) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name in module.__all__:
        groups.setdefault(_heading(getattr(module, name)), []).append(name)
    order = ("Models", "Layers", "Classes", "Functions", "Values")
    return {heading: groups[heading] for heading in order if heading in groups}


def _heading(thing) -> str:
    if inspect.isroutine(thing):
        return "Functions"
    if not inspect.isclass(thing):
        return "Values"
    kind = thing.__module__.removeprefix("graphlab.nn.").partition(".")[0]
    return {"models": "Models", "conv": "Layers"}.get(kind, "Classes")


def _entry(module, name: str) -> list[str]:
    thing = getattr(module, name)
    if inspect.isclass(thing):
        kind = "autoexception" if issubclass(thing, Exception) else "autoclass"
        options = ["   :members:", "   :exclude-members: forward"]
    else:
        kind, options = "autofunction", []
        if not inspect.isroutine(thing):  # its docstring would be that of its type
            kind, options = "data", [f"   :value: {thing!r}"]
    return [f".. {kind}:: {module.__name__}.{name}", *options, ""]
