"""``load_molecules``: from a name of MoleculeNet to graphs and what was left out."""

from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch_geometric
from torch import Tensor
from torch_geometric.data import Data

from graphlab.datasets import molecule_files as files
from graphlab.datasets.cache import write_atomic
from graphlab.datasets.cards import Card
from graphlab.datasets.graph_list_cards import graph_list_card
from graphlab.datasets.molecule_cards import TASKS, chosen_task, full_name
from graphlab.datasets.molecule_reader import (
    rdkit_version,
    read_molecules,
    read_table,
)
from graphlab.datasets.raw import processed_path
from graphlab.errors import ArgumentError, DatasetError

FEATURES = ("one-hot", "codes")
_SHOWN = 3  # dropped molecules that are named


class Molecules(NamedTuple):
    """What :func:`load_molecules` returns.

    Args:
        graphs: The graphs, in the order of the file.
        column: Title of the label column.
        warnings: What was left out and why, in words, and whether the file has another
            number of rows than PyG's documentation says.
        remarks: What was kept but is worth knowing.
        sha256: Hash of the unpacked file.
    """

    graphs: list[Data]
    column: str
    warnings: tuple[str, ...]
    remarks: tuple[str, ...]
    sha256: str


def load_molecules(
    name: str, data_root: str | Path | None = None, *, features: str = "one-hot"
) -> Molecules:
    """Load a set of `MoleculeNet <https://arxiv.org/abs/1703.00564>`_ for one label.

    Atoms and bonds are those of PyG's ``from_smiles``, graph for graph, which takes
    rdkit (the extra ``molecules``); a salt is one graph of several components, and an
    atom alone is a graph without edges. Left out, and said so, are molecules that
    cannot be parsed and those without the label. A second load reads the cache.

    Args:
        name: ``"BACE"``, ``"BBBP"``, ``"HIV"``, or one of several label columns by
            number from 0 or by title: ``"SIDER:21"``, ``"Tox21:NR-AR"``. ``"SIDER"``
            alone is ``"SIDER:21"``.
        data_root: Folder with ``MoleculeNet/<name>/raw/<file>.csv``, or ``.csv.gz``,
            as PyG lays it out; else the one that ``GRAPHLAB_DATA`` names. It is only
            read, and nothing is fetched.
        features: ``"one-hot"`` for the nine categories of an atom, each one-hot (177
            columns); ``"codes"`` for their numbers as PyG gives them (9 columns), in
            which chlorine is 17 and bromine 35.

    Raises:
        DatasetError: If the name is unknown, rdkit or the file is missing, or the file
            cannot be read or is not the one first read.
        ArgumentError: If ``features`` is neither.

    Example:
        >>> found = load_molecules("SIDER:21")       # doctest: +SKIP
        >>> found.column, found.warnings             # doctest: +SKIP
        >>> found.graphs[0].smiles                   # doctest: +SKIP
    """
    if features not in FEATURES:
        raise ArgumentError(f"features must be one of {', '.join(FEATURES)}")
    card = _card(name)
    task = chosen_task(card, name)
    content, digest = _content(card, _path(card, data_root))
    place = _place(card, content["columns"], task)
    graphs = _graphs(content, place, features, full_name(card, name))
    if not graphs:
        raise DatasetError(f"{card.name}: no molecule has the label {task}")
    column = content["columns"][place]
    warnings = _warnings(card, content, len(graphs), column)
    return Molecules(graphs, column, warnings, _remarks(graphs), digest)


def label_columns(name: str, data_root: str | Path | None = None) -> tuple[str, ...]:
    """The titles of the label columns of a set, in their order.

    Raises:
        DatasetError: As :func:`load_molecules` does.
    """
    card = _card(name)
    return tuple(_content(card, _path(card, data_root))[0]["columns"])


def _card(name: str) -> Card:
    card = graph_list_card(name)
    if card.loader != "MoleculeNet":
        raise DatasetError(
            f"{card.name} is no set of molecules\naccepted: {', '.join(TASKS)}"
        )
    return card


def _path(card: Card, data_root: str | Path | None) -> Path:
    path = files.find_file(card, data_root)
    if path is None:
        raise files.missing(card)
    return path


