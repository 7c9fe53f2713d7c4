"""What learning to choose anchors brings: PSGNN against itself with the choice frozen.

Run ``python benchmarks/psgnn/ablation.py --out DIR [--data-root DIR]``. One JSON file a
task, model and seed is written to ``DIR``; those that exist are not run again, and
several processes may share the folder. ``--report`` prints the tables of what is there.

Tables of all models are the recipe's (``graphlab reproduce psgnn``); this is for what a
recipe cannot say. Settings are the recipe's. ``landmarks`` is a made-up task where the
choice of anchors matters and can be learned: a grid whose nodes have the label of the
nearest of six marked nodes. There ``K = 6``, and all nodes are candidates.
"""

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch_geometric.data import Data
from torch_geometric.nn import GCN

from graphlab.benchmark.metric import as_number
from graphlab.benchmark.seeds import run_seed
from graphlab.benchmark.stats import mean, std, student_interval
from graphlab.benchmark.store import write_json
from graphlab.benchmark.tasks.pairs import mean_facts
from graphlab.datasets import grid, load_graphs
from graphlab.nn import PGNN, PSGNN
from graphlab.ops import anchor_distances
from graphlab.training import PairConfig, fit_pairs
from graphlab.transforms import RandomPairSplit

HIDDEN, EPOCHS, SEEDS = 32, 300, 10
MOST = 20_000  # positive pairs of a graph that are used
LANDMARKS = 6
FROZEN = "PSGNN, choice frozen"
TASKS = {
    "grid link": ("grid", "link"),
    "communities pair": ("communities", "pair"),
    "communities link": ("communities", "link"),
    "email pair": ("email", "pair"),
    "landmarks pair": ("landmarks", "pair"),
}


def landmarks(seed: int) -> list[Data]:
    graph = grid()
    generator = torch.Generator().manual_seed(1000 + seed)
    marked = torch.randperm(400, generator=generator)[:LANDMARKS]
    graph.y = anchor_distances(graph.edge_index, marked, 400).argmin(1)
    graph.x = torch.ones(400, 2)
    graph.x[:, 1] = torch.zeros(400).index_fill(0, marked, 1)
    return [graph]


class Marked(torch.nn.Module):
    """Scores that know where the landmarks are."""

    def forward(self, x, edge_index):
        return 1000 * x[:, 1]


def frozen(**args) -> PSGNN:
    """PSGNN whose choice stays as it starts, softened farthest-point selection."""
    model = PSGNN(**args)
    model.selector.requires_grad_(False)
    return model


def models(task: str) -> dict[str, Callable]:
    """What is trained on a task, made from ``in_channels``."""
    if task != "landmarks pair":
        learned = {"hidden_channels": HIDDEN, "num_anchors": 16}
        return {"PSGNN": partial(PSGNN, **learned), FROZEN: partial(frozen, **learned)}
    rule = {"hidden_channels": HIDDEN, "num_anchors": LANDMARKS}
    learned = rule | {"num_candidates": 400}
    return {
        "GCN": partial(
            GCN, hidden_channels=HIDDEN, num_layers=2, out_channels=HIDDEN, dropout=0.5
        ),
        "P-GNN": partial(PGNN, hidden_channels=HIDDEN),
        "random": partial(PSGNN, selector="random", **rule),
        "farthest_point": partial(PSGNN, selector="farthest_point", **rule),
        "degree": partial(PSGNN, selector="degree", **rule),
        "PSGNN": partial(PSGNN, **learned),
        FROZEN: partial(frozen, **learned),
        "landmarks": partial(PSGNN, scorer=Marked(), **learned),
    }


def run(task: str, name: str, seed: int, options) -> dict:
    """Train one model on one seed; returns what is kept of it."""
    dataset, kind = TASKS[task]
    if dataset == "landmarks":
        graphs = landmarks(seed)
    else:
        graphs = load_graphs(dataset, options.data_root, seed=seed)
    graphs = RandomPairSplit(kind=kind, seed=seed, max_positives=MOST)(graphs)
    every = 1 if name == "P-GNN" else None
    decay = max(1, 2 * options.epochs // 3)
    config = PairConfig(options.epochs, decay_epoch=decay, prepare_every=every)
    make = partial(models(task)[name], in_channels=graphs[0][0].num_features)
    start = time.process_time()
    result = fit_pairs(make, graphs, config, run_seed(seed))
    return {
        "task": task,
        "model": name,
        "seed": seed,
        "test_auc": result.test_auc,
        "val_auc": result.val_auc,
        "best_epoch": result.best_epoch,
        "epochs": result.epochs,
        "nan": result.nan,
        "facts": mean_facts(result.facts),
        "cpu_seconds_per_epoch": (time.process_time() - start) / result.epochs,
        "num_parameters": result.num_parameters,
        "torch": torch.__version__,
        "date": time.strftime("%Y-%m-%d"),
    }


def train(options) -> None:
    # Seeds outside, so that whatever is done is done for all models.
    for seed in range(options.seeds):
        for task in options.tasks:
            for name in models(task):
                stem = f"{task}-{name}-{seed}".replace(" ", "_").replace(",", "")
                path = options.out / f"{stem}.json"
                if not path.exists():
                    write_json(path, run(task, name, seed, options))


def report(options) -> str:
    """A table a task, in Markdown, with differences to the frozen choice."""
    found = [
        json.loads(path.read_text()) for path in sorted(options.out.glob("*.json"))
    ]
    lines = []
    for task in options.tasks:
        runs = {
            name: {one["seed"]: one for one in found if _is(one, task, name)}
            for name in models(task)
        }
        if any(runs.values()):
            lines += [f"**{task}**", "", *_table(runs), ""]
    return "\n".join(lines)


def _is(one: dict, task: str, name: str) -> bool:
    return (one["task"], one["model"]) == (task, name)


def _table(runs: dict[str, dict[int, dict]]) -> list[str]:
    head = ("model", "seeds", "test ROC-AUC", "minus frozen [95 %]")
    head += ("resolved", "evenness", "covered (2 hops)", "CPU ms/epoch")
    rows = [head, ("---",) * len(head)]
    rows += [_row(mine, runs[FROZEN], name) for name, mine in runs.items() if mine]
    return [f"| {' | '.join(row)} |" for row in rows]


def _row(mine: dict[int, dict], base: dict[int, dict], name: str) -> tuple[str, ...]:
    auc = {seed: as_number(one["test_auc"]) for seed, one in mine.items()}
    shared = [seed for seed in mine if seed in base]
    gain = [auc[seed] - as_number(base[seed]["test_auc"]) for seed in shared]
    difference = "–"
    if name != FROZEN and len(gain) > 1:
        low, high = student_interval(gain)
        difference = f"{mean(gain):+.3f} [{low:+.3f}, {high:+.3f}]"
    quality = [
        mean([as_number(one["facts"].get(key)) for one in mine.values()])
        for key in ("resolved", "evenness", "coverage")
    ]
    told = (f"{value:.3f}" if value == value else "–" for value in quality)
    time_ms = 1000 * mean([one["cpu_seconds_per_epoch"] for one in mine.values()])
    spread = f"{mean(list(auc.values())):.3f} ± {std(list(auc.values())):.3f}"
    return (name, str(len(mine)), spread, difference, *told, f"{time_ms:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data-root", default=None)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if not options.report:
        torch.set_num_threads(1)
        train(options)
    print(report(options))


if __name__ == "__main__":
    main()
