"""Sizes and labels of graphs, measured."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from torch_geometric.data import Data


def print_graphs(console: "Console", graphs: "list[Data]", seed: str = "") -> None:
    """Sizes and labels of graphs."""
    nodes = sorted(graph.num_nodes for graph in graphs)
    edges = sum(graph.num_edges for graph in graphs)
    isolated = sum(_isolated(graph) for graph in graphs)
    sizes = f"{nodes[0]:,} to {nodes[-1]:,} nodes (median {nodes[len(nodes) // 2]:,})"
    which = f"{len(graphs):,} graphs of {sizes}, " if len(graphs) > 1 else ""
    console.print(
        f"\nmeasured{seed}: {which}{sum(nodes):,} nodes, {edges:,} edges, "
        f"{isolated:,} isolated nodes",
        soft_wrap=True,
    )
    console.print(f"labels:   {_labels(graphs)}", soft_wrap=True)


def _isolated(graph: "Data") -> int:
    return graph.num_nodes - graph.edge_index.unique().numel()


def _labels(graphs: "list[Data]") -> str:
    """Sizes of the classes of graphs, or of nodes."""
    import torch

    if graphs[0].y is None:
        return "none"
    y = torch.cat([graph.y for graph in graphs])
    what = "graphs" if len(y) == len(graphs) and graphs[0].num_nodes > 1 else "nodes"
    return f"{'/'.join(map(str, torch.bincount(y).tolist()))} {what} per class"
