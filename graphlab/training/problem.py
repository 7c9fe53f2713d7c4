"""What is trained (:class:`Problem`) and what comes out (:class:`FitResult`)."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor

from graphlab.errors import ArgumentError
from graphlab.ops._cache import cached
from graphlab.training.config import Progress, TrainingConfig

#: Features with a smaller share of non-zeros are handed on in CSR form to models
#: that accept it; above it a dense product is faster.
SPARSE_BELOW = 0.1


@dataclass(frozen=True)
class Problem:
    r"""Node classification with :math:`R` replicas: one model, many splits or seeds.

    Args:
        make_model: Called once per replica, with the random generators seeded by
            the replica's seed; returns a module with ``forward(x, edge_index)``
            that yields class scores :math:`(N, C)`. It may have a method ``facts()``
            that describes its last forward pass in a JSON-able dictionary, e.g.
            ``{"converged": True, "iterations": 5.2}``.
        x: Node features :math:`(N, F)`.
        edge_index: Edges :math:`(2, E)`.
        y: Class of each node :math:`(N)`; read inside the masks only.
        num_classes: Number of classes :math:`C`.
        train_mask: Training nodes of each replica :math:`(R, N)`.
        val_mask: Validation nodes of each replica :math:`(R, N)`.
        test_mask: Test nodes of each replica :math:`(R, N)`.
        seeds: One seed per replica, for its initialisation and its dropout noise.
        config: Training settings.
        progress: Called now and then with a :class:`Progress`.

    Raises:
        ArgumentError: If shapes do not fit, a replica lacks training or validation
            nodes, a label inside a mask is not in :math:`[0, C)`, or the ROC-AUC is to
            be monitored where it is undefined.
    """

    make_model: Callable[[], torch.nn.Module]
    x: Tensor
    edge_index: Tensor
    y: Tensor
    num_classes: int
    train_mask: Tensor
    val_mask: Tensor
    test_mask: Tensor
    seeds: Sequence[int]
    config: TrainingConfig = field(default_factory=TrainingConfig)
    progress: Callable[[Progress], None] | None = None

    def __post_init__(self) -> None:
        shape = (len(self.seeds), self.num_nodes)
        for name in ("train_mask", "val_mask", "test_mask"):
            mask = getattr(self, name)
            if mask.dtype != torch.bool or tuple(mask.shape) != shape:
                raise ArgumentError(
                    f"{name} must be a boolean tensor of shape {shape} (replicas, "
                    f"nodes), got {mask.dtype} {tuple(mask.shape)}"
                )
            if name != "test_mask" and not bool(mask.any(1).all()):
                raise ArgumentError(
                    f"{name} must select at least one node in each replica; replica "
                    f"{int(mask.any(1).long().argmin())} has none"
                )
        self._check_labels()
        if self.config.monitor == "val_roc_auc":
            self._check_two_classes()

    def _check_labels(self) -> None:
        used = (self.train_mask | self.val_mask | self.test_mask).any(0)
        y = self.y[used]
        if y.numel() and not 0 <= int(y.min()) <= int(y.max()) < self.num_classes:
            raise ArgumentError(
                f"y must lie in [0, {self.num_classes - 1}] inside the masks, got "
                f"values from {int(y.min())} to {int(y.max())}"
            )

    def _check_two_classes(self) -> None:
        if self.num_classes != 2:
            raise ArgumentError(
                "monitor must be val_loss or val_accuracy where there are not exactly "
                f"two classes, got val_roc_auc with {self.num_classes} classes"
            )
        for r, mask in enumerate(self.val_mask):
            if len(found := self.y[mask].unique()) < 2:
                raise ArgumentError(
                    "monitor val_roc_auc needs validation nodes of both classes; those "
                    f"of replica {r} are all of class {int(found[0])}"
                )

    @property
    def num_nodes(self) -> int:
        """Number of nodes."""
        return self.y.size(0)

    @property
    def num_replicas(self) -> int:
        """Number of replicas."""
        return len(self.seeds)

    @property
    def sparse_x(self) -> Tensor | None:
        """The features in CSR form if they are sparse enough to gain from it.

        Made once per feature tensor, so that all cells on a data set share it.
        """
        if self.x.layout == torch.sparse_csr:
            return self.x
        return cached(self.x, "sparse_x", lambda: _sparse(self.x))

    @cached_property
    def one_hot(self) -> Tensor:
        """One-hot labels :math:`(N, C)`; zero rows where no mask needs the label."""
        known = (self.y >= 0) & (self.y < self.num_classes)
        rows = torch.nn.functional.one_hot(self.y.where(known, 0), self.num_classes)
        return rows.to(torch.get_default_dtype()) * known.unsqueeze(1)

    def select(self, replicas: Sequence[int], seeds: Sequence[int]) -> "Problem":
        """The problem of some replicas only, with other seeds."""
        index = torch.as_tensor(replicas, dtype=torch.long, device=self.y.device)
        return replace(
            self,
            train_mask=self.train_mask[index],
            val_mask=self.val_mask[index],
            test_mask=self.test_mask[index],
            seeds=tuple(seeds),
        )


def _sparse(x: Tensor) -> Tensor | None:
    if torch.count_nonzero(x) >= SPARSE_BELOW * x.numel():
        return None
    with warnings.catch_warnings():  # torch calls all its CSR tensors beta
        warnings.simplefilter("ignore", UserWarning)
        return x.to_sparse_csr()


@dataclass(frozen=True)
class FitResult:
    """The trained replicas, each at its best validation epoch.

    Args:
        logits: Class scores :math:`(R, N, C)`.
        state_dicts: Weights of each replica.
        best_epoch: Epoch (from 0) whose weights are reported.
        epochs: Number of epochs trained.
        best_val_loss: Validation loss at that epoch.
        best_val_accuracy: Validation accuracy at that epoch.
        best_val_roc_auc: Validation ROC-AUC at that epoch; NaN unless monitored.
        num_parameters: Number of trainable parameters of one replica.
        vectorized: Whether the replicas were trained at once.
        reason: Why not, empty otherwise.
        info: Further facts of each replica, JSON-able: ``collapsed`` (all validation
            and test nodes are predicted as one class), ``nan`` (the loss became
            NaN), ``model`` (what the model's method ``facts`` returns after the final
            evaluation, if it has one), and what a label method adds.
    """

    logits: Tensor
    state_dicts: list[dict[str, Tensor]]
    best_epoch: list[int]
    epochs: list[int]
    best_val_loss: list[float]
    best_val_accuracy: list[float]
    best_val_roc_auc: list[float]
    num_parameters: int
    vectorized: bool
    reason: str
    info: list[dict]
