"""Node classification: all runs of a cell at once, one replica per run."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphlab.benchmark.imports import resolve
from graphlab.benchmark.recipe import Cell
from graphlab.benchmark.seeds import run_seed
from graphlab.benchmark.tasks._features import normalized
from graphlab.benchmark.toml_reader import nearest
from graphlab.errors import ArgumentError, RecipeError

if TYPE_CHECKING:  # torch is imported when a cell is trained, not before
    from torch_geometric.data import Data

    from graphlab.datasets import Split
    from graphlab.training import FitResult, Problem, Progress, TrainingConfig

#: The fields of ``graphlab.training.TrainingConfig``; a test holds the two equal.
TRAINING_KEYS: dict[str, type] = {
    "epochs": int,
    "patience": int,
    "stopping": str,
    "monitor": str,
    "optimizer": str,
    "lr": float,
    "weight_decay": float,
    "vectorize": bool,
    "replicas_at_once": int,
}
SPLIT_KEYS: dict[str, type] = {}
METRICS = ("accuracy", "roc_auc")
LABELS = True
CHANNELS = ("in_channels", "out_channels")
ITEMS = "nodes"
TOGETHER = True


def check_names(cell: Cell) -> None:
    """Refuse a data set or a split that does not exist.

    Raises:
        RecipeError: The message names the key.
    """
    from graphlab.datasets import dataset_card, dataset_names, split_names

    names = dataset_names()
    if cell.dataset.lower() not in [name.lower() for name in names]:
        hint = nearest(cell.dataset, list(names))
        raise RecipeError(f"dataset: unknown {cell.dataset!r}; {hint}")
    splits = split_names(dataset_card(cell.dataset))
    if cell.split not in splits:
        hint = nearest(cell.split, list(splits))
        raise RecipeError(f"split: {cell.dataset} has no {cell.split!r}; {hint}")


def config(cell: Cell) -> "TrainingConfig":
    """The training settings.

    Raises:
        ArgumentError: A value is out of its range.
    """
    from graphlab.training import TrainingConfig

    return TrainingConfig(**cell.training)


def load(cell: Cell, data_root: Path | None = None) -> "Data":
    """The graph.

    Raises:
        DatasetError: It is not available.
    """
    from graphlab.datasets import load_dataset

    return load_dataset(cell.dataset, data_root=data_root)


def train(
    cell: Cell,
    data: "Data",
    runs: Sequence[int],
    data_root: Path | None = None,
    progress: "Callable[[Progress], None] | None" = None,
) -> list[dict[str, Any]]:
    """Train the given runs; for each what its file says of split and outcome."""
    splits = splits_of(cell, data, data_root)
    problem = make_problem(cell, data, splits, runs, progress)
    result = fit_cell(cell, problem)
    facts = {
        "selection": problem.config.selection,
        "num_parameters": result.num_parameters,
        "vectorized": result.vectorized,
        "vectorized_note": result.reason,
    }
    outcomes = _outcomes(problem, result)
    return [
        _split_facts(splits[run]) | outcome | facts
        for run, outcome in zip(runs, outcomes, strict=True)
    ]


def validate(
    cell: Cell, data: "Data", runs: Sequence[int], data_root: Path | None = None
) -> list[dict[str, float]]:
    """Train the given runs; for each the metrics of its validation nodes."""
    from graphlab.training import evaluate

    splits = splits_of(cell, data, data_root)
    problem = make_problem(cell, data, splits, runs)
    result = fit_cell(cell, problem)
    return evaluate(result.logits, problem.y, problem.val_mask)


def splits_of(cell: Cell, data: "Data", data_root: Path | None) -> "list[Split]":
    """One split per run; a scheme with fewer splits starts again with new seeds."""
    from graphlab.datasets import load_splits

    splits = load_splits(cell.split, data, data_root=data_root)
    return [splits[run % len(splits)] for run in range(cell.runs)]


def make_problem(
    cell: Cell,
    data: "Data",
    splits: "Sequence[Split]",
    runs: Sequence[int],
    progress: "Callable[[Progress], None] | None" = None,
) -> "Problem":
    """The training problem of some runs of a cell, one replica per run."""
    import torch

    from graphlab.training import Problem

    if cell.metric == "roc_auc" and data.num_classes != 2:
        raise ArgumentError(
            f"metric roc_auc needs a data set of two classes; {cell.dataset} has "
            f"{data.num_classes}"
        )
    model = resolve(cell.model)
    channels = {"in_channels": data.x.size(1), "out_channels": data.num_classes}
    masks = {
        name: torch.stack([getattr(splits[run], name) for run in runs])
        for name in ("train_mask", "val_mask", "test_mask")
    }
    return Problem(
        make_model=partial(model, **channels, **cell.model_args),
        x=_features(cell, data),
        edge_index=data.edge_index,
        y=data.y,
        num_classes=data.num_classes,
        seeds=tuple(run_seed(run) for run in runs),
        config=config(cell),
        progress=progress,
        **masks,
    )


def _features(cell: Cell, data: "Data") -> Any:
    if not cell.normalize_features:
        return data.x
    from torch_geometric.data import Data

    return normalized([Data(x=data.x)])[0].x


def fit_cell(cell: Cell, problem: "Problem") -> "FitResult":
    """Train all replicas with the cell's label method."""
    return resolve(cell.label)(problem, **cell.label_args)


def _outcomes(problem: "Problem", result: "FitResult") -> list[dict[str, Any]]:
    """Metrics and what the label method reports, per replica."""
    from graphlab.training import constant_majority, evaluate

    masks = {
        part: getattr(problem, f"{part}_mask") for part in ("train", "val", "test")
    }
    metrics = {
        part: evaluate(result.logits, problem.y, mask) for part, mask in masks.items()
    }
    return [
        {
            "status": "nan" if result.info[r].get("nan") else "ok",
            "metrics": {part: values[r] for part, values in metrics.items()},
            "constant_majority": constant_majority(
                problem.y, masks["val"][r], masks["test"][r]
            ),
            "info": result.info[r],
            "best_epoch": result.best_epoch[r],
            "epochs": result.epochs[r],
        }
        for r in range(problem.num_replicas)
    ]


def _split_facts(split: "Split") -> dict[str, Any]:
    return {
        "split_index": split.index,
        "split_seed": split.seed,
        "split_checksum": split.checksum,
    }
