"""The wide table, methods by datasets, as the parts of each cell."""

from collections.abc import Iterator
from dataclasses import dataclass

from graphlab.benchmark.report import verdict
from graphlab.benchmark.report.numbers import DASH
from graphlab.benchmark.report.table import Entry, Row, TableReport


@dataclass(frozen=True)
class Square:
    """What one square of the wide table says, from top to bottom; empty parts drop out.

    Attributes:
        published: The authors' number.
        copied: The number that the authors copied, marked.
        measured: Our number, or nothing.
        missing: ``(3 of 10)`` when runs are missing.
        outcome: Difference and verdict, or why there is no number.
        kind: Kind of the verdict, for colours.
    """

    published: str = ""
    copied: str = ""
    measured: str = ""
    missing: str = ""
    outcome: str = ""
    kind: str = ""


def squares(report: TableReport) -> Iterator[tuple[Row, list[Square]]]:
    """Rows with one square per column of the table."""
    for row in report.rows:
        entries = (report.grid.get((row, column)) for column in report.columns)
        yield row, [_square(entry) if entry else Square() for entry in entries]


def _square(entry: Entry) -> Square:
    return Square(
        published="" if entry.published == DASH else entry.published,
        copied="" if entry.copied == DASH else entry.copied,
        measured=entry.measured if entry.result.n else "",
        missing=f"({entry.runs})" if entry.partial else "",
        outcome=_outcome(entry),
        kind=entry.verdict.kind,
    )


def _outcome(entry: Entry) -> str:
    if entry.verdict.kind in verdict.JUDGED:
        return f"{entry.difference} {entry.words}"
    if entry.result.n and entry.result.cell.published is None:
        # The reason is the same in every such square; it stands in the notes.
        return entry.remark
    if entry.verdict.kind == verdict.NOT_COMPARABLE:
        return f"{entry.difference} {entry.words}"
    # Why there is no number may take a sentence: it stands in the notes.
    return entry.words if entry.result.n else entry.verdict.kind
