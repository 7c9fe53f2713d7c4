"""The small print below a table: what stands behind its numbers."""

from collections.abc import Iterable, Sequence
from typing import Any

from graphlab.benchmark import stats
from graphlab.benchmark.report.effects import NOT_COMPARED
from graphlab.benchmark.report.numbers import listing, percent, plural
from graphlab.benchmark.report.table import (
    CHANGED,
    COLLAPSED,
    CONSTANT,
    COPIED,
    Entry,
    TableReport,
)
from graphlab.benchmark.report.verdict import NOT_IMPLEMENTED, NOT_RUN
from graphlab.benchmark.report.versions import environment

_PLURALS = {
    "accuracy": "Accuracies are percentages",
    "roc_auc": "Areas under the ROC curve are percentages (50 is chance)",
    **dict.fromkeys(
        (
            *("seen_accuracy", "unseen_accuracy", "fold_in_accuracy"),
            *("seen_new", "unseen_new"),
        ),
        "Accuracies are percentages of pairs in the right order, ties as half,",
    ),
}
_BEYOND = "reversed diffusion for longer than the number format can undo"
MANY = 6  # seeds, cells or settings named one by one before it becomes "and k more"


Note = tuple[str, str]


def allot(reports: Sequence[TableReport]) -> tuple[list[list[Note]], list[Note]]:
    """The notes of each table, and those that hold for all of several tables."""
    found = [notes(report) for report in reports]
    filled = [set(each) for each in found if each]
    shared = set.intersection(*filled) if len(filled) > 1 else set()
    own = [[note for note in each if note not in shared] for each in found]
    first = next((each for each in found if each), [])
    return own, [note for note in first if note in shared]


def notes(report: TableReport) -> list[Note]:
    """Term and explanation of every note that the table needs, in reading order."""
    if not any(entry.result.started for entry in report.entries):
        return []
    runs = _runs(report)
    found = [
        ("Numbers", _numbers(report)),
        ("Verdict", _verdict(report)),
        ("Published", _published(report)),
        (f"Copied ({COPIED})", _copied(report)),
        ("No published number", _unpublished(report)),
        ("Paired tests", _paired(report)),
        (f"Collapsed ({COLLAPSED})", _collapsed(report)),
        ("Not converged", _denied(report, "converged", "did not converge")),
        ("Ill-posed", _denied(report, "well_posed", _BEYOND)),
        (f"Constant ({CONSTANT})", _constant(report)),
        (f"Changed settings ({CHANGED})", _changed(report)),
        ("Method settings apart", _apart(report)),
        ("Selection", _selection(runs)),
        ("Splits and seeds", _seeds(runs)),
        ("Runs", _count(report)),
        ("Profile", _profile(report)),
        ("Training", _vectorized(runs)),
        ("No number", _without_number(report)),
        ("Not run", _hidden(report)),
        ("Set aside", _set_aside(report)),
        ("Table", report.table.note),
        *environment(runs),
    ]
    return [(term, text) for term, text in found if text]


def _runs(report: TableReport) -> list[dict]:
    return [
        run
        for entry in report.entries
        for run in (*entry.result.runs, *entry.result.failed)
    ]


def _numbers(report: TableReport) -> str:
    return (
        f"{_PLURALS[report.metric.key]} on the test {report.items}, differences are "
        "percentage points. Measured ± is the larger half of a 95 % percentile "
        f"bootstrap interval of the mean ({stats.PAPER_DRAWS:,} draws, seeded), as "
        "PosteL prints it; the details give the unbiased standard deviation and the "
        f"interval itself ({stats.DRAWS:,} draws). A dash is undefined: one run has no "
        "spread."
    )


def _verdict(report: TableReport) -> str:
    if not report.has_published:
        return ""
    return (
        "“within” when measured and published mean differ by at most the root of the "
        "summed squares of their half-widths, else “above” or “below”: splits are "
        "shared, seeds of initialisation and dropout are not."
    )


