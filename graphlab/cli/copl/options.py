"""Options that the stages share, and how long work is shown."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from graphlab.cli.progress_bar import Listener, progress_bar

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


def shown() -> AbstractContextManager[Listener]:
    """A bar on a terminal; elsewhere a line when something else is being done."""
    said = set()

    def plain(text: str, done: int, total: int) -> str | None:
        what = text.partition(", epoch")[0]
        new = what not in said
        said.add(what)
        return what if new else None

    return progress_bar(plain, count=False)


@contextmanager
def resumable() -> Iterator[None]:
    """Ctrl-C ends a stage with a word on how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        done = "what is finished is kept, the same command goes on from there"
        typer.echo(f"interrupted: {done}", err=True)
        raise typer.Exit(130) from None
