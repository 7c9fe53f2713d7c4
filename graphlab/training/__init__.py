"""Full-batch training of node classifiers, all replicas of a cell at once."""

from graphlab.datasets import constant_majority
from graphlab.training.config import Progress, TrainingConfig
from graphlab.training.label_methods import (
    knowledge_distillation,
    label_smoothing,
    no_smoothing,
)
from graphlab.training.loop import fit
from graphlab.training.losses import SoftTargets
from graphlab.training.metrics import evaluate, is_collapsed
from graphlab.training.postel import postel
from graphlab.training.problem import FitResult, Problem

__all__ = [
    "FitResult",
    "Problem",
    "Progress",
    "SoftTargets",
    "TrainingConfig",
    "constant_majority",
    "evaluate",
    "fit",
    "is_collapsed",
    "knowledge_distillation",
    "label_smoothing",
    "no_smoothing",
    "postel",
]
