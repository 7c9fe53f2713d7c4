"""Hops without kernels of our own, and weighted distances, which are scipy's."""

from collections.abc import Callable

import numpy as np
import torch
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, dijkstra
from torch import Tensor

from graphlab.ops.csr import Csr

FRONTIER_BYTES = 2**26  # of the frontier's matrix at once


def hops_by_scipy(
    graph: Csr, ptr: Tensor, node: Tensor, limit: int, dtype: torch.dtype
) -> tuple[Tensor, bool]:
    """Hops [N, K] on the CPU, one breadth-first order per column."""
    num_nodes, columns = graph.num_dst, ptr.numel() - 1
    out = torch.full((num_nodes, columns), -1, dtype=dtype)
    table, cut = out.numpy(), False
    matrix = _with_starts(graph, ptr, node)
    for column in range(columns if num_nodes else 0):
        order, parent = breadth_first_order(matrix, num_nodes + column)
        reached, sizes = order[1:], _level_sizes(order, parent)
        cut = cut or len(sizes) > limit
        level = np.repeat(np.arange(len(sizes)), sizes)
        near = level <= limit
        table[reached[near], column] = level[near]
    return out, cut


def _with_starts(graph: Csr, ptr: Tensor, node: Tensor) -> csr_array:
    """The rows, and one more per column that leads to its sources.

    Nothing leads back to those rows, so a search from one starts at all its sources.
    """
    rowptr = np.concatenate([graph.rowptr.numpy(), graph.num_edges + ptr.numpy()[1:]])
    col = np.concatenate([graph.col.numpy(), node.numpy()]).astype(np.int32)
    size = rowptr.size - 1
    values = np.ones(col.size)  # float64, or scipy converts them in every call
    return csr_array((values, col, rowptr.astype(np.int32)), shape=(size, size))


def _level_sizes(order: np.ndarray, parent: np.ndarray) -> list[int]:
    """Number of nodes in each level after the first, which is the start alone.

    In breadth-first order the places of the parents never fall, so a level ends where
    its parents' level does: one search in a sorted list per level.
    """
    place = np.empty(parent.size, dtype=np.int64)
    place[order] = np.arange(order.size)
    above = place[parent[order[1:]]]
    sizes, end = [], 1
    while (following := 1 + int(np.searchsorted(above, end))) > end:
        sizes.append(following - end)
        end = following
    return sizes


def hops_by_products(
    spmm: Callable,
    graph: Csr,
    ptr: Tensor,
    node: Tensor,
    limit: int,
    dtype: torch.dtype,
) -> tuple[Tensor, bool]:
    """Hops [N, K] on any device: each level is a product with the last one's nodes."""
    num_nodes, columns = graph.num_dst, ptr.numel() - 1
    out = torch.full((num_nodes, columns), -1, dtype=dtype, device=node.device)
    column = torch.arange(columns, device=node.device).repeat_interleave(ptr.diff())
    out[node, column] = 0
    width = max(1, FRONTIER_BYTES // (4 * max(num_nodes, 1)))
    cut = False
    for block in out.split(width, dim=1):  # views
        cut = _grow(spmm, graph.t(), block, limit) or cut
    return out, cut


def _grow(spmm: Callable, into: Csr, block: Tensor, limit: int) -> bool:
    """Fill in the levels after 0; rows of ``into`` list what leads to a node."""
    level, fresh = 0, block == 0
    while bool(fresh.any()):
        if level == limit:
            return True
        level += 1
        reached = spmm(into, fresh.float().unsqueeze(0), None, False)[0] > 0
        fresh = reached & (block < 0)
        block[fresh] = level
    return False


def weighted_distances(
    graph: Csr, weight: Tensor, ptr: Tensor, node: Tensor, limit: float
) -> Tensor:
    """Distances [N, K] along the rows, float32, infinite where none; on the CPU.

    ``weight`` is in the order of the positions. One run of Dijkstra's algorithm per
    column, so that no more than one column is held in float64.
    """
    columns, num_nodes = ptr.numel() - 1, graph.num_dst
    out = torch.full((num_nodes, columns), float("inf"))
    table = out.numpy()
    arrays = (weight.double().numpy(), graph.col.numpy(), graph.rowptr.numpy())
    matrix = csr_array(arrays, shape=(num_nodes, num_nodes))
    for column in range(columns):
        sources = node[ptr[column] : ptr[column + 1]].numpy()
        if sources.size:
            table[:, column] = dijkstra(
                matrix, indices=np.unique(sources), limit=limit, min_only=True
            )
    return out
