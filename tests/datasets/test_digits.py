import torch
from torch_geometric.utils import is_undirected

from graphlab.datasets import dataset_card, load_dataset
from graphlab.datasets.digits import load_digits_graph


def test_digits_is_what_its_card_says_on_every_machine():
    data = load_dataset("digits")
    card = dataset_card("digits")
    source, target = data.edge_index
    same = (data.y[source] == data.y[target]).double().mean()
    assert round(float(same), 4) == card.homophily
    assert data.checksum == card.checksum
    assert is_undirected(data.edge_index) and not bool((source == target).any())


def test_each_digit_is_joined_to_its_nearest():
    data = load_digits_graph(k=1)
    distance = torch.cdist(data.x.double(), data.x.double())
    distance.fill_diagonal_(torch.inf)
    linked = torch.zeros_like(distance, dtype=torch.bool)
    linked[data.edge_index[0], data.edge_index[1]] = True
    nearest = distance.masked_fill(~linked, torch.inf).min(dim=1).values
    torch.testing.assert_close(nearest, distance.min(dim=1).values)
