"""The stages of CoPL: a graph model, vectors of new users, a reward model, a verdict.

Importing this package, its list of models or its sources imports no torch.
"""

from graphlab.benchmark.copl.models import MODELS, GraphModel, graph_model
from graphlab.benchmark.copl.run_folder import RunFolder
from graphlab.benchmark.copl.sources import SOURCES, load_split

__all__ = [
    "MODELS",
    "SOURCES",
    "GraphModel",
    "RunFolder",
    "graph_model",
    "load_split",
]
