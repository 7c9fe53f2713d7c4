"""How the modes of the k-variance bound differ, and what each one measures."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from graphlab.analysis._points import Points
from graphlab.analysis.embedding_distances import upper_blocks


@dataclass(frozen=True)
class Mode:
    """One way to compute the bound.

    Attributes:
        source: Where it is from.
        margin: Lipschitz constant of the margin, see :func:`margin_lipschitz`.
        weights: How classes are averaged.
        repeats: How often halves are drawn.
        disjoint: Whether the halves share no graph.
        log: Logarithm in the diameter term.
        diameter: Whose diameter that term has: of ``"histograms"``, of
            ``"embeddings"``, one that is ``"given"``, or none.
        fixed: Whether the settings are part of what the mode is.
    """

    source: str
    margin: str | float = "logit"
    weights: str = "frequency"
    repeats: int = 8
    disjoint: bool = True
    log: Callable[[float], float] = math.log
    diameter: str | None = "histograms"
    fixed: bool = False


MODES = {
    "paper-code": Mode(
        "code of Li et al. 2025, compute_graph_bound",
        margin="paper-code",
        weights="uniform",
        repeats=1,
        disjoint=False,
        log=math.log10,
        diameter="embeddings",
        fixed=True,
    ),
    "algorithm1": Mode("Li et al. 2025, Algorithm 1", margin=1.0, weights="uniform"),
    "theorem-5.1-plugin": Mode("Li et al. 2025, Theorem 5.1", diameter=None),
    "theorem-D2": Mode("Li et al. 2025, Theorem D.2"),
    "certified": Mode(
        "Li et al. 2025, Theorem D.2 with Corollary 4.5",
        weights="worst",
        diameter="given",
    ),
}


def diameters(points: Points, y: np.ndarray, num_classes: int) -> np.ndarray:
    """Largest distance of two points of each class."""
    return np.array([diameter(points[y == c]) for c in range(num_classes)])


def diameter(points: Points) -> float:
    return max(float(block.max()) for _, block in upper_blocks(points))
