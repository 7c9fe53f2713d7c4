"""Does it help? Paired differences against a baseline, on the same splits.

The baseline is training without a label method, for the same model; or, where the table
names one, a model, for the same label method.

A method has a *gain* (or *loss*) when Holm's adjusted Wilcoxon p-value, over all
comparisons of the table, is at most .05; an *uncorrected gain* when only the p-value
before the adjustment is. (Ten pairs give no p-value below .002, so in a table of more
than 25 comparisons nothing can survive the adjustment: silence about an effect that
shows on all ten splits would mislead as much as a claim.) With fewer than six pairs no
test could find anything; then Student's 95 % interval of the mean difference decides,
and the words say so. In every other case *no difference was detected*, which is not
equality: the smallest effect that would have been seen is named.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from graphlab.benchmark import stats
from graphlab.benchmark.recipe import Cell
from graphlab.benchmark.report.numbers import decimal, plural
from graphlab.benchmark.report.results import CellResult, differences

LEVEL = 0.05
GAIN = "gain"
LOSS = "loss"
WEAK_GAIN = "uncorrected gain"
WEAK_LOSS = "uncorrected loss"
UNDETECTED = "no difference detected"
IDENTICAL = "identical"
NOT_COMPARED = "not compared"


@dataclass(frozen=True)
class Effect:
    """One method against the baseline of its block.

    Attributes:
        result: The method's cell.
        pairs: Differences of the table's metric in points, by run index.
        paired: Their statistics, in points; ``None`` when nothing could be paired.
        holm: Wilcoxon p-value adjusted over the table; ``None`` without a test.
        kind: One of the constants of this module.
        reason: Completes the words.
        apart: Training settings in which method and baseline differ.
    """

    result: CellResult
    pairs: tuple[float, ...] = ()
    paired: stats.PairedDifference | None = None
    holm: float | None = None
    kind: str = NOT_COMPARED
    reason: str = ""
    apart: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind} ({self.reason})" if self.reason else self.kind


def is_baseline(cell: Cell, model: str = "") -> bool:
    """Whether a cell is of the model or, without one, leaves the labels alone."""
    if model:
        return cell.model_name == model
    return cell.label.endswith(":no_smoothing") or cell.label_name.lower() == "none"


def effects(results: Sequence[CellResult], model: str = "") -> tuple[Effect, ...]:
    """Compare every measured method of a table with its baseline.

    Args:
        results: The cells of the table.
        model: The model that is the baseline; empty where no label method is.
    """
    found = {_block(r.cell, model): r for r in results if is_baseline(r.cell, model)}
    measured = [r for r in results if r.n and not is_baseline(r.cell, model)]
    raw = [_compare(r, found.get(_block(r.cell, model)), model) for r in measured]
    adjusted = stats.holm([e.paired.p if e.paired else None for e in raw])
    return tuple(_in_words(e, p) for e, p in zip(raw, adjusted, strict=True))


def _compare(result: CellResult, baseline: CellResult | None, model: str) -> Effect:
    if baseline is None or not baseline.n:
        return Effect(result, reason="the baseline was not run")
    if baseline.profile != result.profile:
        reason = f"the baseline has only runs of the {baseline.profile} profile"
        return Effect(result, reason=reason)
    ours, theirs = _by_split(result), _by_split(baseline)
    shared = [key for key in ours if key in theirs]
    if not shared:
        return Effect(result, reason="no run shares its split with the baseline")
    a = [100 * ours[key] for key in shared]
    b = [100 * theirs[key] for key in shared]
    paired = stats.paired_difference(a, b)
    pairs = tuple(x - y for x, y in zip(a, b, strict=True))
    return Effect(result, pairs, paired, apart=_apart(result, baseline, model))


def _in_words(effect: Effect, holm: float | None) -> Effect:
    paired = effect.paired
    if paired is None:
        return effect
    kind, reason = UNDETECTED, _unseen(paired)
    if paired.n and paired.ties == paired.n:
        kind, reason = IDENTICAL, f"in {plural(paired.n, 'run')}"
    elif holm is not None and holm <= LEVEL:
        kind, reason = (GAIN if paired.mean > 0 else LOSS), ""
    elif paired.p is not None and paired.p <= LEVEL:
        kind = WEAK_GAIN if paired.mean > 0 else WEAK_LOSS
        reason = "not after Holm's correction"
    elif paired.n < stats.MIN_PAIRS and paired.std == 0:
        # Steps of one node on a small test set: an interval of width 0 proves nothing.
        reason = f"{paired.n} equal differences cannot tell"
    elif paired.n < stats.MIN_PAIRS and (paired.low > 0 or paired.high < 0):
        kind = GAIN if paired.mean > 0 else LOSS
        reason = f"by the interval alone, {plural(paired.n, 'pair')}"
    if kind in (GAIN, WEAK_GAIN) and not effect.result.beats_constant:
        constant = f"yet not above the {effect.result.metric.constant}"
        reason = "; ".join(filter(None, [reason, constant]))
    return replace(effect, holm=holm, kind=kind, reason=reason)


def _unseen(paired: stats.PairedDifference) -> str:
    if paired.n < 2:
        return f"{plural(paired.n, 'pair')} cannot tell"
    return f"smaller than {decimal(paired.detectable)} points would not be seen"


def _by_split(result: CellResult) -> dict[tuple, float]:
    """The test metric by run index and by the content of split and dataset."""
    keys = ("run", "split_checksum", "dataset_checksum")
    values = result.values(result.metric.key)
    return {
        tuple(run.get(key) for key in keys): value
        for run, value in zip(result.runs, values, strict=True)
    }


def _apart(result: CellResult, baseline: CellResult, model: str) -> tuple[str, ...]:
    """Settings that differ: then it is not the method alone.

    Two models have arguments of their own in any case.
    """
    names = ["training", "normalize_features", *([] if model else ["model_args"])]
    ours, theirs = (r.runs[0]["cell"] for r in (result, baseline))
    return differences(
        {n: theirs.get(n) for n in names}, {n: ours.get(n) for n in names}
    )


def _block(cell: Cell, model: str) -> str:
    """What a method shares with its baseline."""
    names = ["label", "label_name"] if model else ["model", "model_name"]
    names += ["dataset", "split", "split_args", "task"]
    return json.dumps([getattr(cell, name) for name in names], sort_keys=True)
