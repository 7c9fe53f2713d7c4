"""Checks of arguments that several layers and models share."""

import math
from collections.abc import Sequence
from typing import Any

from graphlab.errors import ArgumentError


def check_count(name: str, value: Any) -> None:
    """A whole number of at least 1."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        accepted = "must be a whole number of at least 1"
        raise ArgumentError(f"{name}: {accepted}, not {value!r}")


def require_whole(name: str, value: Any, least: int) -> None:
    """A whole number with a lower limit."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ArgumentError(f"{name} must be a whole number >= {least}, got {value!r}")


def check_choice(name: str, value: Any, accepted: Sequence) -> None:
    """One of some values."""
    if value not in accepted:
        words = ", ".join(map(repr, accepted))
        raise ArgumentError(f"{name}: must be one of {words}, not {value!r}")


def check_positive(name: str, value: Any, hint: str = "") -> None:
    """A positive, finite number."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 < value < math.inf:
        problem = f"must be a positive, finite number, not {value!r}"
        raise ArgumentError(f"{name}: {problem}{hint}")
