"""Anchor quality against its formulas, one node and one pair at a time."""

import math
import sys
from itertools import combinations

import pytest
import torch

from graphlab.analysis import anchor_quality
from graphlab.errors import ArgumentError
from graphlab.ops import anchor_distances, farthest_point_anchors, random_anchors


def by_loops(distances, radius):
    table = [[math.inf if d < 0 else d for d in row] for row in distances.tolist()]
    nearest = [min(row) for row in table]
    reached = [m for m in nearest if m < math.inf]
    cells = [0.0] * len(table[0])
    for row, m in zip(table, nearest, strict=True):
        closest = [k for k, d in enumerate(row) if d == m < math.inf]
        for k in closest:
            cells[k] += 1 / len(closest)
    shares = [c / len(reached) for c in cells if c > 0]
    pairs = list(combinations(table, 2))
    return (
        len(reached) / len(table),
        sum(m <= radius for m in nearest) / len(table),
        max(reached),
        sum(reached) / len(reached),
        -sum(p * math.log(p) for p in shares) / math.log(len(cells)),
        sum(a != b for a, b in pairs) / len(pairs),
    )


@pytest.mark.parametrize("block", [2, 1000])
def test_formulas(block, monkeypatch):
    # Not by its path, which leads to the function of the same name.
    module = sys.modules["graphlab.ops.anchor_quality"]
    monkeypatch.setattr(module, "BLOCK_NODES", block)
    distances = torch.tensor(
        [
            [0, 3, 2],
            [1, 1, 5],
            [2, 0, 1],
            [2, 0, 1],
            [-1, -1, -1],
            [4, 4, 4],
            [9, -1, 0],
        ]
    ).short()
    ours = anchor_quality(distances, 1, generator=torch.Generator().manual_seed(0))
    theirs = by_loops(distances, 1)
    assert ours[:5] == pytest.approx(theirs[:5], abs=1e-12)
    assert ours.resolved == pytest.approx(theirs[5], abs=5 / (2 * math.sqrt(1e5)))
    assert ours.resolved < 1


def test_weighted_distances():
    distances = torch.tensor([[0.0, 2.5], [0.5, 1.0], [float("inf")] * 2])
    ours = anchor_quality(distances, 0.25)
    assert (ours.reached, ours.coverage) == pytest.approx((2 / 3, 1 / 3))
    assert (ours.covering_radius, ours.mean_distance) == (0.5, 0.25)
    assert ours.evenness == 0


def test_without_anchors_nodes_or_paths():
    for distances in (torch.zeros(4, 0).short(), torch.full((4, 2), -1)):
        ours = anchor_quality(distances, 1)
        assert (ours.reached, ours.coverage, ours.resolved) == (0, 0, 0)
        assert math.isnan(ours.covering_radius) and math.isnan(ours.evenness)
    one = anchor_quality(torch.zeros(1, 1), 0)
    assert one == (1, 1, 0, 0, 1, 1)
    assert anchor_quality(torch.zeros(0, 2), 1).coverage == 0


def test_pairs_are_seeded():
    distances = torch.randint(3, (50, 2))
    draw = lambda seed: anchor_quality(  # noqa: E731
        distances, 1, 200, torch.Generator().manual_seed(seed)
    )
    assert draw(0) == draw(0)
    assert len({draw(seed).resolved for seed in range(5)}) > 1


def test_corners_of_one_side_resolve_a_grid_and_opposite_ones_do_not():
    node = torch.arange(49).view(7, 7)
    right = torch.stack([node[:, :-1].flatten(), node[:, 1:].flatten()])
    down = torch.stack([node[:-1].flatten(), node[1:].flatten()])
    edges = torch.cat([right, down], 1)
    resolved = [
        anchor_quality(anchor_distances(edges, corners, direction="both"), 1).resolved
        for corners in (torch.tensor([0, 6]), torch.tensor([0, 48]))
    ]
    assert resolved[0] == 1 and resolved[1] < 1


def test_farthest_points_are_more_even_on_communities():
    """Cliques in a ring: farthest points take one each, random ones do not."""
    clique = torch.combinations(torch.arange(8)).t()
    edges = torch.cat([clique + 8 * c for c in range(8)], 1)
    ring = torch.arange(8) * 8
    edges = torch.cat([edges, torch.stack([ring, (ring + 9) % 64])], 1)

    def evenness(select):
        values = []
        for seed in range(10):
            anchors = select(edges, 64, 8, torch.Generator().manual_seed(seed))
            hops = anchor_distances(edges, anchors, 64, direction="both")
            values.append(anchor_quality(hops, 1, 10).evenness)
        return sum(values) / 10

    assert evenness(farthest_point_anchors) > evenness(random_anchors) + 0.02


@pytest.mark.parametrize(
    "distances, pairs, name",
    [(torch.zeros(3), 9, "distances"), (torch.zeros(3, 1), 0, "num_pairs")],
)
def test_bad_input(distances, pairs, name):
    with pytest.raises(ArgumentError, match=name):
        anchor_quality(distances, 1, pairs)
