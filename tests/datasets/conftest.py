"""A data root of tiny raw files, in the formats of the published ones."""

from dataclasses import replace

import numpy as np
import pytest

from graphlab.datasets import card_table

LABELS = [0, 1, 0, 1, 1, 0, 2, 0, 1, 2]
# A self-loop at 3, a duplicate (0, 1), and (4, 5) in both directions.
EDGES = [(0, 1), (0, 1), (3, 3), (4, 5), (5, 4), (7, 2), (8, 9)]


def write_webkb(folder, labels=LABELS, edges=EDGES):
    """Raw files as geom-gcn wrote them; no hash is known of Wisconsin's."""
    folder.mkdir(parents=True, exist_ok=True)
    nodes = ["node_id\tfeature\tlabel"] + [
        f"{i}\t{i % 2},{int(i > 4)},1\t{label}" for i, label in enumerate(labels)
    ]
    pairs = ["node_id\tnode_id"] + [f"{a}\t{b}" for a, b in edges]
    (folder / "out1_node_feature_label.txt").write_text("\n".join(nodes) + "\n")
    (folder / "out1_graph_edges.txt").write_text("\n".join(pairs) + "\n")
    for i in range(10):
        part = (np.arange(len(labels)) + i) % 3
        np.savez(
            folder / f"wisconsin_split_0.6_0.2_{i}.npz",
            train_mask=(part == 0).astype(np.uint8),
            val_mask=(part == 1).astype(np.uint8),
            test_mask=(part == 2).astype(np.uint8),
        )


def write_platonov(folder, labels=LABELS, edges=EDGES):
    """One npz as Platonov et al. wrote them."""
    folder.mkdir(parents=True, exist_ok=True)
    part = (np.arange(10)[:, None] + np.arange(len(labels))) % 3
    np.savez(
        folder / "chameleon_filtered.npz",
        node_features=np.eye(len(labels), 4, dtype=np.float32),
        node_labels=np.array(labels),
        edges=np.array(edges),
        train_masks=part == 0,
        val_masks=part == 1,
        test_masks=part == 2,
    )


@pytest.fixture
def tiny_root(tmp_path, monkeypatch):
    """A data root with a tiny Wisconsin and chameleon-filtered, and a fresh cache."""
    root = tmp_path / "data"
    write_webkb(root / "WebKB/wisconsin/raw")
    write_platonov(root / "platonov_npz")
    monkeypatch.setenv("GRAPHLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GRAPHLAB_DATA", raising=False)
    return root


@pytest.fixture
def any_size(monkeypatch):
    """Cards without figures, so that graphs of any size pass."""
    blank = dict.fromkeys(("nodes", "edges", "features", "classes", "homophily"))
    cards = tuple(replace(card, **blank) for card in card_table.CARDS)
    monkeypatch.setattr(card_table, "CARDS", cards)
