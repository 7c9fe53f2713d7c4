"""What must not change posterior labels, and what must change them in step."""

import pytest
import torch
from torch.testing import assert_close
from torch_geometric import EdgeIndex

from graphlab.transforms import _posterior, posterior_label_smoothing


def test_only_labels_of_the_mask_are_read(make_graph):
    edge_index, y, mask = make_graph(seed=2)
    expected = posterior_label_smoothing(edge_index, y, mask, 4)
    for garbage in (-1, -999, 3, 10**9):
        other = torch.where(mask, y, garbage)
        assert torch.equal(
            posterior_label_smoothing(edge_index, other, mask, 4), expected
        )
    soft = torch.eye(4)[y]
    soft[~mask] = torch.tensor([float("nan"), float("inf"), -7.0, 0.0])
    assert torch.equal(posterior_label_smoothing(edge_index, soft, mask), expected)


@pytest.mark.parametrize("conditional", ["edge", "node"])
def test_integer_weights_equal_parallel_edges(make_graph, conditional):
    edge_index, y, mask = make_graph(seed=3)
    weight = torch.arange(edge_index.size(1)) % 4
    repeated = edge_index.repeat_interleave(weight, dim=1)
    options = dict(num_classes=4, conditional=conditional)
    assert_close(
        posterior_label_smoothing(
            edge_index, y, mask, edge_weight=weight.float(), **options
        ),
        posterior_label_smoothing(repeated, y, mask, **options),
    )


@pytest.mark.parametrize("pseudo", [False, True])
@pytest.mark.parametrize("conditional", ["edge", "node"])
def test_one_hot_soft_labels_equal_hard_ones(make_graph, conditional, pseudo):
    edge_index, y, mask = make_graph(seed=4, train=0.5)
    options = dict(conditional=conditional, pseudo_label=y.flip(0) if pseudo else None)
    hard = posterior_label_smoothing(edge_index, y, mask, 4, **options)
    for dtype in (torch.float32, torch.float64):
        soft = torch.eye(4, dtype=dtype)[y]
        assert_close(posterior_label_smoothing(edge_index, soft, mask, **options), hard)


def test_soft_labels_are_expected_counts(make_graph, naive_targets):
    edge_index, y, mask = make_graph(seed=6)
    g = torch.Generator().manual_seed(0)
    soft = torch.rand(y.numel(), 4, generator=g, dtype=torch.float64).softmax(1)
    weight = torch.rand(edge_index.size(1), generator=g, dtype=torch.float64)
    for options in (
        {},
        {"edge_weight": weight},
        {"pseudo_label": y, "noise": "uniform"},
    ):
        assert_close(
            posterior_label_smoothing(edge_index, soft, mask, **options).double(),
            naive_targets(edge_index, soft, mask, 4, **options),
            rtol=0,
            atol=1e-6,
        )


def test_missing_labels_in_the_mask_count_as_outside_it(make_graph):
    edge_index, y, mask = make_graph(seed=7)
    missing = mask & (torch.arange(y.numel()) % 3 == 0)
    expected = posterior_label_smoothing(edge_index, y, mask & ~missing, 4)
    hard = torch.where(missing, -1, y)
    assert torch.equal(posterior_label_smoothing(edge_index, hard, mask, 4), expected)
    for fill in (0.0, float("nan")):
        soft = torch.eye(4)[y].masked_fill(missing.unsqueeze(1), fill)
        assert torch.equal(posterior_label_smoothing(edge_index, soft, mask), expected)


def test_permuting_nodes_permutes_rows(make_graph):
    edge_index, y, mask = make_graph(seed=8)
    perm = torch.randperm(y.numel(), generator=torch.Generator().manual_seed(1))
    place = torch.empty_like(perm)
    place[perm] = torch.arange(y.numel())
    out = posterior_label_smoothing(edge_index, y, mask, 4)
    moved = posterior_label_smoothing(place[edge_index], y[perm], mask[perm], 4)
    assert_close(moved, out[perm])


def test_relabelling_classes_permutes_columns(make_graph):
    edge_index, y, mask = make_graph(seed=9)
    name = torch.tensor([2, 0, 3, 1])
    out = posterior_label_smoothing(edge_index, y, mask, 4)
    renamed = posterior_label_smoothing(edge_index, name[y], mask, 4)
    assert_close(renamed[:, name], out)


def test_order_of_edges_and_integer_type_do_not_matter(make_graph):
    edge_index, y, mask = make_graph(seed=10)
    out = posterior_label_smoothing(edge_index, y, mask, 4)
    perm = torch.randperm(edge_index.size(1))
    assert torch.equal(
        posterior_label_smoothing(edge_index[:, perm].int(), y.int(), mask, 4), out
    )
    wrapped = EdgeIndex(edge_index, sparse_size=(y.numel(), y.numel()))
    assert torch.equal(posterior_label_smoothing(wrapped, y, mask, 4), out)


@pytest.mark.parametrize("kind", ["hard", "weighted", "soft"])
def test_chunks_change_nothing_and_reruns_are_bit_equal(make_graph, monkeypatch, kind):
    edge_index, y, mask = make_graph(5000, 60_000, 4, seed=11)
    options = {}
    if kind == "weighted":
        options["edge_weight"] = torch.rand(edge_index.size(1))
    if kind == "soft":
        y = torch.rand(y.numel(), 4).softmax(1)
    out = posterior_label_smoothing(edge_index, y, mask, 4, **options)
    again = posterior_label_smoothing(edge_index, y, mask, 4, **options)
    assert torch.equal(out, again)
    monkeypatch.setattr(_posterior, "CHUNK_ENTRIES", 1000)
    chunked = posterior_label_smoothing(edge_index, y, mask, 4, **options)
    assert_close(chunked, out, rtol=0, atol=1e-6)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_equals_cpu(make_graph):
    edge_index, y, mask = make_graph(seed=12)
    weight = torch.rand(edge_index.size(1))
    for w in (None, weight):
        for labels in (y, torch.eye(4)[y]):
            cpu = posterior_label_smoothing(edge_index, labels, mask, 4, edge_weight=w)
            gpu = posterior_label_smoothing(
                *(t.cuda() for t in (edge_index, labels, mask)),
                4,
                edge_weight=None if w is None else w.cuda(),
                pseudo_label=None,
            )
            assert gpu.is_cuda
            assert_close(gpu.cpu(), cpu)


def test_torch_cross_entropy_takes_the_targets(make_graph):
    edge_index, y, mask = make_graph(seed=15)
    target = posterior_label_smoothing(edge_index, y, mask, 4)[mask]
    logits = torch.randn(target.shape, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(logits, target)
    assert_close(loss, -(target * logits.log_softmax(1)).sum(1).mean())
