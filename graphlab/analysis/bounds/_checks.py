"""What the numbers that go into a bound must look like."""

import math
from numbers import Real

from graphlab.errors import ArgumentError


def a_probability(name: str, value: float) -> float:
    if not _is_real(value) or not 0 < value < 1:
        raise ArgumentError(f"{name} must lie strictly between 0 and 1, got {value!r}")
    return float(value)


def a_positive(name: str, value: float) -> float:
    if not _is_real(value) or not 0 < value < math.inf:
        raise ArgumentError(f"{name} must be a finite positive number, got {value!r}")
    return float(value)


def a_count(name: str, value: int, least: int = 1) -> int:
    if type(value) is not int or value < least:
        raise ArgumentError(
            f"{name} must be a whole number of at least {least}, got {value!r}"
        )
    return value


def one_of(name: str, value: str, accepted: tuple[str, ...]) -> str:
    if value not in accepted:
        raise ArgumentError(
            f"{name} must be one of {', '.join(map(repr, accepted))}, got {value!r}"
        )
    return value


def _is_real(value: float) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
