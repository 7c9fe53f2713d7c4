"""Statistics of repeated runs: means, intervals, paired tests; numpy and scipy only.

A run that failed or diverged enters as NaN: it is left out and counted, never
averaged. What is undefined (the spread of a single run, a test on three pairs) is
``nan`` or ``None``, never zero.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import optimize
from scipy import stats as sps

from graphlab.errors import ArgumentError

CONFIDENCE = 0.95
DRAWS = 10_000
PAPER_DRAWS = 1_000
EXACT_PAIRS = 50
MIN_PAIRS = 6  # with five pairs the smallest two-sided p of the test is 2/32 > .05


@dataclass(frozen=True)
class Summary:
    """Repeated measurements of one quantity.

    Attributes:
        n: Finite values.
        excluded: Values left out because they were NaN or infinite.
        mean: Their mean; NaN when ``n == 0``.
        std: Unbiased standard deviation; NaN when ``n < 2``.
        low: Lower end of the bootstrap interval of the mean; NaN when ``n < 2``.
        high: Upper end of it.
        half_width: The ± that papers print; see :func:`half_width`.
    """

    n: int
    excluded: int
    mean: float
    std: float
    low: float
    high: float
    half_width: float


@dataclass(frozen=True)
class PairedDifference:
    """Differences ``a - b`` of runs that share a split.

    Attributes:
        n: Pairs in which both values are finite.
        excluded: Pairs left out.
        mean: Mean difference; NaN when ``n == 0``.
        std: Unbiased standard deviation of the differences; NaN when ``n < 2``.
        low: Lower end of Student's interval of the mean; NaN when ``n < 2``.
        high: Upper end of it.
        wins: Pairs with ``a > b``.
        losses: Pairs with ``a < b``.
        ties: Pairs with ``a == b``.
        p: Two-sided Wilcoxon signed-rank p-value, or ``None``.
        detectable: Minimum detectable effect; NaN when ``n < 2``.
    """

    n: int
    excluded: int
    mean: float
    std: float
    low: float
    high: float
    wins: int
    losses: int
    ties: int
    p: float | None
    detectable: float


def finite(values: Sequence[float]) -> np.ndarray:
    """The finite values, in order, as float64."""
    array = np.asarray(values, dtype=np.float64).reshape(-1)
    return array[np.isfinite(array)]


def mean(values: Sequence[float]) -> float:
    """Mean of the finite values; NaN when there are none."""
    kept = finite(values)
    if not len(kept):
        return math.nan
    # From the least value on: identical values have exactly their own value as mean
    # and no spread, and the order of the runs does not matter.
    least = float(kept.min())
    return least + math.fsum(kept - least) / len(kept)


def std(values: Sequence[float]) -> float:
    """Unbiased (``ddof=1``) standard deviation; NaN below two finite values."""
    kept = finite(values)
    if len(kept) < 2:
        return math.nan
    centred = kept - mean(kept)
    return math.sqrt(math.fsum(centred**2) / (len(kept) - 1))


def bootstrap_interval(
    values: Sequence[float],
    confidence: float = CONFIDENCE,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[float, float]:
    r"""Percentile bootstrap interval of the mean.

    The mean is taken of ``draws`` resamples with replacement; the interval runs from
    the :math:`(1-c)/2` to the :math:`(1+c)/2` quantile of those means.

    Args:
        values: Measurements; non-finite ones are left out.
        confidence: The level :math:`c`, strictly between 0 and 1.
        draws: Number of resamples.
        seed: Seed of the resampling: the same values give the same interval.

    Returns:
        Lower and upper end; both NaN below two finite values.

    Raises:
        ArgumentError: If ``confidence`` or ``draws`` is out of range.
    """
    _check_confidence(confidence)
    if draws < 1:
        raise ArgumentError(f"draws must be a positive integer, got {draws}")
    kept = np.sort(finite(values))  # sorted: the order of the runs must not matter
    if len(kept) < 2:
        return math.nan, math.nan
    if kept[0] == kept[-1]:
        return float(kept[0]), float(kept[0])
    index = np.random.default_rng(seed).integers(len(kept), size=(draws, len(kept)))
    means = kept[index].mean(axis=1)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def half_width(
    values: Sequence[float],
    confidence: float = CONFIDENCE,
    draws: int = PAPER_DRAWS,
    seed: int = 0,
) -> float:
    """The ± of the PosteL tables: the larger half of a bootstrap interval.

    The paper resamples the mean of ten accuracies 1,000 times, takes the 95 %
    percentile interval (seaborn's default), and prints the larger of the two distances
    from the mean to its ends.

    Args:
        values: Measurements; non-finite ones are left out.
        confidence: Level of the interval.
        draws: Number of resamples.
        seed: Seed of the resampling.

    Returns:
        The half-width; NaN below two finite values.
    """
    low, high = bootstrap_interval(values, confidence, draws, seed)
    centre = mean(values)
    return max(high - centre, centre - low)


def summarize(values: Sequence[float], seed: int = 0) -> Summary:
    """All of the above for one list of measurements."""
    kept = finite(values)
    low, high = bootstrap_interval(kept, seed=seed)
    return Summary(
        n=len(kept),
        excluded=np.size(values) - len(kept),
        mean=mean(kept),
        std=std(kept),
        low=low,
        high=high,
        half_width=half_width(kept, seed=seed),
    )


def student_interval(
    values: Sequence[float], confidence: float = CONFIDENCE
) -> tuple[float, float]:
    r"""Student's interval :math:`\bar{d} \pm t_{n-1,(1+c)/2}\, s / \sqrt{n}`.

    Used for paired differences, where ten values are typical and the percentile
    bootstrap would be too narrow by a fifth.

    Returns:
        Lower and upper end; both NaN below two finite values.
    """
    _check_confidence(confidence)
    kept = finite(values)
    if len(kept) < 2:
        return math.nan, math.nan
    quantile = sps.t.ppf((1 + confidence) / 2, len(kept) - 1)
    reach = float(quantile) * std(kept) / math.sqrt(len(kept))
    return mean(kept) - reach, mean(kept) + reach


def wilcoxon(differences: Sequence[float]) -> float | None:
    """Two-sided Wilcoxon signed-rank p-value of paired differences.

    Zeros are dropped (Wilcoxon's own rule), ties share their mean rank. The p-value is
    exact up to 50 differences, ties or not, and scipy's normal approximation above.
    Differences are rounded to twelve decimals first, so that equal steps of accuracy
    share their rank whatever the last bit says.

    Returns:
        The p-value, or ``None`` when there are fewer than six differences (no outcome
        could reach .05) or all are zero.
    """
    kept = np.round(finite(differences), 12)
    nonzero = kept[kept != 0]
    if len(kept) < MIN_PAIRS or len(nonzero) == 0:
        return None
    if len(nonzero) > EXACT_PAIRS:
        return float(sps.wilcoxon(nonzero, method="approx").pvalue)
    return _exact_wilcoxon(nonzero)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    r"""Holm's step-down adjusted p-values of one family.

    .. math::
        \tilde{p}_{(i)} = \max_{j \le i} \min(1, (m - j + 1)\, p_{(j)})

    Args:
        p_values: Unadjusted p-values; ``None`` is no test and is not counted in
            :math:`m`.

    Returns:
        Adjusted values in the given order; ``None`` stays ``None``.
    """
    order = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    running = 0.0
    for rank, (p, position) in enumerate(order):
        running = max(running, min(1.0, (len(order) - rank) * p))
        adjusted[position] = running
    return adjusted


def minimum_detectable_effect(
    spread: float, n: int, power: float = 0.8, alpha: float = 0.05
) -> float:
    r"""Smallest mean difference that a paired t-test would find.

    Solves :math:`P(|T| > t_{n-1,1-\alpha/2}) = \text{power}` for the mean
    :math:`\delta`, with :math:`T` noncentral :math:`t` of :math:`n-1` degrees of
    freedom and noncentrality :math:`\delta \sqrt{n} / s`.

    Args:
        spread: Standard deviation :math:`s` of the paired differences.
        n: Number of pairs.
        power: Chance of finding it, above ``alpha`` and below 1.
        alpha: Two-sided level of the test.

    Returns:
        The effect in the unit of ``spread``; NaN when ``n < 2`` or ``spread`` is NaN.

    Raises:
        ArgumentError: Unless ``0 < alpha < power < 1``.
    """
    if not 0 < alpha < power < 1:
        raise ArgumentError(
            f"need 0 < alpha < power < 1, got alpha={alpha} and power={power}"
        )
    if n < 2 or not math.isfinite(spread):
        return math.nan
    if spread == 0:
        return 0.0
    return _noncentrality(n, power, alpha) * spread / math.sqrt(n)


def paired_difference(a: Sequence[float], b: Sequence[float]) -> PairedDifference:
    """Compare two lists of measurements taken on the same splits, in order.

    Args:
        a: Measurements of the method.
        b: Measurements of the baseline, ``b[i]`` on the split of ``a[i]``.

    Raises:
        ArgumentError: If the lists differ in length.
    """
    if len(a) != len(b):
        raise ArgumentError(
            f"a and b must pair up, got {len(a)} and {len(b)} measurements"
        )
    raw = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    kept = np.round(finite(raw), 12)  # a tie is a tie, whatever the last bit says
    low, high = student_interval(kept)
    return PairedDifference(
        n=len(kept),
        excluded=len(raw) - len(kept),
        mean=mean(kept),
        std=std(kept),
        low=low,
        high=high,
        wins=int((kept > 0).sum()),
        losses=int((kept < 0).sum()),
        ties=int((kept == 0).sum()),
        p=wilcoxon(kept),
        detectable=minimum_detectable_effect(std(kept), len(kept)),
    )


def _exact_wilcoxon(nonzero: np.ndarray) -> float:
    """Share of all sign patterns at least as far from the middle as the observed one.

    scipy's exact method knows no ties, which accuracies on small test sets are full of,
    and its permutation method takes a hundred times longer.
    """
    doubled = np.rint(2 * sps.rankdata(np.abs(nonzero))).astype(np.int64)
    total = int(doubled.sum())
    counts = np.zeros(total + 1)  # patterns by the doubled sum of positive ranks
    counts[0] = 1
    for rank in doubled:
        counts[rank:] += counts[: total + 1 - rank].copy()
    distance = np.abs(2 * np.arange(total + 1) - total)
    observed = abs(2 * int(doubled[nonzero > 0].sum()) - total)
    return float(counts[distance >= observed].sum() / counts.sum())


@cache
def _noncentrality(n: int, power: float, alpha: float) -> float:
    critical = sps.t.ppf(1 - alpha / 2, n - 1)

    def missing(shift: float) -> float:
        upper_tail = float(sps.nct.sf(critical, n - 1, shift))
        lower_tail = float(sps.nct.cdf(-critical, n - 1, shift))
        # scipy's noncentral t gives NaN for some lower tails far below 1e-7.
        return upper_tail + (lower_tail if math.isfinite(lower_tail) else 0) - power

    upper = 1.0
    while missing(upper) < 0:
        upper *= 2
    return float(optimize.brentq(missing, 0.0, upper))


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ArgumentError(
            f"confidence must lie strictly between 0 and 1, got {confidence}"
        )
