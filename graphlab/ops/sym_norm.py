"""What the symmetric graph Laplacian takes off the identity."""

import torch
from torch import Tensor

from graphlab.ops import _compiled
from graphlab.ops._cache import cached
from graphlab.ops.csr import matrix_values
from graphlab.ops.gcn_norm import scale_by_degree
from graphlab.ops.self_loops import without_self_loops
from graphlab.ops.spmm import Graph, as_csr


def sym_norm(
    edge_index: Graph,
    edge_weight: Tensor | None,
    num_nodes: int,
    dtype: torch.dtype | None = None,
) -> tuple[Tensor, Tensor]:
    r"""Weights of :math:`\mathbf{I} - \mathbf{L}`, the Laplacian's off-diagonal part.

    .. math::
        \mathbf{L} = \mathbf{I} - \mathbf{D}^{-1/2} \mathbf{A} \mathbf{D}^{-1/2}, \qquad
        d_j = \sum_{i} w_{ji}

    with self-loops left out. Values are those of PyG's ``get_laplacian`` with
    ``normalization="sym"``: on directed graphs the degree counts outgoing edges, unlike
    that of :func:`gcn_norm`. The edges come sorted by destination. Without
    ``edge_weight`` the result is computed once per ``edge_index``.

    Args:
        edge_index: The edges; see :meth:`Csr.from_edge_index` for the accepted forms.
        edge_weight: One weight per edge, by default a sparse matrix's values, or 1.
        num_nodes: Number of nodes.
        dtype: Type of the weights where none are given.

    Shapes:
        - **edge_index:** :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** :math:`(|\mathcal{E}|)` *(optional)*
        - **output:** edges :math:`(2, |\mathcal{E}^{\prime}|)` and weights
          :math:`(|\mathcal{E}^{\prime}|)`
    """
    if torch.compiler.is_compiling():
        dtype = dtype or torch.get_default_dtype()
        return _compiled.normalize(edge_index, edge_weight, num_nodes, "sym", dtype)
    if edge_weight is None:
        edge_weight = matrix_values(edge_index)
    if edge_weight is not None:
        return _normalize(edge_index, edge_weight, num_nodes)

    def build() -> tuple[Tensor, Tensor]:
        graph = as_csr(edge_index, num_nodes)
        ones = torch.ones(graph.num_edges, dtype=dtype, device=graph.device)
        return _normalize(edge_index, ones, num_nodes)

    dtype = dtype or torch.get_default_dtype()
    return cached(edge_index, ("sym_norm", num_nodes, dtype), build)


def _normalize(edge_index: Graph, edge_weight: Tensor, num_nodes: int):
    edges, weight = without_self_loops(edge_index, num_nodes, edge_weight)
    return edges, scale_by_degree(edges, weight, edges[0], num_nodes)
