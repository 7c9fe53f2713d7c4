"""Time and memory of a reverse-process GCN: ours against unrolled loops.

Run ``python benchmarks/speed/reverse.py [--data-root DIR] [--rounds N] [--large]``.

One training epoch (forward, backward, Adam step) on minesweeper, with the same initial
weights, the same tolerance and cap of the fixed-point iteration, by

(a) a loop written from the paper's formula like the official code: PyG's ``GCNConv`` on
    ``edge_index``, normalized anew at every call, and autograd through every iteration
    (the effective weight is computed once a forward, which the official code does not);
(b) the same unrolled loop over our layer (``grad="unroll"``), which caches the
    normalization and multiplies sparsely;
(c) :class:`graphlab.nn.ReverseGCN` as it is: implicit gradients, states recovered on
    the way back.

Each runs in a process of its own on one thread, and they take turns; printed are the
medians of CPU seconds an epoch, and the most memory that an epoch needed beyond what
was in use before it. ``--large`` adds 16 + 256 layers of width 256, ours alone. What
is checked first is that all three compute the same loss.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from datetime import date

import torch
import torch.nn.functional as F
import torch_geometric
from ops_measure import extra_memory
from rich.console import Console
from rich.table import Table
from torch.nn.utils import parametrize
from torch_geometric.nn import GCNConv

from graphlab.datasets import load_dataset
from graphlab.nn import ReverseGCN, lipschitz_norm

TOL, MAX_ITER, COEFF = 1e-5, 10, 0.999
SIZES = {"4 + 16, 64": (4, 16, 64), "16 + 64, 64": (16, 64, 64)}
LARGE = {"16 + 256, 256": (16, 256, 256)}
WAYS = {"a": "(a) unrolled, PyG", "b": "(b) unrolled, ours", "c": "(c) graphlab"}


class Unrolled(torch.nn.Module):
    """The model of (a)."""

    def __init__(self, like: ReverseGCN):
        super().__init__()
        self.like = [like]  # no parameters of this model
        self.encoder, self.decoder = like.encoder, like.decoder
        conv = like.blocks[0].conv
        self.conv = GCNConv(*conv.lin.weight.shape)
        with torch.no_grad():
            self.conv.lin.weight.copy_(conv.lin.parametrizations.weight.original.T)
        lipschitz_norm(self.conv.lin, c=COEFF, norm="frobenius")

    def residual(self, x, edge_index):
        return self.conv(x, edge_index).relu()

    def forward(self, x, edge_index):
        start = forward = reverse = self.encoder(x).relu()
        with parametrize.cached():
            for _ in range(self.like[0].num_layers):
                forward = forward + self.residual(forward, edge_index)
            for _ in range(self.like[0].num_reverse_layers):
                reverse = self.inverse(reverse, edge_index)
        del start
        return self.decoder[0](torch.cat([forward, reverse], dim=-1))

    def inverse(self, y, edge_index):
        x = y
        for _ in range(MAX_ITER):
            new = y - self.residual(x, edge_index)
            with torch.no_grad():
                change = (new - x).norm() / (1 + new.norm())
            x = new
            if change <= TOL:
                break
        return x


def make(way: str, size: tuple[int, int, int], data):
    torch.manual_seed(0)
    num_layers, num_reverse_layers, hidden = size
    model = ReverseGCN(
        data.num_features,
        hidden,
        data.num_classes,
        num_layers,
        num_reverse_layers,
        coeff=COEFF,
        max_iter=MAX_ITER,
        tol=TOL,
        grad="unroll" if way == "b" else "implicit",
    )
    return Unrolled(model) if way == "a" else model


def measure_here(way: str, size: tuple[int, int, int], data_root: str | None) -> dict:
    """Loss, CPU seconds and megabytes of one epoch, after one that warms up."""
    torch.set_num_threads(1)
    data = load_dataset("minesweeper", data_root)
    model = make(way, size, data)
    optimizer = torch.optim.Adam(model.parameters(), 1e-4)
    seconds, losses = [], []

    def epoch():
        start = time.process_time()
        optimizer.zero_grad()
        loss = F.cross_entropy(model(data.x, data.edge_index), data.y)
        loss.backward()
        optimizer.step()
        seconds.append(time.process_time() - start)
        losses.append(float(loss.detach()))

    warm = make(way, (1, 1, size[2]), data)
    warm(data.x, data.edge_index).sum().backward()  # graph structures, libraries
    megabytes = extra_memory(epoch, "cpu")
    epoch()
    facts = model.facts() if way == "c" else {}
    return {
        "megabytes": megabytes,
        "seconds": seconds[-1],
        "loss": losses[0],
        "facts": facts,
    }


def measure(way: str, size: tuple, data_root: str | None) -> dict:
    """The same, in a process of its own."""
    command = [sys.executable, __file__, "--one", json.dumps([way, size])]
    if data_root:
        command += ["--data-root", data_root]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["killed"])[-1]
        return {"failed": why if done.returncode > 0 else "out of memory"}
    return json.loads(done.stdout.strip().splitlines()[-1])


def rows(sizes: dict, ways: str, rounds: int, data_root: str | None):
    """A row of the table for every size and way."""
    for label, size in sizes.items():
        runs: dict[str, list[dict]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way in ways:
                runs[way].append(measure(way, size, data_root))
        ours = runs["c"]
        for way in ways:
            yield (label, WAYS[way], *_figures(runs[way], ours))


def _figures(runs: list[dict], ours: list[dict]) -> list[str]:
    failed = [run["failed"] for run in runs if "failed" in run]
    if failed:
        return [failed[0], "–", "–", "–", "–"]
    figures = []
    for key, text in (("seconds", "{:.2f}"), ("megabytes", "{:.0f}")):
        value, base = (statistics.median(run[key] for run in r) for r in (runs, ours))
        figures += [text.format(value), f"{value / base:.1f}x"]
    return [*figures, f"{runs[0]['loss']:.5g}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-root", default=None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        way, size = json.loads(options.one)
        print(json.dumps(measure_here(way, tuple(size), options.data_root)))
        return
    table = Table(
        title=f"minesweeper, one training epoch, CPU, 1 thread; medians of "
        f"{options.rounds} rounds ({date.today()}, torch {torch.__version__}, PyG "
        f"{torch_geometric.__version__})"
    )
    for header in ("layers, width", "way", "s/epoch", "to (c)", "MB", "to (c)", "loss"):
        table.add_column(header, justify="right")
    for row in rows(SIZES, "abc", options.rounds, options.data_root):
        table.add_row(*row)
    if options.large:
        for row in rows(LARGE, "c", 1, options.data_root):
            table.add_row(*row)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
