"""How alike the directions of the nodes' features are."""

import torch
from torch import Tensor

from graphlab.analysis._checks import in_double


def mean_cosine_similarity(x: Tensor) -> Tensor:
    r"""Mean cosine similarity of all pairs of nodes, in :math:`O(N F)`.

    The *graph smoothing level* of the `"Mitigating Oversmoothing Through Reverse
    Process of GNNs for Heterophilic Graphs" <https://arxiv.org/abs/2403.10543>`_ paper:

    .. math::
        \mathrm{GSL}(\mathbf{X}) = \frac{1}{N (N - 1)} \sum_{i \neq j}
        \mathbf{\hat{x}}_i^{\top} \mathbf{\hat{x}}_j = \frac{\left\| \sum_i
        \mathbf{\hat{x}}_i \right\|^2 - \sum_i \| \mathbf{\hat{x}}_i \|^2}{N (N - 1)},
        \qquad \mathbf{\hat{x}}_i = \frac{\mathbf{x}_i}{\| \mathbf{x}_i \|}

    It is 1 when all nodes point the same way. A row of zeros has no direction: its
    similarity to every node counts as 0. Summed in float64, and differentiable.

    Args:
        x: Node features. A value that is infinite or not a number gives NaN, and so do
            fewer than two nodes that have a direction.

    Shapes:
        - **x:** :math:`(|\mathcal{V}|, F)`
        - **output:** a float64 number, :math:`()`

    Raises:
        ArgumentError: If ``x`` is not a dense floating point matrix.

    Example:
        >>> mean_cosine_similarity(torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]]))
        tensor(0.3333, dtype=torch.float64)
    """
    x = in_double(x)
    # First by the largest entry: its square may lie outside of float64.
    x = x / _one_for_zero(x.abs().amax(1, keepdim=True))
    x = x / _one_for_zero(torch.linalg.vector_norm(x, dim=1, keepdim=True))
    pairs = x.size(0) * (x.size(0) - 1)
    mean = (x.sum(0).square().sum() - x.square().sum()) / pairs
    return torch.where((x != 0).any(1).sum() < 2, torch.nan, mean)


def _one_for_zero(x: Tensor) -> Tensor:
    return torch.where(x == 0, 1, x)
