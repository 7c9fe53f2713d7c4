"""``graphlab bound``: which generalization bounds hold, and what they are worth."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graphlab.cli import options
from graphlab.cli.progress_bar import progress_bar

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from graphlab.benchmark.bounds import BoundCell, BoundTask

FORMATS = ("terminal", "json", "markdown", "latex")
_WIDTH = 100  # where there is no terminal
#: Settings that were not given: those of --full, those of --quick.
_FULL = {"epochs": 200, "seeds": 3, "hidden": 64, "probes": 2}
_QUICK = {"epochs": 50, "seeds": 1, "hidden": 32, "probes": 0}


def bound(
    dataset: Annotated[
        str,
        typer.Option(
            help="A set for graph classification, see `graphlab data list`, with a "
            "label column as in SIDER:21; or a folder in TU format."
        ),
    ] = "MUTAG",
    model: Annotated[
        str,
        typer.Option(
            metavar="[NAME=]PATH[,KEY=VALUE...]",
            help="A class of models of nodes or of graphs, package.module:Class; a "
            "bare name is one of graphlab.nn.",
        ),
    ] = "graphlab.nn:GIN",
    depths: Annotated[
        str, typer.Option(help="Numbers of layers, such as 1-4 or 1,2,6.")
    ] = "1-4",
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Seeds, each with its own split.")
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick/--full",
            help="50 epochs, one seed, 32 channels and no Hessians, where not given.",
        ),
    ] = False,
    split: Annotated[
        str, typer.Option(help="Splits; without validation the last epoch counts.")
    ] = "random-90-10",
    gamma: Annotated[float, typer.Option(help="Margin of the bounds.")] = 1.0,
    delta: Annotated[float, typer.Option(help="Probability of failure.")] = 0.1,
    rounds: Annotated[
        int | None,
        typer.Option(min=0, help="Rounds of 1-WL; default: what the model needs."),
    ] = None,
    patterns: Annotated[
        str, typer.Option(help="Patterns that colours start with, such as C3,K4.")
    ] = "",
    allow_violations: Annotated[
        bool,
        typer.Option("--allow-violations", help="Compute where colours do not bound."),
    ] = False,
    hidden: Annotated[int | None, typer.Option(min=1, help="hidden_channels.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs.")] = None,
    batch_size: Annotated[int, typer.Option(help="Graphs per step.")] = 64,
    lr: Annotated[float, typer.Option(help="Learning rate of Adam.")] = 3e-3,
    weight_decay: Annotated[float, typer.Option(help="Weight decay.")] = 0.0,
    loss: Annotated[str, typer.Option(help="margin or cross_entropy.")] = "margin",
    probes: Annotated[
        int | None,
        typer.Option(min=0, help="Draws for traces of Hessians; 0 for none."),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="An argument of the model or the read-out, e.g. pooling=mean. "
            "dropout is 0 unless given.",
        ),
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", help="What to print: " + ", ".join(FORMATS))
    ] = "terminal",
    out: Annotated[
        Path, typer.Option(help="Folder for ledgers, tables and plots; resumed.")
    ] = Path("bound"),
    data_root: options.DataRoot = None,
) -> None:
    """Train a classifier of graphs depth by depth and compute all bounds."""
    from graphlab.benchmark.imports import add_import_folders
    from graphlab.errors import ArgumentError

    if format_ not in FORMATS:
        raise ArgumentError(
            f"--format must be one of {', '.join(FORMATS)}, got {format_!r}"
        )
    layers = depths_of(depths)
    given = {"epochs": epochs, "seeds": seeds, "hidden": hidden, "probes": probes}
    given = {name: value for name, value in given.items() if value is not None}
    chosen = (_QUICK if quick else _FULL) | given
    add_import_folders(Path.cwd())
    training = {
        "epochs": chosen["epochs"],
        "batch_size": batch_size,
        "lr": lr,
        "weight_decay": weight_decay,
        "loss": loss,
        "monitor": "last" if split == "random-90-10" else "val_loss",
    }
    limits = {"gamma": gamma, "delta": delta, "rounds": rounds}
    limits |= {"probes": chosen["probes"], "allow_violations": allow_violations}
    name, graphs = _load(dataset, data_root)
    task = _task(name, split, model, set_ or [], chosen["hidden"])(
        depths=layers,
        seeds=chosen["seeds"],
        training=training,
        patterns=tuple(options.names([patterns])),
        **limits,
    )
    _run(task, graphs, out, format_)


def depths_of(text: str) -> tuple[int, ...]:
    """``1-4`` or ``1,2,6``: whole numbers of at least 1, each once, rising.

    Raises:
        ArgumentError: It is something else.
    """
    from graphlab.errors import ArgumentError

    found: set[int] = set()
    for part in options.names([text]):
        ends = [end.strip() for end in part.split("-")]
        if len(ends) > 2 or not all(end.isdecimal() and int(end) > 0 for end in ends):
            raise ArgumentError(
                "--depths: must be numbers of at least 1 such as 1-4 or 1,2,6, got "
                f"{part!r}"
            )
        found.update(range(int(ends[0]), int(ends[-1]) + 1))
    if not found:
        raise ArgumentError(f"--depths: names no depth, got {text!r}")
    return tuple(sorted(found))


def _load(dataset: str, data_root: Path | None) -> "tuple[str, list[Data]]":
    """Name and graphs of a set that has one class per graph.

    Raises:
        ArgumentError: There is none of that name.
    """
    from graphlab.benchmark.toml_reader import nearest
    from graphlab.datasets import load_graphs
    from graphlab.datasets.graph_list_cards import (
        classification_names,
        classifies_graphs,
        find_graph_list,
    )
    from graphlab.datasets.molecule_cards import full_name
    from graphlab.errors import ArgumentError

    if Path(dataset).is_dir():
        from graphlab.datasets import load_tu_folder

        return Path(dataset).resolve().name, load_tu_folder(dataset)
    card = find_graph_list(dataset)
    if card is None or not classifies_graphs(card):
        hint = nearest(dataset, list(classification_names()))
        raise ArgumentError(
            f"--dataset: no set for graph classification is called {dataset!r}; {hint}"
        )
    name = card.name if card.loader == "tu" else full_name(card, dataset)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        graphs = load_graphs(name, data_root)
    for warning in caught:  # of molecules that were left out
        typer.echo(f"warning: {warning.message}", err=True)
    return name, graphs


def _task(
    dataset: str, split: str, text: str, shared: Sequence[str], hidden: int
) -> "Callable[..., BoundTask]":
    """A task without its limits: what is trained on what."""
    import inspect
    from functools import partial

    from graphlab.benchmark.bounds import BoundTask
    from graphlab.cli.model_options import models_of
    from graphlab.errors import ArgumentError

    (model,) = models_of([text], shared)
    if "num_layers" in model.arguments:
        raise ArgumentError(f"--model {model.name}: --depths sets num_layers")
    arguments = {"hidden_channels": hidden, **model.arguments}
    if "dropout" in inspect.signature(model.build).parameters:
        arguments.setdefault("dropout", 0.0)
    return partial(BoundTask, dataset, split, model.build, model.name, arguments)


def _run(task: "BoundTask", graphs: "list[Data]", out: Path, format_: str) -> None:
    from graphlab.benchmark.bounds import files, run_bounds
    from graphlab.datasets import graphs_checksum

    with progress_bar(_line) as listener:
        cells = run_bounds(task, graphs, graphs_checksum(graphs), out, listener)
    written = files.write_files(task, cells, out)
    if format_ != "terminal":
        make = {"json": files.as_json, "markdown": files.as_markdown}
        typer.echo(make.get(format_, files.as_latex)(task, cells), nl=False)
        return
    _print(task, cells)
    names = ", ".join(file.name for file in written)
    typer.echo(f"written to {out}: {names}")


def _line(text: str, done: int, total: int) -> str | None:
    """What is said of a finished part where there is no bar."""
    finished = text.endswith((" s", "there already"))
    return f"{done + 1}/{total} {text}" if finished else None


def _print(task: "BoundTask", cells: "list[BoundCell]") -> None:
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    from graphlab.benchmark.bounds import files, tables

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = _WIDTH
    if len(cells) == 1:
        color = console.is_terminal
        typer.echo(cells[0].ledger.to_terminal(color=color), nl=False)
        return
    console.print(Text(f"Generalization bounds: {task.title}", "bold"))
    console.print(files.about(task, cells), style="dim")
    for banner in tables.banners(cells):
        console.print(Text(f"! {banner}", "bold red"))
    console.print(_by_depth(task, cells))
    head, lines = tables.advice(cells)
    if lines:
        console.print(Text(f"\nTo tighten {head}", "bold"))
    for line in lines:
        console.print(Padding(line, (0, 0, 0, 2)))
    console.print(Text("\nSpearman's correlation with the gap, 95 % interval", "bold"))
    for grid in _correlations(cells):
        console.print(grid)
    if tables.caution(cells):
        console.print(tables.caution(cells), style="dim")
    for name, reason in tables.refusals(cells).items():
        console.print(f"not computed: {name}: {reason}", style="dim")


def _by_depth(task: "BoundTask", cells: "list[BoundCell]"):
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from graphlab.analysis.bounds.ledger_terminal import STYLES
    from graphlab.benchmark.bounds import files, tables

    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    grid.add_column("", overflow="fold")
    for depth in task.depths:
        grid.add_column(files.layers(depth), justify="right", no_wrap=True)
    grid.add_column("status")
    for row in tables.by_depth(cells):
        name = Text(("  + " if row.part else "") + row.name, "dim" if row.part else "")
        status = Text(row.status, STYLES.get(row.status, ""))
        grid.add_row(name, *row.means(), status)
    return grid


def _correlations(cells: "list[BoundCell]") -> list:
    """One table per group: over depths, and over all runs."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from graphlab.benchmark.bounds import tables

    found = tables.correlations(cells).rows
    grids = []
    for group in dict.fromkeys(row.group for row in found):
        rows = [row for row in found if row.group == group]
        gaps = list(dict.fromkeys(row.gap for row in rows))
        grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
        grid.add_column(f"over {group}", overflow="fold", min_width=32)
        for gap in gaps:
            words = f"{gap.replace('_', ' ')}, n = {rows[0].n}"
            grid.add_column(words, justify="right", no_wrap=True)
        for start in range(0, len(rows) // len(gaps)):
            row, *others = rows[start :: len(rows) // len(gaps)]
            name = row.measure.replace("_", " ")
            name = Text(f"trivial: {name}" if row.baseline else name)
            grid.add_row(name, *(tables.interval(each) for each in (row, *others)))
        grids.append(grid)
    return grids
