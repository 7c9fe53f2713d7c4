"""A table for a terminal of 100 columns: one block per dataset."""

from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from graphlab.benchmark.report import effects, verdict, views
from graphlab.benchmark.report.headline import headline
from graphlab.benchmark.report.notes import Note, allot
from graphlab.benchmark.report.numbers import DASH, percent
from graphlab.benchmark.report.table import Column, Entry, TableReport
from graphlab.terminal_text import finished_text, text_console

WIDTH = 100
STYLES = {
    verdict.WITHIN: "green",
    verdict.ABOVE: "blue",
    verdict.BELOW: "magenta",
    verdict.OOM: "red",
    verdict.NAN: "red",
    verdict.ERROR: "red",
    verdict.UNAVAILABLE: "yellow",
    effects.GAIN: "green",
    effects.LOSS: "magenta",
    effects.WEAK_GAIN: "dim green",
    effects.WEAK_LOSS: "dim magenta",
}


def render_terminal(
    reports: Iterable[TableReport], width: int = WIDTH, color: bool = False
) -> str:
    """Tables as text, with ANSI colours if asked for; no line is longer than width."""
    console = text_console(width, color)
    reports = list(reports)
    own, shared = allot(reports)
    for report, small in zip(reports, own, strict=True):
        _write(console, report)
        _notes(console, "Notes", small)
    _notes(console, "Notes on all tables", shared)
    return finished_text(console)


def _write(console: Console, report: TableReport) -> None:
    console.print()
    console.rule(Text(report.table.title or report.table.name, "bold"), align="left")
    console.print(" ".join(headline(report)))
    if not report.columns:
        return
    _title(console, report.caption)
    for column in report.columns:
        _verdicts(console, report, column)
    if report.effects:
        _title(console, report.effects_title)
        _differences(console, report)
    if report.measured:
        _title(console, "Details, %")
        for column in report.columns:
            _details(console, report, column)
    if report.telling:
        _title(console, views.FACTS_TITLE)
        for column in report.columns:
            _facts(console, report, column)


def _notes(console: Console, title: str, small: list[Note]) -> None:
    if small:
        _title(console, title)
    for term, text in small:
        line = Text.assemble((f"{term}: ", "bold"), text)
        console.print(Padding(line, (0, 0, 0, 1)))


def _title(console: Console, text: str) -> None:
    console.print()
    console.print(Text(text, "bold underline"))


def _verdicts(console: Console, report: TableReport, column: Column) -> None:
    here = [e for e in report.shown if e.column == column]
    started = [entry for entry in here if entry.result.started]
    with_copies = any(entry.copied != DASH for entry in started)
    parts = [
        ("method", lambda e: e.row.method, True),
        ("published", lambda e: e.published, report.has_published),
        ("copied", lambda e: e.copied, with_copies),
        ("measured", lambda e: e.measured, True),
        ("n", lambda e: e.runs, True),
        ("difference", lambda e: e.difference, report.has_published),
    ]
    used = [(name, text) for name, text, wanted in parts if wanted]
    console.print(_block_title(report, column))
    grid = _grid()
    for name, _ in used:
        grid.add_column(
            name, justify="left" if name == "method" else "right", no_wrap=True
        )
    grid.add_column("verdict" if report.has_published else "")
    for entry in started:
        words = entry.words if report.has_published else entry.remark
        verdict_text = Text(words, STYLES.get(entry.verdict.kind, ""))
        grid.add_row(*(text(entry) for _, text in used), verdict_text)
    if started:
        console.print(grid)
    for line in _idle(here):
        console.print(Padding(Text(line, "dim"), (0, 0, 0, 1)))
    console.print()


def _idle(entries: list[Entry]) -> list[str]:
    """The cells of a block that have no run file, gathered by reason."""
    reasons: dict[str, list[str]] = {}
    for entry in entries:
        if not entry.result.started:
            reasons.setdefault(entry.words, []).append(entry.row.method)
    return [f"{', '.join(methods)} – {why}" for why, methods in reasons.items()]


def _details(console: Console, report: TableReport, column: Column) -> None:
    here = [e for e in report.measured if e.column == column]
    if not here:
        return
    grid = _grid()
    fields = views.useful(views.measures(report.metric), report.measured)
    fields = (views.METHOD, *fields)
    _add_columns(grid, fields)
    for entry in here:
        flag = views.collapsed(entry)
        name = Text(entry.row.method)
        if flag:
            name.append(f"\n{flag}", "red")
        grid.add_row(name, *(field.text(entry) for field in fields[1:]))
    console.print(_block_title(report, column))
    console.print(grid)
    console.print()


def _facts(console: Console, report: TableReport, column: Column) -> None:
    """One line a model: as columns these would be too many."""
    here = [e for e in report.telling if e.column == column]
    if not here:
        return
    grid = _grid()
    _add_columns(grid, (views.METHOD,))
    grid.add_column()
    for entry in here:
        told = [f"{field.short} {field.text(entry)}" for field in views.facts([entry])]
        grid.add_row(entry.row.method, ", ".join(told))
    console.print(_block_title(report, column))
    console.print(grid)
    console.print()


def _differences(console: Console, report: TableReport) -> None:
    with_effect = [e for e in report.entries if e.effect]
    grid = _grid()
    grid.add_column("dataset")
    fields = (views.METHOD, *views.COMPARISON)
    _add_columns(grid, fields)
    longest = max(len(entry.row.method) for entry in with_effect)
    grid.columns[1].no_wrap = longest <= 16  # such a name is not cut for the words
    grid.add_column("in words")
    for column in report.columns:
        here = [entry for entry in with_effect if entry.column == column]
        for k, entry in enumerate(here):
            kind = entry.effect.kind
            words = Text(_brief(entry), STYLES.get(kind, "dim"))
            grid.add_row(
                report.heading(column) if k == 0 else "",
                *(field.text(entry) for field in fields),
                words,
                end_section=k == len(here) - 1,
            )
    console.print(grid)


def _brief(entry: Entry) -> str:
    """The words without what another column or the notes say already."""
    kind = entry.effect.kind
    weak = kind in (effects.WEAK_GAIN, effects.WEAK_LOSS)
    if kind == effects.UNDETECTED or (weak and entry.result.beats_constant):
        return kind
    return str(entry.effect)


def _block_title(report: TableReport, column: Column) -> Text:
    constant = percent(report.constant(column))
    rest = f"  {column.split}" + (
        f", {report.metric.constant} {constant}" if constant != DASH else ""
    )
    return Text.assemble((column.dataset, "bold"), rest)


def _grid() -> Grid:
    return Grid(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        header_style="dim",
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )


def _add_columns(grid: Grid, fields: Iterable[views.Field]) -> None:
    for field in fields:
        grid.add_column(
            field.short,
            justify="right" if field.numeric else "left",
            no_wrap=field.numeric,
        )
