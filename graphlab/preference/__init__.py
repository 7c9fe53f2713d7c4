"""Pairwise preferences of many users: signed graph, models, adaptation, metrics."""

from graphlab.preference import data, models
from graphlab.preference.adapt import AdaptedUsers, adapt_unseen_users
from graphlab.preference.data import *  # noqa: F403
from graphlab.preference.fold_in import fold_in
from graphlab.preference.graph import PairReport, PreferenceGraph
from graphlab.preference.ids import IdMap
from graphlab.preference.metrics import (
    PairwiseAccuracy,
    bootstrap_over_users,
    pairwise_accuracy,
)
from graphlab.preference.models import *  # noqa: F403
from graphlab.preference.vector_table import VectorTable
from graphlab.preference.vectors import PreferenceVectors

__all__ = [
    *data.__all__,
    *models.__all__,
    "AdaptedUsers",
    "IdMap",
    "PairReport",
    "PairwiseAccuracy",
    "PreferenceGraph",
    "PreferenceVectors",
    "VectorTable",
    "adapt_unseen_users",
    "bootstrap_over_users",
    "fold_in",
    "pairwise_accuracy",
]
