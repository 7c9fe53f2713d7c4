"""By how much the right class wins."""

from typing import Any

import numpy as np

from graphlab.analysis._points import as_classes, as_points
from graphlab.errors import ArgumentError


def margins(logits: Any, y: Any) -> np.ndarray:
    r"""Score of the right class minus the best score of another class.

    .. math::
        \rho(\mathbf{z}, y) = z_y - \max_{c \neq y} z_c

    Logits and log-softmax have the same margins. Softmax probabilities have margins in
    [-1, 1], so that no share of them is above a margin of 1.

    Args:
        logits: Scores of the classes.
        y: Right class of each row.

    Shapes:
        - **logits:** :math:`(m, K)`, :math:`K \geq 2`
        - **y:** integers in :math:`\{0, \ldots, K - 1\}`, :math:`(m)`
        - **output:** float64 :math:`(m)`

    Raises:
        ArgumentError: If the scores are no matrix of finite numbers with two columns,
            or ``y`` does not fit.

    Example:
        >>> margins([[2.0, 0.5, 1.0], [0.0, 3.0, 1.0]], [0, 2])
        array([ 1., -2.])
    """
    scores = as_points(logits, "logits")
    scores = scores if isinstance(scores, np.ndarray) else scores.toarray()
    num_rows, num_classes = scores.shape
    if num_classes < 2:
        raise ArgumentError(
            f"logits must have a column for each class, 2 or more, got {num_classes}"
        )
    y = as_classes(y, num_rows)
    if y.min() < 0 or y.max() >= num_classes:
        raise ArgumentError(
            f"y must be in 0..{num_classes - 1}, got {y.min()}..{y.max()}"
        )
    own = scores[np.arange(num_rows), y]
    others = np.where(np.arange(num_classes) == y[:, None], -np.inf, scores)
    return own - others.max(1)
