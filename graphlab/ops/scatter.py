"""Reductions over groups of rows, for read-outs and pooling."""

from typing import Literal

import torch
from torch import Tensor

from graphlab.errors import ArgumentError
from graphlab.ops._cache import cached
from graphlab.ops.csr import Csr
from graphlab.ops.spmm import spmm


def scatter(
    x: Tensor,
    index: Tensor,
    dim_size: int | None = None,
    reduce: Literal["sum", "mean", "max", "min"] = "sum",
) -> Tensor:
    r"""Reduce the rows that share an index, as a graph read-out does.

    .. math::
        \mathbf{x}^{\prime}_g = \sum_{i : \mathrm{index}_i = g} \mathbf{x}_i

    or their mean, maximum or minimum; groups without rows get zeros. It is
    :func:`spmm` on the bipartite graph from rows to groups, which is built once per
    ``index`` tensor: deterministic, and differentiable like it.

    Args:
        x: Rows.
        index: The group of each row, in any order.
        dim_size: Number of groups :math:`G`, by default one more than the largest.
        reduce: ``"sum"``, ``"mean"``, ``"max"`` or ``"min"``.

    Shapes:
        - **x:** :math:`(N, F)` or :math:`(N, H, C)`
        - **index:** :math:`(N)`
        - **output:** :math:`(G, F)` or :math:`(G, H, C)`

    Raises:
        ArgumentError: If ``index`` has another length or type, or a group outside
            ``dim_size``.
    """
    if index.dim() != 1 or index.numel() != x.size(0):
        raise ArgumentError(
            f"index must have shape [{x.size(0)}], got {list(index.shape)}"
        )
    return spmm(_groups(index, dim_size), x, reduce=reduce)


def segment(
    x: Tensor, ptr: Tensor, reduce: Literal["sum", "mean", "max", "min"] = "sum"
) -> Tensor:
    r"""Reduce consecutive rows: group :math:`g` is ``x[ptr[g]:ptr[g + 1]]``.

    Otherwise like :func:`scatter`.

    Args:
        x: Rows.
        ptr: Where each group starts, and the number of rows at the end.
        reduce: ``"sum"``, ``"mean"``, ``"max"`` or ``"min"``.

    Shapes:
        - **x:** :math:`(N, F)` or :math:`(N, H, C)`
        - **ptr:** :math:`(G + 1)`
        - **output:** :math:`(G, F)` or :math:`(G, H, C)`

    Raises:
        ArgumentError: If ``ptr`` does not rise from 0 to :math:`N`.
    """
    return spmm(
        cached(ptr, ("ptr", x.size(0)), lambda: _pieces(ptr, x)), x, None, reduce
    )


def _groups(index: Tensor, size: int | None) -> Csr:
    def build() -> Csr:
        rows = torch.arange(index.numel(), device=index.device, dtype=index.dtype)
        number = size
        if number is None:
            number = int(index.max()) + 1 if index.numel() else 0
        edges = torch.stack([rows, index])
        return Csr.from_edge_index(edges, (index.numel(), number))

    return cached(index, ("groups", size), build)


def _pieces(ptr: Tensor, x: Tensor) -> Csr:
    fits = ptr.dim() == 1 and ptr.numel() > 0 and not ptr.is_floating_point()
    if not fits or ptr[0] != 0 or ptr[-1] != x.size(0) or bool((ptr.diff() < 0).any()):
        raise ArgumentError(
            f"ptr must hold integers that rise from 0 to {x.size(0)}, got {ptr}"
        )
    rows = torch.arange(x.size(0), device=ptr.device, dtype=torch.int32)
    return Csr(ptr.int(), rows, None, x.size(0), ptr.numel() - 1)
