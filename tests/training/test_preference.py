import dataclasses
import math
import subprocess
import sys

import pytest
import torch

from graphlab.errors import ArgumentError
from graphlab.preference import (
    MFBPR,
    BradleyTerry,
    CoPLGCF,
    LightGCN,
    PreferenceGraph,
    SignedLightGCN,
    SyntheticGroups,
    adapt_unseen_users,
    pairwise_accuracy,
)
from graphlab.training import PreferenceConfig, fit_preferences


@pytest.fixture(scope="module")
def split():
    return SyntheticGroups(
        num_prompts=60, num_users=200, num_unseen=40, num_test=40, seed=1
    ).split()


@pytest.fixture(scope="module")
def graph(split):
    return split.graph()


def make(graph, **kwargs):
    return lambda: CoPLGCF(*graph.num_nodes, 8, 2, **kwargs)


CONFIG = PreferenceConfig(epochs=6, batch_size=300)


def same(one, other):
    pairs = zip(one.vectors, other.vectors, strict=True)
    return one.history == other.history and all(
        a is b is None or torch.equal(a, b) for a, b in pairs
    )


@pytest.mark.parametrize("batch_size", [None, 300])
def test_a_seed_decides_bit_for_bit(split, graph, batch_size):
    config = dataclasses.replace(CONFIG, batch_size=batch_size)
    val = graph.rows(split.val)
    torch.manual_seed(5)
    one = fit_preferences(make(graph), graph, config, val, seed=3)
    torch.manual_seed(6)
    state = torch.get_rng_state()
    two = fit_preferences(make(graph), split.graph(), config, val, seed=3)
    assert torch.equal(torch.get_rng_state(), state)
    assert same(one, two)
    three = fit_preferences(make(graph), graph, config, val, seed=4)
    assert not same(one, three)
    assert one.steps == 6 * (1 if batch_size is None else math.ceil(1400 / 300))


def test_the_best_validation_epoch_is_reported(split, graph):
    val = graph.rows(split.val)
    model = CoPLGCF(*graph.num_nodes, 8, 2)
    config = PreferenceConfig(epochs=40, lr=0.1, schedule="constant")
    result = fit_preferences(model, graph, config, val)
    order = [(h["val_accuracy"], -h["val_loss"]) for h in result.history]
    assert result.best_epoch == order.index(max(order))
    assert 0 < result.best_epoch < 39  # else this shows nothing
    again = (result.vectors.margin(*val) > 0).float().mean().item()
    assert again == pytest.approx(result.val_accuracy)
    with torch.no_grad():  # the model holds these weights
        now = model(graph)
    assert torch.equal(now.user, result.vectors.user) and not model.training
    assert not result.vectors.user.requires_grad


def test_reported_vectors_are_not_those_of_later_epochs(split, graph):
    """A model that scores with its parameters goes on changing them."""
    model = MFBPR(*graph.num_nodes, 8)
    config = PreferenceConfig(epochs=60, lr=0.5, schedule="constant")
    val = graph.rows(split.val)
    result = fit_preferences(model, graph, config, val)
    assert result.best_epoch < 59
    accuracy = pairwise_accuracy(result.vectors.margin(*val), val[0], draws=1)
    assert accuracy.accuracy == pytest.approx(result.val_accuracy)
    before = result.vectors.user.clone()
    with torch.no_grad():
        model.user.zero_()
    assert torch.equal(result.vectors.user, before)


def test_the_first_of_equal_epochs_is_reported(split, graph):
    config = dataclasses.replace(CONFIG, lr=1e-30)  # nothing moves
    result = fit_preferences(
        lambda: MFBPR(*graph.num_nodes, 4), graph, config, graph.rows(split.val)
    )
    assert result.best_epoch == 0 and len({h["val_loss"] for h in result.history}) == 1


def test_dropped_edges_have_a_generator_of_their_own(graph):
    class Noisy(CoPLGCF):
        """Draws as many global random numbers as it is told to."""

        def forward(self, graph, *, generator=None):
            torch.rand(self.draws)
            return super().forward(graph, generator=generator)

    def run(draws):
        model = Noisy(*graph.num_nodes, 4, 2)
        for number, parameter in enumerate(model.parameters()):
            torch.nn.init.normal_(
                parameter, generator=torch.Generator().manual_seed(number)
            )
        model.draws = draws
        return fit_preferences(model, graph, CONFIG)

    assert same(run(1), run(7))


def test_without_validation_the_last_epoch_counts(graph):
    result = fit_preferences(make(graph), graph, CONFIG)
    assert result.best_epoch == 5 and math.isnan(result.val_accuracy)


def test_patience_ends_training(split, graph):
    config = PreferenceConfig(epochs=300, lr=0.1, patience=5, schedule="constant")
    result = fit_preferences(make(graph), graph, config, graph.rows(split.val))
    assert result.epochs == result.best_epoch + 6 < 300


def test_nan_ends_training(split, graph):
    model = MFBPR(*graph.num_nodes, 4)
    with torch.no_grad():
        model.user[0] = torch.inf
    result = fit_preferences(model, graph, CONFIG, graph.rows(split.val))
    assert result.nan and result.epochs == 1


