"""What a generalization bound looks at: training graphs as a model sees them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax

from graphlab.analysis._points import as_classes, as_points
from graphlab.analysis.bounds.network_norms import NetworkNorms
from graphlab.analysis.k_variance import KVariance, k_variance
from graphlab.analysis.lipschitz_factor import LipschitzFactor, lipschitz_factor
from graphlab.analysis.margins import margins
from graphlab.errors import ArgumentError

#: Half of a class must hold two graphs to have a distance.
FEWEST = 4


@dataclass(frozen=True, eq=False)
class GraphSample:
    r"""Training graphs, as colour histograms, embeddings and scores.

    All bounds take one, so it checks its parts once. Arrays may be of NumPy, SciPy or
    torch; they are kept in float64, histograms in CSR form.

    Args:
        histograms: The bounding encoder's vectors :math:`\lambda(G)`, one row a graph,
            for example of :class:`WLEncoder`.
        embeddings: The model's embeddings :math:`\varphi(G)`; ``None`` for the logits.
        logits: The model's scores. One column, or none, stands for the scores
            :math:`(-z/2, z/2)` of two classes, whose softmax is the sigmoid of
            :math:`z`.
        y: The class of each graph.
        num_classes: Number :math:`K` of classes.
        test_logits: Scores of test graphs, for the measured gap.
        test_y: Classes of the test graphs.
        num_colors: How many colours the encoder met, for VC bounds that count them.
        norms: What :func:`network_norms` says of model and graphs, for bounds on
            weights.
        gradient_norms: Norm of the gradient of each graph's margin with respect to its
            embedding, where embeddings are not the logits.
        encoder_bounds_model: What is known of the architecture: true if no model of
            its kind can tell graphs of equal histograms apart, as with the rounds that
            :func:`wl_rounds` gives; ``None`` if nothing is known.
        name: What to call it in reports.

    Shapes:
        - **histograms:** :math:`(m, C)`
        - **embeddings:** :math:`(m, d)`
        - **logits, test_logits:** :math:`(m, K)`, :math:`(t, K)`
        - **y, test_y, gradient_norms:** :math:`(m)`, :math:`(t)`, :math:`(m)`

    Raises:
        ArgumentError: If lengths differ, a number is not finite, there is one class
            only, or a class has fewer than four graphs; the message says which.

    Example:
        >>> import numpy as np
        >>> sample = GraphSample(
        ...     histograms=np.eye(8), embeddings=None, logits=np.eye(2)[[0, 1] * 4],
        ...     y=[0, 1] * 4, num_classes=2)
        >>> sample.class_sizes.tolist(), float(sample.train_error)
        ([4, 4], 0.0)
    """

    histograms: scipy.sparse.csr_array
    embeddings: NDArray[np.float64]
    logits: NDArray[np.float64]
    y: NDArray[np.int64]
    num_classes: int
    test_logits: NDArray[np.float64] | None = None
    test_y: NDArray[np.int64] | None = None
    num_colors: int | None = None
    norms: NetworkNorms | None = None
    gradient_norms: NDArray[np.float64] | None = None
    encoder_bounds_model: bool | None = None
    name: str = ""

    def __post_init__(self) -> None:
        classes = self.num_classes
        if type(classes) is not int or classes < 2:
            raise ArgumentError(
                f"num_classes must be a whole number of at least 2, got {classes!r}: "
                "with one class there is nothing to confuse"
            )
        histograms = scipy.sparse.csr_array(as_points(self.histograms, "histograms"))
        self._set("histograms", histograms)
        self._set("logits", scores_of_classes("logits", self.logits, classes))
        if self.embeddings is None:
            self._set("embeddings", self.logits)
        self._set("embeddings", _dense("embeddings", self.embeddings))
        for name in ("logits", "embeddings"):
            _same_length("histograms", histograms, name, getattr(self, name))
        self._set("y", _labels("y", self.y, self.logits, classes))
        self._check_classes()
        self._set_test()
        if self.gradient_norms is not None:
            norms = _dense("gradient_norms", np.reshape(self.gradient_norms, (-1, 1)))
            _same_length("y", self.y, "gradient_norms", norms)
            self._set("gradient_norms", norms[:, 0])

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _check_classes(self) -> None:
        sizes = self.class_sizes
        if (sizes < FEWEST).any():
            c = int(sizes.argmin())
            raise ArgumentError(
                f"y must hold at least {FEWEST} graphs of each of the "
                f"{self.num_classes} classes, got {sizes[c]} of class {c}"
            )

    def _set_test(self) -> None:
        if (self.test_logits is None) != (self.test_y is None):
            raise ArgumentError("test_logits and test_y must come together, got one")
        if self.test_logits is None:
            return
        scores = scores_of_classes("test_logits", self.test_logits, self.num_classes)
        self._set("test_logits", scores)
        self._set("test_y", _labels("test_y", self.test_y, scores, self.num_classes))

    @property
    def num_graphs(self) -> int:
        """Number m of training graphs."""
        return len(self.y)

    @cached_property
    def class_sizes(self) -> NDArray[np.int64]:
        """Number of training graphs of each class."""
        return np.bincount(self.y, minlength=self.num_classes)

    @cached_property
    def groups(self) -> NDArray[np.int64]:
        """A number for each graph, equal exactly where histograms are."""
        return equal_rows(self.histograms)

    @cached_property
    def lipschitz(self) -> LipschitzFactor:
        """Ratios of distances of embeddings and of histograms."""
        return lipschitz_factor(self.embeddings, self.histograms)

    def k_variances(self, **options: Any) -> tuple[KVariance, ...]:
        """The k-variance of each class's histograms; kept, as several bounds ask."""
        key = tuple(sorted(options.items()))
        if key not in self._kept:
            parts = [self.histograms[self.y == c] for c in range(self.num_classes)]
            self._kept[key] = tuple(k_variance(part, **options) for part in parts)
        return self._kept[key]

    @cached_property
    def _kept(self) -> dict[tuple, tuple[KVariance, ...]]:
        return {}

    @cached_property
    def embeds_logits(self) -> bool:
        """Whether the embeddings are the logits."""
        return self.embeddings.shape == self.logits.shape and bool(
            np.array_equal(self.embeddings, self.logits)
        )

    @cached_property
    def margins(self) -> NDArray[np.float64]:
        """Score of each training graph's class less the largest other score."""
        return margins(self.logits, self.y)

    @property
    def softmax_margins(self) -> NDArray[np.float64]:
        """The same of probabilities, at most 1."""
        return margins(softmax(self.logits, 1), self.y)

    @cached_property
    def test_margins(self) -> NDArray[np.float64] | None:
        """The same for test graphs."""
        if self.test_logits is None:
            return None
        return margins(self.test_logits, self.test_y)

    def margin_risk(self, gamma: float) -> float:
        r"""Share :math:`\hat{R}_\gamma` of training margins of at most gamma."""
        return float((self.margins <= gamma).mean())

    @property
    def train_error(self) -> float:
        """Share of training graphs without a positive margin."""
        return self.margin_risk(0.0)

    @property
    def test_error(self) -> float | None:
        """Share of test graphs without a positive margin."""
        if self.test_margins is None:
            return None
        return float((self.test_margins <= 0).mean())

    @property
    def error_gap(self) -> float | None:
        """Test error less training error."""
        return None if self.test_error is None else self.test_error - self.train_error

    def margin_gap(self, gamma: float) -> float | None:
        r"""Test error less :math:`\hat{R}_\gamma`: what margin bounds speak of."""
        if self.test_error is None:
            return None
        return self.test_error - self.margin_risk(gamma)

    @property
    def loss_gap(self) -> float | None:
        r"""Test less training value of the multi-class margin loss on log-softmax.

        The loss of a graph is :math:`\frac{1}{K} \sum_{j \neq y} \max(0, 1 - z_y +
        z_j)`, which is what the paper of the k-variance bound trains with and measures.
        """
        return self._gap(_margin_loss)

    @property
    def cross_entropy_gap(self) -> float | None:
        """Test less training cross entropy."""
        return self._gap(_cross_entropy)

    def _gap(self, loss) -> float | None:
        if self.test_logits is None:
            return None
        return loss(self.test_logits, self.test_y) - loss(self.logits, self.y)

    @property
    def has_learned(self) -> bool:
        """Whether more training graphs are right than if all got the largest class."""
        right = float((self.logits.argmax(1) == self.y).mean())
        return right > self.class_sizes.max() / self.num_graphs


