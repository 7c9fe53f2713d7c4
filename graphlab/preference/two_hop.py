"""Which known users are two hops from new ones."""

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from graphlab.ops._cache import cached
from graphlab.preference.graph import DISLIKES, LIKES, PreferenceGraph


def two_hop_mask(
    graph: PreferenceGraph,
    pairs: tuple[Tensor, Tensor, Tensor],
    num_new: int,
    signed: bool = False,
) -> Tensor:
    """Whether a known user likes a response that a new one likes.

    Args:
        graph: The known users' graph.
        pairs: Rows of new users, and of the responses they prefer and do not.
        num_new: Number of new users.
        signed: Whether disliking a response that the new user dislikes counts, too.

    Shapes:
        - **output:** boolean, (new users, known users)
    """
    user, winner, loser = pairs
    near = _shared(graph, LIKES, user, winner, num_new)
    if signed:
        near = near + _shared(graph, DISLIKES, user, loser, num_new)
    return torch.from_numpy(near.toarray() > 0).to(graph.device)


def _shared(graph, kind, user: Tensor, response: Tensor, num_new: int) -> csr_array:
    shape = (num_new, graph.num_responses)
    return _incidence(user, response, shape) @ _known(graph, kind)


def _known(graph: PreferenceGraph, kind) -> csr_array:
    """Responses by known users, of one kind of edge."""

    def build() -> csr_array:
        user, response = graph.data[kind].edge_index
        return _incidence(response, user, graph.num_nodes[::-1])

    return cached(graph, ("incidence", kind), build)


def _incidence(row: Tensor, column: Tensor, shape: tuple[int, int]) -> csr_array:
    row, column = row.cpu().numpy(), column.cpu().numpy()
    ones = np.ones(len(row), dtype=np.int32)
    return csr_array((ones, (row, column)), shape=shape)
