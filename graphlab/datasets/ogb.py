"""OGB's node property sets, read by the ``ogb`` package without its prompts.

``ogb`` asks on stdin before large downloads and reads its own cache in a way that torch
refuses since 2.6. So the archive is fetched here, unpacked into a folder of its own,
and ``ogb`` only reads the raw files; what it made is kept like every other set.
"""

import contextlib
import io
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import torch
from torch_geometric.data import Data
from torch_geometric.utils import index_to_mask

from graphlab.datasets.cache import make_folder
from graphlab.datasets.cards import Card
from graphlab.datasets.graph_file import load_graph, save_graph
from graphlab.datasets.raw import processed_path, raw_digest, raw_folder, roots
from graphlab.errors import DatasetError

_UNPACKED = ("raw", "split")


def load_ogb(card: Card, data_root: str | Path | None = None) -> Data:
    """Load an OGB set with its masks.

    Looked for are an unpacked ``ogb/<name>/`` with ``raw`` and ``split`` below a data
    root, else the archive of that name, else the archive is fetched.

    Raises:
        DatasetError: If the ``ogb`` extra is missing, or the files cannot be had or
            read.
    """
    source = _unpacked(card, data_root) or raw_folder(card, card.files, data_root)
    files = _files(card, source)
    processed = processed_path(card, raw_digest(source, files))
    data = load_graph(processed)
    if data is None:
        data = _read(card, source, processed.parent)
        save_graph(data, processed)
    return data


def _unpacked(card: Card, data_root: str | Path | None) -> Path | None:
    for root in roots(data_root):
        if all((root / card.raw / part).is_dir() for part in _UNPACKED):
            return root / card.raw
    return None


def _files(card: Card, source: Path) -> list[str]:
    if not (source / "raw").is_dir():
        return list(card.files)
    paths = (path for part in _UNPACKED for path in (source / part).rglob("*"))
    return sorted(str(path.relative_to(source)) for path in paths if path.is_file())


def _read(card: Card, source: Path, scratch: Path) -> Data:
    reader = _reader(card)
    with tempfile.TemporaryDirectory(dir=make_folder(scratch)) as root:
        try:
            _prepare(card, source, Path(root))
            with _no_prompt():
                dataset = reader(card.name, root=root)
                graph, labels = dataset[0]
                parts = dataset.get_idx_split()
        except (Exception, SystemExit) as error:
            raise DatasetError(
                f"{card.name}: the files in {source} cannot be read\n"
                f"{type(error).__name__}: {error}"
            ) from error
    size = graph["num_nodes"]
    masks = [
        index_to_mask(_tensor(parts[part]), size=size)
        for part in ("train", "valid", "test")
    ]
    return Data(
        x=_tensor(graph["node_feat"]),
        edge_index=_tensor(graph["edge_index"]),
        y=_tensor(labels).view(-1).long(),
        train_mask=masks[0],
        val_mask=masks[1],
        test_mask=masks[2],
    )


def _tensor(array: np.ndarray) -> torch.Tensor:
    """Without a copy, unless pandas handed out an array that may not be written to."""
    return torch.from_numpy(np.require(array, requirements="W"))


def _reader(card: Card):
    try:
        from ogb.nodeproppred import NodePropPredDataset
    except ImportError as error:
        raise DatasetError(
            f"{card.name} needs the extra 'ogb'\n"
            "install it with: pip install 'graphlab-pyg[ogb]'"
        ) from error
    return NodePropPredDataset


def _prepare(card: Card, source: Path, root: Path) -> None:
    """Lay out ``root/<name>/{raw,split}`` as ``ogb`` expects it."""
    target = root / card.raw.split("/")[1]
    if (source / "raw").is_dir():
        target.mkdir()
        for part in _UNPACKED:
            (target / part).symlink_to((source / part).resolve())
    else:
        archive = source / card.files[0]
        with zipfile.ZipFile(archive) as content:
            content.extractall(root)
        (root / archive.stem).rename(target)
    # Without the marker of its release ogb asks whether to replace the folder.
    (target / "RELEASE_v1.txt").touch()
    (target / "processed").mkdir(exist_ok=True)


@contextlib.contextmanager
def _no_prompt():
    """An empty stdin turns any question into an error; progress prints are dropped."""
    stdin, sys.stdin = sys.stdin, io.StringIO()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            with contextlib.redirect_stderr(io.StringIO()):
                yield
    finally:
        sys.stdin = stdin
