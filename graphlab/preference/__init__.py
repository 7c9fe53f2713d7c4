"""Pairwise preferences of many users: signed graph, models, adaptation, metrics."""

from graphlab.preference import models
from graphlab.preference.graph import PairReport, PreferenceGraph
from graphlab.preference.ids import IdMap
from graphlab.preference.models import *  # noqa: F403
from graphlab.preference.vectors import PreferenceVectors

__all__ = [
    *models.__all__,
    "IdMap",
    "PairReport",
    "PreferenceGraph",
    "PreferenceVectors",
]
