"""Whole models, one per file."""

from graphlab.nn.models.gat import GAT
from graphlab.nn.models.gcn import GCN

__all__ = ["GAT", "GCN"]
