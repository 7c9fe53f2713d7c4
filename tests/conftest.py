"""Shared fixtures: real data is opt-in, everything else needs no network."""

import csv
import gzip
import io
import os
from pathlib import Path

import pytest
import torch

# The graphs of the tests are tiny: a second thread costs more than it gives.
torch.set_num_threads(1)

#: Molecules in the place of MoleculeNet's: a salt, an atom alone, charges, one that
#: cannot be parsed, and one twice.
SMILES = ("CCO", "c1ccccc1", "CC(=O)[O-].[Na+]", "C", "C[N+](C)(C)C", "CC(C)=O")
SMILES += ("N#N", "C1CCCCC1", "ClC=CBr", "OC(=O)c1ccccc1O", "C1CC", "CCO")
#: Titles of the columns of its files.
TITLES = {
    "BACE": ("mol", "CID", "Class", "Model", "pIC50"),
    "BBBP": ("num", "name", "p_np", "smiles"),
    "HIV": ("smiles", "activity", "HIV_active"),
    "ClinTox": ("smiles", "FDA_APPROVED", "CT_TOX"),
    "SIDER": ("smiles", *(f"disorder {place}" for place in range(27))),
    "Tox21": (*(f"NR-{place}" for place in range(12)), "mol_id", "smiles"),
    "ToxCast": ("smiles", *(f"assay {place}" for place in range(617))),
}


class MoleculeFiles:
    """Made-up files of MoleculeNet below a data root, ``root``."""

    smiles, titles = SMILES, TITLES

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()

    def table(self, name, smiles=SMILES, label=lambda row, column: (row + column) % 2):
        """The text of one; ``label(row, column)`` may be "" for none."""
        from torch_geometric.datasets import MoleculeNet

        _, _, _, smiles_at, labels_at = MoleculeNet.names[name.lower()]
        places = list(range(len(TITLES[name])))[labels_at]
        places = places if isinstance(places, list) else [places]
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(TITLES[name])
        for row, text in enumerate(smiles):
            fields = [f"x{row}, y" if t == "name" else row for t in TITLES[name]]
            for column, place in enumerate(places):
                fields[place] = label(row, column)
            fields[smiles_at] = text
            writer.writerow(fields)
        return stream.getvalue()

    def write(self, name, text=None, packed=False, **content):
        """Lay one where PyG does."""
        from torch_geometric.datasets import MoleculeNet

        text = self.table(name, **content) if text is None else text
        folder = self.root / "MoleculeNet" / name.lower() / "raw"
        folder.mkdir(parents=True, exist_ok=True)
        end = ".csv.gz" if packed else ".csv"
        file = folder / f"{MoleculeNet.names[name.lower()][2]}{end}"
        file.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
        return file


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of real datasets, or a skip with the reason."""
    root = os.environ.get("GRAPHLAB_DATA")
    if not root:
        pytest.skip("GRAPHLAB_DATA is not set: tests on real datasets are skipped")
    if not Path(root).is_dir():
        pytest.skip(f"GRAPHLAB_DATA={root} is not a folder")
    return Path(root)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    """Processed files go to a folder of the test session, not to the user's cache."""
    cache = tmp_path_factory.getbasetemp() / "graphlab-cache"
    monkeypatch.setenv("GRAPHLAB_CACHE", str(cache))


@pytest.fixture
def molecules(tmp_path, monkeypatch) -> MoleculeFiles:
    """Files of MoleculeNet to be written, and a fresh cache."""
    monkeypatch.setenv("GRAPHLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GRAPHLAB_DATA", raising=False)
    return MoleculeFiles(tmp_path / "molecules")
