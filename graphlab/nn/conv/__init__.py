"""Message-passing layers, one per file."""

from graphlab.nn.conv.gat_conv import GATConv
from graphlab.nn.conv.gcn_conv import GCNConv

__all__ = ["GATConv", "GCNConv"]
