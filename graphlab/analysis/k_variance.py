"""How far two samples of one distribution lie apart."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphlab.analysis._points import Points, as_count, as_points, as_power
from graphlab.analysis.embedding_distances import mean_distance
from graphlab.analysis.wasserstein import SOLVERS, costs, transport_cost
from graphlab.errors import ArgumentError

LARGEST = 4096  # points per sample that are matched at once
_PART = 2048


@dataclass(frozen=True)
class KVariance:
    """What :func:`k_variance` found.

    Attributes:
        value: Mean over repeats.
        std_error: Standard error over repeats; NaN for one. It measures the draw of
            the halves, not that of the points.
        values: Value of each repeat.
        k: Points per sample that was matched.
        p: Order of the Wasserstein distance.
        repeats: Number of repeats.
        pairs: Pairs of samples per repeat, of which the mean is taken.
        mean_distance: Mean of the distance to the power ``p`` over pairs of points.
        saturation: ``value`` before normalization over ``mean_distance``, in
            expectation in (0, 1]; NaN for points that are all equal. Close to 1, the
            points are so far from each other that no matching beats a random one.
        solver: How the matching was found, in words.
        disjoint: Whether the two samples share no point.
        normalize: Normalization, or :obj:`None`.
        effective_dimension: Where asked for, see :func:`effective_dimension`.
    """

    value: float
    std_error: float
    values: tuple[float, ...]
    k: int
    p: int
    repeats: int
    pairs: int
    mean_distance: float
    saturation: float
    solver: str
    disjoint: bool
    normalize: str | None
    effective_dimension: float | None = None


def k_variance(
    x: Any,
    k: int | str = "half",
    p: int = 1,
    repeats: int = 8,
    disjoint: bool = True,
    normalize: str | None = None,
    solver: str = "auto",
    seed: int = 0,
    pairs: int = 1,
    dimension: bool = False,
) -> KVariance:
    r"""Expected distance of two samples of ``k`` points each.

    .. math::
        \mathrm{Var}_k(\mu) = \mathbb{E}_{S, \tilde{S} \sim \mu^k} \big[
        W_p^p(\mu_S, \mu_{\tilde{S}}) \big]

    With :math:`p = 1` and no normalization this is the quantity in the generalization
    bounds of `"Measuring Generalization with Optimal Transport"
    <https://arxiv.org/abs/2106.03314>`_ and `"Towards Bridging Generalization and
    Expressivity of Graph Neural Networks" <https://arxiv.org/abs/2410.10051>`_
    (Theorem D.2), which average it over classes: see :func:`concentration`.

    With :math:`p = 2` and ``normalize="solomon"`` it is that of `"k-Variance: A
    Clustered Notion of Variance" <https://arxiv.org/abs/2012.06958>`_, :math:`c(k, F)
    \, \mathbb{E}[W_2^2]` with :math:`c(1, F) = \frac{1}{2}`, at which :math:`k = 1` is
    the variance, and :math:`c \propto k^{2/F}` for :math:`F \geq 3`. These two
    determine :math:`c = \frac{1}{2} k^{2/F}`; the paper's factors for :math:`F = 1`
    and :math:`2` could not be checked, and are refused for :math:`k > 1`.

    The expectation does not increase with :math:`k`, so that halves of a sample
    overestimate the value for samples of its full size.

    Args:
        x: Points, dense or CSR.
        k: Points per sample; ``"half"`` for as many as there are disjoint ones.
        p: Order, 1 or 2.
        repeats: How often the samples are drawn.
        disjoint: Draw the two samples without a common point. With false each is drawn
            by itself from the same points, as the released code of the bound for graphs
            does, which puts many points into both samples and brings them closer.
        normalize: :obj:`None` or ``"solomon"``.
        solver: ``"assignment"`` or ``"emd"`` (extra ``ot``) match ``k`` points at any
            ``k``. ``"auto"`` is the first, but for disjoint samples of more than 4096
            points it takes as many disjoint pairs of 2048 instead as there would be
            points: also exact, for a smaller ``k``. No approximate solver is used.
        seed: Seed of the draws.
        pairs: Disjoint pairs of samples per repeat, :math:`n` in Theorem D.2, whose
            :math:`\lfloor m / 2n \rfloor` is ``k="half"``.
        dimension: Compute ``effective_dimension`` too, for halves of ``k``.

    Shapes:
        - **x:** :math:`(m, F)`, :math:`m \geq 2`

    Raises:
        ArgumentError: If ``x`` is no matrix of finite numbers with two rows, ``k`` is
            larger than there are points for, or another argument is not as above.
        SolverError: If POT does not reach the optimum.

    Example:
        >>> result = k_variance([[0.0], [0.0], [1.0], [1.0]], k=1, repeats=100)
        >>> 0.5 < result.value < 0.8
        True
        >>> round(result.mean_distance, 4)
        0.6667
    """
    x, p = as_points(x, least=2), as_power(p)
    repeats, pairs = as_count(repeats, "repeats"), as_count(pairs, "pairs")
    _check_words(normalize, solver)
    k = _sample_size(k, x.shape[0], pairs, disjoint)
    factor = _factor(normalize, k, p, x.shape[1])
    size, number, words = _plan(k, pairs, disjoint, solver)
    rng = np.random.default_rng(as_count(seed, "seed", 0))
    values = factor * np.array(
        [_draw(x, size, number, p, disjoint, solver, rng) for _ in range(repeats)]
    )
    value, mean = float(values.mean()), mean_distance(x, p)
    error = values.std(ddof=1) / math.sqrt(repeats) if repeats > 1 else math.nan
    return KVariance(
        value=value,
        std_error=float(error),
        values=tuple(values.tolist()),
        k=size,
        p=p,
        repeats=repeats,
        pairs=number,
        mean_distance=mean,
        saturation=value / factor / mean if mean > 0 else math.nan,
        solver=words,
        disjoint=bool(disjoint),
        normalize=normalize,
        effective_dimension=_dimension(x, size, repeats, seed) if dimension else None,
    )


def effective_dimension(
    x: Any, ks: list[int] | None = None, repeats: int = 8, seed: int = 0
) -> float:
    r"""Dimension at which samples of the points get closer at the observed rate.

    .. math::
        d = - 1 \, / \, \mathrm{slope} \qquad \text{of} \qquad
        \log \mathbb{E} \, W_1(\mu_k, \mu_k') \ \text{against} \ \log k

    by least squares, since :math:`\mathbb{E} \, W_1` decays like :math:`k^{-1/d}` in
    :math:`d \geq 3` dimensions. It is infinite where nothing decays, and a number far
    beyond 20 says that the points are too few or too far from each other to tell. All
    points are used at each size, in as many disjoint pairs of samples as there are.

    Args:
        x: Points, dense or CSR.
        ks: Sizes of the samples; half of the points and halves of that down to 8 if
            not given.
        repeats: Draws per size.
        seed: Seed of the draws.

    Raises:
        ArgumentError: If there are not two sizes, or one is too large or no size.

    Example:
        >>> square = np.random.default_rng(0).random((512, 1))
        >>> 1.5 < effective_dimension(square) < 2.5  # k^(-1/2) in one dimension
        True
    """
    x = as_points(x, least=2)
    if ks is None and x.shape[0] < 32:
        raise ArgumentError(
            f"x must have at least 32 rows if ks is not given, got {x.shape[0]}"
        )
    ks = _halves(x.shape[0] // 2) if ks is None else sorted(set(ks))
    if len(ks) < 2:
        raise ArgumentError(f"ks must have two different sizes or more, got {ks}")
    found = [_of_all_points(x, k, repeats, seed) for k in ks]
    if min(found) == 0:
        return math.nan
    slope = np.polyfit(np.log(ks), np.log(found), 1)[0]
    return -1 / float(slope) if slope < 0 else math.inf


def _of_all_points(x: Points, k: int, repeats: int, seed: int) -> float:
    """The value from as many disjoint pairs as there are: small samples vary most."""
    pairs = max(1, x.shape[0] // (2 * as_count(k, "k")))
    return k_variance(x, k, repeats=repeats, seed=seed, pairs=pairs).value


def _dimension(x: Points, size: int, repeats: int, seed: int) -> float:
    ks = _halves(size)
    return effective_dimension(x, ks, repeats, seed) if len(ks) > 1 else math.nan


def _halves(k: int) -> list[int]:
    found = []
    while k >= 8:
        found.append(k)
        k //= 2
    return found[::-1]


def _check_words(normalize: str | None, solver: str) -> None:
    if normalize not in (None, "solomon"):
        raise ArgumentError(f"normalize must be None or 'solomon', got {normalize!r}")
    if solver not in SOLVERS:
        raise ArgumentError(f"solver must be one of {SOLVERS}, got {solver!r}")


def _sample_size(k: int | str, num_points: int, pairs: int, disjoint: bool) -> int:
    most = num_points // (2 * pairs)
    if most == 0:
        raise ArgumentError(
            f"pairs must leave a point to each sample, got {pairs} disjoint pairs "
            f"for {num_points} points"
        )
    if isinstance(k, str):
        if k != "half":
            raise ArgumentError(f"k must be 'half' or a whole number, got {k!r}")
        return most
    most = most if disjoint else num_points
    if as_count(k, "k") > most:
        kind = f"{pairs} disjoint pair(s)" if disjoint else "samples"
        raise ArgumentError(
            f"k must be at most {most} for {kind} from {num_points} points, got {k}"
        )
    return int(k)


def _factor(normalize: str | None, k: int, p: int, num_columns: int) -> float:
    if normalize is None:
        return 1.0
    if p != 2:
        raise ArgumentError(f"normalize='solomon' must go with p=2, got p={p}")
    if k > 1 and num_columns < 3:
        raise ArgumentError(
            "normalize='solomon' must have k=1 or at least 3 columns: the factor for "
            f"fewer could not be checked; got k={k} and {num_columns} column(s)"
        )
    return 0.5 * k ** (2 / num_columns)


def _plan(k: int, pairs: int, disjoint: bool, solver: str) -> tuple[int, int, str]:
    """Points per sample, pairs per repeat, and the solver in words."""
    if solver == "auto" and disjoint and k > LARGEST:
        number = pairs * (k // _PART)
        words = f"{number} disjoint pairs of {_PART} in place of {pairs} of {k}"
        return _PART, number, f"assignment on {words}"
    return k, pairs, "emd" if solver == "emd" else "assignment"


def _draw(x, k: int, pairs: int, p: int, disjoint: bool, solver: str, rng) -> float:
    """Mean over the pairs of one repeat."""
    found = []
    order = rng.permutation(x.shape[0]) if disjoint else None
    for pair in range(pairs):
        if disjoint:
            first, second = order[2 * k * pair :][: 2 * k].reshape(2, k)
        else:
            first, second = (rng.choice(x.shape[0], k, replace=False) for _ in range(2))
        found.append(transport_cost(costs(x[first], x[second], p), solver))
    return float(np.mean(found))
