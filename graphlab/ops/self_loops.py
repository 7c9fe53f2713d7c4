"""Edge lists in the order the products like, with or without self-loops."""

import torch
from torch import Tensor

from graphlab.ops import _compiled
from graphlab.ops._cache import cached
from graphlab.ops.csr import Csr, matrix_values
from graphlab.ops.spmm import Graph, as_csr


def with_self_loops(
    graph: Graph, num_nodes: int, edge_weight: Tensor | None = None
) -> tuple[Tensor, Tensor | None]:
    r"""Replace the self-loops of a graph by exactly one per node.

    A node that had a self-loop keeps the weight of its last one; new loops weigh 1,
    like :func:`torch_geometric.utils.add_remaining_self_loops`. The edges come back
    sorted by destination, and as the same tensor for the same ``graph``, so that
    everything derived from them is built once.

    Args:
        graph: The edges; see :meth:`Csr.from_edge_index` for the accepted forms.
        num_nodes: Number of nodes.
        edge_weight: One weight per edge, by default a sparse matrix's values.

    Shapes:
        - **edge_weight:** :math:`(|\mathcal{E}|)` *(optional)*
        - **output:** edges :math:`(2, |\mathcal{E}^{\prime}|)` and weights
          :math:`(|\mathcal{E}^{\prime}|)`
    """
    if torch.compiler.is_compiling():
        dtype = torch.get_default_dtype()
        return _compiled.normalize(graph, edge_weight, num_nodes, "looped", dtype)
    edge_weight = matrix_values(graph) if edge_weight is None else edge_weight
    edge_index, origin = _looped(graph, num_nodes)
    if edge_weight is None:
        return edge_index, None
    extended = torch.cat([edge_weight, edge_weight.new_ones(1)])  # origin E: a new loop
    return edge_index, extended[origin]


def without_self_loops(
    graph: Graph, num_nodes: int, edge_weight: Tensor | None = None
) -> tuple[Tensor, Tensor | None]:
    """Leave out the self-loops of a graph; otherwise like :func:`with_self_loops`."""
    if torch.compiler.is_compiling():
        dtype = torch.get_default_dtype()
        return _compiled.normalize(graph, edge_weight, num_nodes, "loopless", dtype)
    edge_weight = matrix_values(graph) if edge_weight is None else edge_weight
    csr = as_csr(graph, num_nodes)
    edge_index, origin = cached(
        graph, ("loopless", num_nodes), lambda: _remove_loops(csr)
    )
    return edge_index, None if edge_weight is None else edge_weight[origin]


def sorted_edges(graph: Graph, num_nodes: int) -> tuple[Tensor, Tensor]:
    """Edges sorted by destination and the edge each comes from, once per graph."""
    csr = as_csr(graph, num_nodes)
    return cached(graph, ("sorted", num_nodes), lambda: _sort(csr.src(), csr.dst()))


def _looped(graph: Graph, num_nodes: int) -> tuple[Tensor, Tensor]:
    csr = as_csr(graph, num_nodes)
    return cached(graph, ("looped", num_nodes), lambda: _add_loops(csr))


def _add_loops(csr: Csr) -> tuple[Tensor, Tensor]:
    src, dst = csr.src(), csr.dst()
    edge = torch.arange(csr.num_edges, device=csr.device)
    loop = src == dst
    node = torch.arange(csr.num_dst, device=csr.device)
    # The last self-loop of each node, or E where there is none.
    last = torch.full_like(node, -1).scatter_reduce_(0, dst[loop], edge[loop], "amax")
    last[last < 0] = csr.num_edges
    edges, order = _sort(torch.cat([src[~loop], node]), torch.cat([dst[~loop], node]))
    return edges, torch.cat([edge[~loop], last])[order]


def _remove_loops(csr: Csr) -> tuple[Tensor, Tensor]:
    kept = (csr.src() != csr.dst()).nonzero().view(-1)
    edges, order = _sort(csr.src()[kept], csr.dst()[kept])
    return edges, kept[order]


def _sort(src: Tensor, dst: Tensor) -> tuple[Tensor, Tensor]:
    order = dst.argsort(stable=True)
    return torch.stack([src[order], dst[order]]), order
