"""The constant classifier: what an accuracy is to be measured against."""

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
