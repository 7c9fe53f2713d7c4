"""The graph part: choose a setting on validation pairs, judge seen and new users.

Nothing here writes a file except what a killed training goes on from.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphlab.benchmark.copl.models import GraphModel
from graphlab.benchmark.copl.scores import pair_scores
from graphlab.benchmark.copl.tries import Tries
from graphlab.errors import GraphlabError

if TYPE_CHECKING:
    import pandas as pd

    from graphlab.preference import (
        AdaptedUsers,
        PreferenceGraph,
        PreferenceSplit,
        PreferenceVectors,
        VectorTable,
    )
    from graphlab.training import Progress

#: Strengths that ``fold_in`` chooses from.
RIDGES = (0.01, 0.03, 0.1, 0.3)
SELECTION = "highest validation accuracy, then lowest validation loss"


@dataclass(frozen=True)
class Chosen:
    """The setting of a model that was best on validation pairs.

    Args:
        vectors: The vectors of its best epoch.
        setting: The chosen one of ``GraphModel.choose``.
        tried: All of them, each with ``val_accuracy`` and ``nan``.
        val_accuracy: Share of validation pairs in the right order.
        best_epoch: Epoch (from 0) that is reported.
        epochs: Epochs trained.
        num_parameters: Number of trainable parameters.
        cpu_seconds: Of all settings; those of an earlier, killed call are not counted.
    """

    vectors: "PreferenceVectors"
    setting: Mapping[str, Any]
    tried: Sequence[Mapping[str, Any]]
    val_accuracy: float
    best_epoch: int
    epochs: int
    num_parameters: int
    cpu_seconds: float


def fit_chosen(
    model: GraphModel,
    graph: "PreferenceGraph",
    val: "pd.DataFrame",
    seed: int = 0,
    progress: "Callable[[Progress], None] | None" = None,
    tries: Tries | None = None,
) -> Chosen:
    """Train every setting of a model, keep the one that is best on validation pairs.

    Args:
        model: The model and its settings.
        graph: The graph.
        val: The validation pairs.
        seed: Seed of initial weights and dropout, the same for all settings.
        progress: Called at each evaluation.
        tries: What an earlier call has finished, and where to keep what this one does.

    Raises:
        ArgumentError: A setting is out of its range.
        GraphlabError: Every setting diverged.
    """
    start, tries = time.process_time(), tries or Tries()
    rows, best, tried = graph.rows(val), None, []
    for number, setting in enumerate(model.choose or ({},)):
        one = tries.get(number)
        if one is None:
            one = _fit(
                model, graph, rows, seed, setting, _told(model, number, progress)
            )
            tries.put(number, one)
        tried.append(dict(setting, val_accuracy=one.val_accuracy, nan=one.nan))
        rank = (one.val_accuracy, -one.val_loss)
        if not one.nan and (best is None or rank > best[0]):
            best = rank, one, setting
    if best is None:
        raise GraphlabError("every setting diverged: its loss became NaN")
    _, one, setting = best
    return Chosen(
        vectors=one.vectors,
        setting=dict(setting),
        tried=tried,
        val_accuracy=one.val_accuracy,
        best_epoch=one.best_epoch,
        epochs=one.epochs,
        num_parameters=one.num_parameters,
        cpu_seconds=time.process_time() - start,
    )


def _fit(model: GraphModel, graph, rows, seed: int, setting, progress):
    from graphlab.training import fit_preferences

    build, config = model.build(graph.num_nodes, setting)
    return fit_preferences(build, graph, config, rows, seed, progress)


def _told(model: GraphModel, number: int, progress: "Callable | None"):
    """Progress that says which of the settings is trained."""
    count = len(model.choose or ({},))
    if progress is None or count == 1:
        return progress
    from graphlab.training import Progress

    def tell(one: Progress) -> None:
        text = f"setting {number + 1} of {count}, {one.text}"
        progress(Progress(text, number * one.total + one.done, count * one.total))

    return tell


def score_seen(
    vectors: "PreferenceVectors", graph: "PreferenceGraph", table: "pd.DataFrame"
) -> dict[str, Any]:
    """Accuracy on further pairs of users in the graph."""
    pairs = graph.rows(table)
    return pair_scores(vectors.margin(*pairs), pairs[0], table)


def score_adapted(
    adapted: "VectorTable",
    vectors: "PreferenceVectors",
    graph: "PreferenceGraph",
    table: "pd.DataFrame",
) -> dict[str, Any]:
    """Accuracy on pairs of users who got a vector without training."""
    pairs = _rows_of_new(adapted, graph, table)
    margin = vectors._replace(user=adapted.vectors).margin(*pairs)
    return pair_scores(margin, pairs[0], table)


def has_plain_users(vectors: "PreferenceVectors") -> bool:
    """Whether users' vectors are brought to length 1 for new users, as CoPL does.

    Models with biases are trained for the lengths that their vectors have.
    """
    return vectors.bias is None


def adapt_by_own_rule(
    vectors: "PreferenceVectors", graph: "PreferenceGraph", split: "PreferenceSplit"
) -> "AdaptedUsers":
    """Vectors of unseen users by the rule that suits the model.

    By the two-hop rule if the model has no biases of responses, as in CoPL; else by
    fold-in, whose strength is chosen on validation pairs of seen users.
    """
    from graphlab.preference import adapt_unseen_users

    options: dict[str, Any] = dict(rule="two_hop")
    if not has_plain_users(vectors):
        ridge = choose_ridge(vectors, graph, split)
        options = dict(rule="fold_in", ridge=ridge, normalize=False)
    users = split.unseen_users
    return adapt_unseen_users(vectors, graph, split.adapt, users=users, **options)


def score_unseen(
    vectors: "PreferenceVectors", graph: "PreferenceGraph", split: "PreferenceSplit"
) -> dict[str, dict[str, Any]]:
    """Accuracy of unseen users by each rule.

    ``two_hop, other lengths`` does with users' lengths what :func:`has_plain_users`
    advises against, to look at. The rules of CoPL have nothing to choose; the strength
    of ``fold_in`` is chosen on validation pairs of seen users.
    """
    from graphlab.preference import adapt_unseen_users

    plain = has_plain_users(vectors)
    rules = {
        "two_hop": dict(rule="two_hop", normalize=plain),
        "two_hop, other lengths": dict(rule="two_hop", normalize=not plain),
        "mean": dict(rule="mean", normalize=plain),
        "fold_in": dict(
            rule="fold_in", normalize=False, ridge=choose_ridge(vectors, graph, split)
        ),
    }
    out: dict[str, dict[str, Any]] = {}
    for name, options in rules.items():
        adapted = adapt_unseen_users(
            vectors, graph, split.adapt, users=split.unseen_users, **options
        )
        scores = score_adapted(adapted.table(), vectors, graph, split.unseen_test)
        out[name] = options | scores | adapted_facts(adapted)
    return out


def adapted_facts(adapted: "AdaptedUsers") -> dict[str, Any]:
    """Mean number of neighbours, and who had nothing to go by."""
    return {
        "neighbors": adapted.num_neighbors.double().mean().item(),
        "fallbacks": int(adapted.fallback.sum()),
    }


def choose_ridge(
    vectors: "PreferenceVectors", graph: "PreferenceGraph", split: "PreferenceSplit"
) -> float:
    """The strength that does best for seen users whose vectors are fitted again."""
    from graphlab.preference import adapt_unseen_users, pairwise_accuracy

    # Of a table of one's own some seen users may have no pair in the graph.
    users, found = split.users[split.users.isin(split.context["user"])], {}
    for ridge in RIDGES:
        again = adapt_unseen_users(
            *(vectors, graph, split.context, "fold_in"),
            users=users,
            ridge=ridge,
            normalize=False,
        )
        rows = _rows_of_new(again.table(), graph, split.val)
        margin = again.scores(vectors).margin(*rows)
        found[ridge] = pairwise_accuracy(margin, rows[0], draws=1).accuracy
    return max(found, key=found.get)


def _rows_of_new(adapted: "VectorTable", graph: "PreferenceGraph", table):
    """Rows of users with new vectors, and of responses of the graph."""
    return (
        adapted.ids.rows(table["user"], "the adapted users"),
        *(graph.response_ids.rows(table[name]) for name in ("winner", "loser")),
    )
