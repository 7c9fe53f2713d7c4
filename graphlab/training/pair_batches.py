"""The graphs of a step side by side, so that they are encoded in one call."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import Module
from torch_geometric.data import Data

from graphlab.errors import ArgumentError

TOLERANCE = 1e-3  # of states, relative to the largest


class JoinedPairs(NamedTuple):
    """Some parts as one graph without edges between them.

    Args:
        x: Node features, ``[N, F]``.
        edge_index: Edges, ``[2, E]``.
        pairs: Pairs of nodes, ``[2, P]``.
        label: 1 for positive pairs, 0 for negative ones, ``[P]``.
        weight: What a pair counts in the mean over parts of their means, ``[P]``.
    """

    x: Tensor
    edge_index: Tensor
    pairs: Tensor
    label: Tensor
    weight: Tensor


def join_pairs(parts: Sequence[Data]) -> JoinedPairs:
    """Number the nodes of the parts one after the other."""
    device = parts[0].edge_index.device
    nodes, edges, pairs = (
        torch.tensor(sizes, device=device)
        for sizes in zip(
            *((p.num_nodes, p.num_edges, p.edge_label.numel()) for p in parts),
            strict=True,
        )
    )
    first = nodes.cumsum(0) - nodes
    return JoinedPairs(
        torch.cat([part.x for part in parts]),
        torch.cat([part.edge_index for part in parts], 1)
        + first.repeat_interleave(edges),
        torch.cat([part.edge_label_index for part in parts], 1)
        + first.repeat_interleave(pairs),
        torch.cat([part.edge_label for part in parts]),
        (1 / (pairs * len(parts))).repeat_interleave(pairs),
    )


@torch.no_grad()
def check_join(encoder: Module, parts: Sequence[Data]) -> None:
    """Refuse an encoder that answers otherwise for parts that lie side by side.

    Raises:
        ArgumentError: It does, or keeps something of each graph, or features are not
            dense or not of one size.
    """
    if hasattr(encoder, "prepare"):
        raise ArgumentError(
            "join_graphs must be False for an encoder with a method prepare, whose "
            "structures are those of one graph"
        )
    widths = {p.x.shape[1:] if p.x.layout == torch.strided else None for p in parts}
    if None in widths or len(widths) > 1:
        raise ArgumentError(
            "join_graphs must be False unless all x are dense and of one size"
        )
    alone = torch.cat([encoder(part.x, part.edge_index) for part in parts])
    joined = join_pairs(parts)
    together = encoder(joined.x, joined.edge_index)
    if together.shape == alone.shape:
        largest = alone.abs().max()
        if bool(((together - alone).abs() <= TOLERANCE * largest).all()):
            return
    raise ArgumentError(
        "join_graphs must be False for this encoder: the state of a node depends on "
        "more than the node's own graph"
    )
