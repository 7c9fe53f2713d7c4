"""Preferences of many users: generated, or read from files that the user has."""

from graphlab.preference.data.jester import Jester5k
from graphlab.preference.data.pool import PairPool
from graphlab.preference.data.split import PreferenceSplit
from graphlab.preference.data.synthetic import SyntheticGroups

__all__ = ["Jester5k", "PairPool", "PreferenceSplit", "SyntheticGroups"]
