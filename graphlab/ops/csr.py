"""The one graph structure that every operation works on."""

import functools
import itertools
import weakref

import torch
from torch import Tensor
from torch_geometric import EdgeIndex

from graphlab.errors import ArgumentError
from graphlab.ops._cache import cached, plainly

Size = int | tuple[int, int] | None
_numbers = itertools.count()
_alive: "weakref.WeakValueDictionary[int, Csr]" = weakref.WeakValueDictionary()


class Csr:
    r"""The edges of a graph, grouped by destination (compressed sparse rows).

    Row :math:`i` lists the incoming edges of node :math:`i`, that is, messages flow
    from source to destination as everywhere in PyG:

    .. math::
        \mathbf{x}^{\prime}_i = \sum_{p = \mathrm{rowptr}_i}^{\mathrm{rowptr}_{i+1} - 1}
        w_{\mathrm{perm}_p} \mathbf{x}_{\mathrm{col}_p}

    Edge-wise values (weights, scores, gradients) always keep the order of
    ``edge_index``; operations go through ``perm`` themselves.

    Args:
        rowptr: Start of each row, int32.
        col: Source node of each position, int32.
        perm: Edge that stands at each position, int32, or :obj:`None` if the edges
            came sorted by destination and the two orders are the same.
        num_src: Number of source nodes.
        num_dst: Number of destination nodes.

    Shapes:
        - **rowptr:** :math:`(|\mathcal{V}_d| + 1)`
        - **col:** :math:`(|\mathcal{E}|)`
        - **perm:** :math:`(|\mathcal{E}|)` *(optional)*
    """

    def __init__(
        self,
        rowptr: Tensor,
        col: Tensor,
        perm: Tensor | None,
        num_src: int,
        num_dst: int,
    ):
        self.rowptr, self.col, self.perm = rowptr, col, perm
        self.num_src, self.num_dst = num_src, num_dst
        self.cache: dict = {}  # what backends derive from the structure
        self.number = next(_numbers)  # unlike an id, never given to another graph
        self.handle = torch.tensor(self.number)  # stands for it in compiled code
        _alive[self.number] = self
        self._transpose: Csr | None = None
        self._transpose_of: weakref.ref | None = None

    @classmethod
    def from_edge_index(
        cls, edge_index: "Tensor | EdgeIndex | Csr", num_nodes: Size = None
    ) -> "Csr":
        """Build the structure once per ``edge_index`` tensor, and remember it.

        Args:
            edge_index: Edges as a ``[2, E]`` tensor of (source, destination), a
                :class:`~torch_geometric.EdgeIndex`, a torch sparse CSR matrix whose
                rows are destinations (PyG's ``adj_t``), or a :class:`Csr`.
            num_nodes: Number of nodes, or (sources, destinations) of a bipartite
                graph; by default read off the largest index.

        Raises:
            ArgumentError: If ``edge_index`` has another form, or an index outside
                ``num_nodes``.
        """
        if isinstance(edge_index, Csr):
            return edge_index
        size = (num_nodes, num_nodes) if isinstance(num_nodes, int) else num_nodes
        return cached(edge_index, ("csr", size), lambda: _build(edge_index, size))

    @property
    def num_edges(self) -> int:
        """Number of edges."""
        return self.col.numel()

    @property
    def device(self) -> torch.device:
        """Where the structure lives."""
        return self.col.device

    def t(self) -> "Csr":
        """The same edges grouped by source; built at the first call."""
        if self._transpose is None:
            origin = self._transpose_of() if self._transpose_of else None
            if origin is not None:
                return origin
            self._transpose = plainly(lambda: _transpose(self))
            self._transpose._transpose_of = weakref.ref(self)
        return self._transpose

    def degree(self) -> Tensor:
        """Number of incoming edges of each destination, int64."""
        return cached(self, "degree", lambda: self.rowptr.diff().long())

    def mean_factor(self, dtype: torch.dtype) -> Tensor:
        """One over the number of incoming edges; 1 where there are none."""
        return cached(
            self,
            ("mean_factor", dtype),
            lambda: 1 / self.degree().clamp(min=1).to(dtype),
        )

    def mean_weight(self, dtype: torch.dtype) -> Tensor:
        """:meth:`mean_factor` of each edge's destination, in the order of the edges."""
        return cached(
            self,
            ("mean_weight", dtype),
            lambda: self.mean_factor(dtype)[self.dst()],
        )

    def edge_index(self) -> Tensor:
        """The edges as PyG's own layers take them, [2, E], in their first order."""
        return torch.stack([self.src(), self.dst()])

    def dst(self) -> Tensor:
        """Destination of each edge, in the order of ``edge_index``."""
        return self._edge_order("dst", lambda: _rows(self))

    def src(self) -> Tensor:
        """Source of each edge, in the order of ``edge_index``."""
        return self._edge_order("src", lambda: self.col.long())

    def _edge_order(self, key, build) -> Tensor:
        return cached(self, key, lambda: self._in_edge_order(build()))

    def _in_edge_order(self, values: Tensor) -> Tensor:
        if self.perm is None:
            return values
        return torch.empty_like(values).index_copy_(0, self.edges(), values)

    def edges(self) -> Tensor:
        """The edge that stands at each position, int64."""
        if self.perm is None:
            return torch.arange(self.num_edges, device=self.device)
        return self.perm.long()

    def by_position(self) -> "Csr":
        """The same structure with its edges renumbered in the order of the rows."""
        if self.perm is None:
            return self
        sizes = self.num_src, self.num_dst
        build = functools.partial(Csr, self.rowptr, self.col, None, *sizes)
        return cached(self, "by_position", build)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(num_src={self.num_src}, num_dst={self.num_dst}, "
            f"num_edges={self.num_edges})"
        )


