"""Reward models that read texts: users seen and unseen, responses seen and new.

A data set is named SOURCE-ANNOTATIONS, e.g. ``style-8`` or ``jester-16``, of a source
with texts; the index of a run is the seed of its users, pairs, texts and weights. The
"models" of its tables are settings of one, ``RewardConfig``: how the user comes in,
and the language model. User vectors are those of a graph model, whose setting is chosen
on validation pairs as in the graph's tables; unseen users get theirs without training.

Needs the extra ``lm``, and what the language model needs: without it the cells are
recorded as unavailable.
"""

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphlab.benchmark.copl.models import model_name
from graphlab.benchmark.copl.reward_backbones import require_named, short_name
from graphlab.benchmark.copl.reward_config import RewardConfig, RewardTraining
from graphlab.benchmark.copl.reward_users import graph_users
from graphlab.benchmark.copl.scores import without_counts
from graphlab.benchmark.copl.sources import SOURCES
from graphlab.benchmark.recent import Recent
from graphlab.benchmark.recipe import Cell
from graphlab.benchmark.tasks import preferences
from graphlab.benchmark.toml_reader import nearest
from graphlab.errors import ArgumentError, DatasetError, GraphlabError, RecipeError

if TYPE_CHECKING:
    from graphlab.lora import UserVectors
    from graphlab.training import Progress

TRAINING_KEYS: dict[str, type] = {
    "steps": int,
    "batch_size": int,
    "lr": float,
    "weight_decay": float,
    "balance_weight": float,
}
SPLIT_KEYS: dict[str, type] = preferences.SPLIT_KEYS | {
    "num_new": int,
    "new_prompts": int,
    "new_items": int,
    "num_groups": int,
}
#: ``users``: the graph model; ``most_pairs``: how many of each part are judged.
MODEL_KEYS: dict[str, type] = {"users": str, "most_pairs": int}
METRICS = ("seen_accuracy", "unseen_accuracy", "seen_new", "unseen_new")
LABELS = False
CHANNELS = ()
ITEMS = "pairs"
TOGETHER = False

TEXTS = ("style", "jester")
USERS, PAIRS = "CoPL-GCF released", 2000
#: Metric -> the part of an evaluation.
_PARTS = {
    "seen_accuracy": "seen",
    "unseen_accuracy": "unseen",
    "seen_new": "seen, new responses",
    "unseen_new": "unseen, new responses",
}


def check_names(cell: Cell) -> None:
    """Refuse an unknown data set, split or graph model, and a source without texts.

    Raises:
        RecipeError: The message names the key.
    """
    source = cell.dataset.rpartition("-")[0]
    if source in SOURCES and source not in TEXTS:
        raise RecipeError(
            f"dataset: source {source!r} has no texts; there are {', '.join(TEXTS)}"
        )
    preferences.check_names(cell)
    for key in cell.split_args:
        if key not in SOURCES[source].sizes:
            raise RecipeError(
                f"split_args.{key}: source {source!r} has no such size; it has "
                f"{', '.join(SOURCES[source].sizes)}"
            )


def config(cell: Cell) -> RewardTraining:
    """The settings of the training, checked with those of the model.

    Raises:
        ArgumentError: A value is out of its range, or a setting unknown.
    """
    settings_of(cell)
    return RewardTraining(**cell.training)


def settings_of(cell: Cell) -> RewardConfig:
    """All settings of the reward model.

    Raises:
        ArgumentError: A value is out of its range, or a setting unknown.
    """
    model_name(cell.model_args.get("users", USERS))
    args = {k: v for k, v in cell.model_args.items() if k not in MODEL_KEYS}
    try:
        return RewardConfig(**args, **cell.training)
    except TypeError as error:
        raise ArgumentError(f"model_args: {error}") from None


