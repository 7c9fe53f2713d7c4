"""What a family of splits looks like, and whether its test parts say anything."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch_geometric.data import Data

from graphlab.datasets.majority import constant_majority
from graphlab.datasets.split import Split

# From this share on, a constant answer looks like a good model.
_DOMINANT = 0.75


@dataclass(frozen=True)
class SplitSummary:
    """A family of splits on one graph.

    Args:
        name: Name of the family.
        runs: Number of splits.
        counts: Class counts ``[3, C]`` of the first split's three parts.
        majority: Constant-majority test accuracy of each split.
        warnings: Why test accuracy says little, if it does.
    """

    name: str
    runs: int
    counts: list[list[int]]
    majority: list[float]
    warnings: list[str]


def summarize_splits(splits: Sequence[Split], data: Data) -> SplitSummary:
    """Count classes per part and look for degenerate test parts.

    Args:
        splits: The splits of one family.
        data: The graph they belong to; ``data.num_classes`` must be set.
    """
    tests = torch.stack([_counts(data, split.test_mask) for split in splits])
    return SplitSummary(
        name=splits[0].name,
        runs=len(splits),
        counts=[_counts(data, mask).tolist() for mask in splits[0].masks],
        majority=[constant_majority(data.y, s.val_mask, s.test_mask) for s in splits],
        warnings=_missing_classes(data, tests) + _dominant_class(tests),
    )


def _counts(data: Data, mask: Tensor) -> Tensor:
    return torch.bincount(data.y[mask], minlength=data.num_classes)


def _missing_classes(data: Data, tests: Tensor) -> list[str]:
    exists = torch.bincount(data.y, minlength=data.num_classes) > 0
    missing = (tests == 0) & exists  # [R, C]
    often = missing.sum(dim=0)
    if not bool(often.any()):
        return []
    classes = ", ".join(
        f"{label} ({often[label]} of {len(tests)})"
        for label in often.nonzero().view(-1).tolist()
    )
    return [f"classes without a test node (in so many splits): {classes}"]


def _dominant_class(tests: Tensor) -> list[str]:
    share = tests.max(dim=1).values / tests.sum(dim=1)  # [R]
    high = share[share >= _DOMINANT]
    if not high.numel():
        return []
    return [
        f"one class is {high.min():.1%} to {high.max():.1%} of the test nodes in "
        f"{high.numel()} of {len(tests)} splits: a constant answer looks good"
    ]
