"""The words and numbers of a ledger, whatever it is rendered to."""

import math
import re
from typing import TYPE_CHECKING

from graphlab.analysis.bounds.bound import Assumption, Bound

if TYPE_CHECKING:
    from graphlab.analysis.bounds.ledger import Ledger

NAMES = {
    "train_error": "training error",
    "margin_risk": "R_gamma",
    "test_error": "test error",
    "error_gap": "gap of errors",
    "margin_gap": "test error - R_gamma",
    "loss_gap": "gap of the margin loss",
    "cross_entropy_gap": "gap of the cross entropy",
    "num_layers": "number of layers",
}
#: Terms that each class has are shown in a table of their own.
OF_CLASS = re.compile(r"(.+) of class (\d+)")
HEADER = ("bound", "value", "on the risk", "status")


def number(value: float | None) -> str:
    """Four digits; infinite and undefined values by name; a dash for none."""
    if value is None:
        return "–"
    if not math.isfinite(value):
        return str(float(value))
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.4g}"


def title(ledger: "Ledger") -> str:
    """The line above all."""
    named = f": {ledger.name}" if ledger.name else ""
    return f"Generalization bounds{named}"


def facts(ledger: "Ledger") -> list[tuple[str, str]]:
    """Name and number of what was counted, set and measured."""
    groups = (ledger.sizes, ledger.settings, ledger.measured, ledger.geometry)
    found = [pair for group in groups for pair in group.items()]
    found += [(f"baseline: {_name(k)}", v) for k, v in ledger.baselines.items()]
    return [(_name(name), number(value)) for name, value in found]


def _name(name: str) -> str:
    return NAMES.get(name, name)


def summary(ledger: "Ledger") -> list[tuple[str, ...]]:
    """One row a bound, under :data:`HEADER`."""
    return [
        (
            bound.name,
            number(bound.value),
            "–" if bound.empirical_risk is None else number(bound.risk_bound),
            bound.status,
        )
        for bound in ledger.bounds
    ]


def terms(bound: Bound) -> list[tuple[str, str, str]]:
    """Name, number and meaning of each term; the parts of the sum have a plus."""
    several = len(bound.parts) > 1
    return [
        (
            f"+ {name}" if several and name in bound.parts else name,
            number(value),
            bound.meanings.get(name, ""),
        )
        for name, value in bound.terms.items()
        if not OF_CLASS.fullmatch(name)
    ]


def by_class(bound: Bound) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Header and rows of the terms that each class has; no rows if there are none."""
    found = [(m, value) for name, value in bound.terms.items() if (m := _split(name))]
    header = tuple(dict.fromkeys(what for (what, _), _ in found))
    rows: dict[str, dict[str, str]] = {}
    for (what, c), value in found:
        rows.setdefault(c, {})[what] = number(value)
    lines = [(c, *(row.get(what, "–") for what in header)) for c, row in rows.items()]
    return ("class", *header), lines


def _split(name: str) -> tuple[str, ...] | None:
    found = OF_CLASS.fullmatch(name)
    return found.groups() if found else None


def assumption(each: Assumption) -> str:
    """A statement after its verdict."""
    verdict = {True: "holds", False: "does not hold", None: "open"}[each.holds]
    detail = f" ({each.detail})" if each.detail else ""
    return f"{verdict}: {each.statement}{detail}"


def head(bound: Bound) -> str:
    """Name, value and status."""
    return f"{bound.name} = {number(bound.value)}, {bound.status}"


def about(bound: Bound) -> str:
    """What it bounds, why the status is what it is, and the source."""
    settings = [
        f"{name} = {number(value)}"
        for name, value in (("gamma", bound.gamma), ("delta", bound.delta))
        if value is not None
    ]
    given = f" with {', '.join(settings)}" if settings else ""
    what = "" if bound.score else f"on {bound.bounded}{given}; "
    return f"{what}{bound.reason}. Source: {bound.source}"
