"""What is known of the parts of models, as far as colour refinement goes."""

from collections.abc import Callable

from torch import nn

#: Layer of PyG or graphlab that sees its neighbours, and at most itself.
ONE_STEP = (
    *("AGNNConv", "CGConv", "ClusterGCNConv", "EdgeConv", "GATConv", "GATv2Conv"),
    *("GENConv", "GINConv", "GINEConv", "GraphConv", "LEConv", "MFConv", "NNConv"),
    *("OrderedConv", "PNAConv", "RGCNConv", "ResGatedGraphConv", "SAGEConv"),
    *("SimpleConv", "TransformerConv"),
)
#: Layer that takes several steps -> their number.
STEPS: dict[str, Callable[[nn.Module], int]] = {
    "APPNP": lambda conv: conv.K,
    "APPNPConv": lambda conv: conv.K,
    "ARMAConv": lambda conv: conv.num_layers,
    "BernConv": lambda conv: conv.K,
    "ChebConv": lambda conv: len(conv.lins) - 1,
    "GPRConv": lambda conv: conv.K,
    "GatedGraphConv": lambda conv: conv.num_layers,
    "MixHopConv": lambda conv: max(conv.powers),
    "SGConv": lambda conv: conv.K,
    "SSGConv": lambda conv: conv.K,
    "TAGConv": lambda conv: conv.K,
    **dict.fromkeys(ONE_STEP, lambda conv: 1),
    **dict.fromkeys(("EGConv", "FAConv", "GCN2Conv", "GCNConv", "LGConv"), lambda c: 1),
}
#: Those whose messages are scaled by the degree of their sender.
DEGREES = (
    *("APPNP", "APPNPConv", "ARMAConv", "BernConv", "ChebConv", "EGConv", "FAConv"),
    *("GCN2Conv", "GCNConv", "GPRConv", "LGConv", "MixHopConv", "SGConv", "SSGConv"),
    "TAGConv",
)
#: Those that read edge features always.
EDGES = ("GINEConv", "NNConv", "RGCNConv")
#: Parts that hand nothing from node to node, or to a read-out that sees a multiset.
HARMLESS = (
    *("AttentionalAggregation", "BasicGNN", "BatchNorm", "DeepGCNLayer"),
    *("DeepSetsAggregation", "DegreeScalerAggregation", "EdgeCNN", "FusedAggregation"),
    *("GAT", "GCN", "GIN", "GraphSAGE", "JumpingKnowledge", "LayerNorm", "Linear"),
    *("MLP", "MaxAggregation", "MeanAggregation", "MedianAggregation", "MessageNorm"),
    *("MinAggregation", "MulAggregation", "MultiAggregation", "PNA"),
    *("PowerMeanAggregation", "QuantileAggregation", "Sequential", "Set2Set"),
    *("SoftmaxAggregation", "StdAggregation", "SumAggregation", "TrimToLayer"),
    *("VarAggregation", "VariancePreservingAggregation"),
)
#: Start of the name of a class -> why there is no number of rounds for it.
REFUSED = {
    "Multihead": "attends over all nodes",
    "Transformer": "attends over all nodes",
    "GPSConv": "attends over all nodes",
    "PerformerAttention": "attends over all nodes",
    "SGFormer": "attends over all nodes",
    "Polynormer": "attends over all nodes",
    "GPSE": "starts from random features",
    "AnchorSelector": "measures distances to anchors",
    "PGNNConv": "measures distances to anchors",
    "PSGNNConv": "measures distances to anchors",
    "ReverseGRAND": "diffuses over all nodes within reach of its solver",
    "TopKPooling": "changes the graph",
    "SAGPooling": "changes the graph",
    "ASAPooling": "changes the graph",
    "EdgePooling": "changes the graph",
    "ClusterPooling": "changes the graph",
    "GraphNorm": "takes statistics over nodes",
    "PairNorm": "takes statistics over nodes",
    "InstanceNorm": "takes statistics over nodes",
    "MeanSubtractionNorm": "takes statistics over nodes",
    "DirGNNConv": "sends messages against the edges as well",
}
