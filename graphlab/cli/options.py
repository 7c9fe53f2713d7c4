"""Options that several commands share."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

Key = Annotated[str, typer.Argument(help="Name of a recipe, see `graphlab list`.")]

Tables = Annotated[list[str] | None, typer.Option("--table", help="Only this table.")]
Datasets = Annotated[
    list[str] | None,
    typer.Option("--dataset", help="Only this data set; repeat, or use commas."),
]
Models = Annotated[list[str] | None, typer.Option("--model", help="Only this model.")]
Labels = Annotated[
    list[str] | None, typer.Option("--label", help="Only this label method.")
]
Splits = Annotated[
    list[str] | None, typer.Option("--split", help="Only tables on this split.")
]
Quick = Annotated[
    bool,
    typer.Option("--quick/--full", help="The recipe's quick profile, or all of it."),
]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override, e.g. training.lr=0.1 or runs=3."
    ),
]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, help="Number of processes.")]
Runs = Annotated[Path, typer.Option("--runs", help="Folder of run files.")]
Report = Annotated[Path, typer.Option("--report", help="Folder for the report.")]
DataRoot = Annotated[
    Path | None,
    typer.Option("--data-root", envvar="GRAPHLAB_DATA", help="Folder of raw datasets."),
]


def names(values: Iterable[str] | None) -> list[str]:
    """The values of a repeatable option, commas split."""
    split = (part.strip() for value in values or () for part in value.split(","))
    return [part for part in split if part]
