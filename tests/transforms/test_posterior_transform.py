"""The transform is the function, reading from and writing to a Data object."""

import torch
from torch_geometric.data import Data

from graphlab.transforms import PosteriorLabelSmoothing, posterior_label_smoothing


def test_transform_writes_soft_y_and_leaves_the_input(make_graph):
    edge_index, y, mask = make_graph(seed=13)
    data = Data(edge_index=edge_index, y=y, train_mask=mask, num_nodes=y.numel())
    options = dict(alpha=0.3, noise="uniform", conditional="node", fallback="prior")
    transform = PosteriorLabelSmoothing(5, **options)
    out = transform(data)
    assert "soft_y" not in data
    expected = posterior_label_smoothing(edge_index, y, mask, 5, **options)
    assert torch.equal(out.soft_y, expected)
    assert str(transform) == (
        "PosteriorLabelSmoothing(num_classes=5, alpha=0.3, beta=0.4, temperature=1.0, "
        "min_labelled=1, conditional='node', fallback='prior', noise='uniform', "
        "pseudo_count=0.0)"
    )


def test_transform_reads_what_the_data_offers(make_graph):
    edge_index, y, mask = make_graph(seed=14)
    extra = dict(edge_weight=torch.rand(edge_index.size(1)), pseudo_label=y.flip(0))
    data = Data(edge_index=edge_index, y=y, train_mask=mask, num_classes=6, **extra)
    out = PosteriorLabelSmoothing()(data).soft_y
    expected = posterior_label_smoothing(edge_index, y, mask, 6, **extra)
    assert torch.equal(out, expected)
