"""``graphlab copl evaluate``."""

from typing import TYPE_CHECKING, Annotated

import typer

from graphlab.cli.copl import options

if TYPE_CHECKING:
    from graphlab.benchmark.copl.evaluate_stage import Evaluation

_WIDTH = 110  # where there is no terminal


def evaluate(
    max_pairs: Annotated[
        int | None,
        typer.Option(min=1, help="Most pairs of a part for a reward model."),
    ] = None,
    out: options.Out = options.FOLDER,
    force: options.Force = False,
) -> None:
    """Print one table of what the run has, and write it as JSON and Markdown."""
    from graphlab.benchmark.copl.evaluate_stage import evaluate as run

    with options.resumable(), options.shown() as listener:
        found = run(out, max_pairs=max_pairs, force=force, listener=listener)
    _print(found)
    typer.echo(f"written to {out}: evaluation.json, evaluation.md")


def _print(found: "Evaluation") -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = _WIDTH
    head, rows = found.table()
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for place, name in enumerate(head):
        grid.add_column(name, justify="left" if place < 2 else "right")
    for row in rows:
        grid.add_row(*row)
    console.print(found.about)
    console.print(grid)
    for note in found.notes():
        console.print(note, style="dim")
