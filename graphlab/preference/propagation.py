"""The products with a preference graph that models need, users and responses stacked.

Nodes are the users followed by the responses, so one product serves both sides.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from graphlab.errors import ArgumentError
from graphlab.nn._checks import check_choice
from graphlab.ops import Csr, spmm
from graphlab.ops._cache import cached
from graphlab.preference.graph import DISLIKES, LIKES, PreferenceGraph


class Propagation(NamedTuple):
    """A graph over all nodes and the weights of its edges."""

    csr: Csr
    weight: Tensor

    def __call__(
        self, x: Tensor, dropout: float = 0.0, generator: torch.Generator | None = None
    ) -> Tensor:
        """The weighted sums over neighbours, after dropping a share of the edges.

        Args:
            x: States of all nodes.
            dropout: Probability with which an edge is left out, each direction for
                itself; the others are scaled up.
            generator: What decides it; torch's global one if :obj:`None`.
        """
        return spmm(self.csr, x, drop_edges(self.weight, dropout, generator))


def propagation(graph: PreferenceGraph, kind: str, dtype: torch.dtype) -> Propagation:
    r"""What is propagated along which edges, made once per graph.

    Args:
        graph: The preference graph.
        kind: ``"likes"``: :math:`\mathbf{\hat{A}}^+` in both directions; ``"signed"``:
            :math:`\mathbf{\hat{A}}^+ - \mathbf{\hat{A}}^-` likewise; ``"split"``: both
            apart, so that the result has two rows for each node, the sum over likes and
            that over dislikes.
        dtype: Type of the weights.
    """
    check_choice("kind", kind, ("likes", "signed", "split"))
    return cached(graph, (kind, dtype), lambda: _build(graph, kind, dtype))


def drop_edges(
    weight: Tensor, dropout: float, generator: torch.Generator | None = None
) -> Tensor:
    """Edge weights of which a share is zero and the rest scaled to the same mean."""
    if not dropout:
        return weight
    noise = torch.rand(
        weight.shape, generator=generator, dtype=weight.dtype, device=weight.device
    )
    return weight * (noise >= dropout) / (1 - dropout)


def check_dropout(dropout: float) -> None:
    """A probability below 1."""
    if not 0 <= dropout < 1:
        raise ArgumentError(
            f"edge_dropout must be at least 0 and less than 1, got {dropout!r}"
        )


def _build(graph: PreferenceGraph, kind: str, dtype: torch.dtype) -> Propagation:
    total = sum(graph.num_nodes)
    sources, targets, weights = [], [], []
    for edges in (LIKES, DISLIKES)[: 1 if kind == "likes" else 2]:
        dislikes = edges is DISLIKES
        user, response = graph.data[edges].edge_index
        response = response + graph.num_users
        norm = graph.data[edges].norm.to(dtype)
        sources += [response, user]
        if kind == "split":
            targets += [2 * user + dislikes, 2 * response + dislikes]
        else:
            targets += [user, response]
        weights += [-norm if kind == "signed" and dislikes else norm] * 2
    edge_index = torch.stack([torch.cat(sources), torch.cat(targets)])
    order = edge_index[1].argsort(stable=True)
    size = (total, 2 * total if kind == "split" else total)
    # By position, so that the weights need no detour over the order of the edges.
    csr = Csr.from_edge_index(edge_index[:, order], size).by_position()
    return Propagation(csr, torch.cat(weights)[order])