def _published(report: TableReport) -> str:
    numbers = [e.result.cell.published for e in report.shown]
    sources = [f"{p.source} (± is {p.kind})" for p in numbers if p and not p.copied]
    return "; ".join(_unique(sources))


def _copied(report: TableReport) -> str:
    numbers = [e.result.cell.published for e in report.shown]
    sources = [
        f"copied from {p.copied_from} by {p.source}, not rerun by the authors"
        for p in numbers
        if p and p.copied
    ]
    return "; ".join(_unique(sources))


def _unpublished(report: TableReport) -> str:
    cells = [e.result.cell for e in report.measured]
    reasons = [c.published_note for c in cells if c.published is None]
    return _shortened([r for r in _unique(reasons) if r and r != "no published number"])


def _paired(report: TableReport) -> str:
    tests = [e for e in report.effects if e.kind != NOT_COMPARED]
    if not tests:
        return ""
    family = sum(effect.holm is not None for effect in tests)
    return (
        f"Method minus {report.baseline} on the same split, mean with Student's 95 % "
        f"interval; two-sided Wilcoxon signed-rank test from {stats.MIN_PAIRS} pairs "
        f"on, adjusted by Holm over the {plural(family, 'test')} of this table. "
        "“Uncorrected” is what only the unadjusted p-value finds, as it would one time "
        "in twenty without any effect. MDE: the smallest mean difference that a paired "
        "t-test of level .05 would find four times in five. Splits of one graph have "
        "data in common, so runs are not independent and p-values are rather too small."
    )


def _collapsed(report: TableReport) -> str:
    if not any(entry.result.collapsed for entry in report.measured):
        return ""
    return (
        f"the predictions on validation and test {report.items} fell to one class in "
        "at least one run; the details count them."
        + " The ROC-AUC does not depend on it."
        * (report.metric.key == "roc_auc")
    )


def _denied(report: TableReport, fact: str, words: str) -> str:
    """Runs whose model says of itself that something does not hold."""
    told: list[tuple[str, bool]] = []
    for entry in report.measured:
        place = f"{entry.row.method} on {entry.column.dataset}"
        models = [run.get("info", {}).get("model") or {} for run in entry.result.runs]
        told += [(place, model[fact]) for model in models if fact in model]
    where = [place for place, holds in told if holds is False]
    if not where:
        return ""
    return (
        f"{len(where)} of {plural(len(told), 'run')} {words} "
        f"({_shortened(_unique(where), ', ')})"
    )


def _constant(report: TableReport) -> str:
    if all(entry.result.beats_constant for entry in report.measured):
        return ""
    if report.metric.chance is not None:
        chance = percent(report.metric.chance)
        return f"the mean {report.metric.name} is not above {chance}, that of chance."
    return (
        "the mean accuracy is not above that of always predicting the class that is "
        f"most frequent among the validation {report.items}."
    )


def _changed(report: TableReport) -> str:
    lines = [
        f"{e.row.method} on {e.column.dataset}: {', '.join(e.result.changed)}"
        for e in report.measured
        if e.result.changed and not e.result.quick
    ]
    return _shortened(lines)


def _apart(report: TableReport) -> str:
    grouped: dict[str, list[str]] = {}
    for entry in report.entries:
        if entry.effect and entry.effect.apart:
            place = f"{entry.row.method} on {entry.column.dataset}"
            grouped.setdefault(", ".join(entry.effect.apart), []).append(place)
    lines = [f"{change} ({_shortened(where)})" for change, where in grouped.items()]
    if not lines:
        return ""
    differently = f"method and {report.baseline} were trained differently"
    return f"{differently}: {_shortened(lines)}"


def _selection(runs: list[dict]) -> str:
    rules = _unique(run.get("selection") for run in runs if run.get("selection"))
    if not rules:
        return ""
    return (
        f"test metrics are read at the epoch of {listing(rules)}, never on test data."
    )


