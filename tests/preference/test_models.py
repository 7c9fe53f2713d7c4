"""Models against dense matrices and loops written from the docstrings."""

import pytest
import torch
import torch_geometric.nn
from torch.autograd import gradcheck

from graphlab.errors import ArgumentError
from graphlab.preference import (
    MFBPR,
    BradleyTerry,
    CoPLGCF,
    LightGCN,
    PreferenceGraph,
    SignedLightGCN,
)
from graphlab.preference.propagation import drop_edges, propagation

MODELS = {
    "bt": lambda n, m: BradleyTerry(n, m),
    "mf": lambda n, m: MFBPR(n, m, 4),
    "lightgcn": lambda n, m: LightGCN(n, m, 4, 2),
    "signed": lambda n, m: SignedLightGCN(n, m, 4, 2),
    "released": lambda n, m: CoPLGCF(n, m, 4, 2, "released"),
    "paper": lambda n, m: CoPLGCF(n, m, 4, 2, "paper", item_bias=True),
}


def linear(module, x):
    out = x @ module.weight.T
    return out if module.bias is None else out + module.bias


def leaky(x):
    return torch.where(x > 0, x, 0.2 * x)


def released_dense(model, likes, dislikes):
    """Users and responses side by side, as in the note on the released code."""
    users, responses = model.user, model.response
    for layer in model.layers:
        states = []
        for own, other, plus, minus in (
            (users, responses, likes, dislikes),
            (responses, users, likes.T, dislikes.T),
        ):
            p, n = plus @ other, minus @ other
            states.append(
                leaky(
                    p
                    + linear(layer.liked, p * own)
                    - n
                    - linear(layer.disliked, n * own)
                    + linear(layer.own, own)
                )
            )
        users, responses = states
    return users, responses


def paper_dense(model, likes, dislikes):
    """The printed sum over neighbours, one by one."""

    def side(layer, own, other, plus, minus):
        rows = []
        for u in range(len(own)):
            total = layer.own.weight @ own[u]
            for r in range(len(other)):
                both = other[r] * own[u]
                total = total + plus[u, r] * (
                    layer.liked.weight @ other[r] + layer.liked_both.weight @ both
                )
                total = total + minus[u, r] * (
                    layer.disliked.weight @ other[r] + layer.disliked_both.weight @ both
                )
            rows.append(leaky(total))
        return torch.stack(rows)

    users, responses = model.user, model.response
    for layer in model.layers:
        users, responses = (
            side(layer, users, responses, likes, dislikes),
            side(layer, responses, users, likes.T, dislikes.T),
        )
    return users, responses


@pytest.mark.parametrize("variant", ["released", "paper"])
def test_copl_is_its_formula(graph, dense, variant):
    torch.manual_seed(0)
    model = CoPLGCF(5, 6, 4, 3, variant).eval()
    vectors = model(graph)
    reference = {"released": released_dense, "paper": paper_dense}[variant]
    users, responses = reference(model, dense["likes"], dense["dislikes"])
    torch.testing.assert_close(vectors.user, users)
    torch.testing.assert_close(vectors.response, responses)
    assert vectors.bias is None


def power_mean(x, matrix, layers):
    total, power = x, x
    for _ in range(layers):
        power = matrix @ power
        total = total + power
    return total / (layers + 1)


@pytest.mark.parametrize("sign", [0, -1])
def test_light_gcn_is_its_formula(graph, dense, sign):
    torch.manual_seed(0)
    model = (SignedLightGCN if sign else LightGCN)(5, 6, 4, 3)
    both = dense["likes"] + sign * dense["dislikes"]
    matrix = torch.zeros(11, 11)
    matrix[:5, 5:], matrix[5:, :5] = both, both.T
    expected = power_mean(model.model.embedding.weight, matrix, 3)
    vectors = model(graph)
    torch.testing.assert_close(torch.cat(vectors[:2]), expected)
    assert (vectors.bias is None) == (sign == 0)


def test_light_gcn_is_that_of_pyg(random_graph):
    graph = random_graph()
    model = LightGCN(30, 12, 8, 3)
    user, response = graph.data["user", "likes", "response"].edge_index
    weight = graph.data["user", "likes", "response"].edge_weight
    edge_index = torch.stack([user, response + 30])
    edge_index = torch.cat([edge_index, edge_index.flip(0)], 1)
    peer = torch_geometric.nn.LightGCN(42, 8, 3)
    peer.load_state_dict(model.model.state_dict())
    expected = peer.get_embedding(edge_index, torch.cat([weight, weight]))
    torch.testing.assert_close(torch.cat(model(graph)[:2]), expected)


@pytest.mark.parametrize("name", MODELS)
def test_equivariance_to_the_order_of_users_and_responses(graph, name):
    torch.manual_seed(1)
    model = MODELS[name](5, 6).eval()
    users, responses = torch.tensor([3, 0, 4, 1, 2]), torch.tensor([5, 2, 0, 1, 4, 3])
    other = PreferenceGraph.from_pairs(
        *graph.pairs, user_ids=users, response_ids=responses
    )
    moved = MODELS[name](5, 6).eval()
    state = {key: value.clone() for key, value in model.state_dict().items()}
    for key, value in state.items():
        if key == "user":
            state[key] = value[users]
        elif key in ("response", "bias"):
            state[key] = value[responses]
        elif key == "model.embedding.weight":
            state[key] = torch.cat([value[:5][users], value[5:][responses]])
    moved.load_state_dict(state)
    plain, permuted = model(graph), moved(other)
    torch.testing.assert_close(permuted.user, plain.user[users])
    torch.testing.assert_close(permuted.response, plain.response[responses])
    if plain.bias is not None:
        torch.testing.assert_close(permuted.bias, plain.bias[responses])


