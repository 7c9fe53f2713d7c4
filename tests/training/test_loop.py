from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close
from torch_geometric.nn import GCN, ChebConv, GATConv, GCNConv

from graphlab.errors import ArgumentError
from graphlab.training import SoftTargets, TrainingConfig, fit


class TwoLayer(torch.nn.Module):
    """A plain PyG user's model, dropout on the features included."""

    def __init__(self, conv, **kwargs):
        super().__init__()
        self.conv1 = conv(7, 8, **kwargs)
        self.conv2 = conv(8, 3, **kwargs)

    def forward(self, x, edge_index):
        x = F.dropout(x, 0.3, self.training)
        x = F.dropout(self.conv1(x, edge_index).relu(), 0.5, self.training)
        return self.conv2(x, edge_index)


MODELS = {
    "GCN": lambda: GCN(7, 16, 2, 3, dropout=0.5),
    "GCNConv": lambda: TwoLayer(GCNConv),
    "GATConv": lambda: TwoLayer(GATConv, heads=1),
    "ChebConv": lambda: TwoLayer(ChebConv, K=2),
}


@pytest.mark.parametrize("name", MODELS)
def test_replicas_equal_training_one_by_one(make_problem, name):
    together = fit(make_problem(MODELS[name]))
    apart = fit(make_problem(MODELS[name], vectorize=False))
    assert together.vectorized and not apart.vectorized
    assert together.epochs == apart.epochs
    assert together.best_epoch == apart.best_epoch
    assert len(set(together.epochs)) > 1  # replicas did leave the batch
    assert_close(together.logits, apart.logits, atol=1e-4, rtol=1e-4)


def test_replica_does_not_depend_on_its_company(make_problem):
    problem = make_problem()
    everyone = fit(problem)
    alone = fit(problem.select([2], [problem.seeds[2]]))
    pairs = fit(replace(problem, config=replace(problem.config, replicas_at_once=2)))
    assert_close(alone.logits[0], everyone.logits[2], atol=1e-5, rtol=1e-5)
    assert_close(pairs.logits, everyone.logits, atol=1e-5, rtol=1e-5)


def test_noise_in_evaluation_belongs_to_the_replica_too(make_problem):
    class Restless(GCN):
        def forward(self, x, edge_index):
            out = super().forward(x, edge_index)
            return torch.nn.functional.dropout(out, 0.5, training=True)

    problem = make_problem(lambda: Restless(7, 16, 2, 3), epochs=4, stopping="none")
    alone = fit(problem.select([2], [problem.seeds[2]]))
    assert alone.best_val_loss == pytest.approx([fit(problem).best_val_loss[2]])


def test_model_that_cannot_be_mapped_in_evaluation_alone(make_problem):
    class Picky(GCN):
        def forward(self, x, edge_index):
            out = super().forward(x, edge_index)
            return out if self.training or out.sum().item() < 1e9 else out * 2

    result = fit(make_problem(lambda: Picky(7, 16, 2, 3, dropout=0.5)))
    assert not result.vectorized and "item" in result.reason


def test_same_seed_same_bits(make_problem):
    first = fit(make_problem())
    torch.rand(7)  # the state of the global generator must not matter
    second = fit(make_problem())
    assert torch.equal(first.logits, second.logits)
    for a, b in zip(first.state_dicts, second.state_dicts, strict=True):
        assert all(torch.equal(a[name], b[name]) for name in a)


def test_global_generator_is_left_alone(make_problem):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fit(make_problem(epochs=2))
    assert torch.equal(torch.rand(3), expected)


def test_seeds_matter(make_problem):
    problem = make_problem()
    other = fit(replace(problem, seeds=(1, 2, 3, 4)))
    assert not torch.allclose(other.logits, fit(problem).logits)


def test_loop_equals_a_plain_one(make_problem):
    """Without dropout a textbook loop gives the same weights."""
    problem = make_problem(
        lambda: GCN(7, 8, 2, 3), epochs=12, stopping="none", weight_decay=0.01
    )
    result = fit(problem)
    for r, seed in enumerate(problem.seeds):
        torch.manual_seed(seed)
        model = problem.make_model()
        adam = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=0.01)
        train, val = problem.train_mask[r], problem.val_mask[r]
        best, best_loss = None, float("inf")
        for _ in range(12):
            adam.zero_grad()
            out = model(problem.x, problem.edge_index)
            F.cross_entropy(out[train], problem.y[train]).backward()
            adam.step()
            with torch.no_grad():
                out = model(problem.x, problem.edge_index)
            loss = F.cross_entropy(out[val], problem.y[val]).item()
            if loss < best_loss:
                best, best_loss = out, loss
        assert_close(result.logits[r], best, atol=1e-4, rtol=1e-4)
        assert result.best_val_loss[r] == pytest.approx(best_loss, abs=1e-5)
        model.load_state_dict(result.state_dicts[r])
        again = model(problem.x, problem.edge_index)
        assert_close(again, result.logits[r], atol=1e-5, rtol=1e-5)


