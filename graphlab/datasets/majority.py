"""What a split's labels alone give away: class counts and the constant classifier."""

import torch
from torch import Tensor

from graphlab.errors import ArgumentError


def constant_majority(y: Tensor, val_mask: Tensor, test_mask: Tensor) -> float:
    """Test accuracy of always answering the most frequent class of validation.

    The constant is picked on validation, as a model's epoch is; of equally frequent
    classes the lowest.

    Args:
        y: Labels ``[N]``.
        val_mask: Validation nodes, bool ``[N]``.
        test_mask: Test nodes, bool ``[N]``.

    Raises:
        ArgumentError: If one of the masks selects no node.
    """
    if not (bool(val_mask.any()) and bool(test_mask.any())):
        raise ArgumentError("val_mask and test_mask must each select a node")
    constant = torch.bincount(y[val_mask]).argmax()
    return float((y[test_mask] == constant).double().mean())


def class_counts(y: Tensor, num_classes: int, masks) -> Tensor:
    """Nodes per class ``[P, C]`` in each of :math:`P` masks."""
    return torch.stack([torch.bincount(y[m], minlength=num_classes) for m in masks])


def degenerate_test(y: Tensor, num_classes: int, test_mask: Tensor) -> list[str]:
    """Reasons why accuracy on a test part says little; empty if there are none."""
    counts = torch.bincount(y[test_mask], minlength=num_classes)
    present = torch.bincount(y, minlength=num_classes) > 0
    reasons = []
    missing = (present & (counts == 0)).nonzero().view(-1).tolist()
    if missing:
        classes = ", ".join(map(str, missing))
        reasons.append(f"no test node of class {classes}")
    top = int(counts.argmax())
    share = float(counts[top] / counts.sum())
    if share >= 0.75:
        reasons.append(f"{share:.1%} of the test nodes are of class {top}")
    return reasons
