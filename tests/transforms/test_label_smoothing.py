"""Uniform label smoothing against its formula."""

import pytest
import torch
from torch.nn.functional import cross_entropy
from torch.testing import assert_close
from torch_geometric.data import Data

from graphlab.errors import ArgumentError
from graphlab.transforms import LabelSmoothing, label_smoothing

Y = torch.tensor([2, 0, 1, 2])


@pytest.mark.parametrize("beta", [0.0, 0.3, 1.0])
def test_equals_the_formula(beta):
    out = label_smoothing(Y, 3, beta)
    e = torch.eye(3)[Y]
    assert out.dtype == torch.float32
    assert_close(out, (1 - beta) * e + beta / 2 * (1 - e))


def test_torch_label_smoothing_is_the_same_with_another_share():
    logits = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    ours = cross_entropy(logits, label_smoothing(Y, 3, 0.3 * 2 / 3))
    assert_close(ours, cross_entropy(logits, Y, label_smoothing=0.3))


def test_one_class_keeps_all():
    assert_close(label_smoothing(torch.zeros(2).long(), 1, 0.4), torch.ones(2, 1))


def test_missing_label_is_uniform():
    out = label_smoothing(torch.tensor([0, -1]), 4, 0.1)
    assert_close(out[1], torch.full((4,), 0.25))


def test_transform_reads_the_training_mask_only():
    mask = torch.tensor([True, False, True, False])
    data = Data(y=torch.tensor([2, 99, 1, -5]), train_mask=mask, num_classes=3)
    out = LabelSmoothing(0.2)(data)
    assert "soft_y" not in data
    assert_close(out.soft_y[mask], label_smoothing(Y, 3, 0.2)[mask])
    assert_close(out.soft_y[~mask], torch.full((2, 3), 1 / 3))
    assert str(LabelSmoothing(0.2)) == "LabelSmoothing(beta=0.2, num_classes=None)"


def test_transform_without_mask_reads_all():
    assert torch.equal(
        LabelSmoothing(0.2, num_classes=5)(Data(y=Y)).soft_y, label_smoothing(Y, 5, 0.2)
    )


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("beta", (Y, 3, -0.1)),
        ("beta", (Y, 3, 1.5)),
        ("beta", (Y, 3, None)),
        ("y", (Y, 2, 0.1)),
        ("y", (Y.float(), 3, 0.1)),
        ("y", (Y.tolist(), 3, 0.1)),
        ("num_classes", (Y, 0, 0.1)),
    ],
)
def test_bad_arguments_are_named(name, arguments):
    with pytest.raises(ArgumentError, match=f"^{name}: .*accepted"):
        label_smoothing(*arguments)


def test_transform_errors():
    with pytest.raises(ArgumentError, match="^beta: "):
        LabelSmoothing(2.0)
    with pytest.raises(ArgumentError, match="has no y"):
        LabelSmoothing(0.1)(Data(num_nodes=3))
