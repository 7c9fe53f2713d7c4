"""What ``graphlab data`` says of sets of molecules."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from graphlab.datasets import Card


def print_statistics(
    console: "Console", card: "Card", name: str, data_root: Path | None
) -> None:
    """What the graphs are like and what was left out, or which labels there are."""
    from graphlab.cli.graph_figures import print_graphs
    from graphlab.datasets import load_molecules
    from graphlab.datasets.molecules import label_columns

    with console.status("reading the molecules"):
        columns = label_columns(card.name, data_root)
    if len(columns) > 1:
        shown = ", ".join(f"{place} {title}" for place, title in enumerate(columns))
        text = f"\nlabel columns: {shown}"
        console.print(text, soft_wrap=True, markup=False)
    task = _task(card, name)
    if task is None:
        console.print(f"`graphlab data show {card.name}:0` measures those of column 0")
        return
    found = load_molecules(f"{card.name}:{task}", data_root)
    print_graphs(console, found.graphs)
    lines = [f"column:   {found.column}", f"sha256:   {found.sha256}"]
    lines += [f"warning:  {text}" for text in found.warnings]
    lines += [f"kept:     {text}" for text in found.remarks]
    for line in lines:
        console.print(line, soft_wrap=True, markup=False)


def verify(card: "Card", name: str, data_root: Path | None) -> str:
    """Read the file, whose hash is compared with that of the first one read."""
    from rich.markup import escape

    from graphlab.datasets import load_molecules

    task = _task(card, name) or "0"
    found = load_molecules(f"{card.name}:{task}", data_root)
    nodes = sum(graph.num_nodes for graph in found.graphs)
    edges = sum(graph.num_edges for graph in found.graphs)
    parts = [
        f"{len(found.graphs):,} graphs, {nodes:,} nodes, {edges:,} edges with a label "
        f"{found.column!r}",
        "no published hash known",
        f"the file first read here, sha256 {found.sha256}",
        *found.warnings,
    ]
    return escape("; ".join(parts))


def fetch(card: "Card", name: str) -> str:
    """Download what is not there."""
    from graphlab.datasets import molecule_files as files

    _task(card, name)  # a label column that does not exist should not cost a download
    path = files.find_file(card)
    where = path.parent if path else files.fetch(card)
    return f"in {where}; its hash is recorded when it is first read"


def _task(card: "Card", name: str) -> str | None:
    """The label column, or None where one has to be named and is not."""
    from graphlab.datasets.molecule_cards import DEFAULT_TASKS, TASKS, chosen_task

    named = ":" in name or TASKS[card.name] == 1 or card.name in DEFAULT_TASKS
    return chosen_task(card, name) if named else None