def structure(number: int) -> Csr | None:
    """The structure of a number, if it still exists."""
    return _alive.get(number)


def _rows(graph: Csr) -> Tensor:
    """Destination of each CSR position."""
    nodes = torch.arange(graph.num_dst, device=graph.device)
    return nodes.repeat_interleave(graph.degree(), output_size=graph.num_edges)


def incidence(graph: Csr) -> Csr:
    """The bipartite graph from edges, as sources, to their destinations."""
    sizes = graph.num_edges, graph.num_dst
    return cached(
        graph,
        "incidence",
        lambda: Csr(graph.rowptr, graph.edges().int(), None, *sizes),
    )


def matrix_values(edge_index: "Tensor | Csr") -> Tensor | None:
    """Edge weights that come with a sparse matrix; :obj:`None` for other forms."""
    is_matrix = isinstance(edge_index, Tensor) and edge_index.layout != torch.strided
    return edge_index.values() if is_matrix else None


def _build(edge_index: Tensor, size: tuple[int | None, int | None] | None) -> Csr:
    if edge_index.layout == torch.sparse_csr:
        return _from_torch_csr(edge_index)
    if isinstance(edge_index, EdgeIndex):
        size = size or edge_index.sparse_size()
        edge_index = edge_index.as_tensor()
    if edge_index.dim() != 2 or edge_index.size(0) != 2 or edge_index.is_sparse:
        raise ArgumentError(
            "edge_index must be a [2, E] tensor, an EdgeIndex or a torch sparse CSR "
            f"matrix, got {edge_index.layout} of shape {list(edge_index.shape)}"
        )
    if edge_index.is_floating_point():
        raise ArgumentError(f"edge_index must hold integers, got {edge_index.dtype}")
    if edge_index.size(1) >= 2**31:
        raise ArgumentError("edge_index must have fewer than 2^31 edges")
    src, dst = edge_index[0], edge_index[1]
    num_src, num_dst = _sizes(src, dst, size)
    perm = None
    if dst.numel() > 1 and bool((dst[1:] < dst[:-1]).any()):
        order = dst.argsort(stable=True)
        src, perm = src[order], order.int()
    count = torch.bincount(dst, minlength=num_dst)
    return Csr(_rowptr(count), src.int(), perm, num_src, num_dst)


def _sizes(src: Tensor, dst: Tensor, size: tuple | None) -> tuple[int, int]:
    """Numbers of sources and destinations, after checking all indices."""
    if src.numel() == 0:
        num_src, num_dst = size or (0, 0)
        return num_src or 0, num_dst or 0
    if size is None:  # one set of nodes
        largest = 1 + int(torch.maximum(src.max(), dst.max()))
        size = (largest, largest)
    sizes = []
    for name, index, given in zip(
        ("source", "destination"), (src, dst), size, strict=True
    ):
        low, high = map(int, index.aminmax())
        if low < 0 or (given is not None and high >= given):
            raise ArgumentError(
                f"edge_index has {name} nodes from {low} to {high}, accepted are 0 to "
                f"{given - 1 if given is not None else 'num_nodes - 1'}"
            )
        sizes.append(high + 1 if given is None else given)
    return sizes[0], sizes[1]


def _from_torch_csr(matrix: Tensor) -> Csr:
    num_dst, num_src = matrix.shape
    rowptr, col = matrix.crow_indices(), matrix.col_indices()
    # A copy where nothing is converted: the structure must not hold the matrix.
    return Csr(rowptr.int().clone(), col.int().clone(), None, num_src, num_dst)


def _transpose(graph: Csr) -> Csr:
    order = graph.col.argsort(stable=True)
    count = torch.bincount(graph.col, minlength=graph.num_src)
    col = _rows(graph)[order].int()
    perm = order.int() if graph.perm is None else graph.perm[order]
    rowptr = _rowptr(count)
    if torch.equal(rowptr, graph.rowptr) and torch.equal(col, graph.col):
        rowptr, col = graph.rowptr, graph.col  # a symmetric graph is kept once
    return Csr(rowptr, col, perm, graph.num_dst, graph.num_src)


def _rowptr(count: Tensor) -> Tensor:
    rowptr = count.new_zeros(count.numel() + 1, dtype=torch.int32)
    torch.cumsum(count, 0, dtype=torch.int32, out=rowptr[1:])
    return rowptr
