r"""Tables in LaTeX with booktabs rules, to be ``\input`` into a paper."""

from collections.abc import Iterable, Sequence

from graphlab.benchmark.report import views
from graphlab.benchmark.report.grid import Square, squares
from graphlab.benchmark.report.headline import headline
from graphlab.benchmark.report.notes import Note, allot
from graphlab.benchmark.report.numbers import percent
from graphlab.benchmark.report.table import Column, TableReport

PREAMBLE = r"""% \usepackage[T1]{fontenc}
% \usepackage{booktabs,longtable}
% Wide: meant for a landscape page."""
PANEL = 5  # datasets side by side before the wide table continues below

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "[": "{[}",  # after \\ a bracket would be read as an optional length
    "]": "{]}",
    '"': r"\textquotedbl{}",
    "“": "``",
    "”": "''",
    "–": "--",
    "−": "$-$",
    "±": r"$\pm$",
    "→": r"$\to$",
    "×": r"$\times$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "†": r"$^{\dagger}$",
    "‡": r"$^{\ddagger}$",
    "§": r"$^{\S}$",
    "ᶜ": r"$^{c}$",
    "\n": " ",
}


def escape(text: str) -> str:
    """Text that LaTeX prints as it is."""
    return "".join(_ESCAPES.get(sign, sign) for sign in text)


def render_latex(reports: Iterable[TableReport]) -> str:
    """All tables; the packages they need stand in a comment at the top."""
    reports = list(reports)
    own, shared = allot(reports)
    parts = [PREAMBLE]
    for report, small in zip(reports, own, strict=True):
        parts += [*_table(report), *_notes(small)]
    parts += _notes(shared)
    return "\n\n".join(parts) + "\n"


def _table(report: TableReport) -> list[str]:
    title = escape(report.table.title or report.table.name)
    summary = escape(" ".join(headline(report)))
    if not report.columns:
        return [rf"\paragraph{{{title}}} {summary}"]
    parts = [_wide(report, title, summary)]
    if report.effects:
        rows = [e for e in report.by_dataset if e.effect]
        caption = f"{title}: {escape(_lower(report.effects_title))}."
        parts.append(_long(views.EFFECTS, rows, caption))
    if report.measured:
        caption = rf"{title}: details, \%."
        parts.append(_long(views.details(report.metric), report.by_dataset, caption))
    if report.telling:
        fields = (*views.WHERE, *views.facts(report.telling))
        caption = f"{title}: {_lower(views.FACTS_TITLE)}."
        parts.append(_long(fields, report.telling, caption))
    return parts


def _lower(title: str) -> str:
    return title[0].lower() + title[1:]


def _wide(report: TableReport, title: str, summary: str) -> str:
    """Panels one below the other; long tables may break between pages, floats not."""
    legend = escape(report.caption) + "."
    if report.has_published:
        legend += r" From top to bottom: published, \textbf{measured}, difference and"
        legend += " verdict."
    captions = [rf"{title}. {legend} {summary}"]
    panels = [
        report.columns[k : k + PANEL] for k in range(0, len(report.columns), PANEL)
    ]
    captions += [f"{title}, continued: more datasets."] * (len(panels) - 1)
    return "\n\n".join(
        _panel(report, panel, caption)
        for panel, caption in zip(panels, captions, strict=True)
    )


def _panel(report: TableReport, panel: Sequence[Column], caption: str) -> str:
    chosen = [report.columns.index(column) for column in panel]
    heads = [escape(report.heading(column)) for column in panel]
    constant = [percent(report.constant(column)) for column in panel]
    emphasis = rf"\emph{{{report.metric.constant}}}"
    names = _names(report, "Model", "Label method")
    return "\n".join(
        [
            r"{\scriptsize\setlength{\tabcolsep}{4pt}",
            rf"\begin{{longtable}}{{{'l' * len(names)}{'r' * len(panel)}}}",
            rf"\caption{{{caption}}}\\",
            r"\toprule",
            _line([*names, *heads]),
            r"\midrule",
            r"\endhead",
            _line([*_names(report, emphasis, ""), *map(escape, constant)]),
            *_panel_rows(report, chosen),
            r"\bottomrule",
            r"\end{longtable}}",
        ]
    )


def _panel_rows(report: TableReport, chosen: Sequence[int]) -> list[str]:
    lines: list[str] = []
    model = None
    for row, line in squares(report):
        first = row.model != model
        lines += [r"\midrule" if first else r"\addlinespace"]
        model = row.model
        stacked = [_stack(line[k]) for k in chosen]
        for depth in range(max(map(len, stacked), default=0)):
            name = escape(model) if first else "", escape(row.label)
            name = _names(report, *(name if depth == 0 else ("", "")))
            parts = [s[depth] if depth < len(s) else "" for s in stacked]
            lines.append(_line([*name, *parts]))
    return lines


def _names(report: TableReport, model: str, label: str) -> list[str]:
    """The first squares of a line; the label method only where there is any."""
    return [model, label] if report.labelled else [model]


def _stack(square: Square) -> list[str]:
    measured = escape(f"{square.measured} {square.missing}".strip())
    parts = (
        escape(square.published),
        rf"\emph{{{escape(square.copied)}}}" if square.copied else "",
        rf"\textbf{{{measured}}}" if measured else "",
        escape(square.outcome),
    )
    return [part for part in parts if part]


def _long(fields: Sequence[views.Field], entries: Sequence, caption: str) -> str:
    fields = views.useful(fields, entries)
    align = "".join("r" if field.numeric else "l" for field in fields)
    return "\n".join(
        [
            r"{\scriptsize\setlength{\tabcolsep}{3pt}",
            rf"\begin{{longtable}}{{{align}}}",
            rf"\caption{{{caption}}}\\",
            r"\toprule",
            _line([escape(field.title) for field in fields]),
            r"\midrule",
            r"\endhead",
            *(_line([escape(f.text(entry)) for f in fields]) for entry in entries),
            r"\bottomrule",
            r"\end{longtable}}",
        ]
    )


def _notes(small: list[Note]) -> list[str]:
    items = [rf"\item[{escape(term)}] {escape(text)}" for term, text in small]
    opening, closing = r"{\footnotesize\begin{description}", r"\end{description}}"
    return ["\n".join([opening, *items, closing])] if items else []


def _line(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"
