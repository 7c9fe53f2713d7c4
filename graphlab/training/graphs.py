"""Training of a classifier of graphs, on batches of them."""

import copy
import math
import time
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import Module
from torch_geometric.data import Data

from graphlab.datasets.split import GraphSplit
from graphlab.errors import ArgumentError
from graphlab.ops._allocator import keep_freed_memory
from graphlab.training.config import Progress
from graphlab.training.graph_batches import GraphBatch, GraphSet
from graphlab.training.graph_config import PARTS, GraphConfig, GraphResult
from graphlab.training.replicas import parameter_groups

LOSSES = {"cross_entropy": F.cross_entropy, "margin": F.multi_margin_loss}
_REPORT_EVERY = 10


def fit_graphs(
    model: Module | Callable[[], Module],
    graphs: Sequence[Data],
    split: GraphSplit,
    config: GraphConfig | None = None,
    seed: int = 0,
    progress: Callable[[Progress], None] | None = None,
) -> GraphResult:
    r"""Trains a model to tell the classes of graphs.

    Every epoch goes through the training graphs in random order, and each batch makes
    a step of Adam. The epoch to report is picked on validation graphs only, or is the
    last one (see :class:`GraphConfig`); test graphs are never looked at before.

    A model is any module with ``forward(x, edge_index, batch)`` that returns class
    scores :math:`(G, K)`, such as :class:`graphlab.nn.GraphClassifier`; where it has a
    method ``embed``, that one's ``phi`` is the embedding of a graph. Its attribute
    ``optim_overrides`` (prefix of parameter names to options of Adam) is heeded.

    Args:
        model: The model, trained in place; or a function that makes it, called after
            seeding.
        graphs: Graphs with ``x``, ``edge_index`` and one class ``y``; nothing else of
            them is used. See :func:`graphlab.datasets.load_graphs`.
        split: Which graphs train, validate and test; see
            :func:`graphlab.datasets.load_graph_splits`.
        config: Settings.
        seed: Seed of the initial weights (if ``model`` is a function), of dropout, and
            of the order of graphs. The same seed gives the same result bit for bit on
            CPU.
        progress: Called now and then with a :class:`Progress`.

    Returns:
        The result, whose ``model`` holds the weights of the reported epoch.

    Raises:
        ArgumentError: If a graph or the split does not fit, there are no validation
            graphs to pick an epoch on, or the model does not return one row of class
            scores per graph.

    Example:
        >>> from torch_geometric.datasets import FakeDataset
        >>> from graphlab.datasets import load_graph_splits
        >>> from graphlab.nn import GIN, GraphClassifier
        >>> graphs = list(FakeDataset(40, avg_num_nodes=9, num_classes=2))
        >>> split = load_graph_splits("stratified-80-10-10", graphs)[0]
        >>> make = lambda: GraphClassifier(GIN(64, 16, 16), 16, num_classes=2)
        >>> fit_graphs(make, graphs, split, GraphConfig(epochs=5)).logits.shape
        torch.Size([40, 2])
    """
    config = config or GraphConfig()
    collated = GraphSet(graphs)
    _check_split(split, collated, config)
    keep_freed_memory()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if not isinstance(model, Module):
            model = model()
        return _Run(model, collated, split, config, seed, progress).fit()


