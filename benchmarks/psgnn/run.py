"""Position-aware networks and their anchors: ROC-AUC on pairs of nodes.

Run ``python benchmarks/psgnn/run.py --out DIR [--data-root DIR]``. One JSON file a
task, model and seed is written to ``DIR``; those that exist are not run again, and
several processes may share the folder. ``--report`` prints the tables of what is there.

A seed decides everything: the graph of ``communities``, the split, negatives, anchors,
weights, dropout. So models of one seed meet the same pairs, and are compared pair by
pair. Negatives are clean, features constant. Training is shorter than in P-GNN's code.

The task ``landmarks pair`` is one where the choice of anchors matters and can be
learned: ``--tasks "landmarks pair" --anchors 6 --candidates 400``.
"""

import argparse
import json
import time
from pathlib import Path

import torch
from torch_geometric.data import Data
from torch_geometric.nn import GAT, GCN, GIN, GraphSAGE

from graphlab.benchmark.metric import as_number
from graphlab.benchmark.stats import mean, std, student_interval
from graphlab.benchmark.store import write_json
from graphlab.datasets import grid, load_graphs
from graphlab.nn import PGNN, PSGNN
from graphlab.ops import anchor_distances
from graphlab.training import PairConfig, fit_pairs
from graphlab.transforms import RandomPairSplit

HIDDEN, EPOCHS, SEEDS = 32, 300, 10
MOST = 20_000  # positive pairs of a graph that are used
TASKS = {
    "grid link": ("grid", "link"),
    "communities pair": ("communities", "pair"),
    "communities link": ("communities", "link"),
    "email pair": ("email", "pair"),
    "protein pair": ("protein", "pair"),
    "landmarks pair": ("landmarks", "pair"),
}


def landmarks(seed: int) -> list[Data]:
    """A grid whose nodes have the label of the nearest of six marked nodes."""
    graph = grid()
    generator = torch.Generator().manual_seed(1000 + seed)
    marked = torch.randperm(400, generator=generator)[:6]
    graph.y = anchor_distances(graph.edge_index, marked, 400).argmin(1)
    graph.x = torch.ones(400, 2)
    graph.x[:, 1] = torch.zeros(400).index_fill(0, marked, 1)
    return [graph]


class Marked(torch.nn.Module):
    """Scores that know where the landmarks are."""

    def forward(self, x, edge_index):
        return 1000 * x[:, 1]


def message_passing(cls):
    return (lambda f, k, m: cls(f, HIDDEN, 2, HIDDEN, dropout=0.5)), None


def single_nodes(rule: str):
    return (lambda f, k, m: PSGNN(f, HIDDEN, num_anchors=k, selector=rule)), None


def psgnn(f: int, k: int, m: int | None, **kwargs) -> PSGNN:
    return PSGNN(f, HIDDEN, num_anchors=k, num_candidates=m, **kwargs)


def frozen(f: int, k: int, m: int | None) -> PSGNN:
    """PSGNN whose choice stays as it starts, softened farthest-point selection."""
    model = psgnn(f, k, m)
    model.selector.requires_grad_(False)
    return model


#: Name -> how it is made for numbers of features, anchors and candidates, and epochs
#: between new anchors.
MODELS = {
    "GCN": message_passing(GCN),
    "GraphSAGE": message_passing(GraphSAGE),
    "GAT": message_passing(GAT),
    "GIN": message_passing(GIN),
    "P-GNN": (lambda f, k, m: PGNN(f, HIDDEN), 1),
    "random": single_nodes("random"),
    "farthest_point": single_nodes("farthest_point"),
    "degree": single_nodes("degree"),
    "PSGNN": (psgnn, None),
    "PSGNN, choice frozen": (frozen, None),
    "landmarks": (lambda f, k, m: psgnn(f, k, m, scorer=Marked()), None),
}


