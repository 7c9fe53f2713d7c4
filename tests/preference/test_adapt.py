"""Adaptation against loops over new users, neighbours and pairs."""

import math
import sys

import pandas as pd
import pytest
import torch
from torch.nn.functional import softplus

import graphlab.preference.adapt as adapt_module
from graphlab.errors import ArgumentError
from graphlab.preference import (
    MFBPR,
    BradleyTerry,
    CoPLGCF,
    PreferenceGraph,
    PreferenceVectors,
    adapt_unseen_users,
    fold_in,
)


def make_vectors(graph, dim=4, bias=True, seed=0):
    generator = torch.Generator().manual_seed(seed)
    users, responses = graph.num_nodes
    return PreferenceVectors(
        torch.randn(users, dim, generator=generator),
        torch.randn(responses, dim, generator=generator),
        torch.randn(responses, generator=generator) if bias else None,
    )


def make_pairs(graph, num_new=20, seed=0):
    """One to four pairs for each new user, out of order."""
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for v in range(num_new):
        for _ in range(1 + v % 4):
            w, x = torch.randperm(graph.num_responses, generator=generator)[:2]
            rows.append((f"new{v}", int(w), int(x)))
    order = torch.randperm(len(rows), generator=generator).tolist()
    rows = [rows[0], *(rows[i] for i in order if i)]  # new0 appears first
    return pd.DataFrame(rows, columns=["user", "winner", "loser"])


def neighbors(graph, pairs, signed):
    liked = set(zip(graph.user.tolist(), graph.winner.tolist(), strict=True))
    disliked = set(zip(graph.user.tolist(), graph.loser.tolist(), strict=True))
    return [
        u
        for u in range(graph.num_users)
        if any((u, w) in liked for w, _ in pairs)
        or (signed and any((u, x) in disliked for _, x in pairs))
    ]


def by_loops(vectors, graph, pairs, rule, temperature, normalize, signed):
    users = vectors.user.double()
    if normalize:
        users = users / users.norm(dim=1, keepdim=True)
    responses = vectors.response.double()
    bias = vectors.bias
    near = neighbors(graph, pairs, signed)
    weights = []
    for u in near:
        total = 0.0
        for w, x in pairs:
            margin = float(users[u] @ (responses[w] - responses[x]))
            margin += float(bias[w] - bias[x]) if bias is not None else 0.0
            total += -math.log1p(math.exp(-margin))
        fit = total / len(pairs)
        weights.append(math.exp(fit / temperature) if rule == "two_hop" else 1.0)
    if not near:
        return users.mean(0), 0
    total = sum(weights)
    out = sum(w / total * users[u] for w, u in zip(weights, near, strict=True))
    return out, len(near)


@pytest.mark.parametrize("rule", ["two_hop", "mean"])
@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_rules_are_their_formulas(random_graph, rule, normalize, signed, bias):
    graph = random_graph(num_responses=40, num_pairs=30)
    vectors, table = make_vectors(graph, bias=bias), make_pairs(graph)
    adapted = adapt_unseen_users(
        *(vectors, graph, table, rule),
        temperature=0.3,
        normalize=normalize,
        signed=signed,
    )
    assert adapted.ids.ids == list(dict.fromkeys(table["user"]))
    for row, one in enumerate(adapted.ids.ids):
        mine = table[table["user"] == one]
        pairs = list(zip(mine["winner"], mine["loser"], strict=True))
        wanted, count = by_loops(vectors, graph, pairs, rule, 0.3, normalize, signed)
        torch.testing.assert_close(
            adapted.vectors[row].double(), wanted, atol=1e-5, rtol=1e-4
        )
        assert adapted.num_neighbors[row] == count
        assert adapted.fallback[row] == (count == 0)
    assert bool(adapted.fallback.any()) or signed  # both cases are met


