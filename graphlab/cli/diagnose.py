"""``graphlab diagnose``: what depth does to a model's states and gradients."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graphlab.cli import options
from graphlab.cli.progress_bar import progress_bar

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn
    from torch_geometric.data import Data

    from graphlab.analysis import Diagnosis

_FILE = "diagnose"
#: Column of the summary -> heading in the terminal.
_SHOWN = {
    "gradient_norm": "gradient",
    "gradient_relative_distance_to_constant": "const",
    "gradient_relative_distance_to_degree_subspace": "degree",
    "norm": "norm",
    "dirichlet_energy": "energy",
    "mean_cosine_similarity": "cosine",
    "log10_lipschitz_product": "lg Lip",
}


def diagnose(
    model: Annotated[
        list[str],
        typer.Option(
            metavar="[NAME=]PATH[,KEY=VALUE...]",
            help="A class as package.module:Class, a bare name is one of graphlab.nn; "
            "repeat for several.",
        ),
    ],
    dataset: Annotated[
        str, typer.Option(help="A name that `graphlab data list` prints.")
    ] = "wordnet-verbs",
    depths: Annotated[
        str, typer.Option(help="Numbers of layers, with commas.")
    ] = "2,8,32,128",
    hidden: Annotated[int, typer.Option(min=1, help="hidden_channels.")] = 64,
    epochs: Annotated[
        str,
        typer.Option(help="Measure after these numbers of training epochs, commas."),
    ] = "0",
    lr: Annotated[float, typer.Option(help="Learning rate of the training.")] = 0.01,
    weight_decay: Annotated[
        float, typer.Option(help="Weight decay of the training.")
    ] = 5e-4,
    seed: Annotated[int, typer.Option(help="Seed of weights and dropout.")] = 0,
    split: Annotated[
        str | None, typer.Option(help="Name of a split; its first one is used.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="An argument of all models, e.g. bias=0."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for CSV and plot.")] = Path(
        "diagnose"
    ),
    data_root: options.DataRoot = None,
) -> None:
    """Measure states and gradients of models by depth; write CSV and a plot."""
    from graphlab.benchmark.imports import add_import_folders
    from graphlab.benchmark.store import prepare
    from graphlab.cli.model_options import models_of

    sizes = _whole_numbers("--depths", depths, 1)
    stages = _whole_numbers("--epochs", epochs, 0)
    add_import_folders(Path.cwd())
    chosen = models_of(model, set_ or [])
    prepare(out, "--out")
    data, split = _load(dataset, split, data_root)
    channels = {
        "in_channels": data.x.size(1),
        "hidden_channels": hidden,
        "out_channels": data.num_classes,
    }
    makers = {each.name: each.maker(channels) for each in chosen}
    from graphlab import analysis

    with progress_bar(_line) as progress:
        found = analysis.diagnose(
            makers,
            data,
            sizes,
            stages,
            seed,
            trainer=_trainer(data, lr, weight_decay),
            progress=progress,
        )
    where = f"{data.name}, split {split}, seed {seed}, {hidden} hidden channels"
    _print_table(found.summary(), where)
    files = _write(found, where, out, dataset=data.name, split=split, hidden=hidden)
    typer.echo("written: " + ", ".join(map(str, files)))


def _whole_numbers(option: str, text: str, least: int) -> list[int]:
    from graphlab.errors import ArgumentError

    numbers = []
    for part in options.names([text]):
        if not part.isdecimal() or int(part) < least:
            problem = f"must be whole numbers of at least {least} with commas between"
            raise ArgumentError(f"{option}: {problem}, got {part!r}")
        numbers.append(int(part))
    if not numbers:
        raise ArgumentError(f"{option}: must name at least one number")
    return numbers


def _load(name: str, split: str | None, data_root: Path | None) -> "tuple[Data, str]":
    """The graph with the training nodes of a split: one published for it, if any."""
    from graphlab.datasets import dataset_card, load_dataset, load_splits

    card = dataset_card(name)
    data = load_dataset(name, data_root)
    split = split or (card.splits[0] if card.splits else "stratified-60-20-20")
    data.train_mask = load_splits(split, data, runs=1, data_root=data_root)[
        0
    ].train_mask
    data.name = card.name
    return data, split


def _trainer(data: "Data", lr: float, weight_decay: float) -> Callable:
    """Adam on the cross entropy of the training nodes, with dropout, nothing else."""
    import torch
    import torch.nn.functional as F

    def trainer(model: "nn.Module") -> Callable[[int], None]:
        optimizer = torch.optim.Adam(
            model.parameters(), lr=lr, weight_decay=weight_decay
        )

        def advance(epochs: int) -> None:
            model.train()
            for _ in range(epochs):
                optimizer.zero_grad()
                scores = model(data.x, data.edge_index)[data.train_mask]
                F.cross_entropy(scores, data.y[data.train_mask]).backward()
                optimizer.step()

        return advance

    return trainer


def _line(text: str, done: int, total: int) -> str:
    return f"{done + 1}/{total} {text}"


def _print_table(summary: "pd.DataFrame", where: str) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    trained = summary["epoch"].max() > 0
    table = Table(box=None, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column("model", overflow="fold")
    keys = ("depth", "epoch") if trained else ("depth",)
    for column in (*keys, *_SHOWN.values()):
        table.add_column(column, justify="right", no_wrap=True)
    before = None
    for row in summary.to_dict("records"):
        name = "" if row["model"] == before else escape(row["model"])
        before = row["model"]
        numbers = [_number(row[column]) for column in _SHOWN]
        table.add_row(name, *(str(row[key]) for key in keys), *numbers)
    console = Console(highlight=False)
    console.print(escape(where), soft_wrap=True)
    console.print(table)
    console.print(
        "gradient of the loss at the first layer, and its shares off the constant and "
        "off\nthe degree directions; norm, Dirichlet energy and mean cosine similarity "
        "of what\nenters the last layer; lg Lip: log10 of the product of Lipschitz "
        "bounds",
        style="dim",
        soft_wrap=True,
    )


def _number(value: float) -> str:
    """About two digits; infinite and undefined values by name."""
    if value != value:
        return "NaN"
    if abs(value) == float("inf"):
        return "inf" if value > 0 else "-inf"
    return f"{value:.0f}" if 100 <= abs(value) < 1e5 else f"{value:.2g}"


def _write(found: "Diagnosis", where: str, out: Path, **constants) -> list[Path]:
    from graphlab.analysis import save_depth_plot

    frame = found.to_dataframe()
    for place, (name, value) in enumerate((constants | {"seed": found.seed}).items()):
        frame.insert(place, name, value)
    csv = out / f"{_FILE}.csv"
    # Without "NaN" pandas would leave the cell empty, as if nothing was measured.
    frame.to_csv(csv, index=False, na_rep="NaN")
    files, summary = [csv], found.summary()
    stages = sorted(set(summary["epoch"]))
    for epoch in stages:
        name = _FILE if len(stages) == 1 else f"{_FILE}-epoch-{epoch}"
        when = "at initialization" if epoch == 0 else f"after {epoch} epochs"
        part = summary[summary["epoch"] == epoch]
        files += save_depth_plot(part, out / name, f"{where}, {when}")
    return files
