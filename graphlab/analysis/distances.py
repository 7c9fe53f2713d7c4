"""How far features are from those that do not tell nodes apart."""

import torch
from torch import Tensor

from graphlab.analysis._checks import in_double
from graphlab.analysis._graph import SmoothGraph, smooth_graph
from graphlab.ops import scatter
from graphlab.ops.spmm import Graph


def distance_to_constant(x: Tensor, relative: bool = False) -> Tensor:
    r"""Distance of the features from the nearest that are equal on all nodes.

    The similarity measure of `"Demystifying Oversmoothing in Attention-Based Graph
    Neural Networks" <https://arxiv.org/abs/2305.16102>`_:

    .. math::
        \mu(\mathbf{X}) = \left\| \mathbf{X} - \tfrac{1}{N} \mathbf{1}
        \mathbf{1}^{\top} \mathbf{X} \right\|_F

    With ``relative=True`` divided by :math:`\| \mathbf{X} \|_F`: the share of the norm
    in :math:`[0, 1]` that tells nodes apart, which does not see the norm itself
    vanish or explode.

    Args:
        x: Node features. Values that are infinite or not a number give NaN.
        relative: Divide by the norm; features that are all zero then give NaN.

    Shapes:
        - **x:** :math:`(|\mathcal{V}|, F)`
        - **output:** a float64 number, :math:`()`

    Raises:
        ArgumentError: If ``x`` is not a dense floating point matrix.

    Example:
        >>> distance_to_constant(torch.tensor([[1.0], [3.0]]))
        tensor(1.4142, dtype=torch.float64)
    """
    x = in_double(x)
    return _length(x - x.mean(0), x, relative)


def distance_to_degree_subspace(
    x: Tensor, edge_index: Graph, relative: bool = False
) -> Tensor:
    r"""Distance of the features from what graph convolutions smooth them to.

    The subspace :math:`\mathcal{M}` of `"Graph Neural Networks Exponentially Lose
    Expressive Power for Node Classification" <https://arxiv.org/abs/1905.10947>`_
    , in the notation of one direction per connected component :math:`c`:

    .. math::
        d_{\mathcal{M}}(\mathbf{X}) = \left\| \mathbf{X} - \sum_c \frac{\mathbf{v}_c
        \mathbf{v}_c^{\top} \mathbf{X}}{\| \mathbf{v}_c \|^2} \right\|_F, \qquad
        (\mathbf{v}_c)_i = \begin{cases} \sqrt{\deg_i + 1} & i \in c \\ 0 & \text{else}
        \end{cases}

    :math:`\mathbf{\hat{A}} \mathbf{v}_c = \mathbf{v}_c`, so these signals pass any
    number of graph convolutions, and only they do. Components are found once per
    ``edge_index``.

    Args:
        x: Node features. Values that are infinite or not a number give NaN.
        edge_index: The edges. A directed graph is made undirected by
            :math:`(\mathbf{A} + \mathbf{A}^{\top}) / 2`; self-loops are replaced by one
            per node; weights are not looked at.
        relative: Divide by :math:`\| \mathbf{X} \|_F`, which gives a share in
            :math:`[0, 1]`; features that are all zero then give NaN.

    Shapes:
        - **x:** :math:`(|\mathcal{V}|, F)`
        - **edge_index:** :math:`(2, |\mathcal{E}|)`
        - **output:** a float64 number, :math:`()`

    Raises:
        ArgumentError: If ``x`` is not a dense floating point matrix, or does not fit
            the graph.

    Example:
        >>> path = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
        >>> smooth = torch.tensor([[2.0], [3.0], [2.0]]).sqrt()
        >>> bool(distance_to_degree_subspace(smooth, path) < 1e-6)
        True
    """
    x = in_double(x)
    graph = smooth_graph(edge_index, x.size(0))
    return _length(off_degree_subspace(x, graph), x, relative)


def off_degree_subspace(x: Tensor, graph: SmoothGraph) -> Tensor:
    """The part of the features that is orthogonal to all degree directions."""
    number = graph.power.size(0)
    along = scatter(graph.direction * x, graph.component, number) / graph.power
    return x - graph.direction * along[graph.component]


def _length(part: Tensor, whole: Tensor, relative: bool) -> Tensor:
    length = torch.linalg.vector_norm(part)
    if not relative:
        return length
    return (length / torch.linalg.vector_norm(whole)).clamp(max=1)
