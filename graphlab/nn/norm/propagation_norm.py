"""How much the edges of a graph can amplify features."""

import math

import torch
from torch import Tensor

from graphlab.ops import spmm
from graphlab.ops.spmm import Graph, as_csr

_ALWAYS_POSITIVE = 1e-12


@torch.no_grad()
def propagation_norm(
    edge_index: Graph,
    edge_weight: Tensor | None = None,
    num_nodes: int | None = None,
    num_iterations: int = 50,
) -> float:
    r"""Upper bound of the spectral norm of a propagation matrix.

    .. math::
        \lVert \mathbf{P} \rVert_2^2 \le \max_j \frac{
        (|\mathbf{P}|^{\top} |\mathbf{P}| \mathbf{v})_j}{v_j}
        \quad \text{for every } \mathbf{v} > 0

    the bound of Collatz and Wielandt, at the best of the vectors that power iteration
    passes through. It holds whether or not the iteration converged, up to rounding in
    double precision. The first vector is the root of the degrees, for which it is
    exactly 1 on an undirected graph with symmetric normalization. Averages over
    neighbours, :math:`\mathbf{D}^{-1} \mathbf{A}`, can have a norm above 1.

    Args:
        edge_index: The edges; see :meth:`Csr.from_edge_index` for the accepted forms.
        edge_weight: One weight per edge, by default 1.
        num_nodes: Number of nodes, by default read off the largest index.
        num_iterations: Steps of the power iteration; more make the bound tighter.

    Shapes:
        - **edge_index:** :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** :math:`(|\mathcal{E}|)` *(optional)*
    """
    graph = as_csr(edge_index, num_nodes)
    if graph.num_edges == 0:
        return 0.0
    if edge_weight is None:
        edge_weight = torch.ones(graph.num_edges, device=graph.device)
    weight = edge_weight.detach().double().abs()
    vector = spmm(graph.t(), weight.new_ones(graph.num_dst, 1)).clamp(min=1).sqrt()
    best = math.inf
    for _ in range(num_iterations):
        image = spmm(graph.t(), spmm(graph, vector, weight), weight)
        best = min(best, float((image / vector).max()))
        vector = image / image.max() + _ALWAYS_POSITIVE
    return math.sqrt(best)
