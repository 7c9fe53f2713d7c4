"""How position-aware networks fare as the graph grows: ROC-AUC, time, memory.

Run ``python benchmarks/psgnn/scaling.py --out DIR``. Graphs are communities, cliques of
20 nodes on a ring with 1 % of the edges rewired; the task is whether two nodes are of
one clique, on at most 20,000 positive pairs. Each point (model, size, seed) is trained
in a process of its own and written to ``DIR`` as one JSON file; points that exist are
not run again. ``--report`` prints the table of what is there, ``--plot FILE`` draws it.

A seed decides graph, split, negatives, anchors, weights and dropout. Up to 10,000 nodes
there are three seeds and 300 epochs, above one seed and 100 epochs.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch_geometric.data import Data

from graphlab import plot_style as style
from graphlab.benchmark.stats import mean, std
from graphlab.benchmark.store import write_json
from graphlab.datasets import communities
from graphlab.nn import PGNN, PSGNN
from graphlab.ops import anchor_distances
from graphlab.training import PairConfig, PairScore, fit_pairs, pair_roc_auc
from graphlab.transforms import RandomPairSplit

SIZES = (400, 1_000, 4_000, 10_000, 40_000, 100_000)
CLIQUE, MOST, HIDDEN, EVERY = 20, 20_000, 32, 10
LARGE = 10_000  # above it there are fewer seeds and epochs
MEGABYTE = 2**20


def psgnn(k: int, selector: str = "learned") -> Callable[[], PSGNN]:
    return lambda: PSGNN(1, HIDDEN, num_anchors=k, selector=selector)


#: Name -> how it is made, and epochs between new anchors.
MODELS = {
    "PSGNN, K = 16": (psgnn(16), None),
    "PSGNN, K = 64": (psgnn(64), None),
    "farthest point, K = 16": (psgnn(16, "farthest_point"), None),
    "random, K = 16": (psgnn(16, "random"), None),
    "P-GNN": (lambda: PGNN(1, HIDDEN), 1),
}
PANELS = {
    "test_auc": "test ROC-AUC",
    "near_auc": "ROC-AUC, negatives from the next clique",
    "cpu_seconds_per_epoch": "CPU seconds per epoch",
    "memory": "peak memory, MB",
}


# ------------------------------------------------------------------ one point


def run(name: str, size: int, seed: int, epochs: int) -> dict:
    """Train one model on one graph; returns what is kept of it."""
    before = _peak()  # what the imports take
    graph = communities(size // CLIQUE, CLIQUE, seed=seed)
    split = RandomPairSplit(kind="pair", seed=seed, max_positives=MOST)(graph)
    make, renewed = MODELS[name]
    decay = max(1, 2 * epochs // 3)
    config = PairConfig(epochs, EVERY, decay_epoch=decay, prepare_every=renewed)
    model, marks, start = None, [], time.process_time()

    def build():
        nonlocal model
        model = make()
        return model

    def mark(_):
        marks.append(time.process_time())

    result = fit_pairs(build, [split], config, seed, mark)
    memory = _peak() - before
    first = min(EVERY, epochs)  # with what is done once
    each = (marks[-1] - marks[0]) / (epochs - first) if epochs > first else None
    return {
        "model": name,
        "num_nodes": size,
        "seed": seed,
        "num_edges": graph.num_edges // 2,
        "test_auc": result.test_auc,
        "best_epoch": result.best_epoch,
        "epochs": result.epochs,
        "cpu_seconds_per_epoch": each,
        "cpu_seconds": marks[-1] - start,
        "memory": memory / MEGABYTE,
        **_among_cliques(model, split[2], result.prepared[0][2], seed),
        "torch": torch.__version__,
        "date": time.strftime("%Y-%m-%d"),
    }


@torch.no_grad()
def _among_cliques(model, part: Data, prepared: dict, seed: int) -> dict:
    """What the test pairs do not ask: are cliques next to each other told apart?"""
    z = model(part.x, part.edge_index, **prepared)
    positives = part.edge_label_index[:, part.edge_label == 1]
    pairs = torch.cat([positives, _next_cliques(part.num_nodes, positives, seed)], 1)
    label = torch.arange(pairs.size(1)) < positives.size(1)
    facts = model.facts()
    hops = prepared["anchors"].distances
    if "anchors" in facts:  # single nodes, of which the candidates were more
        hops = anchor_distances(part.edge_index, facts["anchors"], part.num_nodes)
    codes = hops.view(-1, CLIQUE, hops.size(1)).amin(1)
    counts = codes.unique(dim=0, return_counts=True)[1]
    return {
        "near_auc": pair_roc_auc([PairScore()(z, pairs)], [label.float()])[0],
        "num_anchors": hops.size(1),
        "own_code": int((counts == 1).sum()) / len(codes),
        "resolved": facts["resolved"],
    }


def _next_cliques(num_nodes: int, like: Tensor, seed: int) -> Tensor:
    """As many pairs of a random node and one of the clique after its own."""
    generator = torch.Generator().manual_seed(seed)
    number = like.size(1)
    first = torch.randint(num_nodes, (number,), generator=generator)
    inside = torch.randint(CLIQUE, (number,), generator=generator)
    other = (first // CLIQUE + 1) * CLIQUE % num_nodes + inside
    return torch.stack([first, other])


def _peak() -> int:
    """Largest resident size so far, in bytes (Linux counts in kilobytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


# ------------------------------------------------------------------ all points


def measure(options) -> None:
    for size in options.sizes:
        epochs = options.epochs or (300 if size <= LARGE else 100)
        for seed in range(options.seeds if size <= LARGE else 1):
            for name in options.models:
                path = _path(options.out, name, size, seed)
                if not path.exists():
                    _in_own_process(path, name, size, seed, epochs)


def _path(folder: Path, name: str, size: int, seed: int) -> Path:
    stem = name.replace(", ", "-").replace(" = ", "").replace(" ", "_")
    return folder / f"{stem}-{size}-{seed}.json"


def _in_own_process(path: Path, *point) -> None:
    """So that the peak of memory is that of the point."""
    command = [sys.executable, __file__, "--point", str(path), *map(str, point)]
    subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})


