"""The rounds of each architecture: graphs with equal histograms get equal outputs."""

import inspect

import numpy as np
import pytest
import torch
import torch_geometric.nn as pyg
from networkx.generators.atlas import graph_atlas_g
from torch import nn
from torch_geometric.data import Batch, Data

import graphlab.nn as ours
from graphlab.analysis import wl_colors, wl_rounds
from graphlab.analysis._wl_layers import DEGREES, EDGES, HARMLESS, STEPS
from graphlab.errors import ArgumentError

F = 6


def perceptron(size: int) -> nn.Module:
    return nn.Sequential(nn.Linear(size, F), nn.Tanh(), nn.Linear(F, F))


def pna(size: int) -> nn.Module:
    scalers = ["identity", "amplification", "attenuation"]
    degrees = torch.tensor([1, 5, 9, 3])
    return pyg.PNAConv(size, F, ["mean", "max", "std"], scalers, deg=degrees)


#: How a layer from ``size`` to F features is made; names are those of the table.
LAYERS = {
    "AGNNConv": lambda size: pyg.AGNNConv(),
    "APPNP": lambda size: pyg.APPNP(2, 0.1),
    "APPNPConv": lambda size: ours.APPNPConv(2, 0.1),
    "ARMAConv": lambda size: pyg.ARMAConv(size, F, num_layers=2),
    "BernConv": lambda size: ours.BernConv(2),
    "CGConv": lambda size: pyg.CGConv(size),
    "ChebConv": lambda size: ours.ChebConv(size, F, 3),
    "ChebConv (PyG)": lambda size: pyg.ChebConv(size, F, 3),
    "ClusterGCNConv": lambda size: pyg.ClusterGCNConv(size, F),
    "EdgeConv": lambda size: pyg.EdgeConv(perceptron(2 * size)),
    "EGConv": lambda size: pyg.EGConv(size, F, ["symnorm", "max"], num_heads=2),
    "FAConv": lambda size: Twice(pyg.FAConv(size)),
    "GATConv": lambda size: ours.GATConv(size, F),
    "GATConv (PyG)": lambda size: pyg.GATConv(size, F),
    "GATv2Conv": lambda size: pyg.GATv2Conv(size, F),
    "GCN2Conv": lambda size: Twice(pyg.GCN2Conv(size, 0.1)),
    "GCNConv": lambda size: ours.GCNConv(size, F),
    "GCNConv (PyG)": lambda size: pyg.GCNConv(size, F),
    "GENConv": lambda size: pyg.GENConv(size, F),
    "GINConv": lambda size: ours.GINConv(perceptron(size)),
    "GINConv (PyG)": lambda size: pyg.GINConv(perceptron(size)),
    "GPRConv": lambda size: ours.GPRConv(2),
    "GatedGraphConv": lambda size: pyg.GatedGraphConv(F, 2),
    "GraphConv": lambda size: pyg.GraphConv(size, F),
    "LEConv": lambda size: pyg.LEConv(size, F),
    "LGConv": lambda size: pyg.LGConv(),
    "MFConv": lambda size: pyg.MFConv(size, F),
    "MixHopConv": lambda size: pyg.MixHopConv(size, F // 3),
    "OrderedConv": lambda size: First(ours.OrderedConv(size, 1)),
    "PNAConv": pna,
    "ResGatedGraphConv": lambda size: pyg.ResGatedGraphConv(size, F),
    "SAGEConv": lambda size: ours.SAGEConv(size, F),
    "SAGEConv (max)": lambda size: pyg.SAGEConv(size, F, aggr="max"),
    "SGConv": lambda size: pyg.SGConv(size, F, K=2),
    "SSGConv": lambda size: pyg.SSGConv(size, F, 0.1, K=2),
    "SimpleConv": lambda size: pyg.SimpleConv(),
    "TAGConv": lambda size: pyg.TAGConv(size, F, K=2),
    "TransformerConv": lambda size: pyg.TransformerConv(size, F),
}
KEEP_WIDTH = ("AGNN", "APPNP", "Bern", "CG", "FA", "GCN2", "GPR", "LG", "Ordered")
KEEP_WIDTH += ("SimpleConv",)
#: They divide by the edges that leave a node, which colours know nothing of.
UNDIRECTED = ("BernConv", "ChebConv", "ChebConv (PyG)")


class Twice(nn.Module):
    """Layers that are given the features at the start as well."""

    def __init__(self, conv: nn.Module):
        super().__init__()
        self.conv = conv

    def forward(self, x, edge_index):
        return self.conv(x, x, edge_index)


class First(Twice):
    """Layers that return something else as well."""

    def forward(self, x, edge_index):
        return self.conv(x, edge_index)[0]


class Net(nn.Module):
    """Two such layers and the sum over the nodes of each graph."""

    def __init__(self, name: str, size: int):
        super().__init__()
        inner = size if name.startswith(KEEP_WIDTH) else F
        self.convs = nn.ModuleList([LAYERS[name](size), LAYERS[name](inner)])
        for parameter in self.parameters():  # zeros and ones would hide something
            nn.init.uniform_(parameter, -0.7, 1.0)

    def forward(self, x, edge_index, batch):
        for conv in self.convs:
            x = torch.tanh(conv(x, edge_index))
        return pyg.global_add_pool(x, batch)


def connect(adjacency: torch.Tensor, x: torch.Tensor | None = None) -> Data:
    x = torch.ones(len(adjacency), 1) if x is None else x
    return Data(x=x.double(), edge_index=adjacency.nonzero().t().contiguous())


@pytest.fixture(scope="module")
def undirected() -> list[Data]:
    """All graphs of up to six nodes, some of seven, and random ones with two labels."""
    graphs = []
    for graph in graph_atlas_g()[1:700]:
        adjacency = torch.zeros(len(graph), len(graph), dtype=torch.bool)
        for u, v in graph.edges():
            adjacency[u, v] = adjacency[v, u] = True
        graphs.append(connect(adjacency, torch.eye(2)[[0] * len(graph)]))
    generator = torch.Generator().manual_seed(0)
    for _ in range(800):
        half = torch.rand(5, 5, generator=generator) < 0.25
        x = torch.eye(2)[torch.randint(0, 2, (5,), generator=generator)]
        graphs.append(connect((half | half.t()).fill_diagonal_(False), x))
    return graphs


@pytest.fixture(scope="module")
def directed() -> list[Data]:
    """Random ones of four nodes, with self-loops and two labels."""
    generator = torch.Generator().manual_seed(1)
    graphs = []
    for _ in range(1500):
        adjacency = torch.rand(4, 4, generator=generator) < 0.3
        x = torch.eye(2)[(torch.rand(4, generator=generator) < 0.2).long()]
        graphs.append(connect(adjacency, x))
    return graphs


def violation(model: Net, graphs: list[Data], rounds: int) -> float:
    """Largest relative difference of graphs that the rounds do not tell apart."""
    batch = Batch.from_data_list(graphs)
    with torch.no_grad():
        out = model(batch.x, batch.edge_index, batch.batch).numpy()
    classes = wl_colors(graphs, rounds).graph_classes()
    order = np.argsort(classes, kind="stable")
    starts = np.unique(classes[order], return_index=True)[1]
    assert len(starts) < 0.95 * len(graphs)  # there is something to compare
    most, least = (f.reduceat(out[order], starts) for f in (np.maximum, np.minimum))
    return float((most - least).max() / np.abs(out).max())


def model_of(name: str, size: int) -> Net:
    torch.manual_seed(0)
    return Net(name, size).double().eval()


@pytest.mark.parametrize("name", LAYERS)
def test_equal_histograms_have_equal_outputs(name, undirected, directed):
    model = model_of(name, 2)
    rounds = wl_rounds(model)
    assert violation(model, undirected, rounds) < 1e-12
    if name in UNDIRECTED:
        assert violation(model, directed, rounds) > 1e-6
    else:
        assert violation(model, directed, rounds) < 1e-12


def test_every_layer_of_the_table_was_tried():
    assert {name.partition(" ")[0] for name in LAYERS} >= set(STEPS) - set(EDGES)
    for name in STEPS:
        assert hasattr(pyg, name) or hasattr(ours, name)
    assert set(DEGREES) | set(EDGES) < set(STEPS)
    kinds = {name for module in (pyg, ours) for name in dir(module)}
    known = kinds | {"BasicGNN", "FusedAggregation", "TrimToLayer"}
    assert set(HARMLESS) <= known


@pytest.mark.parametrize(
    "name", ["GCNConv", "GCNConv (PyG)", "GCN2Conv", "EGConv", "LGConv", "FAConv"]
)
def test_the_extra_round_is_needed(name, undirected):
    model = model_of(name, 2)
    assert wl_rounds(model) == 3
    assert violation(model, undirected, 2) > 1e-7


@pytest.mark.parametrize("name", ["GINConv", "GATConv", "SAGEConv", "GraphConv"])
def test_one_round_less_is_not_enough(name, undirected):
    model = model_of(name, 2)
    assert wl_rounds(model) == 2
    assert violation(model, undirected, 1) > 1e-7


@pytest.mark.parametrize(
    ("model", "rounds"),
    [
        (ours.GIN(4, 8, 2, num_layers=3), 3),
        (ours.GCN(4, 8, 2, num_layers=3), 4),
        (ours.GAT(4, 8, 2, num_layers=3), 3),
        (ours.GCNII(4, 8, 2, num_layers=3), 4),
        (ours.ResGCN(4, 8, 2, num_layers=3, norm="layer"), 4),
        (ours.DeepGCN(4, 8, 2, num_layers=3), 3),
        (ours.LipschitzResGNN(4, 8, 2, num_layers=3), 4),
        (ours.APPNP(4, 8, 2, K=5), 6),
        (ours.GPRGNN(4, 8, 2, K=5), 6),
        (ours.BernNet(4, 8, 2, K=5), 6),
        (ours.ChebNet(4, 8, 2, num_layers=2, K=3), 5),
        (ours.OrderedGNN(4, 8, 2, num_layers=3), 3),
        (ours.MLP(4, 8, 2), 0),
        (ours.GraphClassifier(ours.GIN, 8, 2, in_channels=4, num_layers=2), 2),
        (pyg.GIN(4, 8, 3, norm="batch", jk="lstm"), 3),
        (pyg.GraphSAGE(4, 8, 3, aggr=["mean", "max"]), 3),
        (pyg.GAT(4, 8, 3, v2=True), 3),
        (pyg.EdgeCNN(4, 8, 3), 3),
        (pyg.MLP([4, 8, 2]), 0),
        (nn.Linear(4, 2), 0),
    ],
)
def test_whole_models(model, rounds):
    assert wl_rounds(model) == rounds


def test_layers_that_are_called_repeatedly():
    shared = pyg.GINConv(perceptron(F))
    assert wl_rounds(shared) == 1
    assert wl_rounds(shared, num_layers=5) == 5
    assert wl_rounds(nn.ModuleList([shared] * 3)) == 3
    assert wl_rounds(ours.GCN(4, 8, 2, num_layers=3), num_layers=3) == 4
    assert wl_rounds(ours.GCN(4, 8, 2, num_layers=3), num_layers=1) == 4
    assert wl_rounds(pyg.SGConv(4, 2, K=3), num_layers=2) == 7
    assert wl_rounds(pyg.MLP([4, 8, 2]), num_layers=4) == 0


def test_a_parametrized_layer_is_still_that_layer():
    conv = pyg.GCN2Conv(F, 0.1)
    nn.utils.parametrizations.spectral_norm(conv, "weight1")
    assert type(conv).__name__ == "ParametrizedGCN2Conv"
    assert wl_rounds(conv) == 2


def test_edge_features_need_edge_labels():
    for model in (
        pyg.GINEConv(perceptron(F), edge_dim=3),
        pyg.GATConv(4, 8, edge_dim=3),
        pyg.CGConv(4, dim=3),
        pyg.TransformerConv(4, 8, edge_dim=3),
        pyg.RGCNConv(4, 8, 3),
    ):
        with pytest.raises(ArgumentError, match="reads edge features.*edge_labels=Tr"):
            wl_rounds(model)
        assert wl_rounds(model, edge_labels=True) == 1


class OwnMessages(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(4, 4)

    def forward(self, x, edge_index):
        return x.index_add(0, edge_index[1], self.lin(x)[edge_index[0]])


class MyGIN(pyg.GINConv):
    pass


class WithHub(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = ours.GCNConv(4, 4)
        self.virtualnode_embedding = nn.Embedding(1, 4)


class RandomFeatures(nn.Module):
    def forward(self, x):
        return torch.cat([x, torch.rand_like(x)], 1)


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (nn.TransformerEncoderLayer(8, 2), "attends over all nodes"),
        (nn.MultiheadAttention(8, 2), "attends over all nodes"),
        (pyg.GPSConv(8, pyg.GCNConv(8, 8), heads=2), "attends over all nodes"),
        (WithHub(), "virtualnode_embedding .* virtual node"),
        (nn.Sequential(RandomFeatures()), "random features"),
        (ours.PGNN(4, 8, 2), "selector .AnchorSelector.*distances to anchors"),
        (ours.PGNNConv(4, 8), "distances to anchors"),
        (ours.ReverseGCN(4, 8, 2), "inverts layers"),
        (ours.ReverseGRAND(4, 8, 2), "diffuses over all nodes"),
        (pyg.TopKPooling(8), "changes the graph"),
        (pyg.SAGPooling(8), "changes the graph"),
        (pyg.GraphUNet(4, 8, 2, depth=2), "TopKPooling.* changes the graph"),
        (ours.ResGCN(4, 8, 2, norm="pair"), "statistics over nodes"),
        (pyg.GraphNorm(8), "statistics over nodes"),
        (pyg.LayerNorm(8), "mode='node'"),
        (nn.BatchNorm1d(8, track_running_stats=False), "statistics over the batch"),
        (pyg.GCNConv(4, 8, cached=True), "remembers"),
        (pyg.GCNConv(4, 8, flow="target_to_source"), "against the edges"),
        (pyg.ChebConv(4, 8, 3, normalization=None), "largest degree of the batch"),
        (pyg.HypergraphConv(4, 8), "not among the parts of PyG"),
        (pyg.SAGEConv(4, 8, aggr="lstm"), "LSTMAggregation.* not among the parts"),
        (pyg.SortAggregation(3), "not among the parts of PyG"),
        (OwnMessages(), "takes edge_index and has no message-passing layer"),
        (nn.Sequential(ours.GINConv(nn.Linear(4, 4)), OwnMessages()), "1 .OwnMess"),
        (MyGIN(perceptron(4)), "MyGIN.*no message-passing layer that is known here"),
        (3, "model must be a Module, got int"),
    ],
)
def test_what_is_refused(model, problem):
    with pytest.raises(ArgumentError, match=problem):
        wl_rounds(model)


@pytest.mark.parametrize("num_layers", [-1, 1.5, True, "2"])
def test_bad_numbers_of_layers(num_layers):
    with pytest.raises(ArgumentError, match="num_layers must be a whole number"):
        wl_rounds(pyg.GCNConv(4, 8), num_layers)


def test_a_reverse_model_without_reverse_layers_is_bounded():
    kwargs = {"num_layers": 3, "num_reverse_layers": 0}
    parameters = inspect.signature(ours.ReverseGCN.__init__).parameters
    assert set(kwargs) <= set(parameters)
    assert wl_rounds(ours.ReverseGCN(4, 8, 2, **kwargs), 3) == 4
