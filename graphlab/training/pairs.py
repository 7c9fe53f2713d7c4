"""Training of an encoder on pairs of nodes, over one graph or many."""

import copy
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import Module
from torch.nn.functional import binary_cross_entropy_with_logits
from torch_geometric.data import Data

from graphlab.errors import ArgumentError
from graphlab.training.config import Progress
from graphlab.training.facts import checked_facts
from graphlab.training.pair_config import PairConfig, PairResult
from graphlab.training.pair_score import PairScore, pair_roc_auc
from graphlab.training.replicas import parameter_groups

Triple = tuple[Data, Data, Data]
PARTS = ("training", "validation", "test")


def fit_pairs(
    model: Module | Callable[[], Module],
    graphs: Sequence[Triple],
    config: PairConfig | None = None,
    seed: int = 0,
    progress: Callable[[Progress], None] | None = None,
) -> PairResult:
    r"""Trains an encoder to tell positive pairs of nodes from negative ones.

    The loop of the code of the `"Position-aware Graph Neural Networks"
    <https://arxiv.org/abs/1906.04817>`_ paper: the encoder gives states
    :math:`\mathbf{Z}`, a pair is scored by :class:`PairScore`, the loss of a graph is
    the mean logistic loss of its training pairs, and the mean gradient of
    ``batch_graphs`` graphs, in random order, makes a step of Adam. (A smaller last
    batch makes a step as well; that code drops it.) Reported is the test ROC-AUC at
    the first epoch with the best validation ROC-AUC, both averaged over graphs.

    An encoder is any module with ``forward(x, edge_index)`` that returns
    :math:`(|\mathcal{V}|, D)`. Where it has a method ``prepare(edge_index, num_nodes,
    generator)``, that is called for each graph before training (see
    ``prepare_every``), and the dictionary it returns is passed to ``forward`` as
    keyword arguments: anchors and distances, for example, drawn with the
    :class:`torch.Generator`. It sees the ``edge_index`` of the part that is encoded.
    An attribute ``optim_overrides`` (prefix of parameter names to options of Adam) is
    heeded. So is a method ``facts()`` that describes the last forward pass in a
    JSON-able dictionary.

    Args:
        model: The encoder, trained in place; or a function that makes it, called after
            seeding.
        graphs: For each graph its training, validation and test part, as
            :class:`graphlab.transforms.RandomPairSplit` and PyG's
            ``RandomLinkSplit`` return them: ``x``, ``edge_index``,
            ``edge_label_index``, ``edge_label``.
        config: Settings.
        seed: Seed of the initial weights (if ``model`` is a function), of dropout, of
            the order of graphs and of the generator of ``prepare``. The same seed gives
            the same result bit for bit on CPU.
        progress: Called at each evaluation with a :class:`Progress`.

    Returns:
        The result; the encoder holds the best weights, in evaluation mode.

    Raises:
        ArgumentError: If a part lacks something, a validation or test part has only
            one kind of pair, or the encoder does not return one row per node.

    Example:
        >>> from torch_geometric.nn import GIN
        >>> from graphlab.datasets import communities
        >>> from graphlab.transforms import NodeFeatures, RandomPairSplit
        >>> data = NodeFeatures("identity")(communities(5, 6))
        >>> graphs = RandomPairSplit(0.2, 0.2, kind="pair")([data])
        >>> result = fit_pairs(lambda: GIN(30, 8, 2, 8), graphs, PairConfig(epochs=50))
        >>> result.test_auc > 0.9
        True
    """
    config = config or PairConfig()
    graphs = [graphs] if _is_triple(graphs) else list(graphs)
    _check_graphs(graphs)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if not isinstance(model, Module):
            model = model()
        return _Run(model, graphs, config, seed, progress).fit()


