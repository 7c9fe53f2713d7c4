"""Time the distances of 64 anchors against scipy and networkx.

    python benchmarks/speed/distances.py                      # all sizes, some minutes
    python benchmarks/speed/distances.py --sizes 2000 10000   # half a minute

The graphs are generated: Barabasi-Albert (5 edges per node, a few levels deep, nodes in
random order) and square grids (hundreds of levels deep, nodes row by row, and for the
largest size also in random order). Each method gets the graph in its own form, made
beforehand. Times are CPU time of all threads, medians over rounds for calls of less
than five seconds. Memory is the peak during one call beyond what is in use before it,
result included. All results are compared with ours.

Peers: scipy's `dijkstra(unweighted=True)` from the anchors; its `breadth_first_order`
per anchor, which is also what graphlab does without a C++ compiler; networkx from each
anchor (small sizes); and the distances of all pairs of nodes, of which the anchors'
columns are taken (smallest size).
"""

import argparse
import datetime
import platform
import statistics
from collections.abc import Callable
from importlib.metadata import version

import networkx as nx
import numpy as np
import torch
from ops_measure import extra_memory, milliseconds
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra, shortest_path
from torch import Tensor

from graphlab.ops import Csr, anchor_distances, backend
from graphlab.ops._hops import hops_by_scipy

SIZES = (2_000, 10_000, 100_000, 1_000_000)
LARGEST = {"networkx": 10_000, "all pairs (scipy)": 2_000}  # sizes of the slow peers
SLOW = 5_000  # milliseconds, beyond which one call is enough


