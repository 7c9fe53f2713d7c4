"""The linear map that opens a model, for dense and for sparse features."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphlab.ops import SparseFeatures, matmul, sparse_features, sparse_matmul


class FeatureLinear(nn.Module):
    r"""Linear map of node features, dense or sparse.

    .. math::
        \mathbf{X}^{\prime} = \mathbf{X} \mathbf{W} + \mathbf{b}

    Initialized as in `"Understanding the Difficulty of Training Deep Feedforward Neural
    Networks" <https://proceedings.mlr.press/v9/glorot10a.html>`_ (Eq. 16):
    :math:`\mathbf{W}` uniform within :math:`\pm \sqrt{6 / (F + F^{\prime})}` and
    :math:`\mathbf{b} = \mathbf{0}`.

    Args:
        in_channels: Size :math:`F` of each input sample.
        out_channels: Size :math:`F^{\prime}` of each output sample.
        bias: Whether to learn :math:`\mathbf{b}`.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`, dense, a torch sparse CSR
          tensor, or :class:`~graphlab.ops.SparseFeatures`
        - **output:** node features :math:`(|\mathcal{V}|, F^{\prime})`, dense

    Example:
        >>> lin = FeatureLinear(16, 32)
        >>> lin(torch.randn(3, 16).to_sparse_csr()).shape
        torch.Size([3, 32])

    .. note::
        ``weight`` has shape :math:`(F, F^{\prime})`, the transpose of
        :class:`torch.nn.Linear`'s: sparse features gather its rows.
    """

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True):
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.weight = nn.Parameter(torch.empty(in_channels, out_channels))
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights."""
        glorot(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor | SparseFeatures) -> Tensor:  # noqa: D102
        out = self.product(x)
        return out if self.bias is None else out + self.bias

    def product(self, x: Tensor | SparseFeatures) -> Tensor:
        """The map without its bias, for layers that sum before they add it."""
        return sparse_matmul(x, self.weight) if is_sparse(x) else matmul(x, self.weight)

    def extra_repr(self) -> str:  # noqa: D102
        bias = self.bias is not None
        return f"{self.in_channels}, {self.out_channels}, bias={bias}"


def glorot(weight: Tensor) -> None:
    """Fill a weight uniformly within PyG's Glorot bound of its last two sizes."""
    bound = math.sqrt(6 / (weight.size(-2) + weight.size(-1)))
    nn.init.uniform_(weight, -bound, bound)


def reset(module: nn.Module) -> None:
    """Draw new weights of a module that can, else of those of its parts that can."""
    if hasattr(module, "reset_parameters"):
        module.reset_parameters()
        return
    for part in module.children():
        reset(part)


def is_sparse(x: Tensor | SparseFeatures) -> bool:
    """Whether features are stored sparsely."""
    return isinstance(x, SparseFeatures) or x.layout == torch.sparse_csr


def feature_dropout(
    x: Tensor | SparseFeatures, p: float, training: bool
) -> Tensor | SparseFeatures:
    """Dropout that leaves sparse features sparse: only stored values are drawn for."""
    if not training or p == 0:
        return x
    if is_sparse(x):
        return sparse_features(x).dropout(p)
    return F.dropout(x, p)


def num_nodes_of(x: Tensor | SparseFeatures) -> int:
    """Number of nodes that features belong to."""
    return x.graph.num_dst if isinstance(x, SparseFeatures) else x.size(0)
