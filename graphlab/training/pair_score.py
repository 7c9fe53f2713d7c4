"""Scores of pairs of nodes, and how well they tell positive from negative."""

from collections.abc import Sequence

import torch
from torch import Tensor

from graphlab.errors import ArgumentError
from graphlab.training.roc_auc import roc_auc


class PairScore(torch.nn.Module):
    r"""Inner products of node states as scores of pairs.

    As in the `"Position-aware Graph Neural Networks"
    <https://arxiv.org/abs/1906.04817>`_ paper, with a temperature and an affine map.

    .. math::
        s_{uv} = a \cdot \frac{1}{\tau} \left\langle
        \frac{z_u}{\|z_u\|}, \frac{z_v}{\|z_v\|} \right\rangle + b

    with :math:`a = 1`, :math:`b = 0` unless they are learnt. Memory is :math:`O(P D)`.

    Args:
        normalize: Divide the states by their norms.
        temperature: Divisor :math:`\tau`.
        affine: Learn :math:`a` and :math:`b`.

    Shapes:
        - **z:** node states :math:`(|\mathcal{V}|, D)`
        - **pairs:** pairs of nodes :math:`(2, P)`
        - **output:** scores :math:`(P)`

    Example:
        >>> z = torch.tensor([[2.0, 0.0], [3.0, 0.0], [0.0, 1.0]])
        >>> PairScore()(z, torch.tensor([[0, 0], [1, 2]]))
        tensor([1., 0.])
    """

    def __init__(
        self, normalize: bool = True, temperature: float = 1.0, affine: bool = False
    ) -> None:
        super().__init__()
        self.normalize, self.temperature = normalize, temperature
        self.scale = self.shift = None
        if affine:
            self.scale = torch.nn.Parameter(torch.ones(()))
            self.shift = torch.nn.Parameter(torch.zeros(()))

    def forward(self, z: Tensor, pairs: Tensor) -> Tensor:
        """Scores of the pairs."""
        if self.normalize:
            z = torch.nn.functional.normalize(z, dim=1)
        first, second = (z.index_select(0, end) for end in pairs)
        score = (first * second).sum(1) / self.temperature
        return score if self.scale is None else self.scale * score + self.shift


def pair_roc_auc(
    scores: Sequence[Tensor], labels: Sequence[Tensor]
) -> tuple[float, list[float]]:
    r"""ROC-AUC of each graph, and the mean over graphs.

    The same numbers as scikit-learn's ``roc_auc_score`` graph by graph.

    Args:
        scores: For each graph the scores of its pairs :math:`(P_g)`.
        labels: For each graph 1 for positive pairs and 0 for negative ones.

    Returns:
        The mean, and the value of each graph; NaN where a score is.

    Raises:
        ArgumentError: If there is no graph, or one has only one kind of pair.

    Example:
        >>> score = torch.tensor([0.9, 0.4, 0.6, 0.1])
        >>> pair_roc_auc([score], [torch.tensor([1, 1, 0, 0])])
        (0.75, [0.75])
    """
    if not len(scores):
        raise ArgumentError("scores: no graph; accepted is one tensor or more")
    each = []
    for place, (score, label) in enumerate(zip(scores, labels, strict=True)):
        positive = label > 0.5
        if bool(positive.all()) or not bool(positive.any()):
            missing = "negative" if bool(positive.any()) else "positive"
            raise ArgumentError(
                f"labels: graph {place} has no {missing} pair; accepted are graphs "
                "with both kinds"
            )
        counted = torch.ones_like(positive)
        rows = (score.detach(), positive, counted)
        each.append(float(roc_auc(*(row.unsqueeze(0) for row in rows))))
    return sum(each) / len(each), each
