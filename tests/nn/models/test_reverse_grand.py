import copy
import json
import sys
import warnings

import pytest
import torch
from scipy.linalg import expm
from torch.func import functional_call

from graphlab.errors import ArgumentError
from graphlab.nn import ReverseGRAND
from graphlab.ops import with_self_loops
from graphlab.training import Problem, TrainingConfig, fit


def make(seed=0, double=True, **kwargs):
    """A model whose queries are not zero any more."""
    torch.manual_seed(seed)
    kwargs = {"heads": 2, "attention_channels": 6} | kwargs
    model = ReverseGRAND(6, 8, 3, **kwargs).eval()
    torch.nn.init.normal_(model.query.weight)
    torch.nn.init.normal_(model.rate)
    return model.double() if double else model


def dense_attention(model, x, edge_index):
    """A of the docstring, entry by entry; repeated edges count as often as they are."""
    n, d = x.size(0), model.query.out_channels // model.heads
    count = torch.zeros(n, n, dtype=x.dtype)
    for j, i in edge_index.t().tolist():
        count[i, j] += i != j
    count += torch.eye(n, dtype=x.dtype)
    total = 0
    for h in range(model.heads):
        part = slice(h * d, (h + 1) * d)
        query, key = model.query(x)[:, part], model.key(x)[:, part]
        weight = count * (query @ key.t() / d**0.5).exp()
        total = total + weight / weight.sum(1, keepdim=True)
    return total / model.heads


def oracle(model, x, edge_index):
    """The docstring, with the matrix exponential."""
    x0 = model.encoder(x).relu()
    matrix = dense_attention(model, x0, edge_index) - torch.eye(len(x), dtype=x.dtype)
    generator = (model.rate.sigmoid() * matrix).detach().numpy()
    times = [model.time] + [-model.reverse_time] * (model.reverse_time > 0)
    ends = [torch.from_numpy(expm(t * generator)) @ x0 for t in times]
    return model.decoder(model.hidden(torch.cat(ends, -1).relu()).relu())


@pytest.mark.parametrize("times", [(1.0, 1.0), (2.0, 0.5), (0.0, 1.0), (1.0, 0.0)])
def test_equals_the_matrix_exponential(data, times):
    x, edge_index = data[0].double(), data[1]
    model = make(time=times[0], reverse_time=times[1], step_size=0.02)
    out = model(x, edge_index)
    torch.testing.assert_close(out, oracle(model, x, edge_index), atol=1e-8, rtol=1e-8)


def test_equals_the_matrix_exponential_on_awkward_graphs(graph):
    edge_index, num_nodes = graph
    x = torch.randn(num_nodes, 6, dtype=torch.double)
    model = make(step_size=0.02)
    out = model(x, edge_index)
    torch.testing.assert_close(out, oracle(model, x, edge_index), atol=1e-8, rtol=1e-8)


@pytest.mark.parametrize("adjoint", [False, True])
def test_dopri5(data, adjoint):
    pytest.importorskip("torchdiffeq")
    x, edge_index = data[0].double(), data[1]
    tight = {"method": "dopri5", "rtol": 1e-9, "atol": 1e-9}
    model = make(adjoint=adjoint, **tight)
    out = model(x, edge_index)
    torch.testing.assert_close(out, oracle(model, x, edge_index), atol=1e-6, rtol=1e-6)
    other = make(step_size=0.02)
    params = list(model.parameters())
    got = torch.autograd.grad(out.square().sum(), params)
    value = other(x, edge_index).square().sum()
    want = torch.autograd.grad(value, list(other.parameters()))
    torch.testing.assert_close(got, want, atol=1e-5, rtol=1e-5)


