from dataclasses import FrozenInstanceError

import pytest
import torch

from graphlab.datasets import Split
from graphlab.errors import SplitError


def _masks(*codes):
    code = torch.tensor(codes)
    return [code == part for part in range(3)]


def test_a_split_is_frozen_and_has_a_checksum_of_its_masks():
    split = Split("mine", 0, 7, *_masks(0, 0, 1, 2, 3))
    same = Split("other", 1, None, *_masks(0, 0, 1, 2, 3))
    moved = Split("mine", 0, 7, *_masks(0, 0, 2, 1, 3))
    longer = Split("mine", 0, 7, *_masks(0, 0, 1, 2, 3, 3))
    assert split.checksum == same.checksum
    assert len({split.checksum, moved.checksum, longer.checksum}) == 3
    with pytest.raises(FrozenInstanceError):
        split.seed = 8


@pytest.mark.parametrize(
    ("codes", "part"), [((1, 2), "train"), ((0, 2), "val"), ((0, 1), "test")]
)
def test_an_empty_part_is_refused(codes, part):
    with pytest.raises(SplitError, match=rf"mine\[3\]: {part}_mask selects no node"):
        Split("mine", 3, None, *_masks(*codes))


def test_overlap_is_refused():
    train, val, test = _masks(0, 1, 2)
    with pytest.raises(SplitError, match="more than one of the three masks"):
        Split("mine", 0, None, train, val | train, test)


def test_masks_must_be_bool_and_of_one_length():
    train, val, test = _masks(0, 1, 2)
    with pytest.raises(SplitError, match="val_mask must be bool"):
        Split("mine", 0, None, train, val.int(), test)
    with pytest.raises(SplitError, match="test_mask has 4 nodes, train_mask 3"):
        Split("mine", 0, None, train, val, torch.ones(4, dtype=torch.bool))
