"""``graphlab list | show | cite | table``: recipes and what was measured for them."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from graphlab.cli import options

if TYPE_CHECKING:
    from graphlab.benchmark.recipe import Recipe, Search, Table


def list_recipes() -> None:
    """List the recipes that come with graphlab."""
    from graphlab.benchmark.discovery import recipe_files
    from graphlab.benchmark.recipe_file import load_recipe

    recipes = [load_recipe(file) for file in recipe_files().values()]
    width = max((len(recipe.key) for recipe in recipes), default=0)
    for recipe in recipes:
        cells = f"{len(recipe.cells)} cells in {_count(recipe.tables, 'table')}"
        quick = ", quick profile" if recipe.quick else ""
        typer.echo(f"{recipe.key:<{width}}  {recipe.paper.title} ({cells}{quick})")
    typer.echo("\ngraphlab show NAME says more, graphlab reproduce NAME runs it")


def _count(items: tuple, word: str) -> str:
    return f"{len(items)} {word}{'' if len(items) == 1 else 's'}"


def show(key: options.Key) -> None:
    """Show what a recipe holds: paper, tables, settings."""
    recipe = _load(key)
    paper = recipe.paper
    about = [paper.title, paper.authors, paper.venue, paper.url, str(recipe.file)]
    typer.echo("\n".join(line for line in about if line))
    for table in recipe.tables:
        typer.echo("\n" + "\n".join(_table_lines(table)))
    if recipe.quick:
        from graphlab.benchmark.selection import quick_recipe

        typer.echo("\n--quick: " + "; ".join(quick_recipe(recipe).cuts))
    if recipe.search:
        typer.echo("\n" + "\n".join(_search_lines(recipe.search)))


def _search_lines(search: "Search") -> list[str]:
    """The search space, one setting a line."""
    named = search.model_args | search.label_args
    flat = search.training | {
        f"{name}.{key}": values
        for name, choices in named.items()
        for key, values in choices.items()
    }
    source = f" ({search.source})" if search.source else ""
    return [f"--search{source}:", *(f"  {k}: {v}" for k, v in flat.items())]


def _table_lines(table: "Table") -> list[str]:
    published = sum(cell.published is not None for cell in table.cells)
    copied = sum(bool(c.published and c.published.copied) for c in table.cells)
    unavailable = {c.label_name: c.unavailable for c in table.cells if c.unavailable}
    runs = sum(cell.runs for cell in table.cells if not cell.unavailable)
    counts = f"{len(table.cells)} cells, {runs} runs, {published} published numbers"
    args = ", ".join(f"{k} {v}" for k, v in table.cells[0].split_args.items())
    labels = ", ".join(table.labels)
    against = f" (compared with {table.baseline})" if table.baseline else ""
    return [
        f"table {table.name}: {table.title}",
        *([f"  task      {table.task}"] if table.task != "node" else []),
        f"  split     {table.split}" + (f" ({args})" if args else ""),
        f"  datasets  {', '.join(table.datasets)}",
        f"  models    {', '.join(table.models)}{against}",
        *([f"  labels    {labels}"] if labels.lower() != "none" else []),
        f"  size      {counts}" + (f" ({copied} copied)" if copied else ""),
        *(f"  note      {name}: {why}" for name, why in unavailable.items()),
        *([f"  note      {table.note}"] if table.note else []),
    ]


def cite(key: options.Key) -> None:
    """Print the BibTeX entry of a recipe's paper."""
    from graphlab.errors import RecipeError

    recipe = _load(key)
    if not recipe.paper.bibtex:
        raise RecipeError(f"{recipe.key} is no paper's recipe: nothing to cite")
    typer.echo(recipe.paper.bibtex.strip())


def table(
    key: options.Key,
    format: Annotated[
        str, typer.Option("--format", help="terminal, md, latex, html or csv.")
    ] = "terminal",
    table: options.Tables = None,
    dataset: options.Datasets = None,
    model: options.Models = None,
    label: options.Labels = None,
    split: options.Splits = None,
    quick: Annotated[
        bool | None,
        typer.Option("--quick/--full", help="Which profile; otherwise the one run."),
    ] = None,
    set_: options.Assignments = None,
    runs: options.Runs = "runs",
) -> None:
    """Print a recipe's tables from the run files that are there."""
    from graphlab.benchmark.report import render_table
    from graphlab.benchmark.selection import override, select

    filters = {"table": table, "dataset": dataset, "model": model, "label": label}
    filters = {name: options.names(values) for name, values in filters.items()}
    recipe = select(_load(key), **filters, split=options.names(split))
    stored = stored_runs(runs)
    recipe = override(_profile(recipe, quick, stored), set_ or ())
    text = render_table(
        recipe, matching(recipe, stored), format, color=sys.stdout.isatty()
    )
    typer.echo(text, nl=False)


def _profile(recipe: "Recipe", quick: bool | None, stored: list[dict]) -> "Recipe":
    """The profile asked for; else the one that was run, the full one if both were."""
    from graphlab.benchmark.selection import quick_recipe
    from graphlab.benchmark.store import matching_runs

    if quick is None and recipe.quick and not matching_runs(recipe, stored):
        shorter = quick_recipe(recipe)
        return shorter if matching_runs(shorter, stored) else recipe
    return quick_recipe(recipe) if quick else recipe


def stored_runs(folder) -> list[dict]:
    """All runs of a folder; files that are none are named on standard error."""
    from graphlab.benchmark.store import load_all

    found, problems = load_all(folder)
    for problem in problems:
        typer.echo(f"warning: passed over {problem}", err=True)
    return found


def matching(recipe: "Recipe", stored: list[dict]) -> list[dict]:
    """The stored runs that belong to the recipe; says when there are others."""
    from graphlab.benchmark.store import matching_runs

    found = matching_runs(recipe, stored)
    others = sum(run["recipe"] == recipe.key for run in stored) - len(found)
    if others and not found:
        which = f"{others} runs of {recipe.key} have other settings than asked for"
        typer.echo(f"warning: {which}", err=True)
    return found


def _load(key: str) -> "Recipe":
    from graphlab.benchmark.discovery import find_recipe
    from graphlab.benchmark.recipe_file import load_recipe

    return load_recipe(find_recipe(key))
