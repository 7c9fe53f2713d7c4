"""The inverse of residual layers: solving, differentiating, and long rows of them."""

from graphlab.nn.inverse.implicit import invert_residual
from graphlab.nn.inverse.solver import FixedPoint, FixedPointResult

__all__ = ["FixedPoint", "FixedPointResult", "invert_residual"]
