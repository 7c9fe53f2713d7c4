import pytest
import torch
from torch_geometric.utils import scatter as pyg_scatter

from graphlab.errors import ArgumentError
from graphlab.ops import scatter, segment

REDUCTIONS = pytest.mark.parametrize("reduce", ["sum", "mean", "max", "min"])


@REDUCTIONS
@pytest.mark.parametrize("shape", [(7, 3), (7, 2, 3)])
def test_scatter_equals_pyg(reduce, shape):
    torch.manual_seed(0)
    x = torch.randn(shape, dtype=torch.double, requires_grad=True)
    index = torch.tensor([2, 0, 2, 5, 0, 2, 3])
    out = scatter(x, index, 7, reduce)
    torch.testing.assert_close(out, pyg_scatter(x, index, 0, 7, reduce))
    assert torch.autograd.gradcheck(lambda x: scatter(x, index, 7, reduce), x)
    assert scatter(x, index, reduce=reduce).size(0) == 6


@REDUCTIONS
def test_segment_is_scatter_of_consecutive_rows(reduce):
    x, ptr = torch.randn(6, 4), torch.tensor([0, 2, 2, 5, 6])
    index = torch.tensor([0, 0, 2, 2, 2, 3])
    assert torch.equal(segment(x, ptr, reduce), scatter(x, index, 4, reduce))


@REDUCTIONS
def test_nothing_to_reduce(reduce):
    empty = torch.zeros(0, dtype=torch.long)
    assert torch.equal(scatter(torch.zeros(0, 2), empty, 3, reduce), torch.zeros(3, 2))
    assert scatter(torch.zeros(0, 2), empty, reduce=reduce).shape == (0, 2)
    ptr = torch.zeros(4, dtype=torch.long)
    assert torch.equal(segment(torch.zeros(0, 2), ptr, reduce), torch.zeros(3, 2))


def test_bad_groups_are_refused():
    x = torch.randn(3, 2)
    with pytest.raises(ArgumentError, match=r"index must have shape \[3\]"):
        scatter(x, torch.tensor([0, 1]))
    with pytest.raises(ArgumentError, match="destination nodes from 0 to 4"):
        scatter(x, torch.tensor([0, 1, 4]), 3)
    with pytest.raises(ArgumentError, match="must hold integers"):
        scatter(x, torch.tensor([0.0, 1.0, 1.0]), 3)
    for ptr in ([0, 2], [1, 3], [0, 2, 1, 3], [0.0, 3.0], []):
        with pytest.raises(ArgumentError, match="ptr must hold integers"):
            segment(x, torch.tensor(ptr))
