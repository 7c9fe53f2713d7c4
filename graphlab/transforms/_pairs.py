"""All pairs of a graph's nodes, addressed by number and never listed.

A population numbers its positive pairs ``0, 1, ...`` and its negative ones likewise,
and turns numbers into pairs. Drawing a negative then is drawing a number: no pair is
rejected, nothing can loop for ever, and no table of all pairs is needed.
"""

from typing import Protocol

import numpy as np


class PairPopulation(Protocol):
    """The positive and the negative pairs ``u < v`` of one graph."""

    num_positive: int
    num_negative: int

    def positive(self, number: np.ndarray) -> np.ndarray:
        """The positive pairs ``[2, M]`` with these numbers."""

    def negative(self, number: np.ndarray) -> np.ndarray:
        """The negative pairs ``[2, M]`` with these numbers."""


class LinkPairs:
    """Positive are the pairs joined by an edge, in either direction; loops are none."""

    def __init__(self, edge_index: np.ndarray, num_nodes: int) -> None:
        code = pair_code(edge_index)
        self.codes = np.unique(code[edge_index[0] != edge_index[1]])
        self._gaps = self.codes - np.arange(len(self.codes))
        self.num_positive = len(self.codes)
        self.num_negative = num_pairs(num_nodes) - len(self.codes)

    def positive(self, number: np.ndarray) -> np.ndarray:
        return code_pair(self.codes[number])

    def negative(self, number: np.ndarray) -> np.ndarray:
        return code_pair(skip(number, self._gaps))


class LabelPairs:
    """Positive are the pairs of one label; nodes with a negative label are in none."""

    def __init__(self, y: np.ndarray) -> None:
        known = np.flatnonzero(y >= 0)
        self._nodes = known[np.argsort(y[known], kind="stable")]
        size = np.unique(y[known], return_counts=True)[1]
        self._start = np.concatenate([[0], np.cumsum(size)])
        # Positives before each class; negatives before each place in the order.
        self._before = np.concatenate([[0], np.cumsum(size * (size - 1) // 2)])
        self._next_class = np.repeat(self._start[1:], size)
        later = len(known) - self._next_class
        self._later = np.concatenate([[0], np.cumsum(later)])
        self.num_positive = int(self._before[-1])
        self.num_negative = int(self._later[-1])

    def positive(self, number: np.ndarray) -> np.ndarray:
        label = np.searchsorted(self._before, number, side="right") - 1
        place = code_pair(number - self._before[label]) + self._start[label]
        return np.sort(self._nodes[place], axis=0)

    def negative(self, number: np.ndarray) -> np.ndarray:
        first = np.searchsorted(self._later, number, side="right") - 1
        second = self._next_class[first] + number - self._later[first]
        return np.sort(self._nodes[np.stack([first, second])], axis=0)


def num_pairs(num_nodes: int) -> int:
    """Number of pairs of different nodes, without order."""
    return num_nodes * (num_nodes - 1) // 2


def pair_code(pair: np.ndarray) -> np.ndarray:
    """One number per pair, the same in both orders: ``v (v - 1) / 2 + u``, ``u < v``.

    Loops have a code as well, that of another pair: drop them.
    """
    low, high = np.minimum(*pair), np.maximum(*pair)
    return high * (high - 1) // 2 + low


def code_pair(code: np.ndarray) -> np.ndarray:
    """The pairs ``u < v`` of codes, ``[2, M]``."""
    high = ((1 + np.sqrt(1 + 8 * code.astype(np.float64))) / 2).astype(np.int64)
    high -= high * (high - 1) // 2 > code  # where the square root was rounded up
    high += high * (high + 1) // 2 <= code  # and where down
    return np.stack([code - high * (high - 1) // 2, high])


def skip(number: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """The codes with these numbers among the codes that are not taken.

    Args:
        number: Numbers, from 0.
        gaps: Taken codes, sorted, each less its position: how many free ones lie
            before it.
    """
    return number + np.searchsorted(gaps, number, side="right")


def distinct(random: np.random.RandomState, size: int, population: int) -> np.ndarray:
    """``size`` different numbers below ``population``, in random order."""
    if size * 4 >= population:
        return random.permutation(population)[:size]
    found = np.empty(0, dtype=np.int64)
    # Three of four draws are new, or more: the missing ones shrink fast.
    while len(found) < size:
        drawn = random.randint(population, size=size - len(found), dtype=np.int64)
        found = np.concatenate([found, drawn])
        found = found[np.sort(np.unique(found, return_index=True)[1])]
    return found
