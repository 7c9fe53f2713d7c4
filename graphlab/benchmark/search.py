"""Hyper-parameter search with Optuna, judged on validation nodes alone.

Judge is the mean of the monitored metric, or of the table's metric where the loss is
monitored. Every label method gets the same number of trials on the same splits. Test
metrics are never computed here. Trials are kept in a journal per cell, so a search that
was cut off goes on where it stopped.
"""

import json
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphlab.benchmark import store
from graphlab.benchmark.checks import check_cells
from graphlab.benchmark.claims import Claim
from graphlab.benchmark.execute import MISTAKES, DataCache, failure
from graphlab.benchmark.metric import METRICS, search_metric
from graphlab.benchmark.progress import Event, Listener
from graphlab.benchmark.recipe import Cell, Recipe
from graphlab.benchmark.runner import runnable, work_through
from graphlab.benchmark.search_space import (
    Budget,
    Point,
    grid,
    size,
    space_of,
    study_id,
    with_point,
)
from graphlab.benchmark.selection import map_cells
from graphlab.benchmark.tasks import TASKS
from graphlab.errors import DatasetError, GraphlabError

if TYPE_CHECKING:
    import optuna

SEED = 0


@dataclass(frozen=True)
class SearchTask:
    """What is searched where; picklable."""

    recipe: Recipe
    cells: tuple[Cell, ...]
    folder: Path
    runs_dir: Path
    budget: Budget
    data_root: Path | None = None


def run_search(
    recipe: Recipe,
    runs_dir: Path,
    budget: Budget,
    *,
    data_root: Path | None = None,
    jobs: int = 1,
    listener: Listener = lambda event: None,
) -> list[dict[str, Any]]:
    """Search every runnable cell of a recipe.

    Args:
        recipe: The recipe, reduced to what is wanted; needs a ``[search]`` table.
        runs_dir: Journals and results go to its sub-folder ``search``.
        budget: Trials and splits, the same for every cell.
        data_root: Folder of raw data sets.
        jobs: Number of processes.
        listener: Called with each event.

    Returns:
        One JSON-able result per cell: ``best`` (dotted setting -> value), ``value``
        (the mean of its ``objective``), ``trials``; a failed cell has no ``best``.

    Raises:
        GraphlabError: Optuna is not installed, or the recipe states no search space.
    """
    _import_optuna()
    cells = runnable(recipe)
    first_points = [with_point(c, grid(space_of(recipe, c))[0]) for c in cells]
    check_cells(first_points)
    store.prepare(runs_dir)
    folder = runs_dir / store.SEARCH / recipe.key
    folder.mkdir(parents=True, exist_ok=True)
    task = SearchTask(recipe, cells, folder, runs_dir, budget, data_root)
    if jobs > 1:
        from graphlab.benchmark.jobs import run_workers

        run_workers(task, min(jobs, len(cells)), search_part, listener, _mourn)
    silent = listener if jobs == 1 else lambda event: None
    return search_all(task, silent)


def search_part(task: SearchTask, listener: Listener) -> None:
    """What a worker process does."""
    search_all(task, listener, wait=False)


def _mourn(process: Any) -> bool:
    raise GraphlabError(
        f"a search process was ended by signal {-process.exitcode}; most likely the "
        "machine ran out of memory: use fewer --jobs"
    )


def search_all(
    task: SearchTask, listener: Listener, wait: bool = True
) -> list[dict[str, Any]]:
    """Search all cells of a task in this process; those done already are read."""
    cache = DataCache(task.data_root)
    results: dict[int, dict[str, Any]] = {}

    def attempt(index: int, cell: Cell) -> str:
        def tell(kind: str, text: str = "", seconds: float = 0.0) -> str:
            listener(Event(kind, index, cell.title, text, seconds, cell.table))
            return kind

        return _CellSearch(task, cell, tell).run(cache, results, index)

    work_through(task.cells, attempt, wait)
    return [results[index] for index in sorted(results)]


