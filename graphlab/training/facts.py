"""What a trained model says of itself: the optional method ``facts`` of a model."""

import json
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call

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
    teller = _Teller(replicas.skeleton)
    teller.eval()
    stack = {**replicas.params, **replicas.buffers}
    inputs = (replicas.x, replicas.edge_index)
    found = []
    for r in range(count):
        state = {f"model.{name}": tensor[r] for name, tensor in stack.items()}
        with torch.no_grad():
            facts = functional_call(teller, state, inputs)
        found.append({"model": _checked(facts, replicas.skeleton)})
    return found


class _Teller(torch.nn.Module):
    """A forward pass and the facts about it, while the weights are in place."""

    def __init__(self, model: torch.nn.Module):
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, edge_index: Tensor) -> dict[str, Any]:
        self.model(x, edge_index)
        return self.model.facts()


def _checked(facts: dict[str, Any], model: torch.nn.Module) -> dict[str, Any]:
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
