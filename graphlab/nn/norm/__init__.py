"""Normalizations of weights."""

from graphlab.nn.norm.lipschitz_norm import (
    LipschitzNorm,
    held,
    lipschitz_norm,
    resolve_bound,
)
from graphlab.nn.norm.propagation_norm import propagation_norm

__all__ = [
    "LipschitzNorm",
    "held",
    "lipschitz_norm",
    "propagation_norm",
    "resolve_bound",
]
