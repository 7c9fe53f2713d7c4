"""Training of preference models on the pairs of a preference graph."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from graphlab.errors import ArgumentError
from graphlab.training.config import (
    Progress,
    require_count,
    require_not_negative,
    require_positive,
)
from graphlab.training.replicas import parameter_groups

if TYPE_CHECKING:  # whoever trains something else need not load it
    from graphlab.preference import (
        PreferenceGraph,
        PreferenceModel,
        PreferenceVectors,
    )

Pairs = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class PreferenceConfig:
    r"""How a preference model is trained: AdamW, warm-up, cosine.

    Args:
        epochs: Number of passes over the pairs.
        batch_size: Pairs of a step, or :obj:`None` for all. A step propagates through
            the whole graph, so large batches are cheap. The released code of CoPL
            has 1,024.
        lr: Highest learning rate. The released code has 1e-4.
        weight_decay: Decoupled weight decay of AdamW.
        warmup: Share of the steps over which the rate rises linearly.
        schedule: ``"cosine"`` down to zero, as in the released code, or
            ``"constant"``.
        evaluate_every: Epochs between two evaluations; the last is always evaluated.
        patience: Epochs without a better validation accuracy after which training
            ends, or :obj:`None` for never.

    Raises:
        ArgumentError: If a value is out of its range.
    """

    epochs: int = 100
    batch_size: int | None = None
    lr: float = 0.01
    weight_decay: float = 0.01
    warmup: float = 0.1
    schedule: str = "cosine"
    evaluate_every: int = 1
    patience: int | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "evaluate_every", "patience"):
            if getattr(self, name) is not None or name in ("epochs", "evaluate_every"):
                require_count(name, getattr(self, name))
        require_positive("lr", self.lr)
        require_not_negative("weight_decay", self.weight_decay)
        if not 0 <= self.warmup <= 1:
            raise ArgumentError(f"warmup must lie in [0, 1], got {self.warmup!r}")
        if self.schedule not in ("cosine", "constant"):
            raise ArgumentError(
                f"schedule must be cosine or constant, got {self.schedule!r}"
            )

    def factor(self, step: int, total: int) -> float:
        """The learning rate of a step (from 0) of ``total``, relative to ``lr``."""
        rise = int(self.warmup * total)
        if step < rise:
            return (step + 1) / (rise + 1)
        if self.schedule == "constant":
            return 1.0
        return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, total - rise)))


@dataclass(frozen=True)
class PreferenceResult:
    """A preference model at its best validation accuracy.

    Args:
        vectors: The vectors of all users and responses, without a gradient.
        val_accuracy: Share of validation pairs in the right order, ties as half; NaN
            without validation pairs.
        val_loss: Their mean logistic loss.
        best_epoch: Epoch (from 0) that is reported.
        epochs: Number of epochs trained.
        steps: Number of optimizer steps.
        nan: Whether the loss became NaN, which ends the training.
        num_parameters: Number of trainable parameters.
        state_dict: Weights of the model, which also holds them now.
        history: One dictionary per evaluation: ``epoch``, ``loss`` (regularization
            included), ``val_accuracy``, ``val_loss``.
    """

    vectors: "PreferenceVectors" = field(repr=False)
    val_accuracy: float
    val_loss: float
    best_epoch: int
    epochs: int
    steps: int
    nan: bool
    num_parameters: int
    state_dict: dict[str, Tensor] = field(repr=False)
    history: list[dict[str, float]] = field(repr=False)


def fit_preferences(
    model: "PreferenceModel | Callable[[], PreferenceModel]",
    graph: "PreferenceGraph",
    config: PreferenceConfig | None = None,
    val_pairs: Pairs | None = None,
    seed: int = 0,
    progress: Callable[[Progress], None] | None = None,
) -> PreferenceResult:
    """Train a preference model on the pairs of a graph.

    Reported are the vectors of the epoch with the highest validation accuracy, the
    lower validation loss among equals, the earlier of what is left; without
    validation pairs, those of the last epoch.

    Args:
        model: The model, trained in place; or a function that makes it, called after
            seeding.
        graph: The preference graph, whose pairs are trained on and propagated along.
        config: Settings.
        val_pairs: Rows of users, preferred and other responses, as
            :meth:`~graphlab.preference.PreferenceGraph.rows` gives them.
        seed: Seed of the initial weights (if ``model`` is a function), of the order of
            pairs, and of dropped edges. The same seed gives the same result bit for bit
            on CPU.
        progress: Called at each evaluation with a :class:`Progress`.

    Returns:
        The result; the model holds the best weights, in evaluation mode.

    Raises:
        ArgumentError: If model and graph do not fit, or there are no pairs.

    Example:
        >>> from graphlab.preference import MFBPR, PreferenceGraph
        >>> graph = PreferenceGraph.from_pairs(
        ...     ["ann", "ann", "bob"], ["x", "y", "z"], ["y", "z", "x"])
        >>> result = fit_preferences(lambda: MFBPR(2, 3, dim=4), graph)
        >>> bool((result.vectors.margin(*graph.pairs) > 0).all())
        True
    """
    config = config or PreferenceConfig()
    if val_pairs is not None and not val_pairs[0].numel():
        raise ArgumentError("val_pairs must hold a pair, or be None; got none")
    if not graph.num_pairs:
        raise ArgumentError("graph must hold a pair, got none")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if not isinstance(model, torch.nn.Module):
            model = model()
        model.check_graph(graph)
        return _Run(model.to(graph.device), graph, config, val_pairs, seed).fit(
            progress
        )


class _Run:
    """One training, from initial weights to result."""

    def __init__(self, model, graph, config, val_pairs, seed) -> None:
        self.model, self.graph, self.config = model, graph, config
        self.val_pairs = val_pairs
        self.order = torch.Generator().manual_seed(seed)
        self.dropout = torch.Generator(graph.device).manual_seed(seed)
        groups = parameter_groups(model, model.named_parameters())
        self.optimizer = torch.optim.AdamW(
            groups, lr=config.lr, weight_decay=config.weight_decay
        )
        size = config.batch_size or graph.num_pairs
        self.total = config.epochs * math.ceil(graph.num_pairs / size)
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: config.factor(step, self.total)
        )
        self.steps = 0

    def fit(self, progress) -> PreferenceResult:
        config, best, history, nan = self.config, None, [], False
        for epoch in range(config.epochs):
            loss = self.train_epoch()
            nan = not math.isfinite(loss)
            last = nan or epoch + 1 == config.epochs
            if last or (epoch + 1) % config.evaluate_every == 0:
                vectors, accuracy, val_loss = self.evaluate()
                history.append(
                    dict(epoch=epoch, loss=loss, val_accuracy=accuracy)
                    | {"val_loss": val_loss}
                )
                if best is None or _is_better((accuracy, -val_loss), best):
                    best = self.snapshot(epoch, vectors, accuracy, val_loss)
                if progress is not None:
                    text = f"epoch {epoch + 1}, validation accuracy {accuracy:.3f}"
                    progress(Progress(text, epoch + 1, config.epochs))
            waited = best is not None and epoch - best["best_epoch"]
            if nan or (config.patience and waited and waited >= config.patience):
                break
        return self.result(best, epoch + 1, nan, history)

    def train_epoch(self) -> float:
        """One pass over all pairs; the mean loss, each batch by its size."""
        self.model.train()
        total = 0.0
        for batch in self.batches():
            self.optimizer.zero_grad()
            vectors = self.model(self.graph, generator=self.dropout)
            loss = self.model.loss(vectors, *batch)
            loss.backward()
            self.optimizer.step()
            self.scheduler.step()
            self.steps += 1
            total += loss.item() * batch[0].numel()
        return total / self.graph.num_pairs

    def batches(self):
        """All pairs at once, in the graph's own tensors, or in random order."""
        size = self.config.batch_size
        if size is None or size >= self.graph.num_pairs:
            return [self.graph.pairs]
        order = torch.randperm(self.graph.num_pairs, generator=self.order)
        order = order.to(self.graph.device)
        return [
            tuple(rows[part] for rows in self.graph.pairs) for part in order.split(size)
        ]

    @torch.no_grad()
    def evaluate(self) -> "tuple[PreferenceVectors, float, float]":
        self.model.eval()
        vectors = self.model(self.graph).detach()
        if self.val_pairs is None:
            return vectors, math.nan, math.nan
        margin = vectors.margin(*self.val_pairs)
        accuracy = (margin.sign() + 1).div(2).mean().item()
        return vectors, accuracy, -torch.nn.functional.logsigmoid(margin).mean().item()

    def snapshot(self, epoch, vectors, accuracy, val_loss) -> dict:
        # Some models score with their parameters: these must not change any more.
        kept = [part if part is None else part.clone() for part in vectors]
        return dict(
            vectors=vectors._make(kept),
            best_epoch=epoch,
            val_accuracy=accuracy,
            val_loss=val_loss,
            state_dict=copy.deepcopy(self.model.state_dict()),
        )

    def result(self, best: dict, epochs: int, nan: bool, history) -> PreferenceResult:
        self.model.load_state_dict(best["state_dict"])
        self.model.eval()
        trainable = (p for p in self.model.parameters() if p.requires_grad)
        return PreferenceResult(
            epochs=epochs,
            steps=self.steps,
            nan=nan,
            num_parameters=sum(p.numel() for p in trainable),
            history=history,
            **best,
        )


def _is_better(new: tuple[float, float], best: dict) -> bool:
    """Higher accuracy, then lower loss; any number beats NaN, NaN beats NaN."""
    old = (best["val_accuracy"], -best["val_loss"])
    if any(map(math.isnan, old)):
        return True
    return not any(map(math.isnan, new)) and new > old
