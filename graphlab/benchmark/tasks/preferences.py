"""Pairwise preferences: models of users and responses, seen and unseen users.

A data set is named SOURCE-ANNOTATIONS, e.g. ``uf2-8`` or ``jester-16``; the index of a
run is the seed of its users, pairs, noise and weights, so that the models of one run
meet the same pairs. ``model_args`` may hold ``choose``, a list of settings of model or
training: all are trained, and the best on validation pairs of seen users is tested.
"""

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphlab.benchmark.copl.models import CONFIG_KEYS, PENALTY_KEYS, GraphModel
from graphlab.benchmark.copl.scores import without_counts
from graphlab.benchmark.copl.sources import SOURCES, check_source, load_split
from graphlab.benchmark.imports import resolve
from graphlab.benchmark.recent import Recent
from graphlab.benchmark.recipe import Cell
from graphlab.benchmark.toml_reader import has_kind, kind_in_words, nearest
from graphlab.errors import ArgumentError, RecipeError

if TYPE_CHECKING:  # torch is imported when a cell is trained, not before
    from graphlab.preference import PreferenceSplit
    from graphlab.training import PreferenceConfig, Progress

#: The fields of ``graphlab.training.PreferenceConfig``; a test holds the two equal.
TRAINING_KEYS: dict[str, type] = CONFIG_KEYS
SPLIT_KEYS: dict[str, type] = {"num_users": int, "num_unseen": int, "num_test": int}
MODEL_KEYS: dict[str, type] = PENALTY_KEYS | {"choose": list}
METRICS = ("seen_accuracy", "unseen_accuracy", "fold_in_accuracy")
LABELS = False
CHANNELS = ("num_users", "num_responses")
ITEMS = "pairs"
TOGETHER = False

SPLIT = "unseen-users"
KEPT = 5  # splits, those of the runs of a cell
#: Few users, for a checksum of what the source is made of.
_FEW = {"num_users": 50, "num_unseen": 10}


def parts_of(dataset: str) -> tuple[str, int]:
    """Source and annotations of a data set.

    Raises:
        RecipeError: It has another form, or there is no such source.
    """
    source, _, number = dataset.rpartition("-")
    if not number.isdecimal() or not source:
        raise RecipeError(
            f"dataset: {dataset!r} must be SOURCE-ANNOTATIONS, such as uf2-8"
        )
    named = [name for name in SOURCES if name != "pairs"]  # that one needs a file
    if source not in named:
        raise RecipeError(
            f"dataset: unknown source {source!r}; {nearest(source, named)}"
        )
    try:
        check_source(source, int(number))
    except ArgumentError as error:
        raise RecipeError(f"dataset: {dataset}: {error}") from None
    return source, int(number)


def check_names(cell: Cell) -> None:
    """Refuse an unknown data set or split.

    Raises:
        RecipeError: The message names the key.
    """
    parts_of(cell.dataset)
    if cell.split != SPLIT:
        hint = nearest(cell.split, [SPLIT])
        raise RecipeError(f"split: unknown {cell.split!r} for preferences; {hint}")
    for key, value in cell.split_args.items():
        if value < 1:
            raise RecipeError(f"split_args.{key}: must be at least 1")


def config(cell: Cell) -> "PreferenceConfig":
    """The training settings, those to choose from checked as well.

    Raises:
        ArgumentError: A value is out of its range.
        RecipeError: A setting to choose from is none.
    """
    from graphlab.training import PreferenceConfig

    for number, setting in enumerate(_choose(cell)):
        where = f"model_args.choose[{number}]"
        if not isinstance(setting, dict):
            raise RecipeError(f"{where}: must be a table, not {kind_in_words(setting)}")
        for key, kind in (CONFIG_KEYS | PENALTY_KEYS).items():
            if key in setting and not has_kind(setting[key], kind):
                word = kind_in_words(setting[key])
                raise RecipeError(
                    f"{where}.{key}: must be a {kind.__name__}, not {word}"
                )
        own = {key: setting[key] for key in CONFIG_KEYS if key in setting}
        PreferenceConfig(**cell.training | own)
        _check_arguments(cell, setting, where)
    return PreferenceConfig(**cell.training)


def _check_arguments(cell: Cell, setting: dict[str, Any], where: str) -> None:
    """Refuse an argument that the model does not take."""
    try:
        taken = inspect.signature(resolve(cell.model)).parameters
    except Exception:
        return  # what is wrong with the model itself is found elsewhere
    if any(each.kind is each.VAR_KEYWORD for each in taken.values()):
        return
    known = [*taken, *CONFIG_KEYS, *PENALTY_KEYS]
    for key in setting:
        if key not in known:
            hint = nearest(key, [name for name in known if name not in CHANNELS])
            raise RecipeError(f"{where}: no setting is called {key!r}; {hint}")


