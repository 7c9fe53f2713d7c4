"""The words and numbers of a ledger, whatever it is rendered to."""

import math
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
    """What was measured, name and number, baselines once."""
    groups = (
        ledger.sizes,
        ledger.settings,
        ledger.measured,
        ledger.baselines,
        ledger.geometry,
    )
    found: dict[str, str] = {}
    for group in groups:
        for name, value in group.items():
            found[NAMES.get(name, name)] = number(value)
    return list(found.items())


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
    ]


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
    with_ = f" with {', '.join(settings)}" if settings else ""
    return f"on {bound.bounded}{with_}; {bound.reason}. Source: {bound.source}"
