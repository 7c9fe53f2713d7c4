"""Similarities against their formulas, and the gradient to the choice of anchors."""

import sys

import pytest
import torch

from graphlab.errors import ArgumentError
from graphlab.ops import anchor_similarity, distance_similarity

DISTANCES = torch.tensor([[0, 1, -1], [2, 3, 7], [-1, -1, -1], [1, 0, 2]]).short()


def formula(distances):
    similarity = 1 / (distances.double() + 1)
    return similarity.masked_fill(distances < 0, 0)


def test_similarity_is_the_formula():
    ours = distance_similarity(DISTANCES)
    assert ours.dtype == torch.float32
    torch.testing.assert_close(ours.double(), formula(DISTANCES), rtol=0, atol=1e-7)
    assert distance_similarity(DISTANCES, torch.float64).dtype == torch.float64
    largest = torch.tensor([32_766], dtype=torch.int16)  # one more would overflow
    assert distance_similarity(largest, torch.float64).item() == 1 / 32_767


def test_weighted_similarity_and_its_gradient():
    inf = float("inf")
    distances = torch.tensor([0.0, 0.5, 3.0, inf]).double().requires_grad_()
    similarity = distance_similarity(distances)
    assert similarity.tolist() == [1, 1 / 1.5, 0.25, 0]
    similarity.sum().backward()
    assert distances.grad.tolist() == [-1, -1 / 2.25, -1 / 16, 0]


@pytest.fixture
def small_blocks(monkeypatch):
    module = sys.modules["graphlab.ops.distance_similarity"]
    monkeypatch.setattr(module, "BLOCK_BYTES", 2 * 4 * 3)  # two nodes


@pytest.mark.usefixtures("small_blocks")
def test_soft_anchors_are_the_formula():
    weight = torch.randn(5, 3, dtype=torch.float64)
    ours = anchor_similarity(DISTANCES, weight)
    torch.testing.assert_close(ours, formula(DISTANCES) @ weight.t())
    one_hot = torch.eye(3)[[2, 0]]
    hard = anchor_similarity(DISTANCES, one_hot)
    assert torch.equal(hard, distance_similarity(DISTANCES)[:, [2, 0]])


@pytest.mark.usefixtures("small_blocks")
def test_gradients_of_the_selection():
    weight = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    run = lambda w: anchor_similarity(DISTANCES, w)  # noqa: E731
    assert torch.autograd.gradcheck(run, weight)
    assert torch.autograd.gradgradcheck(run, weight)
    upstream = torch.randn(4, 2, dtype=torch.float64)
    (grad,) = torch.autograd.grad(run(weight), weight, upstream)
    torch.testing.assert_close(grad, upstream.t() @ formula(DISTANCES))


@pytest.mark.usefixtures("small_blocks")
def test_replicas_of_the_selection():
    weights = torch.randn(4, 2, 3, dtype=torch.float64)
    run = lambda w: anchor_similarity(DISTANCES, w)  # noqa: E731
    torch.testing.assert_close(
        torch.func.vmap(run)(weights), torch.stack([*map(run, weights)])
    )
    grads = torch.func.vmap(torch.func.grad(lambda w: run(w).square().sum()))(weights)
    each = [torch.func.grad(lambda w: run(w).square().sum())(w) for w in weights]
    torch.testing.assert_close(grads, torch.stack(each))


def test_without_nodes_candidates_or_anchors():
    for nodes, anchors, candidates in [(0, 2, 3), (4, 0, 3), (4, 2, 0)]:
        weight = torch.randn(anchors, candidates, requires_grad=True)
        distances = torch.zeros(nodes, candidates, dtype=torch.int16)
        out = anchor_similarity(distances, weight)
        assert out.shape == (nodes, anchors)
        out.sum().backward()
        assert weight.grad.shape == weight.shape


@pytest.mark.parametrize(
    "distances, selection, name",
    [
        (DISTANCES, torch.ones(2, 4), "selection"),
        (DISTANCES, torch.ones(3), "selection"),
        (DISTANCES[0], torch.ones(1, 3), "distances"),
        (DISTANCES, torch.ones(2, 3).long(), "floating"),
        (torch.ones(4, 3, requires_grad=True), torch.ones(2, 3), "distances"),
    ],
)
def test_bad_input(distances, selection, name):
    with pytest.raises(ArgumentError, match=name):
        anchor_similarity(distances, selection)
