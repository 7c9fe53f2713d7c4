"""Which bound keeps gradients, and how much narrower a Frobenius bound is.

Prints two tables in Markdown, from untrained models: the gradient norm before the first
and after the last layer, by depth; and the spectral norm that a weight keeps after its
Frobenius norm was bounded, by width. Takes some minutes on one core.

    python benchmarks/lipschitz_resgnn/gradients.py --dataset Cora --depths 2 8 32
"""

import argparse
import statistics
from functools import partial

import torch
import torch.nn.functional as F

from graphlab.datasets import load_dataset, load_splits
from graphlab.nn import LipschitzNorm, LipschitzResGNN, ResGCN
from graphlab.nn.linear import glorot

DEPTHS = (2, 8, 32, 128, 512)
WIDTHS = (16, 32, 64, 128, 256)
MODELS = {
    "GCN": partial(ResGCN, residual=False),
    "residual": ResGCN,
    "residual, spectral c = 1": partial(LipschitzResGNN, c=1.0),
    "residual, spectral c = 1/L": partial(LipschitzResGNN, c="1/L"),
    "residual, spectral c = 3/L": partial(LipschitzResGNN, c="3/L"),
    "residual, Frobenius c = 1": partial(LipschitzResGNN, c=1.0, norm="frobenius"),
    "residual + PairNorm": partial(ResGCN, norm="pair"),
}


def gradient_norms(model, data, train_mask):
    """Of the loss with respect to what the first layer takes and the last gives."""
    kept = []

    def keep(module, args):
        args[0].retain_grad()
        kept.append(args[0])

    first = (model.blocks if hasattr(model, "blocks") else model.convs)[0]
    for module in (first, model.lin_out):
        module.register_forward_pre_hook(keep)
    logits = model(data.x, data.edge_index)
    F.cross_entropy(logits[train_mask], data.y[train_mask]).backward()
    return [tensor.grad.norm().item() for tensor in kept]


def gradients(data, train_mask, depths, hidden, seeds):
    """Name -> depth -> (first, last), each the median over seeds."""
    table = {}
    for name, make in MODELS.items():
        table[name] = {}
        for depth in depths:
            found = []
            for seed in range(seeds):
                torch.manual_seed(seed)
                sizes = data.x.size(1), hidden, data.num_classes
                model = make(*sizes, num_layers=depth, dropout=0.0)
                found.append(gradient_norms(model, data, train_mask))
            table[name][depth] = tuple(map(statistics.median, zip(*found, strict=True)))
    return table


def spectral_after_frobenius(c, seeds):
    """Width -> mean spectral norm of a Glorot weight, before and after the bound."""
    table = {}
    for width in WIDTHS:
        before, after = [], []
        for seed in range(seeds):
            torch.manual_seed(seed)
            weight = torch.empty(width, width)
            glorot(weight)
            before.append(torch.linalg.matrix_norm(weight, ord=2).item())
            after.append(LipschitzNorm(weight, c, norm="frobenius").bound(weight))
        table[width] = statistics.mean(before), statistics.mean(after)
    return table


def main():
    """Print both tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--dataset", default="Cora")
    parser.add_argument("--split", default="planetoid-public")
    parser.add_argument("--depths", type=int, nargs="+", default=DEPTHS)
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    data = load_dataset(options.dataset)
    train_mask = load_splits(options.split, data)[0].train_mask
    depths = options.depths
    _print_row("before the first / after the last layer", depths)
    print("| --- " * (len(depths) + 1) + "|")
    table = gradients(data, train_mask, depths, options.hidden, options.seeds)
    for name, row in table.items():
        _print_row(name, [f"{first:.1e} / {last:.1e}" for first, last in row.values()])
    print()
    _print_row("width", WIDTHS)
    print("| --- " * (len(WIDTHS) + 1) + "|")
    pairs = spectral_after_frobenius(1.0, 10).values()
    before, after = zip(*pairs, strict=True)
    _print_row("as drawn", [f"{value:.3f}" for value in before])
    _print_row("Frobenius c = 1", [f"{value:.3f}" for value in after])


def _print_row(name, cells):
    print(f"| {name}", *cells, sep=" | ", end=" |\n")


if __name__ == "__main__":
    main()
