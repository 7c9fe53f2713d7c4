"""Settings and result of training on pairs of nodes."""

from dataclasses import dataclass, field

from torch import Tensor

from graphlab.training.config import (
    require_count,
    require_not_negative,
    require_positive,
)


@dataclass(frozen=True)
class PairConfig:
    r"""How an encoder is trained on pairs; the defaults are those of P-GNN's code.

    Args:
        epochs: Number of epochs.
        evaluate_every: Epochs between two evaluations; the last is always evaluated.
        lr: Learning rate of Adam.
        weight_decay: :math:`L_2` penalty of Adam.
        decay_epoch: Epoch after which the learning rate is a tenth, or :obj:`None`.
        batch_graphs: Graphs whose mean gradient makes one step, or all there are if
            there are fewer.
        normalize: Score unit vectors, so that a score is a cosine.
        temperature: What scores are divided by.
        affine: Learn a scale and a shift of the scores (one number each).
        prepare_every: Epochs after which ``model.prepare`` is called anew, ``1`` for
            before each epoch; :obj:`None` for once.
        join_graphs: Encode the graphs of a step in one call, side by side in one graph,
            which takes less time where they are small. For encoders whose state of a
            node depends on the node's own graph alone; those that do not, or that have
            a method ``prepare``, are refused. Dropout draws other numbers then, and
            normalizations over nodes see all graphs of the step in training.

    Raises:
        ArgumentError: If a value is out of its range.
    """

    epochs: int = 2000
    evaluate_every: int = 10
    lr: float = 0.01
    weight_decay: float = 5e-4
    decay_epoch: int | None = 200
    batch_graphs: int = 8
    normalize: bool = True
    temperature: float = 1.0
    affine: bool = False
    prepare_every: int | None = None
    join_graphs: bool = False

    def __post_init__(self) -> None:
        for name in ("epochs", "evaluate_every", "batch_graphs"):
            require_count(name, getattr(self, name))
        for name in ("decay_epoch", "prepare_every"):
            if getattr(self, name) is not None:
                require_count(name, getattr(self, name))
        for name in ("lr", "temperature"):
            require_positive(name, getattr(self, name))
        require_not_negative("weight_decay", self.weight_decay)


@dataclass(frozen=True)
class PairResult:
    """An encoder at its best validation ROC-AUC.

    Args:
        val_auc: Best validation ROC-AUC, the mean over graphs.
        test_auc: Test ROC-AUC of the same weights, the mean over graphs.
        test_auc_per_graph: That of each graph.
        best_epoch: Epoch (from 0) whose weights are reported, the first of equals.
        epochs: Number of epochs trained; fewer than asked for only if ``nan``.
        nan: Whether the loss became NaN, which ends the training.
        num_parameters: Number of trainable parameters, scores included.
        state_dict: Weights of the encoder, which also holds them now.
        score_state_dict: Weights of the score; empty unless it is affine.
        prepared: What ``model.prepare`` had returned at that epoch, for each graph the
            keyword arguments of its training, validation and test part.
        facts: What the encoder's method ``facts`` says of each graph at that epoch, in
            the order of the graphs; empty if it has none.
        history: One dictionary per evaluation: ``epoch``, ``loss`` (mean over graphs
            in that epoch), ``val_auc``.
    """

    val_auc: float
    test_auc: float
    test_auc_per_graph: list[float]
    best_epoch: int
    epochs: int
    nan: bool
    num_parameters: int
    state_dict: dict[str, Tensor]
    score_state_dict: dict[str, Tensor]
    facts: list[dict] = field(repr=False)
    prepared: list[tuple[dict, dict, dict]] = field(repr=False)
    history: list[dict[str, float]] = field(repr=False)
