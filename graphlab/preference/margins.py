"""Margins of pairs: what a user's score of one response exceeds that of another by."""

import torch
from torch import Tensor

from graphlab.ops import Csr, sddmm
from graphlab.ops._cache import cached

#: From this many pairs on, inner products along edges beat gathering rows, even where
#: the structure serves only once.
FUSED_FROM = 8192


def margins(
    users: Tensor, responses: Tensor, user: Tensor, winner: Tensor, loser: Tensor
) -> Tensor:
    """Inner products of users with the difference of two responses, by rows.

    Many pairs are taken as edges, without a row per pair; their structure is kept for
    as long as the tensor ``user`` lives, so that full-batch training makes it once.
    """
    if user.numel() < FUSED_FROM or not users.size(1):
        difference = responses.index_select(0, winner)
        difference = difference - responses.index_select(0, loser)
        return (users.index_select(0, user) * difference).sum(1)
    csr = _structure(user, winner, loser, (responses.size(0), users.size(0)))
    liked, disliked = sddmm(csr, users, responses).chunk(2)
    return liked - disliked


def _structure(user: Tensor, winner: Tensor, loser: Tensor, size) -> Csr:
    """Edges from winners, then from losers, to users."""

    def build():
        responses, users = torch.cat([winner, loser]), torch.cat([user, user])
        csr = Csr.from_edge_index(torch.stack([responses, users]), size)
        return csr, winner, loser  # held, so that nothing else gets their ids

    return cached(user, ("pairs", size, *_mark(winner), *_mark(loser)), build)[0]


def _mark(rows: Tensor) -> tuple[int, int]:
    return id(rows), 0 if rows.is_inference() else rows._version
