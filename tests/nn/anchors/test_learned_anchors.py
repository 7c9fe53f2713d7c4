"""Sequential picks: their law, their gradient, and that they break symmetries."""

import itertools

import pytest
import torch

from graphlab.errors import ArgumentError
from graphlab.nn import AnchorSelector, LearnedAnchors
from graphlab.ops import anchor_distances


def grid(n):
    place = torch.arange(n * n).view(n, n)
    ends = [(place[:, 1:], place[:, :-1]), (place[1:], place[:-1])]
    edges = torch.cat([torch.stack([a.flatten(), b.flatten()]) for a, b in ends], 1)
    return torch.cat([edges, edges.flip(0)], 1)


def law(scores, apart, k, spread, tau):
    """Probability of each sequence of picks, by enumeration."""
    found = {}
    for sequence in itertools.permutations(range(len(scores)), k):
        p, near = torch.ones((), dtype=scores.dtype), torch.ones_like(scores)
        taken = torch.zeros_like(scores, dtype=torch.bool)
        for a in sequence:
            logits = (scores + spread * near).masked_fill(taken, -torch.inf)
            p = p * (logits / tau).softmax(0)[a]
            taken = taken | (torch.arange(len(scores)) == a)
            near = torch.minimum(near, apart[:, a])
        found[sequence] = p
    return found


@pytest.fixture
def small():
    """Scores and relative distances of five candidates on a path."""
    place = torch.tensor([0.0, 1.0, 2.0, 5.0, 6.0], dtype=torch.float64)
    apart = (place[:, None] - place).abs() / 6
    scores = torch.tensor([0.3, -0.2, 0.5, 0.0, 0.1], dtype=torch.float64)
    return scores.requires_grad_(), apart


def learner(k, **kwargs):
    return LearnedAnchors(1, k, num_candidates=5, **kwargs).double()


def test_picks_follow_their_law(small):
    torch.manual_seed(0)
    scores, apart = small
    learned, draws = learner(2, spread=2.0, temperature=0.8), 3000
    want = law(scores.detach(), apart, 2, 2.0, 0.8)
    counts = dict.fromkeys(want, 0)
    for _ in range(draws):
        rows = learned.pick(scores.detach(), apart).detach()
        assert torch.equal(rows.sum(1), torch.ones(2, dtype=rows.dtype))
        counts[tuple(rows.argmax(1).tolist())] += 1
    chi2 = sum((counts[s] - draws * p) ** 2 / (draws * p) for s, p in want.items())
    assert chi2 < 49  # 19 degrees of freedom: 2 in 10,000


def test_values_are_zero_and_one_exactly(small):
    rows = learner(3).pick(*small)
    assert ((rows == 0) | (rows == 1)).all() and (rows.sum(0) <= 1).all()


@pytest.mark.parametrize("k", [1, 2])
def test_the_gradient_is_that_of_the_expected_loss_in_sign(small, k):
    """Of a loss that is a sum over anchors, against enumeration."""
    torch.manual_seed(1)
    scores, apart = small
    cost = torch.tensor([1.0, -2.0, 0.5, 3.0, -1.0], dtype=torch.float64)
    learned = learner(k, spread=1.0)
    expected = sum(
        p * cost[list(sequence)].sum()
        for sequence, p in law(scores, apart, k, 1.0, 1.0).items()
    )
    (want,) = torch.autograd.grad(expected, scores)
    mean = 0
    for _ in range(800):
        loss = (learned.pick(scores, apart) @ cost).sum()
        mean = mean + torch.autograd.grad(loss, scores)[0] / 800
    clear = want.abs() > 0.1 * want.abs().max()
    assert clear.sum() >= 3
    assert torch.equal(mean.sign()[clear], want.sign()[clear])
    assert torch.cosine_similarity(mean, want, 0) > 0.9


@pytest.mark.parametrize("tau", [1.0, 0.5])
def test_without_noise_one_pick_has_the_exact_gradient(small, tau):
    scores, apart = small
    cost = torch.randn(5, dtype=torch.float64)
    learned = learner(1, temperature=tau).eval()
    loss = (learned.pick(scores, apart) @ cost).sum()
    want = torch.autograd.grad((scores / tau).softmax(0) @ cost, scores)
    torch.testing.assert_close(torch.autograd.grad(loss, scores), want)


def test_gradients_reach_the_scorer_and_the_spread():
    torch.manual_seed(0)
    edge_index = grid(6)
    select = AnchorSelector("learned", 4, in_channels=3)
    torch.nn.init.normal_(select.learned.scorer.out.weight)
    anchors = select(torch.randn(36, 3), edge_index)
    (anchors.selection @ torch.randn(16, 2)).square().sum().backward()
    for name, parameter in select.named_parameters():
        if "out.bias" not in name:  # shifts all scores alike
            assert parameter.grad.norm() > 1e-6, name


