"""A residual layer that amplifies no more than its bound says."""

import math
from collections.abc import Callable
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from graphlab.errors import ArgumentError
from graphlab.nn._checks import check_positive
from graphlab.nn.conv._linear_parts import (
    is_bounded,
    linear_parts,
    propagation_on,
    usual_propagation,
)
from graphlab.nn.linear import FeatureLinear
from graphlab.nn.norm.lipschitz_norm import bounded_weights, lipschitz_norm, unbounded
from graphlab.ops.spmm import Graph


class LipschitzResidualBlock(nn.Module):
    r"""A residual connection around a message-passing layer of bounded amplification.

    After `"Taming Gradient Oversmoothing and Expansion in Graph Neural Networks"
    <https://arxiv.org/abs/2410.04824>`_ (a withdrawn preprint):

    .. math::
        \mathbf{X}^{\prime} = \mathbf{X} + \sigma ( g(\mathbf{X}) ), \qquad
        g(\mathbf{X}) = \sum_{k=1}^{K} \mathbf{P}_k \mathbf{X} \mathbf{W}_k
        + \mathbf{b}, \qquad \lVert \mathbf{W}_k \rVert \le \frac{c}{K}

    :class:`~graphlab.nn.GCNConv` has one weight (:math:`K = 1`);
    :class:`~graphlab.nn.SAGEConv` has two, with :math:`\mathbf{P}_1 = \mathbf{I}` for
    the node itself, so that by the triangle inequality both together amplify by at most
    :math:`(1 + \lVert \mathbf{P}_2 \rVert) \, c / 2`. Of attention, each head's weight
    is bounded by itself, but not the attention vectors: scores depend on
    :math:`\mathbf{X}`, and no bound holds for all of them.

    Args:
        conv: A layer like :class:`~graphlab.nn.GCNConv`,
            :class:`~graphlab.nn.SAGEConv` or :class:`~graphlab.nn.GATConv`, ours or
            PyG's, with outputs as wide as its inputs. It is changed in place.
        c: Bound :math:`c` of the layer. To have one that depends on the depth, see
            :func:`~graphlab.nn.resolve_bound`.
        norm: ``"spectral"`` or ``"frobenius"``; see
            :class:`~graphlab.nn.LipschitzNorm`.
        mode: ``"soft"`` or ``"hard"``.
        act: The activation :math:`\sigma`. The bound takes it to be 1-Lipschitz, as
            ReLU, ELU and tanh are.
        num_iterations: Steps of the power iteration per change of the weights.
        certified: Whether spectral norms are taken exactly, by SVD.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** edge weights :math:`(|\mathcal{E}|)` *(optional, where the
          layer takes them)*
        - **output:** node features :math:`(|\mathcal{V}|, F)`

    Raises:
        ArgumentError: An argument is not accepted, the layer is not as wide as its
            inputs, or it is of another kind.

    Example:
        >>> from graphlab.nn import GCNConv
        >>> block = LipschitzResidualBlock(GCNConv(16, 16), c=0.1, certified=True)
        >>> block(torch.randn(3, 16), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 16])
        >>> block.bound() < 1.1001
        True

    .. note::
        The exact formula of the paper is not available offline; this follows its public
        reviews, which describe a spectral normalization of each layer's weight.
    """

    def __init__(
        self,
        conv: nn.Module,
        c: float = 1.0,
        norm: Literal["spectral", "frobenius"] = "spectral",
        mode: Literal["soft", "hard"] = "soft",
        act: Callable[[Tensor], Tensor] = F.relu,
        num_iterations: int = 2,
        certified: bool = False,
    ):
        super().__init__()
        check_positive("c", c, "; resolve_bound turns '3/L' into one")
        if not callable(act):
            raise ArgumentError(f"act: must be a function of a tensor, not {act!r}")
        lins = [lin for lin, _ in linear_parts(conv)]
        if bounded_weights(conv):
            raise ArgumentError("conv: its weights are bounded already")
        self.conv, self.act = conv, act
        for lin in lins:
            lipschitz_norm(
                lin,
                c=c / len(lins),
                norm=norm,
                mode=mode,
                num_iterations=num_iterations,
                certified=certified,
                num_blocks=getattr(conv, "heads", 1),
                dim=-1 if isinstance(lin, FeatureLinear) else 0,
            )

    def reset_parameters(self) -> None:
        """Draw new weights."""
        with unbounded(self):
            self.conv.reset_parameters()

    def forward(  # noqa: D102
        self, x: Tensor, edge_index: Graph, edge_weight: Tensor | None = None
    ) -> Tensor:
        weights = () if edge_weight is None else (edge_weight,)
        return x + self.act(self.conv(x, edge_index, *weights))

    def bound(self, propagation: float | None = None) -> float:
        r"""How much the block amplifies differences of its input at most.

        .. math::
            1 + \sum_k \lVert \mathbf{P}_k \rVert \lVert \mathbf{W}_k \rVert_2

        from the singular values of the weights as they are, so that it holds even where
        power iteration let them exceed ``c``.

        Args:
            propagation: Norm of the matrix that sends features along the edges, from
                :meth:`propagation`. By default 1 for GCN, which holds for its
                normalization (by the layer, or of edges that come normalized) of an
                undirected graph with positive weights; 1 for averages, which holds if
                features are measured by the largest norm of a node,
                :math:`\max_i \lVert \mathbf{x}_i \rVert_2`; and infinite for sums and
                extremes, which depend on the graph.

        Returns:
            The bound; infinite for attention and for normalized outputs, where there
            is none.
        """
        if not is_bounded(self.conv):
            return math.inf
        if propagation is None:
            propagation = usual_propagation(self.conv)
        return 1.0 + sum(
            (propagation if sent else 1.0) * _certified(lin)
            for lin, sent in linear_parts(self.conv)
        )

    def propagation(
        self, edge_index: Graph, num_nodes: int, edge_weight: Tensor | None = None
    ) -> float:
        r"""Upper bound of the norm with which the layer sends features along a graph.

        Args:
            edge_index: The edges.
            num_nodes: Number of nodes.
            edge_weight: One weight per edge, by default 1.

        Shapes:
            - **edge_index:** :math:`(2, |\mathcal{E}|)`
            - **edge_weight:** :math:`(|\mathcal{E}|)` *(optional)*

        Returns:
            The bound, from :func:`~graphlab.nn.propagation_norm`; infinite for
            attention and for reductions other than sum, mean, maximum and minimum.
        """
        return propagation_on(self.conv, edge_index, num_nodes, edge_weight)


def _certified(lin: nn.Module) -> float:
    parametrization = lin.parametrizations.weight
    return parametrization[-1].bound(parametrization.original)
