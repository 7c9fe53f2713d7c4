"""Bag-of-words features times a weight matrix, without making them dense."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from graphlab.errors import ArgumentError
from graphlab.ops._cache import cached
from graphlab.ops.csr import Csr
from graphlab.ops.spmm import spmm


class SparseFeatures(NamedTuple):
    """A sparse feature matrix as a bipartite graph from features to nodes.

    Structure and values apart can do what a torch CSR tensor cannot: carry other values
    for every replica under :func:`torch.func.vmap`.
    """

    graph: Csr
    values: Tensor  # [nnz]

    def dropout(self, p: float, training: bool = True) -> "SparseFeatures":
        """Dropout on the stored values: zeros stay zeros either way."""
        return self._replace(values=F.dropout(self.values, p, training))


def sparse_features(x: Tensor | SparseFeatures) -> SparseFeatures:
    """Structure and values of a torch sparse CSR matrix, derived once per tensor.

    Raises:
        ArgumentError: If ``x`` is not a two-dimensional sparse CSR tensor.
    """
    if isinstance(x, SparseFeatures):
        return x
    if x.layout != torch.sparse_csr or x.dim() != 2:
        raise ArgumentError(
            f"x must be a sparse CSR matrix, got {x.layout} of shape {list(x.shape)}"
        )
    if x.requires_grad:
        return SparseFeatures(Csr.from_edge_index(x), x.values())
    return cached(x, "features", lambda: _split(x))


def _split(x: Tensor) -> SparseFeatures:
    return SparseFeatures(Csr.from_edge_index(x), x.values().clone())


def sparse_matmul(x: Tensor | SparseFeatures, weight: Tensor) -> Tensor:
    r"""Multiply sparse features with a dense weight matrix.

    .. math::
        \mathbf{X}^{\prime} = \mathbf{X} \mathbf{W}, \qquad
        \mathbf{x}^{\prime}_i = \sum_{f : x_{if} \neq 0} x_{if} \mathbf{w}_f

    that is, :func:`spmm` on the bipartite graph from features to nodes, with gradients
    for ``weight`` and for the stored values of :class:`SparseFeatures`.

    Args:
        x: Features, as a torch sparse CSR tensor or :class:`SparseFeatures`.
        weight: Weight matrix.

    Shapes:
        - **x:** :math:`(|\mathcal{V}|, F)`, sparse
        - **weight:** :math:`(F, F^{\prime})`
        - **output:** :math:`(|\mathcal{V}|, F^{\prime})`
    """
    x = sparse_features(x)
    return spmm(x.graph, weight, x.values)