class _CellSearch:
    """The study of one cell."""

    def __init__(self, task: SearchTask, cell: Cell, tell: Callable[..., str]) -> None:
        self.task, self.cell, self.tell = task, cell, tell
        self.space = space_of(task.recipe, cell)
        self.metric = search_metric(cell.metric, cell.training.get("monitor", ""))
        self.trials = min(task.budget.trials, size(self.space))

    def run(self, cache: DataCache, results: dict, index: int) -> str:
        try:
            data = cache.load(self.cell)
        except DatasetError as error:
            results[index] = self._result([], str(error))
            return self.tell("failed", f"unavailable: {error}")
        setting = self.cell, self.space, self.task.budget, data.checksum
        number = study_id(*setting, self.metric.key)
        cell = self.cell
        name = "-".join((cell.table, cell.dataset, cell.model_name, cell.label_name))
        file = self.task.folder / f"{store.plain(name)}-{number}.json"
        with Claim(self.task.runs_dir, f"search-{file.stem}") as claim:
            if not claim.acquired:
                return self.tell("busy")
            self.tell("start")
            begun = time.perf_counter()
            kind = self._search(file, data, results, index)
            text = _in_words(results[index])
            return self.tell(kind, text, time.perf_counter() - begun)

    def _search(self, file: Path, data: Any, results: dict, index: int) -> str:
        """Run the trials that the journal lacks; ``skip`` when there are none."""
        study = _open_study(file.with_suffix(".journal"))
        known = _finished(study)
        before = len(known)
        if self.trials == size(self.space):
            for point in grid(self.space):
                if _key(point) not in known:
                    study.enqueue_trial(point, skip_if_exists=True)
        # A sampler may propose a point again: that is no trial, but there is an end.
        for _ in range(10 * self.trials):
            if len(known) >= self.trials:
                break
            trial = study.ask()
            point = {n: trial.suggest_categorical(n, v) for n, v in self.space.items()}
            if _key(point) not in known:
                known[_key(point)] = self._try(point, data)
                best = _best(list(known.values()))
                seen = f", best {100 * best['value']:.2f}" if best else ""
                self.tell("progress", f"trial {len(known)}/{self.trials}{seen}")
            _tell_study(study, trial, known[_key(point)])
        trials = list(known.values())[: self.trials]
        results[index] = self._result(trials)
        store.write_json(file, results[index])
        if not results[index]["best"]:
            return "failed"
        return "skip" if before >= self.trials else "done"

    def _try(self, point: Point, data: Any) -> dict[str, Any]:
        """Mean validation figures of one setting."""
        cell = with_point(self.cell, point)
        runs = range(min(self.task.budget.splits, cell.runs))
        try:
            figures = TASKS[cell.task].validate(cell, data, runs, self.task.data_root)
        except MISTAKES as error:
            raise type(error)(f"{cell.title}: {error}") from error
        except Exception as error:
            status, message = failure(error)
            return {"point": point, "value": None, "status": status, "note": message}
        mean = {k: sum(f[k] for f in figures) / len(figures) for k in figures[0]}
        if math.isnan(value := mean[self.metric.key]):
            where = f"the validation {TASKS[cell.task].ITEMS}"
            note = f"{self.metric.name} undefined on {where}"
            return {"point": point, "value": None, "status": "nan", "note": note}
        loss = {"val_loss": mean["loss"]} if "loss" in mean else {}
        return {"point": point, "value": value, **loss, "status": "ok"}

    def _result(self, trials: list[dict], note: str = "") -> dict[str, Any]:
        best = _best(trials)
        ties = "by validation loss" if best and "val_loss" in best else "to the first"
        return {
            "format": 1,
            "recipe": self.task.recipe.key,
            "table": self.cell.table,
            "dataset": self.cell.dataset,
            "model": self.cell.model_name,
            "label": self.cell.label_name,
            "profile": self.cell.profile,
            "metric": self.metric.key,
            "objective": f"mean validation {self.metric.name}, ties {ties}",
            "splits": self.task.budget.splits,
            "budget": self.task.budget.trials,
            "space_size": size(self.space),
            "space": self.space,
            "best": best["point"] if best else None,
            "value": best["value"] if best else None,
            "trials": trials,
            "note": note or next((t["note"] for t in trials if "note" in t), ""),
        }


def _best(trials: list[dict]) -> dict | None:
    """Highest value; among equals the lowest validation loss, if known."""

    def rank(trial: dict) -> tuple[float, float]:
        return trial["value"], -trial.get("val_loss", 0.0)

    good = [trial for trial in trials if trial["value"] is not None]
    return max(good, key=rank) if good else None


def _in_words(result: dict) -> str:
    tried = f"{len(result['trials'])} trials"
    if len(result["trials"]) == result["space_size"]:
        tried += " (the whole space)"
    if not result["best"]:
        return f"no trial succeeded in {tried}: {result['note']}"
    point = ", ".join(
        f"{name.split('.', 1)[1]} {value}" for name, value in result["best"].items()
    )
    value = f"{METRICS[result['metric']].prefix}{100 * result['value']:.2f}"
    return f"validation {value} at {point}; {tried}"


def _import_optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise GraphlabError(
            "--search needs Optuna: pip install 'graphlab-pyg[search]'"
        ) from None
    optuna.logging.set_verbosity(logging.WARNING)
    return optuna


def _open_study(journal: Path) -> "optuna.Study":
    optuna = _import_optuna()
    backend = optuna.storages.journal.JournalFileBackend(str(journal))
    study = optuna.create_study(
        study_name="cell",
        storage=optuna.storages.JournalStorage(backend),
        direction="maximize",
        load_if_exists=True,
    )
    # A resumed sampler with the same seed would propose its first points again.
    study.sampler = optuna.samplers.TPESampler(seed=SEED + len(study.trials))
    return study


def _finished(study: "optuna.Study") -> dict[str, dict]:
    """Point -> what came out, in the order of the trials."""
    found: dict[str, dict] = {}
    for trial in study.get_trials(deepcopy=False):
        if "outcome" in trial.user_attrs:
            outcome = json.loads(trial.user_attrs["outcome"])
            found.setdefault(_key(outcome["point"]), outcome)
    return found


def _key(point: Point) -> str:
    return json.dumps(point, sort_keys=True)


def _tell_study(study: "optuna.Study", trial: Any, outcome: dict) -> None:
    import optuna

    trial.set_user_attr("outcome", json.dumps(outcome))
    if outcome["value"] is None:
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
    else:
        study.tell(trial, outcome["value"])


def apply_best(recipe: Recipe, results: list[dict[str, Any]]) -> Recipe:
    """The recipe with the best settings in the cells that were searched."""
    best = {_cell_name(r): r["best"] for r in results if r["best"]}

    def change(cell: Cell) -> Cell:
        name = (cell.table, cell.dataset, cell.model_name, cell.label_name)
        return with_point(cell, best.get(name, {}))

    return map_cells(recipe, change)


def _cell_name(result: dict) -> tuple[str, ...]:
    return tuple(result[key] for key in ("table", "dataset", "model", "label"))