@pytest.mark.parametrize("rule", ["two_hop", "mean", "fold_in"])
def test_blocks_do_not_matter(random_graph, rule, monkeypatch):
    graph = random_graph()
    vectors, table = make_vectors(graph), make_pairs(graph)
    whole = adapt_unseen_users(vectors, graph, table, rule)
    for size in (1, 100):
        monkeypatch.setattr(adapt_module, "BLOCK", size)
        monkeypatch.setattr(sys.modules["graphlab.preference.fold_in"], "BLOCK", size)
        parts = adapt_unseen_users(vectors, graph, table, rule)
        torch.testing.assert_close(parts.vectors, whole.vectors)
        assert torch.equal(parts.num_neighbors, whole.num_neighbors)


def test_a_low_temperature_takes_the_best_neighbor_without_overflow(random_graph):
    graph = random_graph()
    vectors = make_vectors(graph, bias=False)
    cold = adapt_unseen_users(vectors, graph, make_pairs(graph), temperature=1e-6)
    norms = cold.vectors[~cold.fallback].norm(dim=1)
    torch.testing.assert_close(norms, torch.ones_like(norms))


def test_a_copy_of_a_known_user_is_found(random_graph):
    graph = random_graph()
    vectors = make_vectors(graph, bias=False)
    vectors = vectors._replace(response=50 * vectors.response)
    like = int(vectors.unit().margin(*graph.pairs).argmin())  # any user will do
    like = int(graph.user[like])
    everything = [(w, x) for w in range(12) for x in range(12) if w != x]
    said = [
        (w, x)
        for w, x in everything
        if vectors.margin(*(torch.tensor([i]) for i in (like, w, x))) > 0
    ]
    table = pd.DataFrame(said, columns=["winner", "loser"]).assign(user="copy")
    adapted = adapt_unseen_users(vectors, graph, table)
    torch.testing.assert_close(
        adapted.vectors[0], vectors.unit().user[like], atol=1e-2, rtol=0
    )


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("ridge", [1e-3, 0.1, 10.0])
def test_fold_in_is_where_the_gradient_vanishes(random_graph, bias, ridge):
    graph = random_graph()
    vectors, table = make_vectors(graph, bias=bias), make_pairs(graph)
    # One user says one thing five times over, and the opposite once.
    odd = pd.DataFrame({"user": "odd", "winner": [0] * 5 + [1], "loser": [1] * 5 + [0]})
    table = pd.concat([table, odd], ignore_index=True)
    adapted = adapt_unseen_users(
        *(vectors, graph, table, "fold_in"), ridge=ridge, normalize=False
    )
    center = vectors.user.mean(0).double()
    for row, one in enumerate(adapted.ids.ids):
        mine = table[table["user"] == one]
        e = adapted.vectors[row].double().requires_grad_()
        w, x = torch.tensor(mine["winner"].values), torch.tensor(mine["loser"].values)
        margin = (vectors.response[w] - vectors.response[x]).double() @ e
        if bias:
            margin = margin + vectors.bias[w] - vectors.bias[x]
        loss = softplus(-margin).mean() + ridge / 2 * (e - center).square().sum()
        (gradient,) = torch.autograd.grad(loss, e)
        assert gradient.abs().max() < 1e-5
    assert not adapted.fallback.any() and adapted.num_neighbors.sum() == 0


def test_fold_in_of_nobody_and_of_nothing(graph):
    vectors = make_vectors(graph)
    nothing = tuple(torch.empty(3, 0, dtype=torch.long))
    center = torch.ones(4)
    assert fold_in(vectors, nothing, 0, center, 1.0).shape == (0, 4)
    assert torch.equal(fold_in(vectors, nothing, 2, center, 1.0), torch.ones(2, 4))


def test_a_model_is_asked_in_evaluation_mode_and_left_as_it_was(random_graph):
    graph = random_graph()
    model = CoPLGCF(30, 12, 4, edge_dropout=0.9)
    table = make_pairs(graph)
    one, same = (adapt_unseen_users(model, graph, table).vectors for _ in range(2))
    assert torch.equal(one, same) and model.training and not one.requires_grad


def test_without_vectors_only_the_bias_counts(random_graph):
    graph = random_graph()
    for rule in adapt_module.RULES:
        adapted = adapt_unseen_users(
            BradleyTerry(30, 12), graph, make_pairs(graph), rule
        )
        assert adapted.vectors.shape == (20, 0)


