"""Recipe -> cells -> runs: skip what is done, train the rest, store, report progress.

Any number of processes may work on one folder: each takes cells that nobody has claimed
(:mod:`.claims`). What a cell was trained with decides its identifier, so runs made with
other settings or another version of the data are never mistaken for it.
"""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from graphlab.benchmark import store
from graphlab.benchmark.checks import check_cells
from graphlab.benchmark.claims import Claim
from graphlab.benchmark.execute import (
    MISTAKES,
    DataCache,
    Identity,
    failed_runs,
    failure,
    train_runs,
)
from graphlab.benchmark.metric import METRICS
from graphlab.benchmark.progress import Event, Listener, summary
from graphlab.benchmark.recipe import Cell, Recipe
from graphlab.benchmark.tasks import TASKS
from graphlab.errors import DatasetError

_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Sweep:
    """What is to be run where.

    Args:
        recipe: Key of the recipe.
        cells: The cells, in the order in which they are trained.
        runs_dir: Folder of the run files.
        data_root: Folder of raw data sets, or ``None``.
        token: Marks the records of this sweep, so that a cell that failed in one of
            its processes is not tried again by another.
    """

    recipe: str
    cells: tuple[Cell, ...]
    runs_dir: Path
    data_root: Path | None = None
    token: str = field(default_factory=lambda: uuid.uuid4().hex[:12])


#: An attempt at one cell: the kind of event that came out, ``busy`` if it is claimed.
Attempt = Callable[[int, Cell], str]


def run_recipe(
    recipe: Recipe,
    runs_dir: Path,
    *,
    data_root: Path | None = None,
    jobs: int = 1,
    listener: Listener = lambda event: None,
) -> dict[str, int]:
    """Train every cell of a recipe that is not there yet.

    Args:
        recipe: The recipe, already reduced to what is wanted.
        runs_dir: Folder of the run files; created if need be.
        data_root: Folder of raw data sets.
        jobs: Number of processes.
        listener: Called with each :class:`~.progress.Event`.

    Returns:
        How many cells ended as ``done``, ``skip`` and ``failed``.

    Raises:
        RecipeError, ArgumentError, SplitError: A mistake in the recipe.
        StoreError: The folder cannot be written.
    """
    check_cells(recipe.cells)
    store.prepare(runs_dir)
    sweep = Sweep(recipe.key, distinct(runnable(recipe)), runs_dir, data_root)
    if jobs > 1:
        from graphlab.benchmark.jobs import run_jobs

        return run_jobs(sweep, jobs, listener)
    return run_sweep(sweep, listener)


def runnable(recipe: Recipe) -> tuple[Cell, ...]:
    """The cells that can be run, data set by data set, each loaded once."""
    cells = [cell for cell in recipe.cells if not cell.unavailable]
    order = {name: place for place, name in enumerate(dict.fromkeys(map(_set, cells)))}
    return tuple(sorted(cells, key=lambda cell: order[_set(cell)]))


