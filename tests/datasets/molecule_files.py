"""Made-up files of MoleculeNet: the columns of the published ones, other molecules."""

import csv
import gzip
import io

from torch_geometric.datasets import MoleculeNet

SMILES = ["CCO", "c1ccccc1", "CC(=O)[O-].[Na+]", "C", "C[N+](C)(C)C", "CC(C)=O"]
SMILES += ["N#N", "C1CCCCC1", "ClC=CBr", "OC(=O)c1ccccc1O", "C1CC", "CCO"]
LAYOUTS = {
    "BACE": ("mol", "CID", "Class", "Model", "pIC50"),
    "BBBP": ("num", "name", "p_np", "smiles"),
    "HIV": ("smiles", "activity", "HIV_active"),
    "ClinTox": ("smiles", "FDA_APPROVED", "CT_TOX"),
    "SIDER": ("smiles", *(f"disorder {place}" for place in range(27))),
    "Tox21": (*(f"NR-{place}" for place in range(12)), "mol_id", "smiles"),
    "ToxCast": ("smiles", *(f"assay {place}" for place in range(617))),
}


def label(row, column):
    """A label that differs from column to column."""
    return (row + column) % 2 if column % 3 else row % 3 // 2


def table_of(name, smiles=SMILES, labels=label, end="\n"):
    """The text of such a file; ``labels(row, column)`` may be "" for none."""
    _, _, _, smiles_at, labels_at = MoleculeNet.names[name.lower()]
    header = LAYOUTS[name]
    places = list(range(len(header)))[labels_at]
    places = places if isinstance(places, list) else [places]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    for row, text in enumerate(smiles):
        fields = [f"x{row}, y"] * len(header)
        for column, place in enumerate(places):
            fields[place] = labels(row, column)
        fields[smiles_at] = text
        writer.writerow(fields)
    return stream.getvalue().removesuffix("\n") + end


def write_molecules(root, name, text=None, packed=False, **content):
    """Lay such a file where PyG does, below ``root``."""
    text = table_of(name, **content) if text is None else text
    folder = root / "MoleculeNet" / name.lower() / "raw"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{MoleculeNet.names[name.lower()][2]}.csv"
    if packed:
        file = file.with_name(f"{file.name}.gz")
    file.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    return file