def _seeds(runs: list[dict]) -> str:
    parts = []
    for split in _unique(run["cell"]["split"] for run in runs):
        mine = [run for run in runs if run["cell"]["split"] == split]
        seeds = _unique(
            r["split_seed"] for r in mine if r.get("split_seed") is not None
        )
        told = [f"{k} {v}" for run in mine for k, v in _split_args(run)]
        told += [f"split seeds {_numbers_named(seeds)}"] if seeds else []
        parts.append(f"{split}" + (f" ({', '.join(_unique(told))})" if told else ""))
    seeds = _unique(run["seed"] for run in runs if run.get("seed") is not None)
    training = f"; training seeds {_numbers_named(seeds)}" if seeds else ""
    return "; ".join(parts) + training


def _split_args(run: dict) -> Iterable[tuple[str, Any]]:
    return (run["cell"].get("split_args") or {}).items()


def _count(report: TableReport) -> str:
    counts = [entry.result.score.n for entry in report.measured]
    if not counts:
        return "no run gave a number"
    low, high = min(counts), max(counts)
    text = f"{high}" if low == high else f"{low} to {high}"
    failed = sum(len(entry.result.failed) for entry in report.entries)
    lost = f"; {plural(failed, 'run')} without a number left out" if failed else ""
    return f"{text} per measured cell{lost}"


def _profile(report: TableReport) -> str:
    results = [e.result for e in report.entries if e.result.started]
    if not any(result.quick for result in results):
        return "full"
    cuts = report.recipe.cuts or _unique(
        change for result in results if result.quick for change in result.changed
    )
    some = "" if all(result.quick for result in results) else " in part of the cells"
    what = f": {_shortened(list(cuts))}" if cuts else ""
    return f"quick{some}{what}. Numbers are not comparable with published ones."


def _vectorized(runs: list[dict]) -> str:
    alone = [run for run in runs if run.get("vectorized") is False]
    if not alone:
        return ""
    reasons = _unique(r["vectorized_note"] for r in alone if r.get("vectorized_note"))
    why = f": {'; '.join(reasons)}" if reasons else ""
    return f"{plural(len(alone), 'run')} trained one by one{why}"


def _hidden(report: TableReport) -> str:
    models = _unique(e.row.model for e in report.entries)
    datasets = _unique(e.column.dataset for e in report.entries)
    idle_models = [m for m in models if m not in {r.model for r in report.rows}]
    idle_data = [d for d in datasets if d not in {c.dataset for c in report.columns}]
    parts = [listing(idle_models), listing(idle_data)]
    return "; ".join(filter(None, parts))


def _without_number(report: TableReport) -> str:
    """Why squares of the wide table are empty, gathered by reason."""
    grouped: dict[str, list[Entry]] = {}
    for entry in report.shown:
        if not entry.result.n and entry.verdict.kind != NOT_RUN:
            grouped.setdefault(entry.words, []).append(entry)
    return _shortened([f"{why} ({_whose(who)})" for why, who in grouped.items()])


def _whose(entries: list[Entry]) -> str:
    """Cells by name; only the methods where a reason holds on many datasets."""
    if entries[0].verdict.kind == NOT_IMPLEMENTED:
        return listing(_unique(entry.row.label for entry in entries))
    places = [f"{entry.row.method} on {entry.column.dataset}" for entry in entries]
    return _shortened(places, ", ")


def _set_aside(report: TableReport) -> str:
    aside = sum(entry.result.set_aside for entry in report.entries)
    if not aside:
        return ""
    return f"{plural(aside, 'run')} of these cells under other settings, not shown here"


def _numbers_named(seeds: list[int]) -> str:
    """``0 to 9`` for a gapless range, else the first dozen one by one."""
    ordered = sorted(seeds)
    if len(seeds) > 2 and ordered[-1] - ordered[0] == len(seeds) - 1:
        return f"{ordered[0]} to {ordered[-1]}"
    return _shortened([str(seed) for seed in seeds], ", ", 12)


def _shortened(lines: list[str], joint: str = "; ", limit: int = MANY) -> str:
    rest = len(lines) - limit
    return joint.join(lines[:limit]) + (f"{joint}and {rest} more" if rest > 0 else "")


def _unique(items: Iterable) -> list:
    return list(dict.fromkeys(items))
