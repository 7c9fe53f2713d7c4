"""How public shapes become those of the backends, with and without replicas.

The functions take x as [N, F] or [N, H, C] with weights [E] or [E, H]. When
``batched``, x has replicas in front and weights are [B or 1, E, H]. Backends get
[B, N, F] and [B or 1, E, H].
"""

from torch import Tensor

from graphlab.ops._cache import cached
from graphlab.ops.csr import Csr


def readable(graph: Csr, weight: Tensor | None, batched: bool):
    """Weights as kernels take them; constant ones in the order they are read in."""
    if weight is None:
        return graph, None
    constant = weight.dim() < 3 and not weight.requires_grad
    if graph.perm is None or not constant:
        return graph, canonical(graph, weight, batched)
    key = ("by_position", graph.number)
    weight = cached(weight, key, lambda: weight.index_select(0, graph.perm))
    return graph.by_position(), canonical(graph, weight, batched)


def canonical(graph: Csr, weight: Tensor | None, batched: bool) -> Tensor | None:
    """Weights as [B or 1, E, H]."""
    if weight is None or batched:
        return weight
    heads = weight.size(1) if weight.dim() > 1 else 1
    return weight.reshape(1, graph.num_edges, heads)


def wide(x: Tensor, batched: bool) -> Tensor:
    """Features as [B, N, F]."""
    x = x if batched else x.unsqueeze(0)
    return x if x.dim() == 3 else x.flatten(2)


def shape_like(x: Tensor, rows: int, batched: bool) -> tuple[int, ...]:
    return (*x.shape[:batched], rows, *x.shape[batched + 1 :])


def fold(size, dims, x, weight, batched):
    """All replicas in front, and the way back for the result."""
    x = lead(x, dims[0], size)
    if batched:
        outer = x.shape[:2]
        x = x.flatten(0, 1)
        if weight is not None:
            weight = lead(weight, dims[1], size).expand(*outer, -1, -1).flatten(0, 1)
        return x, weight, lambda out: out.unflatten(0, outer)
    if weight is not None:
        weight = weight.unsqueeze(0) if dims[1] is None else weight.movedim(dims[1], 0)
        weight = weight if weight.dim() == 3 else weight.unsqueeze(-1)
    return x, weight, lambda out: out


def rows_contiguous(x: Tensor) -> Tensor:
    """``x`` itself if its last dimension is contiguous, otherwise a copy."""
    return x if x.size(-1) <= 1 or x.stride(-1) == 1 else x.contiguous()


def lead(x: Tensor, dim: int | None, size: int) -> Tensor:
    """Bring (or repeat) the dimension of the replicas to the front."""
    return x.expand(size, *x.shape) if dim is None else x.movedim(dim, 0)
