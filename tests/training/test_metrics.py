import math

import pytest
import torch

from graphlab.training import evaluate, is_collapsed


def test_figures_by_hand():
    y = torch.tensor([0, 0, 0, 1, 2])
    logits = torch.full((1, 5, 3), -20.0)
    logits[0, torch.arange(5), torch.tensor([0, 0, 1, 1, 1])] = 20.0
    mask = torch.ones(1, 5, dtype=torch.bool)
    figures = evaluate(logits, y, mask)[0]
    assert figures["accuracy"] == pytest.approx(3 / 5)
    assert figures["balanced_accuracy"] == pytest.approx((2 / 3 + 1 + 0) / 3)
    # F1 of class 0: 2*2/(2*2+0+1), of class 1: 2*1/(2*1+2+0), of class 2: 0.
    assert figures["macro_f1"] == pytest.approx((4 / 5 + 2 / 4 + 0) / 3)
    assert figures["loss"] == pytest.approx(2 * 40 / 5)


def test_only_the_mask_counts_and_an_empty_one_is_nan():
    y = torch.tensor([0, 1])
    logits = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]]).repeat(2, 1, 1)
    mask = torch.tensor([[True, False], [False, False]])
    first, second = evaluate(logits, y, mask)
    assert first["accuracy"] == 1.0
    assert all(math.isnan(value) for value in second.values())


def test_collapse_needs_two_nodes_and_one_class():
    logits = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert is_collapsed(logits, torch.tensor([True, True, False]))
    assert not is_collapsed(logits, torch.tensor([True, True, True]))
    assert not is_collapsed(logits, torch.tensor([True, False, False]))