class _Run:
    """One training, from initial weights to result."""

    def __init__(self, model, graphs, split, config, seed, progress) -> None:
        device = graphs.x.device
        self.graphs, self.config, self.progress = graphs, config, progress
        masks = [mask.to(device) for mask in split.masks]
        self.masks = dict(zip(PARTS, masks, strict=True))
        self.train_places = split.train_mask.nonzero().view(-1)
        self.val = None
        if config.monitor != "last":
            self.val = graphs.batch(self.masks["val"].nonzero().view(-1))
        self.loss = LOSSES[config.loss]
        self.order = torch.Generator().manual_seed(seed)
        self.model = model.to(device)
        self.model.eval()
        with torch.no_grad():  # gives lazy parameters their shape
            self.scores(graphs.batch(torch.arange(min(2, len(graphs)), device=device)))
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        if not self.parameters:
            raise ArgumentError("model: has no parameter to train")
        groups = parameter_groups(
            model, ((n, p) for n, p in model.named_parameters() if p.requires_grad)
        )
        self.optimizer = torch.optim.Adam(
            groups, config.lr, weight_decay=config.weight_decay, fused=True
        )

    def scores(self, part: GraphBatch) -> Tensor:
        """Class scores of a batch."""
        scores = self.model(*part.arguments)
        expected = (len(part.y), int(self.graphs.y.max()) + 1)
        shape = tuple(scores.shape) if isinstance(scores, Tensor) else None
        if shape is None or len(shape) != 2 or shape[0] != expected[0]:
            got = type(scores).__name__ if shape is None else shape
            raise ArgumentError(
                "model must return one row of class scores per graph, "
                f"({expected[0]}, K), got {got}"
            )
        if shape[1] < expected[1]:
            raise ArgumentError(
                f"model returns {shape[1]} class scores, but the graphs have "
                f"{expected[1]} classes"
            )
        return scores

    def fit(self) -> GraphResult:
        config, history, begun = self.config, [], time.perf_counter()
        best_score, best_epoch, weights = None, 0, None
        for epoch in range(config.epochs):
            loss = self.train_epoch()
            nan = not math.isfinite(loss)
            history.append({"epoch": epoch, "loss": loss} | self.validate())
            score = _score(history[-1], config.monitor)
            if best_score is None or score > best_score:
                best_score, best_epoch = score, epoch
                if self.val is not None:
                    weights = copy.deepcopy(self.model.state_dict())
            self.report(epoch, history[-1])
            if nan or epoch - best_epoch >= (config.patience or math.inf):
                break
        if weights is not None:
            self.model.load_state_dict(weights)
        seconds = time.perf_counter() - begun
        return self.result(best_epoch, epoch + 1, nan, seconds, history)

    def train_epoch(self) -> float:
        """One pass over the training graphs; the mean loss."""
        self.model.train()
        total, places = 0.0, self.train_places
        order = places[torch.randperm(len(places), generator=self.order)]
        for index in _batches(order, self.config.batch_size):
            part = self.graphs.batch(index.to(self.graphs.x.device))
            self.optimizer.zero_grad()
            loss = self.loss(self.scores(part), part.y)
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(index)
        return total / len(places)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        if self.val is None:
            return {}
        self.model.eval()
        scores = self.scores(self.val)
        hits = scores.argmax(1) == self.val.y
        return {
            "val_loss": self.loss(scores, self.val.y).item(),
            "val_accuracy": hits.double().mean().item(),
        }

    @torch.no_grad()
    def result(self, best_epoch, epochs, nan, seconds, history) -> GraphResult:
        self.model.eval()
        device = self.graphs.x.device
        whole = self.graphs.batch(torch.arange(len(self.graphs), device=device))
        phi = logits = self.scores(whole)
        if hasattr(self.model, "embed"):
            phi, logits = self.model.embed(*whole.arguments)
        loss, accuracy = {}, {}
        for part, mask in self.masks.items():
            scores, y = logits[mask], whole.y[mask]
            loss[part] = self.loss(scores, y).item() if len(y) else math.nan
            accuracy[part] = (scores.argmax(1) == y).double().mean().item()
        return GraphResult(
            logits=logits,
            embeddings=phi,
            y=whole.y,
            loss=loss,
            accuracy=accuracy,
            best_epoch=best_epoch,
            epochs=epochs,
            nan=nan,
            num_parameters=sum(p.numel() for p in self.parameters),
            seconds=seconds,
            history=history,
            model=self.model,
        )

    def report(self, epoch: int, figures: dict[str, float]) -> None:
        last = epoch + 1 == self.config.epochs
        if self.progress is not None and (last or epoch % _REPORT_EVERY == 0):
            text = f"epoch {epoch + 1}, training loss {figures['loss']:.3f}"
            self.progress(Progress(text, epoch + 1, self.config.epochs))


def _batches(order: Tensor, size: int) -> list[Tensor]:
    """Pieces of ``size``; a last piece of one joins the piece before."""
    pieces = list(order.split(size))
    if len(pieces) > 1 and len(pieces[-1]) == 1:
        pieces[-2:] = [torch.cat(pieces[-2:])]
    return pieces


def _score(figures: dict[str, float], monitor: str) -> tuple[float, ...]:
    """What is to be as high as can be, the first of equals."""
    if monitor == "last":
        return (figures["epoch"],)
    loss = figures["val_loss"]
    height = -math.inf if math.isnan(loss) else -loss
    return (figures["val_accuracy"], height) if monitor == "val_accuracy" else (height,)


def _check_split(split: GraphSplit, graphs: GraphSet, config: GraphConfig) -> None:
    if len(split.train_mask) != len(graphs):
        raise ArgumentError(
            f"split is one of {len(split.train_mask)} graphs, but there are "
            f"{len(graphs)}"
        )
    if config.monitor != "last" and not bool(split.val_mask.any()):
        raise ArgumentError(
            f"monitor {config.monitor} needs validation graphs, of which split "
            f"{split.name} has none; accepted is last"
        )
