"""Time colour refinement of a set of graphs against strings and dictionaries.

    GRAPHLAB_DATA=... python benchmarks/speed/wl.py                  # some minutes
    python benchmarks/speed/wl.py --datasets generated --rounds 3    # no data needed

All methods start from labels, refine for the same number of rounds and return the
colour of each node after the last. Peers get each graph in their own form, made
beforehand; ours gets the list of `Data`, and counts too. The peers are written from
descriptions:

- strings: the digest of a node is the SHA-224 of its own and the sorted digests around
  it in one string, graph by graph: how the code of the k-variance paper colours, less
  its deep copies.
- dictionary: texts of the own and the sorted numbers around it get numbers, over all
  graphs, round by round: how kernel libraries in Python colour.

A second table counts the twelve rooted patterns of F-WL, against powers of a dense
adjacency matrix and networkx's list of cliques, graph by graph.

Methods take turns; times are CPU time, medians over the turns.
"""

import argparse
import datetime
import hashlib
import math
import platform
from collections.abc import Callable
from importlib.metadata import version

import networkx as nx
import numpy as np
import torch
from ops_measure import measure
from torch_geometric.data import Batch, Data

from graphlab.analysis import WLEncoder, rooted_homomorphism_counts, wl_colors
from graphlab.analysis.homomorphisms import PATTERNS
from graphlab.datasets import load_graphs

DATASETS = ("MUTAG", "ENZYMES", "PROTEINS", "NCI1")


def generated(number: int = 150) -> list[Data]:
    """Random graphs about as large and as sparse as molecules."""
    graphs = []
    for seed in range(number):
        graph = nx.gnm_random_graph(20 + seed % 20, 24 + seed % 20, seed=seed)
        edges = torch.tensor(list(graph.edges())).t()
        generator = torch.Generator().manual_seed(seed)
        label = torch.randint(0, 4, (len(graph),), generator=generator)
        x = torch.nn.functional.one_hot(label, 4).float()
        graphs.append(Data(x=x, edge_index=torch.cat([edges, edges.flip(0)], 1)))
    return graphs


def as_lists(graphs: list[Data]) -> list[tuple[list, list]]:
    """Labels and neighbours of each graph, in plain Python."""
    found = []
    for graph in graphs:
        neighbours = [[] for _ in range(graph.num_nodes)]
        for u, v in graph.edge_index.t().tolist():
            neighbours[v].append(u)
        found.append((graph.x.argmax(1).tolist(), neighbours))
    return found


def digest(text: str) -> str:
    return hashlib.sha224(text.encode()).hexdigest()


def by_strings(graphs: list[tuple[list, list]], rounds: int) -> list[str]:
    colors = []
    for labels, neighbours in graphs:
        own = [digest(str(label)) for label in labels]
        for _ in range(rounds):
            own = [
                digest(own[v] + "".join(sorted([own[u] for u in around])))
                for v, around in enumerate(neighbours)
            ]
        colors += own
    return colors


def by_dictionary(graphs: list[tuple[list, list]], rounds: int) -> list[int]:
    colors = [labels for labels, _ in graphs]
    for _ in range(rounds):
        texts = [
            [
                f"{own[v]},{sorted([own[u] for u in around])}"
                for v, around in enumerate(neighbours)
            ]
            for own, (_, neighbours) in zip(colors, graphs, strict=True)
        ]
        distinct = sorted({text for graph in texts for text in graph})
        numbers = {text: number for number, text in enumerate(distinct)}
        colors = [[numbers[text] for text in graph] for graph in texts]
    return [color for own in colors for color in own]


def by_graph(networks: list[nx.Graph]) -> np.ndarray:
    """Counts in the order of the patterns, from dense powers and lists of cliques."""
    return np.concatenate([_count(network) for network in networks])


def _count(network: nx.Graph) -> np.ndarray:
    matrix = nx.to_numpy_array(network, dtype=np.int64)
    power, paths, cycles = matrix, [], []
    for size in range(2, 7):
        power = power @ matrix
        paths += [power.sum(1)] if size < 6 else []
        cycles += [power.diagonal()] if size > 2 else []
    cliques = np.zeros((4, len(network)), dtype=np.int64)
    for clique in nx.enumerate_all_cliques(network):
        if len(clique) > 6:
            break
        if len(clique) > 2:
            cliques[len(clique) - 3, clique] += math.factorial(len(clique) - 1)
    return np.stack([*paths, *cycles, *cliques], axis=1)


