"""Splits that were published as masks, read from the raw files."""

from pathlib import Path

import numpy as np

from graphlab.datasets.cards import Card
from graphlab.datasets.raw import raw_folder
from graphlab.errors import DatasetError, SplitError

Masks = tuple[np.ndarray, np.ndarray, np.ndarray]


def geom_gcn_splits(card: Card, data_root: str | Path | None = None) -> list[Masks]:
    """The ten splits of `Geom-GCN <https://openreview.net/forum?id=S1e2agrFvS>`_.

    They are 48/32/20 in spite of the ``0.6_0.2`` in their names, and on Cora and
    CiteSeer leave nodes out of every mask.
    """
    folder = raw_folder(card, card.split_files, data_root)
    keys = ("train_mask", "val_mask", "test_mask")
    return [
        tuple(mask.astype(bool) for mask in _arrays(card, folder / file, keys))
        for file in card.split_files
    ]


def platonov_splits(card: Card, data_root: str | Path | None = None) -> list[Masks]:
    """The ten splits of `Platonov et al. <https://arxiv.org/abs/2302.11640>`_."""
    folder = raw_folder(card, card.files, data_root)
    keys = ("train_masks", "val_masks", "test_masks")
    arrays = _arrays(card, folder / card.files[0], keys)
    return [tuple(masks) for masks in zip(*arrays, strict=True)]


def single_split(card: Card, data_root: str | Path | None = None) -> list[Masks]:
    """The one public split of a Planetoid or OGB set."""
    from graphlab.datasets.graph_file import MASKS
    from graphlab.datasets.loading import read_source

    source = read_source(card, data_root)
    return [tuple(source[name].numpy() for name in MASKS)]


def stored_splits(card: Card, name: str) -> tuple[list[Masks], list[int]]:
    """The splits stored with an embedded dataset, and their seeds."""
    from graphlab.datasets.embedded import embedded_splits

    stored = embedded_splits(card.name, name)
    masks = [tuple(np.asarray(mask) for mask in parts) for *parts, _ in stored]
    return masks, [seed for *_, seed in stored]


def _arrays(card: Card, path: Path, keys: tuple[str, ...]) -> list[np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as content:
            return [content[key] for key in keys]
    except Exception as error:
        raise DatasetError(
            f"{card.name}: the splits in {path} cannot be read\n"
            f"{type(error).__name__}: {str(error).splitlines()[0]}"
        ) from error


def published_split(card: Card, name: str, data_root=None) -> list[Masks]:
    """The masks of a published split family.

    Raises:
        SplitError: If the dataset has no such split.
    """
    if name not in card.splits:
        raise SplitError(f"{card.name} has no split {name!r}")
    readers = {"geom-gcn-10": geom_gcn_splits, "platonov-10": platonov_splits}
    return readers.get(name, single_split)(card, data_root)
