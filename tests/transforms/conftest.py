"""The oracle of posterior label smoothing: its formula, one node at a time."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor


def _label_rows(y, train_mask, num_classes, pseudo_label):
    """Per node its label row or None, and whether that is a true label."""
    rows, true = [], []
    for i in range(len(train_mask)):
        row = None
        if train_mask[i] and y.dim() == 2:
            row = y[i].tolist()
        elif train_mask[i] and y[i] >= 0:
            row = [float(k == y[i]) for k in range(num_classes)]
        true.append(row is not None)
        if row is None and pseudo_label is not None and pseudo_label[i] >= 0:
            row = [float(k == pseudo_label[i]) for k in range(num_classes)]
        rows.append(row)
    return rows, true


def _pi(rows, true, neighbours, num_classes, conditional, pseudo_count):
    pi = [[pseudo_count] * num_classes for _ in range(num_classes)]
    for i, own in enumerate(rows):
        if not true[i]:
            continue
        total = sum(w for _, w in neighbours[i])
        for j, w in neighbours[i]:
            share = w / total if conditional == "node" else w
            for n in range(num_classes):
                for m in range(num_classes):
                    pi[n][m] += own[n] * rows[j][m] * share
    for n in range(num_classes):
        total = sum(pi[n])
        for m in range(num_classes):
            pi[n][m] = pi[n][m] / total if total > 0 else 1 / num_classes
    return pi


def _normalise(values):
    total = sum(values)
    return [value / total for value in values]


def _naive_posterior_targets(
    edge_index: Tensor,
    y: Tensor,
    train_mask: Tensor,
    num_classes: int,
    *,
    alpha: float = 0.8,
    beta: float = 0.4,
    temperature: float = 1.0,
    min_labelled: int = 1,
    conditional: str = "edge",
    fallback: str = "one_hot",
    noise: str = "off_class",
    pseudo_count: float = 0.0,
    pseudo_label: Tensor | None = None,
    edge_weight: Tensor | None = None,
) -> Tensor:
    rows, true = _label_rows(y, train_mask, num_classes, pseudo_label)
    neighbours = [[] for _ in rows]
    for e, (u, v) in enumerate(edge_index.t().tolist()):
        w = 1.0 if edge_weight is None else float(edge_weight[e])
        if rows[v] is not None and w > 0:
            neighbours[u].append((v, w))
    pi = _pi(rows, true, neighbours, num_classes, conditional, pseudo_count)
    known = [row for row in rows if row is not None]
    prior = [sum(row[k] for row in known) / len(known) for k in range(num_classes)]

    targets = []
    for i, own in enumerate(rows):
        q = []
        for k in range(num_classes):
            product = prior[k]
            for j, w in neighbours[i]:
                for m in range(num_classes):
                    product *= pi[k][m] ** (w * rows[j][m])
            q.append(product**temperature)
        if len(neighbours[i]) < min_labelled or sum(q) == 0:
            one_hot = fallback == "one_hot" and true[i]
            q = own if one_hot else [p**temperature for p in prior]
        q = _normalise(q)
        if not true[i]:
            targets.append(q)
            continue
        if noise == "uniform":
            noisy = _normalise([v + beta / num_classes for v in q])
        else:
            off = [beta / max(num_classes - 1, 1) * (1 - e) for e in own]
            keep = 1 - beta if num_classes > 1 else 1.0
            noisy = [keep * v + o for v, o in zip(q, off, strict=True)]
        mixed = [alpha * v + (1 - alpha) * e for v, e in zip(noisy, own, strict=True)]
        assert math.isclose(sum(mixed), 1.0)
        targets.append(mixed)
    return torch.tensor(targets, dtype=torch.float64)


@pytest.fixture(scope="session")
def naive_targets() -> Callable[..., Tensor]:
    """Posterior label smoothing as a product over neighbours, in plain Python."""
    return _naive_posterior_targets


@pytest.fixture(scope="session")
def make_graph() -> Callable[..., tuple[Tensor, Tensor, Tensor]]:
    """Random directed graphs with self-loops, parallel edges and isolated nodes."""

    def make(num_nodes=30, num_edges=70, num_classes=4, seed=0, train=0.6):
        g = torch.Generator().manual_seed(seed)
        # The last three nodes are isolated.
        edge_index = torch.randint(max(num_nodes - 3, 1), (2, num_edges), generator=g)
        y = torch.randint(num_classes, (num_nodes,), generator=g)
        mask = torch.rand(num_nodes, generator=g) < train
        mask[torch.randint(num_nodes, (1,), generator=g)] = True
        return edge_index, y, mask

    return make
