"""What the measures need of a graph, built once per ``edge_index``."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor
from torch_geometric.utils import coalesce

from graphlab.errors import ArgumentError
from graphlab.ops import Csr, gcn_norm
from graphlab.ops._cache import cached
from graphlab.ops.spmm import Graph, as_csr


@dataclass(frozen=True, eq=False)
class SmoothGraph:
    r"""The symmetrically normalized graph and the signals it leaves as they are.

    Attributes:
        edges: Edges of :math:`\mathbf{\hat{A}}`, self-loops included.
        weight: Their weights, float64.
        direction: :math:`\sqrt{d_i}` of each node, :math:`(N, 1)`, float64.
        component: Connected component of each node.
        power: :math:`\sum_{i \in c} d_i` of each component, :math:`(C, 1)`.
    """

    edges: Csr
    weight: Tensor
    direction: Tensor
    component: Tensor
    power: Tensor


def smooth_graph(edge_index: Graph, num_nodes: int) -> SmoothGraph:
    """Symmetrize, normalize and find the components; remembered for ``edge_index``."""
    key = ("smooth_graph", num_nodes)
    return cached(edge_index, key, lambda: _build(edge_index, num_nodes))


def _build(edge_index: Graph, num_nodes: int) -> SmoothGraph:
    graph = as_csr(edge_index, num_nodes)
    if (graph.num_src, graph.num_dst) != (num_nodes, num_nodes):
        raise ArgumentError(
            f"edge_index must join the {num_nodes} nodes of x with each other, got "
            f"{graph.num_src} sources and {graph.num_dst} destinations"
        )
    src, dst = graph.src(), graph.dst()
    src, dst = src[src != dst], dst[src != dst]
    # Half of each direction: an undirected graph stays what it is.
    both = torch.stack([torch.cat([src, dst]), torch.cat([dst, src])])
    half = torch.full(both.shape[1:], 0.5, dtype=torch.float64, device=both.device)
    both, weight = coalesce(both, half, num_nodes=num_nodes)
    edges, normalized = gcn_norm(both, weight, num_nodes)
    degree = weight.new_ones(num_nodes).index_add(0, both[1], weight)
    component = _components(both, num_nodes)
    number = int(component.max()) + 1 if num_nodes else 0
    power = weight.new_zeros(number).index_add(0, component, degree)
    return SmoothGraph(
        as_csr(edges, num_nodes),
        normalized,
        degree.sqrt().unsqueeze(1),
        component,
        power.unsqueeze(1),
    )


def _components(edge_index: Tensor, num_nodes: int) -> Tensor:
    src, dst = edge_index.cpu().numpy()
    shape = (num_nodes, num_nodes)
    matrix = coo_array((np.ones(src.size, dtype=np.int8), (src, dst)), shape)
    labels = connected_components(matrix, directed=False)[1]
    return torch.from_numpy(labels).long().to(edge_index.device)