def test_queries_start_at_the_random_walk_and_leave_it(data):
    x, edge_index = data
    torch.manual_seed(0)
    model = ReverseGRAND(6, 8, 3)
    edges, _ = with_self_loops(edge_index, 14)
    attention = model.attention(model.encoder(x), edges)
    degree = torch.zeros(14).index_add(0, edges[1], torch.ones(edges.size(1)))
    torch.testing.assert_close(attention, 1 / degree[edges[1]])
    model(x, edge_index).square().sum().backward()
    grad = model.query.weight.grad
    assert grad.norm() > 0
    assert torch.linalg.matrix_rank(grad) > 1  # channels do not move as one


def test_rows_of_attention_sum_to_one(data):
    edges, _ = with_self_loops(data[1], 14)
    model = make()
    attention = model.attention(torch.randn(14, 8).double(), edges)
    rows = torch.zeros(14).double().index_add(0, edges[1], attention)
    torch.testing.assert_close(rows, torch.ones(14).double())


@pytest.mark.parametrize("method", ["euler", "midpoint", "rk4"])
def test_gradients(method):
    edge_index = torch.tensor([[0, 1, 2, 3, 3], [1, 0, 1, 2, 3]])
    model = make(method=method, step_size=0.5)
    x = torch.randn(5, 6, dtype=torch.double, requires_grad=True)
    names, values = zip(*model.named_parameters(), strict=True)

    def run(x, *values):
        state = dict(zip(names, values, strict=True))
        return functional_call(model, state, (x, edge_index))

    assert torch.autograd.gradcheck(run, (x, *values))


def test_permutation_of_nodes_with_trained_queries(data):
    x, edge_index = data[0].double(), data[1]
    model, p = make(), torch.randperm(14)
    moved = p.argsort()[edge_index][:, torch.randperm(40)]
    torch.testing.assert_close(model(x[p], moved), model(x, edge_index)[p])


def test_copies_and_state_dicts_give_the_same_bits(data):
    model = make(double=False)
    want = model(*data)
    other = make(seed=1, double=False)
    other.load_state_dict(model.state_dict())
    assert torch.equal(other(*data), want)
    assert torch.equal(copy.deepcopy(model)(*data), want)
    assert torch.equal(model(*data), want)


def test_round_trip_of_the_flow(data):
    """What diffuses for a time comes back by the reverse process of the same time."""
    x, edge_index = data[0].double(), data[1]
    model = make(time=1.5, reverse_time=1.5, step_size=0.05)
    edges, _ = with_self_loops(edge_index, 14)
    start = model.encoder(x).relu()
    generator = model.generator(start, edges)
    there, away = model._diffuse(start, edges, generator)
    assert not torch.allclose(there, start) and not torch.allclose(away, start)
    _, back = model._diffuse(there, edges, generator)
    torch.testing.assert_close(back, start, atol=1e-6, rtol=1e-6)


# ----------------------------------------------------------------- ill-posedness


def test_facts_of_an_evaluation(data):
    model = make(double=False)
    assert model.facts() == {}
    model(*data)
    facts = model.facts()
    assert facts["function_evaluations"] == 2 * 4 * 4
    assert facts["well_posed"] and facts["growth_limit"] == pytest.approx(12, abs=0.1)
    assert facts["alpha"] == pytest.approx(model.rate.sigmoid().item())
    assert json.loads(json.dumps(facts)) == facts
    model = make(reverse_time=0.0, double=False)
    model(*data)
    assert set(model.facts()) == {"alpha", "function_evaluations", "norm_ratio"}


def test_the_exponent_bounds_the_growth(data):
    x, edge_index = data[0].double(), data[1]
    model = make(reverse_time=4.0, step_size=0.05)
    model(x, edge_index)
    start = model.encoder(x).relu()
    matrix = dense_attention(model, start, edge_index)
    alpha = model.rate.sigmoid().item()
    exponent = 2 * alpha * (1 - matrix.diagonal().min().item()) * 4.0
    assert model.facts()["growth_exponent"] == pytest.approx(exponent)
    generator = (alpha * (matrix - torch.eye(14).double())).detach().numpy()
    flow = torch.from_numpy(expm(-4.0 * generator))
    growth = float(flow.abs().sum(1).max().log())  # the norm induced by the largest
    assert 0.5 * exponent < growth <= exponent