class RewardData(preferences.PreferenceData):
    """The splits of each run, and their users by a graph model."""

    def __init__(self, name: str, data_root: Path | None = None) -> None:
        super().__init__(name, data_root)
        self._users = Recent(preferences.KEPT)
        self._states = tempfile.TemporaryDirectory(prefix="graphlab-")

    def states(self, settings: RewardConfig) -> Path:
        """Folder for what the layers below LoRA give, shared by runs and methods."""
        name = f"{short_name(settings.backbone)}-{settings.layers}"
        return Path(self._states.name) / name

    def users(self, run: int, split_args: dict[str, int], model: str) -> "UserVectors":
        """Vectors of seen and unseen users; the last few are kept."""
        key = (run, model, *sorted(split_args.items()))
        return self._users.get(
            key, lambda: graph_users(self.split(run, split_args), model, run)
        )


def load(cell: Cell, data_root: Path | None = None) -> RewardData:
    """What users, pairs and texts are drawn from.

    Raises:
        DatasetError: It is not available.
    """
    return RewardData(cell.dataset, data_root)


def train(
    cell: Cell,
    data: RewardData,
    runs: Sequence[int],
    data_root: Path | None = None,
    progress: "Callable[[Progress], None] | None" = None,
) -> list[dict[str, Any]]:
    """Train the given runs; for each what its file says of split and outcome.

    Raises:
        DatasetError: The language model, or what it needs, is not installed.
        RecipeError: The model is something else than settings of one.
    """
    if not cell.model.endswith(":RewardConfig"):
        hint = nearest(cell.model, [f"{RewardConfig.__module__}:RewardConfig"])
        raise RecipeError(f"model: unknown {cell.model!r} for task 'reward'; {hint}")
    try:
        require_named(settings_of(cell).backbone)
    except GraphlabError as error:
        raise DatasetError(str(error)) from error
    return [_outcome(cell, data, run, progress) for run in runs]


def validate(
    cell: Cell, data: RewardData, runs: Sequence[int], data_root: Path | None = None
) -> list[dict[str, float]]:
    """Train the given runs; for each the accuracy on validation pairs of seen users."""
    found = []
    for run in runs:
        record, _ = _trained(cell, data, run, None, judge=False)
        found.append(dict.fromkeys(METRICS, record["val_accuracy"]))
    return found


def _trained(cell: Cell, data: RewardData, run: int, progress, judge: bool = True):
    """The record of a training, and its evaluation."""
    from graphlab.benchmark.copl.reward_stage import evaluate_reward, train_reward

    split = data.split(run, cell.split_args)
    graph = model_name(cell.model_args.get("users", USERS))
    users = data.users(run, cell.split_args, graph)
    settings = replace(settings_of(cell), seed=run)
    if settings.personal and "user_scale" not in cell.model_args and graph != USERS:
        settings = replace(settings, user_scale="standard")
    with tempfile.TemporaryDirectory() as folder:
        tell, states = _told(progress), data.states(settings)
        model = train_reward(split, users, settings, folder, tell, states=states)
        record = json.loads((Path(folder) / "reward.json").read_text(encoding="utf-8"))
        if not judge:
            return record, {}
        most = cell.model_args.get("most_pairs", PAIRS)
        return record, evaluate_reward(
            *(model, split, users, settings, tell), max_pairs=most, states=states
        )


def _told(progress: "Callable[[Progress], None] | None"):
    if progress is None:
        return None
    from graphlab.training import Progress

    return lambda text, done, total: progress(Progress(text, done, total))


def _outcome(cell: Cell, data: RewardData, run: int, progress) -> dict[str, Any]:
    from graphlab.preference.data.split_files import split_checksum

    record, parts = _trained(cell, data, run, progress)
    short = {part: without_counts(one) for part, one in parts.items()}
    test = {
        metric: parts[part]["accuracy"]
        for metric, part in _PARTS.items()
        if part in parts
    }
    facts = {
        "controversial_seen": parts["seen"]["controversial"],
        "common_seen": parts["seen"]["common"],
    }
    return {
        "seed": run,
        "split_index": run,
        "split_seed": run,
        "split_checksum": split_checksum(data.split(run, cell.split_args)),
        "metrics": {"val": {"seen_accuracy": record["val_accuracy"]}, "test": test},
        "info": {"parts": short, "settings": record["settings"], "model": facts},
        "best_epoch": record["settings"]["steps"] - 1,
        "epochs": record["settings"]["steps"],
        "selection": "the last step; nothing is chosen on the pairs of the run",
        "num_parameters": record["num_parameters"],
    }
