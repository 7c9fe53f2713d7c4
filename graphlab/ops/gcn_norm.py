"""Symmetric normalization of a graph."""

import torch
from torch import Tensor

from graphlab.ops import _compiled
from graphlab.ops._cache import cached
from graphlab.ops.csr import Csr, matrix_values
from graphlab.ops.self_loops import sorted_edges, with_self_loops
from graphlab.ops.spmm import Graph, as_csr


def gcn_norm(
    edge_index: Graph,
    edge_weight: Tensor | None = None,
    num_nodes: int | None = None,
    add_self_loops: bool = True,
    dtype: torch.dtype | None = None,
) -> tuple[Tensor, Tensor]:
    r"""Weights of the symmetrically normalized adjacency matrix.

    From the `"Semi-supervised Classification with Graph Convolutional Networks"
    <https://arxiv.org/abs/1609.02907>`_ paper (Eq. 2):

    .. math::
        \mathbf{\hat{A}} = \mathbf{D}^{-1/2} (\mathbf{A} + \mathbf{I})
        \mathbf{D}^{-1/2}, \qquad
        w^{\prime}_{ji} = \frac{w_{ji}}{\sqrt{d_j d_i}}, \quad
        d_i = \sum_{j} w_{ji}

    with the identity left out for ``add_self_loops=False``. Values are those of PyG's
    ``gcn_norm`` (existing self-loops keep their weight, nodes of degree 0 get weight
    0), but the edges come sorted by destination. Without ``edge_weight`` the result is
    computed once per ``edge_index``; with it, only the edges are.

    Args:
        edge_index: The edges; see :meth:`Csr.from_edge_index` for the accepted forms.
        edge_weight: One weight per edge, by default a sparse matrix's values, or 1.
        num_nodes: Number of nodes, by default read off the largest index.
        add_self_loops: Whether to give every node exactly one self-loop first.
        dtype: Type of the weights where none are given.

    Shapes:
        - **edge_index:** :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** :math:`(|\mathcal{E}|)` *(optional)*
        - **output:** edges :math:`(2, |\mathcal{E}^{\prime}|)` and weights
          :math:`(|\mathcal{E}^{\prime}|)`
    """
    if torch.compiler.is_compiling() and num_nodes is not None:
        kind = "gcn" if add_self_loops else "gcn_loopless"
        dtype = dtype or torch.get_default_dtype()
        return _compiled.normalize(edge_index, edge_weight, num_nodes, kind, dtype)
    if num_nodes is None:
        num_nodes = _num_nodes(edge_index)
    if edge_weight is None:
        edge_weight = matrix_values(edge_index)
    if edge_weight is not None:
        return _normalize(edge_index, edge_weight, num_nodes, add_self_loops)

    def build() -> tuple[Tensor, Tensor]:
        graph = as_csr(edge_index, num_nodes)
        ones = torch.ones(graph.num_edges, dtype=dtype, device=graph.device)
        return _normalize(edge_index, ones, num_nodes, add_self_loops)

    dtype = dtype or torch.get_default_dtype()
    return cached(edge_index, ("gcn_norm", num_nodes, add_self_loops, dtype), build)


def _num_nodes(edge_index: Graph) -> int:
    graph = Csr.from_edge_index(edge_index)
    return max(graph.num_src, graph.num_dst)


def _normalize(edge_index, edge_weight, num_nodes, add_self_loops):
    if add_self_loops:
        edges, weight = with_self_loops(edge_index, num_nodes, edge_weight)
    else:
        edges, order = sorted_edges(edge_index, num_nodes)
        weight = edge_weight[order]
    return edges, scale_by_degree(edges, weight, edges[1], num_nodes)


def scale_by_degree(
    edges: Tensor, weight: Tensor, counted: Tensor, num_nodes: int
) -> Tensor:
    """Divide weights by the roots of both ends' degrees; by 0 gives 0.

    ``counted`` is the end of each edge whose degree it counts for.
    """
    degree = weight.new_zeros(num_nodes).index_add(0, counted, weight)
    scale = torch.where(degree > 0, degree, 1).rsqrt() * (degree > 0)
    return scale[edges[0]] * weight * scale[edges[1]]