def test_soft_targets_of_one_hot_labels_change_nothing(make_problem):
    problem = make_problem()
    assert torch.equal(fit(problem, problem.one_hot).logits, fit(problem, None).logits)


def test_distillation_terms_add_up(make_problem):
    problem = make_problem(epochs=3)
    halves = [SoftTargets(problem.one_hot, weight=0.5)] * 2
    assert_close(fit(problem, halves).logits, fit(problem).logits)


def test_model_that_cannot_be_mapped_is_trained_one_by_one(make_problem):
    class Picky(GCN):
        def forward(self, x, edge_index):
            out = super().forward(x, edge_index)
            return out if out.sum().item() < 1e9 else out * 2  # data-dependent

    result = fit(make_problem(lambda: Picky(7, 16, 2, 3, dropout=0.5)))
    assert not result.vectorized
    assert "item" in result.reason
    assert_close(result.logits, fit(make_problem()).logits, atol=1e-4, rtol=1e-4)


def test_batch_norm_statistics_belong_to_the_replica(make_problem):
    def make():
        return GCN(7, 16, 2, 3, norm="BatchNorm")

    problem = make_problem(make, epochs=5, stopping="none")
    states = fit(problem).state_dicts
    means = [state["norms.0.module.running_mean"] for state in states]
    alone = fit(problem.select([1], [problem.seeds[1]])).state_dicts[0]
    assert not torch.allclose(means[0], means[1])
    assert_close(means[1], alone["norms.0.module.running_mean"], atol=0.02, rtol=0.02)


def test_lazy_modules_are_initialised(make_problem):
    class Lazy(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = GCNConv(-1, 3)

        def forward(self, x, edge_index):
            return self.conv(x, edge_index)

    assert fit(make_problem(Lazy, epochs=2)).vectorized


def test_optimizer_overrides_reach_their_parameters(make_problem):
    class Frozen(GCN):
        optim_overrides = {"convs.0.": {"lr": 0.0}}

    problem = make_problem(lambda: Frozen(7, 16, 2, 3), epochs=3)
    state = fit(problem).state_dicts[0]
    torch.manual_seed(problem.seeds[0])
    start = problem.make_model().state_dict()
    for name in start:
        assert torch.equal(state[name], start[name]) == name.startswith("convs.0.")


def test_nan_is_recorded_and_stays_with_its_replica(make_problem):
    class Fragile(GCN):
        """Overflows for the replicas whose first weight is positive."""

        def forward(self, x, edge_index):
            out = super().forward(x, edge_index)
            return out + torch.where(self.convs[0].bias[0] > 0.015, torch.nan, 0.0)

    problem = make_problem(lambda: Fragile(7, 16, 2, 3), stopping="none", epochs=20)
    result = fit(problem)
    broken = [info.get("nan", False) for info in result.info]
    assert 0 < sum(broken) < len(broken)
    assert torch.isfinite(result.logits).all()
    healthy = fit(make_problem(lambda: GCN(7, 16, 2, 3), stopping="none", epochs=20))
    for r, is_broken in enumerate(broken):
        if not is_broken:
            assert_close(result.logits[r], healthy.logits[r], atol=1e-4, rtol=1e-4)


def test_wrong_output_shape_is_named(make_problem):
    with pytest.raises(ArgumentError, match=r"\(60, 3\).*\(60, 5\)"):
        fit(make_problem(lambda: GCN(7, 16, 2, 5)))


def test_mistakes_in_the_model_are_not_hidden(make_problem):
    with pytest.raises(RuntimeError, match="shape"):
        fit(make_problem(lambda: GCN(6, 16, 2, 3)))


def test_progress_is_reported(make_problem):
    seen = []
    fit(replace(make_problem(epochs=21, stopping="none"), progress=seen.append))
    assert [p.done for p in seen] == [1, 11, 21]
    assert {p.total for p in seen} == {21}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("patience", True),
        ("stopping", "early"),
        ("monitor", "test_loss"),
        ("optimizer", "Adamm"),
        ("lr", 0.0),
        ("weight_decay", -1.0),
        ("replicas_at_once", 0),
    ],
)
def test_config_names_the_bad_argument(name, value):
    with pytest.raises(ArgumentError, match=name):
        TrainingConfig(**{name: value})


def test_problem_names_the_bad_argument(make_problem):
    problem = make_problem()
    with pytest.raises(ArgumentError, match="train_mask must select at least one"):
        replace(problem, train_mask=torch.zeros_like(problem.train_mask))
    with pytest.raises(ArgumentError, match="val_mask must be a boolean"):
        replace(problem, val_mask=problem.val_mask.float())
    with pytest.raises(ArgumentError, match=r"y must lie in \[0, 2\]"):
        replace(problem, y=problem.y + 1)