def _choose(cell: Cell) -> list:
    found = cell.model_args.get("choose", [{}])
    if not isinstance(found, list) or not found:
        raise RecipeError("model_args.choose: must be a list of tables")
    return found


def model_of(cell: Cell) -> GraphModel:
    """The model of a cell with the settings to choose from."""
    args = {k: v for k, v in cell.model_args.items() if k != "choose"}
    return GraphModel(cell.model, args, cell.training, _choose(cell))


class PreferenceData:
    """The splits of each run.

    ``checksum`` is that of a small draw: it tells one version of the source from
    another.
    """

    def __init__(self, name: str, data_root: Path | None = None) -> None:
        from graphlab.preference.data.split_files import split_checksum

        self.source, self.annotations = parts_of(name)
        self.data_root = data_root
        self._splits = Recent(KEPT)
        self.checksum = split_checksum(self._load(0, _FEW))

    def split(self, run: int, split_args: dict[str, int]) -> "PreferenceSplit":
        """Users and pairs of a run; the last few are kept, for the other models."""
        key = (run, *sorted(split_args.items()))
        return self._splits.get(key, lambda: self._load(run, split_args))

    def _load(self, seed: int, sizes: dict[str, int]) -> "PreferenceSplit":
        return load_split(
            self.source,
            annotations=self.annotations,
            seed=seed,
            data_root=self.data_root,
            **sizes,
        )


def load(cell: Cell, data_root: Path | None = None) -> PreferenceData:
    """What users and pairs are drawn from.

    Raises:
        DatasetError: It is not available.
    """
    return PreferenceData(cell.dataset, data_root)


def train(
    cell: Cell,
    data: PreferenceData,
    runs: Sequence[int],
    data_root: Path | None = None,
    progress: "Callable[[Progress], None] | None" = None,
) -> list[dict[str, Any]]:
    """Train the given runs; for each what its file says of split and outcome."""
    return [_outcome(cell, data, run, progress) for run in runs]


def validate(
    cell: Cell, data: PreferenceData, runs: Sequence[int], data_root: Path | None = None
) -> list[dict[str, float]]:
    """Train the given runs; for each the accuracy on its validation pairs.

    Unseen users have none: their metric is chosen by what there is of seen users.
    """
    from graphlab.benchmark.copl.graph_stage import fit_chosen

    found = []
    for run in runs:
        split = data.split(run, cell.split_args)
        chosen = fit_chosen(model_of(cell), split.graph(), split.val, run)
        found.append(dict.fromkeys(METRICS, chosen.val_accuracy))
    return found


def _outcome(
    cell: Cell, data: PreferenceData, run: int, progress: Callable | None
) -> dict[str, Any]:
    from graphlab.benchmark.copl.graph_stage import (
        SELECTION,
        fit_chosen,
        score_seen,
        score_unseen,
    )
    from graphlab.preference.data.split_files import split_checksum

    split = data.split(run, cell.split_args)
    graph = split.graph()
    chosen = fit_chosen(model_of(cell), graph, split.val, run, progress)
    seen = score_seen(chosen.vectors, graph, split.test)
    unseen = score_unseen(chosen.vectors, graph, split)
    info = {
        "setting": chosen.setting,
        "tried": chosen.tried,
        "seen": without_counts(seen),
        "unseen": {rule: without_counts(one) for rule, one in unseen.items()},
        "model": _facts(seen, unseen),
    }
    return {
        "seed": run,
        "split_index": run,
        "split_seed": run,
        "split_checksum": split_checksum(split),
        "metrics": {
            "val": {"seen_accuracy": chosen.val_accuracy},
            "test": {
                "seen_accuracy": seen["accuracy"],
                "unseen_accuracy": unseen["two_hop"]["accuracy"],
                "fold_in_accuracy": unseen["fold_in"]["accuracy"],
            },
        },
        "info": info,
        "best_epoch": chosen.best_epoch,
        "epochs": chosen.epochs,
        "selection": f"{SELECTION}, as the setting is chosen",
        "num_parameters": chosen.num_parameters,
    }


def _facts(seen: dict[str, Any], unseen: dict[str, dict]) -> dict[str, float]:
    """What a report shows beside the table's metric."""
    return {
        "controversial_seen": seen["controversial"],
        "controversial_unseen": unseen["two_hop"]["controversial"],
        "unseen_by_mean": unseen["mean"]["accuracy"],
        "neighbors": unseen["two_hop"]["neighbors"],
    }
