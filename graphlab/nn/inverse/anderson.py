"""Anderson acceleration of a fixed-point iteration."""

import torch
from torch import Tensor

_RIDGE = 1e-10


class Anderson:
    r"""Mixes the last iterates so that their differences cancel best.

    From `"Iterative Procedures for Nonlinear Integral Equations"
    <https://doi.org/10.1145/321296.321305>`_: with :math:`\mathbf{f}_i` the image of
    iterate :math:`\mathbf{x}_i` and :math:`\mathbf{r}_i = \mathbf{f}_i - \mathbf{x}_i`,

    .. math::
        \mathbf{x}_{k + 1} = \sum_i \alpha_i \mathbf{f}_i, \qquad \alpha = \arg
        \min_{\sum \alpha_i = 1} \Big\| \sum_i \alpha_i \mathbf{r}_i \Big\|_F
    """

    def __init__(self, depth: int):
        self.depth = depth
        self.images: list[Tensor] = []
        self.steps: list[Tensor] = []

    def next(self, x: Tensor, image: Tensor) -> Tensor:
        """The iterate after ``x``, whose image is given."""
        self.images.append(image.clone())
        self.steps.append(image - x)
        if len(self.images) > self.depth + 1:
            del self.images[0], self.steps[0]
        shares = self._shares()
        out = self.images[0] * shares[0]
        for share, past in zip(shares[1:], self.images[1:], strict=True):
            out.add_(past, alpha=share)
        return out

    def _shares(self) -> list[float]:
        flat = torch.stack([step.flatten() for step in self.steps])
        gram = (flat @ flat.T).double()
        if not bool(gram.isfinite().all()):
            return [0.0] * (len(self.steps) - 1) + [1.0]
        ridge = _RIDGE * gram.diagonal().max().clamp(min=1e-300)
        gram.diagonal().add_(ridge)
        ones = gram.new_ones(len(self.steps))
        shares = torch.linalg.solve(gram, ones)
        return (shares / shares.sum()).tolist()