def stranger(graph):
    """A new user who likes what nobody likes: response 5."""
    return pd.DataFrame({"user": ["x", "y"], "winner": [5, 0], "loser": [0, 1]})


def test_fallbacks(graph):
    vectors = make_vectors(graph)
    run = [
        adapt_unseen_users(vectors, graph, stranger(graph), fallback=fallback)
        for fallback in ("population_mean", "zero")
    ]
    for adapted in run:
        assert adapted.fallback.tolist() == [True, False]
        assert adapted.num_neighbors[0] == 0
    torch.testing.assert_close(run[0].vectors[0], vectors.unit().user.mean(0))
    assert torch.equal(run[1].vectors[0], torch.zeros(4))
    with pytest.raises(ArgumentError, match="1 users share no response .* 'x'"):
        adapt_unseen_users(vectors, graph, stranger(graph), fallback="error")


def test_signed_neighbors_where_there_are_no_others(graph):
    vectors = make_vectors(graph)
    adapted = adapt_unseen_users(vectors, graph, stranger(graph), signed=True)
    assert not adapted.fallback.any()  # user 1 dislikes response 0 as well


def test_unknown_responses(graph):
    vectors = make_vectors(graph)
    table = pd.DataFrame(
        {"user": ["x", "x", "y"], "winner": [0, 77, 78], "loser": [1, 0, 79]}
    )
    with pytest.raises(ArgumentError, match="response must be .* 77, 78 are not"):
        adapt_unseen_users(vectors, graph, table)
    for rule in adapt_module.RULES:
        adapted = adapt_unseen_users(
            *(vectors, graph, table, rule), unknown_responses="drop"
        )
        assert adapted.fallback.tolist() == [False, True], rule
        alone = adapt_unseen_users(vectors, graph, table[:1], rule)
        torch.testing.assert_close(adapted.vectors[:1], alone.vectors)


def test_users_without_pairs_and_pairs_without_users(graph):
    vectors, table = make_vectors(graph), stranger(graph)
    with pytest.raises(ArgumentError, match="1 of 3 have none, the first is 'z'"):
        adapt_unseen_users(vectors, graph, table, users=["x", "z", "y"])
    with pytest.raises(ArgumentError, match="known to users, but 'y' is not"):
        adapt_unseen_users(vectors, graph, table, users=["x"])
    with pytest.raises(ArgumentError, match="must hold a pair, got none"):
        adapt_unseen_users(vectors, graph, table[:0])
    adapted = adapt_unseen_users(vectors, graph, table, users=["y", "x"])
    assert adapted.ids.ids == ["y", "x"] and adapted.fallback.tolist() == [False, True]


@pytest.mark.parametrize(
    "arguments",
    [
        dict(rule="three_hop"),
        dict(fallback="none"),
        dict(temperature=0.0),
        dict(ridge=0.0),
        dict(unknown_responses="keep"),
    ],
)
def test_bad_arguments(graph, arguments):
    with pytest.raises(ArgumentError, match=next(iter(arguments))):
        adapt_unseen_users(make_vectors(graph), graph, stranger(graph), **arguments)


def test_vectors_of_another_graph(graph):
    with pytest.raises(ArgumentError, match="model must have a vector for each user"):
        vectors = make_vectors(graph)
        adapt_unseen_users(
            vectors._replace(user=vectors.user[:2]), graph, stranger(graph)
        )
    with pytest.raises(ArgumentError, match="graph must have the 2 users"):
        adapt_unseen_users(MFBPR(2, 6), graph, stranger(graph))


def test_scores_of_new_users(graph):
    vectors = make_vectors(graph)
    adapted = adapt_unseen_users(vectors, graph, stranger(graph))
    scored = adapted.scores(vectors)
    assert torch.equal(scored.user, adapted.vectors) and scored.bias is vectors.bias
    assert torch.equal(adapted.table()[["y"]], adapted.vectors[1:])
    assert isinstance(graph, PreferenceGraph)