def run(task: str, name: str, seed: int, options) -> dict:
    """Train one model on one seed; returns what is kept of it."""
    (dataset, kind), k = TASKS[task], options.anchors
    if dataset == "landmarks":
        graphs = landmarks(seed)
    else:
        graphs = load_graphs(dataset, options.data_root, seed=seed)
    graphs = RandomPairSplit(kind=kind, seed=seed, max_positives=MOST)(graphs)
    make, every = MODELS[name]
    decay = max(1, 2 * options.epochs // 3)
    config = PairConfig(options.epochs, decay_epoch=decay, prepare_every=every)
    model, start = None, time.process_time()

    def build():
        nonlocal model
        model = make(graphs[0][0].num_features, k, options.candidates)
        return model

    result = fit_pairs(build, graphs, config, seed)
    seconds = time.process_time() - start
    kept = {
        "task": task,
        "model": name,
        "seed": seed,
        "num_anchors": k,
        "num_candidates": options.candidates,
        "test_auc": result.test_auc,
        "val_auc": result.val_auc,
        "test_auc_per_graph": result.test_auc_per_graph,
        "best_epoch": result.best_epoch,
        "epochs": result.epochs,
        "nan": result.nan,
        "cpu_seconds_per_epoch": seconds / result.epochs,
        "num_parameters": result.num_parameters,
        "torch": torch.__version__,
        "date": time.strftime("%Y-%m-%d"),
    }
    if hasattr(model, "facts"):
        kept["facts"] = facts(model, graphs, result.prepared)
    return kept


@torch.no_grad()
def facts(model, graphs, prepared) -> list[dict]:
    """What the anchors of each graph are like, at the best epoch."""
    told = []
    for parts, kept in zip(graphs, prepared, strict=True):
        model(parts[2].x, parts[2].edge_index, **kept[2])
        told.append(model.facts())
    return told


def train(options) -> None:
    # Seeds outside, so that whatever is done is done for all models.
    for seed in range(options.seeds):
        for task in options.tasks:
            for name in options.models:
                stem = f"{task}-{name}-{options.anchors}-{seed}".replace(
                    " ", "_"
                ).replace(",", "")
                path = options.out / f"{stem}.json"
                if path.exists():
                    continue
                write_json(path, run(task, name, seed, options))


def report(options) -> str:
    """A table a task, in Markdown, with differences to P-GNN on the same seeds."""
    lines = []
    for task in options.tasks:
        runs: dict[str, dict[int, dict]] = {name: {} for name in options.models}
        for path in sorted(options.out.glob("*.json")):
            one = json.loads(path.read_text())
            wanted = (one["task"], one["num_anchors"]) == (task, options.anchors)
            if wanted and one["model"] in runs:
                runs[one["model"]][one["seed"]] = one
        if any(runs.values()):
            lines += [
                f"**{task}**, K = {options.anchors}",
                "",
                *_table(runs, options.base),
                "",
            ]
    return "\n".join(lines)


def _table(runs: dict[str, dict[int, dict]], base: str) -> list[str]:
    head = ("model", "seeds", "test ROC-AUC", f"minus {base} [95 %]")
    head += ("resolved", "evenness", "covered (2 hops)", "CPU ms/epoch")
    rows = [head, ("---",) * len(head)]
    others = runs.get(base, {})
    rows += [_row(name, mine, others) for name, mine in runs.items() if mine]
    return [f"| {' | '.join(row)} |" for row in rows]


def _row(name: str, mine: dict[int, dict], base: dict[int, dict]) -> tuple[str, ...]:
    auc = [as_number(one["test_auc"]) for one in mine.values()]
    pairs = zip(mine, auc, strict=True)
    gain = [value - as_number(base[s]["test_auc"]) for s, value in pairs if s in base]
    difference = "–"
    if mine is not base and len(gain) > 1:
        low, high = student_interval(gain)
        difference = f"{mean(gain):+.3f} [{low:+.3f}, {high:+.3f}]"
    told = [one for run in mine.values() for one in run.get("facts", ())]
    quality = ("–",) * 3
    if told:
        keys = ("resolved", "evenness", "coverage")
        quality = tuple(
            f"{mean([as_number(one[key]) for one in told]):.3f}" for key in keys
        )
    time_ms = 1000 * mean([one["cpu_seconds_per_epoch"] for one in mine.values()])
    spread = f"{mean(auc):.3f} ± {std(auc):.3f}"
    return (name, str(len(mine)), spread, difference, *quality, f"{time_ms:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data-root", default=None)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS)[:4])
    parser.add_argument(
        "--models", nargs="+", choices=MODELS, default=list(MODELS)[:-1]
    )
    parser.add_argument("--anchors", type=int, default=16)
    parser.add_argument("--candidates", type=int, help="of PSGNN; 4 per anchor if not")
    parser.add_argument(
        "--base", choices=MODELS, default="P-GNN", help="of differences"
    )
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
