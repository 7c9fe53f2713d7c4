"""What ``graphlab bound`` found, as tables: by depth, and against the measured gap."""

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from graphlab.analysis import Correlation, Correlations, correlate
from graphlab.analysis.bounds.ledger_text import NAMES, number
from graphlab.benchmark.bounds.run import BoundCell

MAIN = "k-variance, theorem-D2"
GAPS = ("loss_gap", "error_gap")
BASELINES = ("num_layers", "train_error", "train_loss", "sum of training losses")
_MEASURED = ("train_error", "test_error", "error_gap", "loss_gap", "margin_risk")
_GEOMETRY = ("Lip(f)", "Lip(f), 99 % quantile", "concentration / separation")


@dataclass(frozen=True)
class Row:
    """A quantity by depth.

    Args:
        name: What it is.
        values: For each depth, its values over the seeds.
        status: What the bound is called, empty for other quantities.
        part: Whether it is a part of the bound above.
    """

    name: str
    values: tuple[tuple[float, ...], ...]
    status: str = ""
    part: bool = False

    def means(self) -> list[str]:
        """The mean at each depth."""
        return [number(_mean(some)) for some in self.values]

    def spreads(self) -> list[str]:
        """Mean and standard deviation at each depth."""
        return [_spread(some) for some in self.values]


def by_depth(cells: Sequence[BoundCell]) -> list[Row]:
    """Gaps, bounds with their status, and what they are made of."""
    groups = _groups(cells)
    rows = [_row("rounds of colour refinement", groups, lambda c: float(c.rounds))]
    rows += [_of_ledger(name, groups) for name in _MEASURED]
    for name in _bound_names(cells):
        rows.append(_row(name, groups, _value_of(name), _status(cells, name)))
        if name == MAIN:
            rows += [_part(name, part, groups) for part in _parts(cells, name)]
    return (
        rows + [_of_ledger(name, groups) for name in _GEOMETRY] + [_saturation(groups)]
    )


def correlations(cells: Sequence[BoundCell]) -> Correlations:
    """Of bounds and trivial baselines with the gaps.

    Once over depths, each the mean of its seeds, and once over all runs, in which the
    luck of a split counts as well.
    """
    runs = [cell.row() for cell in cells]
    names = [*_bound_names(cells), *_GEOMETRY]
    means = [_mean_row([c.row() for c in group]) for group in _groups(cells).values()]
    rows = [row | {"over": "depths, means of seeds"} for row in means]
    if len(runs) > len(means):
        rows += [row | {"over": "all runs"} for row in runs]
    return correlate(rows, names, GAPS, by="over", baselines=BASELINES)


def interval(row: Correlation) -> str:
    """Spearman's correlation with its interval; the reason where there is none."""
    if math.isnan(row.spearman):
        return "–"
    return f"{row.spearman:.2f} [{row.spearman_low:.2f}, {row.spearman_high:.2f}]"


def caution(cells: Sequence[BoundCell]) -> str:
    """What so few depths can tell at best; empty if they are enough."""
    n = len({cell.depth for cell in cells})
    if not 3 <= n <= 5:
        return ""
    return (
        f"Over {n} depths even a perfect ranking has p = {2 / math.factorial(n):.2g}: "
        "read signs, not numbers."
    )


def banners(cells: Sequence[BoundCell]) -> list[str]:
    """What a reader must know first, each once, with where it was found."""
    found: dict[str, list[BoundCell]] = {}
    for cell in cells:
        for banner in cell.ledger.banners:
            if not banner.startswith("vacuous"):  # stands in the table
                found.setdefault(banner.partition(":")[0], []).append(cell)
    return [f"{_where(some)}: {_first(some, head)}" for head, some in found.items()]


def refusals(cells: Sequence[BoundCell]) -> dict[str, str]:
    """From each reason to what was not computed for it."""
    found: dict[str, list[str]] = {}
    for cell in cells:
        for name, reason in cell.ledger.refused.items():
            names = found.setdefault(reason, [])
            if name not in names:
                names.append(name)
    return {", ".join(names): reason for reason, names in found.items()}


def advice(cells: Sequence[BoundCell]) -> tuple[str, tuple[str, ...]]:
    """The depth at which the main bound is smallest, and what would make it smaller."""
    some = [c for c in cells if any(b.name == MAIN for b in c.ledger.bounds)]
    if not some:
        return "", ()
    best = min(some, key=lambda cell: cell.ledger[MAIN].value)
    value = number(best.ledger[MAIN].value)
    head = f"{MAIN} = {value}, the smallest, at depth {best.depth}, seed {best.seed}"
    return head, best.ledger[MAIN].advice


def _where(cells: Sequence[BoundCell]) -> str:
    depths = sorted({cell.depth for cell in cells})
    return f"depth {', '.join(map(str, depths))} ({len(cells)} runs)"


def _first(cells: Sequence[BoundCell], head: str) -> str:
    return next(b for b in cells[0].ledger.banners if b.startswith(head))


def _groups(cells: Sequence[BoundCell]) -> dict[int, list[BoundCell]]:
    found: dict[int, list[BoundCell]] = {}
    for cell in cells:
        found.setdefault(cell.depth, []).append(cell)
    return found


def _bound_names(cells: Iterable[BoundCell]) -> list[str]:
    return list(dict.fromkeys(b.name for cell in cells for b in cell.ledger.bounds))


def _row(name: str, groups: dict, value, status: str = "", part: bool = False) -> Row:
    values = tuple(tuple(map(value, group)) for group in groups.values())
    return Row(name, values, status, part)


def _of_ledger(name: str, groups: dict) -> Row:
    def value(cell: BoundCell) -> float:
        return cell.row().get(name, math.nan)

    return _row(NAMES.get(name, name), groups, value)


def _value_of(name: str):
    def value(cell: BoundCell) -> float:
        return next((b.value for b in cell.ledger.bounds if b.name == name), math.nan)

    return value


def _parts(cells: Iterable[BoundCell], name: str) -> list[str]:
    found = (b.parts for cell in cells for b in cell.ledger.bounds if b.name == name)
    return list(next(found, ()))


def _part(name: str, part: str, groups: dict) -> Row:
    def value(cell: BoundCell) -> float:
        found = (b.terms[part] for b in cell.ledger.bounds if b.name == name)
        return next(found, math.nan)

    return _row(part, groups, value, part=True)


def _saturation(groups: dict) -> Row:
    def value(cell: BoundCell) -> float:
        bounds = [b for b in cell.ledger.bounds if b.name == MAIN]
        terms = bounds[0].terms.items() if bounds else ()
        found = [number for term, number in terms if term.startswith("saturation")]
        return max(found, default=math.nan)

    return _row("saturation of W1, worst class", groups, value)


def _status(cells: Iterable[BoundCell], name: str) -> str:
    bounds = (b for cell in cells for b in cell.ledger.bounds if b.name == name)
    count = Counter("score" if b.score else b.status for b in bounds)
    if len(count) == 1:
        return next(iter(count))
    return ", ".join(f"{number} {status}" for status, number in count.items())


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return statistics.fmean(known) if known else math.nan


def _spread(values: Sequence[float]) -> str:
    known = [value for value in values if math.isfinite(value)]
    if len(known) < 2 or len(known) < len(values):
        return number(_mean(values))
    return f"{number(_mean(known))} ± {statistics.stdev(known):.2g}"


def _mean_row(rows: list[dict[str, Any]]) -> dict[str, Any]:
    numbers = [
        name for name, value in rows[0].items() if isinstance(value, int | float)
    ]
    return {name: _mean([row.get(name, math.nan) for row in rows]) for name in numbers}
