"""``graphlab bound``: train depth by depth, compute all bounds, keep what was done."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from graphlab.analysis import GraphSample, Ledger, ledger, wl_colors, wl_rounds
from graphlab.analysis.bounds.ledger_reader import read_ledger
from graphlab.benchmark import environment, store
from graphlab.benchmark.bounds.task import BoundTask, file_name
from graphlab.benchmark.seeds import run_seed
from graphlab.datasets import GraphSplit, load_graph_splits
from graphlab.errors import ArgumentError
from graphlab.training import (
    GraphConfig,
    GraphResult,
    fit_graphs,
    graph_sample,
    make_graph_model,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_array
    from torch import nn
    from torch_geometric.data import Data

#: Folder of the files of single depths and seeds, below the folder of results.
FOLDER = "ledgers"
#: What is being done, how many parts are finished, of how many.
Listener = Callable[[str, int, int], None]


@dataclass(frozen=True)
class BoundCell:
    """What was found at one depth with one seed.

    Args:
        depth: Number of layers.
        seed: Number of the seed.
        rounds: Rounds of colour refinement.
        ledger: The bounds.
        seconds: Time that training and bounds took.
        resumed: Whether it was there already.
    """

    depth: int
    seed: int
    rounds: int
    ledger: Ledger
    seconds: float
    resumed: bool

    def row(self) -> dict[str, Any]:
        """One flat row for :func:`graphlab.analysis.correlate`."""
        return {
            "depth": self.depth,
            "seed": self.seed,
            "rounds": self.rounds,
            **self.ledger.to_row(),
        }


def run_bounds(
    task: BoundTask,
    graphs: "Sequence[Data]",
    checksum: str,
    out: Path,
    listener: Listener = lambda text, done, total: None,
) -> list[BoundCell]:
    """Train at every depth with every seed, unless ``out`` has the result already.

    All that can be wrong with graphs, splits, model and patterns is found before
    anything is trained.

    Args:
        task: What to do.
        graphs: The graphs.
        checksum: Their checksum.
        out: Folder of results.
        listener: Told what is being done.

    Raises:
        ArgumentError: If something does not fit, or the loss became NaN.
        StoreError: The folder cannot be written.
    """
    store.prepare(out / FOLDER, "--out")
    prepared = _Prepared(task, graphs)
    cells = [(depth, seed) for depth in task.depths for seed in range(task.seeds)]
    found = []
    for place, (depth, seed) in enumerate(cells):

        def tell(text: str, depth=depth, seed=seed, place=place) -> None:
            words = f"{task.title}, depth {depth}, seed {seed}: {text}"
            listener(words, place, len(cells))

        settings = task.settings(depth, seed, checksum)
        file = out / FOLDER / file_name(settings)
        cell = _resumed(file, settings)
        if cell is None:
            cell = prepared.run(depth, seed, tell)
            store.write_json(file, _content(cell, settings))
        tell("there already" if cell.resumed else f"{cell.seconds:.1f} s")
        found.append(cell)
    listener(task.title, len(cells), len(cells))
    return found


def _start(graphs: "Sequence[Data]") -> str:
    """What colours start with: the one label of a node, else its row of features."""
    rows = (graph.x for graph in graphs)
    one_hot = all(
        bool(((x == 1).sum(1) == 1).all() and ((x != 0).sum(1) == 1).all())
        for x in rows
    )
    return "label" if one_hot else "attribute"


class _Prepared:
    """Splits and colours, with everything checked that can be before a training."""

    def __init__(self, task: BoundTask, graphs: "Sequence[Data]") -> None:
        self.task, self.graphs = task, list(graphs)
        self.config = GraphConfig(**task.training)
        splits = load_graph_splits(task.split, self.graphs)
        self.splits = [splits[seed % len(splits)] for seed in range(task.seeds)]
        self.num_classes = 1 + max(int(graph.y) for graph in self.graphs)
        self.needed = {depth: self._rounds_of(depth) for depth in task.depths}
        self.rounds = {
            depth: needed if task.rounds is None else task.rounds
            for depth, needed in self.needed.items()
        }
        most = max(self.rounds.values())
        colors = wl_colors(self.graphs, most, _start(self.graphs), task.patterns)
        self.histograms = {t: colors.histograms(t) for t in set(self.rounds.values())}
        for split in self.splits:
            self._check_classes(split, self.histograms[most])

    def _rounds_of(self, depth: int) -> int | None:
        """Rounds that the model needs; None where that is unknown, but they are given.

        Raises:
            ArgumentError: Unknown, and none are given.
        """
        model = self.make_model(depth)
        try:
            return wl_rounds(model)
        except ArgumentError as error:
            if self.task.rounds is None:
                hint = "give the rounds with --rounds if you know better"
                raise ArgumentError(f"{error}; {hint}") from None
            return None

    def make_model(self, depth: int) -> "nn.Module":
        arguments = self.task.model_args | {"num_layers": depth}
        first = self.graphs[0]
        try:
            return make_graph_model(
                self.task.model, first.num_features, self.num_classes, **arguments
            )
        except TypeError as error:
            raise ArgumentError(f"--model {self.task.model_name}: {error}") from None

    def _check_classes(self, split: GraphSplit, histograms: "csr_array") -> None:
        """What a sample refuses in these graphs, whatever the model says of them."""
        train = split.train_mask.numpy()
        y = np.array([int(graph.y) for graph in self.graphs])[train]
        nothing = np.zeros((len(y), self.num_classes))
        try:
            GraphSample(histograms[train], None, nothing, y, self.num_classes)
        except ArgumentError as error:
            where = f"{self.task.dataset}, split {split.name}[{split.index}]"
            raise ArgumentError(f"{where}: {error}") from None

    def run(self, depth: int, seed: int, tell: Callable[[str], None]) -> BoundCell:
        """Train and judge one depth with one seed."""
        begun, task = time.perf_counter(), self.task
        split, rounds = self.splits[seed], self.rounds[depth]
        tell("training")
        result = fit_graphs(
            lambda: self.make_model(depth),
            *(self.graphs, split, self.config, run_seed(seed)),
            progress=lambda p: tell(f"training, epoch {p.done} of {p.total}"),
        )
        where = f"{task.title}, depth {depth}, seed {seed}"
        _refuse_nan(result, where)
        tell("norms of weights" + (" and Hessians" if task.probes else ""))
        needed = self.needed[depth]
        bounded = needed is not None and rounds >= needed
        sample = graph_sample(
            *(result, self.graphs, split, self.histograms[rounds]),
            encoder_bounds_model=bounded or None,
            probes=task.probes,
            name=where,
        )
        found = ledger(
            *(sample, task.gamma, task.delta),
            num_layers=depth,
            baselines=_baselines(result),
            allow_violations=task.allow_violations,
            progress=tell,
        )
        seconds = time.perf_counter() - begun
        return BoundCell(depth, seed, rounds, found, seconds, resumed=False)


def _refuse_nan(result: GraphResult, where: str) -> None:
    if result.nan or not bool(result.logits.isfinite().all()):
        raise ArgumentError(
            f"{where}: the logits are not finite after {result.epochs} epochs; try a "
            "lower --lr"
        )


def _baselines(result: GraphResult) -> dict[str, float]:
    """What is free to know once a model is trained."""
    return {
        "train_loss": result.loss["train"],
        "sum of training losses": sum(row["loss"] for row in result.history),
        "num_parameters": float(result.num_parameters),
    }


def _content(cell: BoundCell, settings: dict[str, Any]) -> dict[str, Any]:
    return {
        "settings": settings,
        "rounds": cell.rounds,
        "seconds": cell.seconds,
        "ledger": cell.ledger.to_dict(),
        "versions": environment.versions(),
        "host": environment.host(),
        "commit": environment.commit(),
    }


def _resumed(file: Path, settings: dict[str, Any]) -> BoundCell | None:
    """What an earlier call has written; None if there is none, or a damaged one."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        found = read_ledger(content["ledger"])
        rounds, seconds = int(content["rounds"]), float(content["seconds"])
    except (OSError, KeyError, TypeError, ValueError):
        return None
    return BoundCell(
        settings["depth"], settings["seed"], rounds, found, seconds, resumed=True
    )
