"""Options that the stages share, and how long work is shown."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

Out = Annotated[
    Path, typer.Option(help="Folder of the run; all stages take the same one.")
]
Force = Annotated[
    bool,
    typer.Option("--force", help="Do it again, also with other settings than before."),
]
#: Where `--out` is not given.
FOLDER = Path("copl")


def assignments(texts: list[str] | None, option: str = "--set") -> dict[str, Any]:
    """``KEY=VALUE`` options.

    Raises:
        ArgumentError: One has another form.
    """
    from graphlab.benchmark.selection import toml_value
    from graphlab.errors import ArgumentError

    found = {}
    for text in texts or ():
        key, sign, value = (part.strip() for part in text.partition("="))
        if not sign or not key.isidentifier() or not value:
            raise ArgumentError(f"{option}: {text!r} must have the form KEY=VALUE")
        found[key] = toml_value(value)
    return found


@contextmanager
def shown() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on a terminal; elsewhere a line when something else is being done."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, highlight=False, markup=False)
    if not console.is_terminal:
        said = set()

        def plain(text: str, done: int, total: int) -> None:
            what = text.partition(", epoch")[0]
            if what not in said:
                said.add(what)
                console.print(what, soft_wrap=True)

        yield plain
        return
    columns = (BarColumn(bar_width=24), TimeElapsedColumn())
    words = TextColumn("{task.description}", markup=False)
    with Progress(*columns, words, console=console, transient=True) as bar:
        task = bar.add_task("")
        yield lambda text, done, total: bar.update(
            task, description=text, completed=done, total=total
        )


@contextmanager
def resumable() -> Iterator[None]:
    """Ctrl-C ends a stage with a word on how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        done = "what is finished is kept, the same command goes on from there"
        typer.echo(f"interrupted: {done}", err=True)
        raise typer.Exit(130) from None
