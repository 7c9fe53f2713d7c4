"""One self-contained page with tables, plots and small print; it loads nothing."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from graphlab.benchmark.report import effects, verdict, views
from graphlab.benchmark.report.grid import squares
from graphlab.benchmark.report.headline import headline
from graphlab.benchmark.report.notes import Note, allot
from graphlab.benchmark.report.numbers import percent
from graphlab.benchmark.report.table import Entry, TableReport

#: What a kind of outcome looks like: names of CSS classes.
TONES = {
    verdict.WITHIN: "good",
    verdict.ABOVE: "high",
    verdict.BELOW: "low",
    verdict.OOM: "bad",
    verdict.NAN: "bad",
    verdict.ERROR: "bad",
    verdict.UNAVAILABLE: "bad",
    effects.GAIN: "good",
    effects.LOSS: "low",
    effects.WEAK_GAIN: "good weak",
    effects.WEAK_LOSS: "low weak",
}


def render_html(reports: Iterable[TableReport]) -> str:
    """The page as text."""
    reports = list(reports)
    own, shared = allot(reports)
    recipe = reports[0].recipe
    return _template().render(
        paper=recipe.paper,
        key=recipe.key,
        profile=recipe.profile,
        cuts=recipe.cuts,
        tables=[
            _table(report, small) for report, small in zip(reports, own, strict=True)
        ],
        shared=shared,
    )


def _table(report: TableReport, small: list[Note]) -> dict[str, Any]:
    """What the template shows of a table; text is escaped there."""
    # Imported late: matplotlib takes a second that other formats need not pay.
    from graphlab.benchmark.report.plots import svg_figures

    with_effect = [entry for entry in report.by_dataset if entry.effect]
    return {
        "name": report.table.name,
        "title": report.table.title or report.table.name,
        "source": report.table.source,
        "headline": headline(report),
        "caption": report.caption,
        "has_published": report.has_published,
        "columns": [report.heading(column) for column in report.columns],
        "constant": [percent(report.constant(c)) for c in report.columns],
        "constant_name": report.metric.constant,
        "labelled": report.labelled,
        "effects_title": report.effects_title,
        "rows": _rows(report),
        "plots": [(p.caption, Markup(svg), w) for p, svg, w in svg_figures(report)],
        "effects": _long(views.EFFECTS, with_effect, lambda e: e.effect.kind),
        "details": _long(views.details(report.metric), report.by_dataset, lambda e: ""),
        "facts": _long(
            (*views.WHERE, *views.facts(report.telling)), report.telling, lambda e: ""
        ),
        "facts_title": views.FACTS_TITLE,
        "notes": small,
    }


def _rows(report: TableReport) -> list[dict[str, Any]]:
    """Rows of the wide table; the model is named once, over all its label methods."""
    rows: list[dict[str, Any]] = []
    for row, line in squares(report):
        first = not rows or rows[-1]["model"] != row.model
        cells = [(square, TONES.get(square.kind, "muted")) for square in line]
        rows.append({"model": row.model, "label": row.label, "cells": cells})
        rows[-1]["span"] = (
            sum(r.model == row.model for r in report.rows) if first else 0
        )
    return rows


def _long(
    fields: Sequence[views.Field],
    entries: Sequence[Entry],
    kind: Callable[[Entry], str],
) -> dict[str, Any]:
    fields = views.useful(fields, entries)
    return {
        "fields": fields,
        "rows": [
            (TONES.get(kind(entry), ""), [field.text(entry) for field in fields])
            for entry in entries
        ],
    }


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("graphlab.benchmark.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("report.html.j2")