def test_ill_posed_times_are_told_once(data):
    x, edge_index = data
    model = make(reverse_time=40.0, double=False)
    with pytest.warns(RuntimeWarning, match="reverse_time 40.0"):
        model(x, edge_index)
    facts = model.facts()
    assert not facts["well_posed"] and facts["growth_exponent"] > 12
    assert facts["reverse_norm_ratio"] > 10 * facts["norm_ratio"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(x, edge_index)  # not again
        make(reverse_time=1.0, double=False).train()(x, edge_index)
        make(reverse_time=14.0)(x.double(), edge_index)  # doubles carry that far
    with pytest.warns(RuntimeWarning):
        make(reverse_time=40.0, double=False).train()(x, edge_index)


# --------------------------------------------------------------------- replicas


def problem(model, **config):
    torch.manual_seed(0)
    y = torch.randint(0, 2, (40,))
    x = torch.randn(40, 6) + y.unsqueeze(1)
    masks = torch.rand(2, 40)
    parts = [masks < 0.4, (masks >= 0.4) & (masks < 0.7), masks >= 0.7]
    return Problem(
        *(model, x, torch.randint(40, (2, 120)), y, 2, *parts),
        seeds=(1, 2),
        config=TrainingConfig(**({"epochs": 8, "stopping": "none"} | config)),
    )


def test_replicas_train_at_once_and_tell_their_own_facts():
    def model():
        return ReverseGRAND(6, 8, 2, reverse_time=0.5)

    together, apart = fit(problem(model)), fit(problem(model, vectorize=False))
    assert together.vectorized, together.reason
    torch.testing.assert_close(together.logits, apart.logits, atol=1e-4, rtol=1e-4)
    first, second = [info["model"] for info in together.info]
    assert first["well_posed"] and first["alpha"] != second["alpha"]


def test_ill_posed_replicas_warn_and_are_recorded():
    with pytest.warns(RuntimeWarning, match="reverse diffusion may grow"):
        result = fit(problem(lambda: ReverseGRAND(6, 8, 2, reverse_time=30.0)))
    assert result.vectorized
    assert not any(info["model"]["well_posed"] for info in result.info)


def test_replicas_with_adaptive_steps_train_one_by_one():
    pytest.importorskip("torchdiffeq")
    result = fit(problem(lambda: ReverseGRAND(6, 8, 2, method="dopri5"), epochs=2))
    assert not result.vectorized and result.reason


# ----------------------------------------------------------------- bad arguments


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_features_must_be_finite(data, value, sparse):
    x, edge_index = data
    x[3, 2] = value
    x = x.to_sparse_csr() if sparse else x
    with pytest.raises(ArgumentError, match="x must be finite"):
        make(double=False)(x, edge_index)


def test_edge_weights_are_refused(data):
    with pytest.raises(ArgumentError, match="edge_weight must be None"):
        make(double=False)(*data, torch.ones(40))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("time", -1.0, "time must be finite and not negative"),
        ("reverse_time", -0.1, "reverse_time must be finite"),
        ("reverse_time", float("nan"), "reverse_time must be finite"),
        ("time", float("inf"), "time must be finite"),
        ("step_size", 0.0, "step_size must be positive"),
        ("rtol", -1.0, "rtol must be positive"),
        ("method", "heun", "method must be one of euler, midpoint, rk4, dopri5"),
        ("heads", 5, "multiple of heads, got 6 channels and 5"),
        ("heads", 0, "multiple of heads"),
        ("adjoint", True, "adjoint must be False for method 'rk4'"),
    ],
)
def test_bad_arguments(name, value, message):
    with pytest.raises(ArgumentError, match=message):
        make(**{name: value})


def test_missing_torchdiffeq_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchdiffeq", None)
    with pytest.raises(ArgumentError, match=r"pip install 'graphlab-pyg\[ode\]'"):
        make(method="dopri5")
