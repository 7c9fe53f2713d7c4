"""What a trained model says of itself: the optional method ``facts`` of a model."""

import json
from typing import Any

import torch

from graphlab.errors import ArgumentError
from graphlab.training.replicas import Replicas


def model_facts(replicas: Replicas) -> list[dict[str, dict[str, Any]]]:
    """The facts of each replica as ``{"model": facts}``; empty without such a method.

    A forward pass of all replicas at once leaves no numbers of a single one, so each is
    evaluated once more by itself, with its own weights in place.

    Raises:
        ArgumentError: If the method returns what JSON cannot hold.
    """
    count = len(replicas.generators)
    if not hasattr(replicas.skeleton, "facts"):
        return [{} for _ in range(count)]
    model = replicas.skeleton.eval()
    stack = {**replicas.params, **replicas.buffers}
    found = []
    for r in range(count):
        state = {name: tensor[r] for name, tensor in stack.items()}
        with torch.no_grad(), replicas.slots.filled(state):
            model(replicas.x, replicas.edge_index)
            found.append({"model": checked_facts(model.facts(), model)})
    return found


def checked_facts(facts: dict[str, Any], model: torch.nn.Module) -> dict[str, Any]:
    """A copy of what ``model.facts()`` returned.

    Raises:
        ArgumentError: If JSON cannot hold it.
    """
    try:
        if isinstance(facts, dict):
            return json.loads(json.dumps(facts))  # a copy of its own for each replica
        problem = f"got {type(facts).__name__}"
    except (TypeError, ValueError) as error:
        problem = str(error)
    raise ArgumentError(
        f"facts() of {type(model).__name__} must return a dictionary of plain numbers, "
        f"words and truth values: {problem}"
    )
