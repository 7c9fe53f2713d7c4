"""The two long tables, details and paired differences, as columns of plain text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from graphlab.benchmark.metric import Metric
from graphlab.benchmark.report import numbers
from graphlab.benchmark.report.effects import Effect
from graphlab.benchmark.report.numbers import decimal, percent, signed
from graphlab.benchmark.report.table import Entry


@dataclass(frozen=True)
class Field:
    """One column of a long table: its names and how it reads an entry."""

    title: str
    short: str
    text: Callable[[Entry], str]
    numeric: bool = True


def collapsed(entry: Entry) -> str:
    """``collapsed (3/10)``, or nothing."""
    count = entry.result.collapsed
    return f"collapsed ({count}/{entry.result.n})" if count else ""


def _score(entry: Entry) -> str:
    """Mean ± standard deviation with marks, in percent."""
    summary = entry.result.score
    text = numbers.plus_minus(percent(summary.mean), percent(summary.std))
    return text + entry.marks


def _interval(entry: Entry) -> str:
    summary = entry.result.score
    return numbers.interval(100 * summary.low, 100 * summary.high)


def _selection(entry: Entry) -> str:
    rules = dict.fromkeys(run.get("selection") for run in entry.result.runs)
    return "; ".join(rule for rule in rules if rule) or numbers.DASH


SPLIT = Field("Split", "split", lambda e: e.column.split, numeric=False)
LABEL = Field("Label method", "label", lambda e: e.row.label, numeric=False)
WHERE = (
    Field("Dataset", "dataset", lambda e: e.column.dataset, numeric=False),
    SPLIT,
    Field("Model", "model", lambda e: e.row.model, numeric=False),
    LABEL,
)
METHOD = Field("Method", "method", lambda e: e.row.method, numeric=False)
OTHERS = (
    Field("Macro-F1", "F1", lambda e: percent(e.result.macro_f1)),
    Field("Balanced accuracy", "bal.", lambda e: percent(e.result.balanced_accuracy)),
    Field("Best epoch", "epoch", lambda e: decimal(e.result.best_epoch(), 0)),
    Field("Rounds", "rds", lambda e: decimal(e.result.rounds(), 1)),
    Field("Seconds", "s", lambda e: numbers.seconds(e.result.mean_of("seconds"))),
    Field(
        "Parameters",
        "par.",
        lambda e: numbers.count(e.result.mean_of("num_parameters")),
    ),
)
FLAG = Field("Flag", "flag", collapsed, numeric=False)
SELECTION = Field("Selected by", "selected by", _selection, numeric=False)


def measures(metric: Metric) -> tuple[Field, ...]:
    """What is said of the runs of a cell, the table's metric first."""
    constant = metric.constant.capitalize()
    return (
        Field("n", "n", lambda e: f"{e.result.score.n}"),
        Field(f"{metric.title} ± std", f"{metric.name} ± std", _score),
        Field("95 % interval", "95 % interval", _interval),
        Field(constant, "const.", lambda e: percent(e.result.constant)),
        *OTHERS,
    )


def details(metric: Metric) -> tuple[Field, ...]:
    """All columns of the details."""
    return (*WHERE, *measures(metric), FLAG, SELECTION)


FACTS_TITLE = "What the models report of themselves, means over runs"


def facts(entries: Sequence[Entry]) -> tuple[Field, ...]:
    """A column for each number that some model reports of itself."""
    keys = dict.fromkeys(key for entry in entries for key in entry.result.facts)
    return tuple(_fact(key) for key in keys)


def _fact(key: str) -> Field:
    words = key.replace("_", " ")
    text = lambda entry: decimal(entry.result.facts.get(key), 3)  # noqa: E731
    return Field(words.capitalize(), words, text)


def _paired(text: Callable[[Effect], str]) -> Callable[[Entry], str]:
    """Read the effect, with a dash where nothing could be paired."""
    return lambda e: text(e.effect) if e.effect.paired else numbers.DASH


COMPARISON = (
    Field("n", "n", _paired(lambda e: f"{e.paired.n}")),
    Field("Mean difference", "mean", _paired(lambda e: signed(e.paired.mean))),
    Field(
        "95 % interval",
        "95 % interval",
        _paired(lambda e: numbers.interval(e.paired.low, e.paired.high)),
    ),
    Field(
        "Wins / losses / ties",
        "W/L/T",
        _paired(lambda e: f"{e.paired.wins}/{e.paired.losses}/{e.paired.ties}"),
    ),
    Field("Wilcoxon p", "p", _paired(lambda e: numbers.p_value(e.paired.p))),
    Field("Holm p", "Holm", _paired(lambda e: numbers.p_value(e.holm))),
    # Without any spread nothing can be said about what would be seen.
    Field("MDE", "MDE", _paired(lambda e: decimal(e.paired.detectable or None))),
)
WORDS = Field("In words", "in words", lambda e: str(e.effect), numeric=False)
EFFECTS = (*WHERE, *COMPARISON, WORDS)


def useful(fields: Sequence[Field], entries: Sequence[Entry]) -> list[Field]:
    """The columns that say something: not all empty, not one split or rule for all.

    The split and the selection rule stand in the notes in any case; that there is no
    label method need not be said.
    """
    kept = []
    for field in fields:
        texts = {field.text(entry) for entry in entries}
        uniform = field in (SPLIT, SELECTION) and len(texts) == 1
        unlabelled = field is LABEL and {text.lower() for text in texts} == {"none"}
        if not (uniform or unlabelled) and texts - {"", numbers.DASH}:
            kept.append(field)
    return kept
