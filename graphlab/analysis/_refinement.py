"""Colour refinement of a union of graphs, by hashing or exactly."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array

from graphlab.analysis._graph_union import GraphUnion
from graphlab.analysis._initial_colors import Init, edge_keys, node_keys
from graphlab.errors import ArgumentError

_SEED = 0x5EED


@dataclass(frozen=True, eq=False)
class Palette:
    """The keys that have a number: edge labels, and the colours of each round."""

    edges: np.ndarray | None
    rounds: tuple[np.ndarray, ...]


@dataclass(frozen=True, eq=False)
class Refined:
    """Colours of all nodes after each round, numbered by a palette.

    Attributes:
        colors: For each round, one number per node; those of the given palette come
            first.
        num_colors: For each round, how many numbers there are.
        palette: The keys behind the numbers.
    """

    colors: tuple[np.ndarray, ...]
    num_colors: tuple[int, ...]
    palette: Palette


def refine(
    union: GraphUnion,
    rounds: int,
    init: Init,
    patterns: Sequence[str],
    use_edge_labels: bool,
    exact: bool,
    known: Palette | None = None,
) -> Refined:
    """Refine for some rounds; colours of ``known`` keep their numbers."""
    labels, edges = np.zeros(len(union.source), dtype=np.int64), None
    if use_edge_labels:
        labels, edges = number(edge_keys(union), known and known.edges, "edge_attr")
    # The node itself is not just any neighbour of the same colour: layers may replace
    # self-loops, add missing ones, or leave them out.
    labels = 2 * labels + (union.source == union.target)
    next_keys = _exact_keys(union, labels) if exact else _hashed_keys(union, labels)
    keys = node_keys(union, init, patterns)
    colors, found = [], []
    for step in range(rounds + 1):
        if step:
            keys = next_keys(step, colors[-1], len(found[-1]))
        ids, distinct = number(keys, known and known.rounds[step], "x")
        colors.append(ids)
        found.append(distinct)
    palette = Palette(edges, tuple(found))
    return Refined(tuple(colors), tuple(map(len, found)), palette)


def number(
    keys: np.ndarray, known: np.ndarray | None, name: str
) -> tuple[np.ndarray, np.ndarray]:
    """Equal numbers for equal keys, and the keys in the order of their numbers.

    Those of ``known``, which is sorted, keep their places; new ones follow, sorted too.
    """
    distinct, inverse = np.unique(keys, return_inverse=True)
    if known is None:
        return inverse, distinct
    if known.dtype != distinct.dtype:
        raise ArgumentError(f"{name} must have the width and the kind it had in fit")
    place = np.searchsorted(known, distinct)
    old = place < len(known)
    old[old] = known[place[old]] == distinct[old]
    place[~old] = len(known) + np.arange(np.count_nonzero(~old))
    return place[inverse], np.concatenate([known, distinct[~old]])


def _hashed_keys(union: GraphUnion, labels: np.ndarray):
    """A random word for the own colour, plus one for each neighbour's colour and label.

    Sums are modulo 2^64, and each round, edge label and colour has a word of its own.
    """
    matrices = _adjacencies(union, labels)

    def keys(step: int, colors: np.ndarray, num_colors: int) -> np.ndarray:
        key = _words(step, 0, num_colors)[colors]
        for label, matrix in matrices.items():
            key += matrix @ _words(step, 1 + label, num_colors)[colors]
        return key

    return keys


def _adjacencies(union: GraphUnion, labels: np.ndarray) -> dict[int, csr_array]:
    """For each edge label, how many such edges lead from one node to another."""
    shape = (union.num_nodes, union.num_nodes)
    matrices = {}
    for label in np.unique(labels).tolist():
        of = labels == label
        place = (union.target[of], union.source[of])
        ones = np.ones(len(place[0]), dtype=np.uint64)
        matrices[label] = coo_array((ones, place), shape=shape).tocsr()
    return matrices


def _words(step: int, stream: int, number: int) -> np.ndarray:
    """The first words of a stream: more colours leave the words of others alone."""
    seed = np.random.SeedSequence([_SEED, step, stream])
    return np.random.PCG64(seed).random_raw(number)


def _exact_keys(union: GraphUnion, labels: np.ndarray):
    """The own colour and the sorted colours and labels around, as bytes.

    The oracle of the hashed keys: it goes through the nodes one by one.
    """
    degree = np.bincount(union.target, minlength=union.num_nodes)
    ends = np.concatenate([[0], np.cumsum(degree)]) * 16

    def keys(step: int, colors: np.ndarray, num_colors: int) -> np.ndarray:
        around = np.stack([colors[union.source], labels], axis=1)
        order = np.lexsort((labels, around[:, 0], union.target))
        text, own = around[order].tobytes(), colors.tobytes()
        key = np.empty(union.num_nodes, dtype=object)
        key[:] = [
            own[8 * node : 8 * node + 8] + text[start:stop]
            for node, (start, stop) in enumerate(zip(ends[:-1], ends[1:], strict=True))
        ]
        return key

    return keys
