"""How much a map between two embeddings of the same graphs stretches."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphlab.analysis._points import Points, as_count, as_points
from graphlab.analysis.embedding_distances import upper_blocks
from graphlab.errors import ArgumentError

MAX_PAIRS = 2**23  # ratios of which the quantiles are taken: all of 4096 graphs
TOLERANCE = 1e-3

Pair = tuple[int, int]


@dataclass(frozen=True)
class LipschitzFactor:
    """What :func:`lipschitz_factor` found.

    Attributes:
        max: Largest ratio; 0 if all rows of ``lam`` are equal.
        q99: 99 % quantile of the ratios.
        median: Median of the ratios.
        second: Largest ratio of the other pairs, if :attr:`pair` is left out.
        pair: The two rows with the largest ratio, the smaller one first.
        violations: Pairs that ``lam`` does not tell apart, and ``phi`` does.
        violation_pair: Of these, the one that ``phi`` puts farthest apart.
        num_equal: Pairs that ``lam`` does not tell apart.
        num_pairs: Pairs that it does, over which the maximum is taken.
        num_sampled: Ratios of which the quantiles are taken.
    """

    max: float
    q99: float
    median: float
    second: float
    pair: Pair | None
    violations: int
    violation_pair: Pair | None
    num_equal: int
    num_pairs: int
    num_sampled: int


def lipschitz_factor(
    phi: Any, lam: Any, tolerance: float = TOLERANCE, max_pairs: int = MAX_PAIRS
) -> LipschitzFactor:
    r"""Ratios of distances in two embeddings, and where one does not bound the other.

    .. math::
        \widehat{\mathrm{Lip}}(f) = \max_{\lambda(G) \neq \lambda(H)}
        \frac{\| \phi(G) - \phi(H) \|_2}{\| \lambda(G) - \lambda(H) \|_2}, \qquad
        \phi = f \circ \lambda

    over pairs of graphs, from `"Towards Bridging Generalization and Expressivity of
    Graph Neural Networks" <https://arxiv.org/abs/2410.10051>`_ (Algorithm 1). It is a
    maximum over a sample, so it underestimates the Lipschitz constant.

    An :math:`f` exists only if ``lam`` bounds ``phi``: equal rows of ``lam`` must have
    equal rows of ``phi``. A pair with equal ``lam`` counts as a violation if ``phi``
    differs by more than ``tolerance`` times the median distance in ``phi`` (the mean
    distance, if the median is 0).

    Maximum, runner-up and violations are taken over all pairs, in blocks of rows. The
    quantiles are too, up to ``max_pairs`` pairs (4096 graphs by default); beyond, they
    and the median distance are those of a uniform sample of about that size, drawn
    with a fixed seed.

    Args:
        phi: Embeddings whose differences are bounded, dense or CSR.
        lam: Embeddings by which they are bounded, for instance colour histograms.
        tolerance: Share of the median distance that counts as equal.
        max_pairs: Pairs to keep for the quantiles, at least 1000.

    Shapes:
        - **phi:** :math:`(m, d)`
        - **lam:** :math:`(m, C)`, :math:`m \geq 2`

    Raises:
        ArgumentError: If the rows are not two or more of finite numbers, the same
            number in both, or another argument is not positive.

    Example:
        >>> found = lipschitz_factor([[0.0], [2.0], [3.0]], [[0], [1], [2]])
        >>> found.max, found.pair, found.second
        (2.0, (0, 1), 1.5)
    """
    phi, lam = as_points(phi, "phi", 2), as_points(lam, "lam", 2)
    if phi.shape[0] != lam.shape[0]:
        raise ArgumentError(
            f"lam must have as many rows as phi, got {lam.shape[0]} and {phi.shape[0]}"
        )
    if not 0 <= tolerance < math.inf:
        raise ArgumentError(f"tolerance must be >= 0 and finite, got {tolerance!r}")
    total = phi.shape[0] * (phi.shape[0] - 1) // 2
    share = as_count(max_pairs, "max_pairs", 1000) / total
    threshold = tolerance * _typical_distance(phi, share)
    search = _Search(share, threshold)
    for start, of_phi, of_lam in _upper(phi, lam):
        search.add(start, of_phi, of_lam)
    return search.result()


class _Search:
    """Takes the pairs in blocks and keeps what the result needs."""

    def __init__(self, share: float, threshold: float):
        self.sample, self.threshold = _Sample(share), threshold
        self.best: list[tuple[float, Pair]] = []
        self.worst: tuple[float, Pair | None] = (0.0, None)
        self.violations = self.num_equal = self.num_pairs = 0

    def add(self, start: int, of_phi: np.ndarray, of_lam: np.ndarray) -> None:
        """Distances of the rows from ``start`` on to all later rows."""
        above = _above(of_phi)
        self._add_equal(start, np.where(above & (of_lam == 0), of_phi, -1.0))
        apart = above & (of_lam > 0)
        ratio = np.divide(of_phi, of_lam, out=np.full_like(of_phi, -1), where=apart)
        found = ratio[apart]
        self.num_pairs += found.size
        self.sample.add(found)
        for _ in range(2 * bool(found.size)):  # the runner-up may be in this block too
            place = np.unravel_index(ratio.argmax(), ratio.shape)
            if ratio[place] >= 0:
                self.best.append((float(ratio[place]), _pair(start, place)))
            ratio[place] = -1
        self.best = sorted(self.best, key=lambda entry: (-entry[0], entry[1]))[:2]

    def _add_equal(self, start: int, of_phi: np.ndarray) -> None:
        self.num_equal += int((of_phi >= 0).sum())
        self.violations += int((of_phi > self.threshold).sum())
        place = np.unravel_index(of_phi.argmax(), of_phi.shape)
        if of_phi[place] > max(self.threshold, self.worst[0]):
            self.worst = (float(of_phi[place]), _pair(start, place))

    def result(self) -> LipschitzFactor:
        ratios = self.sample.all()
        if not ratios.size:  # few pairs differ, and none of them was drawn
            ratios = np.array([ratio for ratio, _ in self.best])
        median, q99 = np.quantile(ratios, (0.5, 0.99)) if ratios.size else (0, 0)
        best = [*self.best, (0.0, None), (0.0, None)]
        return LipschitzFactor(
            max=best[0][0],
            q99=float(q99),
            median=float(median),
            second=best[1][0],
            pair=best[0][1],
            violations=self.violations,
            violation_pair=self.worst[1],
            num_equal=self.num_equal,
            num_pairs=self.num_pairs,
            num_sampled=ratios.size,
        )


class _Sample:
    """All of what is added, or a share of it."""

    def __init__(self, share: float):
        self.share, self.parts = share, []
        self.rng = np.random.default_rng(0)

    def add(self, values: np.ndarray) -> None:
        if self.share < 1:
            values = values[self.rng.random(values.size) < self.share]
        self.parts.append(values)

    def all(self) -> np.ndarray:
        return np.concatenate(self.parts)


def _typical_distance(phi: Points, share: float) -> float:
    sample = _Sample(share)
    for _, block in upper_blocks(phi):
        sample.add(block[_above(block)])
    found = sample.all()
    return float(np.median(found)) or float(found.mean())


def _upper(phi: Points, lam: Points) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    for (start, first), (_, second) in zip(
        upper_blocks(phi), upper_blocks(lam), strict=True
    ):
        yield start, first, second


def _above(block: np.ndarray) -> np.ndarray:
    """Where the column is beyond the row, so that each pair comes once."""
    rows, columns = block.shape
    return np.arange(columns) > np.arange(rows)[:, None]


def _pair(start: int, place: tuple) -> Pair:
    return start + int(place[0]), start + int(place[1])
