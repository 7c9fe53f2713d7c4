"""Batch normalization that takes a batch of one row."""

from torch import Tensor, nn


class BatchNorm1d(nn.BatchNorm1d):
    """PyTorch's refuses to train on one row, for which its formula gives ``bias``.

    A graph of one node is such a batch; running statistics do not learn from it.
    """

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        of_batch = self.training or self.running_mean is None
        if x.size(0) > 1 or not of_batch:
            return super().forward(x)
        out = x - x
        return out if self.weight is None else out * self.weight + self.bias
