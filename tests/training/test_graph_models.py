"""Which classes are models of graphs, and which become an encoder."""

import torch
import torch_geometric.nn as pyg

from graphlab.nn import GCN, GraphClassifier
from graphlab.training import make_graph_model


class OfGraphs(torch.nn.Module):
    def __init__(self, in_channels, out_channels, depth=1):
        super().__init__()
        self.sizes = in_channels, out_channels, depth

    def forward(self, x, edge_index, batch):
        return x


def test_a_model_of_graphs_is_made_with_the_classes():
    assert make_graph_model(OfGraphs, 7, 3, depth=2).sizes == (7, 3, 2)


def test_a_model_of_nodes_becomes_an_encoder():
    model = make_graph_model(
        GCN,
        7,
        3,
        hidden_channels=8,
        pooling="max",
        act=False,
        track_running_stats=False,
    )
    assert isinstance(model, GraphClassifier) and isinstance(model.encoder, GCN)
    assert model.encoder.convs[-1].out_channels == 8 == model.head[0].in_features
    assert (model.pooling, model.act, model.head[3].out_features) == ("max", False, 3)
    assert model.head[1].running_mean is None


def test_pygs_models_take_a_batch_too_but_are_models_of_nodes():
    model = make_graph_model(pyg.GIN, 7, 3, hidden_channels=8, num_layers=2)
    edge_index = torch.tensor([[0, 1, 2], [1, 0, 2]])
    assert model(torch.ones(3, 7), edge_index, torch.tensor([0, 0, 1])).shape == (2, 3)
