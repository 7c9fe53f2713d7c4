"""Fused message passing: every operation of the layers, one per file."""

from graphlab.ops.anchor_distances import anchor_distances
from graphlab.ops.anchor_messages import anchor_messages
from graphlab.ops.anchor_sets import bourgain_sets, closest_members
from graphlab.ops.anchors import (
    degree_anchors,
    farthest_point_anchors,
    pagerank_anchors,
    random_anchors,
)
from graphlab.ops.attend import attend
from graphlab.ops.backend import backend
from graphlab.ops.csr import Csr
from graphlab.ops.distance_similarity import anchor_similarity, distance_similarity
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
    "anchor_distances",
    "anchor_messages",
    "anchor_similarity",
    "attend",
    "backend",
    "bourgain_sets",
    "closest_members",
    "degree_anchors",
    "distance_similarity",
    "edge_add",
    "edge_softmax",
    "farthest_point_anchors",
    "gcn_norm",
    "matmul",
    "pagerank_anchors",
    "random_anchors",
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
