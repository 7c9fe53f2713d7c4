"""P-GNN and PSGNN: answers, anchors, mini-batches, and what is never made."""

import copy

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from graphlab.errors import ArgumentError
from graphlab.nn import PGNN, PSGNN

MODELS = {
    "pgnn": lambda **kwargs: PGNN(6, 8, **kwargs),
    "psgnn": lambda **kwargs: PSGNN(6, 8, num_anchors=5, **kwargs),
    "farthest_point": lambda **kwargs: PSGNN(
        6, 8, num_anchors=5, selector="farthest_point", **kwargs
    ),
}


@pytest.fixture(params=MODELS)
def make(request):
    torch.manual_seed(0)
    return MODELS[request.param]


def test_the_answer_for_pairs_has_a_number_for_each_anchor(make, graph):
    edge_index, num_nodes = graph
    model = make()
    z = model(torch.randn(num_nodes, 6), edge_index)
    assert z.shape == (num_nodes, model.facts()["num_anchors"])
    z.sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name


@pytest.mark.parametrize("layers", [1, 3])
def test_the_model_is_its_layers(make, data, layers):
    x, edge_index = data
    model = make(num_layers=layers).eval()
    anchors = model.selector(x, edge_index)
    h = model.lin_in(x)
    for conv in model.convs[:-1]:
        assert conv.position is None
        h = conv(h, anchors)[1]
    z, h = model.convs[-1](h, anchors)
    torch.testing.assert_close(model(x, edge_index), z)
    torch.testing.assert_close(model(x, edge_index, **model.prepare(edge_index, 14)), z)


def test_new_draws_are_new_anchors(make, data):
    x, edge_index = data
    model = make().eval()
    prepared = model.prepare(edge_index, 14, torch.Generator().manual_seed(7))
    z = model(x, edge_index, **prepared)
    assert torch.equal(z, model(x, edge_index, **prepared))
    assert not torch.equal(z, model(x, edge_index))


@pytest.mark.parametrize("out_channels", [None, 3])
@pytest.mark.parametrize("selector", ["learned", "random"])
def test_a_few_nodes_get_the_answer_they_have_among_all(data, selector, out_channels):
    x, edge_index = data
    torch.manual_seed(0)
    model = PSGNN(6, 8, out_channels, num_anchors=4, selector=selector).eval()
    nodes = torch.tensor([13, 0, 5, 0])
    torch.testing.assert_close(
        model(x, edge_index, nodes=nodes), model(x, edge_index)[nodes]
    )
    seen = []
    model.convs[0].register_forward_hook(lambda m, args, out: seen.append(len(args[0])))
    model(x, edge_index, nodes=nodes[:2])
    assert seen == [2 + (14 if selector == "learned" else 4)]  # and the candidates


class Given(torch.nn.Module):
    """Anchors that were chosen before."""

    def __init__(self, anchors):
        super().__init__()
        self.anchors = anchors

    def forward(self, *args, **kwargs):
        return self.anchors


def test_a_linear_map_of_positions_knows_the_picks_in_any_order(data):
    x, edge_index = data
    torch.manual_seed(0)
    model = PSGNN(6, 8, 3, num_anchors=4).eval()
    anchors, answers = model.selector(x, edge_index), []
    for order in ([0, 1, 2, 3], [2, 3, 1, 0]):
        model.selector = Given(anchors._replace(selection=anchors.selection[order]))
        answers.append(model(x, edge_index))
    torch.testing.assert_close(*answers)
    other = anchors.selection.roll(1, 1)  # but other picks are told from these
    model.selector = Given(anchors._replace(selection=other))
    assert not torch.allclose(model(x, edge_index), answers[0])


def test_sets_and_sparse_features_take_no_nodes(data):
    x, edge_index = data
    with pytest.raises(ArgumentError, match="single nodes"):
        PGNN(6, 8)(x, edge_index, nodes=torch.tensor([0]))
    with pytest.raises(ArgumentError, match="dense"):
        PSGNN(6, 8)(x.to_sparse_csr(), edge_index, nodes=torch.tensor([0]))


def test_lengths_of_edges_change_the_answer(data):
    x, edge_index = data
    model = PSGNN(6, 8, num_anchors=5).eval()
    ones, long = torch.ones(40), torch.full((40,), 3.0)
    want = model(x, edge_index)
    torch.testing.assert_close(model(x, edge_index, ones), want)
    assert not torch.allclose(model(x, edge_index, long), want)


def test_copies_and_checkpoints_give_the_same(make, data):
    model = make()
    model(*data).sum().backward()
    other, third = copy.deepcopy(model).eval(), make().eval()
    third.load_state_dict(model.state_dict())
    want = model.eval()(*data)
    assert torch.equal(other(*data), want) and torch.equal(third(*data), want)


def test_double_precision(make, data):
    x, edge_index = data
    z = make().double()(x.double(), edge_index)
    assert z.dtype == torch.float64


class NoSquare(TorchDispatchMode):
    """Refuses tensors of so many entries."""

    def __init__(self, limit):
        super().__init__()
        self.limit = limit

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for part in out if isinstance(out, tuple | list) else [out]:
            if isinstance(part, torch.Tensor) and part.layout == torch.strided:
                assert part.numel() < self.limit, (func, part.shape)
        return out


@pytest.mark.parametrize("cls", [PGNN, PSGNN])
def test_no_matrix_of_nodes_by_nodes(cls):
    n = 1500
    i = torch.arange(n)
    edge_index = torch.stack([torch.cat([i, (i + 1) % n]), torch.cat([(i + 1) % n, i])])
    model = cls(4, 8)
    with NoSquare(n * n):
        model(torch.randn(n, 4), edge_index).sum().backward()
    with pytest.raises(AssertionError), NoSquare(n * n):
        torch.ones(n, n)
