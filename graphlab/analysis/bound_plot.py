"""Bounds by depth, and against the gap that they should predict."""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from graphlab import plot_style as style
from graphlab.analysis.bounds.bound import Bound
from graphlab.analysis.correlate import correlate
from graphlab.errors import ArgumentError

if TYPE_CHECKING:
    import pandas as pd

Bounds = Bound | Sequence[Bound]
_DPI = 150
_ACROSS = 3
_OTHERS = "others"
#: Ratio of the largest to the smallest value from which on an axis is logarithmic.
_WIDE = 100


def plot_bound_terms(
    panels: Mapping[str, Mapping[int, Bounds]],
    gaps: Mapping[str, Mapping[int, float]] | None = None,
    title: str = "",
) -> Figure:
    """Draw what bounds are made of: one bar a depth, their parts on each other.

    A dashed line stands at 1, above which a bound says nothing.

    Args:
        panels: From the name of a panel, for example of a dataset, to a mapping from
            depth to a bound; or to several, of which each part's mean is drawn, with
            the standard deviation of the value.
        gaps: From the name of a panel to a mapping from depth to the measured gap.
        title: A line above all panels.

    Raises:
        ArgumentError: If there are no bounds, or one is a score.

    Example:
        >>> bound = Bound("VC", 1.3, "R - R_0", {"VC": 1.3}, parts=("VC",))
        >>> len(plot_bound_terms({"MUTAG": {1: bound, 2: bound}}).axes)
        1
    """
    lists = {name: _as_lists(by_depth) for name, by_depth in panels.items()}
    every = [b for lots in lists.values() for some in lots.values() for b in some]
    if not every:
        raise ArgumentError("panels must hold at least one bound, got none")
    scores = [bound.name for bound in every if bound.score]
    if scores:
        raise ArgumentError(f"panels must hold bounds, got the score {scores[0]!r}")
    parts = _parts(every)
    looks = dict(zip(parts, (*style.PALETTE, style.NEUTRAL), strict=False))
    with style.styled("bound-terms"):
        across = min(_ACROSS, len(lists))
        figure, axes = style.panels(len(lists), width=2.7, height=2.4, columns=across)
        for place, (axis, name) in enumerate(zip(axes, lists, strict=True)):
            _stack(axis, lists[name], looks)
            _gap_line(axis, (gaps or {}).get(name, {}))
            axis.set_title(name, fontsize=8)
            axis.set_xlabel("layers")
            if style.is_left(place, across):
                axis.set_ylabel("bound")
        handles = [Patch(color=color, label=part) for part, color in looks.items()]
        if gaps:
            look = {"color": style.INK, "marker": "o", "ls": "", "ms": 4}
            handles.append(Line2D([], [], label="measured gap", **look))
        style.legend(figure, handles)
        if title:
            figure.suptitle(title, fontsize=8.5, x=0.01, ha="left")
    return figure


def plot_bound_against_gap(
    rows: "Iterable[Mapping[str, Any]] | pd.DataFrame",
    measures: Sequence[str],
    gap: str = "loss_gap",
    by: str | None = None,
    title: str = "",
) -> Figure:
    """Draw measures against a gap: one panel a measure, one point a configuration.

    Each panel says Spearman's correlation over all its points. Put baselines, such as
    ``num_layers``, among the measures.

    Args:
        rows: As for :func:`correlate`.
        measures: Names of the columns on the horizontal axes.
        gap: Name of the column on the vertical axis.
        by: Name of a column that points are coloured by.
        title: A line above all panels.

    Raises:
        ArgumentError: If there are no measures, or as for :func:`correlate`.

    Example:
        >>> rows = [{"bound": k * k, "loss_gap": k} for k in range(1, 5)]
        >>> len(plot_bound_against_gap(rows, ["bound"]).axes)
        1
    """
    if not measures:
        raise ArgumentError("measures must name at least one column, got none")
    rows = rows.to_dict("records") if hasattr(rows, "to_dict") else list(rows)
    found = correlate(rows, measures, [gap], baselines=(), samples=1)
    if by is not None:
        correlate(rows, measures, [gap], by, baselines=(), samples=1)  # checks it
    names = list(dict.fromkeys(str(row[by]) for row in rows)) if by else [""]
    looks = style.colors(names)
    with style.styled("bound-gap"):
        across = min(_ACROSS, len(measures))
        figure, axes = style.panels(len(measures), 2.7, 2.4, across)
        for place, (axis, each) in enumerate(zip(axes, found.rows, strict=True)):
            _scatter(axis, rows, each.measure, gap, by, looks)
            rho = "–" if math.isnan(each.spearman) else f"{each.spearman:.2f}"
            axis.set_title(f"Spearman {rho}, n = {each.n}", fontsize=8)
            if style.is_left(place, across):
                axis.set_ylabel(gap.replace("_", " "))
        if by:
            style.legend(figure, [_dot(name, looks, names) for name in names])
        if title:
            figure.suptitle(title, fontsize=8.5, x=0.01, ha="left")
    return figure


