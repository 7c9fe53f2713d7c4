"""Fused message passing: every operation of the layers, one per file."""

from graphlab.ops.attend import attend
from graphlab.ops.backend import backend
from graphlab.ops.csr import Csr
from graphlab.ops.edges import edge_add, edge_softmax
from graphlab.ops.gcn_norm import gcn_norm
from graphlab.ops.matmul import matmul
from graphlab.ops.scatter import scatter, segment
from graphlab.ops.self_loops import with_self_loops, without_self_loops
from graphlab.ops.sparse_matmul import SparseFeatures, sparse_features, sparse_matmul
from graphlab.ops.spmm import sddmm, spmm
from graphlab.ops.sym_norm import sym_norm

__all__ = [
    "Csr",
    "SparseFeatures",
    "attend",
    "backend",
    "edge_add",
    "edge_softmax",
    "gcn_norm",
    "matmul",
    "scatter",
    "sddmm",
    "segment",
    "sparse_features",
    "sparse_matmul",
    "spmm",
    "sym_norm",
    "with_self_loops",
    "without_self_loops",
]
