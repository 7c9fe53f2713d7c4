"""A filled table in three or four plain sentences."""

from collections import Counter

from graphlab.benchmark.report.effects import (
    GAIN,
    IDENTICAL,
    LOSS,
    NOT_COMPARED,
    UNDETECTED,
    WEAK_GAIN,
    WEAK_LOSS,
)
from graphlab.benchmark.report.numbers import listing, plural
from graphlab.benchmark.report.table import TableReport
from graphlab.benchmark.report.verdict import ABOVE, BELOW, NOT_COMPARABLE, WITHIN

NOTHING = "Nothing was run for this table yet."


def headline(report: TableReport) -> list[str]:
    """How much was measured, how it agrees, what helped, and what to distrust."""
    if not any(entry.result.started for entry in report.entries):
        return [NOTHING]
    sentences = [_measured(report), _agreement(report), _effects(report)]
    sentences += _warnings(report)
    return [sentence for sentence in sentences if sentence]


def _measured(report: TableReport) -> str:
    total, done = len(report.entries), len(report.measured)
    partial = sum(entry.partial for entry in report.entries)
    text = f"{done} of {plural(total, 'cell')} measured"
    return text + (f", {partial} of them with runs missing." if partial else ".")


def _agreement(report: TableReport) -> str:
    if not report.has_published:
        return ""
    kinds = Counter(entry.verdict.kind for entry in report.measured)
    names = (WITHIN, ABOVE, BELOW, NOT_COMPARABLE)
    parts = [f"{kinds[kind]} {kind}" for kind in names if kinds[kind]]
    return f"Against the published numbers: {listing(parts)}." if parts else ""


def _effects(report: TableReport) -> str:
    kinds = Counter(effect.kind for effect in report.effects)
    parts = [
        _count(kinds[GAIN], GAIN, "s"),
        _count(kinds[LOSS], LOSS, "es"),
        _count(kinds[WEAK_GAIN], WEAK_GAIN, "s"),
        _count(kinds[WEAK_LOSS], WEAK_LOSS, "es"),
        f"{kinds[UNDETECTED]} without a detected difference" * bool(kinds[UNDETECTED]),
        f"{kinds[IDENTICAL]} identical" * bool(kinds[IDENTICAL]),
        f"{kinds[NOT_COMPARED]} not compared" * bool(kinds[NOT_COMPARED]),
    ]
    text = listing([part for part in parts if part])
    who = "Models" if report.table.baseline else "Label methods"
    return f"{who} against {report.baseline}: {text}." if text else ""


def _count(number: int, noun: str, ending: str) -> str:
    return f"{number} {noun}{ending * (number > 1)}" if number else ""


def _warnings(report: TableReport) -> list[str]:
    constant = sum(not entry.result.beats_constant for entry in report.measured)
    collapsed = sum(bool(entry.result.collapsed) for entry in report.measured)
    quick = sum(entry.result.quick for entry in report.measured)
    lines = []
    if quick:
        lines.append(f"{plural(quick, 'cell')} ran under the quick profile.")
    if collapsed:
        lines.append(f"{plural(collapsed, 'cell')} had collapsed runs.")
    if constant:
        verb = "does" if constant == 1 else "do"
        lines.append(
            f"{plural(constant, 'cell')} {verb} not beat a constant prediction."
        )
    return lines
