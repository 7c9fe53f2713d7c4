"""Which plots a table gets, and how they are written."""

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from graphlab import plot_style as style
from graphlab.benchmark.report.effects import is_baseline
from graphlab.benchmark.report.plots.effects import draw_effects
from graphlab.benchmark.report.plots.published import draw_published, judged
from graphlab.benchmark.report.plots.time import draw_time, timed
from graphlab.benchmark.report.table import TableReport

DPI = 150


@dataclass(frozen=True)
class Plot:
    """A figure before it is drawn.

    Attributes:
        name: File name without ending, unique in a report.
        caption: What it shows, in a sentence.
        draw: Makes the figure.
    """

    name: str
    caption: str
    draw: Callable[[], Figure]


def plan(report: TableReport) -> Iterator[Plot]:
    """The plots that the table's runs can fill, in reading order."""
    table, metric = report.table.name, report.metric
    palette = _palette(report)
    groups = list(dict.fromkeys(report.group(row) for row in report.rows))
    # Without label methods there is one group, whose name says nothing.
    titles = {group: f"{group}: " if report.labelled else "" for group in groups}
    for group, title in titles.items():
        mine = [e.effect for e in report.entries if report.group(e.row) == group]
        if any(effect and effect.paired and effect.paired.n for effect in mine):
            yield Plot(
                _file_name(table, "differences", *[group] * report.labelled),
                f"{title}{_difference(report)}, run by run on the same split.",
                lambda group=group: draw_effects(report, group, palette),
            )
    for group, title in titles.items():
        if judged(report, group):
            yield Plot(
                _file_name(table, "published", *[group] * report.labelled),
                f"{title}measured minus published {metric.name}; bars are the "
                "tolerance of the verdict, so a bar that crosses zero is “within”.",
                lambda group=group: draw_published(report, group),
            )
    if timed(report):
        yield Plot(
            _file_name(table, "time"),
            f"{metric.title} against seconds per run (logarithmic), with 95 % "
            "intervals.",
            lambda: draw_time(report, palette),
        )


def _difference(report: TableReport) -> str:
    name, model = report.metric.name, report.table.baseline
    if model:
        return f"{name} of each model minus {name} of {model}"
    return f"{name} of each label method minus {name} without one"


def save_png(report: TableReport, folder: Path) -> tuple[Path, ...]:
    """Draw all plots of a table into a folder; nothing is made when there are none."""
    paths = []
    for plot in plan(report):
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{plot.name}.png"
        with style.styled(plot.name):
            figure = plot.draw()
            # No software version in the file: equal runs give equal bytes.
            metadata = {"Software": None}
            figure.savefig(path, dpi=DPI, facecolor="white", metadata=metadata)
        paths.append(path)
    return tuple(paths)


def svg_figures(report: TableReport) -> Iterator[tuple[Plot, str, int]]:
    """Each plot with its inline SVG in the page's own ink, and its width in pixels."""
    for plot in plan(report):
        buffer = io.StringIO()
        with style.styled(plot.name):
            nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
            figure = plot.draw()
            figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
        width = round(figure.get_size_inches()[0] * 96)
        yield plot, _inline(buffer.getvalue(), plot.caption), width


def _inline(svg: str, caption: str) -> str:
    """The bare ``<svg>`` element: HTML needs neither declaration nor namespaces."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", svg)
    # The page decides the size; the viewBox keeps the shape.
    svg = re.sub(r'\swidth="[\d.]+pt"', "", svg, count=1)
    svg = re.sub(r'\sheight="[\d.]+pt"', "", svg, count=1)
    label = caption.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)
    for color, name in ((style.INK, "ink"), (style.GRID, "line")):
        svg = svg.replace(color.lower(), f"var(--{name})")
    return svg


def _palette(report: TableReport) -> dict[str, str]:
    """Colours by what tells the rows of a plot apart; grey for the baseline."""
    if report.by_model:
        baseline = report.table.baseline
    else:
        labels = [e.row.label for e in report.entries if is_baseline(e.result.cell)]
        baseline = labels[0] if labels else None
    return style.colors((report.name(e.row) for e in report.measured), baseline)


def _file_name(*parts: str) -> str:
    return "-".join(re.sub(r"[^A-Za-z0-9]+", "-", p).strip("-").lower() for p in parts)