def distinct(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """Each cell once, though several tables show it, with the most runs of any.

    A table may show another metric of runs that an earlier one has caused.
    """
    once: dict[str, Cell] = {}
    for cell in cells:
        known = once.setdefault(cell.cell_id(""), cell)
        if cell.runs > known.runs:
            once[cell.cell_id("")] = replace(known, runs=cell.runs)
    return tuple(once.values())


def _set(cell: Cell) -> str:
    return cell.dataset


def run_sweep(sweep: Sweep, listener: Listener, wait: bool = True) -> dict[str, int]:
    """Train the cells of a sweep in this process."""
    cache = DataCache(sweep.data_root)

    def attempt(index: int, cell: Cell) -> str:
        return _Attempt(sweep, index, cell, listener).run(cache)

    return work_through(sweep.cells, attempt, wait)


def work_through(
    cells: Sequence[Cell], attempt: Attempt, wait: bool = True
) -> dict[str, int]:
    """Attempt all cells; come back to those that other processes have claimed.

    Args:
        cells: The cells.
        attempt: Tries one.
        wait: Whether to wait for the other processes, and finish what they leave
            behind. Without it their cells are counted as ``busy``.
    """
    kinds: dict[int, str] = {}
    pending = dict(enumerate(cells))
    while pending:
        for index, cell in pending.items():
            kinds[index] = attempt(index, cell)
        busy = {index: c for index, c in pending.items() if kinds[index] == "busy"}
        if not wait:
            break
        if busy and len(busy) == len(pending):
            time.sleep(_POLL_SECONDS)
        pending = busy
    found = list(kinds.values())
    return {kind: found.count(kind) for kind in ("done", "skip", "failed", "busy")}


def missing_runs(folder: Path, cell: Cell, token: str) -> list[int]:
    """Runs without a finished file, failures of the sweep ``token`` excepted."""
    found = store.cell_runs(folder)

    def is_missing(run: int) -> bool:
        record = found.get(run)
        if record is None:
            return True
        return record["status"] not in store.DONE and record.get("sweep") != token

    return [run for run in range(cell.runs) if is_missing(run)]


class _Attempt:
    """One try at one cell."""

    def __init__(
        self, sweep: Sweep, index: int, cell: Cell, listener: Listener
    ) -> None:
        self.sweep, self.index, self.cell = sweep, index, cell
        self.listener = listener
        self.data, self.error = None, None

    def run(self, cache: DataCache) -> str:
        """Skip, train or leave the cell to another process; returns what it was."""
        try:
            self.data = cache.load(self.cell)
        except DatasetError as error:
            self.error = error
        checksum = self.data.checksum if self.data is not None else ""
        self.identity = Identity(
            self.sweep.recipe,
            self.cell,
            self.cell.cell_id(checksum),
            checksum,
            self.sweep.token,
        )
        self.folder = self._folder()
        claim = Claim(self.sweep.runs_dir, self._claim_name(), self._claim())
        if not missing_runs(self.folder, self.cell, self.sweep.token):
            claim.clear()  # of a process that died right after its last file
            return self._report_stored()
        with claim:
            if not claim.acquired:
                return self._event("busy")
            self.folder = self._folder()
            store.recover(self.folder)
            # Somebody may have finished it just now.
            missing = missing_runs(self.folder, self.cell, self.sweep.token)
            return self._train(missing) if missing else self._report_stored()

    def _folder(self) -> Path:
        sweep = self.sweep
        return store.find_cell_folder(
            sweep.runs_dir, sweep.recipe, self.cell, self.identity.cell_id
        )

    def _claim_name(self) -> str:
        """As unique as the cell, whichever table it is trained for."""
        return f"{store.plain(self.sweep.recipe)}-{self.folder.name}"

    def _claim(self) -> dict:
        return {
            "sweep": self.sweep.token,
            "index": self.index,
            "checksum": self.identity.dataset_checksum,
        }

    def _train(self, missing: list[int]) -> str:
        self._event("start")
        begun = time.perf_counter()
        if self.error is not None:
            records = failed_runs(self.identity, missing, *failure(self.error))
            store.publish(self.folder, records)
        elif TASKS[self.cell.task].TOGETHER:
            store.publish(self.folder, self._records(missing))
        else:  # what takes long is kept run by run
            for run in missing:
                where = f"run {run + 1} of {self.cell.runs}, "
                store.publish(self.folder, self._records([run], where))
        return self._report_stored(time.perf_counter() - begun)

    def _records(self, runs: list[int], where: str = "") -> list[dict]:
        def tell(progress) -> None:
            self._event("progress", where + progress.text)

        root = self.sweep.data_root
        try:
            return train_runs(self.identity, self.data, runs, root, tell)
        except MISTAKES as error:
            raise type(error)(f"{self.cell.title}: {error}") from error

    def _report_stored(self, seconds: float | None = None) -> str:
        """Report the cell as it lies on disk; ``seconds`` if it was trained now."""
        found = store.cell_runs(self.folder)
        records = [found[run] for run in sorted(found) if run < self.cell.runs]
        kind = "done" if seconds is not None else "skip"
        if any(record["status"] not in store.DONE for record in records):
            kind = "failed"
        if seconds is None and any(r.get("sweep") == self.sweep.token for r in records):
            kind = "sibling"  # another worker of this sweep has reported it
        text = summary(records, METRICS[self.cell.metric])
        return self._event(kind, text, seconds or 0.0)

    def _event(self, kind: str, text: str = "", seconds: float = 0.0) -> str:
        title, table = self.cell.title, self.cell.table
        self.listener(Event(kind, self.index, title, text, seconds, table))
        return kind
