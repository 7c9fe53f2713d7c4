"""Graphs as histograms of their Weisfeiler-Leman colours."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy.sparse import csr_array, hstack
from torch_geometric.data import Data

from graphlab.analysis._graph_union import graph_union
from graphlab.analysis._initial_colors import Init
from graphlab.analysis._refinement import Palette, refine
from graphlab.analysis.wl_colors import check_arguments, histograms
from graphlab.errors import ArgumentError


class WLEncoder:
    r"""Histograms of Weisfeiler-Leman colours: the encoder :math:`\lambda_T`.

    .. math::
        \lambda_T(G)_c = | \{ v \in \mathcal{V}_G : c^T(v) = c \} |

    with the colours of :func:`~graphlab.analysis.wl_colors`. A message-passing network
    of :math:`T` layers, whatever its weights, gives equal outputs to graphs with equal
    histograms; for how many rounds an architecture needs see
    :func:`~graphlab.analysis.wl_rounds`.

    Args:
        rounds: Number :math:`T` of refinement rounds.
        init: What nodes start with: ``"label"``, ``"attribute"``, ``"degree"`` or
            ``"none"``; see :func:`~graphlab.analysis.wl_colors`.
        patterns: Patterns whose rooted homomorphism counts nodes start with as well,
            which makes 1-WL to F-WL.
        normalize: ``"l1"`` divides each row by its sum. Any two rows are then at most
            :math:`\sqrt{2}` apart, but no longer tell the number of nodes: such rows
            bound networks that average over nodes, and not those that sum.
        cumulative: Whether the colours of all rounds are counted side by side, as
            in the `Weisfeiler-Lehman subtree kernel
            <https://www.jmlr.org/papers/v12/shervashidze11a.html>`_, not only those of
            the last.
        exact: Compare multisets as they are instead of by hashes.
        use_edge_labels: Whether neighbours come with the label of their edge.

    Shapes:
        - **graphs:** :math:`G` graphs
        - **output:** a :class:`scipy.sparse.csr_array` of counts (int64) or shares
          (float64), :math:`(G, C)`

    Raises:
        ArgumentError: If an argument is not accepted, graphs lack what it needs, or
            :meth:`transform` comes before :meth:`fit`.

    Example:
        >>> def path(n):
        ...     there = torch.tensor([range(n - 1), range(1, n)])
        ...     edges = torch.cat([there, there.flip(0)], 1)
        ...     return Data(edge_index=edges, num_nodes=n)
        >>> encoder = WLEncoder(rounds=1, init="none")
        >>> encoder.fit_transform([path(2), path(4)]).toarray()
        array([[2, 0],
               [2, 2]])
        >>> encoder.transform([path(1), path(3)]).toarray()  # path(1) has a new colour
        array([[0, 0, 1],
               [2, 1, 0]])
    """

    def __init__(
        self,
        rounds: int,
        init: Init = "label",
        patterns: Sequence[str] = (),
        normalize: Literal["l1"] | None = None,
        cumulative: bool = False,
        exact: bool = False,
        use_edge_labels: bool = False,
    ):
        check_arguments(rounds, init)
        if normalize not in (None, "l1"):
            raise ArgumentError(f"normalize must be 'l1' or None, got {normalize!r}")
        self.rounds, self.init, self.patterns = rounds, init, patterns
        self.normalize, self.cumulative = normalize, cumulative
        self.exact, self.use_edge_labels = exact, use_edge_labels
        self._palette: Palette | None = None

    @property
    def num_colors(self) -> tuple[int, ...]:
        """Number of colours of the graphs of ``fit``, for each round from 0 on."""
        return tuple(map(len, self._fitted().rounds))

    def fit(self, graphs: Sequence[Data]) -> "WLEncoder":
        """Take the colours of some graphs as the columns.

        Args:
            graphs: The graphs.
        """
        self.fit_transform(graphs)
        return self

    def fit_transform(self, graphs: Sequence[Data]) -> csr_array:
        """Take the colours of some graphs as the columns, and count them.

        Args:
            graphs: The graphs.
        """
        return self._encode(graphs, None)

    def transform(self, graphs: Sequence[Data]) -> csr_array:
        """Count the colours of graphs.

        Colours that :meth:`fit` has not met have columns behind those of the fit, in
        an order that depends only on the set of graphs that is given. They are
        forgotten afterwards: such columns of two calls have nothing to do with each
        other, so graphs that are to be compared belong into one call.

        Args:
            graphs: The graphs.
        """
        return self._encode(graphs, self._fitted())

    def _fitted(self) -> Palette:
        if self._palette is None:
            raise ArgumentError("transform: call fit or fit_transform first")
        return self._palette

    def _encode(self, graphs: Sequence[Data], known: Palette | None) -> csr_array:
        union = graph_union(graphs)
        found = refine(
            *(union, self.rounds, self.init, self.patterns),
            *(self.use_edge_labels, self.exact, known),
        )
        self._palette = known or found.palette
        rounds = range(0 if self.cumulative else self.rounds, self.rounds + 1)
        tables = [
            histograms(found.colors[t], union.ptr, found.num_colors[t]) for t in rounds
        ]
        fitted = [self.num_colors[t] for t in rounds]
        return self._normalized(_side_by_side(tables, fitted))

    def _normalized(self, table: csr_array) -> csr_array:
        if self.normalize is None:
            return table
        sums = np.maximum(table.sum(axis=1), 1)  # a graph without nodes stays zero
        share = table.data / np.repeat(sums, np.diff(table.indptr))
        return csr_array((share, table.indices, table.indptr), shape=table.shape)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(rounds={self.rounds}, init={self.init!r})"


def _side_by_side(tables: list[csr_array], fitted: list[int]) -> csr_array:
    """The columns of the fit of all rounds, then all those that are new."""
    if len(tables) == 1:
        return tables[0]
    pairs = list(zip(tables, fitted, strict=True))
    old = [table[:, :known] for table, known in pairs]
    new = [table[:, known:] for table, known in pairs]
    return hstack([*old, *new], format="csr")
