"""Rows of a graph cut into pieces of bounded length, so that no hub holds up a pass."""

from typing import NamedTuple

import torch
from torch import Tensor

from graphlab.ops._cache import cached
from graphlab.ops.csr import Csr


class Segments(NamedTuple):
    """Consecutive pieces of all rows; a row without edges is one empty piece.

    If no row had to be split, segments are rows and all but ``ptr`` is :obj:`None`.
    Pieces of split rows have a slot each, in order, for their partial results.
    """

    ptr: Tensor  # [S + 1], where each segment starts
    row: Tensor | None = None  # [S], the row it is a piece of
    slot: Tensor | None = None  # [S], -1 for a row in one piece
    split_row: Tensor | None = None  # [M], the rows in several pieces
    split_ptr: Tensor | None = None  # [M + 1], the first slot of each of them
    slot_segment: Tensor | None = None  # [T], the inverse of slot
    slot_split: Tensor | None = None  # [T], index into split_row

    @property
    def num_segments(self) -> int:
        """Number of pieces."""
        return self.ptr.numel() - 1

    @property
    def num_slots(self) -> int:
        """Number of partial results."""
        return 0 if self.slot_segment is None else self.slot_segment.numel()


def segments(graph: Csr, length: int) -> Segments:
    """The rows of ``graph`` in pieces of up to ``length`` edges, built once."""
    return cached(graph, ("segments", length), lambda: _split(graph, length))


def _split(graph: Csr, length: int) -> Segments:
    degree = graph.degree()
    if graph.num_edges == 0 or int(degree.max()) <= length:
        return Segments(graph.rowptr)
    count = degree.add(length - 1).div(length, rounding_mode="floor").clamp_(min=1)
    split = count > 1
    row = _owners(count)
    first = count.cumsum(0) - count
    offset = torch.arange(row.numel(), device=graph.device) - first[row]
    start = graph.rowptr[row] + offset * length
    partial = split[row]
    slot = torch.where(partial, partial.cumsum(0) - 1, -1)
    pieces = count[split]
    zero = pieces.new_zeros(1)
    parts = (
        torch.cat([start, graph.rowptr[-1:].long()]),
        row,
        slot,
        split.nonzero().view(-1),
        torch.cat([zero, pieces.cumsum(0)]),
        partial.nonzero().view(-1),
        _owners(pieces),
    )
    return Segments(*(part.int() for part in parts))


def _owners(count: Tensor) -> Tensor:
    return torch.arange(count.numel(), device=count.device).repeat_interleave(count)