def test_batches_cover_all_pairs_once(graph):
    seen = []

    class Spy(BradleyTerry):
        def loss(self, vectors, *pairs):
            seen.append(torch.stack(pairs, 1))
            return super().loss(vectors, *pairs)

    config = PreferenceConfig(epochs=2, batch_size=300)
    fit_preferences(Spy(*graph.num_nodes), graph, config)
    assert [len(part) for part in seen] == [300, 300, 300, 300, 200] * 2
    everything = sorted(torch.stack(graph.pairs, 1).tolist())
    first, second = torch.cat(seen[:5]).tolist(), torch.cat(seen[5:]).tolist()
    assert sorted(first) == sorted(second) == everything and first != second


def test_warm_up_and_cosine():
    config = PreferenceConfig(warmup=0.2)
    rates = [config.factor(step, 10) for step in range(10)]
    assert rates[:3] == pytest.approx([1 / 3, 2 / 3, 1])
    assert all(a > b for a, b in zip(rates[2:], rates[3:], strict=False))
    assert rates[6] == pytest.approx(0.5) and config.factor(10, 10) == pytest.approx(0)
    constant = PreferenceConfig(warmup=0.0, schedule="constant")
    assert {constant.factor(step, 10) for step in range(10)} == {1.0}


def test_the_optimizer_follows_the_schedule(graph):
    rates = []

    class Spy(BradleyTerry):
        def forward(self, graph, *, generator=None):
            if self.training:
                rates.append(optimizer().param_groups[0]["lr"])
            return super().forward(graph)

    made = []
    adamw = torch.optim.AdamW

    def optimizer():
        return made[-1]

    def spy(*args, **kwargs):
        made.append(adamw(*args, **kwargs))
        return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim, "AdamW", spy)
        fit_preferences(
            Spy(*graph.num_nodes), graph, PreferenceConfig(epochs=10, lr=0.3)
        )
    config = PreferenceConfig()
    expected = [0.3 * config.factor(step, 10) for step in range(10)]
    assert rates == pytest.approx(expected)


@pytest.mark.parametrize("variant", ["released", "paper"])
def test_copl_tells_two_groups_apart_where_bradley_terry_cannot(split, graph, variant):
    val, test = graph.rows(split.val), graph.rows(split.test)
    flags = split.test["controversial"].to_numpy()
    config = PreferenceConfig(epochs=80)

    def accuracy(model):
        vectors = fit_preferences(model, graph, config, val).vectors
        return vectors, pairwise_accuracy(vectors.margin(*test), test[0], flags)

    _, nobody = accuracy(lambda: BradleyTerry(*graph.num_nodes))
    vectors, score = accuracy(make(graph, variant=variant))
    assert abs(nobody.controversial - 0.5) < 0.05 < nobody.common - 0.9
    assert score.controversial > 0.9
    adapted = adapt_unseen_users(vectors, graph, split.adapt)
    rows = (adapted.ids.rows(split.unseen_test["user"]),)
    rows += tuple(
        graph.response_ids.rows(split.unseen_test[c]) for c in ("winner", "loser")
    )
    margin = adapted.scores(vectors).margin(*rows)
    assert pairwise_accuracy(margin, rows[0]).accuracy > 0.9


@pytest.mark.parametrize("cls", [LightGCN, SignedLightGCN, MFBPR])
def test_other_models_learn_too(split, graph, cls):
    config = PreferenceConfig(epochs=150, lr=0.03)
    result = fit_preferences(
        lambda: cls(*graph.num_nodes, 8), graph, config, graph.rows(split.val)
    )
    assert result.val_accuracy > 0.85


def test_progress(graph):
    reports = []
    config = PreferenceConfig(epochs=5, evaluate_every=2)
    fit_preferences(make(graph), graph, config, progress=reports.append)
    assert [r.done for r in reports] == [2, 4, 5] and reports[0].total == 5


@pytest.mark.parametrize(
    "arguments",
    [
        dict(epochs=0),
        dict(batch_size=0),
        dict(lr=0.0),
        dict(weight_decay=-1.0),
        dict(warmup=2.0),
        dict(schedule="linear"),
        dict(patience=0),
    ],
)
def test_bad_settings(arguments):
    with pytest.raises(ArgumentError, match=next(iter(arguments))):
        PreferenceConfig(**arguments)


def test_bad_input(graph):
    nothing = tuple(torch.empty(3, 0, dtype=torch.long))
    with pytest.raises(ArgumentError, match="val_pairs must hold a pair"):
        fit_preferences(make(graph), graph, CONFIG, nothing)
    with pytest.raises(ArgumentError, match="graph must have the 3 users"):
        fit_preferences(BradleyTerry(3, 4), graph, CONFIG)
    empty = PreferenceGraph.from_pairs(["a"], ["x"], ["x"])
    with pytest.raises(ArgumentError, match="graph must hold a pair"):
        fit_preferences(BradleyTerry(1, 1), empty, CONFIG)


def test_training_alone_does_not_load_preferences():
    code = (
        "import sys, graphlab.training\nassert 'graphlab.preference' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
