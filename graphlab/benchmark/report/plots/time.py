"""The table's metric against the time of a run, one panel per dataset."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from graphlab import plot_style as style
from graphlab.benchmark.report.numbers import defined
from graphlab.benchmark.report.table import Column, Entry, TableReport


def timed(report: TableReport) -> list[Entry]:
    """Entries with a measured mean and a positive time."""
    return [
        entry
        for entry in report.measured
        if entry.result.score.n and entry.result.mean_of("seconds") > 0
    ]


def draw_time(report: TableReport, colors: dict[str, str]) -> Figure:
    """Shape is the model, colour the label method if there is any, the bar an interval.

    Intervals are of 95 %.
    """
    entries = timed(report)
    columns = [c for c in report.columns if any(e.column == c for e in entries)]
    models = list(dict.fromkeys(entry.row.model for entry in entries))
    shapes = {m: style.MARKERS[k % len(style.MARKERS)] for k, m in enumerate(models)}
    dashed = ""
    figure, axes = style.panels(len(columns), width=2.3, height=2.3)
    for k, (axis, column) in enumerate(zip(axes, columns, strict=True)):
        here = [entry for entry in entries if entry.column == column]
        _panel(axis, [(report.name(e.row), e) for e in here], colors, shapes)
        if _constant(axis, report, column):
            dashed = report.metric.constant
        axis.set_title(report.heading(column))
        axis.set_xlabel("seconds per run")
        if style.is_left(k):
            axis.set_ylabel(f"test {report.metric.name} (%)")
    colors = {
        report.name(entry.row): colors[report.name(entry.row)] for entry in entries
    }
    style.legend(figure, _legend(colors, shapes, dashed))
    return figure


def _panel(
    axis: Axes, entries: list[tuple[str, Entry]], colors: dict, shapes: dict
) -> None:
    axis.grid(True)
    for name, entry in entries:
        score = entry.result.score
        centre, x = 100 * score.mean, entry.result.mean_of("seconds")
        color = colors[name]
        if defined(score.low):
            reach = [100 * score.low, 100 * score.high]
            axis.plot([x, x], reach, color=color, lw=1.1, alpha=0.7)
        axis.plot(x, centre, shapes[entry.row.model], color=color, ms=6, mec="white")
    axis.set_xscale("log")
    axis.margins(0.18)
    _ticks(axis)


def _ticks(axis: Axes) -> None:
    """Plain numbers at 1, 2, 5 times powers of ten, or between them on short axes."""
    low, high = axis.get_xlim()
    powers = range(int(np.floor(np.log10(low))) - 1, int(np.ceil(np.log10(high))) + 1)
    steps = [m * 10.0**p for p in powers for m in (1, 2, 5)]
    inside = [s for s in steps if low <= s <= high]
    if len(inside) > 4:
        inside = [s for s in inside if f"{s:e}"[0] == "1"]
    if len(inside) < 2:
        inside = [s for s in MaxNLocator(3).tick_values(low, high) if low <= s <= high]
    axis.set_xticks(inside)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.minorticks_off()


def _constant(axis: Axes, report: TableReport, column: Column) -> bool:
    constant = 100 * report.constant(column)
    low, high = axis.get_ylim()
    # Drawn only where it is near: it must not squeeze the points it is there to judge.
    near = defined(constant) and constant > low - 0.6 * (high - low)
    if near:
        axis.axhline(constant, color=style.INK, lw=1, ls=(0, (4, 3)))
    return near


def _legend(colors: dict, shapes: dict, dashed: str) -> list:
    handles = [
        Patch(color=color, label=name)
        for name, color in colors.items()
        if name not in shapes
    ]
    handles += [
        Line2D(
            [],
            [],
            marker=shape,
            ls="",
            color=colors.get(model, style.NEUTRAL),
            label=model,
        )
        for model, shape in shapes.items()
    ]
    if not dashed:
        return handles
    line = {"color": style.INK, "lw": 1, "ls": (0, (4, 3))}
    return [*handles, Line2D([], [], label=dashed, **line)]
