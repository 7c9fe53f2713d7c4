"""Full-batch training of node classifiers, and of encoders on pairs of nodes."""

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
from graphlab.training.pair_config import PairConfig, PairResult
from graphlab.training.pair_score import PairScore, pair_roc_auc
from graphlab.training.pairs import fit_pairs
from graphlab.training.postel import postel
from graphlab.training.preference import (
    PreferenceConfig,
    PreferenceResult,
    fit_preferences,
)
from graphlab.training.problem import FitResult, Problem

__all__ = [
    "FitResult",
    "PairConfig",
    "PairResult",
    "PairScore",
    "PreferenceConfig",
    "PreferenceResult",
    "Problem",
    "Progress",
    "SoftTargets",
    "TrainingConfig",
    "constant_majority",
    "evaluate",
    "fit",
    "fit_pairs",
    "fit_preferences",
    "is_collapsed",
    "knowledge_distillation",
    "label_smoothing",
    "no_smoothing",
    "pair_roc_auc",
    "postel",
]
