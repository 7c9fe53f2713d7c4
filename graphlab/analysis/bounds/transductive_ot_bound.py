"""The transductive bound by optimal transport between training and test nodes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphlab.analysis._points import Points, as_classes, as_points
from graphlab.analysis.bounds._checks import a_count, one_of
from graphlab.analysis.bounds.bound import Assumption, Bound
from graphlab.analysis.bounds.sample import scores_of_classes
from graphlab.analysis.concentration import concentration
from graphlab.analysis.embedding_distances import distance_blocks
from graphlab.analysis.margins import margins
from graphlab.analysis.separation import separation
from graphlab.analysis.wasserstein import wasserstein
from graphlab.errors import ArgumentError

KINDS = ("global", "class-wise", "class-wise-approx")
#: Pairs of embeddings that are closer count as equal.
CLOSEST = 1e-6
#: Ratios of which a quantile is taken at most; beyond, a random share of them.
MOST = 2**22


def transductive_ot_bound(
    embeddings: Any,
    logits: Any,
    y: Any,
    train: Any,
    test: Any,
    kind: str = "global",
    quantile: float | None = None,
    resplits: int = 4,
    with_separation: bool = True,
    solver: str = "auto",
    seed: int = 0,
) -> Bound:
    r"""Bound on the gap of node classification by optimal transport.

    After Park et al. (`arXiv 2603.09257 <https://arxiv.org/abs/2603.09257>`_).
    ``"global"`` is

    .. math::
        M \, W_1(\varphi(\mathrm{train}), \varphi(\mathrm{test})), \qquad M = \max_{i
        \in \mathrm{train}, \, j \in \mathrm{test}, \, y} \frac{| \rho_i(y_i) -
        \rho_j(y) |}{\| \varphi_i - \varphi_j \|}

    with :math:`\rho_i(y)` the score of class :math:`y` less the largest other one. Any
    way to move training nodes to test nodes changes the mean margin by at most that
    much, so it bounds the difference of the mean margins, without a confidence and
    without assumptions. ``"class-wise"`` is

    .. math::
        \sum_c M_c \, \frac{1}{|\Pi|} \sum_{\pi \in \Pi} \frac{n^{\pi}_{c,
        \mathrm{train}}}{n_{\mathrm{train}}} W_1(\varphi(c \cap \mathrm{train}^{\pi}),
        \varphi(c \cap \mathrm{test}^{\pi}))

    over random re-splits :math:`\pi` of all nodes, with :math:`M_c` the largest ratio
    of :math:`\rho(c)` among training nodes of the class and test nodes. It uses the
    labels of test nodes; ``"class-wise-approx"`` takes only nodes of the original
    training set into the distances, and does not.

    The formulas are those of the authors' code. Its smallest separation of classes
    compares each class with itself too, and is always 0; here it does not. Two classes
    may have one score. A re-split that lacks a class is an error that names it.

    Args:
        embeddings: Embeddings of all nodes.
        logits: Scores of all nodes; one column, or none, for two classes.
        y: Class of each node.
        train: Mask or indices of training nodes.
        test: Mask or indices of test nodes.
        kind: ``"global"``, ``"class-wise"`` or ``"class-wise-approx"``.
        quantile: Take this quantile of the ratios instead of the maximum: a heuristic.
        resplits: Number of re-splits, seeded by ``seed``, ``seed + 1`` and so on.
        with_separation: Report how far classes of training nodes lie apart, and how
            close the nodes of a class. It is the slowest part of ``"global"``.
        solver: See :func:`wasserstein`.
        seed: Seed of re-splits, and of the ratios of which a quantile is taken.

    Shapes:
        - **embeddings:** :math:`(N, d)`
        - **logits:** :math:`(N, K)`, or :math:`(N)` for two classes
        - **y:** :math:`(N)`

    Raises:
        ArgumentError: If lengths differ, sets are empty or overlap, a class is missing
            from a set, or an argument is not accepted.

    Example:
        >>> z = np.array([[0.0], [3.0], [1.0], [4.0]])
        >>> bound = transductive_ot_bound(
        ...     z, np.hstack([-z, z]) + [1, -1], [0, 1, 0, 1], [0, 1], [2, 3],
        ...     with_separation=False)
        >>> bound.terms["W1"]
        1.0
    """
    one_of("kind", kind, KINDS)
    nodes = _nodes(embeddings, logits, y, train, test)
    if quantile is not None and not 0 < quantile < 1:
        raise ArgumentError(f"quantile must lie between 0 and 1, got {quantile!r}")
    resplits = a_count("resplits", resplits)
    rng = np.random.default_rng(a_count("seed", seed, 0))
    if kind == "global":
        found = _global(nodes, quantile, solver, rng)
    else:
        known = kind == "class-wise-approx"
        found = _class_wise(nodes, known, quantile, resplits, solver, seed, rng)
    terms = found.terms | _measured(nodes)
    if with_separation:
        terms |= _geometry(nodes, solver, seed)
    suffix = "" if quantile is None else f", {quantile:.0%} quantile"
    return Bound(
        name=f"transductive OT, {kind}{suffix}",
        value=found.value,
        bounded="|test error - training error|",
        terms={"bound": found.value, **terms},
        meanings=_meanings(nodes.num_classes),
        parts=("bound",),
        assumptions=_assumptions(found, kind, quantile),
        source="code of Park et al. 2026",
    )


@dataclass(frozen=True)
class _Nodes:
    embeddings: Points
    scores: np.ndarray  # margin of each node for each class
    y: np.ndarray
    train: np.ndarray
    test: np.ndarray

    @property
    def num_classes(self) -> int:
        return self.scores.shape[1]

    def own(self, places: np.ndarray) -> np.ndarray:
        return self.scores[places, self.y[places]]


@dataclass(frozen=True)
class _Found:
    value: float
    terms: dict[str, float]
    ignored: int


def _nodes(embeddings, logits, y, train, test) -> _Nodes:
    points = as_points(embeddings, "embeddings")
    number = points.shape[0]
    classes = 2 if np.ndim(logits) == 1 or np.shape(logits)[1] == 1 else None
    logits = scores_of_classes("logits", logits, classes or np.shape(logits)[1])
    if len(logits) != number:
        raise ArgumentError(
            f"logits must have a row for each of {number} nodes, got {len(logits)}"
        )
    y = as_classes(y, number)
    if y.min() < 0 or y.max() >= logits.shape[1]:
        raise ArgumentError(
            f"y must hold classes from 0 to {logits.shape[1] - 1}, got {y.min()} to "
            f"{y.max()}"
        )
    train, test = _places("train", train, number), _places("test", test, number)
    both = np.intersect1d(train, test)
    if both.size:
        raise ArgumentError(
            f"train and test must not overlap, got node {both[0]} twice"
        )
    of_class = [margins(logits, np.full(number, c)) for c in range(logits.shape[1])]
    return _Nodes(points, np.stack(of_class, 1), y, train, test)


def _places(name: str, given: Any, number: int) -> np.ndarray:
    given = np.asarray(given.cpu() if hasattr(given, "cpu") else given)
    if given.dtype == bool and given.shape == (number,):
        given = np.flatnonzero(given)
    whole = given.ndim == 1 and given.dtype.kind in "iu" and given.size
    if not whole or given.min() < 0 or given.max() >= number:
        raise ArgumentError(
            f"{name} must be a mask or indices of at least one of {number} nodes, got "
            f"shape {list(given.shape)} of {given.dtype}"
        )
    return np.unique(given)


def _global(nodes: _Nodes, quantile, solver: str, rng) -> _Found:
    first, second = nodes.embeddings[nodes.train], nodes.embeddings[nodes.test]
    own, others = nodes.own(nodes.train), nodes.scores[nodes.test]
    total = len(nodes.train) * others.size
    ratios = _Ratios(quantile, total, rng)
    for start, distance in distance_blocks(first, second):
        here = own[start : start + len(distance)][:, None]
        for c in range(nodes.num_classes):
            ratios.add(np.abs(here - others[:, c]), distance)
    w1 = wasserstein(first, second, solver=solver)
    return _Found(ratios.value * w1, {"M": ratios.value, "W1": w1}, ratios.ignored)


def _class_wise(
    nodes: _Nodes, known: bool, quantile, resplits: int, solver: str, seed: int, rng
) -> _Found:
    splits = list(_resplits(nodes, known, resplits, seed))
    value, ignored, terms = 0.0, 0, {}
    for c in range(nodes.num_classes):
        ratios = _ratios_of_class(nodes, c, quantile, rng)
        moved = np.mean([_moved(nodes, c, k, s, solver) for k, s in splits])
        value, ignored = value + ratios.value * moved, ignored + ratios.ignored
        terms |= {
            f"M of class {c}": ratios.value,
            f"weighted W1 of class {c}": float(moved),
        }
    return _Found(float(value), terms, ignored)


def _resplits(
    nodes: _Nodes, known: bool, resplits: int, seed: int
) -> Iterator[tuple[int, tuple[np.ndarray, np.ndarray]]]:
    """Training and test nodes of random splits of the same sizes."""
    both = np.concatenate([nodes.train, nodes.test])
    for each in range(seed, seed + resplits):
        order = np.random.default_rng(each).permutation(both)
        parts = order[: len(nodes.train)], order[len(nodes.train) :]
        if known:
            parts = tuple(part[np.isin(part, nodes.train)] for part in parts)
        yield each, parts


def _moved(nodes: _Nodes, c: int, seed: int, split: tuple, solver: str) -> float:
    """Share of the class in training, times the distance of its two parts."""
    parts = [part[nodes.y[part] == c] for part in split]
    for name, part in zip(("training", "test"), parts, strict=True):
        if not part.size:
            raise ArgumentError(
                f"y must have nodes of class {c} in all parts of each re-split, got "
                f"none among the {name} nodes of the one with seed {seed}; classes "
                "this small need kind='global'"
            )
    distance = wasserstein(*(nodes.embeddings[part] for part in parts), solver=solver)
    return len(parts[0]) / len(split[0]) * distance


def _ratios_of_class(nodes: _Nodes, c: int, quantile, rng) -> "_Ratios":
    of_class = nodes.train[nodes.y[nodes.train] == c]
    places = np.concatenate([of_class, nodes.test])
    points, scores = nodes.embeddings[places], nodes.scores[places, c]
    ratios = _Ratios(quantile, len(places) ** 2, rng)
    for start, distance in distance_blocks(points):
        here = scores[start : start + len(distance)][:, None]
        rows = np.arange(len(distance))
        distance[rows, start + rows] = np.nan  # a node is no pair with itself
        ratios.add(np.abs(here - scores), distance)
    return ratios


class _Ratios:
    """The largest of many ratios, or a quantile of them."""

    def __init__(self, quantile: float | None, total: int, rng):
        self.quantile, self.share, self.rng = quantile, MOST / total, rng
        self.largest, self.ignored, self.kept = 0.0, 0, []

    def add(self, change: np.ndarray, distance: np.ndarray) -> None:
        apart = distance >= CLOSEST
        self.ignored += int((~apart & (change > CLOSEST)).sum())
        found = change[apart] / distance[apart]
        if found.size:
            self.largest = max(self.largest, float(found.max()))
        if self.quantile is not None:
            if self.share < 1:
                found = found[self.rng.random(found.size) < self.share]
            self.kept.append(found)

    @property
    def value(self) -> float:
        if self.quantile is None:
            return self.largest
        return float(np.quantile(np.concatenate(self.kept), self.quantile))


def _measured(nodes: _Nodes) -> dict[str, float]:
    train, test = nodes.own(nodes.train), nodes.own(nodes.test)
    return {
        "measured gap of errors": float((test <= 0).mean() - (train <= 0).mean()),
        "measured gap of mean margins": float(abs(test.mean() - train.mean())),
    }


def _geometry(nodes: _Nodes, solver: str, seed: int) -> dict[str, float]:
    points, y = nodes.embeddings[nodes.train], nodes.y[nodes.train]
    counts = np.bincount(y, minlength=nodes.num_classes)
    if (counts < 2).any():
        c = int(counts.argmin())
        raise ArgumentError(
            f"train must hold two nodes of each class, got {counts[c]} of class {c}; "
            "with_separation=False does without"
        )
    return {
        "separation, least": separation(points, y, "min", solver=solver),
        "concentration": concentration(points, y, solver=solver, seed=seed),
    }


def _meanings(num_classes: int) -> dict[str, str]:
    found = {
        "M": "largest change of a margin over a distance, or its quantile",
        "W1": "distance of training and test nodes",
        "measured gap of errors": "test error less training error",
        "measured gap of mean margins": "by how much mean margins differ",
        "separation, least": "least distance of two different classes",
        "concentration": "mean distance of two halves of a class",
    }
    for c in range(num_classes):
        found |= {
            f"M of class {c}": "the same for margins of the class",
            f"weighted W1 of class {c}": "share times distance, mean of re-splits",
        }
    return found


def _assumptions(found: _Found, kind: str, quantile) -> tuple[Assumption, ...]:
    if quantile is not None:
        detail = "a quantile leaves out the pairs that change most"
    elif kind != "global":
        detail = "re-splits stand for the split at hand"
    elif found.ignored:
        detail = f"{found.ignored} pairs closer than {CLOSEST:g} have other margins"
    else:
        detail = "by the formula, on this split"
    return (
        Assumption(
            "the value bounds the difference of mean margins",
            kind == "global" and quantile is None and not found.ignored,
            detail,
        ),
        Assumption(
            "a bound on mean margins is one on the 0-1 error",
            None,
            "the formula is that of the authors' code; the theorem was not available",
        ),
    )
