"""Read a dataset's raw files into a PyG ``Data``, with PyG's own classes."""

import contextlib
import io
import shutil
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch
import torch_geometric.datasets
from torch_geometric.data import Data
from torch_geometric.utils import to_undirected

from graphlab.datasets.cache import make_folder
from graphlab.datasets.cards import Card
from graphlab.errors import DatasetError

# BernNet and PosteL symmetrise these and keep their self-loops; Actor stays directed.
_MADE_UNDIRECTED = ("WebKB", "WikipediaNetwork")


def read_raw(card: Card, folder: Path, scratch: Path) -> Data:
    """Read a dataset whose checked raw files lie in ``folder``.

    Args:
        card: The dataset's card.
        folder: Folder of the raw files; only read.
        scratch: Folder in which PyG may work for a moment.

    Raises:
        DatasetError: If the files cannot be read.
    """
    reader = _read_platonov if card.loader == "platonov" else _read_with_pyg
    try:
        data = reader(card, folder, scratch)
    except DatasetError:
        raise
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DatasetError(
            f"{card.name}: the raw files in {folder} cannot be read\n"
            f"{type(error).__name__}: {reason}"
        ) from error
    if card.loader in _MADE_UNDIRECTED:
        data.edge_index = to_undirected(data.edge_index, num_nodes=data.num_nodes)
    return data


def _read_with_pyg(card: Card, folder: Path, scratch: Path) -> Data:
    """Let the PyG class process a mirror of the raw files in a folder of its own."""
    pyg_class = getattr(torch_geometric.datasets, card.loader)
    name = card.raw.split("/")[1]
    arguments = () if name == "raw" else (name,)
    with tempfile.TemporaryDirectory(dir=make_folder(scratch)) as root:
        _mirror(folder, Path(root) / card.raw, card.required)
        with _silence():
            return pyg_class(f"{root}/{card.loader}", *arguments)[0]


def _read_platonov(card: Card, folder: Path, scratch: Path) -> Data:
    """PyG's HeterophilousGraphDataset, for the names that class does not accept."""
    with np.load(folder / card.files[0], allow_pickle=False) as raw:
        x = torch.from_numpy(raw["node_features"])
        edge_index = torch.from_numpy(raw["edges"]).long().t().contiguous()
        return Data(
            x=x,
            edge_index=to_undirected(edge_index, num_nodes=x.size(0)),
            y=torch.from_numpy(raw["node_labels"]),
        )


def _mirror(folder: Path, target: Path, files: tuple[str, ...]) -> None:
    target.mkdir(parents=True)
    for file in files:
        try:
            (target / file).symlink_to((folder / file).resolve())
        except OSError:  # a file system without links
            shutil.copyfile(folder / file, target / file)


@contextlib.contextmanager
def _silence():
    """PyG reports its processing on stderr and through warnings of SciPy."""
    with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
