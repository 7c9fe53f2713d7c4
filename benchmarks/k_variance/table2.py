"""Table 2 of the k-variance paper: published, as its code computes it, and ours.

Run ``python benchmarks/k_variance/table2.py --out DIR [--data-root DIR]``. One JSON
file a set, depth, protocol and seed is written to ``DIR``; those that exist are not run
again, and several processes may share the folder. ``--report`` prints what is there,
and ``--published`` the correlations of the printed tables, without any training.

All protocols train the paper's model: GCN layers without bias and with ReLU, the sum
over nodes, linear - batch normalization - ReLU - linear; 64 channels, Adam at 1e-3,
batches of 128, no dropout, the margin loss, 400 epochs, a tenth of the graphs to test.

``paper-code`` follows the released code, faults included: one split for all seeds;
batch normalization without running statistics, so that embeddings depend on the batch
(all graphs at once where the bound is computed); the checkpoint of lowest loss *on the
test graphs*, which serve as validation graphs; the test loss of that epoch less the
training loss that was logged in it; as many rounds of 1-WL as layers, which do not
bound a GCN; the bound's mode ``paper-code``. It is here for the comparison only.

``ours``: a split for each seed; running statistics; the last epoch, test graphs unseen;
both losses of the final model; one round more than layers; Theorem D.2. ``last-epoch``
is the same on the one split of ``paper-code``.
"""

import argparse
import json
import time
import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from graphlab.analysis import (
    GraphSample,
    correlate,
    k_variance_bound,
    vc_bound,
    wl_colors,
)
from graphlab.benchmark.stats import mean, std
from graphlab.benchmark.store import write_json
from graphlab.datasets import GraphSplit, load_graph_splits, load_graphs
from graphlab.nn import GCN, GraphClassifier
from graphlab.training import GraphConfig, fit_graphs, graph_sample
from graphlab.training.graph_batches import GraphSet

DATASETS = ("MUTAG", "PROTEINS", "ENZYMES")
SEEDS = (41, 42, 43, 44, 45)
DEPTHS = (1, 2, 3, 4, 5, 6)
HIDDEN = 64
RECIPE = Path(__file__).with_name("recipe.toml")
CONFIG = GraphConfig(epochs=400, batch_size=128, loss="margin", lr=1e-3, monitor="last")


HEADER = (
    *("set", "L", "gap: published", "paper-code", "last-epoch", "ours"),
    *("bound: published", "paper-code", "theorem-D2", "theorem-5.1"),
    *("VC: published", "ours", "minutes"),
)


def published() -> dict:
    """The printed tables."""
    return tomllib.loads(RECIPE.read_text(encoding="utf-8"))["printed"]


@cache
def graphs_of(name: str, data_root: Path | None) -> list:
    """The graphs of a set."""
    return load_graphs(name, data_root)


def classes_of(graphs: list) -> Tensor:
    """The class of each graph."""
    return torch.cat([graph.y for graph in graphs])


def colors_of(graphs: list, rounds: int):
    """Histograms of colours; those of atoms start with all nine categories."""
    single = bool((graphs[0].x.sum(dim=1) == 1).all())
    start = "label" if single else "attribute"
    return wl_colors(graphs, rounds, start).histograms()


def model_of(graphs: list, depth: int, running: bool) -> GraphClassifier:
    """The paper's model."""
    num_classes = int(classes_of(graphs).max()) + 1
    encoder = GCN(
        graphs[0].num_features, HIDDEN, HIDDEN, depth, dropout=0.0, bias=False
    )
    return GraphClassifier(encoder, HIDDEN, num_classes, track_running_stats=running)


