"""Whole models, one per file."""

from graphlab.nn.models.appnp import APPNP
from graphlab.nn.models.bernnet import BernNet
from graphlab.nn.models.chebnet import ChebNet
from graphlab.nn.models.deepgcn import DeepGCN
from graphlab.nn.models.gat import GAT
from graphlab.nn.models.gcn import GCN
from graphlab.nn.models.gcnii import GCNII
from graphlab.nn.models.gin import GIN
from graphlab.nn.models.gprgnn import GPRGNN
from graphlab.nn.models.lipschitz_resgnn import LipschitzResGNN
from graphlab.nn.models.mlp import MLP
from graphlab.nn.models.ordered_gnn import OrderedGNN
from graphlab.nn.models.pgnn import PGNN
from graphlab.nn.models.psgnn import PSGNN
from graphlab.nn.models.resgcn import ResGCN
from graphlab.nn.models.reverse_gat import ReverseGAT
from graphlab.nn.models.reverse_gcn import ReverseGCN
from graphlab.nn.models.reverse_grand import ReverseGRAND

__all__ = [
    "APPNP",
    "BernNet",
    "ChebNet",
    "DeepGCN",
    "GAT",
    "GCN",
    "GCNII",
    "GIN",
    "GPRGNN",
    "LipschitzResGNN",
    "MLP",
    "OrderedGNN",
    "PGNN",
    "PSGNN",
    "ResGCN",
    "ReverseGAT",
    "ReverseGCN",
    "ReverseGRAND",
]
