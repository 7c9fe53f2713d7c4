"""``normalize_features`` of a recipe: each row of ``x`` divided by its sum."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # torch is imported when a cell is trained, not before
    from torch_geometric.data import Data


def normalized(graphs: "Iterable[Data]") -> "list[Data]":
    """Copies of the graphs with normalized features."""
    from torch_geometric.transforms import NormalizeFeatures

    return [NormalizeFeatures()(graph.clone()) for graph in graphs]
