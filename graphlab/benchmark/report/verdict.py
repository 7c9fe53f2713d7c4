r"""The verdict of a cell: does the measurement agree with the published number?

With :math:`m` the measured and :math:`p` the published mean in percent of the table's
metric, and
:math:`w_m`, :math:`w_p` the half-widths of their 95 % intervals,

.. math::
    \text{within} \iff |m - p| \le \sqrt{w_m^2 + w_p^2},

otherwise *above* (:math:`m > p`) or *below*. The splits are shared but the seeds of
initialisation and dropout are not, so the two means are treated as independent; since
the shared splits make them vary together, the rule is lenient rather than strict.

A printed standard deviation :math:`s` becomes :math:`w_p = 1.96\, s / \sqrt{n}` with
the recipe's number of runs :math:`n`, a standard error :math:`1.96\, s`. A number
printed without ± counts as exact. There is no verdict, but *not comparable* and a
reason, when there is no published number, when fewer than two runs were made, or when
the quick profile cut the training short.
"""

import math
from collections import Counter
from dataclasses import dataclass

from graphlab.benchmark.recipe import Published
from graphlab.benchmark.report.numbers import plural
from graphlab.benchmark.report.results import CellResult

WITHIN = "within"
ABOVE = "above"
BELOW = "below"
NOT_COMPARABLE = "not comparable"
NOT_RUN = "not run"
NOT_IMPLEMENTED = "not implemented"
UNAVAILABLE = "unavailable"
OOM = "OOM"
NAN = "diverged"
ERROR = "error"
JUDGED = (WITHIN, ABOVE, BELOW)
_FAILURES = {"oom": OOM, "nan": NAN, "unavailable": UNAVAILABLE, "error": ERROR}


@dataclass(frozen=True)
class Verdict:
    """Outcome of a cell in words.

    Attributes:
        kind: One of the constants of this module.
        reason: Why, where the kind alone does not say.
        difference: Measured minus published mean in points; NaN without both.
        half_width: The tolerance of the rule in points; NaN without a difference.
    """

    kind: str
    reason: str = ""
    difference: float = math.nan
    half_width: float = math.nan

    def __str__(self) -> str:
        return f"{self.kind}: {self.reason}" if self.reason else self.kind


def judge(result: CellResult) -> Verdict:
    """Apply the rule of this module to one cell."""
    if not result.n:
        return _nothing_measured(result)
    published = result.cell.published
    if published is None:
        reason = result.cell.published_note or "no published number"
        return Verdict(NOT_COMPARABLE, reason)
    score = result.score
    difference = 100 * score.mean - published.mean
    if result.quick:
        return Verdict(NOT_COMPARABLE, "quick profile", difference)
    if score.n < 2:
        return Verdict(NOT_COMPARABLE, plural(score.n, "run"), difference)
    reach = math.hypot(
        100 * score.half_width, published_half_width(published, result.cell.runs)
    )
    return Verdict(agreement(difference, reach), "", difference, reach)


def agreement(difference: float, tolerance: float) -> str:
    """``within``, ``above`` or ``below``, by the formula of this module."""
    if abs(difference) <= tolerance + 1e-9:  # a float's width must not decide
        return WITHIN
    return ABOVE if difference > 0 else BELOW


def published_half_width(published: Published, runs: int) -> float:
    """Half-width, in points, of the 95 % interval behind a published ±."""
    if published.half_width is None:
        return 0.0
    kind = published.kind.lower()
    if "error" in kind or "sem" in kind.split():
        return 1.96 * published.half_width
    if "std" in kind or "deviation" in kind:
        return 1.96 * published.half_width / math.sqrt(runs)
    return published.half_width


def _nothing_measured(result: CellResult) -> Verdict:
    if result.failed:
        return _failed(result)
    if result.cell.unavailable:
        # The recipe may or may not have said the words already.
        reason = result.cell.unavailable.removeprefix(NOT_IMPLEMENTED)
        return Verdict(NOT_IMPLEMENTED, reason.lstrip(": "))
    return Verdict(NOT_RUN)


def _failed(result: CellResult) -> Verdict:
    """The most frequent failure, with its message and the count of the others."""
    by_status = Counter(result.failures()).most_common()
    status = by_status[0][0]
    messages = [r.get("message") for r in result.failed if r["status"] == status]
    reason = " ".join(str(messages[0]).split()) if messages[0] else ""
    others = [f"{_FAILURES.get(s, s)} in {plural(k, 'run')}" for s, k in by_status[1:]]
    reason = "; ".join([reason] * bool(reason) + others)
    return Verdict(_FAILURES.get(status, status), reason)


def failure_words(result: CellResult) -> str:
    """What befell the runs that gave no number, e.g. ``2 OOM, 1 diverged``."""
    counts = sorted(result.failures().items())
    return ", ".join(f"{k} {_FAILURES.get(status, status)}" for status, k in counts)