@pytest.mark.parametrize("name", MODELS)
def test_gradients_are_those_of_finite_differences(graph, name):
    torch.manual_seed(2)
    model = MODELS[name](5, 6).double().eval()
    names = [key for key, _ in model.named_parameters()]

    def loss(*values):
        parameters = dict(zip(names, values, strict=True))
        vectors = torch.func.functional_call(model, parameters, (graph,))
        return model.loss(vectors, *graph.pairs)

    values = [p.detach().clone().requires_grad_() for p in model.parameters()]
    assert gradcheck(loss, values)


@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_gets_a_gradient(random_graph, name):
    graph, model = random_graph(), MODELS[name](30, 12)
    model.loss(model(graph), *graph.pairs).backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, key


@pytest.mark.parametrize("name", ["lightgcn", "signed", "released", "paper"])
def test_no_tensor_of_a_row_per_edge(random_graph, name):
    graph = random_graph(num_users=40, num_responses=40, num_pairs=20_000)
    model = MODELS[name](40, 40)
    edges = graph.data["user", "likes", "response"].edge_index.size(1)
    sizes = []
    hooks = torch.autograd.graph.saved_tensors_hooks(
        lambda t: (sizes.append(t.numel()), t)[1], lambda t: t
    )
    with hooks:
        model.loss(model(graph), *graph.pairs).backward()
    # Weights of the edges, of both kinds and directions, and margins; no rows of 4.
    assert max(sizes) <= max(4 * edges, 2 * graph.num_pairs) < 4 * graph.num_pairs


@pytest.mark.parametrize("name", ["lightgcn", "signed", "released", "paper"])
def test_an_isolated_node_keeps_to_itself(name):
    pairs = [0, 1], [0, 1], [1, 0]
    graph = PreferenceGraph.from_pairs(*pairs, user_ids=range(3), response_ids=range(3))
    torch.manual_seed(0)
    model = MODELS[name](3, 3).eval()
    before = model(graph)
    with torch.no_grad():
        table = model.model.embedding.weight if hasattr(model, "model") else model.user
        table[0] += 1  # a connected user
    after = model(graph)
    assert torch.equal(before.user[2], after.user[2])
    assert torch.equal(before.response[2], after.response[2])
    assert not torch.equal(before.user[1], after.user[1]) or name == "lightgcn"


def test_dropped_edges_keep_the_mean_and_follow_the_generator():
    weight = torch.ones(20_000)
    one, same, other = (
        drop_edges(weight, 0.25, torch.Generator().manual_seed(seed))
        for seed in (0, 0, 1)
    )
    assert torch.equal(one, same) and not torch.equal(one, other)
    assert set(one.unique().tolist()) == {0.0, (weight[0] / 0.75).item()}
    assert abs(one.mean() - 1) < 0.02
    assert drop_edges(weight, 0.0) is weight


@pytest.mark.parametrize("name", ["released", "paper"])
def test_edges_are_dropped_in_training_only(random_graph, name):
    graph = random_graph()
    model = MODELS[name](30, 12)

    def run(seed):
        return model(graph, generator=torch.Generator().manual_seed(seed)).user

    assert torch.equal(run(0), run(0)) and not torch.equal(run(0), run(1))
    state = torch.get_rng_state()
    run(2)
    assert torch.equal(torch.get_rng_state(), state)
    model.eval()
    assert torch.equal(run(0), run(1))


def test_directions_and_kinds_are_dropped_independently(random_graph):
    spread = propagation(random_graph(), "split", torch.float32)
    kept = drop_edges(spread.weight, 0.5, torch.Generator().manual_seed(0)) > 0
    source, target = spread.csr.src(), spread.csr.dst()
    there = {
        (int(s), int(t) // 2, int(t) % 2): bool(k)
        for s, t, k in zip(source, target, kept, strict=True)
    }
    back = [there[t, s, kind] == k for (s, t, kind), k in there.items()]
    assert 0.3 < sum(back) / len(back) < 0.7  # with one draw for both it would be 1


def test_normalized_users(random_graph):
    graph = random_graph()
    model = CoPLGCF(30, 12, 4, normalize_users=True)
    norms = model(graph).user.norm(dim=1)
    torch.testing.assert_close(norms, torch.ones(30))


def test_the_graph_must_be_the_models(graph):
    for make in MODELS.values():
        with pytest.raises(
            ArgumentError, match="must have the 5 users and 7 responses"
        ):
            make(5, 7)(graph)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (dict(variant="printed"), "variant: must be one of 'released', 'paper'"),
        (dict(edge_dropout=1.0), "edge_dropout must be at least 0 and less than 1"),
        (dict(num_layers=0), "num_layers: must be a whole number"),
        (dict(dim=0), "dim: must be a whole number"),
    ],
)
def test_bad_arguments(arguments, match):
    with pytest.raises(ArgumentError, match=match):
        CoPLGCF(2, 3, **arguments)
