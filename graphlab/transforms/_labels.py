"""Labels that a smoothing method may look at: hard or soft, true or pseudo.

Everything behind this module sees a :class:`Labels`, in which what lies outside the
training mask is already gone; so no later step can leak it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import ArgumentError
from ._checks import check_count, check_device, describe

MISSING = -1


@dataclass(frozen=True)
class Labels:
    r"""The labels of :math:`N` nodes, as far as they are known.

    Attributes:
        num_classes: The number of classes :math:`C`.
        true: Nodes with a label of their own from the training mask, bool ``[N]``.
        index: Hard labels, int64 ``[N]``, ``-1`` where unknown; None for soft labels.
        rows: Soft labels, float64 ``[N, C]``, zero where unknown; None for hard labels.
        known: Nodes with a true or a pseudo label, bool ``[N]``.
    """

    num_classes: int
    true: Tensor
    index: Tensor | None
    rows: Tensor | None
    known: Tensor

    def one_hot(self, nodes: slice) -> Tensor:
        """Label rows of some nodes, float64 ``[n, C]``, zero where unknown."""
        if self.rows is not None:
            return self.rows[nodes]
        index = self.index[nodes]
        rows = torch.zeros(
            index.numel(), self.num_classes, dtype=torch.float64, device=index.device
        )
        has_label = (index >= 0).double().unsqueeze(1)
        return rows.scatter_(1, index.clamp(min=0).unsqueeze(1), has_label)


def read_labels(
    y: Tensor,
    train_mask: Tensor,
    num_classes: int | None = None,
    pseudo_label: Tensor | None = None,
) -> Labels:
    """Keep the labels of the training mask, add pseudo labels elsewhere.

    Raises:
        ArgumentError: If shapes, dtypes or values do not fit, or if no node of the mask
            has a label.
    """
    _check_mask(y, train_mask)
    if y.is_floating_point():
        labels = _read_soft(y, train_mask, num_classes)
    else:
        labels = _read_hard(y, train_mask, num_classes)
    if not bool(labels.true.any()):
        raise ArgumentError(
            "train_mask: selects no node with a label; accepted is a mask with at "
            "least one labelled training node"
        )
    return labels if pseudo_label is None else _add_pseudo(labels, pseudo_label)


def _check_mask(y: Tensor, train_mask: Tensor) -> None:
    if not isinstance(y, Tensor) or y.dim() not in (1, 2) or y.is_complex():
        raise ArgumentError(
            f"y: got {describe(y)}; accepted are class numbers (integers, shape [N]) "
            "or soft labels (floats, shape [N, C])"
        )
    if not isinstance(train_mask, Tensor) or train_mask.dtype != torch.bool:
        raise ArgumentError(
            f"train_mask: got {describe(train_mask)}; accepted is a bool tensor of "
            "shape [N]"
        )
    if train_mask.shape != y.shape[:1]:
        raise ArgumentError(
            f"train_mask: got {describe(train_mask)} for {y.size(0)} labels in y; "
            "accepted is a bool tensor of shape [N] (of several splits, pass one "
            "column)"
        )
    check_device("train_mask", train_mask, y)


def _read_hard(y: Tensor, train_mask: Tensor, num_classes: int | None) -> Labels:
    if y.dim() != 1 or y.dtype == torch.bool:
        raise ArgumentError(
            f"y: got {describe(y)}; accepted are class numbers (integers, shape [N]) "
            "or soft labels (floats, shape [N, C])"
        )
    # Whatever stands outside the mask (true labels, garbage) is dropped here.
    index = torch.where(train_mask, y.long(), MISSING)
    largest = int(index.max()) if index.numel() else MISSING
    if num_classes is None:
        num_classes = max(largest + 1, 1)
    check_count("num_classes", num_classes, 1)
    _check_range("y", index, num_classes)
    known = index >= 0
    return Labels(num_classes, known, index, None, known)


def _read_soft(y: Tensor, train_mask: Tensor, num_classes: int | None) -> Labels:
    if y.dim() != 2 or y.size(1) == 0:
        raise ArgumentError(
            f"y: got {describe(y)}; accepted are class numbers (integers, shape [N]) "
            "or soft labels (floats, shape [N, C])"
        )
    if num_classes is not None and num_classes != y.size(1):
        raise ArgumentError(
            f"num_classes: got {num_classes} for soft labels y with {y.size(1)} "
            "columns; accepted is their number, or None"
        )
    rows = y.double()
    missing = rows.isnan().any(dim=1) | (rows == 0).all(dim=1)
    true = train_mask & ~missing
    rows = torch.where(true.unsqueeze(1), rows, 0.0)
    in_range = bool((rows >= 0).all())
    total = rows.sum(dim=1, keepdim=True)
    if not in_range or bool(((total.squeeze(1) - 1).abs() > 1e-2)[true].any()):
        raise ArgumentError(
            "y: a soft label in train_mask is negative or does not sum to 1; accepted "
            "are probabilities (a row of zeros or with a NaN is a missing label)"
        )
    rows = torch.where(true.unsqueeze(1), rows / total, 0.0)  # of half precision, too
    return Labels(y.size(1), true, None, rows, true)


def _add_pseudo(labels: Labels, pseudo_label: Tensor) -> Labels:
    """Give nodes without a true label their pseudo label, where there is one."""
    is_integer = isinstance(pseudo_label, Tensor) and not (
        pseudo_label.is_floating_point()
        or pseudo_label.is_complex()
        or pseudo_label.dtype == torch.bool
    )
    if not is_integer or pseudo_label.shape != labels.true.shape:
        raise ArgumentError(
            f"pseudo_label: got {describe(pseudo_label)}; accepted is an integer "
            f"tensor of shape [{labels.true.numel()}], negative where there is none"
        )
    check_device("pseudo_label", pseudo_label, labels.true)
    pseudo = pseudo_label.long().clamp(min=MISSING)
    pseudo = torch.where(labels.true, MISSING, pseudo)
    _check_range("pseudo_label", pseudo, labels.num_classes)
    known = labels.true | (pseudo >= 0)
    if labels.index is not None:
        index = torch.where(labels.true, labels.index, pseudo)
        return Labels(labels.num_classes, labels.true, index, None, known)
    rows = labels.rows.clone()
    nodes = (pseudo >= 0).nonzero().squeeze(1)
    rows[nodes, pseudo[nodes]] = 1.0
    return Labels(labels.num_classes, labels.true, None, rows, known)


def _check_range(name: str, index: Tensor, num_classes: int) -> None:
    if index.numel() == 0:
        return
    low, high = int(index.min()), int(index.max())
    if low < MISSING or high >= num_classes:
        wrong = low if low < MISSING else high
        raise ArgumentError(
            f"{name}: label {wrong} is out of range for num_classes={num_classes}; "
            f"accepted are 0 to {num_classes - 1}, and -1 for a missing label"
        )
