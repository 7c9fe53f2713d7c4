"""Training one cell and turning the outcome, or the failure, into run records."""

import gc
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphlab.benchmark import environment
from graphlab.benchmark.recent import Recent
from graphlab.benchmark.recipe import Cell
from graphlab.benchmark.seeds import run_seed
from graphlab.benchmark.store import FORMAT
from graphlab.benchmark.tasks import TASKS
from graphlab.errors import (
    ArgumentError,
    DatasetError,
    RecipeError,
    SplitError,
    StoreError,
)

if TYPE_CHECKING:  # torch is imported when a cell is trained, not before
    from graphlab.training import Progress

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


class DataCache:
    """The data sets used last; a sweep goes through the cells data set by data set."""

    def __init__(self, data_root: Path | None = None, size: int = 2) -> None:
        self.data_root = data_root
        self._kept = Recent(size)

    def load(self, cell: Cell) -> Any:
        """The data that a cell is trained on, as its task gives it.

        Raises:
            DatasetError: It is not available; the failure is remembered too.
        """
        data = self._kept.get((cell.task, cell.dataset), lambda: self._load(cell))
        if isinstance(data, DatasetError):
            raise data
        return data

    def _load(self, cell: Cell) -> Any:
        try:
            return TASKS[cell.task].load(cell, self.data_root)
        except DatasetError as error:
            return error


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
    data: Any,
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
        task = TASKS[cell.task]
        outcomes = task.train(cell, data, runs, data_root, progress)
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
    return [
        _record(identity, run, started) | outcome | spent
        for run, outcome in zip(runs, outcomes, strict=True)
    ]


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