def same_partition(colors, truth: np.ndarray) -> bool:
    ids = np.unique(np.array(colors), return_inverse=True)[1]
    pairs = len(np.unique(ids * (truth.max() + 1) + truth))
    return pairs == ids.max() + 1 == truth.max() + 1


def colouring(name: str, graphs: list[Data], args) -> list[list]:
    lists, rounds = as_lists(graphs), args.wl_rounds
    runs: dict[str, Callable] = {
        "ours, hashed": lambda: WLEncoder(rounds).fit_transform(graphs),
        "ours, exact": lambda: WLEncoder(rounds, exact=True).fit_transform(graphs),
        "dictionary": lambda: by_dictionary(lists, rounds),
        "strings": lambda: by_strings(lists, rounds),
    }
    hashed, exact = (wl_colors(graphs, rounds, exact=e) for e in (False, True))
    truth = exact.colors[-1]
    agrees = {
        "ours, hashed": same_partition(hashed.colors[-1], truth),
        "ours, exact": True,
        "dictionary": same_partition(runs["dictionary"](), truth),
        "strings": same_partition(runs["strings"](), truth),
    }
    head = [name, len(graphs), len(truth), exact.num_colors[-1]]
    return _timed(head, runs, agrees, args)


def counting(name: str, graphs: list[Data], args) -> list[list]:
    union = Batch.from_data_list(graphs)
    networks = []
    for graph in graphs:
        network = nx.Graph(graph.edge_index.t().tolist())
        network.add_nodes_from(range(graph.num_nodes))
        ordered = nx.Graph()
        ordered.add_nodes_from(range(graph.num_nodes))
        ordered.add_edges_from(network.edges())
        networks.append(ordered)

    def ours() -> np.ndarray:
        return rooted_homomorphism_counts(union.edge_index, union.num_nodes, PATTERNS)

    runs = {"ours": ours, "graph by graph": lambda: by_graph(networks)}
    agrees = {
        "ours": True,
        "graph by graph": np.array_equal(ours(), by_graph(networks)),
    }
    return _timed([name, len(graphs), union.num_nodes, ""], runs, agrees, args)


def _timed(head: list, runs: dict, agrees: dict, args) -> list[list]:
    times = measure(runs, args.rounds, args.seconds, "cpu")
    ours = next(iter(times.values()))["cpu_ms"]
    return [
        [*head, method, times[method]["cpu_ms"], ours, agrees[method]]
        for method in runs
    ]


def table(rows: list[list], title: str) -> str:
    lines = [
        f"| {title} | graphs | nodes | colours | method | CPU ms | ours is | agrees |"
    ]
    lines += ["|---|--:|--:|--:|---|--:|--:|---|"]
    for name, graphs, nodes, colors, method, cpu, ours, agrees in rows:
        cells = [name, f"{graphs:,}", f"{nodes:,}", f"{colors:,}" if colors else ""]
        cells += [method, f"{cpu:.3g}" if cpu < 100 else f"{cpu:,.0f}"]
        cells += [
            "" if cpu == ours else f"{cpu / ours:.1f}x",
            "yes" if agrees else "NO",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--datasets", nargs="+", default=DATASETS)
    parser.add_argument("--wl-rounds", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each method")
    parser.add_argument("--seconds", type=float, default=120)
    args = parser.parse_args()
    torch.set_num_threads(1)
    names = ("torch", "torch-geometric", "numpy", "scipy", "networkx")
    print(
        f"{datetime.date.today()}, {', '.join(f'{n} {version(n)}' for n in names)}, "
        f"{platform.machine()}, one thread, {args.wl_rounds} rounds\n"
    )
    colours, counts = [], []
    for name in args.datasets:
        graphs = generated() if name == "generated" else load_graphs(name)
        colours += colouring(name, graphs, args)
        counts += counting(name, graphs, args)
    print(table(colours, "colours of"), table(counts, "patterns in"), sep="\n\n")


if __name__ == "__main__":
    main()
