"""What a generalization bound says, term by term."""

import math
from dataclasses import dataclass, field
from typing import Any

#: What a bound may be called, from the least to the most that it says.
STATUS = ("vacuous", "heuristic", "certified")


@dataclass(frozen=True)
class Assumption:
    """Something that must be true for a bound to hold.

    Attributes:
        statement: What is assumed.
        holds: Whether it does; ``None`` where the sample cannot tell.
        detail: What was checked and found.
    """

    statement: str
    holds: bool | None
    detail: str = ""


@dataclass(frozen=True)
class Bound:
    r"""The value of a bound with all that it is made of.

    With probability at least :math:`1 - \delta` over the training graphs, and if all
    assumptions hold, what ``bounded`` names is at most ``value``.

    Attributes:
        name: Name of the bound.
        value: Its value.
        bounded: What it bounds, for example ``"R - R_gamma"``.
        terms: From a term's name to its number, in the order of the formula.
        meanings: From a term's name to what it is.
        parts: Names of the terms that ``value`` is the sum of.
        empirical_risk: The share of training graphs that ``value`` is added to in order
            to bound the risk; ``None`` for a score.
        gamma: Margin, if the bound has one.
        delta: Probability of failure, if the bound has one.
        assumptions: What it needs, each checked as far as the sample allows.
        source: Paper and theorem.
        advice: What would make it smaller, in words and numbers.
        score: Whether it is a score that ranks models, and no bound.
        limit: Largest risk or loss that there is: 1 for error rates.

    Example:
        >>> bound = Bound("VC", 1.3, "R - R_0", {"VC": 1.3}, parts=("VC",))
        >>> bound.status
        'vacuous'
    """

    name: str
    value: float
    bounded: str
    terms: dict[str, float]
    meanings: dict[str, str] = field(default_factory=dict)
    parts: tuple[str, ...] = ()
    empirical_risk: float | None = None
    gamma: float | None = None
    delta: float | None = None
    assumptions: tuple[Assumption, ...] = ()
    source: str = ""
    advice: tuple[str, ...] = ()
    score: bool = False
    limit: float = 1.0

    @property
    def risk_bound(self) -> float:
        """What the risk is at most: the empirical risk and the value."""
        return self.value + (self.empirical_risk or 0.0)

    @property
    def status(self) -> str:
        """``"vacuous"``, ``"heuristic"`` or ``"certified"``; see :attr:`reason`."""
        if (
            not self.score and not self.risk_bound < self.limit
        ):  # NaN says nothing either
            return "vacuous"
        if self.score or any(not each.holds for each in self.assumptions):
            return "heuristic"
        return "certified"

    @property
    def reason(self) -> str:
        """Why the status is what it is."""
        if self.score:
            return "a score that ranks models: the larger, the larger the predicted gap"
        if self.status == "vacuous":
            return self._why_vacuous()
        unmet = [each.statement for each in self.assumptions if not each.holds]
        return "not established: " + "; ".join(unmet) if unmet else "assumptions hold"

    def _why_vacuous(self) -> str:
        if math.isnan(self.value):
            return "the value is not a number"
        most = f"{self.limit:g}"
        if self.value >= self.limit:
            return f"{self.value:.3g} is at least {most}, and no gap is larger"
        return (
            f"with the empirical risk {self.empirical_risk:.3g} it bounds the risk by "
            f"{self.risk_bound:.3g}, and no risk is larger than {most}"
        )

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON accepts it; numbers that are not finite as strings."""
        return {
            "name": self.name,
            "value": plain(self.value),
            "bounded": self.bounded,
            "status": self.status,
            "reason": self.reason,
            "terms": {name: plain(value) for name, value in self.terms.items()},
            "meanings": dict(self.meanings),
            "parts": list(self.parts),
            "empirical_risk": plain(self.empirical_risk),
            "risk_bound": None if self.score else plain(self.risk_bound),
            "limit": plain(self.limit),
            "gamma": plain(self.gamma),
            "delta": plain(self.delta),
            "assumptions": [
                {"statement": a.statement, "holds": a.holds, "detail": a.detail}
                for a in self.assumptions
            ],
            "source": self.source,
            "advice": list(self.advice),
        }


def plain(value: Any) -> Any:
    """A number as JSON accepts it: ``"inf"`` and ``"nan"`` have no other form there."""
    if value is None or isinstance(value, str | bool):
        return value
    value = float(value)
    return value if math.isfinite(value) else str(value)
