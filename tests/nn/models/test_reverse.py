import copy
import math
import warnings

import pytest
import torch

from graphlab.errors import ArgumentError
from graphlab.nn import ReverseGAT, ReverseGCN
from graphlab.training import Problem, TrainingConfig, fit

MODELS = [ReverseGCN, ReverseGAT]
SMALL = {"num_layers": 4, "num_reverse_layers": 6, "num_blocks": 2}
EXACT = {"max_iter": 300, "tol": 1e-14}


def undirected(num_nodes=14):
    torch.manual_seed(0)
    edges = torch.randint(num_nodes - 2, (2, 20))  # two nodes without edges
    return torch.cat([edges, edges.flip(0)], dim=1)


def make(cls=ReverseGCN, **kwargs):
    torch.manual_seed(1)
    return cls(6, 8, 3, **({"coeff": 0.5} | SMALL | kwargs))


@pytest.mark.parametrize("cls", MODELS)
@pytest.mark.parametrize("decoder", ["linear", "mlp", "conv"])
def test_is_both_branches_from_one_start(cls, decoder):
    """Layer by layer; the order of the blocks is written out."""
    edge_index, x = undirected(), torch.randn(14, 6, dtype=torch.double)
    options = {"decoder": decoder, "encoder": "conv" if decoder == "conv" else "linear"}
    model = make(cls, out_norm="layer", **options, **EXACT).double()
    graph = (edge_index,) if options["encoder"] == "conv" else ()
    start = forward = reverse = model.encoder(x, *graph).relu()
    for block in (0, 1, 0, 1):
        forward = model.blocks[block](forward, edge_index)
    for block in (1, 0, 1, 0, 1, 0):
        before = reverse
        reverse = model.blocks[block].inverse(before, edge_index)[0]
        again = model.blocks[block](reverse, edge_index)
        torch.testing.assert_close(again, before, rtol=1e-10, atol=1e-10)
    out = model.norm(torch.cat([forward, reverse], dim=1))
    for layer in model.decoder:
        out = layer(out, edge_index) if decoder == "conv" else layer(out)
    torch.testing.assert_close(model(x, edge_index), out)
    states = model.branches(x, edge_index)
    assert [len(states[0]), len(states[1])] == [5, 7]
    torch.testing.assert_close(states[0][0], start)
    torch.testing.assert_close(states[1][-1], reverse)
    torch.testing.assert_close(
        model.decode(forward, reverse, edge_index=edge_index), out
    )


@pytest.mark.parametrize("cls", MODELS)
def test_without_reverse_layers_it_is_the_control(cls):
    edge_index, x = undirected(), torch.randn(14, 6)
    model = make(cls, num_reverse_layers=0)
    state = model.encoder(x).relu()
    for block in (0, 1, 0, 1):
        state = model.blocks[block](state, edge_index)
    torch.testing.assert_close(model(x, edge_index), model.decoder[0](state))
    assert model.facts() == {} and model.decoder[0].in_channels == 8


@pytest.mark.parametrize("cls", MODELS)
def test_awkward_graphs_and_permutations(cls, graph):
    edge_index, num_nodes = graph
    model = make(cls, coeff=0.3, **EXACT).double()
    x = torch.randn(num_nodes, 6, dtype=torch.double)
    out = model(x, edge_index)
    out.sum().backward()
    assert out.isfinite().all()
    order = torch.randperm(num_nodes)
    permuted = model(x[order], order.argsort()[edge_index])
    torch.testing.assert_close(permuted, out[order])


@pytest.mark.parametrize("cls", MODELS)
def test_same_bits_every_time_and_after_loading(cls):
    edge_index, x = undirected(), torch.randn(14, 6)
    grads = []
    for _ in range(2):
        model = make(cls)
        model(x, edge_index).square().sum().backward()
        grads.append([p.grad for p in model.parameters()])
    assert all(map(torch.equal, *grads))
    other = cls(6, 8, 3, coeff=0.5, **SMALL)
    other.load_state_dict(model.state_dict())
    for twin in (other, copy.deepcopy(model)):
        for mode in (True, False):
            out = model.train(mode)(x, edge_index)
            assert torch.equal(twin.train(mode)(x, edge_index), out)


def test_new_weights_are_drawn():
    model = make()
    before = [p.clone() for p in model.parameters()]
    model.reset_parameters()
    names = dict(model.named_parameters())
    same = [
        n
        for n, p, q in zip(names, names.values(), before, strict=True)
        if torch.equal(p, q)
    ]
    assert all("bias" in name for name in same)


