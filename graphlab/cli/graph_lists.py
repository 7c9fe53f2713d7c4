"""What ``graphlab data`` says of lists of graphs."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from graphlab.datasets import Card

ABSENT = "to unpack"  # where `graphlab data fetch` cannot do it
MISSING = (ABSENT, "to fetch")


def is_list(card: "Card") -> bool:
    """Whether a card is that of a list of graphs."""
    from graphlab.datasets.graph_list_cards import find_graph_list

    return find_graph_list(card.name) is card


def whereabouts(card: "Card", data_root: Path | None) -> str:
    """Where a list would be read from; nothing is fetched."""
    from graphlab.datasets import molecule_files, raw

    if card.loader == "MoleculeNet":
        return molecule_files.whereabouts(card, data_root)
    where = raw.whereabouts(card, data_root)
    return ABSENT if where == "to fetch" else where


def print_list(console: "Console", data_root: Path | None) -> None:
    """A table of all lists."""
    from rich.table import Table

    from graphlab.cli.data_figures import figures
    from graphlab.datasets import graph_list_card, graph_list_names

    table = Table(box=None, header_style="bold")
    table.add_column("list of graphs", no_wrap=True)
    for column in ("graphs", "nodes", "edges", "features", "classes"):
        table.add_column(column, justify="right")
    table.add_column("where")
    for name in graph_list_names():
        card = graph_list_card(name)
        where = whereabouts(card, data_root)
        style = "dim" if where in MISSING else None
        table.add_row(name, f"{card.graphs:,}", *figures(card)[:-1], where, style=style)
    console.print(table)


def print_statistics(
    console: "Console", card: "Card", name: str, data_root: Path | None
) -> None:
    """What the graphs are like, read now.

    Args:
        console: Where to print.
        card: The card of the list.
        name: Its name as given, which may hold a label column.
        data_root: Folder of raw files.
    """
    from graphlab.cli import molecules
    from graphlab.cli.graph_figures import print_graphs
    from graphlab.datasets import load_graphs

    if card.loader == "MoleculeNet":
        molecules.print_statistics(console, card, name, data_root)
        return
    seed = " (of seed 0)" if card.name == "communities" else ""
    print_graphs(console, load_graphs(card.name, data_root), seed)


def verify(card: "Card", name: str, data_root: Path | None) -> str:
    """Read the graphs, which compares them with their card."""
    from graphlab.cli import molecules
    from graphlab.datasets import load_graphs

    if card.loader == "MoleculeNet":
        return molecules.verify(card, name, data_root)
    graphs = load_graphs(card.name, data_root)
    nodes = sum(graph.num_nodes for graph in graphs)
    edges = sum(graph.num_edges for graph in graphs)
    which = f"{len(graphs):,} graphs, " if len(graphs) > 1 else ""
    known = "as on the card; no hash known" if card.raw else "(made now)"
    return f"{which}{nodes:,} nodes, {edges:,} edges {known}"
