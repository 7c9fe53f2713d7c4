"""Training one cell and turning the outcome, or the failure, into run records."""

import gc
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphlab.benchmark import environment
from graphlab.benchmark.imports import resolve
from graphlab.benchmark.recipe import Cell
from graphlab.benchmark.store import FORMAT
from graphlab.errors import (
    ArgumentError,
    DatasetError,
    RecipeError,
    SplitError,
    StoreError,
)

if TYPE_CHECKING:  # torch is imported when a cell is trained, not before
    from torch_geometric.data import Data

    from graphlab.datasets import Split
    from graphlab.training import FitResult, Problem, Progress

BASE_SEED = 0
_OUT_OF_MEMORY = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "cannot allocate memory",
)
#: What only a trained run has; null in the file of one that failed.
_MEASURED = (
    *("selection", "best_epoch", "epochs", "seconds", "cpu_seconds"),
    *("cell_seconds", "cell_runs", "peak_memory_mb", "num_parameters"),
    *("vectorized", "vectorized_note", "split_index"),
)
#: Mistakes of the recipe or its arguments: the sweep stops and says so.
MISTAKES = (ArgumentError, RecipeError, SplitError, StoreError)


def run_seed(run: int) -> int:
    """The seed of a run's initial weights and dropout: a function of its index alone.

    It does not depend on which other runs are trained together.
    """
    import numpy as np

    return int(np.random.SeedSequence([BASE_SEED, run]).generate_state(1)[0])


class DataCache:
    """The data sets used last; a sweep goes through the cells data set by data set."""

    def __init__(self, data_root: Path | None = None, size: int = 2) -> None:
        self.data_root, self.size = data_root, size
        self._kept: dict[str, Any] = {}

    def load(self, name: str) -> "Data":
        """The data set.

        Raises:
            DatasetError: It is not available; the failure is remembered too.
        """
        from graphlab.datasets import load_dataset

        if name not in self._kept:
            while len(self._kept) >= self.size:
                del self._kept[next(iter(self._kept))]
            try:
                self._kept[name] = load_dataset(name, data_root=self.data_root)
            except DatasetError as error:
                self._kept[name] = error
        data = self._kept[name]
        if isinstance(data, DatasetError):
            raise data
        return data


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

    from graphlab.training import Problem, TrainingConfig

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
        config=TrainingConfig(**cell.training),
        progress=progress,
        **masks,
    )


def _features(cell: Cell, data: "Data") -> Any:
    if not cell.normalize_features:
        return data.x
    from torch_geometric.data import Data
    from torch_geometric.transforms import NormalizeFeatures

    return NormalizeFeatures()(Data(x=data.x.clone())).x


def fit_cell(cell: Cell, problem: "Problem") -> "FitResult":
    """Train all replicas with the cell's label method."""
    return resolve(cell.label)(problem, **cell.label_args)


@dataclass(frozen=True)
class Identity:
    """What all records of a cell in one sweep share."""

    recipe: str
    cell: Cell
    cell_id: str
    dataset_checksum: str
    sweep: str


def train_runs(
    identity: Identity,
    data: "Data",
    runs: Sequence[int],
    data_root: Path | None = None,
    progress: "Callable[[Progress], None] | None" = None,
) -> list[dict[str, Any]]:
    """Train the given runs of a cell; one record each, also when training fails.

    Raises:
        ArgumentError, RecipeError, SplitError: A mistake in the recipe.
    """
    cell, started, clock = identity.cell, _now(), time.perf_counter()
    cpu_clock = time.process_time()
    environment.reset_peak_memory()
    try:
        splits = splits_of(cell, data, data_root)
        problem = make_problem(cell, data, splits, runs, progress)
        result = fit_cell(cell, problem)
        parts = _outcomes(problem, result)
    except MISTAKES:
        raise
    except Exception as error:
        records = failed_runs(identity, runs, *failure(error), started=started)
        del error
        gc.collect()  # what the failed cell held must not make the next one fail
        return records
    spent = {
        "seconds": (time.perf_counter() - clock) / len(runs),
        "cpu_seconds": (time.process_time() - cpu_clock) / len(runs),
        "cell_seconds": time.perf_counter() - clock,
        "cell_runs": len(runs),
        "peak_memory_mb": environment.peak_memory_mb(),
    }
    facts = {
        "selection": problem.config.selection,
        "num_parameters": result.num_parameters,
        "vectorized": result.vectorized,
        "vectorized_note": result.reason,
    }
    return [
        _record(identity, run, started)
        | _split_facts(splits[run])
        | part
        | facts
        | spent
        for run, part in zip(runs, parts, strict=True)
    ]


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


def failure(error: BaseException) -> tuple[str, str]:
    """Status and message of a run that ended with an exception."""
    text = str(error).strip()
    message = f"{type(error).__name__}: {text}" if text else type(error).__name__
    if isinstance(error, DatasetError):
        return "unavailable", text
    if isinstance(error, MemoryError):
        return "oom", message
    if any(phrase in text.lower() for phrase in _OUT_OF_MEMORY):
        return "oom", message.splitlines()[0]
    if isinstance(error, ImportError):
        return "unavailable", message
    return "error", f"{message.splitlines()[0]} ({_place(error)})"


def _place(error: BaseException) -> str:
    """File and line that raised, for a message without a traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def failed_runs(
    identity: Identity,
    runs: Sequence[int],
    status: str,
    message: str,
    started: str | None = None,
) -> list[dict[str, Any]]:
    """Records of runs that could not be done."""
    return [
        _record(identity, run, started or _now())
        | {"status": status, "message": message}
        for run in runs
    ]


def _record(identity: Identity, run: int, started: str) -> dict[str, Any]:
    """A run file with everything known before training."""
    cell = identity.cell
    return {
        "format": FORMAT,
        "recipe": identity.recipe,
        "table": cell.table,
        "cell_id": identity.cell_id,
        "cell": cell.settings(),
        "run": run,
        "split_seed": None,
        "seed": run_seed(run),
        "status": "ok",
        "message": None,
        "dataset_checksum": identity.dataset_checksum,
        "split_checksum": "",
        "metrics": None,
        "constant_majority": None,
        "info": {},
        **dict.fromkeys(_MEASURED),
        "sweep": identity.sweep,
        "started": started,
        "finished": _now(),
        **_surroundings(),
    }


@cache
def _surroundings() -> dict[str, Any]:
    import torch

    return {
        "versions": environment.versions(),
        "host": environment.host() | {"threads": torch.get_num_threads()},
        "commit": environment.commit(),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
