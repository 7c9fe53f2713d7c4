"""A ledger from what it was written as."""

from collections.abc import Mapping
from typing import Any

from graphlab.analysis.bounds.bound import Assumption, Bound
from graphlab.analysis.bounds.ledger import Ledger

_NUMBERS = ("settings", "measured", "baselines", "geometry")
_KEPT = ("name", "bounded", "meanings", "source")


def read_ledger(content: Mapping[str, Any]) -> Ledger:
    """The ledger whose ``to_dict`` gave ``content``.

    Args:
        content: The dictionary, for example read from a JSON file.

    Raises:
        KeyError: Something is missing.
        ValueError: Something that must be a number is none.
    """
    return Ledger(
        name=content["name"],
        sizes={name: int(value) for name, value in content["sizes"].items()},
        **{part: _numbers(content[part]) for part in _NUMBERS},
        bounds=tuple(map(_bound, content["bounds"])),
        refused=dict(content["refused"]),
        banners=tuple(content["banners"]),
    )


def _bound(content: Mapping[str, Any]) -> Bound:
    return Bound(
        **{name: content[name] for name in _KEPT},
        value=float(content["value"]),
        terms=_numbers(content["terms"]),
        parts=tuple(content["parts"]),
        **{
            name: _number(content[name])
            for name in ("empirical_risk", "gamma", "delta")
        },
        assumptions=tuple(Assumption(**each) for each in content["assumptions"]),
        advice=tuple(content["advice"]),
        score=content["risk_bound"] is None,
        limit=_number(content["limit"]),
    )


def _numbers(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _number(value) for name, value in content.items()}


def _number(value: Any) -> Any:
    """Numbers that JSON has no form for were written as words."""
    return float(value) if isinstance(value, str) else value
