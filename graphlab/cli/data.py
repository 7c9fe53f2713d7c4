"""``graphlab data``: which datasets there are, what they hold, are they sound."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from graphlab.datasets import Card

app = typer.Typer(
    help="Datasets: list, show, fetch, verify.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

DataRoot = Annotated[
    Path | None,
    typer.Option(
        help="Folder of raw files, <PyG class>/<name>/raw/... (else GRAPHLAB_DATA)."
    ),
]
Name = Annotated[str, typer.Argument(help="A name that `graphlab data list` prints.")]
Names = Annotated[list[str], typer.Argument(help="Names of datasets.")]


@app.command("list")
def list_datasets(data_root: DataRoot = None) -> None:
    """List the datasets and where each would be read from."""
    from rich.console import Console
    from rich.table import Table

    from graphlab.cli import graph_lists
    from graphlab.cli.data_figures import figures
    from graphlab.datasets import dataset_card, dataset_names
    from graphlab.datasets.raw import whereabouts

    table = Table(box=None, header_style="bold")
    table.add_column("name", no_wrap=True)
    for column in ("nodes", "edges", "features", "classes", "homophily"):
        table.add_column(column, justify="right")
    table.add_column("where")
    for name in dataset_names():
        card = dataset_card(name)
        where = whereabouts(card, data_root)
        style = "dim" if where == "to fetch" else None
        table.add_row(name, *figures(card), where, style=style)
    console = Console()
    console.print(table)
    console.print()
    graph_lists.print_list(console, data_root)
    console.print()
    console.print(
        "edges: directed entries as returned. homophily: share of them within a class."
        "\nFigures of a list are sums over its graphs; files to unpack are so by hand."
        "\n`graphlab data show NAME` tells more, `graphlab data fetch NAME` downloads."
    )


@app.command()
def show(
    name: Name,
    data_root: DataRoot = None,
    split: Annotated[
        str | None, typer.Option(help="Only this split, with each of its runs.")
    ] = None,
) -> None:
    """Print a dataset's card, its statistics, and what its splits look like."""
    from rich.console import Console

    from graphlab.cli import graph_lists
    from graphlab.datasets.raw import whereabouts

    console = Console(highlight=False)
    card = _card(name)
    if graph_lists.is_list(card):
        where = graph_lists.whereabouts(card, data_root)
        _print_card(console, card, where)
        if where not in graph_lists.MISSING:
            graph_lists.print_statistics(console, card, name, data_root)
        return
    where = whereabouts(card, data_root)
    _print_card(console, card, where)
    if where == "to fetch":
        console.print(
            f"\nNot on this machine, so no statistics: graphlab data fetch {card.name}"
        )
        return
    from graphlab.datasets import load_dataset

    data = load_dataset(name, data_root)
    _print_statistics(console, data)
    _print_splits(console, card, data, data_root, split)


@app.command()
def fetch(names: Names) -> None:
    """Download raw files into the cache and check them."""
    for name in names:  # a misspelt last name should not cost a download first
        _card(name)
    _each(names, _fetch_one)


@app.command()
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names; default: all that are here.")
    ] = None,
    data_root: DataRoot = None,
) -> None:
    """Check raw files against known hashes, and graphs against their cards."""
    from graphlab.datasets import dataset_card, dataset_names
    from graphlab.datasets.raw import whereabouts

    chosen = names or [
        name
        for name in dataset_names()
        if whereabouts(dataset_card(name), data_root) != "to fetch"
    ]
    for name in chosen:
        _card(name)
    _each(chosen, lambda name: _verify_one(name, data_root))


def _each(names: list[str], action) -> None:
    """Run an action for each name; report failures at their place, fail at the end."""
    from rich.console import Console
    from rich.markup import escape

    from graphlab.errors import GraphlabError

    console, failed = Console(highlight=False, soft_wrap=True), 0
    for name in names:
        try:
            with console.status(escape(name)):
                result = action(name)
            console.print(f"[green]ok[/green]      {escape(name)}: {result}")
        except GraphlabError as error:
            failed += 1
            console.print(f"[red]failed[/red]  {escape(str(error))}")
    if failed:
        raise typer.Exit(2)


def _card(name: str) -> "Card":
    """The card of a dataset or of a list of graphs."""
    from graphlab.datasets import dataset_card, graph_list_names
    from graphlab.datasets.graph_list_cards import find_graph_list
    from graphlab.errors import DatasetError

    try:
        return find_graph_list(name) or dataset_card(name)
    except DatasetError as error:
        lists = ", ".join(graph_list_names())
        raise DatasetError(f"{error}; lists of graphs: {lists}") from None


def _fetch_one(name: str) -> str:
    from graphlab.cli import graph_lists, molecules
    from graphlab.datasets import load_dataset, load_graphs
    from graphlab.datasets.raw import raw_folder

    card = _card(name)
    if card.loader == "MoleculeNet":
        return molecules.fetch(card, name)
    if card.raw and graph_lists.is_list(card):
        load_graphs(name)  # says where to unpack what, if it is not there
        return "at hand"
    if not card.raw:
        return "built in, nothing to fetch"
    folder = raw_folder(card, card.files + card.split_files)
    if card.loader != "ogb":  # reading those takes minutes and gigabytes
        load_dataset(name)
    return f"in {folder}"


