"""Refuses features that would turn every output into NaN."""

import torch
from torch import Tensor

from graphlab.errors import ArgumentError
from graphlab.ops import SparseFeatures

_batched = getattr(torch._C._functorch, "is_batchedtensor", lambda _: False)


def require_finite(name: str, x: Tensor | SparseFeatures) -> None:
    """Refuse a NaN or an infinity, and say where the first is.

    Not looked for where values cannot be read: in a graph that is being compiled, and
    in a tensor that :func:`torch.func.vmap` maps over.
    """
    if torch.compiler.is_compiling():
        return
    values = x.values if isinstance(x, SparseFeatures) else x
    dense = values is x and x.layout == torch.strided
    values = values.values() if values.layout == torch.sparse_csr else values
    values = values.detach()
    if _batched(values) or bool(values.isfinite().all()):
        return
    bad = ~values.isfinite()
    where = f", first in row {int(bad.nonzero()[0, 0])}" if dense and x.dim() else ""
    raise ArgumentError(
        f"{name} must be finite, got {int(bad.sum())} NaN or infinite values{where}"
    )
