"""Preferences of many users: generated, or read from files that the user has."""

from graphlab.preference.data.jester import Jester5k
from graphlab.preference.data.personal_llm import PersonalLLM
from graphlab.preference.data.pool import PairPool
from graphlab.preference.data.split import PreferenceSplit
from graphlab.preference.data.split_files import load_split_files, save_split
from graphlab.preference.data.split_users import split_users
from graphlab.preference.data.style import StylePreferences
from graphlab.preference.data.synthetic import SyntheticGroups
from graphlab.preference.data.tldr import TLDR
from graphlab.preference.data.ultrafeedback import UltraFeedbackP

__all__ = [
    "Jester5k",
    "PairPool",
    "PersonalLLM",
    "PreferenceSplit",
    "StylePreferences",
    "SyntheticGroups",
    "TLDR",
    "UltraFeedbackP",
    "load_split_files",
    "save_split",
    "split_users",
]
