"""What ``graphlab bound`` is asked to do, and which file a part of it is kept in."""

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphlab.benchmark.seeds import run_seed
from graphlab.benchmark.store import plain
from graphlab.errors import ArgumentError

#: Counted up whenever the same settings give other numbers.
FORMAT = 1


@dataclass(frozen=True)
class BoundTask:
    """One model on one set of graphs, at several depths and seeds.

    Args:
        dataset: What the set is called.
        split: Name of a family of splits; seed ``s`` takes its split ``s``.
        model: The class of the model, of nodes or of graphs.
        model_name: What the model is called.
        model_args: Its arguments but the sizes and the number of layers, and those of
            the read-out.
        depths: Numbers of layers.
        seeds: Number of seeds.
        training: Fields of :class:`graphlab.training.GraphConfig`.
        gamma: Margin of the bounds.
        delta: Probability of failure of the bounds.
        rounds: Rounds of colour refinement; ``None`` for what the model needs.
        patterns: Patterns whose counts the colours start with.
        probes: Draws for traces of Hessians; 0 for none.
        allow_violations: Compute even if colours do not bound the model.

    Raises:
        ArgumentError: If a number is out of its range.
    """

    dataset: str
    split: str
    model: Callable[..., Any]
    model_name: str
    model_args: dict[str, Any] = field(default_factory=dict)
    depths: Sequence[int] = (1, 2, 3, 4)
    seeds: int = 3
    training: dict[str, Any] = field(default_factory=dict)
    gamma: float = 1.0
    delta: float = 0.1
    rounds: int | None = None
    patterns: tuple[str, ...] = ()
    probes: int = 0
    allow_violations: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.gamma < math.inf:
            raise ArgumentError(
                f"gamma must be positive and finite, got {self.gamma!r}"
            )
        if not 0 < self.delta < 1:
            raise ArgumentError(f"delta must lie between 0 and 1, got {self.delta!r}")

    @property
    def title(self) -> str:
        """Set and model."""
        return f"{self.dataset} {self.model_name}"

    def settings(self, depth: int, seed: int, checksum: str) -> dict[str, Any]:
        """Everything that the numbers of one depth and seed depend on.

        Args:
            depth: Number of layers.
            seed: Number of the seed.
            checksum: That of the graphs.
        """
        names = "dataset split model_name model_args training gamma delta rounds "
        names += "patterns probes allow_violations"
        content = {name: getattr(self, name) for name in names.split()}
        path = f"{self.model.__module__}:{self.model.__qualname__}"
        own = {"depth": depth, "seed": seed, "run_seed": run_seed(seed)}
        return {
            "format": FORMAT,
            "model": path,
            "checksum": checksum,
            **content,
            "patterns": list(self.patterns),
            **own,
        }


def file_name(settings: dict[str, Any]) -> str:
    """Name of the file of one depth and seed: other settings, another file."""
    text = json.dumps(settings, sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    names = (settings["dataset"], settings["model_name"])
    place = f"{settings['depth']}-layers-seed-{settings['seed']}"
    return "-".join(map(plain, (*names, place, digest))) + ".json"
