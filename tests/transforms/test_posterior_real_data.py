"""Posterior labels of the released splits: how often they agree with the true label.

The expected values are means over the first three of the ten seeds of PosteL's splits,
taken from the released label functions.
"""

import pytest
import torch

from graphlab.transforms import posterior_label_smoothing


@pytest.mark.real_data
@pytest.mark.parametrize(
    "name, agreement, confidence, alone",
    [
        ("Cora", 0.742, 0.785, 0.139),
        ("CiteSeer", 0.566, 0.616, 0.248),
        ("Chameleon", 0.330, 0.520, 0.026),
        ("Texas", 0.588, 0.529, 0.224),
        ("Actor", 0.217, 0.217, 0.218),
        ("Squirrel", 0.227, 0.325, 0.021),
        ("Photo", 0.912, 0.944, 0.034),
        ("Computers", 0.874, 0.919, 0.048),
        ("PubMed", 0.671, 0.747, 0.208),
        ("cornell-geom", 0.349, 0.342, 0.227),
    ],
)
def test_posterior_of_released_splits(data_root, name, agreement, confidence, alone):
    from graphlab.datasets import load_dataset, load_splits

    data = load_dataset(name, data_root=data_root)
    measured = []
    for split in load_splits("bernnet-10", data, runs=3, data_root=data_root):
        mask = split.train_mask
        q = posterior_label_smoothing(
            data.edge_index,
            data.y,
            mask,
            data.num_classes,
            alpha=1.0,
            beta=0.0,
            fallback="prior",
        )[mask]
        source, target = data.edge_index
        has_labelled = torch.zeros_like(mask)
        has_labelled[source[mask[target]]] = True
        top, argmax = q.max(dim=1)
        agree = (argmax == data.y[mask]).double().mean()
        measured.append(
            (agree, top.double().mean(), (~has_labelled)[mask].double().mean())
        )
    mean = torch.tensor(measured, dtype=torch.float64).mean(dim=0)
    expected = torch.tensor([agreement, confidence, alone], dtype=torch.float64)
    torch.testing.assert_close(mean, expected, rtol=0, atol=0.0006)
