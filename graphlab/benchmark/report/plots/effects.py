"""Boxes of paired differences against the baseline, one panel per dataset."""

from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from graphlab import plot_style as style
from graphlab.benchmark.report.table import Entry, TableReport


def draw_effects(report: TableReport, group: str, colors: dict[str, str]) -> Figure:
    """The differences of one group: dots are runs, the box their quartiles."""
    mine = [e for e in report.entries if report.group(e.row) == group]
    entries = [entry for entry in mine if _pairs(entry)]
    columns = [c for c in report.columns if any(e.column == c for e in entries)]
    most = max(sum(e.column == c for e in entries) for c in columns)
    width = max(2.05, 0.62 * most + 0.9)
    figure, axes = style.panels(len(columns), width)
    for k, (axis, column) in enumerate(zip(axes, columns, strict=True)):
        here = [entry for entry in entries if entry.column == column]
        _panel(axis, {report.name(entry.row): entry for entry in here}, colors)
        axis.set_title(report.heading(column))
        if style.is_left(k):
            to = f"to {report.baseline} (points)"
            axis.set_ylabel(f"{report.metric.name} difference\n{to}")
    names = dict.fromkeys(report.name(entry.row) for entry in entries)
    style.legend(figure, _legend(names, colors))
    return figure


def _panel(axis: Axes, entries: dict[str, Entry], colors: dict[str, str]) -> None:
    axis.axhline(0, color=style.INK, linewidth=0.9)
    axis.grid(axis="y")
    for k, (name, entry) in enumerate(entries.items()):
        pairs, color = np.array(_pairs(entry)), colors[name]
        if len(pairs) > 2:
            axis.boxplot(
                pairs,
                positions=[k],
                widths=0.56,
                showfliers=False,
                patch_artist=True,
                manage_ticks=False,
                boxprops={"facecolor": color, "alpha": 0.22, "edgecolor": color},
                medianprops={"color": color, "linewidth": 1.8},
                whiskerprops={"color": color, "linewidth": 1},
                capprops={"color": color, "linewidth": 1},
            )
        axis.scatter(k + _spread(pairs), pairs, s=12, color=color, alpha=0.8, lw=0)
        axis.scatter(k, pairs.mean(), s=30, marker="D", color="white", ec=color, lw=1.4)
    crowded = max(map(len, entries)) > 9
    axis.set_xticks(range(len(entries)), entries, rotation=90 if crowded else 0)
    axis.tick_params(axis="x", length=0)
    axis.set_xlim(-0.6, len(entries) - 0.4)


def _pairs(entry: Entry) -> tuple[float, ...]:
    pairs = entry.effect.pairs if entry.effect else ()
    return tuple(pair for pair in pairs if np.isfinite(pair))


def _spread(pairs: np.ndarray) -> np.ndarray:
    """Sideways offsets by run index: dots do not hide each other, nothing is random."""
    if len(pairs) == 1:
        return np.zeros(1)
    return np.linspace(-0.18, 0.18, len(pairs))


def _legend(names: Iterable[str], colors: dict[str, str]) -> list:
    handles = [Patch(color=colors[name], label=name) for name in names]
    dot = {"linestyle": "", "color": style.NEUTRAL}
    return [
        *handles,
        Line2D([], [], marker="o", markersize=3.5, label="one run", **dot),
        Line2D([], [], marker="D", markersize=5, mfc="white", label="mean", **dot),
    ]
