"""``graphlab copl train-reward`` on the folder of a run, and what ``evaluate`` asks."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphlab.benchmark.copl.records import Listener, Outcome, read_record
from graphlab.benchmark.copl.reward_backbones import short_name
from graphlab.benchmark.copl.reward_config import RewardConfig
from graphlab.benchmark.copl.reward_stage import (
    RECORD,
    evaluate_reward,
    reward_config,
    train_reward,
)
from graphlab.benchmark.copl.run_folder import RunFolder
from graphlab.benchmark.store import plain
from graphlab.errors import ArgumentError, StoreError

if TYPE_CHECKING:
    from graphlab.lora import UserVectors
    from graphlab.preference import PreferenceSplit

#: Most pairs of a part that a model is judged on if nothing is said.
PAIRS = 2000


def train_run_reward(
    folder: str | Path,
    config: RewardConfig,
    name: str | None = None,
    *,
    force: bool = False,
    listener: Listener | None = None,
) -> Outcome:
    """Train a reward model on the pairs and user vectors of a run.

    Args:
        folder: The folder of the run, with a trained graph model.
        config: Settings.
        name: Name of the model in the run; by default that of its method.
        force: Whether to replace a model of other settings.
        listener: Told what is being done.

    Raises:
        ArgumentError: A value is not accepted, or the source has no texts.
        StoreError: A stage is missing, or a file damaged.
    """
    run = RunFolder(folder)
    run.current("graph", "split")
    target = run.path / "rewards" / _checked(name or default_name(config))
    made_from = {"graph": run.current_id("graph")}
    before = read_record(target / RECORD)
    train_reward(
        *(run.split(), users_of_run(run, adapted=False), config, target, listener),
        made_from=made_from,
        states=_states(run, config),
        force=force,
    )
    record = read_record(target / RECORD)
    return Outcome(record, resumed=record == before)


def evaluate_run_reward(
    run: RunFolder,
    folder: Path,
    split: "PreferenceSplit",
    max_pairs: int | None = None,
    listener: Listener | None = None,
) -> dict[str, dict[str, Any]]:
    """Accuracy of a reward model of a run; see :func:`evaluate_reward`.

    Without ``graphlab copl adapt`` a model that knows the user is judged on seen users
    alone.

    Args:
        run: The folder of the run.
        folder: That of the model.
        split: The run's users and pairs.
        max_pairs: Most pairs of each part, ``PAIRS`` by default.
        listener: Told what is being done.

    Raises:
        StoreError: The model belongs to another graph model, or a file is damaged.
    """
    config, record = reward_config(folder), read_record(folder / RECORD)
    if record["made_from"] != {"graph": run.current_id("graph")}:
        raise StoreError(
            f"{folder}: was trained with user vectors of another graph model; run "
            f"`graphlab copl train-reward --out {run.path} --name {folder.name} "
            "--force` again, or remove it"
        )
    adapted = run.has("adapted")
    if not adapted and config.personal:
        none = split.unseen_test.iloc[:0]
        split = replace(split, unseen_test=none, unseen_new_test=none)
    return evaluate_reward(
        *(folder, split, users_of_run(run, adapted), config, listener),
        max_pairs=max_pairs or PAIRS,
        states=_states(run, config),
    )


def users_of_run(run: RunFolder, adapted: bool = True) -> "UserVectors":
    """Vectors of seen users by id, and of unseen ones if wanted.

    Raises:
        StoreError: They are not there, or damaged.
    """
    import torch

    from graphlab.lora import UserVectors

    tables = [run.user_vectors(), *([run.adapted()] if adapted else [])]
    ids = [each for table in tables for each in table.ids.ids]
    return UserVectors(torch.cat([table.vectors for table in tables]), ids)


def default_scale(folder: str | Path) -> str:
    """How user vectors are scaled if nothing is said: as the graph model means them.

    Raises:
        StoreError: There is no graph model.
    """
    return "unit" if RunFolder(folder).require("graph")["unit_users"] else "standard"


def default_name(config: RewardConfig) -> str:
    """Name of a model in a run."""
    return config.method if config.layers else f"{config.method}-head"


def _checked(name: str) -> str:
    if not name or name.startswith(".") or plain(name) != name:
        raise ArgumentError(
            f"name must be a name for a folder: letters, digits, - and _; got {name!r}"
        )
    return name


def _states(run: RunFolder, config: RewardConfig) -> Path:
    """Where the states of responses lie that models of this depth share."""
    depth = f"{short_name(config.backbone)}-{config.layers}"
    return run.path / "rewards" / ".states" / depth