class _Run:
    """One training, from initial weights to result."""

    def __init__(self, model, graphs, config, seed, progress) -> None:
        device = graphs[0][0].edge_index.device
        self.graphs, self.config, self.progress = graphs, config, progress
        self.model = model.to(device)
        self.score = PairScore(config.normalize, config.temperature, config.affine)
        self.score.to(device)
        self.generator = torch.Generator().manual_seed(seed)  # of anchors
        self.order = torch.Generator().manual_seed(seed)
        self.prepare()
        self.model.eval()
        with torch.no_grad():  # gives lazy parameters their shape
            self.encode(0, 0)
        self.parameters = [*self.model.parameters(), *self.score.parameters()]
        if not any(p.requires_grad for p in self.parameters):
            raise ArgumentError("model: has no parameter to train")
        groups = parameter_groups(self.model, self.model.named_parameters())
        groups += [{"params": [*self.score.parameters()]}] if config.affine else []
        self.optimizer = torch.optim.Adam(
            groups, config.lr, weight_decay=config.weight_decay
        )

    def prepare(self) -> None:
        """Ask the encoder for what it keeps of each graph, once per ``edge_index``."""
        self.prepared = []
        hook = getattr(self.model, "prepare", None)
        for triple in self.graphs:
            found: dict[int, dict] = {}
            for part in triple:
                if hook is not None and id(part.edge_index) not in found:
                    kept = hook(part.edge_index, part.num_nodes, self.generator)
                    found[id(part.edge_index)] = kept
            self.prepared.append(
                tuple(found.get(id(part.edge_index), {}) for part in triple)
            )

    def encode(self, graph: int, part: int) -> Tensor:
        data = self.graphs[graph][part]
        z = self.model(data.x, data.edge_index, **self.prepared[graph][part])
        if not isinstance(z, Tensor) or z.dim() != 2 or len(z) != data.num_nodes:
            got = tuple(z.shape) if isinstance(z, Tensor) else type(z).__name__
            raise ArgumentError(
                f"model must return one row per node, ({data.num_nodes}, D), got {got}"
            )
        return z

    def fit(self) -> PairResult:
        config, best, history, nan = self.config, None, [], False
        for epoch in range(config.epochs):
            if epoch and config.prepare_every and epoch % config.prepare_every == 0:
                self.prepare()
            if epoch == config.decay_epoch:
                for group in self.optimizer.param_groups:
                    group["lr"] /= 10
            loss = self.train_epoch()
            nan = not math.isfinite(loss)
            last = nan or epoch + 1 == config.epochs
            if last or (epoch + 1) % config.evaluate_every == 0:
                val_auc, test = self.evaluate()
                history.append({"epoch": epoch, "loss": loss, "val_auc": val_auc})
                if best is None or _is_better(val_auc, best["val_auc"]):
                    best = self.snapshot(epoch, val_auc, test)
                self.report(epoch, val_auc)
            if nan:
                break
        return self.result(best, epoch + 1, nan, history)

    def train_epoch(self) -> float:
        """One pass over all graphs; the mean loss."""
        self.model.train()
        total = 0.0
        order = torch.randperm(len(self.graphs), generator=self.order)
        for batch in order.split(self.config.batch_graphs):
            self.optimizer.zero_grad()
            for graph in batch.tolist():
                part = self.graphs[graph][0]
                scores = self.score(self.encode(graph, 0), part.edge_label_index)
                label = part.edge_label.to(scores.dtype)
                loss = binary_cross_entropy_with_logits(scores, label)
                (loss / len(batch)).backward()
                total += loss.item()
            self.optimizer.step()
        return total / len(self.graphs)

    @torch.no_grad()
    def evaluate(self) -> tuple[float, tuple[list[Tensor], list[Tensor]]]:
        """Validation ROC-AUC, and the test scores and labels for when it is the best.

        Where both parts have one ``edge_index`` the graph is encoded once.
        """
        self.model.eval()
        val, test = ([], []), ([], [])
        for place, (_, val_part, test_part) in enumerate(self.graphs):
            z = self.encode(place, 1)
            self._collect(val, z, val_part)
            shared = (
                test_part.edge_index is val_part.edge_index
                and test_part.x is val_part.x
            )
            z = z if shared else self.encode(place, 2)
            self._collect(test, z, test_part)
        return pair_roc_auc(*val)[0], test

    def _collect(self, rows, z: Tensor, part: Data) -> None:
        rows[0].append(self.score(z, part.edge_label_index))
        rows[1].append(part.edge_label)

    def snapshot(self, epoch: int, val_auc: float, test) -> dict:
        mean, each = pair_roc_auc(*test)
        return dict(
            best_epoch=epoch,
            val_auc=val_auc,
            test_auc=mean,
            test_auc_per_graph=each,
            state_dict=copy.deepcopy(self.model.state_dict()),
            score_state_dict=copy.deepcopy(self.score.state_dict()),
            prepared=self.prepared,
        )

    def result(self, best: dict, epochs: int, nan: bool, history) -> PairResult:
        self.model.load_state_dict(best["state_dict"])
        self.model.eval()
        self.prepared = best["prepared"]
        return PairResult(
            facts=self.facts(),
            epochs=epochs,
            nan=nan,
            num_parameters=sum(p.numel() for p in self.parameters if p.requires_grad),
            history=history,
            **best,
        )

    @torch.no_grad()
    def facts(self) -> list[dict]:
        """What the encoder says of the test part of each graph, if it says anything."""
        if not hasattr(self.model, "facts"):
            return []
        found = []
        for graph in range(len(self.graphs)):
            self.encode(graph, 2)
            found.append(checked_facts(self.model.facts(), self.model))
        return found

    def report(self, epoch: int, val_auc: float) -> None:
        if self.progress is not None:
            text = f"epoch {epoch + 1}, validation ROC-AUC {val_auc:.3f}"
            self.progress(Progress(text, epoch + 1, self.config.epochs))


