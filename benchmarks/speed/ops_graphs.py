"""Graphs of known size for the benchmark of the operations, and inputs for them."""

from typing import NamedTuple

import torch
from torch import Tensor

HEADS = 8
# Nodes, directed edges, and the decay of the expected degree over the ranks of nodes.
SIZES = {
    "t": (50, 200, 0.4),  # for the test of the script
    "a": (2_708, 10_556, 0.4),  # as large as Cora
    "b": (5_200, 400_000, 0.67),  # dense, as Squirrel is
    "c": (169_343, 2_315_598, 0.5),  # as large as ogbn-arxiv, made undirected
    "d": (1_000_000, 10_000_000, 0.5),
}
_PRIME = 1_000_003  # larger than any number of nodes


class Graph(NamedTuple):
    """An undirected graph, sorted by source as ``coalesce`` leaves it."""

    name: str
    num_nodes: int
    edge_index: Tensor
    order: Tensor  # the edge at each position, when sorted by destination
    rowptr: Tensor  # where the edges of a destination start in that order

    def described(self) -> dict:
        degree = self.rowptr.diff()
        return {
            "nodes": self.num_nodes,
            "edges": self.edge_index.size(1),
            "max_degree": int(degree.max()),
            "median_degree": int(degree.median()),
        }


class Problem(NamedTuple):
    """What an operation gets; ``leaves`` are the inputs that need a gradient."""

    graph: Graph
    op: str
    x: Tensor  # [N, F], and [N, 8, F / 8] for attention
    weight: Tensor | None  # in the order of edge_index
    query: Tensor | None
    key: Tensor | None
    upstream: Tensor  # the gradient of the output

    @property
    def leaves(self) -> list[Tensor]:
        tensors = (self.query, self.key, self.x, self.weight)
        return [t for t in tensors if t is not None and t.requires_grad]


def generate(name: str, device: str, seed: int = 0) -> Graph:
    """Chung-Lu power law: expected degrees fall as a power of the rank of a node.

    The numbers of the nodes are shuffled, so neighbours do not lie close together.
    """
    nodes, edges, decay = SIZES[name]
    rng = torch.Generator().manual_seed(seed)
    ranks = torch.arange(1, nodes + 1, dtype=torch.float64)
    share = ranks.pow(-decay).cumsum(0)
    share /= share[-1].clone()
    pairs = torch.empty(0, dtype=torch.long)
    while (missing := edges // 2 - pairs.numel()) > 0:
        size = (2, missing + missing // 4 + 16)
        drawn = torch.rand(size, generator=rng, dtype=torch.float64)
        ends = torch.searchsorted(share, drawn).clamp_(max=nodes - 1)
        low, high = ends.amin(0), ends.amax(0)
        pairs = torch.cat((pairs, (low * nodes + high)[low < high])).unique()
    pairs = pairs[torch.randperm(pairs.numel(), generator=rng)[: edges // 2]]
    label = torch.randperm(nodes, generator=rng)
    low, high = label[pairs // nodes], label[pairs % nodes]
    keys = torch.cat((low * nodes + high, high * nodes + low)).sort().values
    edge_index = torch.stack((keys // nodes, keys % nodes)).to(device)
    order = edge_index[1].argsort(stable=True)
    rowptr = torch.zeros(nodes + 1, dtype=torch.long, device=device)
    torch.cumsum(edge_index[1].bincount(minlength=nodes), 0, out=rowptr[1:])
    return Graph(name, nodes, edge_index, order, rowptr)


def pose(graph: Graph, op: str, features: int, seed: int = 0) -> Problem:
    """Random inputs of one operation, the same whenever they are asked for."""
    rng = torch.Generator().manual_seed(seed)
    device, edges = graph.edge_index.device, graph.edge_index.size(1)
    x = _distinct(graph.num_nodes, features, rng)
    upstream = torch.rand(x.shape, generator=rng).mul_(2).sub_(1)
    weight = query = key = None
    if op.startswith("wsum"):
        weight = torch.rand(edges, generator=rng).to(device)
        weight.requires_grad_(op == "wsum_grad")
    if op == "gat":
        x, upstream = (t.view(-1, HEADS, features // HEADS) for t in (x, upstream))
        query, key = (
            torch.randn(graph.num_nodes, HEADS, generator=rng).to(device)
            for _ in range(2)
        )
        query.requires_grad_(), key.requires_grad_()
    x = x.to(device).requires_grad_(op != "sum_fwd")
    return Problem(graph, op, x, weight, query, key, upstream.to(device))


def _distinct(rows: int, columns: int, rng: torch.Generator) -> Tensor:
    """Values from -1 to 1, no two equal in a column.

    Where two neighbours share the maximum, libraries divide its gradient differently,
    and comparing them would say nothing.
    """
    x = torch.empty(rows, columns)
    number = torch.randperm(_PRIME - 1, generator=rng)[:rows] + 1
    factors = torch.randint(1, _PRIME, (columns,), generator=rng)
    for column, factor in enumerate(factors.tolist()):
        x[:, column] = (number * factor % _PRIME).double() / _PRIME * 2 - 1
    return x
