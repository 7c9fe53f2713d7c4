"""One frozen split, of the nodes of a graph or of the graphs of a set."""

import hashlib
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from graphlab.errors import SplitError

PARTS = ("train", "val", "test")


@dataclass(frozen=True, eq=False)
class Split:
    """Which nodes train, validate and test.

    Args:
        name: Name of the family, such as ``"bernnet-10"``.
        index: Position in the family, from 0.
        seed: Seed that the split was drawn with; None if it was published as masks.
        train_mask: Training nodes, bool ``[N]``.
        val_mask: Validation nodes, bool ``[N]``.
        test_mask: Test nodes, bool ``[N]``.

    ``checksum`` is the SHA-256 of the three masks, packed to bits. Nodes may be in no
    mask.

    Raises:
        SplitError: If a mask is empty or not bool ``[N]``, or two of them overlap.
    """

    name: str
    index: int
    seed: int | None
    train_mask: Tensor
    val_mask: Tensor
    test_mask: Tensor
    checksum: str = field(init=False)

    UNIT = "node"
    MAY_BE_EMPTY = ()

    def __post_init__(self):
        self._check()
        object.__setattr__(self, "checksum", self._checksum())

    @property
    def masks(self) -> tuple[Tensor, Tensor, Tensor]:
        """The training, validation and test mask."""
        return self.train_mask, self.val_mask, self.test_mask

    def _check(self) -> None:
        where = f"split {self.name}[{self.index}]"
        shape = self.train_mask.shape
        for part, mask in zip(PARTS, self.masks, strict=True):
            if str(mask.dtype) != "torch.bool" or mask.dim() != 1:
                raise SplitError(
                    f"{where}: {part}_mask must be bool [{self.UNIT}s], "
                    f"got {mask.dtype} {list(mask.shape)}"
                )
            if mask.shape != shape:
                raise SplitError(
                    f"{where}: {part}_mask has {mask.numel()} {self.UNIT}s, "
                    f"train_mask {shape.numel()}"
                )
            if part not in self.MAY_BE_EMPTY and not bool(mask.any()):
                raise SplitError(f"{where}: {part}_mask selects no {self.UNIT}")
        if bool((sum(mask.int() for mask in self.masks) > 1).any()):
            raise SplitError(
                f"{where}: a {self.UNIT} is in more than one of the three masks"
            )

    def _checksum(self) -> str:
        total = hashlib.sha256(f"graphlab-split-1 {self.train_mask.numel()}".encode())
        for mask in self.masks:
            total.update(np.packbits(mask.cpu().numpy()).tobytes())
        return total.hexdigest()


class GraphSplit(Split):
    """Which graphs of a set train, validate and test: like :class:`Split`.

    Args:
        name: Name of the family, such as ``"random-90-10"``.
        index: Position in the family, from 0.
        seed: Seed that the split was drawn with.
        train_mask: Training graphs, bool ``[G]``.
        val_mask: Validation graphs, bool ``[G]``; it may be empty.
        test_mask: Test graphs, bool ``[G]``.

    Raises:
        SplitError: If the training or test mask is empty, a mask is not bool ``[G]``,
            or two of them overlap.
    """

    UNIT = "graph"
    MAY_BE_EMPTY = ("val",)