def _verify_one(name: str, data_root: Path | None) -> str:
    from graphlab.cli import graph_lists
    from graphlab.datasets import load_dataset
    from graphlab.datasets.raw import whereabouts
    from graphlab.errors import DatasetError

    card = _card(name)
    if graph_lists.is_list(card):
        return graph_lists.verify(card, name, data_root)
    if whereabouts(card, data_root) == "to fetch":
        raise DatasetError(
            f"{card.name} is not on this machine: graphlab data fetch {card.name}"
        )
    data = load_dataset(name, data_root)
    notes = [f"{data.num_nodes:,} nodes, {data.num_edges:,} edges as on the card"]
    if card.raw:
        notes.append(_check_files(card, data_root))
    if card.checksum is None:
        notes.append("content was never measured")
    elif card.checksum == data.checksum:
        notes.append("content equals the measured copy")
    else:
        notes.append("[yellow]content differs from the measured copy[/yellow]")
    return "; ".join(notes)


def _check_files(card: "Card", data_root: Path | None) -> str:
    from graphlab.datasets.raw import check_hash, find_raw, known_hashes

    files = card.files + card.split_files
    folder = find_raw(card, files, data_root) or find_raw(
        card, card.required, data_root
    )
    if folder is None:  # an unpacked OGB folder
        return "no hash known"
    present = [file for file in files if (folder / file).is_file()]
    for file in present:
        check_hash(card, folder / file)
    known = sum(f"{card.raw}/{file}" in known_hashes() for file in present)
    return f"hash known and equal for {known} of {len(present)} raw files"


def _print_card(console, card: "Card", where: str) -> None:
    from rich.markup import escape
    from rich.table import Table

    from graphlab.cli.data_figures import figures
    from graphlab.cli.graph_lists import is_list
    from graphlab.datasets.graph_list_cards import archive_urls

    console.print(f"[bold]{card.name}[/bold]")
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    if card.graphs > 1:
        grid.add_row("graphs", f"{card.graphs:,}, figures are sums over them")
    labels = ("nodes", "edges", "features", "classes", "homophily")
    for label, figure in zip(labels, figures(card), strict=True):
        grid.add_row(label, figure)
    if card.raw_edges is not None:
        grid.add_row("raw edges", f"{card.raw_edges:,} before symmetrising")
    grid.add_row("variant", escape(card.variant))
    grid.add_row("licence", escape(card.licence))
    grid.add_row("where", where)
    if card.files:
        archives = archive_urls(card) if is_list(card) else ()
        sources = archives or (card.file_url(card.files[0]),)
        grid.add_row("source", escape("\n".join(sources)))
    for warning in card.warnings:
        grid.add_row("[yellow]warning[/yellow]", escape(warning))
    console.print(grid)


def _print_statistics(console, data: "Data") -> None:
    import torch

    source, target = data.edge_index
    degree = torch.bincount(data.edge_index.view(-1), minlength=data.num_nodes)
    same = (data.y[source] == data.y[target]).double().mean()
    counts = torch.bincount(data.y, minlength=data.num_classes).tolist()
    console.print(
        f"\nmeasured: {data.num_nodes:,} nodes, {data.num_edges:,} edges "
        f"({int((source == target).sum()):,} self-loops), "
        f"{int((degree == 0).sum()):,} isolated nodes, homophily {same:.4f}"
        f"\nclasses:  {_slashes(counts)}\nchecksum: {data.checksum}",
        soft_wrap=True,
    )


def _print_splits(console, card, data, data_root, only: str | None) -> None:
    from graphlab.datasets import load_splits
    from graphlab.datasets.split_summary import summarize_splits
    from graphlab.datasets.splits import split_names
    from graphlab.errors import DatasetError, SplitError

    for name in [only] if only else split_names(card):
        try:
            splits = load_splits(name, data, data_root=data_root)
        except (DatasetError, SplitError) as error:
            if only:
                raise
            console.print(f"\n[bold]{name}[/bold]: {str(error).splitlines()[0]}")
            continue
        shown = splits if only else splits[:1]
        _print_family(console, summarize_splits(splits, data), shown, data)


def _print_family(console, summary, shown, data) -> None:
    from rich.table import Table

    from graphlab.datasets.split_summary import summarize_splits

    first = "" if len(shown) == summary.runs else ", the first shown"
    console.print(f"\n[bold]{summary.name}[/bold] ({summary.runs} splits{first})")
    table = Table(box=None, header_style="dim")
    for column in ("seed", "part", "nodes", "share", "class counts"):
        right = column in ("nodes", "share")
        table.add_column(column, justify="right" if right else "left")
    for split in shown:
        counts = summarize_splits([split], data).counts
        for part, row in zip(("train", "val", "test"), counts, strict=True):
            seed = "" if split.seed is None or part != "train" else str(split.seed)
            share = f"{sum(row) / data.num_nodes:.1%}"
            table.add_row(seed, part, f"{sum(row):,}", share, _slashes(row))
    console.print(table)
    mean = sum(summary.majority) / summary.runs
    low, high = min(summary.majority), max(summary.majority)
    console.print(
        f"constant majority on test: {mean:.2%} (from {low:.1%} to {high:.1%})"
    )
    for warning in summary.warnings:
        console.print(f"[yellow]warning[/yellow]  {warning}")


def _slashes(counts: list[int]) -> str:
    return "/".join(map(str, counts))
