"""From a table of SMILES to atoms and bonds, by PyG's ``from_smiles`` with rdkit."""

import csv
import io
import math
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.datasets import MoleculeNet
from torch_geometric.utils import from_smiles

from graphlab.datasets.cards import Card
from graphlab.datasets.molecule_cards import TASKS
from graphlab.errors import DatasetError

_SMILES = ("smiles", "mol")  # what the column is called in the published files


class MoleculeTable(NamedTuple):
    """What a file says.

    Args:
        columns: Titles of the label columns.
        lines: Line of each molecule in the file.
        smiles: SMILES of each molecule.
        labels: 0, 1 or nothing, ``[G, T]``, NaN for nothing.
    """

    columns: list[str]
    lines: list[int]
    smiles: list[str]
    labels: Tensor


def rdkit_version() -> str:
    """The version of rdkit.

    Raises:
        DatasetError: If it is not installed.
    """
    try:
        from rdkit import rdBase
    except ImportError as error:
        raise DatasetError(
            "molecules are read with rdkit, which the extra 'molecules' installs\n"
            "install it with: pip install 'graphlab-pyg[molecules]'"
        ) from error
    return rdBase.rdkitVersion


def read_table(card: Card, text: str) -> MoleculeTable:
    """The rows of a table, its columns where PyG's ``MoleculeNet`` takes them.

    Unlike PyG's own reader this one heeds the rules of quotes, and does not lose a last
    line without an end.

    Raises:
        ValueError: If the table is not that of the set.
    """
    _, _, _, smiles_at, labels_at = MoleculeNet.names[card.name.lower()]
    rows = csv.reader(io.StringIO(text, newline=""))
    try:
        header = next(rows, [])
        title = header[smiles_at] if header else ""
        columns = _fields(header, labels_at)
        if title.lower() not in _SMILES or len(columns) != TASKS[card.name]:
            raise IndexError
    except IndexError:
        raise ValueError(
            f"the header is not that of {card.name} in MoleculeNet, which has SMILES "
            f"and {TASKS[card.name]} label columns"
        ) from None
    lines, smiles, labels = [], [], []
    try:
        for row in rows:
            if not row:
                continue
            if len(row) != len(header):
                raise ValueError(f"{len(row)} fields, but {len(header)} titles")
            labels.append([_label(field) for field in _fields(row, labels_at)])
            smiles.append(row[smiles_at].strip())
            lines.append(rows.line_num)
    except (csv.Error, ValueError) as error:
        raise ValueError(f"line {rows.line_num}: {error}") from error
    if not smiles:
        raise ValueError("it holds no molecule")
    return MoleculeTable(columns, lines, smiles, torch.tensor(labels))


def read_molecules(table: MoleculeTable) -> dict[str, Any]:
    """Atoms and bonds of all molecules side by side, in a form that can be kept.

    Returns:
        ``codes`` (categories of each atom, ``[N, 9]``), ``edge_index`` (numbered within
        each graph), ``num_nodes`` and ``num_edges`` of each graph, ``labels``,
        ``smiles``, ``columns``, ``rows``, and in ``dropped`` what could not be made a
        graph, in words.
    """
    graphs, kept, dropped = [], [], []
    for place, smiles in enumerate(table.smiles):
        try:
            graph = from_smiles(smiles)
            reason = "cannot be parsed" if smiles else "is empty"
        except (ValueError, RuntimeError) as error:  # a charge that PyG has no code for
            graph, reason = Data(num_nodes=0), f"has no code in PyG ({error})"
        if graph.num_nodes:
            graphs.append(graph)
            kept.append(place)
        else:
            dropped.append(f"line {table.lines[place]}, {smiles!r}, {reason}")
    if not graphs:
        raise ValueError(f"no SMILES of it can be read: {dropped[0]}")
    return {
        "codes": torch.cat([graph.x for graph in graphs]).to(torch.uint8),
        "edge_index": torch.cat([graph.edge_index for graph in graphs], 1).int(),
        "num_nodes": torch.tensor([graph.num_nodes for graph in graphs]),
        "num_edges": torch.tensor([graph.num_edges for graph in graphs]),
        "labels": table.labels[kept],
        "smiles": [table.smiles[place] for place in kept],
        "columns": list(table.columns),
        "rows": len(table.smiles),
        "dropped": dropped,
    }


def _fields(row: list[str], places: int | slice) -> list[str]:
    return row[places] if isinstance(places, slice) else [row[places]]


def _label(text: str) -> float:
    value = float(text) if text.strip() else math.nan
    if value not in (0, 1) and not math.isnan(value):
        raise ValueError(f"a label must be 0, 1 or empty, got {text!r}")
    return value
