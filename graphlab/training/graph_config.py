"""Settings and result of training on sets of graphs."""

from dataclasses import dataclass, field

from torch import Tensor, nn

from graphlab.errors import ArgumentError
from graphlab.training.config import (
    require_choice,
    require_count,
    require_not_negative,
    require_positive,
)

_CHOICES = {
    "loss": ("cross_entropy", "margin"),
    "monitor": ("val_loss", "val_accuracy", "last"),
}
PARTS = ("train", "val", "test")


@dataclass(frozen=True)
class GraphConfig:
    r"""How a classifier of graphs is trained.

    Args:
        epochs: Most epochs that are trained.
        batch_size: Graphs per step. A last batch of a single graph joins the one
            before, since batch normalization cannot train on one row.
        loss: ``"cross_entropy"``, or ``"margin"`` for the mean of
            :math:`\frac{1}{K} \sum_{k \neq y} \max(0, 1 - z_y + z_k)`, that of the
            code of `"Towards Bridging Generalization and Expressivity of Graph Neural
            Networks" <https://arxiv.org/abs/2410.10051>`_ (it takes log-probabilities
            for the scores :math:`z`, which have the same differences).
        lr: Learning rate of Adam.
        weight_decay: :math:`L_2` penalty of Adam.
        monitor: What picks the reported epoch: ``"val_loss"`` (lowest, first on ties),
            ``"val_accuracy"`` (highest; the lower loss on ties), or ``"last"`` for the
            last epoch, which needs no validation graphs.
        patience: Stop after so many epochs without a new best; :obj:`None` trains all.

    Raises:
        ArgumentError: If a value is out of its range.
    """

    epochs: int = 200
    batch_size: int = 64
    loss: str = "cross_entropy"
    lr: float = 1e-3
    weight_decay: float = 0.0
    monitor: str = "val_loss"
    patience: int | None = None

    def __post_init__(self) -> None:
        for name, accepted in _CHOICES.items():
            require_choice(name, getattr(self, name), accepted)
        for name in ("epochs", "batch_size"):
            require_count(name, getattr(self, name))
        if self.patience is not None:
            require_count("patience", self.patience)
            if self.monitor == "last":
                raise ArgumentError("patience must be None where monitor is last")
        require_positive("lr", self.lr)
        require_not_negative("weight_decay", self.weight_decay)

    @property
    def selection(self) -> str:
        """The model-selection rule in words, for tables."""
        return {
            "val_loss": "lowest validation loss",
            "val_accuracy": "highest validation accuracy",
            "last": "last epoch",
        }[self.monitor]


@dataclass(frozen=True)
class GraphResult:
    """A trained classifier of graphs, at the reported epoch.

    All graphs went through the model in one batch, in evaluation mode.

    Args:
        logits: Class scores of all graphs, ``[G, K]``.
        embeddings: What ``model.embed`` gives for each graph, ``[G, D]``; the logits
            where the model has no such method.
        y: Class of each graph, ``[G]``.
        loss: Training loss of the config, by part: ``train``, ``val``, ``test``; NaN
            for a part without graphs.
        accuracy: Accuracy by part, likewise.
        best_epoch: Epoch (from 0) whose weights are reported.
        epochs: Number of epochs trained.
        nan: Whether the loss became NaN, which ends the training.
        num_parameters: Number of trainable parameters.
        seconds: Wall time of the training, without this evaluation.
        history: One dictionary per epoch: ``epoch``, ``loss`` (mean over the training
            graphs, each taken when its batch was trained on) and, unless ``monitor``
            is ``"last"``, ``val_loss`` and ``val_accuracy``.
        model: The model, with the weights of that epoch, in evaluation mode.
    """

    logits: Tensor = field(repr=False)
    embeddings: Tensor = field(repr=False)
    y: Tensor = field(repr=False)
    loss: dict[str, float]
    accuracy: dict[str, float]
    best_epoch: int
    epochs: int
    nan: bool
    num_parameters: int
    seconds: float
    history: list[dict[str, float]] = field(repr=False)
    model: nn.Module = field(repr=False)

    @property
    def loss_gap(self) -> float:
        """Test loss minus training loss."""
        return self.loss["test"] - self.loss["train"]

    @property
    def error_gap(self) -> float:
        """Test error minus training error, in 0 to 1."""
        return self.accuracy["train"] - self.accuracy["test"]
