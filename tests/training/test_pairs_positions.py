"""Position-aware encoders in the training on pairs of nodes."""

import pytest
import torch

from graphlab.datasets import communities
from graphlab.nn import PGNN, PSGNN
from graphlab.training import PairConfig, Problem, TrainingConfig, fit, fit_pairs
from graphlab.transforms import RandomPairSplit


@pytest.fixture(scope="module")
def graphs():
    return [RandomPairSplit(kind="pair")(communities(6, 8, seed=0))]


@pytest.mark.parametrize(
    "make, every",
    [
        (lambda: PGNN(1, 16), 1),
        (lambda: PSGNN(1, 16, num_anchors=8), None),
        (lambda: PSGNN(1, 16, num_anchors=8), 10),
        (lambda: PSGNN(1, 16, num_anchors=8, selector="farthest_point"), None),
    ],
    ids=["pgnn", "psgnn", "psgnn_new_candidates", "farthest_point"],
)
def test_positions_find_communities(graphs, make, every):
    config = PairConfig(60, prepare_every=every)
    result = fit_pairs(make, graphs, config)
    assert result.test_auc > 0.9
    again = fit_pairs(make, graphs, config)
    assert again.test_auc == result.test_auc
    for name, tensor in result.state_dict.items():
        assert torch.equal(again.state_dict[name], tensor)


def test_the_result_can_be_made_again(graphs):
    model = PSGNN(1, 16, num_anchors=8)
    result = fit_pairs(model, graphs, PairConfig(20, prepare_every=5))
    test = graphs[0][2]
    z = model(test.x, test.edge_index, **result.prepared[0][2])
    other = PSGNN(1, 16, num_anchors=8).eval()
    other.load_state_dict(result.state_dict)
    kept = other(test.x, test.edge_index, **result.prepared[0][2])
    assert torch.equal(z, kept)


class Idle(torch.nn.Module):
    """Has weights of no effect, which weight decay alone can move."""

    def __init__(self, overrides):
        super().__init__()
        self.lin, self.idle = torch.nn.Linear(1, 4), torch.nn.Linear(1, 4)
        self.optim_overrides = overrides

    def forward(self, x, edge_index):
        return self.lin(x) + 0 * self.idle(x)


@pytest.mark.parametrize(
    "overrides, moves",
    [
        ({}, (True, True)),
        ({"idle.": {"weight_decay": 0.0}}, (True, False)),
        ({"lin.": {"lr": 0.0}}, (False, True)),
    ],
)
def test_options_of_the_encoder_are_heeded(graphs, overrides, moves):
    model = Idle(overrides)
    before = [model.lin.weight.clone(), model.idle.weight.clone()]
    fit_pairs(model, graphs, PairConfig(3, weight_decay=1.0))
    after = [model.lin.weight, model.idle.weight]
    moved = tuple(not torch.equal(*pair) for pair in zip(before, after, strict=True))
    assert moved == moves


def test_node_classification_in_replicas():
    data = communities(4, 8, seed=0)
    masks = torch.zeros(3, 2, 32, dtype=torch.bool)
    place = torch.arange(32)
    masks[0, :, place % 2 == 0] = True
    masks[1, :, place % 4 == 1] = True
    masks[2, :, place % 4 == 3] = True
    problem = Problem(
        lambda: PSGNN(1, 16, 4, num_anchors=6),
        data.x,
        data.edge_index,
        data.y,
        4,
        train_mask=masks[0],
        val_mask=masks[1],
        test_mask=masks[2],
        seeds=[0, 1],
        config=TrainingConfig(epochs=150, stopping="none"),
    )
    result = fit(problem)
    assert result.vectorized
    right = (result.logits.argmax(-1) == data.y)[masks[2]].float().mean()
    assert right > 0.7
    assert 0 < result.info[0]["model"]["evenness"] <= 1
