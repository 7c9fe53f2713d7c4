"""Solvers of ordinary differential equations, for models in continuous time."""

from graphlab.nn.ode.adaptive import solve_adaptive
from graphlab.nn.ode.fixed_step import FIXED_STEP, solve_fixed_step

__all__ = ["FIXED_STEP", "solve_adaptive", "solve_fixed_step"]
