"""Run files: one JSON per run, written so that none is ever torn or half there.

The runs of a cell lie in ``RUNS/RECIPE/TABLE/DATASET-MODEL-LABEL-CELLID/run-NN.json``.
A cell is published as a whole: its files are written into a hidden sibling folder,
flushed to disk, and the folder is renamed into place. Whoever is killed in between
leaves the previous state, not a part of the new one.
"""

import json
import math
import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from graphlab.benchmark.recipe import Cell, Recipe
from graphlab.errors import StoreError
from graphlab.files import replace_file

FORMAT = 1
#: Runs with these states are finished; any other is tried again.
DONE = ("ok", "nan")
_REQUIRED = ("recipe", "table", "cell_id", "cell", "run", "status", "metrics")
#: Sub-folder of hyper-parameter searches, which hold no runs.
SEARCH = "search"


def prepare(folder: Path, option: str = "--runs") -> None:
    """Create a folder for results and make sure that it can be written.

    Raises:
        StoreError: It cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".probe-"):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(
            f"folder {folder}: cannot be written: {reason}; name another with {option}"
        ) from None


def cell_folder(runs_dir: Path, recipe: str, cell: Cell, cell_id: str) -> Path:
    """Where the runs of a cell lie."""
    names = (cell.dataset, cell.model_name, cell.label_name, cell_id)
    return runs_dir / plain(recipe) / plain(cell.table) / "-".join(map(plain, names))


def find_cell_folder(runs_dir: Path, recipe: str, cell: Cell, cell_id: str) -> Path:
    """Where the runs of a cell lie, if need be those that another table has caused."""
    own = cell_folder(runs_dir, recipe, cell, cell_id)
    if own.is_dir():
        return own
    others = sorted((runs_dir / plain(recipe)).glob(f"*/{own.name}"))
    return others[0] if others else own


def plain(name: str) -> str:
    """A file name from any name: the name without what a file system may object to."""
    return re.sub(r"[^\w.-]+", "_", name)


def publish(folder: Path, records: Iterable[dict[str, Any]]) -> None:
    """Write the runs of a cell, beside those that are there already, all at once.

    Raises:
        StoreError: The folder cannot be written.
    """
    new, old = _sibling(folder, "new"), _sibling(folder, "old")
    try:
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        if folder.is_dir():
            for file in folder.glob("run-*.json"):
                shutil.copy2(file, new / file.name)
        for record in records:
            write_json(new / f"run-{record['run']:02d}.json", record)
        _flush_folder(new)
        if folder.is_dir():
            os.rename(folder, old)
        os.rename(new, folder)
        _flush_folder(folder.parent)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(f"{folder}: cannot be written: {reason}") from None


def recover(folder: Path) -> None:
    """Undo what a killed process left of a cell; call it while holding the claim."""
    new, old = _sibling(folder, "new"), _sibling(folder, "old")
    shutil.rmtree(new, ignore_errors=True)
    if old.is_dir() and not folder.is_dir():
        os.rename(old, folder)
    shutil.rmtree(old, ignore_errors=True)


def _sibling(folder: Path, suffix: str) -> Path:
    return folder.with_name(f".{folder.name}.{suffix}")


def write_json(path: Path, content: Any) -> None:
    """Write JSON through a temporary file and an atomic rename; NaN becomes null."""

    def write(temporary: Path) -> None:
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(finite(content), file, indent=1, allow_nan=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())

    replace_file(path, write)


def finite(value: Any) -> Any:
    """JSON has no NaN and no infinity."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value


def _flush_folder(folder: Path) -> None:
    """Make a rename durable, where folders can be opened (not on Windows)."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_run(file: Path) -> dict[str, Any]:
    """One run file.

    Raises:
        StoreError: It is unreadable, not JSON, or not a run of a known format.
    """
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise StoreError(f"{file}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise StoreError(f"{file}: not a run file: {error}") from None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise StoreError(f"{file}: not a run file of format {FORMAT}")
    missing = [key for key in _REQUIRED if key not in record]
    if missing:
        raise StoreError(f"{file}: not a run file: lacks {', '.join(missing)}")
    return record


def cell_runs(folder: Path) -> dict[int, dict[str, Any]]:
    """The readable runs of one cell, by run index."""
    found = {}
    for file in sorted(folder.glob("run-*.json")):
        try:
            record = read_run(file)
        except StoreError:
            continue  # counts as not run
        found[record["run"]] = record
    return found


def load_all(runs_dir: str | Path) -> tuple[list[dict[str, Any]], list[str]]:
    """All runs below a folder, and one line per file that is not one.

    Raises:
        StoreError: There is no such folder.
    """
    runs_dir = Path(runs_dir)
    if not runs_dir.is_dir():
        raise StoreError(f"run folder {runs_dir}: there is no such folder")
    runs, problems = [], []
    for file in sorted(runs_dir.rglob("*.json")):
        parts = file.relative_to(runs_dir).parts
        if parts[0] == SEARCH or any(part.startswith(".") for part in parts):
            continue
        try:
            runs.append(read_run(file))
        except StoreError as error:
            problems.append(str(error))
    return runs, problems


def matching_runs(recipe: Recipe, runs: Iterable[dict]) -> list[dict]:
    """The runs that belong to the cells of a recipe *as it stands now*.

    It does not matter for which table of the recipe a run was made. Runs made with
    other settings are left out. Where several files are the same run
    (the data set changed, or a failure was followed by a success), a finished one wins
    over a failed one and a later one over an earlier one.
    """
    wanted: dict[str, int] = {}
    for cell in recipe.cells:
        key = _key(cell.settings())
        wanted[key] = max(cell.runs, wanted.get(key, 0))
    chosen: dict[tuple, dict] = {}
    for run in runs:
        key = _key(run["cell"])
        if run["recipe"] != recipe.key or run["run"] >= wanted.get(key, 0):
            continue
        best = chosen.get((key, run["run"]))
        if best is None or _rank(run) > _rank(best):
            chosen[key, run["run"]] = run
    order = {key: place for place, key in enumerate(wanted)}
    return [chosen[key] for key in sorted(chosen, key=lambda k: (order[k[0]], k[1]))]


def _key(settings: dict) -> str:
    return json.dumps(settings, sort_keys=True)


def _rank(run: dict) -> tuple:
    return run["status"] in DONE, run.get("finished") or ""
