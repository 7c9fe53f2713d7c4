"""Measures against depth, one line a model."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from graphlab import plot_style as style
from graphlab.errors import ArgumentError

if TYPE_CHECKING:
    import pandas as pd

#: Column of the summary -> title of its panel, and whether its axis is logarithmic.
PANELS = {
    "gradient_norm": ("norm of the gradient", True),
    "gradient_relative_distance_to_constant": (
        "gradient, share off the constant",
        False,
    ),
    "gradient_relative_distance_to_degree_subspace": (
        "gradient, share off the degrees",
        False,
    ),
    "dirichlet_energy": ("Dirichlet energy", True),
    "mean_cosine_similarity": ("mean cosine similarity", False),
    "relative_distance_to_degree_subspace": (
        "state, share off the degrees",
        False,
    ),
}
_DPI = 150
_ACROSS = 3
#: Beyond it a line would press the others flat; such values count as overflown.
_LARGEST = 1e300


def plot_depth(summary: "pd.DataFrame", title: str = "") -> Figure:
    """Draw a diagnosis: depth on a logarithmic axis, one line a model.

    Above, the gradient of the loss at the first layer: its norm, and which shares of it
    are neither equal on all nodes nor in the degree subspace. Below, what enters the
    last layer.

    Values that a logarithmic axis has no place for stand at its edge, with their name:
    a gradient that underflowed as ``0`` at the bottom, what overflowed as ``inf`` or
    ``NaN`` at the top. The line stops there.

    Args:
        summary: What :meth:`Diagnosis.summary` returns, of one epoch.
        title: A line above all panels.

    Raises:
        ArgumentError: If the summary is empty or holds several epochs.
    """
    if summary.empty or summary["epoch"].nunique() > 1:
        raise ArgumentError(
            "summary must hold the rows of one epoch, got "
            f"{summary['epoch'].nunique() if len(summary) else 0} epochs"
        )
    with style.styled("depth"):
        figure, axes = style.panels(len(PANELS), width=2.7, height=2.4, columns=_ACROSS)
        looks = _looks(list(dict.fromkeys(summary["model"])))
        for axis, (column, (name, logarithmic)) in zip(
            axes, PANELS.items(), strict=True
        ):
            _panel(axis, summary, column, looks, logarithmic)
            axis.set_title(name, fontsize=8)
            axis.set_xlabel("layers")
        for axis, layer in ((axes[0], "first"), (axes[_ACROSS], "last")):
            axis.set_ylabel(f"at the {layer} layer")
        _legend(figure, looks)
        if title:
            figure.suptitle(title, fontsize=8.5, x=0.01, ha="left")
    return figure


def save_depth_plot(
    summary: "pd.DataFrame", path: str | Path, title: str = ""
) -> tuple[Path, Path]:
    """Write :func:`plot_depth` as SVG and PNG.

    Args:
        summary: What :meth:`Diagnosis.summary` returns, of one epoch.
        path: Where to, without the ending.
        title: A line above all panels.

    Returns:
        The two files. Equal summaries give equal bytes.
    """
    path = Path(path)
    svg, png = (path.with_name(f"{path.name}.{end}") for end in ("svg", "png"))
    with style.styled(path.name):
        figure = plot_depth(summary, title)
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(svg, facecolor="white", metadata=nothing)
        figure.savefig(png, dpi=_DPI, facecolor="white", metadata={"Software": None})
    return svg, png


def _legend(figure: Figure, looks: dict[str, dict]) -> None:
    """Below all panels, in as many columns as the longest name allows."""
    handles = [Line2D([], [], label=name, **look) for name, look in looks.items()]
    inches = 0.6 + 0.075 * max(map(len, looks))
    columns = max(1, int(figure.get_size_inches()[0] / inches))
    lines = -(-len(handles) // columns)
    columns = -(-len(handles) // lines)
    figure.legend(handles=handles, loc="outside lower center", ncols=columns)


def _looks(models: list[str]) -> dict[str, dict]:
    """Colour and marker of each model; the second round of colours is dashed."""
    colors = (*style.PALETTE, style.NEUTRAL)
    return {
        name: {
            "color": colors[k % len(colors)],
            "marker": style.MARKERS[k % len(style.MARKERS)],
            "ls": "-" if k < len(colors) else "--",
            "lw": 1.3,
            "ms": 4,
        }
        for k, name in enumerate(models)
    }


def _panel(
    axis: Axes,
    summary: "pd.DataFrame",
    column: str,
    looks: dict[str, dict],
    logarithmic: bool,
) -> None:
    axis.grid(True)
    axis.set_xscale("log")
    if logarithmic:
        axis.set_yscale("log")
    depths = sorted(set(summary["depth"]))
    for place, (name, look) in enumerate(looks.items()):
        rows = summary[summary["model"] == name].sort_values("depth")
        pairs = list(zip(rows["depth"], rows[column], strict=True))
        drawn = [v if _drawable(v, logarithmic) else math.nan for _, v in pairs]
        axis.plot(rows["depth"], drawn, **look)
        for depth, value in pairs:
            if not _drawable(value, logarithmic):
                _at_edge(axis, depth, value, look, place)
    axis.xaxis.set_major_locator(FixedLocator(depths))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xticklabels([str(depth) for depth in depths])
    axis.set_xlim(depths[0] / 1.25, depths[-1] * 1.45)
    if not logarithmic:
        low = axis.get_ylim()[0]
        axis.set_ylim(min(low, 0) if low > -1 else -1.05, 1.05)


def _drawable(value: float, logarithmic: bool) -> bool:
    if not math.isfinite(value):
        return False
    return 0 < value < _LARGEST if logarithmic else True


def _at_edge(axis: Axes, depth: int, value: float, look: dict, place: int) -> None:
    """A hollow marker with a word, stepped so that several models do not cover."""
    step = 0.07 * (place % 7)
    height = 0.04 + step if value == 0 else 0.96 - step
    word = "NaN" if math.isnan(value) else "0" if value == 0 else "inf"
    mark = {"transform": axis.get_xaxis_transform(), "clip_on": False}
    color = look["color"]
    axis.plot([depth], [height], look["marker"], mfc="white", mec=color, ms=4, **mark)
    axis.annotate(
        word,
        (depth, height),
        xycoords=axis.get_xaxis_transform(),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=6,
        color=color,
    )
