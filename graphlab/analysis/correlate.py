"""How well measures rank configurations by their generalization gap."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from graphlab.analysis._points import as_count
from graphlab.errors import ArgumentError

if TYPE_CHECKING:
    import pandas as pd

BASELINES = ("num_layers", "train_error")
GAPS = ("loss_gap", "error_gap")
#: Up to so many points all orders are tried.
EXACT = 7
_ENTRIES = 2**22  # pairs of points that are compared at a time


@dataclass(frozen=True)
class Correlation:
    r"""Of one measure with one gap, in one group.

    Attributes:
        group: What the group has in common.
        measure: The measure.
        gap: The gap.
        baseline: Whether the measure is a trivial one.
        n: Number of configurations.
        spearman: Spearman's :math:`\rho`, with the bounds of its interval.
        p: Two-sided p-value of :math:`\rho`: by all orders up to 7 points, else by
            Student's t.
        kendall: Kendall's :math:`\tau_b`, with the bounds of its interval.
        pearson: Pearson's correlation of the numbers themselves.
        note: Why a number is missing, or what to keep in mind.
    """

    group: str
    measure: str
    gap: str
    baseline: bool
    n: int
    spearman: float
    spearman_low: float
    spearman_high: float
    p: float
    kendall: float
    kendall_low: float
    kendall_high: float
    pearson: float
    note: str = ""


@dataclass(frozen=True)
class Correlations:
    """What :func:`correlate` found.

    Attributes:
        rows: One entry per group, gap and measure.
        level: Level of the intervals.
        samples: Number of bootstrap samples.
        seed: Their seed.
    """

    rows: tuple[Correlation, ...]
    level: float
    samples: int
    seed: int

    def to_dataframe(self) -> "pd.DataFrame":
        """One row per group, gap and measure."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows])

    def means(self) -> "pd.DataFrame":
        """Means over the groups in which the measure is not constant."""
        frame = self.to_dataframe()
        keys = ["measure", "gap", "baseline"]
        grouped = frame.groupby(keys, sort=False)
        numbers = grouped[["spearman", "kendall", "pearson"]].mean()
        numbers["groups"] = grouped["spearman"].count()
        return numbers.reset_index()

    def to_markdown(self) -> str:
        """A table, trivial baselines in italics."""
        percent = f"{self.level:.0%} interval"
        head = ("group", "gap", "measure", "n", "Spearman", percent, "p", "Kendall")
        head = (*head, percent, "Pearson", "note")
        rule = ("---",) * 3 + ("---:",) * 7 + ("---",)
        lines = [head, rule, *map(_cells, self.rows)]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def correlate(
    rows: "Iterable[Mapping[str, Any]] | pd.DataFrame",
    measures: Sequence[str],
    gaps: Sequence[str] = GAPS,
    by: str | Sequence[str] = (),
    baselines: Sequence[str] | None = None,
    samples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Correlations:
    r"""Rank correlation of measures with the generalization gap, over configurations.

    A measure is only worth its cost if it ranks better than what is free. So the
    trivial baselines, number of layers and training error, are always there.

    The interval is that of the percentile bootstrap: configurations of a group are
    drawn with replacement, and draws in which a column is constant do not count. Over
    few configurations it is coarse, and a correlation must be close to 1 to mean
    something; see the p-value.

    Args:
        rows: One configuration each, with a number for each measure and gap, for
            example of :meth:`Ledger.to_row`; or a data frame.
        measures: Names of the columns to judge.
        gaps: Names of the columns to predict.
        by: Names of the columns whose values make a group, for example ``"dataset"``.
        baselines: Names of trivial measures. By default ``num_layers`` and
            ``train_error``, those of them that are there.
        samples: Number of bootstrap samples.
        level: Level of the intervals.
        seed: Seed of the bootstrap.

    Raises:
        ArgumentError: If there are no rows, a column does not exist or holds something
            else than numbers, or a setting is not accepted.

    Example:
        >>> rows = [{"num_layers": k, "bound": k * k, "loss_gap": k} for k in range(5)]
        >>> found = correlate(rows, ["bound"], ["loss_gap"], samples=100)
        >>> [(row.measure, row.spearman, row.n) for row in found.rows]
        [('bound', 1.0, 5), ('num_layers', 1.0, 5)]
    """
    samples = as_count(samples, "samples")
    if not 0 < level < 1:
        raise ArgumentError(f"level must lie between 0 and 1, got {level!r}")
    columns = _columns(rows)
    by = (by,) if isinstance(by, str) else tuple(by)
    if baselines is None:
        baselines = [name for name in BASELINES if name in columns]
    chosen = [(name, False) for name in dict.fromkeys(measures)]
    chosen += [(name, True) for name in baselines if name not in measures]
    for name in (*gaps, *by, *(name for name, _ in chosen)):
        if name not in columns:
            known = ", ".join(map(str, columns))
            raise ArgumentError(f"rows must have a column {name!r}, got {known}")
    found = [
        _one(group, places, columns, measure, gap, baseline, samples, level, seed)
        for group, places in _groups(columns, by)
        for gap in gaps
        for measure, baseline in chosen
    ]
    return Correlations(tuple(found), level, samples, seed)


def _columns(rows: Any) -> dict[str, list]:
    if hasattr(rows, "to_dict"):
        return rows.to_dict("list")
    rows = [dict(row) for row in rows]
    if not rows:
        raise ArgumentError("rows must hold at least one configuration, got none")
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {name: [row.get(name) for row in rows] for name in names}


def _groups(
    columns: dict[str, list], by: tuple[str, ...]
) -> list[tuple[str, np.ndarray]]:
    number = len(next(iter(columns.values())))
    keys = list(zip(*(columns[name] for name in by), strict=True)) or [()] * number
    found: dict[tuple, list[int]] = {}
    for place, key in enumerate(keys):
        found.setdefault(key, []).append(place)
    return [
        (", ".join(map(str, key)) or "all", np.array(places))
        for key, places in found.items()
    ]


def _one(
    group: str,
    places: np.ndarray,
    columns: dict[str, list],
    measure: str,
    gap: str,
    baseline: bool,
    samples: int,
    level: float,
    seed: int,
) -> Correlation:
    x, y = _numbers(columns, measure)[places], _numbers(columns, gap)[places]
    there = ~(np.isnan(x) | np.isnan(y))
    x, y, missing = x[there], y[there], int((~there).sum())
    note = _note(x, y, measure, gap)
    head = (group, measure, gap, baseline, len(x))
    if note:
        return Correlation(*head, *[math.nan] * 8, note=note)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(x), size=(samples, len(x)))
    spearman, kendall = _spearman(x, y), _kendall(x, y)
    notes = [f"{missing} without a number left out"] if missing else []
    return Correlation(
        *head,
        spearman,
        *_interval(_spearmans(x[drawn], y[drawn]), level),
        _p_value(x, y, spearman),
        kendall,
        *_interval(_kendalls(x[drawn], y[drawn]), level),
        _pearson(x, y),
        note="; ".join(notes),
    )


