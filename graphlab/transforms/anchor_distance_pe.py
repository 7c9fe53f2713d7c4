"""Positional encodings: how close each node is to a few anchors."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch_geometric.data import Data
from torch_geometric.transforms import BaseTransform

from ..errors import ArgumentError
from ..ops import (
    anchor_distances,
    degree_anchors,
    distance_similarity,
    farthest_point_anchors,
    pagerank_anchors,
    random_anchors,
)

Selector = Callable[[Tensor, int, int, Generator | None], Tensor]
SELECTORS: dict[str, Selector] = {
    "random": random_anchors,
    "degree": degree_anchors,
    "pagerank": pagerank_anchors,
    "farthest_point": farthest_point_anchors,
}


class AddAnchorDistancePE(BaseTransform):
    r"""Adds the closeness of each node to :math:`k` anchors as positional encoding.

    .. math::
        \mathbf{p}_v = \left[ \frac{1}{d(v, a_1) + 1}, \ldots,
        \frac{1}{d(v, a_k) + 1} \right]

    with shortest-path distances :math:`d` and 0 where there is no path; the similarity
    is that of the `"Position-aware Graph Neural Networks"
    <https://arxiv.org/abs/1906.04817>`_ paper. Any model can use it, and unlike
    eigenvectors it has neither signs nor rotations to be arbitrary. The anchors go to
    ``data.anchor_index``; batches number them like edges.

    For link prediction the graph must hold training edges only, or the encoding tells
    about the others. Apply it to single graphs, before they are batched.

    Args:
        k: Number of anchors, or the anchors themselves as integers :math:`(k)`. A graph
            of fewer nodes than ``k`` has all of them as anchors; the columns left over
            are as those of unreachable anchors, so that all graphs of a dataset get the
            same width.
        selector: Chooses the anchors: ``"farthest_point"`` (spread out, one search per
            anchor), ``"random"``, ``"degree"``, ``"pagerank"``, or a function of
            ``(edge_index, num_nodes, k, generator)``; see
            :func:`~graphlab.ops.farthest_point_anchors`.
        attr_name: Name of the attribute. With :obj:`None` the encoding is appended to
            ``data.x``.
        similarity: Whether to write similarities, float32. If not, distances are
            written, as :func:`~graphlab.ops.anchor_distances` returns them.
        cutoff: Nodes farther away count as unreachable.
        direction: ``"to"``, ``"from"`` or ``"both"``: which way edges are followed; see
            :func:`~graphlab.ops.anchor_distances`.
        weighted: Whether ``data.edge_weight`` holds the lengths of the edges. The
            choice of anchors does not look at it.
        seed: Seed of the choice, the same for every graph, so that a graph always gets
            the same anchors. With :obj:`None` torch's default generator is used.

    Raises:
        ArgumentError: If an argument is not accepted, or (when applied) if the data has
            no ``edge_index``, or an attribute that is asked for is missing.

    Example:
        >>> data = Data(edge_index=torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]))
        >>> data.num_nodes = 3
        >>> AddAnchorDistancePE(torch.tensor([0]))(data).anchor_pe
        tensor([[1.0000],
                [0.5000],
                [0.3333]])
    """

    def __init__(
        self,
        k: int | Tensor,
        selector: str | Selector = "farthest_point",
        attr_name: str | None = "anchor_pe",
        *,
        similarity: bool = True,
        cutoff: float | None = None,
        direction: str = "to",
        weighted: bool = False,
        seed: int | None = 0,
    ) -> None:
        if not callable(selector) and selector not in SELECTORS:
            raise ArgumentError(
                f"selector: got {selector!r}; accepted are "
                f"{', '.join(map(repr, SELECTORS))} or a function"
            )
        is_count = isinstance(k, int) and not isinstance(k, bool) and k >= 0
        if not is_count and not isinstance(k, Tensor):
            raise ArgumentError(
                f"k: got {k!r}; accepted is an integer >= 0 or a tensor of anchors"
            )
        self.k, self.selector, self.attr_name = k, selector, attr_name
        self.similarity, self.cutoff, self.direction = similarity, cutoff, direction
        self.weighted, self.seed = weighted, seed

    def forward(self, data: Data) -> Data:
        """Return the data with the encoding and ``anchor_index``."""
        needed = ["edge_index"] + ["edge_weight"] * self.weighted
        for name in needed:
            if data.get(name) is None:
                raise ArgumentError(
                    f"data: has no {name}; accepted is data with {' and '.join(needed)}"
                )
        anchors = self._anchors(data)
        encoding = anchor_distances(
            data.edge_index,
            anchors,
            data.num_nodes,
            edge_weight=data.edge_weight if self.weighted else None,
            cutoff=self.cutoff,
            direction=self.direction,
        )
        if self.similarity:
            encoding = distance_similarity(encoding)
        data.anchor_index = anchors
        return self._attach(data, self._padded(encoding))

    def _anchors(self, data: Data) -> Tensor:
        if isinstance(self.k, Tensor):
            return self.k.to(data.edge_index.device)
        generator = None
        if self.seed is not None:
            generator = Generator().manual_seed(self.seed)
        select = SELECTORS.get(self.selector, self.selector)
        number = min(self.k, data.num_nodes)
        found = select(data.edge_index, data.num_nodes, number, generator)
        found = torch.as_tensor(found, device=data.edge_index.device)
        if found.shape != (number,):
            raise ArgumentError(
                f"selector: returned a tensor of shape {list(found.shape)}; accepted "
                f"are {number} nodes"
            )
        return found

    def _padded(self, encoding: Tensor) -> Tensor:
        if isinstance(self.k, Tensor) or encoding.size(1) == self.k:
            return encoding
        unreachable = float("inf") if encoding.is_floating_point() else -1
        missing = (encoding.size(0), self.k - encoding.size(1))
        value = 0 if self.similarity else unreachable
        return torch.cat([encoding, encoding.new_full(missing, value)], 1)

    def _attach(self, data: Data, encoding: Tensor) -> Data:
        if self.attr_name is not None:
            data[self.attr_name] = encoding
            return data
        x = data.get("x")
        if x is not None:
            x = x.unsqueeze(1) if x.dim() == 1 else x
            encoding = torch.cat([x, encoding.to(x.dtype)], 1)
        data.x = encoding
        return data

    def __repr__(self) -> str:
        k = self.k.tolist() if isinstance(self.k, Tensor) else self.k
        selector = getattr(self.selector, "__name__", self.selector)
        return (
            f"{self.__class__.__name__}(k={k}, selector={selector!r}, "
            f"attr_name={self.attr_name!r}, seed={self.seed})"
        )
