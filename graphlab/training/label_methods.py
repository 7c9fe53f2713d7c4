"""Label methods that need one training (and the teacher of distillation).

A label method turns a :class:`Problem` into a :class:`FitResult`. Recipes name it by
import path, so a user's own function with the same signature is used in the same way.
"""

from dataclasses import replace

import torch

from graphlab.errors import ArgumentError
from graphlab.training.loop import fit
from graphlab.training.losses import SoftTargets
from graphlab.training.problem import FitResult, Problem
from graphlab.transforms import label_smoothing as smooth

_TEACHER_SEED_STEP = 7_919  # teachers must not start from the student's weights


def no_smoothing(problem: Problem) -> FitResult:
    """Trains on the one-hot labels."""
    return fit(problem)


def label_smoothing(problem: Problem, beta: float = 0.1) -> FitResult:
    r"""Trains on uniformly smoothed labels.

    .. math::
        \hat{e}_i = (1 - \beta) e_i + \frac{\beta}{K - 1} (1 - e_i)

    Args:
        problem: What is trained.
        beta: Share :math:`\beta` of the label that goes to the other classes.
    """
    y = problem.y.clamp(0, problem.num_classes - 1)  # rows outside the masks are unused
    return fit(problem, smooth(y, problem.num_classes, beta))


def knowledge_distillation(
    problem: Problem, temperature: float = 4.0, teachers: int = 3, weight: float = 0.5
) -> FitResult:
    r"""Trains on the labels and on the softened scores of an ensemble of teachers.

    .. math::
        \mathcal{L} = (1 - w) \, \mathrm{CE}(e_i, \mathrm{softmax}(z_i)) + w \tau^2
        \, \mathrm{CE}(\mathrm{softmax}(\bar{z}_i / \tau), \mathrm{softmax}(z_i / \tau))

    with :math:`\bar{z}` the mean scores of the teachers, which are models of the same
    kind trained on the one-hot labels.

    Args:
        problem: What is trained.
        temperature: Softening :math:`\tau`; PosteL's comparison uses 4.
        teachers: Number of teachers; PosteL's comparison uses 3.
        weight: Weight :math:`w` of the distillation term. PosteL does not state it.

    Raises:
        ArgumentError: If an argument is out of its range.
    """
    if not temperature > 0:
        raise ArgumentError(f"temperature must be positive, got {temperature!r}")
    if not isinstance(teachers, int) or teachers < 1:
        raise ArgumentError(f"teachers must be a positive number, got {teachers!r}")
    if not 0 <= weight <= 1:
        raise ArgumentError(f"weight must lie in [0, 1], got {weight!r}")
    scores = [_teacher_scores(problem, k) for k in range(1, teachers + 1)]
    soft = torch.softmax(torch.stack(scores).mean(0) / temperature, -1)
    terms = [
        SoftTargets(problem.one_hot, weight=1 - weight),
        SoftTargets(soft, temperature, weight),
    ]
    return fit(problem, [term for term in terms if term.weight > 0])


def _teacher_scores(problem: Problem, number: int) -> torch.Tensor:
    seeds = tuple(seed + number * _TEACHER_SEED_STEP for seed in problem.seeds)
    return fit(replace(problem, seeds=seeds)).logits
