"""Measured minus published numbers, one panel per dataset."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from graphlab import plot_style as style
from graphlab.benchmark.report import verdict
from graphlab.benchmark.report.table import Entry, TableReport

#: Verdict to colour and shape: either alone is enough to tell them apart.
LOOKS = {
    verdict.WITHIN: (style.PALETTE[2], "o"),
    verdict.ABOVE: (style.PALETTE[0], "^"),
    verdict.BELOW: (style.PALETTE[1], "v"),
}


def judged(report: TableReport, group: str) -> list[Entry]:
    """Entries of a group that have a verdict."""
    mine = [e for e in report.entries if report.group(e.row) == group]
    return [entry for entry in mine if entry.verdict.kind in LOOKS]


def draw_published(report: TableReport, group: str) -> Figure:
    """Hollow points compare with numbers that the authors copied."""
    entries = judged(report, group)
    columns = [c for c in report.columns if any(e.column == c for e in entries)]
    names = list(dict.fromkeys(report.name(entry.row) for entry in entries))
    height = 0.27 * len(names) + 0.95
    figure, axes = style.panels(len(columns), height=height)
    for k, (axis, column) in enumerate(zip(axes, columns, strict=True)):
        here = [(report.name(e.row), e) for e in entries if e.column == column]
        _panel(axis, here, names)
        axis.set_title(report.heading(column))
        axis.set_xlabel("difference (points)")
        axis.set_yticks(range(len(names)), names if style.is_left(k) else [])
    style.legend(figure, _legend(entries))
    return figure


def _panel(axis: Axes, entries: list[tuple[str, Entry]], names: list[str]) -> None:
    axis.axvline(0, color=style.INK, lw=0.9)
    axis.grid(axis="x")
    for name, entry in entries:
        y, found = names.index(name), entry.verdict
        color, shape = LOOKS[found.kind]
        ends = (
            found.difference - found.half_width,
            found.difference + found.half_width,
        )
        axis.plot(ends, [y, y], color=color, lw=1.4)
        fill = "white" if entry.result.cell.published.copied else color
        axis.plot(found.difference, y, shape, color=color, mfc=fill, ms=6, mew=1.4)
    reach = max(1.0, *(abs(x) for x in axis.get_xlim()))
    axis.set_xlim(-reach, reach)
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.tick_params(axis="y", length=0)


def _legend(entries: list[Entry]) -> list:
    handles = [
        Line2D([], [], color=color, marker=shape, lw=1.4, label=kind)
        for kind, (color, shape) in LOOKS.items()
    ]
    if any(entry.result.cell.published.copied for entry in entries):
        hollow = {"color": style.NEUTRAL, "mfc": "white", "lw": 1.4}
        handles.append(Line2D([], [], marker="o", label="copied number", **hollow))
    return handles
