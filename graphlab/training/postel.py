"""Training on posterior labels, refined by pseudo-labels."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from graphlab.errors import ArgumentError
from graphlab.training.loop import fit
from graphlab.training.problem import FitResult, Problem
from graphlab.transforms import posterior_label_smoothing

_ROUND_SEED_STEP = 104_729  # each round starts from fresh weights


def postel(
    problem: Problem,
    alpha: float = 0.8,
    beta: float = 0.4,
    max_rounds: int = 5,
    **options: Any,
) -> FitResult:
    r"""PosteL with iterative pseudo-labelling, from the `"Posterior Label Smoothing
    for Node Classification" <https://arxiv.org/abs/2406.00410>`_ paper.

    Stage 0 trains on the posterior labels that follow from the training labels. Each
    round then takes the predictions on validation and test nodes as pseudo-labels,
    computes the posterior labels anew and trains a new model from scratch. A replica
    goes on as long as its best validation loss falls; its last improvement is what
    is reported. The official code has no cap on the rounds.

    Args:
        problem: What is trained.
        alpha: Share of the posterior in the targets.
        beta: Share of noise in the posterior.
        max_rounds: Most rounds after stage 0; 0 switches pseudo-labels off.
        **options: Further arguments of
            :func:`graphlab.transforms.posterior_label_smoothing`.

    Returns:
        The replicas. Their ``info`` holds ``rounds`` (pseudo-label rounds that
        lowered the validation loss), ``rounds_run`` and ``capped`` (stopped by
        `max_rounds` while still improving).

    Raises:
        ArgumentError: If `max_rounds` is negative or an option is not accepted.
    """  # noqa: D205
    if not isinstance(max_rounds, int) or max_rounds < 0:
        raise ArgumentError(f"max_rounds must be a number >= 0, got {max_rounds!r}")
    options = {"alpha": alpha, "beta": beta, **options}
    best = fit(problem, _targets(problem, None, options))
    info = [{"rounds": 0, "rounds_run": 0, "capped": False} for _ in problem.seeds]
    active = list(range(problem.num_replicas))
    for number in range(1, max_rounds + 1):
        active = _refine(problem, best, info, active, number, options)
        if not active:
            break
    for replica in active:
        info[replica]["capped"] = max_rounds > 0
    merged = [a | b for a, b in zip(best.info, info, strict=True)]
    return replace(best, info=merged)


def _refine(
    problem: Problem,
    best: FitResult,
    info: list[dict],
    active: Sequence[int],
    number: int,
    options: dict,
) -> list[int]:
    """One round; writes improvements into `best` and returns who improved."""
    seeds = [problem.seeds[r] + number * _ROUND_SEED_STEP for r in active]
    part = problem.select(active, seeds)
    pseudo_label = best.logits[list(active)].argmax(-1)
    result = fit(part, _targets(part, pseudo_label, options))
    improved = []
    for place, replica in enumerate(active):
        info[replica]["rounds_run"] = number
        if result.best_val_loss[place] < best.best_val_loss[replica]:
            _take_over(best, replica, result, place)
            info[replica]["rounds"] = number
            improved.append(replica)
    return improved


def _targets(problem: Problem, pseudo_label: Tensor | None, options: dict) -> Tensor:
    """Soft targets of each replica, :math:`(R, N, C)`."""
    judged = problem.val_mask | problem.test_mask
    return torch.stack(
        [
            posterior_label_smoothing(
                problem.edge_index,
                problem.y,
                mask,
                problem.num_classes,
                pseudo_label=None
                if pseudo_label is None
                else pseudo_label[r].where(judged[r], -1),
                **options,
            )
            for r, mask in enumerate(problem.train_mask)
        ]
    )


def _take_over(best: FitResult, replica: int, result: FitResult, place: int) -> None:
    best.logits[replica] = result.logits[place]
    names = ("state_dicts", "best_epoch", "epochs", "best_val_loss")
    for name in (*names, "best_val_accuracy", "best_val_roc_auc", "info"):
        getattr(best, name)[replica] = getattr(result, name)[place]
