"""User vectors for reward models, where no folder of a run has them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphlab.lora import UserVectors
    from graphlab.preference import PreferenceSplit


def graph_users(split: "PreferenceSplit", model: str, seed: int) -> "UserVectors":
    """Vectors of seen users by a graph model, of unseen ones from their pairs.

    Args:
        split: Users and their pairs.
        model: A name of ``MODELS``; its setting is chosen on validation pairs.
        seed: Seed of its weights.
    """
    import torch

    from graphlab.benchmark.copl.graph_stage import (
        adapt_by_own_rule,
        fit_chosen,
        has_plain_users,
    )
    from graphlab.benchmark.copl.models import graph_model
    from graphlab.lora import UserVectors

    graph = split.graph()
    found = fit_chosen(graph_model(model), graph, split.val, seed).vectors
    new = adapt_by_own_rule(found, graph, split)
    seen = found.unit().user if has_plain_users(found) else found.user
    ids = [*split.users.tolist(), *split.unseen_users.tolist()]
    return UserVectors(torch.cat([seen, new.vectors]), ids)
