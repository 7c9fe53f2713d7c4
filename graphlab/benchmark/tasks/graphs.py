"""Graph classification: models of nodes with a read-out, or models of graphs.

How a model is made of a class is what :func:`graphlab.training.make_graph_model` does:
``model_args`` may hold ``pooling``, ``act`` and ``track_running_stats`` for the
read-out of a model of nodes.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphlab.benchmark.imports import resolve
from graphlab.benchmark.recipe import Cell
from graphlab.benchmark.seeds import run_seed
from graphlab.benchmark.tasks._features import normalized
from graphlab.benchmark.toml_reader import nearest
from graphlab.errors import DatasetError, RecipeError

if TYPE_CHECKING:  # torch is imported when a cell is trained, not before
    from torch import Tensor

    from graphlab.datasets import GraphSplit
    from graphlab.training import GraphConfig, GraphResult, Progress

#: The fields of ``graphlab.training.GraphConfig``; a test holds the two equal.
TRAINING_KEYS: dict[str, type] = {
    "epochs": int,
    "batch_size": int,
    "loss": str,
    "lr": float,
    "weight_decay": float,
    "monitor": str,
    "patience": int,
}
SPLIT_KEYS: dict[str, type] = {}
MODEL_KEYS: dict[str, type] = {"pooling": str, "act": bool, "track_running_stats": bool}
METRICS = ("accuracy", "roc_auc")
LABELS = False
CHANNELS = ("in_channels", "out_channels")
ITEMS = "graphs"
TOGETHER = False


def check_names(cell: Cell) -> None:
    """Refuse a data set or a split that does not exist.

    Raises:
        RecipeError: The message names the key.
    """
    from graphlab.datasets import graph_split_names

    _check_dataset(cell.dataset)
    if cell.split not in graph_split_names():
        hint = nearest(cell.split, list(graph_split_names()))
        raise RecipeError(f"split: unknown {cell.split!r} for graphs; {hint}")
    for key, kind in MODEL_KEYS.items():
        value = cell.model_args.get(key)
        if value is not None and not isinstance(value, kind):
            raise RecipeError(f"model_args.{key}: must be a {kind.__name__}")


def _check_dataset(name: str) -> None:
    from graphlab.datasets.graph_list_cards import (
        classification_names,
        classifies_graphs,
        find_graph_list,
    )
    from graphlab.datasets.molecule_cards import chosen_task

    card = find_graph_list(name)
    if card is None or not classifies_graphs(card):
        hint = nearest(name, list(classification_names()))
        raise RecipeError(f"dataset: unknown {name!r} for graphs; {hint}")
    if card.loader == "MoleculeNet":
        try:
            chosen_task(card, name)
        except DatasetError as error:
            raise RecipeError(f"dataset: {error}") from None


def config(cell: Cell) -> "GraphConfig":
    """The training settings.

    Raises:
        ArgumentError: A value is out of its range.
    """
    from graphlab.training import GraphConfig

    return GraphConfig(**cell.training)


class GraphData:
    """The graphs of a set, with a ``checksum``."""

    def __init__(self, name: str, data_root: Path | None = None) -> None:
        from graphlab.datasets import graphs_checksum, load_graphs

        self.graphs = load_graphs(name, data_root)
        self.num_classes = 1 + max(int(graph.y) for graph in self.graphs)
        self.checksum = graphs_checksum(self.graphs)


def load(cell: Cell, data_root: Path | None = None) -> GraphData:
    """The graphs.

    Raises:
        DatasetError: They are not available.
    """
    return GraphData(cell.dataset, data_root)


def train(
    cell: Cell,
    data: GraphData,
    runs: Sequence[int],
    data_root: Path | None = None,
    progress: "Callable[[Progress], None] | None" = None,
) -> list[dict[str, Any]]:
    """Train the given runs; for each what its file says of split and outcome."""
    return [_outcome(cell, data, run, progress) for run in runs]


def validate(
    cell: Cell, data: GraphData, runs: Sequence[int], data_root: Path | None = None
) -> list[dict[str, float]]:
    """Train the given runs; for each the metrics of its validation graphs."""
    found = []
    for run in runs:
        split = split_of(cell, data, run)
        found.append(_metrics(fit(cell, data, split, run), split.val_mask))
    return found


def split_of(cell: Cell, data: GraphData, run: int) -> "GraphSplit":
    """The split of a run; after the last one the first follows, with a new seed."""
    from graphlab.datasets import load_graph_splits

    splits = load_graph_splits(cell.split, data.graphs)
    return splits[run % len(splits)]


def fit(
    cell: Cell,
    data: GraphData,
    split: "GraphSplit",
    run: int,
    progress: "Callable[[Progress], None] | None" = None,
) -> "GraphResult":
    """Train one run."""
    from graphlab.training import fit_graphs, make_graph_model

    graphs, first = data.graphs, data.graphs[0]
    if cell.normalize_features:
        graphs = normalized(graphs)
    build = partial(
        make_graph_model,
        resolve(cell.model),
        first.num_features,
        data.num_classes,
        **cell.model_args,
    )
    return fit_graphs(build, graphs, split, config(cell), run_seed(run), progress)


def _outcome(
    cell: Cell, data: GraphData, run: int, progress: Callable | None
) -> dict[str, Any]:
    from graphlab.training import bound_terms, constant_majority, is_collapsed

    split = split_of(cell, data, run)
    result = fit(cell, data, split, run, progress)
    # Without validation graphs the constant is picked on those of training.
    picked = split.val_mask if bool(split.val_mask.any()) else split.train_mask
    judged = split.val_mask | split.test_mask
    info = {
        "collapsed": is_collapsed(result.logits, judged),
        "loss": result.loss,
        "loss_gap": result.loss_gap,
        "error_gap": result.error_gap,
        "bounds": bound_terms(result, data.graphs, split),
    }
    masks = dict(zip(("train", "val", "test"), split.masks, strict=True))
    return {
        "split_index": split.index,
        "split_seed": split.seed,
        "split_checksum": split.checksum,
        "status": "nan" if result.nan else "ok",
        "metrics": {part: _metrics(result, mask) for part, mask in masks.items()},
        "constant_majority": constant_majority(result.y, picked, split.test_mask),
        "info": info,
        "best_epoch": result.best_epoch,
        "epochs": result.epochs,
        "selection": config(cell).selection,
        "num_parameters": result.num_parameters,
    }


def _metrics(result: "GraphResult", mask: "Tensor") -> dict[str, float]:
    from graphlab.training import evaluate

    return evaluate(result.logits[None], result.y, mask[None])[0]