def _content(card: Card, path: Path) -> tuple[dict[str, Any], str]:
    """What :func:`read_molecules` made of the file, now or at an earlier time."""
    text, digest = files.read_content(card, path)
    processed = processed_path(card, f"{digest} rdkit {rdkit_version()}")
    content = _kept(processed)
    if content is None:
        try:
            content = read_molecules(read_table(card, text))
        except ValueError as error:
            raise files.unreadable(card, path, error) from error
        write_atomic(processed, lambda target: torch.save(content, target))
    files.record(card, digest)
    return content, digest


def _kept(path: Path) -> dict[str, Any] | None:
    try:
        content = torch.load(path, weights_only=True)
        _check_sizes(content)
        return content
    except Exception:  # a damaged cache file is rebuilt, never an error
        return None


def _check_sizes(content: dict[str, Any]) -> None:
    sizes, counts = content["num_nodes"], content["num_edges"]
    whole = (
        len(content["codes"]) == int(sizes.sum())
        and content["edge_index"].size(1) == int(counts.sum())
        and len(sizes) == len(content["labels"]) == len(content["smiles"])
        and content["labels"].size(1) == len(content["columns"])
        and content["rows"] == len(sizes) + len(content["dropped"])
    )
    if not whole:
        raise ValueError("damaged")


def _place(card: Card, columns: list[str], task: str) -> int:
    """The number of a label column that is given by number or title."""
    if task.isdecimal():
        return int(task)
    titles = [title.strip().lower() for title in columns]
    if task.lower() not in titles:
        shown = ", ".join(columns[:30]) + (", ..." if len(columns) > 30 else "")
        raise DatasetError(
            f"{card.name} has no label column {task!r}\naccepted: 0 to "
            f"{len(columns) - 1}, {shown}"
        )
    return titles.index(task.lower())


def _graphs(content: dict, place: int, features: str, name: str) -> list[Data]:
    """One ``Data`` per molecule that has the label."""
    codes = content["codes"].long().split(content["num_nodes"].tolist())
    edges = content["edge_index"].long().split(content["num_edges"].tolist(), dim=1)
    make = one_hot if features == "one-hot" else Tensor.float
    return [
        Data(
            x=make(code),
            edge_index=edge.clone(),  # or each graph would keep all others alive
            y=torch.tensor([int(label)]),
            smiles=smiles,
            name=name,
        )
        for code, edge, label, smiles in zip(
            *(codes, edges, content["labels"][:, place].tolist(), content["smiles"]),
            strict=True,
        )
        if label == label
    ]


def one_hot(codes: Tensor) -> Tensor:
    """Categories of atoms, each one-hot, side by side.

    Behind a linear layer that is a sum of embeddings, one of each category.

    Args:
        codes: Columns of PyG's ``from_smiles``, int64 ``[N, 9]``.
    """
    sizes = [len(values) for values in torch_geometric.utils.smiles.x_map.values()]
    first = torch.tensor([0, *sizes[:-1]]).cumsum(0)
    return torch.zeros(len(codes), sum(sizes)).scatter_(1, codes + first, 1.0)


def _warnings(card: Card, content: dict, num_graphs: int, column: str) -> tuple:
    found, dropped = [], content["dropped"]
    if dropped:
        more = f"; and {len(dropped) - _SHOWN} more" if len(dropped) > _SHOWN else ""
        shown = "; ".join(dropped[:_SHOWN])
        rows = f"{len(dropped)} of {content['rows']} rows"
        found.append(f"{rows} left out: {shown}{more}")
    unlabelled = len(content["smiles"]) - num_graphs
    if unlabelled:
        found.append(f"{unlabelled} molecules without a label {column!r} left out")
    if content["rows"] != card.graphs:
        found.append(
            f"{content['rows']:,} rows in the file, {card.graphs:,} in PyG's "
            "documentation"
        )
    return tuple(found)


def _remarks(graphs: list[Data]) -> tuple[str, ...]:
    alone = sum(graph.num_edges == 0 for graph in graphs)
    again = len(graphs) - len({graph.smiles for graph in graphs})
    counts = {"have no bond": alone, "repeat the SMILES of another": again}
    return tuple(f"{n} graphs {what}" for what, n in counts.items() if n)