def _is_better(value: float, best: float) -> bool:
    """Whether a value beats the best one; any number beats NaN, nothing an equal."""
    return value > best or (math.isnan(best) and not math.isnan(value))


def _is_triple(graphs) -> bool:
    return len(graphs) == 3 and all(isinstance(part, Data) for part in graphs)


def _check_graphs(graphs: list[Triple]) -> None:
    if not graphs:
        raise ArgumentError("graphs: is empty; accepted is one graph or more")
    for place, triple in enumerate(graphs):
        if not _is_triple(triple):
            raise ArgumentError(
                f"graphs: entry {place} is not a (train, val, test) triple of Data"
            )
        for name, part in zip(PARTS, triple, strict=True):
            _check_part(f"graphs: the {name} part of graph {place}", part, name)


def _check_part(where: str, part: Data, name: str) -> None:
    for key in ("x", "edge_index", "edge_label_index", "edge_label"):
        if part.get(key) is None:
            raise ArgumentError(f"{where} has no {key}")
    pairs, label = part.edge_label_index, part.edge_label
    if pairs.dim() != 2 or tuple(pairs.shape) != (2, label.numel()):
        raise ArgumentError(
            f"{where}: edge_label_index must have shape (2, {label.numel()}), one pair "
            f"per edge_label, got {tuple(pairs.shape)}"
        )
    if not label.numel():
        raise ArgumentError(f"{where} has no pair")
    if not bool(((label == 0) | (label == 1)).all()):
        raise ArgumentError(f"{where}: edge_label must hold 0 and 1 only")
    if not 0 <= int(pairs.min()) <= int(pairs.max()) < part.num_nodes:
        raise ArgumentError(
            f"{where}: edge_label_index must lie in 0 to {part.num_nodes - 1}"
        )
    if name != "training" and len(label.unique()) < 2:
        kind = "positive" if bool(label[0]) else "negative"
        raise ArgumentError(
            f"{where} has {kind} pairs only; ROC-AUC needs positive and negative ones"
        )
