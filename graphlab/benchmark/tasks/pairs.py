"""Tasks on pairs of nodes: is there an edge (``link``), is the label one (``pair``).

A run's index is the seed of its split, and of its graph where that is drawn
(``communities``): the models of one run meet the same pairs.
"""

import hashlib
import math
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphlab.benchmark.imports import resolve
from graphlab.benchmark.recipe import Cell
from graphlab.benchmark.seeds import run_seed
from graphlab.benchmark.tasks._features import normalized
from graphlab.benchmark.toml_reader import nearest
from graphlab.errors import RecipeError

if TYPE_CHECKING:  # torch is imported when a cell is trained, not before
    from torch_geometric.data import Data

    from graphlab.datasets import Card
    from graphlab.training import PairConfig, PairResult, Progress
    from graphlab.transforms import RandomPairSplit

#: The fields of ``graphlab.training.PairConfig``; a test holds the two equal.
TRAINING_KEYS: dict[str, type] = {
    "epochs": int,
    "evaluate_every": int,
    "lr": float,
    "weight_decay": float,
    "decay_epoch": int,
    "batch_graphs": int,
    "normalize": bool,
    "temperature": float,
    "affine": bool,
    "prepare_every": int,
    "join_graphs": bool,
}
SPLIT_KEYS: dict[str, type] = {"max_positives": int}
METRICS = ("roc_auc",)
LABELS = False
CHANNELS = ("in_channels",)
ITEMS = "pairs"
TOGETHER = False

#: Examples of split names: shares of training, validation and test pairs in percent.
SPLITS = ("pairs-80-10-10", "official-pairs-80-10-10")
_SPLIT = re.compile(r"(official-)?pairs-(\d+)-(\d+)-(\d+)")


def check_names(cell: Cell) -> None:
    """Refuse a data set or a split that does not exist, and pairs without labels.

    Raises:
        RecipeError: The message names the key.
    """
    from graphlab.datasets import dataset_names, graph_list_names
    from graphlab.datasets.graph_list_cards import find_graph_list

    card, names = find_graph_list(cell.dataset), dataset_names()
    if card is None and cell.dataset.lower() not in [name.lower() for name in names]:
        hint = nearest(cell.dataset, [*graph_list_names(), *names])
        raise RecipeError(f"dataset: unknown {cell.dataset!r}; {hint}")
    if cell.task == "pair" and card is not None:
        _require_labels(card)
    _shares(cell.split)
    if cell.split_args.get("max_positives", 1) < 1:
        raise RecipeError("split_args.max_positives: must be at least 1")


def _require_labels(card: "Card") -> None:
    """Refuse a list of graphs whose nodes have no labels."""
    from graphlab.datasets.graph_list_cards import classifies_graphs

    if card.classes is None:
        raise RecipeError(
            f"dataset: {card.name} has no labels, which task 'pair' needs; link "
            "prediction (task 'link') needs none"
        )
    if classifies_graphs(card):
        raise RecipeError(
            f"dataset: {card.name} has one label per graph, task 'pair' needs one per "
            "node"
        )


def config(cell: Cell) -> "PairConfig":
    """The training settings.

    Raises:
        ArgumentError: A value is out of its range.
    """
    from graphlab.training import PairConfig

    return PairConfig(**cell.training)


class PairData:
    """The graphs of each run.

    ``checksum`` is that of the graphs of run 0: where they are drawn, it tells one
    generator from another.
    """

    def __init__(self, name: str, data_root: Path | None = None) -> None:
        from graphlab.datasets import graphs_checksum, load_graphs
        from graphlab.datasets.graph_list_cards import find_graph_list

        card = find_graph_list(name)
        self.name, self.first = name, load_graphs(name, data_root)
        self.drawn = card is not None and card.loader == "generated"
        self.checksum = graphs_checksum(self.first)

    def graphs(self, run: int) -> "list[Data]":
        """The graphs of a run, whole."""
        from graphlab.datasets import load_graphs

        return load_graphs(self.name, seed=run) if self.drawn else self.first


def load(cell: Cell, data_root: Path | None = None) -> PairData:
    """The graphs.

    Raises:
        DatasetError: They are not available.
    """
    return PairData(cell.dataset, data_root)


