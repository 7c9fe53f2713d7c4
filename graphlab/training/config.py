"""Settings of one training run and the progress it reports."""

from dataclasses import dataclass

from graphlab.errors import ArgumentError

_CHOICES = {
    "stopping": ("postel", "patience", "none"),
    "monitor": ("val_loss", "val_accuracy", "val_roc_auc"),
    "optimizer": ("Adam", "AdamW", "SGD"),
}


@dataclass(frozen=True)
class TrainingConfig:
    r"""How a model is trained.

    Args:
        epochs: Most epochs that are trained.
        patience: Window :math:`P` of the stopping rule, in epochs.
        stopping: ``"postel"`` stops once more than :math:`P` epochs lie behind and
            the current validation loss exceeds the mean of the :math:`P` before it
            (the rule in the official code of PosteL and BernNet);
            ``"patience"`` stops after :math:`P` epochs without a new best;
            ``"none"`` trains all epochs.
        monitor: Validation quantity that picks the reported epoch, ``"val_loss"``
            (lowest, first on ties), ``"val_accuracy"`` or, with two classes,
            ``"val_roc_auc"`` (highest; the lower loss on ties).
        optimizer: Name of a :mod:`torch.optim` class: ``"Adam"``, ``"AdamW"`` or
            ``"SGD"``.
        lr: Learning rate.
        weight_decay: :math:`L_2` penalty, as the optimizer defines it.
        vectorize: Train all replicas at once where the model allows it.
        replicas_at_once: Most replicas that share one pass, or :obj:`None` for as
            many as keep the activations of a pass in a CPU's cache (32,768 nodes
            over all replicas). Results do not depend on it, but for rounding.

    Raises:
        ArgumentError: If a value is out of its range.
    """

    epochs: int = 1000
    patience: int = 200
    stopping: str = "postel"
    monitor: str = "val_loss"
    optimizer: str = "Adam"
    lr: float = 0.01
    weight_decay: float = 5e-4
    vectorize: bool = True
    replicas_at_once: int | None = None

    def __post_init__(self) -> None:
        for name, accepted in _CHOICES.items():
            require_choice(name, getattr(self, name), accepted)
        for name in ("epochs", "patience"):
            require_count(name, getattr(self, name))
        if self.replicas_at_once is not None:
            require_count("replicas_at_once", self.replicas_at_once)
        require_positive("lr", self.lr)
        require_not_negative("weight_decay", self.weight_decay)

    @property
    def selection(self) -> str:
        """The model-selection rule in words, for tables."""
        return {
            "val_loss": "lowest validation loss",
            "val_accuracy": "highest validation accuracy",
            "val_roc_auc": "highest validation ROC-AUC",
        }[self.monitor]


@dataclass(frozen=True)
class Progress:
    """One report of a running training: `done` of at most `total` epochs."""

    text: str
    done: int
    total: int


def require_count(name: str, value: int) -> None:
    """Refuse what is no whole number of at least 1."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ArgumentError(f"{name} must be a positive whole number, got {value!r}")


def require_choice(name: str, value: str, accepted: tuple[str, ...]) -> None:
    """Refuse what is none of the accepted words."""
    if value not in accepted:
        raise ArgumentError(
            f"{name} must be one of {', '.join(accepted)}, got {value!r}"
        )


def require_positive(name: str, value: float) -> None:
    """Refuse zero, what is negative, and NaN."""
    if not value > 0:
        raise ArgumentError(f"{name} must be positive, got {value!r}")


def require_not_negative(name: str, value: float) -> None:
    """Refuse what is negative, and NaN."""
    if not value >= 0:
        raise ArgumentError(f"{name} must not be negative, got {value!r}")
