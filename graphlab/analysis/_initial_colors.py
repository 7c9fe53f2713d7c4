"""What a node is before its neighbours are looked at, and what an edge is."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from graphlab.analysis._graph_union import GraphUnion
from graphlab.analysis.homomorphisms import rooted_homomorphism_counts
from graphlab.errors import ArgumentError

Init = Literal["label", "attribute", "degree", "none"]
INITS = ("label", "attribute", "degree", "none")


def node_keys(union: GraphUnion, init: Init, patterns: Sequence[str]) -> np.ndarray:
    """One comparable key per node; nodes start with the same colour where it is one."""
    parts = [_START[init](union)]
    if len(patterns):
        edges = np.stack([union.source, union.target])
        parts.append(rooted_homomorphism_counts(edges, union.num_nodes, patterns))
    return _as_keys(parts, union.num_nodes)


def edge_keys(union: GraphUnion) -> np.ndarray:
    """One comparable key per edge."""
    rows = union.stacked("edge_attr")
    if rows is None:
        raise ArgumentError(
            "use_edge_labels needs edge_attr, got graphs without; leave it False"
        )
    with np.errstate(invalid="ignore"):  # NaN and infinity are refused below
        whole = np.ascontiguousarray(rows).astype(np.int64)
    if len(rows) != len(union.source) or (whole != rows).any():
        raise ArgumentError(
            "edge_attr must have a row of whole numbers (a label, or one-hot) per edge "
            f"for use_edge_labels, got {rows.dtype} {list(rows.shape)} for "
            f"{len(union.source)} edges"
        )
    return _as_keys([whole.reshape(len(whole), -1)], len(whole))


def _as_keys(parts: list[np.ndarray], number: int) -> np.ndarray:
    """Rows as what numpy can sort: a number, or the bytes of several numbers."""
    width = sum(part.shape[1] for part in parts)
    if width == 0:
        return np.zeros(number, dtype=np.int64)
    if width == 1:
        return np.concatenate(parts, axis=1)[:, 0]
    raw = [np.ascontiguousarray(part).view(np.uint8) for part in parts if part.shape[1]]
    rows = np.ascontiguousarray(np.concatenate(raw, axis=1))
    return rows.view(f"V{rows.shape[1]}")[:, 0]


def _label(union: GraphUnion) -> np.ndarray:
    x = _features(union, "label")
    ones = (x == 1).sum(axis=1) == 1
    one_hot = ones & ((x != 0).sum(axis=1) == 1)
    if not one_hot.all():
        row = int(one_hot.argmin())
        raise ArgumentError(
            f"x must be one-hot for init 'label', got a row without exactly one 1 "
            f"(node {row} over all graphs); init 'attribute' takes rows as they are"
        )
    return x.argmax(axis=1)[:, None] if len(x) else np.zeros((0, 1), dtype=np.int64)


def _attribute(union: GraphUnion) -> np.ndarray:
    x = _features(union, "attribute").astype(np.float64)
    if np.isnan(x).any():
        raise ArgumentError("x must not have a NaN for init 'attribute'")
    return x + 0.0  # -0.0 and 0.0 are equal and become the same bytes


def _degree(union: GraphUnion) -> np.ndarray:
    return np.bincount(union.target, minlength=union.num_nodes)[:, None]


def _none(union: GraphUnion) -> np.ndarray:
    return np.zeros((union.num_nodes, 0), dtype=np.int64)


def _features(union: GraphUnion, init: str) -> np.ndarray:
    x = union.stacked("x")
    if x is None or len(x) != union.num_nodes:
        rows = "graphs without" if x is None else f"{len(x)} for {union.num_nodes}"
        raise ArgumentError(
            f"x must have a row for each node for init {init!r}, got {rows}; init "
            "'degree' and 'none' need no x"
        )
    return x.reshape(len(x), -1)


_START = {
    "label": _label,
    "attribute": _attribute,
    "degree": _degree,
    "none": _none,
}
