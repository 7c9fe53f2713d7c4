"""The faults of the published negative sampler, from its formula and from draws."""

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch_geometric.data import Data
from torch_geometric.utils import erdos_renyi_graph

from graphlab.transforms import RandomPairSplit, official_auc_cap
from graphlab.transforms.official_pairs import official_negatives


def perfect_auc(part: Data, y: torch.Tensor) -> float:
    """ROC-AUC of a scorer that knows every label."""
    source, target = part.edge_label_index
    return roc_auc_score(part.edge_label.numpy(), (y[source] == y[target]).numpy())


def communities() -> Data:
    y = torch.arange(400) // 20
    return Data(edge_index=torch.empty(2, 0, dtype=torch.long), y=y, num_nodes=400)


def test_a_perfect_scorer_is_capped_at_988_on_communities():
    data = communities()
    assert official_auc_cap(400, 20 * 190) == pytest.approx(0.988, abs=5e-4)
    test = [
        perfect_auc(
            RandomPairSplit(kind="pair", official=True, seed=s)(data)[2], data.y
        )
        for s in range(30)
    ]
    assert np.mean(test) == pytest.approx(official_auc_cap(400, 3800), abs=2e-3)
    for part in RandomPairSplit(kind="pair", seed=0)(data):
        assert perfect_auc(part, data.y) == 1


def test_the_cap_is_a_count_over_all_ordered_pairs():
    """Every ordered pair the sampler may draw, one by one."""
    y = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2])
    n = len(y)
    positive = {(u, v) for u in range(n) for v in range(u) if y[u] == y[v]}
    free = [
        (u, v) for u in range(n) for v in range(n) if u != v and (u, v) not in positive
    ]
    wrong = np.mean([y[u] == y[v] for u, v in free])
    assert official_auc_cap(n, len(positive)) == pytest.approx(1 - wrong / 2)


def test_negatives_repeat_and_mirror_positives_but_avoid_their_one_order():
    blocked = np.array([[1, 2, 2], [0, 0, 1]])
    drawn = official_negatives(np.random.RandomState(0), blocked, 3, 300)
    found, count = np.unique(drawn, axis=1, return_counts=True)
    assert found.T.tolist() == [[0, 1], [0, 2], [1, 2]]  # mirror images of all three
    assert count.min() > 70


def test_every_ordered_pair_that_is_not_blocked_can_be_drawn():
    blocked = np.array([[0, 3, 2], [1, 0, 3]])
    drawn = official_negatives(np.random.RandomState(1), blocked, 4, 2000)
    every = {(u, v) for u in range(4) for v in range(4) if u != v}
    assert set(map(tuple, drawn.T.tolist())) == every - set(map(tuple, blocked.T))


def test_training_negatives_hold_held_out_positives():
    data = communities()
    train, val, test = RandomPairSplit(0.3, 0.3, "pair", official=True)(data)

    def ordered(part, label):
        pairs = part.edge_label_index[:, part.edge_label == label]
        return set(map(tuple, pairs.t().tolist()))

    held = ordered(val, 1) | ordered(test, 1)
    assert ordered(train, 0) & held  # in the very order of the positives
    assert not ordered(train, 0) & ordered(train, 1)
    for part in (val, test):
        assert not ordered(part, 0) & (held | ordered(train, 1))
        assert {(v, u) for u, v in ordered(part, 0)} & (held | ordered(train, 1))


def test_links_are_capped_as_well():
    torch.manual_seed(0)
    data = Data(edge_index=erdos_renyi_graph(60, 0.3), num_nodes=60)
    edges = set(map(tuple, data.edge_index.t().tolist()))
    scores = []
    for seed in range(40):
        test = RandomPairSplit(official=True, seed=seed)(data)[2]
        known = [p in edges for p in map(tuple, test.edge_label_index.t().tolist())]
        scores.append(roc_auc_score(test.edge_label, known))
    cap = official_auc_cap(60, len(edges) // 2)
    assert cap < 0.92
    assert np.mean(scores) == pytest.approx(cap, abs=0.01)
