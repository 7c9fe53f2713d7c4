"""How often small patterns map into a graph, counted at each node."""

import math
import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy.sparse import coo_array, csr_array
from torch import Tensor

from graphlab.errors import ArgumentError

#: Kind of pattern -> its accepted sizes.
SIZES = {"P": (2, 3, 4, 5), "C": (3, 4, 5, 6), "K": (3, 4, 5, 6)}
PATTERNS = tuple(f"{kind}{size}" for kind, sizes in SIZES.items() for size in sizes)

_LIMIT = 2.0**62  # a count beyond it, estimated in float64, might not fit into int64
_BLOCK_STEPS = 2**22  # two-step walks that are expanded at a time
_BLOCK_CLIQUES = 2**16  # cliques that are extended at a time


def rooted_homomorphism_counts(
    edge_index: Tensor | np.ndarray, num_nodes: int, patterns: Sequence[str]
) -> np.ndarray:
    r"""Number of homomorphisms of rooted patterns into a graph, at each node.

    A homomorphism maps nodes to nodes and edges to edges, and need not be injective.
    With the root of the pattern on node :math:`v` there are

    .. math::
        \mathrm{hom}(P_l^r, G^v) = (\mathbf{A}^l \mathbf{1})_v, \qquad
        \mathrm{hom}(C_k^r, G^v) = (\mathbf{A}^k)_{vv}, \qquad
        \mathrm{hom}(K_k^r, G^v) = (k - 1)! \cdot | \{ \text{k-cliques} \ni v \} |

    These are the counts with which F-WL starts, from the `"Graph Neural Networks with
    Local Graph Parameters" <https://arxiv.org/abs/2106.06707>`_ paper, in closed form.

    Args:
        edge_index: The edges. Patterns are counted in the simple undirected graph:
            directions, parallel edges and self-loops are ignored.
        num_nodes: Number of nodes.
        patterns: Names out of ``"P2"`` to ``"P5"`` (paths by their number of *edges*,
            with the root at an end), ``"C3"`` to ``"C6"`` (cycles) and ``"K3"`` to
            ``"K6"`` (cliques, both by their number of nodes).

    Shapes:
        - **edge_index:** :math:`(2, |\mathcal{E}|)`
        - **output:** an int64 array, :math:`(|\mathcal{V}|, P)`

    Raises:
        ArgumentError: If a pattern is unknown, ``edge_index`` does not fit
            ``num_nodes``, or a count does not fit into 64 bits.

    Example:
        >>> triangle = torch.tensor([[0, 1, 1, 2, 2, 0], [1, 0, 2, 1, 0, 2]])
        >>> rooted_homomorphism_counts(triangle, 4, ["P2", "C3", "K4"])
        array([[4, 2, 0],
               [4, 2, 0],
               [4, 2, 0],
               [0, 0, 0]])

    .. note::
        Time and memory do not grow with :math:`|\mathcal{V}|^2`: paths cost a product
        with the edges for each step, C5 and C6 as many steps as there are walks of
        three edges, and cliques are listed in blocks, so that K6 costs as much as
        there are cliques of up to six nodes.
    """
    largest = _largest(patterns)
    adjacency = _simple(edge_index, num_nodes)
    counts = {}
    if largest["P"] or largest["C"]:
        counts |= _paths(adjacency, max(largest["P"], (largest["C"] + 1) // 2))
    if largest["C"]:
        counts |= _cycles(adjacency, largest["C"])
    if largest["K"]:
        counts |= _cliques(adjacency, largest["K"])
    columns = [counts[pattern] for pattern in _listed(patterns)]
    return np.stack(columns, 1) if columns else np.empty((num_nodes, 0), np.int64)


def _listed(patterns: Sequence[str]) -> list[str]:
    return [patterns] if isinstance(patterns, str) else list(patterns)


def _largest(patterns: Sequence[str]) -> dict[str, int]:
    """Largest size of each kind that is asked for, 0 for none."""
    largest = dict.fromkeys(SIZES, 0)
    for pattern in _listed(patterns):
        if pattern not in PATTERNS:
            raise ArgumentError(
                f"patterns must be out of {', '.join(PATTERNS)}, got {pattern!r}"
            )
        kind, size = re.fullmatch(r"(\w)(\d)", pattern).groups()
        largest[kind] = max(largest[kind], int(size))
    return largest


def _simple(edge_index: Tensor | np.ndarray, num_nodes: int) -> csr_array:
    """Adjacency matrix of the simple undirected graph, int64."""
    if isinstance(edge_index, Tensor):
        edge_index = edge_index.detach().cpu().numpy()
    edges = np.asarray(edge_index)
    if edges.ndim != 2 or edges.shape[0] != 2 or edges.dtype.kind not in "iu":
        raise ArgumentError(
            "edge_index must be of whole numbers and shape [2, E], got "
            f"{edges.dtype} {list(edges.shape)}"
        )
    if edges.size and not 0 <= edges.min() <= edges.max() < num_nodes:
        raise ArgumentError(
            f"edge_index must name nodes from 0 to {num_nodes - 1}, got "
            f"{edges.min()} to {edges.max()}"
        )
    edges = edges[:, edges[0] != edges[1]]
    both = np.concatenate([edges, edges[::-1]], axis=1)
    ones = np.ones(both.shape[1], dtype=np.int64)
    matrix = coo_array((ones, tuple(both)), shape=(num_nodes, num_nodes)).tocsr()
    matrix.data[:] = 1  # tocsr() added up parallel edges
    return matrix


def _checked(exact: np.ndarray, estimate: np.ndarray, pattern: str) -> np.ndarray:
    """Integer sums wrap around silently; the same sums in float64 tell."""
    if estimate.size and estimate.max() > _LIMIT:
        raise ArgumentError(
            f"edge_index: counting {pattern} takes numbers of more than 64 bits (about "
            f"{estimate.max():.1e}); leave out long patterns on a graph with such hubs"
        )
    return exact


def _paths(adjacency: csr_array, longest: int) -> dict[str, np.ndarray]:
    counts, walks = {}, np.ones(adjacency.shape[0], dtype=np.int64)
    rounded = adjacency.astype(np.float64)
    for length in range(1, longest + 1):
        name = f"P{length}"
        walks = _checked(adjacency @ walks, rounded @ walks, name)
        counts[name] = walks
    return counts


def _cycles(adjacency: csr_array, longest: int) -> dict[str, np.ndarray]:
    """The diagonal of each power, as sums over rows of the halves' products.

    Entries of the halves are at most the numbers of walks, which have been checked.
    """
    counts = {f"C{size}": [] for size in range(3, longest + 1)}
    for start, stop in pairwise(_row_blocks(adjacency, (longest + 1) // 2)):
        rows = adjacency[start:stop]
        square = rows @ adjacency
        halves = [(rows, square), (square, square)]
        if longest > 4:
            cube = square @ adjacency
            halves += [(square, cube), (cube, cube)]
        for name, (first, second) in zip(counts, halves, strict=False):
            exact = first.multiply(second).sum(axis=1)
            estimate = first.astype(np.float64).multiply(second).sum(axis=1)
            counts[name].append(_checked(exact, estimate, name))
    empty = np.empty(0, dtype=np.int64)
    return {name: np.concatenate([empty, *parts]) for name, parts in counts.items()}


def _row_blocks(adjacency: csr_array, length: int) -> list[int]:
    """Boundaries of blocks of rows, so that a block has a limited number of walks."""
    walks = np.ones(adjacency.shape[0])
    for _ in range(length):
        walks = adjacency @ walks
    block = np.cumsum(walks) // _BLOCK_STEPS
    return [*np.unique(block, return_index=True)[1].tolist(), adjacency.shape[0]]


def _cliques(adjacency: csr_array, largest: int) -> dict[str, np.ndarray]:
    """List the cliques from small to large, each by its nodes in one fixed order.

    With edges leading from nodes of few to nodes of many edges, no node has more than
    sqrt(2E) edges left. A node extends a clique if all its members lead there.
    """
    num_nodes = adjacency.shape[0]
    rank = np.argsort(np.argsort(np.diff(adjacency.indptr), kind="stable"))
    edges = adjacency.tocoo()
    up = rank[edges.row] < rank[edges.col]
    ones = np.ones(np.count_nonzero(up), dtype=np.int8)
    forward = csr_array((ones, (edges.row[up], edges.col[up])), shape=edges.shape)
    number = np.zeros((largest + 1, num_nodes), dtype=np.int64)
    waiting = [np.arange(num_nodes)[:, None]]
    while waiting:
        members = waiting.pop()
        if len(members) > _BLOCK_CLIQUES:  # the last in comes first: little is kept
            half = len(members) // 2
            waiting += [members[:half], members[half:]]
            continue
        size = members.shape[1]
        clique, node = _extensions(members, forward)
        number[size + 1] += np.bincount(node, minlength=num_nodes)
        children = np.bincount(clique, minlength=len(members))
        for column in members.T:
            times = np.bincount(column, weights=children, minlength=num_nodes)
            number[size + 1] += times.astype(np.int64)
        if size + 1 < largest and len(node):
            waiting.append(np.column_stack([members[clique], node]))
    return {
        f"K{size}": math.factorial(size - 1) * number[size]
        for size in range(3, largest + 1)
    }


def _extensions(
    members: np.ndarray, forward: csr_array
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of a clique and a node that extends it."""
    rows, size = members.shape
    ones = np.ones(members.size, dtype=np.int8)
    ends = np.arange(0, members.size + 1, size)
    reached = (
        csr_array((ones, members.ravel(), ends), shape=(rows, forward.shape[0]))
        @ forward
    ).tocoo()
    by_all = reached.data == size
    return reached.row[by_all], reached.col[by_all]