def _point(path: str, name: str, size: str, seed: str, epochs: str) -> None:
    torch.set_num_threads(1)
    write_json(Path(path), run(name, int(size), int(seed), int(epochs)))


def load(options) -> dict[str, dict[int, list[dict]]]:
    """The points that are there: model -> number of nodes -> one entry a seed."""
    found: dict[str, dict[int, list[dict]]] = {}
    points = [json.loads(path.read_text()) for path in options.out.glob("*.json")]
    points.sort(key=lambda one: (one["num_nodes"], one["seed"]))
    for name in options.models:
        found[name] = {}
        for one in points:
            if one["model"] == name and one["num_nodes"] in options.sizes:
                found[name].setdefault(one["num_nodes"], []).append(one)
    return found


def report(points: dict[str, dict[int, list[dict]]]) -> str:
    """A table in Markdown."""
    head = ("nodes", "model", "K", "seeds", "test ROC-AUC", "next clique")
    head += ("own code", "CPU s/epoch", "MB", "epochs")
    rows = [head, ("--:", "---", *["--:"] * 8)]
    sizes = sorted({size for of_model in points.values() for size in of_model})
    for size in sizes:
        for name, of_model in points.items():
            if size in of_model:
                rows.append((f"{size:,}", name, *_cells(of_model[size])))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cells(seeds: list[dict]) -> tuple[str, ...]:
    def of(key: str) -> list[float]:
        return [one[key] for one in seeds if one[key] is not None]

    auc = [_with_spread(of(key)) for key in ("test_auc", "near_auc")]
    return (
        str(seeds[0]["num_anchors"]),
        str(len(seeds)),
        *auc,
        f"{mean(of('own_code')):.2f}",
        f"{mean(of('cpu_seconds_per_epoch')):.3g}",
        f"{mean(of('memory')):,.0f}",
        str(seeds[0]["epochs"]),
    )


def _with_spread(values: list[float]) -> str:
    spread = f" ± {std(values):.4f}" if len(values) > 1 else ""
    return f"{mean(values):.4f}{spread}"


def plot(points: dict[str, dict[int, list[dict]]], path: Path) -> None:
    """One panel a measure, one line a model."""
    with style.styled("scaling"):
        figure, axes = style.panels(len(PANELS), width=3.4, height=2.4, columns=2)
        colors = style.colors(points)
        for axis, (key, title) in zip(axes, PANELS.items(), strict=True):
            axis.grid(True)
            axis.set_xscale("log")
            axis.set_title(title)
            axis.set_xlabel("nodes")
            if not key.endswith("auc"):
                axis.set_yscale("log")
            for place, (name, of_model) in enumerate(points.items()):
                values = [mean([one[key] for one in of_model[n]]) for n in of_model]
                axis.plot(
                    list(of_model),
                    values,
                    color=colors[name],
                    marker=style.MARKERS[place],
                    ms=4,
                    lw=1.3,
                    label=name,
                )
        figure.legend(
            *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3
        )
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(path, facecolor="white", metadata=nothing)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--seeds", type=int, default=3, help="up to 10,000 nodes")
    parser.add_argument("--epochs", type=int, help="at all sizes")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    parser.add_argument("--plot", type=Path, help="an SVG file; measure nothing")
    parser.add_argument("--point", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.point:
        return _point(*options.point)
    if options.out is None:
        parser.error("--out DIR is needed")
    options.out.mkdir(parents=True, exist_ok=True)
    if not (options.report or options.plot):
        measure(options)
    points = load(options)
    if options.plot:
        plot(points, options.plot)
    print(report(points))


if __name__ == "__main__":
    main()