def equal_rows(matrix: scipy.sparse.csr_array) -> NDArray[np.int64]:
    """Numbers the rows of a canonical CSR matrix, equal rows by the same number."""
    seen: dict[tuple[bytes, bytes], int] = {}
    starts = matrix.indptr
    keys = (
        (matrix.indices[a:b].tobytes(), matrix.data[a:b].tobytes())
        for a, b in zip(starts[:-1], starts[1:], strict=True)
    )
    return np.array([seen.setdefault(key, len(seen)) for key in keys], np.int64)


def _margin_loss(logits: NDArray[np.float64], y: NDArray[np.int64]) -> float:
    rows = np.arange(len(y))
    hinge = np.maximum(0, 1 - logits[rows, y][:, None] + logits)
    hinge[rows, y] = 0
    return float(hinge.mean())  # the mean over K classes of which one is zero


def _cross_entropy(logits: NDArray[np.float64], y: NDArray[np.int64]) -> float:
    return float((logsumexp(logits, 1) - logits[np.arange(len(y)), y]).mean())


def scores_of_classes(name: str, values: Any, num_classes: int) -> NDArray[np.float64]:
    """One column for each class; of two classes one score is enough."""
    if num_classes == 2 and getattr(values, "ndim", 2) == 1:
        values = values[:, None]
    found = _dense(name, values)
    if found.shape[1] == 1 and num_classes == 2:
        found = found * np.array([[-0.5, 0.5]])
    if found.shape[1] != num_classes:
        raise ArgumentError(
            f"{name} must have a column for each of {num_classes} classes, got shape "
            f"{list(found.shape)}"
        )
    return found


def _dense(name: str, values: Any) -> NDArray[np.float64]:
    found = as_points(values, name)
    return found.toarray() if scipy.sparse.issparse(found) else found


def _labels(name: str, values: Any, scores: NDArray, num_classes: int) -> NDArray:
    found = as_classes(values, len(scores), name).astype(np.int64)
    wrong = found[(found < 0) | (found >= num_classes)]
    if wrong.size:
        raise ArgumentError(
            f"{name} must hold classes from 0 to {num_classes - 1}, got {wrong[0]}"
        )
    return found


def _same_length(one: str, first: Any, other: str, second: Any) -> None:
    if first.shape[0] != second.shape[0]:
        raise ArgumentError(
            f"{one} and {other} must have a row for each graph, got {first.shape[0]} "
            f"and {second.shape[0]} rows"
        )
