"""Boxes of paired differences against no label method, one panel per dataset."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from graphlab import plot_style as style
from graphlab.benchmark.report.table import Entry, TableReport


def draw_effects(report: TableReport, model: str, colors: dict[str, str]) -> Figure:
    """One model's differences: dots are runs, the box their quartiles."""
    entries = [e for e in report.entries if e.row.model == model and _pairs(e)]
    columns = [c for c in report.columns if any(e.column == c for e in entries)]
    most = max(sum(e.column == c for e in entries) for c in columns)
    width = max(2.05, 0.62 * most + 0.9)
    figure, axes = style.panels(len(columns), width)
    for k, (axis, column) in enumerate(zip(axes, columns, strict=True)):
        _panel(axis, [e for e in entries if e.column == column], colors)
        axis.set_title(report.heading(column))
        if style.is_left(k):
            axis.set_ylabel(f"{report.metric.name} difference\nto none (points)")
    style.legend(figure, _legend(entries, colors))
    return figure


def _panel(axis: Axes, entries: list[Entry], colors: dict[str, str]) -> None:
    axis.axhline(0, color=style.INK, linewidth=0.9)
    axis.grid(axis="y")
    for k, entry in enumerate(entries):
        pairs, color = np.array(_pairs(entry)), colors[entry.row.label]
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
    axis.set_xticks(range(len(entries)), [e.row.label for e in entries])
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


def _legend(entries: list[Entry], colors: dict[str, str]) -> list:
    labels = dict.fromkeys(entry.row.label for entry in entries)
    handles = [Patch(color=colors[label], label=label) for label in labels]
    dot = {"linestyle": "", "color": style.NEUTRAL}
    return [
        *handles,
        Line2D([], [], marker="o", markersize=3.5, label="one run", **dot),
        Line2D([], [], marker="D", markersize=5, mfc="white", label="mean", **dot),
    ]
