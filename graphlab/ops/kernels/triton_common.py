"""What the Triton kernels share: their segments, edges, and dropout's random bits.

A program works on ``ROWS`` consecutive segments at once and on ``EDGES`` edges of each
per step. Lanes keep their own running results, merged at the end: so a step needs no
exchange between threads, and its loads are all in flight at once.
"""

import triton
import triton.language as tl

# Sizes of a graph, and dropout's rate: not worth a kernel of their own for multiples
# of 16. Strides are, since that is what lets loads be wide.
COUNTS = [
    "num_segments",
    "num_slots",
    "num_rows",
    "num_neighbours",
    "num_edges",
    "threshold",
]


@triton.jit
def segment_bounds(segment_ptr, num_segments, ROWS: tl.constexpr):
    """Index, validity, first position and length of the program's segments."""
    segment = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    inside = segment < num_segments
    begin = tl.load(segment_ptr + segment, mask=inside, other=0)
    length = tl.load(segment_ptr + segment + 1, mask=inside, other=0) - begin
    return segment, inside, begin.to(tl.int64), length


@triton.jit
def whole_rows(segment_row, segment, inside):
    """The row of each segment."""
    if segment_row is None:
        row = segment
    else:
        row = tl.load(segment_row + segment, mask=inside, other=0).to(tl.int64)
    return row


@triton.jit
def partial_slots(segment_slot, segment, inside):
    """The place of each segment's partial result; -1 where the row is whole."""
    if segment_slot is None:
        slot = tl.full(segment.shape, -1, tl.int64)
    else:
        slot = tl.load(segment_slot + segment, mask=inside, other=-1).to(tl.int64)
    return slot


@triton.jit
def edges_at(index, position, here):
    """Entries of a permutation (or of ``col``); without one, the positions."""
    if index is None:
        entry = position
    else:
        entry = tl.load(index + position, mask=here, other=0).to(tl.int64)
    return entry


@triton.jit
def finite_or_zero(top):
    """A maximum to subtract: 0 in place of minus infinity, which would make NaN."""
    return tl.where(top == float("-inf"), 0.0, top)


@triton.jit
def kept(seed, counter, threshold):
    """Whether dropout keeps an entry: splitmix64 of seed and counter, upper 24 bits."""
    z = seed.to(tl.uint64) + (counter + 1).to(tl.uint64) * 0x9E3779B97F4A7C15
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB
    z = z ^ (z >> 31)
    return (z >> 40).to(tl.int32) < threshold