def test_scores_tie_by_symmetry_and_picks_still_resolve():
    """A grid looks the same from its four corners: one-shot scores tie there."""
    torch.manual_seed(0)
    edge_index, x = grid(8), torch.ones(64, 1)
    select = AnchorSelector("learned", 4, in_channels=1, num_candidates=64).eval()
    torch.nn.init.normal_(select.learned.scorer.out.weight)
    scores = select.learned.scorer(x, edge_index).detach().view(8, 8)
    torch.testing.assert_close(scores, scores.flip(0), atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(scores, scores.t(), atol=1e-6, rtol=1e-6)
    select(x, edge_index)
    facts = select.facts()
    assert facts["resolved"] == 1.0 and len(set(facts["anchors"])) == 4
    top = scores.view(-1).topk(4).indices  # what scores alone would take
    codes = anchor_distances(edge_index, top, 64)
    assert len(codes.unique(dim=0)) < 64


def test_wide_spread_is_farthest_point(small):
    scores, apart = small
    rows = learner(4, spread=1e6).eval().pick(scores, apart)
    order = rows.argmax(1).tolist()
    assert order[0] == 2  # the highest score: nothing is near yet
    for j in range(1, 4):
        nearest = apart[:, order[:j]].amin(1)
        assert nearest[order[j]] == nearest.max()


def test_picks_lie_more_evenly_than_random_ones():
    edge_index, x = grid(12), torch.ones(144, 1)
    radius = {}
    for method in ("learned", "random"):
        found = []
        for seed in range(10):
            select = AnchorSelector(method, 6, 1, seed=seed).eval()
            select(x, edge_index)
            found.append(select.facts()["covering_radius"])
        radius[method] = sum(found) / 10
    assert radius["learned"] < radius["random"] - 1


def test_equal_scores_go_to_the_first_candidate_whatever_the_rounding():
    apart = torch.zeros(4, 4)
    scores = torch.tensor([0.1, 0.3, 0.3 + 1e-7, 0.3])
    learned = LearnedAnchors(1, 3).eval()
    assert learned.pick(scores, apart).argmax(1).tolist() == [1, 2, 3]


def test_unreachable_candidates_count_as_farthest():
    edge_index = torch.tensor([[0, 1, 3, 4], [1, 2, 4, 5]])
    select = AnchorSelector("learned", 2, in_channels=1).eval()
    select(torch.ones(6, 1), edge_index)
    first, second = select.facts()["anchors"]
    assert (first < 3) != (second < 3)


def test_temperature_falls_in_training_only_and_is_kept():
    learned = LearnedAnchors(1, 2, temperature=2.0, min_temperature=1.0, decay=0.8)
    select = AnchorSelector("learned", 2, in_channels=1)
    select.learned = learned
    x, edge_index = torch.ones(9, 1), grid(3)
    found = []
    for _ in range(5):
        found.append(learned.facts()["temperature"])
        select(x, edge_index)
    assert found == pytest.approx([2, 1.6, 1.28, 1.024, 1.0])
    select.eval()(x, edge_index)
    assert learned.calls == 5
    other = LearnedAnchors(1, 2, temperature=2.0, min_temperature=1.0, decay=0.8)
    other.load_state_dict(learned.state_dict())
    assert other.calls == 5
    other.reset_parameters()
    assert other.calls == 0


def test_evaluation_is_deterministic_and_training_draws():
    x, edge_index = torch.ones(64, 1), grid(8)
    select = AnchorSelector("learned", 4, in_channels=1)
    drawn = {tuple(select(x, edge_index).chosen().nodes.tolist()) for _ in range(5)}
    assert len(drawn) > 1
    select.eval()
    drawn = {tuple(select(x, edge_index).chosen().nodes.tolist()) for _ in range(5)}
    assert len(drawn) == 1


def test_any_scorer_is_taken():
    class Last(torch.nn.Module):
        def forward(self, x, edge_index):
            return x

    x = torch.arange(9.0).unsqueeze(1)
    select = AnchorSelector("learned", 2, scorer=Last(), num_candidates=9).eval()
    assert select(x, grid(3)).chosen().nodes[0] == 8
    with pytest.raises(ArgumentError, match="one score a node"):
        select(x.expand(-1, 2), grid(3))


def test_training_moves_the_anchors_to_where_they_help():
    """The loss wants an anchor at node 0; nothing but the choice can give it."""
    torch.manual_seed(0)
    edge_index, x = grid(5), torch.eye(25)
    select = AnchorSelector("learned", 1, in_channels=25, num_candidates=25)
    optimizer = torch.optim.Adam(select.parameters(), 0.05)
    hops = anchor_distances(edge_index, torch.tensor([0]), 25).view(-1).float()
    for _ in range(60):
        optimizer.zero_grad()
        anchors = select(x, edge_index)
        (anchors.selection @ hops[anchors.nodes]).sum().backward()
        optimizer.step()
    assert hops[select.eval()(x, edge_index).chosen().nodes].item() <= 1
