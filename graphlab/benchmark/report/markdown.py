"""Tables in GitHub's Markdown, for a README."""

from collections.abc import Iterable, Sequence

from graphlab.benchmark.report import views
from graphlab.benchmark.report.grid import Square, squares
from graphlab.benchmark.report.headline import headline
from graphlab.benchmark.report.notes import Note, allot
from graphlab.benchmark.report.numbers import percent
from graphlab.benchmark.report.table import TableReport

_SPECIAL = "\\`*_|<>[]#"


def escape(text: str) -> str:
    """Text that Markdown shows as it is, in a table cell too."""
    escaped = "".join(f"\\{sign}" if sign in _SPECIAL else sign for sign in text)
    return escaped.replace("\r", "").replace("\n", " ")


def render_markdown(reports: Iterable[TableReport]) -> str:
    """All tables, each with its headline, three parts and notes."""
    reports = list(reports)
    own, shared = allot(reports)
    parts: list[str] = []
    for report, small in zip(reports, own, strict=True):
        parts += [*_table(report), *_notes("### Notes", small)]
    parts += _notes("## Notes on all tables", shared)
    return "\n\n".join(parts) + "\n"


def _table(report: TableReport) -> list[str]:
    title = report.table.title or report.table.name
    parts = [f"## {escape(title)}", escape(" ".join(headline(report)))]
    if not report.columns:
        return parts
    parts += [f"### {report.caption}", *_legend(report), _wide(report)]
    if report.effects:
        rows = [e for e in report.by_dataset if e.effect]
        parts += [f"### {escape(report.effects_title)}"]
        parts += [_long(views.EFFECTS, rows)]
    if report.measured:
        parts += [
            "### Details, %",
            _long(views.details(report.metric), report.by_dataset),
        ]
    if report.telling:
        fields = (*views.WHERE, *views.facts(report.telling))
        parts += [f"### {views.FACTS_TITLE}", _long(fields, report.telling)]
    return parts


def _notes(title: str, small: list[Note]) -> list[str]:
    lines = [f"- **{escape(term)}:** {escape(text)}" for term, text in small]
    return [title, "\n".join(lines)] if lines else []


def _legend(report: TableReport) -> list[str]:
    text = (
        "Each square, from top to bottom: published number, **measured number**, "
        "difference and verdict."
    )
    return [text] if report.has_published else []


def _wide(report: TableReport) -> str:
    def named(model: str, label: str) -> list[str]:
        return [model, label] if report.labelled else [model]

    header = named("Model", "Label method")
    numeric = [False] * len(header) + [True] * len(report.columns)
    header += [escape(report.heading(column)) for column in report.columns]
    constant = [percent(report.constant(c)) for c in report.columns]
    rows = [[*named(f"*{report.metric.constant}*", ""), *constant]]
    rows += [
        [*named(escape(row.model), escape(row.label)), *map(_square, line)]
        for row, line in squares(report)
    ]
    return _grid(header, rows, numeric)


def _square(square: Square) -> str:
    measured = f"**{escape(square.measured)}**" if square.measured else ""
    parts = (
        escape(square.published),
        f"*{escape(square.copied)}*" if square.copied else "",
        " ".join(filter(None, [measured, square.missing])),
        escape(square.outcome),
    )
    return "<br>".join(filter(None, parts))


def _long(fields: Sequence[views.Field], entries: Sequence) -> str:
    fields = views.useful(fields, entries)
    rows = [[escape(field.text(entry)) for field in fields] for entry in entries]
    header = [field.title for field in fields]
    return _grid(header, rows, [field.numeric for field in fields])


def _grid(
    header: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool]
) -> str:
    rule = ["---:" if right else "---" for right in numeric]
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, rule, *rows))
