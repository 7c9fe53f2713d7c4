"""Uniform label smoothing: the same noise for every node."""

import torch
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.transforms import BaseTransform

from ..errors import ArgumentError
from ._checks import check_number, describe
from ._labels import read_labels


@torch.no_grad()
def label_smoothing(y: Tensor, num_classes: int, beta: float) -> Tensor:
    r"""Soft targets with a share :math:`\beta` for the other classes.

    As in the LS rows (Table 1) of the `"Posterior Label Smoothing for Node
    Classification" <https://arxiv.org/abs/2406.00410>`_ paper.

    .. math::
        \mathbf{\hat{e}}_i = (1 - \beta)\, \mathbf{e}_i
        + \frac{\beta}{C - 1} (1 - \mathbf{e}_i)

    With one class the row is 1. ``F.cross_entropy(..., label_smoothing=b)`` of torch
    spreads its share over all classes, the own one included: it equals this one with
    :math:`\beta = b (C - 1) / C`.

    Args:
        y: Class numbers; ``-1`` marks a missing label, whose row is uniform.
        num_classes: Number of classes :math:`C`.
        beta: Share :math:`\beta` of the other classes.

    Shapes:
        - **y:** class numbers :math:`(|\mathcal{V}|)`
        - **output:** float32 targets :math:`(|\mathcal{V}|, C)`

    Raises:
        ArgumentError: If beta is outside [0, 1], a label is out of range, or no node
            has a label.
    """
    if not isinstance(y, Tensor):
        raise ArgumentError(f"y: got {describe(y)}; accepted are class numbers")
    mask = torch.ones(y.shape[:1], dtype=torch.bool, device=y.device)
    return _smooth(y, mask, num_classes, beta)


def _smooth(y: Tensor, mask: Tensor, num_classes: int | None, beta: float) -> Tensor:
    check_number("beta", beta, 0, 1)
    labels = read_labels(y, mask, num_classes)
    own = labels.one_hot(slice(None))
    if labels.num_classes == 1:
        return torch.ones_like(own, dtype=torch.float32)
    off = beta / (labels.num_classes - 1)
    rows = (1 - beta) * own + off * (1 - own)
    known = labels.known.unsqueeze(1)
    return torch.where(known, rows, 1.0 / labels.num_classes).float()


class LabelSmoothing(BaseTransform):
    r"""Writes uniformly smoothed labels to ``data.soft_y``.

    The functional form is :func:`label_smoothing`.

    Only labels of ``data.train_mask`` are looked at, where the data has one; the other
    rows are uniform.

    Args:
        beta: Share :math:`\beta` of the other classes.
        num_classes: Number of classes; wins over ``data.num_classes``. If neither is
            given, the largest label plus one.

    Raises:
        ArgumentError: If beta is outside [0, 1], or (when applied) if the data's labels
            are not accepted.
    """

    def __init__(self, beta: float, num_classes: int | None = None) -> None:
        check_number("beta", beta, 0, 1)
        self.beta = beta
        self.num_classes = num_classes

    def forward(self, data: Data) -> Data:
        """Return the data with ``soft_y``, float32 ``[N, C]``."""
        y = data.get("y")
        if y is None:
            raise ArgumentError("data: has no y; accepted is data with class numbers")
        mask = data.get("train_mask")
        if mask is None:
            mask = torch.ones(y.shape[:1], dtype=torch.bool, device=y.device)
        num_classes = self.num_classes
        if num_classes is None:
            num_classes = data.get("num_classes")
        data.soft_y = _smooth(y, mask, num_classes, self.beta)
        return data

    def __repr__(self) -> str:
        return (
            f"{self.__class__.__name__}(beta={self.beta}, "
            f"num_classes={self.num_classes})"
        )
