"""Area under the ROC curve of two-class scores, for all replicas at once."""

import torch
from torch import Tensor


def binary_scores(logits: Tensor) -> Tensor:
    r"""How much a node leans to class 1: :math:`z_{i1} - z_{i0}`.

    The difference orders nodes as the probability of class 1 does, but does not round
    to one where a model is very sure; it is taken in double precision.

    Args:
        logits: Class scores :math:`(\ldots, N, 2)`.
    """
    return logits[..., 1].double() - logits[..., 0].double()


def roc_auc(scores: Tensor, positive: Tensor, counted: Tensor) -> Tensor:
    r"""Chance that a positive node scores higher than a negative one, ties halved.

    .. math::
        \frac{1}{P Q} \sum_{i \in \text{pos}} \Bigl( \#\{j \in \text{neg}: s_j < s_i\}
        + \tfrac{1}{2} \#\{j \in \text{neg}: s_j = s_i\} \Bigr)

    This is the rank statistic with average ranks on ties, by one sort a replica.

    Args:
        scores: Scores :math:`(R, N)`.
        positive: Whether a node is of class 1, boolean :math:`(R, N)`.
        counted: Nodes that count, boolean :math:`(R, N)`.

    Returns:
        One value a replica, in double precision; NaN where positive or negative nodes
        are missing among those that count, or where a score that counts is NaN.
    """
    scores = scores.where(counted, 0)
    ordered, order = scores.sort(dim=1)
    positive = (positive & counted).gather(1, order)
    negative = counted.gather(1, order) & ~positive
    below = torch.nn.functional.pad(negative.cumsum(1), (1, 0))  # among the first k
    first, past = _ties(ordered)
    twice = below.gather(1, first) + below.gather(1, past)
    pairs = positive.sum(1).double() * negative.sum(1)
    area = (twice * positive).sum(1).double() / 2 / pairs
    return area.where(~scores.isnan().any(1), torch.nan)


def _ties(ordered: Tensor) -> tuple[Tensor, Tensor]:
    """Where the run of equal values around each place begins and where it has ended."""
    size = ordered.size(1)
    place = torch.arange(size, device=ordered.device).expand_as(ordered)
    step = ordered[:, 1:] != ordered[:, :-1]
    begins = torch.nn.functional.pad(step, (1, 0), value=True)
    ends = torch.nn.functional.pad(step, (0, 1), value=True)
    first = place.where(begins, 0).cummax(1).values
    past = (place + 1).where(ends, size).flip(1).cummin(1).values.flip(1)
    return first, past