def barabasi_albert(num_nodes: int, edges_per_node: int, generator) -> Tensor:
    """Each new node joins ends of earlier edges drawn at random, so by degree.

    The list of ends alternates between new nodes (known) and drawn ones, which copy an
    earlier entry; following the copies for all edges at once takes a few steps. As
    ends are drawn independently, a few edges are parallel.
    """
    number = num_nodes * edges_per_node
    edge = torch.arange(number)
    uniform = torch.rand(number, generator=generator, dtype=torch.float64)
    drawn = (uniform * (2 * edge + 1)).long()
    while bool((drawn % 2 == 1).any()):
        drawn = torch.where(drawn % 2 == 1, drawn[drawn // 2], drawn)
    ends = torch.stack([edge, drawn // 2]) // edges_per_node
    return torch.randperm(num_nodes, generator=generator)[ends]


def grid(num_nodes: int) -> Tensor:
    """A square grid, its nodes row by row."""
    node = torch.arange(num_nodes).view(round(num_nodes**0.5), -1)
    right = torch.stack([node[:, :-1].flatten(), node[:, 1:].flatten()])
    down = torch.stack([node[:-1].flatten(), node[1:].flatten()])
    return torch.cat([right, down], 1)


def generate(family: str, size: int, seed: int = 0) -> tuple[Csr, int]:
    """The graph in both directions, and its number of undirected edges."""
    generator = torch.Generator().manual_seed(seed)
    if family == "BA":
        number, edges = size, barabasi_albert(size, 5, generator)
    else:
        number = round(size**0.5) ** 2
        edges = grid(number)
        if family == "grid, shuffled":
            edges = torch.randperm(number, generator=generator)[edges]
    both = torch.cat([edges, edges.flip(0)], 1)
    # A copy by position, so that nothing but the structure itself stays in memory.
    graph = Csr.from_edge_index(both, number).by_position()
    return Csr(graph.rowptr, graph.col, None, number, number), edges.size(1)


def methods(graph: Csr, anchors: Tensor, size: int) -> dict[str, Callable]:
    """Name -> a function without arguments that returns hops, -1 where unreachable."""
    ones = np.ones(graph.num_edges)
    shape = (graph.num_dst, graph.num_dst)
    matrix = csr_array((ones, graph.col.numpy(), graph.rowptr.numpy()), shape=shape)
    ptr = torch.arange(anchors.numel() + 1)
    found = {
        "ours": lambda: anchor_distances(graph, anchors),
        "breadth_first_order (scipy)": lambda: hops_by_scipy(
            graph, ptr, anchors, graph.num_dst, torch.int16
        )[0],
        "dijkstra (scipy)": lambda: dijkstra(
            matrix, unweighted=True, indices=anchors.numpy()
        ),
    }
    if size <= LARGEST["networkx"]:
        network = nx.Graph(graph.edge_index().t().tolist())
        network.add_nodes_from(range(graph.num_dst))
        found["networkx"] = lambda: by_networkx(network, anchors)
    if size <= LARGEST["all pairs (scipy)"]:
        found["all pairs (scipy)"] = lambda: shortest_path(matrix, unweighted=True)[
            anchors.numpy()
        ]
    return found


def by_networkx(network: nx.Graph, anchors: Tensor) -> Tensor:
    out = torch.full((len(network), anchors.numel()), -1, dtype=torch.int16)
    table = out.numpy()
    for column, anchor in enumerate(anchors.tolist()):
        found = nx.single_source_shortest_path_length(network, anchor)
        table[list(found), column] = list(found.values())
    return out


def as_hops(result) -> Tensor:
    """A result in the form of ours; scipy's is float64, anchors first."""
    if isinstance(result, Tensor):
        return result
    return torch.from_numpy(np.where(np.isinf(result), -1, result).astype(np.int16)).t()


def compare(family: str, size: int, number_of_anchors: int, rounds: int) -> list[tuple]:
    graph, num_edges = generate(family, size)
    generator = torch.Generator().manual_seed(1)
    anchors = torch.randperm(graph.num_dst, generator=generator)[:number_of_anchors]
    runs = methods(graph, anchors, size)
    truth = runs["ours"]()  # first calls pay for imports and allocations
    rows = []
    for name, run in runs.items():
        result = []
        memory = extra_memory(
            lambda run=run, result=result: result.append(run()), "cpu"
        )
        agrees = torch.equal(as_hops(result.pop()), truth)
        cpu = [milliseconds(run, 1, "cpu")[0]]
        while cpu[0] < SLOW and len(cpu) < rounds:
            cpu.append(milliseconds(run, 1, "cpu")[0])
        rows.append((name, statistics.median(cpu) / 1e3, memory, agrees))
    head = (family, graph.num_dst, num_edges, int(truth.max()))
    ours = rows[0][1]
    return [(*head, *row, row[1] / ours) for row in rows]


HEAD = "graph | nodes | edges | deepest | method | CPU ms | ours is | extra MB | agrees"


def table(rows: list[tuple]) -> str:
    lines = [f"| {HEAD} |", "|---|--:|--:|--:|---|--:|--:|--:|---|"]
    for family, nodes, edges, deepest, name, seconds, memory, agrees, ratio in rows:
        milli = seconds * 1e3
        cells = [family, f"{nodes:,}", f"{edges:,}", f"{deepest:,}", name]
        cells += [f"{milli:.3g}" if milli < 100 else f"{milli:,.0f}"]
        cells += ["" if name == "ours" else f"{ratio:.1f}x"]
        cells += ["?" if memory is None else f"{memory:,.1f}"]
        cells += ["yes" if agrees else "NO"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--anchors", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    versions = [f"{name} {version(name)}" for name in ("torch", "scipy", "networkx")]
    print(
        f"{datetime.date.today()}, {', '.join(versions)}, {platform.machine()}, "
        f"{args.threads} thread(s), {args.anchors} anchors, {backend().reason}\n"
    )
    rows = []
    for size in args.sizes:
        families = ["BA", "grid"] + ["grid, shuffled"] * (size == max(SIZES))
        for family in families:
            rows += compare(family, size, args.anchors, args.rounds)
    print(table(rows))


if __name__ == "__main__":
    main()