def _numbers(columns: dict[str, list], name: str) -> np.ndarray:
    try:
        return np.array(
            [math.nan if value is None else value for value in columns[name]], float
        )
    except (TypeError, ValueError):
        raise ArgumentError(
            f"rows must hold numbers in column {name!r}, got {columns[name][0]!r}"
        ) from None


def _note(x: np.ndarray, y: np.ndarray, measure: str, gap: str) -> str:
    if len(x) < 3:
        return f"n = {len(x)}: at least 3 are needed"
    constant = [name for name, v in ((measure, x), (gap, y)) if (v == v[0]).all()]
    return f"{' and '.join(constant)} constant" if constant else ""


def _spearman(x: np.ndarray, y: np.ndarray) -> float:
    return float(_spearmans(x[None], y[None])[0])


def _spearmans(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Of each row; NaN where one is constant."""
    x, y = (stats.rankdata(values, axis=1) for values in (x, y))
    x, y = (values - values.mean(1, keepdims=True) for values in (x, y))
    scale = np.sqrt((x * x).sum(1) * (y * y).sum(1))
    with np.errstate(invalid="ignore"):
        return np.clip((x * y).sum(1) / scale, -1, 1)


def _kendall(x: np.ndarray, y: np.ndarray) -> float:
    return float(_kendalls(x[None], y[None])[0])


def _kendalls(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Tau-b of each row; NaN where one is constant."""
    i, j = np.triu_indices(x.shape[1], 1)
    step = max(1, _ENTRIES // i.size)
    found = []
    for start in range(0, len(x), step):
        a, b = x[start : start + step], y[start : start + step]
        # Compared, not subtracted: two infinite values are a tie.
        a = (a[:, i] > a[:, j]).astype(int) - (a[:, i] < a[:, j])
        b = (b[:, i] > b[:, j]).astype(int) - (b[:, i] < b[:, j])
        scale = np.sqrt((a != 0).sum(1) * (b != 0).sum(1))
        with np.errstate(invalid="ignore"):
            found.append((a * b).sum(1) / scale)
    return np.concatenate(found)


def _pearson(x: np.ndarray, y: np.ndarray) -> float:
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return math.nan
    return float(stats.pearsonr(x, y).statistic)


def _p_value(x: np.ndarray, y: np.ndarray, rho: float) -> float:
    if len(x) > EXACT:
        return float(stats.spearmanr(x, y).pvalue)
    orders = np.array(list(permutations(range(len(x)))))
    others = _spearmans(np.broadcast_to(x, orders.shape), y[orders])
    return float((np.abs(others) >= abs(rho) - 1e-12).mean())


def _interval(values: np.ndarray, level: float) -> tuple[float, float]:
    values = values[np.isfinite(values)]
    if not values.size:
        return math.nan, math.nan
    low, high = np.quantile(values, ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)


def _cells(row: Correlation) -> tuple[str, ...]:
    name = f"*{row.measure}*" if row.baseline else row.measure
    return (
        row.group,
        row.gap,
        name,
        str(row.n),
        _two(row.spearman),
        _range(row.spearman_low, row.spearman_high),
        _two(row.p),
        _two(row.kendall),
        _range(row.kendall_low, row.kendall_high),
        _two(row.pearson),
        row.note,
    )


def _two(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}"


def _range(low: float, high: float) -> str:
    return "–" if math.isnan(low) else f"[{low:.2f}, {high:.2f}]"
