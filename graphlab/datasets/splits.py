"""``load_splits``: from a name to frozen splits."""

from pathlib import Path

import numpy as np
import torch
from torch_geometric.data import Data

from graphlab.datasets.cards import Card, dataset_card
from graphlab.datasets.published_splits import published_split, stored_splits
from graphlab.datasets.random_splits import (
    SEEDS,
    bernnet_split,
    planetoid_like_split,
    stratified_split,
)
from graphlab.datasets.split import Split
from graphlab.errors import ArgumentError, DatasetError, SplitError

_RANDOM = {
    "bernnet-10": bernnet_split,
    "stratified-60-20-20": stratified_split,
    "planetoid-20": planetoid_like_split,
}


def split_names(card: Card | None = None) -> tuple[str, ...]:
    """The splits of a dataset: the random ones, then those published for it.

    ``planetoid-20`` is left out where fewer nodes exist than it takes.
    """
    names = dict.fromkeys(_RANDOM)
    if card is not None:
        names.update(dict.fromkeys(card.splits))
        if None not in (card.nodes, card.classes):
            if card.nodes < 20 * card.classes + 1500:
                del names["planetoid-20"]
    return tuple(names)


def load_splits(
    name: str,
    data: Data,
    runs: int | None = None,
    data_root: str | Path | None = None,
) -> tuple[Split, ...]:
    """The splits of a named family, in their fixed order.

    - ``bernnet-10``: the split of the PosteL and BernNet papers, which takes the same
      number of training nodes from every class;
    - ``stratified-60-20-20``: every class cut 60/20/20;
    - ``planetoid-20``: 20 per class for training, 500 validation, 1,000 test;
    - ``planetoid-public``, ``geom-gcn-10``, ``platonov-10``, ``ogb``: as published.

    Args:
        name: Name of the family.
        data: A graph of :func:`graphlab.datasets.load_dataset`; for the random
            families any graph with labels ``y`` in ``0..C-1``.
        runs: Take only the first so many; all by default.
        data_root: As for ``load_dataset``; published splits lie beside the raw files.

    Raises:
        SplitError: If the split is unknown, does not exist for the dataset, does not
            fit it, or has an empty part.
        ArgumentError: If ``runs`` is not positive.
        DatasetError: If the files of a published split cannot be had.
    """
    if runs is not None and runs < 1:
        raise ArgumentError(f"runs must be at least 1, got {runs}")
    card = _card_of(data)
    if name not in split_names(card) and name not in _RANDOM:
        where = f"{card.name} has no" if card else "a graph without a name has no"
        accepted = ", ".join(split_names(card))
        raise SplitError(f"{where} split {name!r}\naccepted: {accepted}")
    if card is not None and card.loader == "embedded":
        masks, seeds = stored_splits(card, name)
    elif name in _RANDOM:
        masks, seeds = _draw(name, data, runs)
    else:
        masks = published_split(card, name, data_root)
        seeds = [None] * len(masks)
    return _freeze(name, data, masks, seeds, runs)


def _card_of(data: Data) -> Card | None:
    """The card of a graph of ours; a user's own graph may have any name or none."""
    try:
        return dataset_card(data.name) if "name" in data else None
    except DatasetError:
        return None


def _draw(name: str, data: Data, runs: int | None):
    seeds = SEEDS[:runs]
    y = data.y.cpu().numpy()
    num_classes = int(data.num_classes) if "num_classes" in data else int(y.max()) + 1
    if y.ndim != 1 or y.min() < 0 or y.max() >= num_classes:
        raise ArgumentError(
            f"data.y must hold one label of 0..{num_classes - 1} per node, "
            f"found shape {y.shape}, {y.min()}..{y.max()}"
        )
    return [_RANDOM[name](y, num_classes, seed) for seed in seeds], list(seeds)


def _freeze(name, data, masks, seeds, runs) -> tuple[Split, ...]:
    if runs is not None and runs > len(masks):
        raise SplitError(f"{name} has {len(masks)} splits, {runs} were asked for")
    for parts in masks:
        if len(parts[0]) != data.num_nodes:
            raise SplitError(
                f"{name} covers {len(parts[0])} nodes, the graph has {data.num_nodes}"
            )
    pairs = list(zip(masks, seeds, strict=True))[:runs]
    return tuple(
        Split(name, index, seed, *(torch.from_numpy(np.array(part)) for part in parts))
        for index, (parts, seed) in enumerate(pairs)
    )
