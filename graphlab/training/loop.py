"""The full-batch training loop, for all replicas of a cell at once."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor

from graphlab.errors import GraphlabError
from graphlab.ops._allocator import keep_freed_memory
from graphlab.training.config import Progress
from graphlab.training.facts import model_facts
from graphlab.training.losses import SoftTargets, TrainingLoss, ValidationFigures
from graphlab.training.metrics import is_collapsed
from graphlab.training.problem import FitResult, Problem
from graphlab.training.replicas import Replicas, make_optimizer, seed_everything
from graphlab.training.stopping import Tracker

_REPORT_EVERY = 10
_NODES_AT_ONCE = 2**15


def fit(
    problem: Problem, targets: Tensor | Sequence[SoftTargets] | None = None
) -> FitResult:
    r"""Trains all replicas of a problem and reports each at its best epoch.

    Every epoch is one training step and one evaluation on the validation nodes. A
    replica that stops leaves the batch. The same seeds give the same result bit for
    bit on CPU, and (to rounding) the same as training replica by replica.

    Args:
        problem: What is trained.
        targets: Soft targets :math:`(N, C)` or :math:`(R, N, C)`, a sequence of
            :class:`SoftTargets` whose terms add up, or :obj:`None` for the one-hot
            labels.

    Returns:
        The trained replicas. ``vectorized`` is false, with the ``reason``, where the
        model cannot be mapped over stacked parameters: then the replicas were
        trained one by one.
    """
    keep_freed_memory()
    terms = _as_terms(problem, targets)
    reason = "" if problem.config.vectorize else "switched off"
    with torch.random.fork_rng(devices=[]):
        if not reason:
            try:
                groups = _groups(problem, problem.config.replicas_at_once)
                return _fit_groups(problem, terms, groups)
            except _NotVectorizedError as error:
                reason = str(error)
        return _fit_groups(problem, terms, _groups(problem, 1), reason)


class _NotVectorizedError(Exception):
    """The model cannot be mapped over stacked parameters; says why."""


def _fit_groups(
    problem: Problem, terms: list[SoftTargets], groups: list[Tensor], reason: str = ""
) -> FitResult:
    parts = [_fit_group(problem, terms, group, not reason) for group in groups]
    return _concatenate(parts, reason)


def _groups(problem: Problem, most: int | None) -> list[Tensor]:
    """Places of the replicas that are trained together, in groups of even size."""
    most = most or max(1, _NODES_AT_ONCE // max(1, problem.num_nodes))
    number = -(-problem.num_replicas // most)
    return list(torch.arange(problem.num_replicas).tensor_split(number))


def _as_terms(problem: Problem, targets) -> list[SoftTargets]:
    if targets is None:
        targets = problem.one_hot
    if isinstance(targets, Tensor):
        targets = [SoftTargets(targets)]
    shape = (problem.num_replicas, problem.num_nodes, problem.num_classes)
    return [replace(t, targets=t.targets.expand(shape)) for t in targets]


def _make_replicas(problem: Problem, seeds: Sequence[int], vectorized: bool):
    def features(model: torch.nn.Module) -> Tensor:
        """Sparse features for a model that takes them and gains from it."""
        if getattr(model, "sparse_features", False) and problem.sparse_x is not None:
            return problem.sparse_x
        return problem.x.to_dense() if problem.x.layout != torch.strided else problem.x

    return Replicas(problem.make_model, seeds, features, problem.edge_index, vectorized)


def _loss(terms: list[SoftTargets], problem: Problem, group: Tensor) -> TrainingLoss:
    part = [replace(t, targets=t.targets[group]) for t in terms]
    return TrainingLoss(part, problem.train_mask[group])


def _fit_group(
    problem: Problem, terms: list[SoftTargets], group: Tensor, vectorized: bool
) -> FitResult:
    """Trains the replicas at the places `group` together."""
    seeds = [problem.seeds[i] for i in group.tolist()]
    replicas = _make_replicas(problem, seeds, vectorized)
    tracker = Tracker(len(group), problem.config)
    seed_everything(seeds[0])  # for randomness other than dropout
    best = _train(problem, replicas, tracker, _loss(terms, problem, group), group)
    replicas.load(best)
    with torch.no_grad():
        logits = replicas.forward(training=False)
    return _result(problem, group, replicas, tracker, best, logits)


def _train(
    problem: Problem,
    replicas: Replicas,
    tracker: Tracker,
    loss: TrainingLoss,
    group: Tensor,
) -> dict[str, Tensor]:
    """Runs the epochs; returns the stacked weights of the best ones."""
    config = problem.config
    figures = ValidationFigures(problem.y, problem.val_mask[group])
    optimizer = make_optimizer(replicas, config)
    best = replicas.snapshot()
    active = torch.arange(len(group))
    for epoch in range(config.epochs):
        with _first_epoch(epoch == 0 and replicas.vectorized):
            replicas.zero_grad()
            loss(replicas.forward(training=True)).backward()
            optimizer.step()
            with torch.no_grad():
                logits = replicas.forward(training=False)
                val = figures(logits)
                if config.monitor == "val_roc_auc":
                    val = (*val, figures.roc_auc(logits))
        improved, stopped = tracker.step(epoch, active, *val)
        if improved.any():
            replicas.update(best, active[improved], improved.nonzero().view(-1))
        if stopped.all():
            break
        if stopped.any():
            stay = (~stopped).nonzero().view(-1)
            active = active[stay]
            for part in (loss, figures):
                part.keep(stay)
            replicas.keep(stay, optimizer)
        _report(problem, epoch, len(active))
    return best


@contextmanager
def _first_epoch(vectorized: bool) -> Iterator[None]:
    """What fails in the first vectorized epoch is taken for what vmap cannot do.

    If it is a mistake of the model instead, training one by one will meet it again.
    """
    try:
        yield
    except (MemoryError, GraphlabError):
        raise
    except Exception as error:  # whatever vmap cannot do shows as its own kind of error
        if not vectorized or "memory" in str(error).lower():
            raise
        text = str(error).strip() or "no message"
        reason = f"{type(error).__name__}: {text.splitlines()[0]}"
        raise _NotVectorizedError(reason) from None


def _report(problem: Problem, epoch: int, num_active: int) -> None:
    if problem.progress is not None and epoch % _REPORT_EVERY == 0:
        text = f"epoch {epoch + 1}, {num_active} replicas"
        problem.progress(Progress(text, epoch + 1, problem.config.epochs))


def _result(
    problem: Problem,
    group: Tensor,
    replicas: Replicas,
    tracker: Tracker,
    best: dict[str, Tensor],
    logits: Tensor,
) -> FitResult:
    judged = (problem.val_mask | problem.test_mask)[group]
    info = []
    for place, facts in enumerate(model_facts(replicas)):
        collapsed = is_collapsed(logits[place], judged[place])
        nan = {"nan": True} if tracker.nan[place] else {}
        info.append({"collapsed": collapsed} | nan | facts)
    return FitResult(
        logits=logits,
        state_dicts=[
            {name: stack[i].clone() for name, stack in best.items()}
            for i in range(len(group))
        ],
        best_epoch=tracker.best_epoch.tolist(),
        epochs=tracker.epochs.tolist(),
        best_val_loss=tracker.best_loss.tolist(),
        best_val_accuracy=tracker.best_accuracy.tolist(),
        best_val_roc_auc=tracker.best_roc_auc.tolist(),
        num_parameters=replicas.num_parameters,
        vectorized=replicas.vectorized,
        reason="",
        info=info,
    )


def _concatenate(parts: list[FitResult], reason: str) -> FitResult:
    def joined(name: str) -> list:
        return [item for part in parts for item in getattr(part, name)]

    lists = ("state_dicts", "best_epoch", "epochs", "best_val_loss")
    lists += ("best_val_accuracy", "best_val_roc_auc", "info")
    return FitResult(
        logits=torch.cat([part.logits for part in parts]),
        num_parameters=parts[0].num_parameters,
        vectorized=not reason,
        reason=reason,
        **{name: joined(name) for name in lists},
    )
