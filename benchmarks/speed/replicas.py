"""What training all splits at once saves: ours against two one-seed loops.

Run ``python benchmarks/speed/replicas.py [--data-root DIR] [--datasets Cora ...]``.

A 2-layer GCN (hidden 64, dropout 0.5 between the layers) is trained on 10 splits by

(a) a loop written like the official protocol of PosteL/BernNet: seed by seed, dense
    features, per epoch one training step and four evaluation forwards with autograd
    switched on;
(b) a lean loop: seed by seed, PyG's GCNConv with a cached normalization, one
    evaluation forward per epoch without autograd;
(c) ``graphlab.training.fit``, all splits at once.

The three alternate within one process; printed are medians over the rounds, per epoch
and split, in CPU time on one thread and in wall time on two. (c) includes its set-up.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import date

import torch
import torch.nn.functional as F
import torch_geometric
from rich.console import Console
from rich.table import Table
from torch_geometric.nn import GCNConv
from torch_geometric.transforms import NormalizeFeatures

from graphlab.datasets import load_dataset, load_splits
from graphlab.nn import GCN
from graphlab.training import Problem, TrainingConfig, fit

HIDDEN, LR, WEIGHT_DECAY, SPLITS = 64, 0.01, 5e-4, 10


class PlainGCN(torch.nn.Module):
    """The model of (a) and (b), from PyG's own layer."""

    def __init__(self, in_channels: int, out_channels: int, cached: bool):
        super().__init__()
        self.conv1 = GCNConv(in_channels, HIDDEN, cached=cached)
        self.conv2 = GCNConv(HIDDEN, out_channels, cached=cached)

    def forward(self, x, edge_index):
        x = F.dropout(self.conv1(x, edge_index).relu(), 0.5, self.training)
        return self.conv2(x, edge_index)


def train_step(model, optimizer, data, mask) -> None:
    model.train()
    optimizer.zero_grad()
    out = model(data.x, data.edge_index).log_softmax(-1)
    F.nll_loss(out[mask], data.y[mask]).backward()
    optimizer.step()


def official_like(data, split, epochs: int) -> None:
    model = PlainGCN(data.num_features, data.num_classes, cached=False)
    optimizer = torch.optim.Adam(model.parameters(), LR, weight_decay=WEIGHT_DECAY)
    masks = (split.train_mask, split.val_mask, split.test_mask)
    for _ in range(epochs):
        train_step(model, optimizer, data, split.train_mask)
        model.eval()
        scores = model(data.x, data.edge_index).log_softmax(-1)
        for mask in masks:  # a forward for each loss beside that for the accuracies
            (scores[mask].argmax(-1) == data.y[mask]).float().mean().item()
            out = model(data.x, data.edge_index).log_softmax(-1)
            F.nll_loss(out[mask], data.y[mask]).item()


def lean(data, split, epochs: int) -> None:
    model = PlainGCN(data.num_features, data.num_classes, cached=True)
    optimizer = torch.optim.Adam(model.parameters(), LR, weight_decay=WEIGHT_DECAY)
    for _ in range(epochs):
        train_step(model, optimizer, data, split.train_mask)
        model.eval()
        with torch.no_grad():
            out = model(data.x, data.edge_index).log_softmax(-1)
        val = out[split.val_mask]
        F.nll_loss(val, data.y[split.val_mask]).item()
        (val.argmax(-1) == data.y[split.val_mask]).float().mean().item()


def ours(data, splits, epochs: int) -> None:
    config = TrainingConfig(
        epochs=epochs, stopping="none", lr=LR, weight_decay=WEIGHT_DECAY
    )
    stack = {
        name: torch.stack([getattr(split, name) for split in splits])
        for name in ("train_mask", "val_mask", "test_mask")
    }
    fit(
        Problem(
            lambda: GCN(data.num_features, HIDDEN, data.num_classes),
            data.x,
            data.edge_index,
            data.y,
            data.num_classes,
            **stack,
            seeds=range(len(splits)),
            config=config,
        )
    )


def milliseconds(clock: Callable[[], float], run: Callable[[], None]) -> float:
    start = clock()
    run()
    return (clock() - start) * 1e3


def measure(data, splits, clock, rounds: int, epochs: int) -> list[float]:
    """Median milliseconds per epoch and split of (a), (b) and (c)."""
    times: list[list[float]] = [[], [], []]
    for number in range(rounds + 1):
        split = splits[number % len(splits)]
        figures = (
            milliseconds(clock, lambda: official_like(data, split, epochs)) / epochs,  # noqa: B023
            milliseconds(clock, lambda: lean(data, split, epochs)) / epochs,  # noqa: B023
            milliseconds(clock, lambda: ours(data, splits, 4 * epochs))
            / (4 * epochs * len(splits)),
        )
        if number:  # the first round warms up
            for column, figure in zip(times, figures, strict=True):
                column.append(figure)
    return [statistics.median(column) for column in times]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-root", default=None)
    parser.add_argument("--datasets", nargs="+", default=["Cora", "Texas", "Squirrel"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=25)
    options = parser.parse_args()
    table = Table(
        title=f"GCN, {SPLITS} splits, ms per epoch and split; medians of "
        f"{options.rounds} interleaved rounds ({date.today()}, torch "
        f"{torch.__version__}, PyG {torch_geometric.__version__})"
    )
    for header in ("dataset", "clock", "(a) official", "(b) lean", "(c) graphlab"):
        table.add_column(header, justify="right")
    table.add_column("(a)/(c)", justify="right")
    table.add_column("(b)/(c)", justify="right")
    for name in options.datasets:
        data = NormalizeFeatures()(load_dataset(name, options.data_root))
        splits = load_splits("bernnet-10", data, SPLITS, options.data_root)
        for text, clock, threads in (
            ("CPU, 1 thread", time.process_time, 1),
            ("wall, 2 threads", time.perf_counter, 2),
        ):
            torch.set_num_threads(threads)
            a, b, c = measure(data, splits, clock, options.rounds, options.epochs)
            row = (f"{a:.2f}", f"{b:.2f}", f"{c:.2f}", f"{a / c:.1f}x", f"{b / c:.1f}x")
            table.add_row(name, text, *row)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
