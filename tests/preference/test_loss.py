import math

import pytest
import torch

from graphlab.errors import ArgumentError
from graphlab.preference import (
    MFBPR,
    CoPLGCF,
    PreferenceVectors,
    Regularizer,
)
from graphlab.preference.margins import FUSED_FROM, margins


def random_vectors(bias=True):
    generator = torch.Generator().manual_seed(0)
    parts = [torch.randn(n, 3, generator=generator) for n in (5, 6)]
    return PreferenceVectors(
        *parts, torch.randn(6, generator=generator) if bias else None
    )


@pytest.mark.parametrize("bias", [True, False])
def test_scores_and_margins_are_inner_products(graph, bias):
    vectors = random_vectors(bias)
    for u, w, x in zip(*(t.tolist() for t in graph.pairs), strict=True):
        scores = []
        for r in (w, x):
            score = sum(
                float(a) * float(b)
                for a, b in zip(vectors.user[u], vectors.response[r], strict=True)
            )
            scores.append(score + (float(vectors.bias[r]) if bias else 0))
        rows = [torch.tensor([i]) for i in (u, w, x)]
        assert vectors.margin(*rows).item() == pytest.approx(
            scores[0] - scores[1], abs=1e-5
        )
        assert vectors.score(*rows[:2]).item() == pytest.approx(scores[0], abs=1e-5)


def test_many_pairs_are_the_same_as_few():
    generator = torch.Generator().manual_seed(0)
    users = torch.randn(50, 4, generator=generator, dtype=torch.double)
    responses = torch.randn(20, 4, generator=generator, dtype=torch.double)
    users.requires_grad_(), responses.requires_grad_()
    size = (FUSED_FROM + 5,)
    user = torch.randint(50, size, generator=generator)
    winner, loser = (torch.randint(20, size, generator=generator) for _ in range(2))

    def run(*pairs):
        users.grad = responses.grad = None
        out = margins(users, responses, *pairs)
        out.square().sum().backward()
        return out.detach(), users.grad, responses.grad

    plain = (users[user] * (responses[winner] - responses[loser])).sum(1)
    wanted = torch.autograd.grad(plain.square().sum(), (users, responses))
    fused = run(user, winner, loser)
    torch.testing.assert_close(fused[0], plain.detach())
    torch.testing.assert_close(fused[1:], wanted)
    # What is remembered of a tensor of users must not outlive a change of the others.
    other = loser.flip(0)
    torch.testing.assert_close(
        margins(users, responses, user, winner, other),
        (users[user] * (responses[winner] - responses[other])).sum(1),
    )
    loser[0] = (loser[0] + 1) % 20
    torch.testing.assert_close(
        margins(users, responses, user, winner, loser),
        (users[user] * (responses[winner] - responses[loser])).sum(1),
    )


def test_huge_margins_have_a_finite_loss_and_gradient(graph):
    model = MFBPR(5, 6, 3)
    with torch.no_grad():
        model.user.mul_(1e4)
        model.response.mul_(1e4)
    loss = model.loss(model(graph), *graph.pairs)
    loss.backward()
    assert loss.isfinite() and model.user.grad.isfinite().all()


@pytest.mark.parametrize("on", ["final", "initial"])
@pytest.mark.parametrize("reduce", ["sum", "mean"])
def test_the_regularizer_is_a_sum_over_the_batch(graph, on, reduce):
    torch.manual_seed(0)
    model = CoPLGCF(
        5, 6, 3, 2, item_bias=True, regularizer=Regularizer(0.3, on, reduce)
    ).eval()
    with torch.no_grad():
        model.bias.normal_()
    vectors = model(graph).detach()
    source = vectors if on == "final" else model.initial().detach()
    data = penalty = 0.0
    for u, w, x in zip(*(t.tolist() for t in graph.pairs), strict=True):
        score = vectors.user[u] @ (vectors.response[w] - vectors.response[x])
        margin = score + vectors.bias[w] - vectors.bias[x]
        data += math.log1p(math.exp(-float(margin)))
        for table, row in ((0, u), (1, w), (1, x)):
            penalty += float(source[table][row].square().sum())
        penalty += float(source[2][w] ** 2 + source[2][x] ** 2)
    count = graph.num_pairs
    expected = data / count + 0.3 * penalty / (count if reduce == "mean" else 1)
    assert model.loss(vectors, *graph.pairs).item() == pytest.approx(expected, rel=1e-5)


def test_the_default_of_copl_is_the_released_one():
    assert CoPLGCF(2, 3, 2).regularizer == Regularizer(1e-6, "final", "sum")


@pytest.mark.parametrize(
    "arguments", [dict(weight=-1.0), dict(on="last"), dict(reduce="none")]
)
def test_bad_regularizers(arguments):
    with pytest.raises(ArgumentError, match=next(iter(arguments))):
        Regularizer(**arguments)


def test_unit_vectors():
    vectors = random_vectors().unit()
    torch.testing.assert_close(vectors.user.norm(dim=1), torch.ones(5))
    assert torch.equal(vectors.response, random_vectors().response)
