"""The commands, gathered in one typer application."""

from typing import Annotated

import typer

from graphlab import __version__
from graphlab.cli.bound import bound
from graphlab.cli.copl import app as copl_app
from graphlab.cli.diagnose import diagnose
from graphlab.cli.recipes import cite, list_recipes, show, table
from graphlab.cli.sweeps import reproduce, run

app = typer.Typer(
    name="graphlab",
    help="Graph learning papers as PyTorch Geometric code, with their tables measured.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("list")(list_recipes)
app.command()(show)
app.command()(reproduce)
app.command()(run)
app.command()(table)
app.command()(cite)
app.command()(diagnose)
app.command()(bound)
app.add_typer(copl_app, name="copl", help="CoPL's stages: from pairs to rewards.")

try:
    from graphlab.cli.data import app as data_app
except ModuleNotFoundError as error:
    if error.name != "graphlab.cli.data":
        raise
else:
    app.add_typer(data_app, name="data", help="List, show, fetch and verify datasets.")


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"graphlab {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Show version.",
        ),
    ] = False,
) -> None:
    pass
