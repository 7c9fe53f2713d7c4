"""Anchors of a graph by any rule, or learned."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor, nn

from graphlab.errors import ArgumentError
from graphlab.nn._checks import check_count
from graphlab.nn.anchors.anchors import Anchors
from graphlab.nn.anchors.learned_anchors import LearnedAnchors
from graphlab.nn.linear import num_nodes_of
from graphlab.ops import (
    Csr,
    SparseFeatures,
    anchor_distances,
    bourgain_sets,
    closest_members,
    degree_anchors,
    farthest_point_anchors,
    pagerank_anchors,
    random_anchors,
)
from graphlab.ops._cache import cached
from graphlab.ops.anchor_quality import anchor_quality
from graphlab.ops.spmm import Graph

Rule = Callable[[Tensor, int, int, Generator | None], Tensor]
RULES: dict[str, Rule] = {
    "random": random_anchors,
    "farthest_point": farthest_point_anchors,
    "degree": degree_anchors,
    "pagerank": pagerank_anchors,
}
FACT_PAIRS = 10_000


class AnchorSelector(nn.Module):
    r"""Chooses the anchors of a graph and finds the distances to them.

    The two steps of every position-aware network, after the `"Position-aware Graph
    Neural Networks" <https://arxiv.org/abs/1906.04817>`_ paper: anchors
    :math:`a_1, \ldots, a_K`, then

    .. math::
        \mathbf{D}_{vk} = d(v, a_k)

    in hops, every edge taken as undirected, -1 where there is no path.
    :meth:`prepare` does what does not depend on features or weights, once a graph;
    calling the module does the rest, which is nothing but for ``"learned"``.

    Args:
        method: ``"random"`` nodes; ``"farthest_point"``, spread out; ``"degree"``;
            ``"pagerank"``; ``"bourgain"``, P-GNN's random sets, of which each node sees
            the closest member; ``"learned"``, see :class:`LearnedAnchors`; or a
            function of ``(edge_index, num_nodes, k, generator)`` that returns ``k``
            nodes.
        num_anchors: Number :math:`K` of anchors; a graph with fewer nodes has all of
            them as anchors. Only ``"bourgain"`` takes :obj:`None`, for
            :math:`\lfloor \log_2 |\mathcal{V}| \rfloor^2` sets.
        in_channels: Size :math:`F` of the features, for ``"learned"``.
        cutoff: Nodes farther away than so many hops count as unreachable.
        seed: Seed of the choice where no generator is given. The same seed gives a
            graph the same anchors.
        **kwargs: Additional arguments of :class:`LearnedAnchors`.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** lengths of edges :math:`(|\mathcal{E}|)` *(optional)*
        - **output:** :class:`Anchors`

    Raises:
        ArgumentError: If an argument is not accepted.

    Example:
        >>> select = AnchorSelector("farthest_point", num_anchors=2)
        >>> path = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
        >>> anchors = select(torch.ones(3, 1), path)
        >>> anchors.distances.shape, select.facts()["resolved"]
        (torch.Size([3, 2]), 1.0)
    """

    def __init__(
        self,
        method: str | Rule = "farthest_point",
        num_anchors: int | None = 16,
        in_channels: int | None = None,
        cutoff: int | None = None,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__()
        names = (*RULES, "bourgain", "learned")
        if not callable(method) and method not in names:
            raise ArgumentError(
                f"method: must be a function or one of {', '.join(map(repr, names))}, "
                f"not {method!r}"
            )
        if num_anchors is not None or method != "bourgain":
            check_count("num_anchors", num_anchors)
        self.method, self.num_anchors = method, num_anchors
        self.cutoff, self.seed = cutoff, seed
        self.learned = None
        if method == "learned":
            self.learned = LearnedAnchors(in_channels, num_anchors, **kwargs)
        elif kwargs:
            raise ArgumentError(
                f"{', '.join(kwargs)}: only for method 'learned', not {method!r}"
            )
        self._last: Anchors | None = None

    @property
    def num_columns(self) -> int:
        """Candidates, if there are some, or anchors; 0 if that depends on the graph."""
        if self.learned is not None:
            return self.learned.num_candidates
        return self.num_anchors or 0

    def reset_parameters(self) -> None:
        """Draw new weights."""
        if self.learned is not None:
            self.learned.reset_parameters()

    @torch.no_grad()
    def prepare(
        self,
        edge_index: Graph,
        num_nodes: int,
        generator: Generator | None = None,
        edge_weight: Tensor | None = None,
    ) -> Anchors:
        """Draw the anchors of a graph, or the candidates of the learned choice."""
        if generator is None:
            generator = Generator().manual_seed(self.seed)
        if self.method == "bourgain":
            if edge_weight is not None:
                raise ArgumentError(
                    "edge_weight: accepted with single nodes as anchors only; method "
                    "'bourgain' takes sets, whose closest members are found by hops"
                )
            sets = bourgain_sets(num_nodes, self.num_anchors, generator)
            return Anchors(
                *closest_members(edge_index, sets, num_nodes, cutoff=self.cutoff)
            )
        rule, number = RULES.get(self.method, self.method), self.num_anchors
        if self.learned is not None:
            rule, number = random_anchors, self.learned.num_candidates
        number = min(number, num_nodes)
        nodes = rule(edge_index, num_nodes, number, generator)
        if not isinstance(nodes, Tensor) or nodes.shape != (number,):
            got = list(nodes.shape) if isinstance(nodes, Tensor) else repr(nodes)
            raise ArgumentError(f"method: must return {number} nodes, not {got}")
        distances = anchor_distances(
            edge_index,
            nodes,
            num_nodes,
            edge_weight=edge_weight,
            cutoff=self.cutoff,
            direction="both",
        )
        return Anchors(nodes, distances)

    def forward(  # noqa: D102
        self,
        x: Tensor | SparseFeatures,
        edge_index: Graph,
        edge_weight: Tensor | None = None,
        *,
        anchors: Anchors | None = None,
    ) -> Anchors:
        num_nodes = num_nodes_of(x)
        if anchors is None:
            anchors = self._remembered(num_nodes, edge_index, edge_weight)
        elif anchors.distances.size(0) != num_nodes:
            raise ArgumentError(
                f"anchors: must have distances of {num_nodes} nodes, as x has, not of "
                f"{anchors.distances.size(0)}"
            )
        if self.learned is not None:
            anchors = self.learned(x, edge_index, anchors)
        if not torch._C._are_functorch_transforms_active():
            self._last = anchors.chosen()
        return anchors

    def _remembered(
        self, num_nodes: int, edge_index: Graph, edge_weight: Tensor | None
    ) -> Anchors:
        """What :meth:`prepare` gives with the own seed, once for each graph."""
        graph = Csr.from_edge_index(edge_index, num_nodes)
        size = None if self.learned is None else self.learned.num_candidates
        key = ("anchors", self.method, self.num_anchors, size, self.cutoff, self.seed)
        owner = graph
        if edge_weight is not None:  # the lengths belong to these weights only
            owner, key = edge_weight, (*key, graph.number)
        return cached(
            owner,
            key,
            lambda: self.prepare(graph, num_nodes, edge_weight=edge_weight),
        )

    def facts(self, radius: float = 2) -> dict[str, Any]:
        """What the anchors of the last call are like; empty before the first.

        Args:
            radius: Number of hops within which a node counts as covered.

        Returns:
            The numbers of :func:`~graphlab.ops.anchor_quality`, ``radius``,
            ``num_anchors``, for single nodes ``anchors``, and for the learned choice
            its ``temperature`` and ``spread``.
        """
        if self._last is None:
            return {}
        last = self._last
        generator = Generator().manual_seed(0)
        quality = anchor_quality(last.distances, radius, FACT_PAIRS, generator)
        facts = {**quality._asdict(), "radius": radius}
        facts["num_anchors"] = last.distances.size(1)
        if last.nodes.dim() == 1:
            facts["anchors"] = last.nodes.tolist()
        if self.learned is not None:
            facts |= self.learned.facts()
        return facts

    def extra_repr(self) -> str:  # noqa: D102
        method = getattr(self.method, "__name__", self.method)
        return f"{method}, num_anchors={self.num_anchors}, cutoff={self.cutoff}"
