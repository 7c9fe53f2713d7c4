"""Print the split tables and simple baselines of the embedded datasets.

    python datasets/baselines.py [NAME ...] [--runs 3] [--epochs 200]

Majority and vote need no training: the class that is best on validation, and the
commonest class among a node's training neighbours (that class where it has none). MLP
and GCN: two layers, 64 hidden, dropout 0.5 between them, Adam (lr 0.01), seed = run;
of four settings (x as it is or rows scaled to sum 1, weight decay 5e-4 or 0) and all
epochs the one of lowest validation loss.
"""

import argparse
from itertools import product

import torch
import torch.nn.functional as F
from torch_geometric.nn.conv.gcn_conv import gcn_norm

from graphlab.datasets.embedded import embedded_splits, load_embedded

SPLITS = ("stratified-60-20-20", "bernnet-10", "planetoid-20")


class TwoLayers(torch.nn.Module):
    """x W1 and h W2, each followed by the propagation (identity for the MLP)."""

    def __init__(self, data, propagation):
        super().__init__()
        first = torch.empty(data.num_features, 64)
        second = torch.empty(64, data.num_classes)
        self.weights = torch.nn.ParameterList(
            [torch.nn.init.xavier_uniform_(w) for w in (first, second)]
        )
        self.biases = torch.nn.ParameterList(
            [torch.zeros(64), torch.zeros(data.num_classes)]
        )
        self.propagation = propagation

    def forward(self, x):
        h = F.relu(self.propagation(x @ self.weights[0]) + self.biases[0])
        h = F.dropout(h, 0.5, self.training)
        return self.propagation(h @ self.weights[1]) + self.biases[1]


def adjacency(data, normalize):
    index, weight = data.edge_index, torch.ones(data.num_edges)
    if normalize:
        index, weight = gcn_norm(index, num_nodes=data.num_nodes)
    size = (data.num_nodes, data.num_nodes)
    return torch.sparse_coo_tensor(index, weight, size).coalesce().to_sparse_csr()


def tuned(data, xs, propagation, masks, seed, epochs):
    """Test accuracy of the setting and epoch of lowest validation loss."""
    results = [
        trained(data, x, propagation, masks, seed, epochs, weight_decay)
        for x, weight_decay in product(xs, (5e-4, 0.0))
    ]
    return min(results)[1]


def trained(data, x, propagation, masks, seed, epochs, weight_decay):
    """Lowest validation loss, and the test accuracy at that epoch."""
    train, val, test, _ = masks
    torch.manual_seed(seed)
    model = TwoLayers(data, propagation)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=weight_decay)
    best, accuracy = float("inf"), 0.0
    for _ in range(epochs):
        model.train()
        optimizer.zero_grad()
        F.cross_entropy(model(x)[train], data.y[train]).backward()
        optimizer.step()
        model.eval()
        with torch.no_grad():
            logits = model(x)
        loss = float(F.cross_entropy(logits[val], data.y[val]))
        if loss < best:
            best = loss
            accuracy = share(logits.argmax(1), data.y, test)
    return best, accuracy


def share(prediction, y, mask):
    return float((prediction[mask] == y[mask]).float().mean())


def constant(data, masks):
    """The class that is best on validation, as a prediction for every node."""
    counts = torch.bincount(data.y[masks[1]], minlength=data.num_classes)
    return torch.full_like(data.y, int(counts.argmax()))


def vote(data, neighbours, masks):
    labels = F.one_hot(data.y, data.num_classes) * masks[0].unsqueeze(1)
    count, winner = (neighbours @ labels.float()).max(1)
    return torch.where(count > 0, winner, constant(data, masks))


def table(name, runs, epochs):
    data = load_embedded(name)
    scaled = data.x / data.x.sum(1, keepdim=True).clamp(min=1)
    xs = [data.x.to_sparse_csr(), scaled.to_sparse_csr()]
    gcn, neighbours = adjacency(data, True), adjacency(data, False)
    print(f"\n{name} {data.version}\n\n| split | part | nodes | classes | constant |")
    print("| --- | --- | --- | --- | --- |")
    for split in SPLITS:
        all_masks = embedded_splits(name, split)
        for part, at in (("train", 0), ("val", 1), ("test", 2)):
            masks = [m[at] for m in all_masks]
            nodes = int(masks[0].sum())
            kinds = sorted({int(data.y[m].unique().numel()) for m in masks})
            fixed = [share(constant(data, m), data.y, m[at]) for m in all_masks]
            kinds = "-".join(map(str, kinds))
            print(f"| {split} | {part} | {nodes} | {kinds} | {cell(fixed)} |")
    print("\n| split | runs | majority | vote | MLP | GCN |\n" + "| --- " * 6 + "|")
    for split in SPLITS:
        columns = [[], [], [], []]
        for seed, masks in enumerate(embedded_splits(name, split)[:runs]):
            row = (
                share(constant(data, masks), data.y, masks[2]),
                share(vote(data, neighbours, masks), data.y, masks[2]),
                tuned(data, xs, lambda h: h, masks, seed, epochs),
                tuned(data, xs, lambda h: gcn @ h, masks, seed, epochs),
            )
            for column, value in zip(columns, row, strict=True):
                column.append(value)
        cells = " | ".join(map(cell, columns))
        print(f"| {split} | {len(columns[0])} | {cells} |")


def cell(values):
    """Mean in percent, and the range where there is more than one value."""
    mean = 100 * sum(values) / len(values)
    if max(values) - min(values) < 5e-5:
        return f"{mean:.1f}"
    return f"{mean:.1f} ({100 * min(values):.1f}–{100 * max(values):.1f})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    known = ["wordnet-verbs", "debian-packages"]
    parser.add_argument("names", nargs="*", metavar="NAME", default=known)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=200)
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name in args.names:
        table(name, args.runs, args.epochs)
