"""One look for all plots: colours that colour-blind readers can tell apart."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

#: Okabe and Ito's palette without its yellow, which is too faint on white.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
NEUTRAL = "#7A7A7A"
#: Ink and grid of the SVG; the page replaces them by its own text colour.
INK = "#1F2328"
GRID = "#D0D7DE"
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")
COLUMNS = 5

_SETTINGS = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "svg.fonttype": "none",
}


@contextmanager
def styled(salt: str) -> Iterator[None]:
    """Draw with our settings, whatever the user's matplotlibrc says.

    Args:
        salt: Makes the identifiers inside an SVG differ from plot to plot, and equal
            from one call to the next.
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update({**_SETTINGS, "svg.hashsalt": salt})
        yield


def colors(names: Iterable[str], baseline: str | None = None) -> dict[str, str]:
    """A fixed colour for each label method; grey for the baseline."""
    found, k = {}, 0
    for name in dict.fromkeys(names):
        if name == baseline:
            found[name] = NEUTRAL
        else:
            found[name] = PALETTE[k % len(PALETTE)]
            k += 1
    return found


def panels(
    count: int, width: float = 2.05, height: float = 2.5, columns: int = COLUMNS
) -> tuple[Figure, list[Axes]]:
    """A figure with one small panel per dataset, and only as many as are used."""
    # Figure, not pyplot: no global state, no window, no backend to choose.
    across = min(count, columns)
    down = -(-count // across)
    size = (max(across * width + 0.6, 4.2), down * height + 0.7)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(down, across, squeeze=False).reshape(-1)
    for unused in axes[count:]:
        unused.remove()
    return figure, list(axes[:count])


def legend(figure: Figure, handles: list) -> None:
    """One legend for all panels, below them, in as few lines as fit."""
    across = max(3, int(figure.get_size_inches()[0] / 1.15))
    lines = -(-len(handles) // across)
    columns = -(-len(handles) // lines)
    figure.legend(handles=handles, loc="outside lower center", ncols=columns)


def is_left(position: int, columns: int = COLUMNS) -> bool:
    """Whether a panel stands at the left edge, where the axis is named."""
    return position % columns == 0
