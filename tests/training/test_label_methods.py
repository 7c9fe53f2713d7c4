import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from graphlab.errors import ArgumentError
from graphlab.training import (
    fit,
    knowledge_distillation,
    label_smoothing,
    no_smoothing,
    postel,
)
from graphlab.training.losses import SoftTargets, TrainingLoss
from graphlab.transforms import posterior_label_smoothing


def test_loss_is_the_formula():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 6, 3, generator=generator)
    targets = torch.softmax(torch.randn(2, 6, 3, generator=generator), -1)
    mask = torch.rand(2, 6, generator=generator) > 0.4
    terms = [SoftTargets(targets, 1.0, 0.3), SoftTargets(targets, 4.0, 0.7)]
    expected = sum(
        0.3 * F.cross_entropy(z[m], t[m]) + 0.7 * 16 * F.cross_entropy(z[m] / 4, t[m])
        for z, t, m in zip(logits, targets, mask, strict=True)
    )
    assert_close(TrainingLoss(terms, mask)(logits), expected)


def test_label_smoothing_without_smoothing_is_none(make_problem):
    problem = make_problem()
    plain = no_smoothing(problem).logits
    assert_close(label_smoothing(problem, beta=0.0).logits, plain)
    assert not torch.allclose(label_smoothing(problem, beta=0.4).logits, plain)


def test_distillation_of_weight_zero_is_none(make_problem):
    problem = make_problem(epochs=5)
    plain = no_smoothing(problem).logits
    assert_close(knowledge_distillation(problem, weight=0.0).logits, plain)
    taught = knowledge_distillation(problem, teachers=1, weight=0.9).logits
    assert not torch.allclose(taught, plain)


@pytest.mark.parametrize(
    "bad", [{"temperature": 0.0}, {"teachers": 0}, {"weight": 1.5}]
)
def test_distillation_names_the_bad_argument(make_problem, bad):
    with pytest.raises(ArgumentError, match=next(iter(bad))):
        knowledge_distillation(make_problem(), **bad)


def test_postel_without_rounds_is_one_fit_on_posterior_labels(make_problem):
    problem = make_problem()
    targets = torch.stack(
        [
            posterior_label_smoothing(
                problem.edge_index, problem.y, m, 3, alpha=0.5, beta=0.2
            )
            for m in problem.train_mask
        ]
    )
    result = postel(problem, alpha=0.5, beta=0.2, max_rounds=0)
    assert torch.equal(result.logits, fit(problem, targets).logits)
    assert {info["rounds_run"] for info in result.info} == {0}


def test_postel_rounds_only_ever_lower_the_validation_loss(make_problem):
    problem = make_problem()
    losses = [
        postel(problem, alpha=0.5, beta=0.2, max_rounds=k).best_val_loss
        for k in range(3)
    ]
    for before, after in zip(losses, losses[1:], strict=False):
        assert all(b <= a for a, b in zip(before, after, strict=True))
    infos = postel(problem, alpha=0.5, beta=0.2, max_rounds=2).info
    for info, first, second in zip(infos, losses[0], losses[2], strict=True):
        assert (info["rounds"] > 0) == (second < first)
        assert info["rounds_run"] == min(info["rounds"] + 1, 2)
        assert info["capped"] == (info["rounds"] == 2)


def test_postel_replica_does_not_depend_on_its_company(make_problem):
    problem = make_problem()
    everyone = postel(problem, alpha=0.5, beta=0.2, max_rounds=2)
    alone = postel(
        problem.select([3], [problem.seeds[3]]), alpha=0.5, beta=0.2, max_rounds=2
    )
    assert_close(alone.logits[0], everyone.logits[3], atol=1e-4, rtol=1e-4)
    assert alone.info[0] == everyone.info[3]


def test_test_labels_never_reach_training(make_problem):
    problem = make_problem()
    tampered = make_problem()
    outside = ~(problem.train_mask | problem.val_mask)
    for r in range(problem.num_replicas):
        part = tampered.select([r], [problem.seeds[r]])
        y = torch.where(outside[r], (part.y + 1) % 3, part.y)
        object.__setattr__(part, "y", y)
        honest = problem.select([r], [problem.seeds[r]])
        for method in (no_smoothing, postel, knowledge_distillation):
            assert torch.equal(method(part).logits, method(honest).logits)


@pytest.mark.parametrize("bad", [{"alpha": -0.1}, {"max_rounds": -1}])
def test_postel_names_the_bad_argument(make_problem, bad):
    with pytest.raises(ArgumentError, match=next(iter(bad))):
        postel(make_problem(), **bad)
