"""``load_graph_splits``: from a name to frozen splits of a set of graphs."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch_geometric.data import Data

from graphlab.datasets.split import GraphSplit
from graphlab.errors import ArgumentError, SplitError

# 41 to 45 are the five of the k-variance paper.
SEEDS = tuple(range(41, 51))

Masks = tuple[np.ndarray, np.ndarray, np.ndarray]


def graph_split_names() -> tuple[str, ...]:
    """The names of the splits of sets of graphs."""
    return tuple(_FAMILIES)


def load_graph_splits(
    name: str, graphs: Sequence[Data], runs: int | None = None
) -> tuple[GraphSplit, ...]:
    r"""The splits of a named family, in their fixed order.

    - ``random-90-10``: a tenth of the graphs (rounded up) tests and the rest trains,
      whatever their classes; nothing is left to validate on. That of `"Towards Bridging
      Generalization and Expressivity of Graph Neural Networks"
      <https://arxiv.org/abs/2410.10051>`_, whose code calls scikit-learn's
      ``train_test_split(test_size=0.1, random_state=41)``: graph for graph the same.
    - ``stratified-80-10-10``: of a class of :math:`n` graphs, in random order, those
      before position ``round(0.8 n)`` train, those from there to ``round(0.9 n)``
      validate, the rest test (halves are rounded up). A class is in every part from
      ten graphs on, of some smaller sizes too.

    Both are drawn from ``numpy.random.RandomState``, whose streams NumPy has frozen,
    with the seeds 41 to 50.

    Args:
        name: Name of the family.
        graphs: Graphs with one class each in ``y``, as
            :func:`graphlab.datasets.load_graphs` returns them; their order matters.
        runs: Take only the first so many; all ten by default.

    Raises:
        SplitError: If the family is unknown, or a part that may not be empty is.
        ArgumentError: If ``runs`` is not in 1 to 10, or a graph has not one class.

    Example:
        >>> from graphlab.datasets import load_graphs
        >>> graphs = load_graphs("MUTAG")                         # doctest: +SKIP
        >>> split = load_graph_splits("random-90-10", graphs)[0]  # doctest: +SKIP
        >>> int(split.test_mask.sum())                            # doctest: +SKIP
        19
    """
    if name not in _FAMILIES:
        accepted = ", ".join(_FAMILIES)
        raise SplitError(f"a set of graphs has no split {name!r}\naccepted: {accepted}")
    if runs is not None and not 1 <= runs <= len(SEEDS):
        raise ArgumentError(f"runs must be in 1 to {len(SEEDS)}, got {runs}")
    y = graph_classes(graphs)
    return tuple(
        GraphSplit(name, index, seed, *map(torch.from_numpy, _FAMILIES[name](y, seed)))
        for index, seed in enumerate(SEEDS[:runs])
    )


def graph_classes(graphs: Sequence[Data]) -> np.ndarray:
    """The class of each graph, ``[G]``.

    Raises:
        ArgumentError: If there is no graph, or one has not exactly one class of
            0, 1, ...
    """
    if not len(graphs):
        raise ArgumentError("graphs must hold at least one graph")
    for place, graph in enumerate(graphs):
        y = graph.get("y")
        if y is None or y.numel() != 1 or y.is_floating_point() or int(y) < 0:
            got = None if y is None else f"{y.dtype} of shape {list(y.shape)}"
            raise ArgumentError(
                f"graphs: y of each must be one class, 0 or more; graph {place} has "
                f"{got if got is None or y.numel() != 1 else y.tolist()}"
            )
    return np.array([int(graph.y) for graph in graphs])


def random_90_10(y: np.ndarray, seed: int) -> Masks:
    """The masks of ``random-90-10``.

    Args:
        y: Classes ``[G]``, of which only the number is used.
        seed: Seed of the draw.
    """
    order = np.random.RandomState(seed).permutation(len(y))
    test = np.zeros(len(y), dtype=bool)
    test[order[: math.ceil(0.1 * len(y))]] = True
    return ~test, np.zeros_like(test), test


def stratified_80_10_10(y: np.ndarray, seed: int) -> Masks:
    """The masks of ``stratified-80-10-10``.

    Args:
        y: Classes ``[G]``.
        seed: Seed of the draw.
    """
    random = np.random.RandomState(seed)
    train, val, test = (np.zeros(len(y), dtype=bool) for _ in range(3))
    for label in np.unique(y):
        members = random.permutation(np.flatnonzero(y == label))
        first, second = (8 * len(members) + 5) // 10, (9 * len(members) + 5) // 10
        train[members[:first]] = True
        val[members[first:second]] = True
        test[members[second:]] = True
    return train, val, test


_FAMILIES = {
    "random-90-10": random_90_10,
    "stratified-80-10-10": stratified_80_10_10,
}
