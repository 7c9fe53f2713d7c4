"""What the reverse branch itself buys: ROC-AUC on minesweeper, beside its controls.

Run ``python benchmarks/reverse_gnn/minesweeper.py --out DIR [--data-root DIR]``. One
JSON file a model and split is written to ``DIR``; those that exist are not run again.
``--report`` prints the table of what is there.

Every model has 64 hidden units and is trained for 200 epochs by Adam (lr .01, no weight
decay, no dropout) on the ten given splits; the epoch with the highest validation
ROC-AUC is reported. Splits are trained one by one on one thread, so that CPU seconds
compare. The controls of a reverse model run forward only: with as many forward layers,
or with as many layers in all; and with the start beside the end, so that the decoder
sees two states as well.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import torch

from graphlab.benchmark.metric import as_number
from graphlab.benchmark.store import write_json
from graphlab.datasets import load_dataset, load_splits
from graphlab.nn import (
    GCN,
    FeatureLinear,
    GCNConv,
    InvertibleResidual,
    ResGCN,
    ReverseGCN,
    held,
)
from graphlab.training import Problem, TrainingConfig, evaluate, fit

HIDDEN, EPOCHS, LR = 64, 200, 0.01


def reverse(num_layers: int, num_reverse_layers: int):
    return lambda n, c: ReverseGCN(
        n, HIDDEN, c, num_layers, num_reverse_layers, coeff=0.999
    )


class WithStart(torch.nn.Module):
    """The forward branch beside its own start: two states to decode, no inverse."""

    def __init__(self, in_channels: int, out_channels: int, num_layers: int):
        super().__init__()
        self.num_layers = num_layers
        self.encoder = FeatureLinear(in_channels, HIDDEN)
        self.block = InvertibleResidual(GCNConv(HIDDEN, HIDDEN), coeff=0.999)
        self.decoder = FeatureLinear(2 * HIDDEN, out_channels)

    def forward(self, x: torch.Tensor, edge_index: torch.Tensor) -> torch.Tensor:
        start = state = self.encoder(x).relu()
        with held(self):
            for _ in range(self.num_layers):
                state = self.block(state, edge_index)
        return self.decoder(torch.cat([state, start], dim=-1))


MODELS = {
    "GCN 2": lambda n, c: GCN(n, HIDDEN, c, 2, dropout=0.0),
    "forward-only 4": reverse(4, 0),
    "forward-only 20": reverse(20, 0),
    "forward 4 and start": lambda n, c: WithStart(n, c, 4),
    "forward 20 and start": lambda n, c: WithStart(n, c, 20),
    "ReverseGCN 4+16": reverse(4, 16),
    "ResGCN 8": lambda n, c: ResGCN(n, HIDDEN, c, 8, dropout=0.0),
}


def run(make, data, split, seed: int) -> dict:
    """Train one split; returns what is kept of it."""
    config = TrainingConfig(
        epochs=EPOCHS,
        stopping="none",
        monitor="val_roc_auc",
        lr=LR,
        weight_decay=0.0,
        vectorize=False,
    )
    masks = {
        name: getattr(split, name)[None]
        for name in ("train_mask", "val_mask", "test_mask")
    }
    problem = Problem(
        lambda: make(data.num_features, data.num_classes),
        data.x,
        data.edge_index,
        data.y,
        data.num_classes,
        **masks,
        seeds=[seed],
        config=config,
    )
    start = time.process_time()
    result = fit(problem)
    seconds = time.process_time() - start
    return {
        "test_roc_auc": evaluate(result.logits, data.y, masks["test_mask"])[0][
            "roc_auc"
        ],
        "val_roc_auc": result.best_val_roc_auc[0],
        "best_epoch": result.best_epoch[0],
        "epochs": result.epochs[0],
        "cpu_seconds_per_epoch": seconds / result.epochs[0],
        "num_parameters": result.num_parameters,
        "info": result.info[0],
        "torch": torch.__version__,
        "date": time.strftime("%Y-%m-%d"),
    }


def train(out: Path, data_root: str | None) -> None:
    data = load_dataset("minesweeper", data_root)
    splits = load_splits("platonov-10", data, 10, data_root)
    for name, make in MODELS.items():
        for seed, split in enumerate(splits):
            path = out / f"{name.replace(' ', '_')}-{seed}.json"
            if not path.exists():
                write_json(path, run(make, data, split, seed))


def report(out: Path) -> str:
    """The table, in Markdown."""
    head = ("model", "splits", "test ROC-AUC", "best epoch", "parameters")
    head += ("iterations", "residual", "contraction", "CPU s/epoch")
    rows = [head, ("---",) * len(head)]
    for name in MODELS:
        pattern = f"{name.replace(' ', '_')}-[0-9].json"
        runs = [json.loads(p.read_text()) for p in sorted(out.glob(pattern))]
        if runs:
            rows.append(_row(name, runs))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(name: str, runs: list[dict]) -> tuple[str, ...]:
    auc = [100 * as_number(r["test_roc_auc"]) for r in runs]
    facts = [r["info"]["model"] for r in runs if r["info"].get("model")]
    inner = ("–", "–", "–")
    if facts:
        inner = (
            f"{statistics.mean(f['fixed_point_iterations'] for f in facts):.1f}",
            f"{max(f['fixed_point_residual'] for f in facts):.1e}",
            f"{max(f['contraction'] for f in facts):.2f}",
        )
    spread = statistics.stdev(auc) if len(auc) > 1 else float("nan")
    return (
        name,
        str(len(runs)),
        f"{statistics.mean(auc):.2f} ± {spread:.2f}",
        f"{statistics.median(r['best_epoch'] + 1 for r in runs):.0f}",
        str(runs[0]["num_parameters"]),
        *inner,
        f"{statistics.median(r['cpu_seconds_per_epoch'] for r in runs):.3f}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data-root", default=None)
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if not options.report:
        torch.set_num_threads(1)
        train(options.out, options.data_root)
    print(report(options.out))


if __name__ == "__main__":
    main()
