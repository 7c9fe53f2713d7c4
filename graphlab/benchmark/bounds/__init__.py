"""Generalization bounds of one model on one set of graphs, depth by depth."""

from graphlab.benchmark.bounds.run import BoundCell, run_bounds
from graphlab.benchmark.bounds.task import BoundTask

__all__ = ["BoundCell", "BoundTask", "run_bounds"]
