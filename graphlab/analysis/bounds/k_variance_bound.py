"""The generalization bound by k-variance."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graphlab.analysis.bounds._checks import (
    a_count,
    a_positive,
    a_probability,
    one_of,
)
from graphlab.analysis.bounds._k_variance_modes import (
    MODES,
    Mode,
    diameters,
)
from graphlab.analysis.bounds._k_variance_words import advice, assumptions, meanings
from graphlab.analysis.bounds.bound import Bound
from graphlab.analysis.bounds.sample import GraphSample
from graphlab.analysis.embedding_distances import upper_blocks
from graphlab.analysis.k_variance import KVariance
from graphlab.analysis.margin_lipschitz import margin_lipschitz
from graphlab.errors import ArgumentError

W1, DIAMETER, TAIL = "W1 term", "diameter term", "confidence term"
WEIGHTS = ("frequency", "uniform", "worst")


def k_variance_bound(
    sample: GraphSample,
    mode: str = "theorem-D2",
    gamma: float = 1.0,
    delta: float = 0.1,
    *,
    repeats: int | None = None,
    pairs: int = 1,
    mcdiarmid: int = 2,
    margin: str | float | None = None,
    class_weights: str | Sequence[float] | None = None,
    embedding_bound: float | None = None,
    separation: float | None = None,
    diameter: float | None = None,
    allow_violations: bool = False,
    solver: str = "auto",
    seed: int = 0,
) -> Bound:
    r"""Generalization bound by how far two samples of a class lie apart.

    From `"Towards Bridging Generalization and Expressivity of Graph Neural Networks"
    <https://arxiv.org/abs/2410.10051>`_ (Theorem D.2):

    .. math::
        R - \hat{R}_\gamma \leq \sum_c \pi_c \frac{\mathrm{Lip}(\rho)
        \mathrm{Lip}(f)}{\gamma} \left( \frac{1}{n} \sum_{j=1}^{n} W_1(\lambda \sharp
        T^j, \lambda \sharp \tilde{T}^j) + 2 \Delta_c \sqrt{\frac{\ln(2 K /
        \delta)}{n k_c}} \right) + \sqrt{\frac{\ln(2 / \delta)}{2 m'}}

    with :math:`\lambda` the histograms, :math:`\varphi = f \circ \lambda` the
    embeddings, :math:`T^j, \tilde{T}^j` disjoint pairs of :math:`k_c = \lfloor m_c / 2n
    \rfloor` graphs of class :math:`c`, :math:`\Delta_c` its diameter and :math:`m' =
    \sum_c k_c`. The pairs are drawn ``repeats`` times, which keeps the deviation of
    their mean as it is and takes the luck out of the draw.

    ========================  ====================================================
    mode                      what it computes
    ========================  ====================================================
    ``"theorem-D2"``          the formula above
    ``"theorem-5.1-plugin"``  without the diameter term and with
                              :math:`\sqrt{\ln(1 / \delta) / 2m}`: an estimate of the
                              expectation in Theorem 5.1
    ``"algorithm1"``          classes averaged equally, :math:`\mathrm{Lip}(\rho) = 1`
    ``"paper-code"``          what the released code computes: as Algorithm 1, but
                              halves that overlap, drawn once; :math:`\log_{10}` and
                              the diameter of the embeddings in the diameter term; and
                              :math:`\mathrm{Lip}(\rho) = \sqrt{K - 1} / K`. No bound.
    ``"certified"``           the formula with constants that were known before the
                              data: :math:`\mathrm{Lip}(f) \leq B / S` (Corollary 4.5),
                              the diameter, and the worst class
    ========================  ====================================================

    All but the last estimate :math:`\mathrm{Lip}(f)` and :math:`\Delta_c` by maxima
    over the training graphs, below the true ones: their values are heuristic.

    Args:
        sample: Training graphs. Embeddings that are not the logits need ``margin``.
        mode: One of the above.
        gamma: Margin :math:`\gamma`, of differences of logits.
        delta: Probability of failure :math:`\delta`.
        repeats: How often pairs are drawn, 8 if not given.
        pairs: Number :math:`n` of disjoint pairs.
        mcdiarmid: 2 for the factor in the printed diameter term; 1 is what
            McDiarmid's inequality gives, as one graph moves the mean by at most
            :math:`\Delta_c / n k_c`.
        margin: Lipschitz constant of the margin as a function of the embedding, see
            :func:`margin_lipschitz`; ``"jacobian"`` takes the sample's largest
            ``gradient_norms``. ``"softmax"`` also takes the margins of probabilities.
        class_weights: ``"frequency"`` of classes in training, ``"uniform"``,
            ``"worst"`` for the largest term of a class, or the distribution itself.
        embedding_bound: Largest distance :math:`B` of two embeddings of any graphs, for
            ``"certified"``.
        separation: Smallest distance :math:`S` of two different histograms of any
            graphs, for ``"certified"``; 1 for counts.
        diameter: Largest distance of two histograms of any graphs of a class, for
            ``"certified"``.
        allow_violations: Compute even if histograms do not bound the model.
        solver: See :func:`k_variance`.
        seed: Seed of the draws.

    Raises:
        ArgumentError: If two graphs have equal histograms but different embeddings, so
            that there is no :math:`f`: the message names them. Or if an argument is not
            accepted.

    Example:
        >>> import numpy as np
        >>> y = np.array([0, 1] * 8)
        >>> histograms = np.stack([y, 1 - y], 1) * 3 + np.eye(16, 2)
        >>> sample = GraphSample(histograms, None, histograms[:, ::-1], y, 2)
        >>> bound = k_variance_bound(sample)
        >>> list(bound.terms)[:3], bound.status
        (['W1 term', 'diameter term', 'confidence term'], 'vacuous')
    """
    one_of("mode", mode, tuple(MODES))
    chosen = MODES[mode]
    gamma, delta = a_positive("gamma", gamma), a_probability("delta", delta)
    pairs = a_count("pairs", pairs)
    if mcdiarmid not in (1, 2):
        raise ArgumentError(f"mcdiarmid must be 1 or 2, got {mcdiarmid!r}")
    given = {
        "repeats": repeats,
        "margin": margin,
        "class_weights": class_weights,
        "pairs": pairs if pairs != 1 else None,
        "mcdiarmid": mcdiarmid if mcdiarmid != 2 else None,
    }
    _refuse(mode, chosen, given)
    prior = _prior(mode, embedding_bound, separation, diameter)
    if not allow_violations:
        refuse_violations(sample)
    margin = chosen.margin if margin is None else margin
    repeats = chosen.repeats if repeats is None else a_count("repeats", repeats)
    found = sample.k_variances(
        repeats=repeats,
        disjoint=chosen.disjoint,
        pairs=pairs,
        solver=solver,
        seed=seed,
    )
    if prior:
        prior.check(sample)
    parts = _Parts(
        sample=sample,
        mode=chosen,
        gamma=gamma,
        delta=delta,
        mcdiarmid=mcdiarmid,
        lip_margin=_lip_margin(sample, margin),
        lip_f=prior.lipschitz if prior else sample.lipschitz.max,
        found=found,
        diameters=_diameters(sample, chosen, prior),
    )
    weights = chosen.weights if class_weights is None else class_weights
    shares = _shares(sample, weights, parts)
    w1, spread = parts.w1(shares), parts.spread(shares)
    terms = _terms(parts, shares, w1, spread)
    risk = _risk(sample, gamma, margin)
    return Bound(
        name=f"k-variance, {mode}",
        value=w1 + spread + parts.tail,
        bounded="R - R_gamma",
        terms=terms,
        meanings=meanings(sample.num_classes, mode),
        parts=tuple(name for name in (W1, DIAMETER, TAIL) if name in terms),
        empirical_risk=risk,
        gamma=gamma,
        delta=delta,
        assumptions=assumptions(sample, mode, margin, weights, shares, prior),
        source=chosen.source,
        advice=advice(sample, parts, w1, spread, risk, margin),
    )


@dataclass(frozen=True)
class _Prior:
    """What is known before the data, for the certified mode."""

    bound: float
    separation: float
    diameter: float

    @property
    def lipschitz(self) -> float:
        return self.bound / self.separation

    def check(self, sample: GraphSample) -> None:
        """No training graph may contradict it."""
        largest = float(diameters(sample.embeddings, np.zeros_like(sample.y), 1)[0])
        if largest > self.bound * (1 + 1e-6):
            raise ArgumentError(
                f"embedding_bound must be at least the distance {largest:.6g} of two "
                f"training graphs, got {self.bound:g}"
            )
        widest = diameters(sample.histograms, sample.y, sample.num_classes).max()
        if widest > self.diameter * (1 + 1e-6):
            raise ArgumentError(
                f"diameter must be at least the distance {widest:.6g} of two training "
                f"graphs of a class, got {self.diameter:g}"
            )
        closest = smallest_distance(sample.histograms)
        if closest < self.separation * (1 - 1e-6):
            raise ArgumentError(
                f"separation must be at most the distance {closest:.6g} of two "
                f"training graphs, got {self.separation:g}"
            )


@dataclass(frozen=True)
class _Parts:
    """What the formula is made of, class by class."""

    sample: GraphSample
    mode: Mode
    gamma: float
    delta: float
    mcdiarmid: int
    lip_margin: float
    lip_f: float
    found: tuple[KVariance, ...]
    diameters: np.ndarray | None

    @property
    def factor(self) -> float:
        return self.lip_margin * self.lip_f / self.gamma

    @property
    def distances(self) -> np.ndarray:
        return np.array([each.value for each in self.found])

    @property
    def deviations(self) -> np.ndarray:
        """How far the distances may lie below their expectation."""
        if self.diameters is None:
            return np.zeros(len(self.found))
        log = self.mode.log(2 * len(self.found) / self.delta)
        sizes = np.array([each.pairs * each.k for each in self.found])
        return self.mcdiarmid * self.diameters * np.sqrt(log / sizes)

    def w1(self, shares: np.ndarray) -> float:
        return self.factor * float(shares @ self.distances)

    def spread(self, shares: np.ndarray) -> float:
        return self.factor * float(shares @ self.deviations)

    @property
    def tail(self) -> float:
        if self.diameters is None:
            return math.sqrt(math.log(1 / self.delta) / (2 * self.sample.num_graphs))
        number = sum(each.k for each in self.found)
        return math.sqrt(math.log(2 / self.delta) / (2 * number))


def refuse_violations(sample: GraphSample) -> None:
    """Raise if two graphs have equal histograms but different embeddings."""
    found = sample.lipschitz
    if not found.violations:
        return
    i, j = found.violation_pair
    apart = float(np.linalg.norm(sample.embeddings[i] - sample.embeddings[j]))
    raise ArgumentError(
        f"histograms must bound the model: graphs {i} and {j} have equal histograms, "
        f"but embeddings that lie {apart:.3g} apart, as do {found.violations} of "
        f"{found.num_equal} pairs with equal histograms. Take the rounds that the "
        "architecture needs, or allow_violations=True for a number without meaning"
    )


def smallest_distance(points) -> float:
    """Smallest distance of two points that differ; infinite if none do."""
    blocks = (block for _, block in upper_blocks(points))
    return float(min(block[block > 0].min(initial=math.inf) for block in blocks))


def _refuse(mode: str, chosen: Mode, given: dict) -> None:
    named = [name for name, value in given.items() if value is not None]
    if chosen.fixed and named:
        raise ArgumentError(
            f"{named[0]} must not be given with mode={mode!r}, whose settings are fixed"
        )


def _prior(mode: str, bound, separation, diameter) -> _Prior | None:
    given = {
        "embedding_bound": bound,
        "separation": separation,
        "diameter": diameter,
    }
    if mode != "certified":
        named = [name for name, value in given.items() if value is not None]
        if named:
            raise ArgumentError(f"{named[0]} must go with mode='certified'")
        return None
    missing = [name for name, value in given.items() if value is None]
    if missing:
        raise ArgumentError(
            "mode='certified' needs embedding_bound, separation and diameter, known "
            f"before the data was seen; {', '.join(missing)} must be given"
        )
    return _Prior(*(a_positive(name, value) for name, value in given.items()))


def _lip_margin(sample: GraphSample, margin: str | float) -> float:
    if margin == "jacobian":
        if sample.gradient_norms is None:
            raise ArgumentError("margin='jacobian' needs a sample with gradient_norms")
        return float(sample.gradient_norms.max())
    if margin in ("logit", "softmax") and not sample.embeds_logits:
        raise ArgumentError(
            f"margin={margin!r} must go with embeddings that are the logits; for other "
            "ones give margin='jacobian' or a number"
        )
    return margin_lipschitz(margin, sample.num_classes)


def _risk(sample: GraphSample, gamma: float, margin: str | float) -> float:
    if margin != "softmax":
        return sample.margin_risk(gamma)
    return float((sample.softmax_margins <= gamma).mean())


def _diameters(
    sample: GraphSample, chosen: Mode, prior: _Prior | None
) -> np.ndarray | None:
    if chosen.diameter is None:
        return None
    if prior:
        return np.full(sample.num_classes, prior.diameter)
    points = getattr(sample, chosen.diameter)
    return diameters(points, sample.y, sample.num_classes)


def _shares(
    sample: GraphSample, weights: str | Sequence[float], parts: _Parts
) -> np.ndarray:
    classes = sample.num_classes
    if isinstance(weights, str):
        one_of("class_weights", weights, WEIGHTS)
        if weights == "frequency":
            return sample.class_sizes / sample.num_graphs
        if weights == "uniform":
            return np.full(classes, 1 / classes)
        return np.eye(classes)[(parts.distances + parts.deviations).argmax()]
    shares = np.asarray(weights, dtype=float)
    fits = shares.shape == (classes,) and (shares >= 0).all()
    if not fits or not math.isclose(shares.sum(), 1, abs_tol=1e-6):
        raise ArgumentError(
            f"class_weights must be one of {', '.join(map(repr, WEIGHTS))} or "
            f"{classes} shares that sum up to 1, got {weights!r}"
        )
    return shares


def _terms(
    parts: _Parts, shares: np.ndarray, w1: float, spread: float
) -> dict[str, float]:
    ratios = parts.sample.lipschitz
    terms = {W1: w1}
    if parts.diameters is not None:
        terms[DIAMETER] = spread
    terms |= {
        TAIL: parts.tail,
        "Lip(f)": parts.lip_f,
        "Lip(f), 99 % quantile": ratios.q99,
        "Lip(f), second pair": ratios.second,
        "Lip(rho)": parts.lip_margin,
    }
    for c, each in enumerate(parts.found):
        terms[f"W1 of class {c}"] = each.value
        terms[f"std. error of class {c}"] = each.std_error
        terms[f"saturation of class {c}"] = each.saturation
        if parts.diameters is not None:
            terms[f"diameter of class {c}"] = float(parts.diameters[c])
        terms[f"weight of class {c}"] = float(shares[c])
        terms[f"k of class {c}"] = float(each.k)
    return terms
