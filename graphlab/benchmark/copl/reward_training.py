"""Training with the Trainer of transformers, from a checkpoint if there is one."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphlab.benchmark.copl.records import Listener
from graphlab.benchmark.copl.reward_config import RewardConfig
from graphlab.benchmark.store import write_json
from graphlab.errors import ArgumentError, StoreError

if TYPE_CHECKING:
    from graphlab.lora import PreferenceCollator, RewardModel

SAVES = 6  # checkpoints a training


def fit(
    model: "RewardModel",
    collator: "PreferenceCollator",
    pairs: list[dict[str, Any]],
    config: RewardConfig,
    folder: Path,
    made_from: dict[str, str],
    progress: Listener | None = None,
) -> None:
    """Train a model in place.

    Args:
        model: The model.
        collator: What makes batches.
        pairs: The pairs to train on.
        config: Settings.
        folder: Folder of checkpoints; those of other settings are removed.
        made_from: What else a checkpoint must have been made from to be gone on with.
        progress: Told of each step.

    Raises:
        StoreError: If the folder cannot be written to, or a checkpoint not be read.
    """
    import torch
    from transformers import PrinterCallback

    from graphlab.lora import reward_trainer

    resume = _claim(folder, config.as_dict() | {"made_from": made_from})
    with torch.random.fork_rng(devices=[]):
        trainer = reward_trainer(
            model,
            collator,
            pairs,
            output_dir=folder,
            max_steps=config.steps,
            per_device_train_batch_size=config.batch_size,
            learning_rate=config.lr,
            weight_decay=config.weight_decay,
            seed=config.seed,
            save_strategy="steps",
            save_steps=max(1, -(-config.steps // SAVES)),
            logging_strategy="no",
            use_cpu=not torch.cuda.is_available(),
        )
        trainer.remove_callback(PrinterCallback)
        if progress is not None:
            trainer.add_callback(_reporter(progress))
        try:
            trainer.train(_last_checkpoint(folder) if resume else None)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            if not resume or isinstance(error, ArgumentError):
                raise
            raise StoreError(
                f"{folder}: cannot go on from there ({error}); remove it to start anew"
            ) from error


def _claim(folder: Path, settings: dict[str, Any]) -> bool:
    """Whether checkpoints of these settings are there; others are removed."""
    file = folder / "settings.json"
    settings = json.loads(json.dumps(settings))
    try:
        same = json.loads(file.read_text(encoding="utf-8")) == settings
    except (OSError, ValueError):
        same = False
    if not same:
        shutil.rmtree(folder, ignore_errors=True)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or error
            raise StoreError(f"{folder}: cannot be written: {reason}") from None
        write_json(file, settings)
    return same


def _last_checkpoint(folder: Path) -> str | None:
    """The last checkpoint that was written to its end, which is the Trainer's state."""
    found = []
    for file in folder.glob("checkpoint-*/trainer_state.json"):
        try:
            found.append((json.loads(file.read_bytes())["global_step"], file.parent))
        except (OSError, ValueError, KeyError):
            continue
    return str(max(found)[1]) if found else None


def _reporter(progress: Listener):
    from transformers import TrainerCallback

    class Reporter(TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs) -> None:
            progress("training", state.global_step, state.max_steps)

    return Reporter()
