import pytest
import torch
from torch.func import grad, vmap

from graphlab.errors import ArgumentError
from graphlab.ops import Csr, edge_add, edge_softmax


def softmax(edge_index, logits):
    """Node by node, the formula of the docstring."""
    out = torch.zeros_like(logits)
    for node in edge_index[1].unique():
        edges = edge_index[1] == node
        out[edges] = logits[edges].softmax(0)
    return out


@pytest.mark.parametrize("heads", [(), (3,)])
def test_edge_softmax_is_a_softmax_per_destination(graph, heads):
    edge_index, num_nodes = graph
    torch.manual_seed(0)
    logits = torch.randn(edge_index.size(1), *heads, dtype=torch.double)
    out = edge_softmax(Csr.from_edge_index(edge_index, num_nodes), logits)
    torch.testing.assert_close(out, softmax(edge_index, logits))
    torch.testing.assert_close(edge_softmax(edge_index, logits), out)
    if edge_index.numel():
        args = (logits.requires_grad_(),)
        assert torch.autograd.gradcheck(lambda s: edge_softmax(edge_index, s), args)
        assert torch.autograd.gradgradcheck(lambda s: edge_softmax(edge_index, s), args)


def test_edge_softmax_does_not_overflow(unsorted):
    edge_index = unsorted[0]
    logits = torch.randn(7, 2)
    # A shift per destination changes nothing, however far apart destinations are.
    shift = torch.tensor([1e4, -1e4, 80.0, 0.0])[edge_index[1]][:, None]
    out = edge_softmax(edge_index, logits + shift)
    torch.testing.assert_close(out, softmax(edge_index, logits), atol=1e-2, rtol=0)
    assert out.isfinite().all()


def test_edges_at_minus_infinity_get_nothing(unsorted):
    edge_index = unsorted[0]
    logits = torch.zeros(7)
    logits[edge_index[1] == 1] = -torch.inf  # all edges of node 1
    logits[2] = -torch.inf  # one of the edges of node 0
    out = edge_softmax(edge_index, logits)
    assert out[edge_index[1] == 1].tolist() == [0, 0, 0] and out[2] == 0
    assert out[edge_index[1] == 0].sum() == 1


@pytest.mark.parametrize("heads", [(), (3,)])
def test_edge_add_values_and_gradients(graph, heads):
    edge_index, num_nodes = graph
    torch.manual_seed(0)
    a, b = (torch.randn(num_nodes, *heads, dtype=torch.double) for _ in range(2))
    out = edge_add(edge_index, a, b)
    torch.testing.assert_close(out, a[edge_index[0]] + b[edge_index[1]])
    if edge_index.numel():
        args = (a.requires_grad_(), b.requires_grad_())
        assert torch.autograd.gradcheck(lambda a, b: edge_add(edge_index, a, b), args)
        cube = lambda a, b: edge_add(edge_index, a, b) ** 3  # noqa: E731
        assert torch.autograd.gradgradcheck(cube, args)


@pytest.mark.parametrize("heads", [(), (2,)])
def test_vmap_equals_a_loop(unsorted, heads):
    edge_index, num_nodes = unsorted
    a = torch.randn(3, num_nodes, *heads, dtype=torch.double)
    b = torch.randn(num_nodes, *heads, dtype=torch.double)

    def attention(a, b):
        return edge_softmax(edge_index, edge_add(edge_index, a, b) ** 2)

    def score(a, b):
        return (attention(a, b) ** 2).sum()

    out = vmap(attention, (0, None))(a, b)
    torch.testing.assert_close(out, torch.stack([attention(r, b) for r in a]))
    got = vmap(grad(score, (0, 1)), (0, None))(a, b)
    want = [grad(score, (0, 1))(r, b) for r in a]
    torch.testing.assert_close(got, tuple(map(torch.stack, zip(*want, strict=True))))
    a, b = a.requires_grad_(), b.requires_grad_()
    outer = torch.autograd.grad(vmap(score, (0, None))(a, b).sum(), (a, b))
    torch.testing.assert_close(outer, (got[0], got[1].sum(0)))


def test_bad_arguments_are_refused(unsorted):
    edge_index = unsorted[0]
    with pytest.raises(ArgumentError, match=r"logits must have shape \[7\]"):
        edge_softmax(edge_index, torch.zeros(6))
    with pytest.raises(ArgumentError, match="src and dst must have 5 and 5 rows"):
        edge_add(Csr.from_edge_index(edge_index, 5), torch.zeros(5), torch.zeros(5, 2))
