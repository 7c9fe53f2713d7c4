"""``graphlab reproduce | run``: train the cells of a recipe and report."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graphlab.cli import options

if TYPE_CHECKING:
    from graphlab.benchmark.recipe import Cell, Recipe


def reproduce(
    key: options.Key,
    table: options.Tables = None,
    dataset: options.Datasets = None,
    model: options.Models = None,
    label: options.Labels = None,
    split: options.Splits = None,
    quick: options.Quick = False,
    jobs: options.Jobs = 1,
    runs: options.Runs = Path("runs"),
    report: options.Report = Path("report"),
    data_root: options.DataRoot = None,
    set_: options.Assignments = None,
) -> None:
    """Fill a paper's tables: train what is missing, then write the report."""
    from graphlab.benchmark.discovery import find_recipe

    filters = {"table": table, "dataset": dataset, "model": model, "label": label}
    recipe = _chosen(find_recipe(key), quick, set_, split=split, **filters)
    _sweep(recipe, runs, report, data_root, jobs)


def run(
    file: Annotated[Path, typer.Argument(help="A recipe of your own (TOML).")],
    table: options.Tables = None,
    dataset: options.Datasets = None,
    model: options.Models = None,
    label: options.Labels = None,
    split: options.Splits = None,
    quick: options.Quick = False,
    jobs: options.Jobs = 1,
    runs: options.Runs = Path("runs"),
    report: options.Report = Path("report"),
    data_root: options.DataRoot = None,
    set_: options.Assignments = None,
    search: Annotated[
        bool, typer.Option("--search", help="Tune on validation nodes first.")
    ] = False,
    trials: Annotated[
        int, typer.Option(min=1, help="Trials per model and label method.")
    ] = 20,
    search_splits: Annotated[
        int, typer.Option(min=1, help="Splits that a trial is judged on.")
    ] = 3,
) -> None:
    """Benchmark your own model, or any recipe file."""
    filters = {"table": table, "dataset": dataset, "model": model, "label": label}
    recipe = _chosen(file, quick, set_, split=split, **filters)
    if search:
        recipe = _search(recipe, runs, data_root, jobs, trials, search_splits)
    _sweep(recipe, runs, report, data_root, jobs)


def _chosen(
    file: Path, quick: bool, assignments: list[str] | None, **filters
) -> "Recipe":
    """The recipe reduced to the chosen cells, with profile and overrides applied."""
    from graphlab.benchmark.imports import add_import_folders
    from graphlab.benchmark.recipe_file import load_recipe
    from graphlab.benchmark.selection import override, quick_recipe, select

    recipe = load_recipe(file)
    add_import_folders(file.parent, Path.cwd())
    recipe = select(recipe, **{k: options.names(v) for k, v in filters.items()})
    recipe = quick_recipe(recipe) if quick else recipe
    return override(recipe, assignments or ())


def _sweep(
    recipe: "Recipe", runs: Path, report: Path, data_root: Path | None, jobs: int
) -> None:
    from graphlab.benchmark.checks import check_cells
    from graphlab.benchmark.runner import distinct, run_recipe, runnable
    from graphlab.benchmark.store import prepare
    from graphlab.cli.live import shown

    check_cells(recipe.cells)
    for folder, option in ((runs, "--runs"), (report, "--report")):
        prepare(folder, option)  # now, not after hours of training
    cells = distinct(runnable(recipe))
    _announce(recipe, cells, runs)
    try:
        with shown(cells, jobs) as listener:
            counts = run_recipe(
                recipe, runs, data_root=data_root, jobs=jobs, listener=listener
            )
    except KeyboardInterrupt:
        done = "finished cells are kept, the same command goes on from there"
        typer.echo(f"interrupted: {done}", err=True)
        raise typer.Exit(130) from None
    _report(recipe, runs, report)
    if counts["failed"]:
        which = f"{counts['failed']} of {len(cells)} cells failed"
        typer.echo(f"{which}: the same command tries them again", err=True)
        raise typer.Exit(1)


def _announce(recipe: "Recipe", cells: "tuple[Cell, ...]", runs: Path) -> None:
    """What is going to happen, and what the quick profile leaves out."""
    number = sum(cell.runs for cell in cells)
    left_out = sum(bool(cell.unavailable) for cell in recipe.cells)
    note = f", {left_out} that cannot be run" if left_out else ""
    typer.echo(
        f"{recipe.key}, {recipe.profile} profile: {len(cells)} cells, {number} runs"
        f"{note}; run files in {runs}",
        err=True,
    )
    if recipe.cuts:
        typer.echo(f"cut against --full: {'; '.join(recipe.cuts)}", err=True)


def _report(recipe: "Recipe", runs: Path, report: Path) -> None:
    from graphlab.benchmark.report import build_report, render_table
    from graphlab.cli.recipes import matching, stored_runs

    found = matching(recipe, stored_runs(runs))
    typer.echo(render_table(recipe, found, color=sys.stdout.isatty()), nl=False)
    paths = build_report(recipe, found, report)
    html = paths.files.get("html", paths.folder)
    typer.echo(f"report: {html} (and {len(paths.files) - 1} other formats beside it)")


def _search(
    recipe: "Recipe",
    runs: Path,
    data_root: Path | None,
    jobs: int,
    trials: int,
    splits: int,
) -> "Recipe":
    from graphlab.benchmark.runner import runnable
    from graphlab.benchmark.search import apply_best, run_search
    from graphlab.benchmark.search_space import Budget
    from graphlab.benchmark.search_toml import settings_toml
    from graphlab.cli.live import shown

    budget = Budget(trials, splits)
    try:
        with shown(runnable(recipe), jobs) as listener:
            found = run_search(
                recipe, runs, budget, data_root=data_root, jobs=jobs, listener=listener
            )
    except KeyboardInterrupt:
        done = "finished trials are kept, the same command goes on from there"
        typer.echo(f"search interrupted: {done}", err=True)
        raise typer.Exit(130) from None
    text = settings_toml(recipe, found, budget)
    (runs / "search" / recipe.key / "settings.toml").write_text(text, encoding="utf-8")
    typer.echo(text)
    return apply_best(recipe, found)
