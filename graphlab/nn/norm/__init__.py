"""Normalizations of weights."""

from graphlab.nn.norm.lipschitz_norm import (
    LipschitzNorm,
    held,
    lipschitz_norm,
    resolve_bound,
)

__all__ = ["LipschitzNorm", "held", "lipschitz_norm", "resolve_bound"]