def paper_code(graphs: list, split: GraphSplit, depth: int, seed: int, epochs: int):
    """One run as the released code does it."""
    held = split.test_mask.nonzero().view(-1).tolist()
    copies = [graphs[place] for place in held]  # the test graphs validate
    where = torch.zeros(len(graphs) + len(copies), dtype=torch.bool)
    train, val, test = where.clone(), where.clone(), where.clone()
    train[: len(graphs)], test[: len(graphs)] = split.train_mask, split.test_mask
    val[len(graphs) :] = True
    peeking = GraphSplit(
        "test as validation", split.index, split.seed, train, val, test
    )
    result = fit_graphs(
        lambda: model_of(graphs, depth, running=False),
        *(graphs + copies, peeking),
        replace(CONFIG, epochs=epochs, monitor="val_loss"),
        seed,
    )
    logged = result.history[result.best_epoch]
    with torch.no_grad():
        whole = GraphSet(graphs).batch(torch.arange(len(graphs)))
        logits = result.model(*whole.arguments)
    sample = sample_of(graphs, split, logits, colors_of(graphs, depth))
    bound = k_variance_bound(sample, "paper-code", allow_violations=True, seed=seed)
    return {
        "gap": logged["val_loss"] - logged["loss"],
        "error_gap": result.error_gap,
        "train_error": 1 - result.accuracy["train"],
        "bound": bound.value,
        "terms": bound.terms,
        "violations": sample.lipschitz.violations,
        "equal_pairs": sample.lipschitz.num_equal,
        "vc": vc_bound(sample).value,
        "best_epoch": result.best_epoch,
    }


def ours(graphs: list, split: GraphSplit, depth: int, seed: int, epochs: int):
    """One run with nothing seen of the test graphs, and Theorem D.2."""
    result = fit_graphs(
        lambda: model_of(graphs, depth, running=True),
        *(graphs, split, replace(CONFIG, epochs=epochs), seed),
    )
    histograms = colors_of(graphs, depth + 1)
    sample = graph_sample(
        *(result, graphs, split, histograms), encoder_bounds_model=True, norms=False
    )
    bound = k_variance_bound(sample, "theorem-D2", seed=seed)
    plugin = k_variance_bound(sample, "theorem-5.1-plugin", seed=seed)
    return {
        "gap": result.loss_gap,
        "error_gap": result.error_gap,
        "train_error": 1 - result.accuracy["train"],
        "bound": bound.value,
        "plugin": plugin.value,
        "terms": bound.terms,
        "violations": sample.lipschitz.violations,
        "vc": vc_bound(sample).value,
        "vc_as_printed": vc_of_rounds(sample, graphs, split, depth),
        "best_epoch": result.best_epoch,
    }


def vc_of_rounds(sample: GraphSample, graphs: list, split: GraphSplit, rounds: int):
    """The VC bound of as many rounds as layers, which is the one in the paper."""
    histograms = colors_of(graphs, rounds)[split.train_mask.numpy()]
    return vc_bound(replace(sample, histograms=histograms)).value


#: Name -> how a run is done, and whether each seed has a split of its own.
PROTOCOLS = {
    "paper-code": (paper_code, False),
    "ours": (ours, True),
    "last-epoch": (ours, False),
}


def sample_of(graphs: list, split: GraphSplit, logits: Tensor, histograms):
    """The training graphs with logits that were computed elsewhere."""
    train, y = split.train_mask.numpy(), classes_of(graphs).numpy()
    return GraphSample(
        histograms[train], None, logits.numpy()[train], y[train], int(y.max()) + 1
    )


def run(options: argparse.Namespace) -> None:
    """Train what is missing."""
    options.out.mkdir(parents=True, exist_ok=True)
    places = [
        (seed, name, depth, protocol)
        for seed in SEEDS[: options.seeds]
        for name in options.datasets
        for depth in options.depths
        for protocol in options.protocols
    ]
    for seed, name, depth, protocol in places:
        file = options.out / f"{name}-{depth}-{protocol}-{options.epochs}-{seed}.json"
        if file.is_file():
            continue
        graphs, begun = graphs_of(name, options.data_root), time.perf_counter()
        train, own_split = PROTOCOLS[protocol]
        index = SEEDS.index(seed) if own_split else 0
        split = load_graph_splits("random-90-10", graphs)[index]
        found = train(graphs, split, depth, seed, options.epochs)
        record = {
            "dataset": name,
            "depth": depth,
            "protocol": protocol,
            "seed": seed,
            "split_seed": split.seed,
            "epochs": options.epochs,
            "seconds": time.perf_counter() - begun,
            **found,
        }
        write_json(file, record)
        print(
            f"{name} L={depth} {protocol} seed {seed}: gap {found['gap']:.3f}, bound "
            f"{found['bound']:.3f}, {record['seconds']:.0f} s",
            flush=True,
        )


def records(folder: Path) -> list[dict]:
    """What is there."""
    return [json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))]


def spread(values: list[float]) -> str:
    """Mean and standard deviation."""
    if not values:
        return "–"
    more = f" ± {std(values):.3f}" if len(values) > 1 else ""
    return f"{mean(values):.3f}{more}"


