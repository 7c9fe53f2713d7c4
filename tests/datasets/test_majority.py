import pytest
import torch
from torch_geometric.data import Data

from graphlab.datasets import Split, constant_majority
from graphlab.datasets.split_summary import summarize_splits
from graphlab.errors import ArgumentError


def _split(code, index=0):
    code = torch.tensor(code)
    return Split("mine", index, None, *(code == part for part in range(3)))


def _mask(*index):
    mask = torch.zeros(8, dtype=torch.bool)
    mask[list(index)] = True
    return mask


def test_the_constant_is_picked_on_validation_and_scored_on_test():
    y = torch.tensor([2, 2, 0, 0, 0, 2, 1, 0])
    assert constant_majority(y, _mask(0, 1, 2), _mask(3, 4, 5, 7)) == 0.25
    assert constant_majority(y, _mask(2, 3, 0), _mask(4, 5, 7)) == pytest.approx(2 / 3)


def test_a_tie_goes_to_the_lowest_class():
    y = torch.tensor([2, 1, 1, 2, 1, 0, 0, 0])
    assert constant_majority(y, _mask(0, 1), _mask(2, 3, 4)) == pytest.approx(2 / 3)


def test_empty_masks_are_refused():
    y = torch.zeros(8, dtype=torch.long)
    with pytest.raises(ArgumentError, match="must each select a node"):
        constant_majority(y, _mask(0), _mask())


def test_a_sound_split_has_no_warning():
    data = Data(y=torch.tensor([0, 1, 0, 1, 0, 1]), num_classes=2)
    summary = summarize_splits([_split([0, 0, 1, 1, 2, 2])], data)
    assert summary.counts == [[1, 1], [1, 1], [1, 1]]
    assert summary.warnings == [] and summary.majority == [0.5]


def test_degenerate_test_parts_are_told():
    y = torch.tensor([0, 1, 2, 0, 0, 0, 0, 1])
    data = Data(y=y, num_classes=4)  # class 3 exists nowhere: no fault of the split
    splits = [_split([0, 0, 0, 1, 2, 2, 2, 2]), _split([2, 2, 2, 1, 0, 0, 0, 0], 1)]
    missing, dominant = summarize_splits(splits, data).warnings
    assert missing.endswith("2 (1 of 2)")
    assert "75.0% to 75.0%" in dominant and "1 of 2 splits" in dominant
