"""Margins of a reward model on tables of pairs, and what they amount to."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from graphlab.benchmark.copl.reward_model import pairs_of, responses_of
from graphlab.benchmark.copl.scores import pair_scores
from graphlab.errors import ArgumentError

if TYPE_CHECKING:
    import pandas as pd

    from graphlab.lora import PreferenceCollator, RewardModel

BATCH = 32  # pairs, or responses
_FIGURES = ("accuracy", "low", "high", "controversial", "common")


def margins(
    model: "RewardModel",
    collator: "PreferenceCollator",
    table: "pd.DataFrame",
    progress: Callable[[int, int], None] | None = None,
) -> Tensor:
    """By how much each pair's winner is ahead.

    Where the user comes in after the language model, or not at all, each response is
    read once, whatever the number of pairs.
    """
    if model.router is None:
        return _from_states(model, collator, table, progress)
    from graphlab.lora import score_pairs

    rewards, pairs = [], pairs_of(table)
    step = 16 * BATCH  # lengths are sorted within
    for start in range(0, len(pairs), step):
        some = pairs[start : start + step]
        rewards.append(score_pairs(model, collator, some, BATCH))
        if progress is not None:
            progress(start + len(some), len(pairs))
    rewards = torch.cat(rewards)
    return rewards[:, 0] - rewards[:, 1]


@torch.no_grad()
def _from_states(model, collator, table, progress) -> Tensor:
    responses = sorted(responses_of(table), key=lambda r: len(collator.tokens(r)))
    row = {each: number for number, each in enumerate(responses)}
    device, states, training = model.head_device, [], model.training
    model.eval()
    try:
        for start in range(0, len(responses), BATCH):
            some = responses[start : start + BATCH]
            states.append(_states(model, collator.batch(some), len(some), device))
            if progress is not None:
                progress(start + len(some), len(responses))
        states, user = torch.cat(states), None
        if collator.users is not None:
            users = collator.users.rows(table["user"].tolist())
            user = collator.users.vectors[users].to(device)
        winner, loser = (
            model.head(states[[row[each] for each in table[side].tolist()]], user)
            for side in ("winner", "loser")
        )
    finally:
        model.train(training)
    return (winner - loser).cpu()


def _states(model: "RewardModel", batch: dict, count: int, device) -> Tensor:
    gates = None
    if model.context is not None:
        gates = torch.ones(count, model.context.num_experts, device=device)
    moved = {name: each.to(device) for name, each in batch.items()}
    inputs = (moved.get("input_ids"), moved["attention_mask"], moved.get("prefix"))
    return model.last_state(*inputs, gates)


def score(margin: Tensor, table: "pd.DataFrame") -> dict[str, Any]:
    """Accuracy with interval, parts, and the counts of each user."""
    user = torch.from_numpy(np.unique(table["user"], return_inverse=True)[1])
    return pair_scores(margin, user, table, _FIGURES)


def capped(table: "pd.DataFrame", most: int | None, seed: int) -> "pd.DataFrame":
    """At most so many rows, drawn at random, in their order.

    Raises:
        ArgumentError: If the number is no whole number of at least 1.
    """
    if most is None:
        return table
    if not isinstance(most, int) or isinstance(most, bool) or most < 1:
        raise ArgumentError(f"max_pairs must be a whole number >= 1, got {most!r}")
    if len(table) <= most:
        return table
    chosen = np.random.default_rng(seed).permutation(len(table))[:most]
    return table.iloc[np.sort(chosen)].reset_index(drop=True)