def train(
    cell: Cell,
    data: PairData,
    runs: Sequence[int],
    data_root: Path | None = None,
    progress: "Callable[[Progress], None] | None" = None,
) -> list[dict[str, Any]]:
    """Train the given runs; for each what its file says of split and outcome."""
    return [_outcome(cell, data, run, progress) for run in runs]


def validate(
    cell: Cell, data: PairData, runs: Sequence[int], data_root: Path | None = None
) -> list[dict[str, float]]:
    """Train the given runs; for each the ROC-AUC of its validation pairs."""
    return [
        {"roc_auc": _fit(cell, split_of(cell, data, run), run, None).val_auc}
        for run in runs
    ]


def split_of(cell: Cell, data: PairData, run: int) -> "list[tuple[Data, ...]]":
    """The training, validation and test part of each graph of a run."""
    graphs = data.graphs(run)
    if cell.normalize_features:
        graphs = normalized(graphs)
    return _splitter(cell, run)(graphs)


def _splitter(cell: Cell, run: int) -> "RandomPairSplit":
    from graphlab.transforms import RandomPairSplit

    official, _, val, test = _shares(cell.split)
    return RandomPairSplit(
        val / 100,
        test / 100,
        kind=cell.task,
        official=official,
        seed=run,
        **cell.split_args,
    )


def _shares(split: str) -> tuple[bool, int, int, int]:
    """Whether negatives are the published sampler's, and the percentages."""
    match = _SPLIT.fullmatch(split)
    shares = [int(share) for share in match.groups()[1:]] if match else []
    if sum(shares) != 100 or 0 in shares:
        hint = nearest(split, list(SPLITS))
        raise RecipeError(
            f"split: unknown {split!r} for pairs of nodes; {hint} (percent of "
            "training, validation and test pairs)"
        )
    return bool(match[1]), *shares


def _fit(cell: Cell, parts: list, run: int, progress: Callable | None) -> "PairResult":
    from graphlab.training import fit_pairs

    build = partial(
        resolve(cell.model), in_channels=parts[0][0].num_features, **cell.model_args
    )
    return fit_pairs(build, parts, config(cell), run_seed(run), progress)


def _outcome(
    cell: Cell, data: PairData, run: int, progress: Callable | None
) -> dict[str, Any]:
    parts = split_of(cell, data, run)
    result = _fit(cell, parts, run, progress)
    info: dict[str, Any] = {"model": mean_facts(result.facts)} if result.facts else {}
    if len(parts) > 1:
        info["test_roc_auc_per_graph"] = result.test_auc_per_graph
    return {
        "split_index": run,
        "split_seed": run,
        "split_checksum": _split_checksum(parts),
        "status": "nan" if result.nan else "ok",
        "metrics": {
            "val": {"roc_auc": result.val_auc},
            "test": {"roc_auc": result.test_auc},
        },
        "info": info,
        "best_epoch": result.best_epoch,
        "epochs": result.epochs,
        "selection": "highest validation ROC-AUC",
        "num_parameters": result.num_parameters,
    }


def mean_facts(facts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Numbers averaged over graphs, truths if true of all, the rest of a single graph.

    What a graph does not tell is left out of the mean.
    """
    found: dict[str, Any] = {}
    for key in dict.fromkeys(key for each in facts for key in each):
        values = [each[key] for each in facts if key in each]
        if all(isinstance(value, bool) for value in values):
            found[key] = all(values)
        elif all(isinstance(value, int | float) for value in values):
            finite = [value for value in values if math.isfinite(value)]
            found[key] = sum(finite) / len(finite) if finite else math.nan
        elif len(facts) == 1:
            found[key] = values[0]
    return found


def _split_checksum(parts: "Sequence[tuple[Data, ...]]") -> str:
    """SHA-256 of the pairs, their labels and the edges that the encoder sees."""
    total = hashlib.sha256(f"graphlab-pairs-1 {len(parts)}\n".encode())
    for triple in parts:
        total.update(triple[0].edge_index.cpu().numpy().tobytes())
        for part in triple:
            total.update(part.edge_label_index.cpu().numpy().tobytes())
            total.update(part.edge_label.bool().cpu().numpy().tobytes())
    return total.hexdigest()