def save_bound_plot(figure: Figure, path: str | Path) -> tuple[Path, Path]:
    """Write a figure as SVG and PNG.

    Args:
        figure: What :func:`plot_bound_terms` or :func:`plot_bound_against_gap` drew.
        path: Where to, without the ending.

    Returns:
        The two files. Equal figures give equal bytes.
    """
    path = Path(path)
    svg, png = (path.with_name(f"{path.name}.{end}") for end in ("svg", "png"))
    with style.styled(path.name):
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(svg, facecolor="white", metadata=nothing)
        figure.savefig(png, dpi=_DPI, facecolor="white", metadata={"Software": None})
    return svg, png


def _as_lists(by_depth: Mapping[int, Bounds]) -> dict[int, list[Bound]]:
    return {
        depth: [some] if isinstance(some, Bound) else list(some)
        for depth, some in sorted(by_depth.items())
    }


def _parts(bounds: list[Bound]) -> list[str]:
    """All names of parts; if there are too many for the palette, the last is shared."""
    names = list(dict.fromkeys(part for bound in bounds for part in bound.parts))
    most = len(style.PALETTE)
    return names if len(names) <= most else [*names[:most], _OTHERS]


def _stack(axis: Axes, by_depth: dict[int, list[Bound]], looks: dict) -> None:
    depths = list(by_depth)
    base = np.zeros(len(depths))
    for part, color in looks.items():
        heights = np.array([_height(by_depth[d], part, looks) for d in depths])
        axis.bar(range(len(depths)), heights, 0.7, base, color=color)
        base += heights
    spread = [np.std([b.value for b in by_depth[d]]) for d in depths]
    if any(spread):
        axis.errorbar(range(len(depths)), base, spread, ls="", color=style.INK, lw=0.8)
    axis.axhline(1, ls="--", lw=0.8, color=style.INK)
    axis.set_xticks(range(len(depths)), [str(depth) for depth in depths])
    axis.grid(True, axis="y")


def _height(bounds: list[Bound], part: str, looks: dict) -> float:
    if part == _OTHERS:
        names = [p for bound in bounds for p in bound.parts if p not in looks]
        return sum(_height(bounds, name, looks) for name in dict.fromkeys(names))
    return float(np.mean([bound.terms.get(part, 0.0) for bound in bounds]))


def _gap_line(axis: Axes, gaps: Mapping[int, float]) -> None:
    labels = [label.get_text() for label in axis.get_xticklabels()]
    places = [labels.index(str(depth)) for depth in gaps if str(depth) in labels]
    values = [value for depth, value in gaps.items() if str(depth) in labels]
    axis.plot(places, values, "o", color=style.INK, ms=5, mec="white", mew=0.8)


def _scatter(
    axis: Axes, rows: list, measure: str, gap: str, by: str | None, looks: dict
) -> None:
    axis.grid(True)
    names = list(looks)
    for row in rows:
        name = str(row[by]) if by else ""
        marker = style.MARKERS[names.index(name) % len(style.MARKERS)]
        axis.plot(row[measure], row[gap], marker, color=looks[name], ms=4)
    values = np.array([row[measure] for row in rows], float)
    values = values[np.isfinite(values)]
    if values.size and values.min() > 0 and values.max() > _WIDE * values.min():
        axis.set_xscale("log")
    axis.set_xlabel(measure, fontsize=7.5)


def _dot(name: str, looks: dict, names: list[str]) -> Line2D:
    marker = style.MARKERS[names.index(name) % len(style.MARKERS)]
    return Line2D([], [], ls="", marker=marker, ms=4, color=looks[name], label=name)
