"""The margin over k-variance: a score that ranks models."""

import math

import numpy as np

from graphlab.analysis.bounds._checks import a_count
from graphlab.analysis.bounds.bound import Bound
from graphlab.analysis.bounds.sample import GraphSample
from graphlab.analysis.k_variance import k_variance
from graphlab.errors import ArgumentError

#: What keeps a margin with a vanishing gradient finite.
EPSILON = 1e-6


def kv_margin(
    sample: GraphSample,
    gradient_normalized: bool = False,
    most: int = 200,
    seed: int = 0,
) -> Bound:
    r"""Median margin over the k-variance of the embeddings.

    From `"Measuring Generalization with Optimal Transport"
    <https://arxiv.org/abs/2106.03314>`_:

    .. math::
        - \frac{\mathrm{median}_i \, \rho_i}{\sum_c \pi_c \, W_1(\varphi \sharp T_c,
        \varphi \sharp \tilde{T}_c) \, L_c}

    with :math:`L_c` the largest norm of the margin's gradient in class :math:`c`; or
    gradient-normalized

    .. math::
        - \frac{\mathrm{median}_i \, \rho_i / (\| \nabla \rho_i \| + 10^{-6})}{\sum_c
        \pi_c \, W_1(\varphi \sharp T_c, \varphi \sharp \tilde{T}_c)}

    with disjoint halves of each class. Where embeddings are the logits all gradients
    are alike, and so are the two forms. The larger it is, the larger the gap that it
    predicts: zero and above if half of the training graphs are not right. It ranks
    models and bounds nothing. Computed on the training graphs that the embeddings were
    learned from, it is no part of a theorem either.

    Args:
        sample: Training graphs, with ``gradient_norms`` if embeddings are not the
            logits; for logits the norm is :math:`\sqrt{2}`.
        gradient_normalized: Take the second form.
        most: Most graphs of a class that the distance is computed on.
        seed: Seed of their draw and of the halves.

    Raises:
        ArgumentError: If gradient norms are missing, or ``most`` is less than 4.

    Example:
        >>> import numpy as np
        >>> y = np.array([0, 1] * 8)
        >>> logits = np.eye(2)[y] * 5 + np.arange(32).reshape(16, 2) % 3
        >>> bound = kv_margin(GraphSample(np.eye(16), None, logits, y, 2))
        >>> bound.value < 0, bound.status
        (True, 'heuristic')
    """
    most = a_count("most", most, 4)
    gradients = _gradient_norms(sample)
    classes = range(sample.num_classes)
    distances = np.array([_distance(sample, c, most, seed) for c in classes])
    shares = sample.class_sizes / sample.num_graphs
    if gradient_normalized:
        median = float(np.median(sample.margins / (gradients + EPSILON)))
        scales = np.ones(sample.num_classes)
    else:
        median = float(np.median(sample.margins))
        scales = np.array([gradients[sample.y == c].max() for c in classes])
    below = float(shares @ (distances * scales))
    value = _ratio(-median, below)
    terms = {"score": value, "median margin": median, "k-variance": below}
    terms |= {f"W1 of class {c}": float(distances[c]) for c in classes}
    terms |= {f"L of class {c}": float(scales[c]) for c in classes}
    return Bound(
        name="kV-GN-Margin" if gradient_normalized else "kV-Margin",
        value=value,
        bounded="nothing",
        terms=terms,
        meanings={
            "median margin": "median of the training margins"
            + (" over their gradients" if gradient_normalized else ""),
            "k-variance": "mean of W1 L over classes",
            **{f"W1 of class {c}": "distance of two halves" for c in classes},
            **{f"L of class {c}": "largest gradient of a margin" for c in classes},
        },
        parts=("score",),
        source="Chuang et al. 2021",
        score=True,
    )


def _gradient_norms(sample: GraphSample) -> np.ndarray:
    if sample.gradient_norms is not None:
        return sample.gradient_norms
    if sample.embeds_logits:
        return np.full(sample.num_graphs, math.sqrt(2))
    raise ArgumentError(
        "kv_margin needs a sample with gradient_norms where embeddings are not the "
        "logits, see margin_gradient_norms(head, z, y)"
    )


def _distance(sample: GraphSample, c: int, most: int, seed: int) -> float:
    places = np.flatnonzero(sample.y == c)
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.permutation(places)[:most])
    return k_variance(sample.embeddings[chosen], repeats=1, seed=seed).value


def _ratio(above: float, below: float) -> float:
    if below:
        return above / below
    return math.copysign(math.inf, above) if above else math.nan
