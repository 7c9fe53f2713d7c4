"""What the bounds on weights have in common."""

import math
from dataclasses import dataclass

from graphlab.analysis.bounds.bound import Assumption
from graphlab.analysis.bounds.network_norms import NetworkNorms
from graphlab.analysis.bounds.sample import GraphSample
from graphlab.errors import ArgumentError


def norms_of(sample: GraphSample, bound: str) -> NetworkNorms:
    if sample.norms is None:
        raise ArgumentError(
            f"{bound} needs a sample with norms, see network_norms(model, graphs)"
        )
    return sample.norms


@dataclass(frozen=True)
class Map:
    """Norms of what stands for one weight matrix: one, or several in a row."""

    spectral: float
    frobenius: float


def first_and_last(norms: NetworkNorms) -> tuple[Map, Map]:
    """The largest norms of a message-passing layer, and those of the readout."""
    passing = [_in_a_row(norms, k) for k in range(norms.num_layers)]
    first = Map(
        max((each.spectral for each in passing), default=1.0),
        max((each.frobenius for each in passing), default=1.0),
    )
    return first, _in_a_row(norms, -1)


def _in_a_row(norms: NetworkNorms, layer: int) -> Map:
    """Of a product of matrices; an activation between them does not stretch."""
    places = [k for k, each in enumerate(norms.layers) if each == layer]
    if not places:
        return Map(1.0, 1.0)
    spectral = math.prod(norms.spectral[k] for k in places)
    ratios = [stable_rank_root(norms)[k] for k in places]
    return Map(spectral, spectral * min(ratios))


def stable_rank_root(norms: NetworkNorms) -> list[float]:
    """Frobenius over spectral norm of each matrix; that of a zero matrix is 0."""
    return [
        frobenius / spectral if spectral else 0.0
        for frobenius, spectral in zip(norms.frobenius, norms.spectral, strict=True)
    ]


def geometric(ratio: float, count: int) -> float:
    """1 + r + ... + r^(count - 1), which is (r^count - 1) / (r - 1)."""
    try:
        return float(sum(ratio**k for k in range(count)))
    except OverflowError:
        return math.inf


def standing_in(norms: NetworkNorms) -> tuple[Assumption, ...]:
    """Whether the model has the matrices that the theorems count."""
    passing = [layer for layer in norms.layers if layer >= 0]
    others = len(norms.layers) - len(passing)
    fits = sorted(passing) == list(range(norms.num_layers)) and others == 1
    return (
        Assumption(
            "one weight matrix in each message-passing layer, and one in the readout",
            fits,
            f"{len(passing)} in {norms.num_layers} layers, {others} elsewhere",
        ),
    )


def tied(norms: NetworkNorms) -> tuple[Assumption, ...]:
    """Whether one matrix serves all layers but the last, as the theorems want."""
    shared = norms.num_layers == 1 and len(norms.names) <= 2
    return (
        Assumption(
            "all message-passing layers share one weight matrix",
            shared,
            "the largest norms stand for s_1 and r_1" if not shared else "",
        ),
    )


def without_normalization(norms: NetworkNorms) -> tuple[Assumption, ...]:
    names = norms.normalizations
    detail = f"{len(names)}, the first is {names[0]}" if names else ""
    return (Assumption("no normalization layers", not names, detail),)


def heaviest(by_layer: dict[str, float]) -> tuple[str, ...]:
    name = max(by_layer, key=by_layer.get)
    total = sum(by_layer.values())
    if not total:
        return ()
    share = by_layer[name] / total
    return (f"the weight matrix {name} makes up {share:.0%} of the sum",)
