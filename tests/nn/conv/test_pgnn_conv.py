"""Position layers against the dense formula of their docstring."""

import copy

import pytest
import torch

from graphlab.nn import Anchors, AnchorSelector, PGNNConv, PSGNNConv
from graphlab.ops import distance_similarity


def by_the_formula(conv, x, anchors):
    """Nodes times anchors times concatenated states, as in the authors' code."""
    similarity = distance_similarity(anchors.distances).to(x.dtype).unsqueeze(2)
    scale = conv.distance_out(conv.distance_in(similarity).relu())  # [N, K, 1]
    states = x[anchors.nodes].expand(len(x), -1, -1)  # [N, K, F]
    own = x.unsqueeze(1).expand_as(states)
    messages = conv.lin(torch.cat([scale * states, own], 2)).relu()
    return conv.position(messages).squeeze(2), messages.mean(1)


@pytest.fixture(params=["random", "bourgain", "weighted"])
def anchors_of(request):
    def anchors(edge_index, num_nodes):
        if request.param != "weighted":
            return AnchorSelector(request.param, 5).prepare(edge_index, num_nodes)
        weight = torch.rand(edge_index.size(1))
        select = AnchorSelector("random", 5)
        return select.prepare(edge_index, num_nodes, edge_weight=weight)

    return anchors


def test_split_form_is_the_formula(graph, anchors_of):
    edge_index, num_nodes = graph
    torch.manual_seed(0)
    conv = PGNNConv(4, 6).double()
    with torch.no_grad():
        [p.add_(0.1 * torch.randn_like(p)) for p in conv.parameters()]
    x = torch.randn(num_nodes, 4, dtype=torch.float64, requires_grad=True)
    anchors = anchors_of(edge_index, num_nodes)
    got, want = conv(x, anchors), by_the_formula(conv, x, anchors)
    torch.testing.assert_close(got, want, atol=1e-6, rtol=1e-6)
    seeds = [torch.randn_like(part) for part in want]
    inputs = [x, *conv.parameters()]
    torch.testing.assert_close(
        torch.autograd.grad(got, inputs, seeds),
        torch.autograd.grad(want, inputs, seeds),
        atol=1e-6,
        rtol=1e-6,
    )


def test_gradcheck(data, anchors_of):
    x, edge_index = data
    torch.manual_seed(0)
    conv, anchors = PGNNConv(6, 3).double(), anchors_of(edge_index, 14)
    x = x.double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: conv(x, anchors), [x])


def test_a_choice_among_candidates_changes_no_value_and_has_a_gradient(data):
    x, edge_index = data
    conv = PGNNConv(6, 3)
    candidates = AnchorSelector("random", 7).prepare(edge_index, 14)
    weight = torch.eye(7)[[4, 0, 2]].requires_grad_()
    chosen = candidates._replace(selection=weight)
    torch.testing.assert_close(
        conv(x, chosen), conv(x, candidates.take(torch.tensor([4, 0, 2])))
    )
    conv(x, chosen)[0].sum().backward()
    assert (weight.grad != 0).float().mean() > 0.5  # of those not chosen, too
    torch.testing.assert_close(chosen.chosen().nodes, candidates.nodes[[4, 0, 2]])


def test_permutations_move_the_answer_along(data, anchors_of):
    x, edge_index = data
    conv, anchors = PGNNConv(6, 3), anchors_of(edge_index, 14)
    p = torch.randperm(14)
    nodes = anchors.nodes if anchors.nodes.dim() == 1 else anchors.nodes[p]
    moved = Anchors(p.argsort()[nodes], anchors.distances[p])
    want = [part[p] for part in conv(x, anchors)]
    torch.testing.assert_close(list(conv(x[p], moved)), want)


def test_layers_without_position_output(data):
    x, edge_index = data
    conv = PGNNConv(6, 3, position=False)
    anchors = AnchorSelector("random", 4).prepare(edge_index, 14)
    z, h = conv(x, anchors)
    assert z is None and h.shape == (14, 3)
    assert {name.partition(".")[0] for name, _ in conv.named_parameters()} == {
        *("distance_in", "distance_out", "lin")
    }


@pytest.mark.parametrize("selector", ["learned", "farthest_point"])
def test_psgnn_conv_chooses_by_itself(data, selector):
    x, edge_index = data
    torch.manual_seed(0)
    conv = PSGNNConv(6, 3, num_anchors=4, selector=selector).eval()
    z, h = conv(x, edge_index)
    assert z.shape == (14, 4) and h.shape == (14, 3)
    nodes = conv.facts()["anchors"]
    assert len(set(nodes)) == 4
    torch.testing.assert_close(
        z, conv(x, edge_index, **conv.prepare(edge_index, 14))[0]
    )
    anchors = conv.selector(x, edge_index).chosen()
    assert anchors.nodes.tolist() == nodes
    torch.testing.assert_close(
        (z, h), by_the_formula(conv.conv, x, anchors), atol=1e-5, rtol=1e-5
    )


def test_copies_and_checkpoints_give_the_same(data):
    torch.manual_seed(0)
    conv = PSGNNConv(6, 3, num_anchors=4)
    conv(*data)[0].sum().backward()
    other = copy.deepcopy(conv).eval()
    third = PSGNNConv(6, 3, num_anchors=4).eval()
    third.load_state_dict(conv.state_dict())
    want = conv.eval()(*data)
    assert torch.equal(other(*data)[0], want[0])
    assert torch.equal(third(*data)[0], want[0])
    conv.reset_parameters()
    assert not torch.equal(conv(*data)[0], want[0])
