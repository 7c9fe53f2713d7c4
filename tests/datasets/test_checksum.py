import torch

from graphlab.datasets import graph_checksum


def _graph():
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(6, 4, generator=generator).round(decimals=1)
    edge_index = torch.randint(6, (2, 12), generator=generator)
    return x, edge_index, torch.randint(3, (6,), generator=generator)


def test_the_order_of_edges_does_not_matter():
    x, edge_index, y = _graph()
    shuffled = edge_index[:, torch.randperm(12)]
    assert graph_checksum(x, edge_index, y) == graph_checksum(x, shuffled, y)


def test_every_part_of_the_content_matters():
    x, edge_index, y = _graph()
    wider = torch.cat([x, torch.zeros(6, 1)], dim=1)
    other_x, other_y = x.clone(), y.clone()
    other_x[5, 3] += 1
    other_y[0] += 1
    checksums = {
        graph_checksum(*graph)
        for graph in (
            (x, edge_index, y),
            (wider, edge_index, y),
            (other_x, edge_index, y),
            (x, edge_index.flip(0), y),
            (x, edge_index[:, 1:], y),
            (x, edge_index, other_y),
        )
    }
    assert len(checksums) == 6


def test_the_value_is_the_same_on_every_machine():
    x = torch.tensor([[0.0, 0.5], [1.0, 0.0]])
    checksum = graph_checksum(x, torch.tensor([[0, 1], [1, 0]]), torch.tensor([0, 1]))
    assert checksum[:16] == "0b2ad622787868ca"
