"""Training of reward models with the Trainer of transformers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from graphlab.errors import ArgumentError, GraphlabError
from graphlab.lora._extra import require
from graphlab.lora.collator import PreferenceCollator
from graphlab.lora.reward_model import RewardModel

if TYPE_CHECKING:
    from transformers import Trainer, TrainingArguments


def reward_trainer(
    model: RewardModel,
    collator: PreferenceCollator,
    train: Sequence[Mapping[str, Any]],
    evaluation: Sequence[Mapping[str, Any]] | None = None,
    *,
    args: "TrainingArguments | None" = None,
    output_dir: str | Path | None = None,
    **settings: Any,
) -> "Trainer":
    r"""A ``transformers.Trainer`` for a reward model.

    Its ``train()`` minimizes the Bradley-Terry loss of :class:`RewardModel`, its
    ``evaluate()`` gives ``eval_accuracy``; checkpoints hold what is trained and not the
    backbone. Mixed precision (``bf16=True``), gradient checkpointing
    (``activation_checkpointing=True``), several processes (``accelerate launch`` or
    ``torchrun``) and resuming are the Trainer's.

    Args:
        model: The model.
        collator: What makes batches of preferences.
        train: Preferences, see :class:`PreferenceCollator`.
        evaluation: Preferences to evaluate on.
        args: All arguments of the Trainer; ``label_names`` and
            ``remove_unused_columns`` are set.
        output_dir: Folder of checkpoints if ``args`` are not given.
        **settings: Changes to the recipe of the `CoPL
            <https://arxiv.org/abs/2503.01658>`_ code if ``args`` are not given: 1500
            steps of 32 preferences, AdamW with learning rate 5e-5 and weight decay
            1e-3, 3% warm-up, then cosine. Nothing is reported or saved before the end.

    Raises:
        GraphlabError: If ``transformers`` is not installed, or one process sees
            several GPUs.
        ArgumentError: If there are no preferences.

    Example:
        >>> import tempfile
        >>> from graphlab.lora import PreferenceCollator, UserVectors, tiny_phi3
        >>> model = RewardModel.with_experts(tiny_phi3(), 2, num_experts=2)
        >>> users = UserVectors(torch.eye(2), ["ann", "bob"])
        >>> pairs = [{"user": "ann", "winner": [5, 6], "loser": [7]}]
        >>> trainer = reward_trainer(
        ...     model, PreferenceCollator(users=users), pairs,
        ...     output_dir=tempfile.mkdtemp(), max_steps=1, use_cpu=True,
        ... )
        >>> len(trainer.train_dataset)
        1
    """
    transformers = require("transformers")
    for name, pairs in (("train", train), ("evaluation", evaluation)):
        if pairs is not None and not len(pairs):
            raise ArgumentError(f"{name} must hold at least one preference")
    if args is None:
        if output_dir is None:
            raise ArgumentError("give args or output_dir")
        args = transformers.TrainingArguments(str(output_dir), **{**RECIPE, **settings})
    elif settings or output_dir is not None:
        raise ArgumentError(f"args have all settings, also given: {list(settings)}")
    if args.n_gpu > 1:
        raise GraphlabError(
            f"one process with {args.n_gpu} GPUs: start one process for each, with "
            "'accelerate launch' or 'torchrun', or set CUDA_VISIBLE_DEVICES"
        )
    args.label_names, args.remove_unused_columns = ["users"], False
    if args.ddp_find_unused_parameters is None:
        args.ddp_find_unused_parameters = False
    return _trainer_class(transformers)(
        model=model,
        args=args,
        data_collator=collator,
        train_dataset=_Pairs(train),
        eval_dataset=None if evaluation is None else _Pairs(evaluation),
        compute_metrics=_accuracy,
    )


#: The released recipe; its batch is 32 preferences per process.
RECIPE: dict[str, Any] = {
    "max_steps": 1500,
    "per_device_train_batch_size": 32,
    "per_device_eval_batch_size": 32,
    "learning_rate": 5e-5,
    "weight_decay": 1e-3,
    "lr_scheduler_type": "cosine",
    "warmup_steps": 0.03,  # a share of all steps
    "report_to": "none",
    "save_strategy": "no",
    "disable_tqdm": True,
}


@torch.no_grad()
def score_pairs(
    model: RewardModel,
    collator: PreferenceCollator,
    pairs: Sequence[Mapping[str, Any]],
    batch_size: int = 32,
) -> Tensor:
    r"""Rewards of winners and losers, without noise or dropout.

    Args:
        model: The model; it is in the mode it was in afterwards.
        collator: What makes batches of preferences.
        pairs: :math:`N` preferences.
        batch_size: Preferences per call; those of like length go together.

    Returns:
        Rewards :math:`(N, 2)`, on the CPU, in the order of the preferences.
    """
    lengths = [
        max(len(collator.tokens(pair[side])) for side in ("winner", "loser"))
        for pair in pairs
    ]
    order = sorted(range(len(pairs)), key=lengths.__getitem__)
    rewards = torch.empty(len(pairs), 2)
    training, device = model.training, model.head_device
    model.eval()
    try:
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            batch = collator([pairs[row] for row in rows])
            moved = {
                k: v.to(device) if isinstance(v, Tensor) else v
                for k, v in batch.items()
            }
            rewards[rows] = model(**moved)["rewards"].float().cpu()
    finally:
        model.train(training)
    return rewards


class _Pairs(torch.utils.data.Dataset):
    """A sequence of preferences as the dataset that the Trainer wants."""

    def __init__(self, pairs: Sequence[Mapping[str, Any]]):
        self.pairs = pairs

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        return self.pairs[index]


def _accuracy(evaluated: Any) -> dict[str, float]:
    """Share of preferences with the winner ahead; a tie counts half."""
    rewards = torch.as_tensor(evaluated.predictions)
    margin = rewards[:, 0] - rewards[:, 1]
    hits = (margin > 0).double() + 0.5 * (margin == 0).double()
    return {"accuracy": float(hits.mean()), "margin": float(margin.double().mean())}


def _trainer_class(transformers: Any) -> type:
    class RewardTrainer(transformers.Trainer):
        """Saves what is trained, in the format of `RewardModel.save_pretrained`."""

        def _save(self, output_dir=None, state_dict=None) -> None:
            if self.args.should_save:
                model = self.accelerator.unwrap_model(self.model)
                folder = Path(output_dir or self.args.output_dir)
                model.save_pretrained(folder)

    return RewardTrainer