def test_sparse_features_and_edge_weights():
    edge_index, x = undirected(), torch.randn(14, 6).relu()
    model = make(encoder="conv", decoder="conv")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        sparse = x.to_sparse_csr()
    torch.testing.assert_close(model(sparse, edge_index), model(x, edge_index))
    ones = torch.ones(edge_index.size(1))
    torch.testing.assert_close(model(x, edge_index, ones), model(x, edge_index))
    assert not torch.allclose(model(x, edge_index, ones * 3), model(x, edge_index))


def test_facts_tell_how_it_went():
    edge_index, x = undirected(), torch.randn(14, 6)
    model = make()
    model(x, edge_index).sum().backward()
    facts = model.facts()
    assert facts["converged"] and facts["fixed_point_residual"] <= 1e-5
    assert 1 < facts["fixed_point_iterations"] < 10 and 0 < facts["contraction"] < 0.5
    assert facts["adjoint_iterations"] >= 1 and facts["recovery_drift"] < 1e-4
    assert not facts["damped"]


def test_attention_that_does_not_contract_warns_once_and_is_recorded():
    edge_index, x = undirected(), 30 * torch.randn(14, 6)
    model = make(ReverseGAT, coeff=0.99, max_iter=6)
    with torch.no_grad():  # sharp attention jumps from neighbour to neighbour
        for block in model.blocks:
            block.conv.att_src.mul_(50)
            block.conv.att_dst.mul_(50)
    with pytest.warns(UserWarning, match="ReverseGAT: .* of 6 inverses did not"):
        model(x, edge_index)
    facts = model.facts()
    assert not facts["converged"] or facts["contraction"] >= 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(x, edge_index)


@pytest.mark.parametrize("grad", ["implicit", "unroll"])
def test_refuses_features_that_are_not_finite(grad):
    edge_index, x = undirected(), torch.randn(14, 6)
    x[3, 2] = math.nan
    with pytest.raises(ArgumentError, match="must be finite"):
        make(grad=grad)(x, edge_index)


def test_weights_that_are_not_finite_give_nan_and_no_error():
    """Training then sees a loss that is NaN, which it knows how to report."""
    edge_index, x = undirected(), torch.randn(14, 6)
    model = make()
    with torch.no_grad():
        model.encoder.weight.fill_(math.nan)
    with pytest.warns(UserWarning):
        out = model(x, edge_index)
    assert out.isnan().any()
    out.sum().backward()
    facts = model.facts()
    assert facts["fixed_point_residual"] is None and not facts["converged"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"coeff": 1.0}, "coeff"),
        ({"num_layers": 0}, "num_layers"),
        ({"num_reverse_layers": -1}, "num_reverse_layers"),
        ({"num_blocks": 0}, "num_blocks"),
        ({"num_layers": 3}, "num_layers must be a multiple"),
        ({"num_reverse_layers": 5}, "num_reverse_layers must be a multiple"),
        ({"decoder": "magic"}, "decoder"),
        ({"encoder": "magic"}, "encoder"),
        ({"out_norm": "magic"}, "out_norm"),
        ({"grad": "magic"}, "grad"),
        ({"max_iter": 0}, "max_iter"),
    ],
)
def test_refuses_bad_arguments(arguments, word):
    with pytest.raises(ArgumentError, match=word):
        make(**arguments)


def problem(vectorize, num_reverse_layers):
    torch.manual_seed(0)
    masks = torch.stack([torch.arange(14) % 3 == i for i in range(3)])
    masks = masks[:, None].expand(3, 2, 14)
    config = TrainingConfig(epochs=4, stopping="none", vectorize=vectorize)
    return Problem(
        lambda: ReverseGCN(6, 8, 3, 2, num_reverse_layers, coeff=0.5, dropout=0.3),
        torch.randn(14, 6),
        undirected(),
        torch.arange(14) % 3,
        3,
        *masks,
        seeds=[1, 2],
        config=config,
    )


def test_training_falls_back_to_one_by_one():
    results = [fit(problem(vectorize, 4)) for vectorize in (True, False)]
    assert not results[0].vectorized and "depends on data" in results[0].reason
    assert torch.equal(results[0].logits, results[1].logits)
    assert torch.equal(fit(problem(True, 4)).logits, results[0].logits)


def test_the_control_trains_all_at_once():
    together, alone = (fit(problem(vectorize, 0)) for vectorize in (True, False))
    assert together.vectorized
    torch.testing.assert_close(together.logits, alone.logits, rtol=1e-4, atol=1e-5)
