"""What holds for every model."""

import inspect

import pytest
import torch
from torch.func import functional_call, stack_module_state, vmap

import graphlab.nn

MODELS = [getattr(graphlab.nn, name) for name in graphlab.nn.models.__all__]
#: Models whose defaults are those of a paper and not of a test.
SMALL = dict.fromkeys(
    ("ReverseGAT", "ReverseGCN"),
    {"num_layers": 2, "num_reverse_layers": 4, "tol": 1e-7, "dropout": 0.5},
)


@pytest.fixture(params=MODELS, ids=lambda cls: cls.__name__)
def make(request):
    torch.manual_seed(0)
    cls = request.param
    return lambda **kwargs: cls(6, 8, 3, **(SMALL.get(cls.__name__, {}) | kwargs))


@pytest.fixture
def make_mapped(make):
    """The models that :func:`torch.func.vmap` can take."""
    if hasattr(make(), "num_reverse_layers"):
        return lambda **kwargs: make(num_reverse_layers=0, **kwargs)
    return make


def test_logits_are_finite_on_awkward_graphs(make, graph):
    edge_index, num_nodes = graph
    model = make()
    logits = model(torch.randn(num_nodes, 6), edge_index)
    assert logits.shape == (num_nodes, 3) and logits.isfinite().all()
    logits.sum().backward()
    for parameter in model.parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all()


def test_models_are_permutation_equivariant(make, data):
    x, edge_index = data
    model = make().eval()
    p = torch.randperm(14)
    moved = p.argsort()[edge_index][:, torch.randperm(40)]
    if not hasattr(model, "prepare"):
        torch.testing.assert_close(model(x[p], moved), model(x, edge_index)[p])
        return
    anchors = model.prepare(edge_index, 14)["anchors"]  # move along
    nodes = anchors.nodes if anchors.nodes.dim() == 1 else anchors.nodes[p]
    along = anchors._replace(nodes=p.argsort()[nodes], distances=anchors.distances[p])
    got = model(x[p], moved, anchors=along)
    torch.testing.assert_close(got, model(x, edge_index, anchors=anchors)[p])


def test_sparse_features_give_what_dense_ones_give(make, data):
    x, edge_index = data
    model = make().eval()
    sparse = x.to_sparse_csr()
    torch.testing.assert_close(model(sparse, edge_index), model(x, edge_index))
    model.train()
    assert model(sparse, edge_index).isfinite().all()


@pytest.mark.parametrize("sparse", [False, True])
def test_replicas_equal_one_by_one(make_mapped, data, sparse):
    x, edge_index = data
    x = x.to_sparse_csr() if sparse else x
    models = [make_mapped().eval() for _ in range(3)]
    params, buffers = stack_module_state(models)
    seed = torch.randn(3, 14, 3)

    def call(params, buffers):
        return functional_call(models[0], (params, buffers), (x, edge_index))

    out = vmap(call, randomness="different")(params, buffers)
    grads = torch.autograd.grad(out, list(params.values()), seed)
    for r, model in enumerate(models):
        single = model(x, edge_index)
        torch.testing.assert_close(out[r], single, atol=1e-5, rtol=1e-4)
        want = torch.autograd.grad(single, list(model.parameters()), seed[r])
        got = tuple(g[r] for g in grads)
        torch.testing.assert_close(got, want, atol=1e-5, rtol=1e-4)


def test_replicas_draw_their_own_dropout(make_mapped, data):
    model = make_mapped()
    params, buffers = stack_module_state([model] * 2)

    def call(params, buffers):
        return functional_call(model, (params, buffers), data)

    out = vmap(call, randomness="different")(params, buffers)
    assert not torch.allclose(out[0], out[1])


def test_evaluation_is_deterministic_and_training_is_not(make, data):
    model = make()
    assert not torch.equal(model(*data), model(*data))
    model.eval()
    assert torch.equal(model(*data), model(*data))


def test_depth_and_reset(request, make, data):
    cls = request.node.callspec.params["make"]
    depths = "num_layers" in inspect.signature(cls).parameters  # else continuous
    for kwargs in ({"num_layers": 1}, {"num_layers": 3}) if depths else ({},):
        model = make(**kwargs).eval()
        before = model(*data)
        model.reset_parameters()
        after = model(*data)
        assert after.shape == (14, 3) and not torch.equal(before, after)