def report(folder: Path) -> None:
    """The table, and how well gaps are ranked by it."""
    found = records(folder)
    tables = published()["table2"]
    print(f"| {' | '.join(HEADER)} |")
    print("| --- " * len(HEADER) + "|")
    for name in dict.fromkeys(record["dataset"] for record in found):
        for depth in DEPTHS:
            print(_row(name, depth, tables[name], found))
    print()
    _ranks(found)


def _row(name: str, depth: int, table: dict, found: list[dict]) -> str:
    def of(protocol: str, key: str) -> list[float]:
        return [
            record[key]
            for record in found
            if (record["dataset"], record["depth"]) == (name, depth)
            and record["protocol"] == protocol
        ]

    def printed(key: str) -> str:
        spread_ = table.get(f"{key}_std")
        return f"{table[key][depth - 1]:.3f}" + (
            f" ± {spread_[depth - 1]:.3f}" if spread_ else ""
        )

    seconds = [second for key in PROTOCOLS for second in of(key, "seconds")]
    cells = [
        name,
        str(depth),
        printed("gap"),
        *(spread(of(key, "gap")) for key in ("paper-code", "last-epoch", "ours")),
        printed("bound"),
        spread(of("paper-code", "bound")),
        spread(of("ours", "bound")),
        spread(of("ours", "plugin")),
        printed("vc"),
        spread(of("ours", "vc_as_printed")),
        f"{sum(seconds) / 60:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def _ranks(found: list[dict]) -> None:
    """Spearman's correlation over depths, each the mean of its seeds."""
    for protocol in PROTOCOLS:
        rows = []
        for name in dict.fromkeys(record["dataset"] for record in found):
            for depth in DEPTHS:
                some = [
                    r
                    for r in found
                    if (r["dataset"], r["depth"]) == (name, depth)
                    and r["protocol"] == protocol
                ]
                if some:
                    rows.append(_mean_of(some) | {"set": name, "num_layers": depth})
        if rows:
            measures = ["bound", "vc", *(["plugin"] if "plugin" in rows[0] else [])]
            print(f"{protocol}, over depths:\n")
            print(
                correlate(rows, measures, ["gap", "error_gap"], by="set").to_markdown()
            )


def _mean_of(some: list[dict]) -> dict:
    keys = ("gap", "error_gap", "train_error", "bound", "plugin", "vc")
    return {k: mean([r[k] for r in some]) for k in keys if k in some[0]}


def correlations_as_printed() -> None:
    """What the paper's own tables say of its bound and of PAC-Bayes."""
    print("| table | set | bound: Pearson | Spearman | PAC-Bayes: Pearson | Spearman |")
    print("| --- " * 6 + "|")
    for table in ("table2", "table3"):
        content = published()[table]
        for name in ("ENZYMES", "PROTEINS", "MUTAG", "SIDER", "BACE"):
            row = content[name]
            cells = [table, name]
            for measure in ("bound", "pac_bayes"):
                cells += printed_correlation(row.get(measure), row["gap"])
            print(f"| {' | '.join(cells)} |")


def printed_correlation(values: list[float] | None, gap: list[float]) -> list[str]:
    """Pearson's and Spearman's correlation over the depths."""
    if values is None:
        return ["–", "–"]
    rows = [{"x": x, "gap": y} for x, y in zip(values, gap, strict=True)]
    (found,) = correlate(rows, ["x"], ["gap"], samples=1).rows
    return [f"{found.pearson:.2f}", f"{found.spearman:.2f}"]


def main() -> None:
    """Run or report, as asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("k_variance-table2"))
    parser.add_argument("--data-root", type=Path, help="else GRAPHLAB_DATA")
    parser.add_argument("--datasets", nargs="+", default=DATASETS)
    parser.add_argument("--depths", nargs="+", type=int, default=DEPTHS)
    parser.add_argument("--protocols", nargs="+", choices=PROTOCOLS, default=PROTOCOLS)
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument("--epochs", type=int, default=CONFIG.epochs)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--report", action="store_true", help="print what is there")
    parser.add_argument("--published", action="store_true", help="printed tables only")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.published:
        correlations_as_printed()
    elif options.report:
        report(options.out)
    else:
        run(options)


if __name__ == "__main__":
    main()
