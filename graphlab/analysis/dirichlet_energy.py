"""How much features differ along edges."""

from torch import Tensor

from graphlab.analysis._checks import in_double
from graphlab.analysis._graph import smooth_graph
from graphlab.analysis.distances import off_degree_subspace
from graphlab.ops import spmm
from graphlab.ops.spmm import Graph


def dirichlet_energy(x: Tensor, edge_index: Graph, relative: bool = False) -> Tensor:
    r"""Dirichlet energy: squared differences along edges, normalized by degrees.

    As in `"A Note on Over-Smoothing for Graph Neural Networks"
    <https://arxiv.org/abs/2006.13318>`_:

    .. math::
        E(\mathbf{X}) = \frac{1}{2} \sum_{i, j} a_{ij} \left\|
        \frac{\mathbf{x}_i}{\sqrt{1 + \deg_i}} - \frac{\mathbf{x}_j}{\sqrt{1 + \deg_j}}
        \right\|^2 = \mathrm{tr} ( \mathbf{X}^{\top} ( \mathbf{I} - \mathbf{\hat{A}} )
        \mathbf{X} )

    summed over both directions of each edge, with :math:`\mathbf{\hat{A}}` as in
    :func:`~graphlab.ops.gcn_norm`. It is zero on the degree subspace of
    :func:`distance_to_degree_subspace` and nowhere else. No edge-wise tensor is
    written: it is one sparse product. Computed in float64, and differentiable.

    Args:
        x: Node features. Values that are infinite or not a number give NaN.
        edge_index: The edges. A directed graph is made undirected by
            :math:`(\mathbf{A} + \mathbf{A}^{\top}) / 2`; self-loops are replaced by one
            per node, which adds nothing; weights are not looked at.
        relative: Divide by :math:`\| \mathbf{X} \|_F^2`. This Rayleigh quotient lies in
            :math:`[0, 2)`; features that are all zero give NaN.

    Shapes:
        - **x:** :math:`(|\mathcal{V}|, F)`
        - **edge_index:** :math:`(2, |\mathcal{E}|)`
        - **output:** a float64 number, :math:`()`

    Raises:
        ArgumentError: If ``x`` is not a dense floating point matrix, or does not fit
            the graph.

    Example:
        >>> edge = torch.tensor([[0, 1], [1, 0]])
        >>> dirichlet_energy(torch.tensor([[2.0], [0.0]]), edge)
        tensor(2., dtype=torch.float64)
    """
    x = in_double(x)
    graph = smooth_graph(edge_index, x.size(0))
    # The smooth part has no energy. Taken off first it cannot drown the rest either.
    rough = off_degree_subspace(x, graph)
    energy = (rough * (rough - spmm(graph.edges, rough, graph.weight))).sum()
    energy = energy.clamp(min=0)
    return energy / x.square().sum() if relative else energy
