"""Draws which nodes PSGNN takes as anchors before, in and after training.

Run ``python benchmarks/psgnn/figure.py docs/images/anchors.png``.
"""

import sys

import matplotlib.pyplot as plt
import networkx as nx
import torch
from torch_geometric.utils import to_networkx

from graphlab.datasets import load_graphs
from graphlab.nn import PSGNN
from graphlab.plot_style import NEUTRAL, PALETTE, styled
from graphlab.training import PairConfig, fit_pairs
from graphlab.transforms import RandomPairSplit

EPOCHS = (0, 20, 100, 300)
TASKS = {"grid": "link", "communities": "pair"}
ANCHORS = {"grid": 4, "communities": 16}


def snapshots(name: str) -> tuple[nx.Graph, dict[str, list[int]]]:
    """The graph, and the anchors of evaluation after so many epochs."""
    graph = load_graphs(name, seed=0)[0]
    parts = RandomPairSplit(kind=TASKS[name], seed=0)(graph)
    found = {}
    for epochs in EPOCHS:
        torch.manual_seed(0)
        model = PSGNN(1, 32, num_anchors=ANCHORS[name])
        prepared = model.prepare(
            parts[0].edge_index, graph.num_nodes, torch.Generator().manual_seed(0)
        )
        if epochs:
            config = PairConfig(epochs, evaluate_every=epochs, decay_epoch=200)
            fit_pairs(model, parts, config)
        model.eval()
        with torch.no_grad():
            model(parts[0].x, parts[0].edge_index, **prepared)
        found[f"epoch {epochs}"] = model.facts()["anchors"]
    return to_networkx(graph, to_undirected=True), found


def layout(name: str, graph: nx.Graph) -> dict[int, tuple[float, float]]:
    if name == "grid":
        return {v: (v % 20, v // 20) for v in graph}
    return nx.spring_layout(graph, seed=1, iterations=60)


def draw(path: str) -> None:
    with styled("anchors"):
        figure, axes = plt.subplots(2, len(EPOCHS), figsize=(9, 4.8))
        for row, name in zip(axes, TASKS, strict=True):
            graph, found = snapshots(name)
            place = layout(name, graph)
            for axis, (title, anchors) in zip(row, found.items(), strict=True):
                nx.draw_networkx_edges(
                    graph, place, ax=axis, width=0.2, edge_color=NEUTRAL
                ).set_rasterized(True)  # thousands of them
                for nodes, size, color in (
                    (list(graph), 2, NEUTRAL),
                    (anchors, 28, PALETTE[1]),
                ):
                    nx.draw_networkx_nodes(
                        graph, place, nodes, ax=axis, node_size=size, node_color=color
                    )
                axis.set_title(f"{name}, {title}")
                axis.set_axis_off()
        figure.tight_layout()
        figure.savefig(path, dpi=150)


if __name__ == "__main__":
    draw(sys.argv[1])
