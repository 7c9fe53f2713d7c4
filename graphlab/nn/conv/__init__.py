"""Message-passing layers, one per file."""

from graphlab.nn.conv.appnp_conv import APPNPConv
from graphlab.nn.conv.bern_conv import BernConv
from graphlab.nn.conv.cheb_conv import ChebConv
from graphlab.nn.conv.gat_conv import GATConv
from graphlab.nn.conv.gcn2_conv import GCN2Conv
from graphlab.nn.conv.gcn_conv import GCNConv
from graphlab.nn.conv.gin_conv import GINConv
from graphlab.nn.conv.gpr_conv import GPRConv
from graphlab.nn.conv.invertible_residual import InvertibleResidual
from graphlab.nn.conv.lipschitz_residual_block import LipschitzResidualBlock
from graphlab.nn.conv.ordered_conv import OrderedConv
from graphlab.nn.conv.pgnn_conv import PGNNConv
from graphlab.nn.conv.psgnn_conv import PSGNNConv
from graphlab.nn.conv.sage_conv import SAGEConv

__all__ = [
    "APPNPConv",
    "BernConv",
    "ChebConv",
    "GATConv",
    "GCN2Conv",
    "GCNConv",
    "GINConv",
    "GPRConv",
    "InvertibleResidual",
    "LipschitzResidualBlock",
    "OrderedConv",
    "PGNNConv",
    "PSGNNConv",
    "SAGEConv",
]
