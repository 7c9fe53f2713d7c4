"""Training of node classifiers, of encoders on pairs, and of classifiers of graphs."""

from graphlab.datasets import constant_majority
from graphlab.training.config import Progress, TrainingConfig
from graphlab.training.graph_bounds import bound_terms, graph_sample
from graphlab.training.graph_config import GraphConfig, GraphResult
from graphlab.training.graph_models import make_graph_model
from graphlab.training.graphs import fit_graphs
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
    "GraphConfig",
    "GraphResult",
    "PairConfig",
    "PairResult",
    "PairScore",
    "PreferenceConfig",
    "PreferenceResult",
    "Problem",
    "Progress",
    "SoftTargets",
    "TrainingConfig",
    "bound_terms",
    "constant_majority",
    "evaluate",
    "fit",
    "fit_graphs",
    "fit_pairs",
    "fit_preferences",
    "graph_sample",
    "is_collapsed",
    "knowledge_distillation",
    "label_smoothing",
    "make_graph_model",
    "no_smoothing",
    "pair_roc_auc",
    "postel",
]
