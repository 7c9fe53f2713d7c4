"""Whole models, one per file."""

from graphlab.nn.models.appnp import APPNP
from graphlab.nn.models.bernnet import BernNet
from graphlab.nn.models.chebnet import ChebNet
from graphlab.nn.models.gat import GAT
from graphlab.nn.models.gcn import GCN
from graphlab.nn.models.gprgnn import GPRGNN
from graphlab.nn.models.mlp import MLP
from graphlab.nn.models.ordered_gnn import OrderedGNN
from graphlab.nn.models.reverse_grand import ReverseGRAND

__all__ = [
    "APPNP",
    "BernNet",
    "ChebNet",
    "GAT",
    "GCN",
    "GPRGNN",
    "MLP",
    "OrderedGNN",
    "ReverseGRAND",
]
