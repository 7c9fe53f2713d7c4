"""From the last hidden state, and maybe the user vector, to a reward."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from graphlab.errors import ArgumentError


class LinearHead(nn.Module):
    r"""Reward :math:`\mathbf{w}^{\top} \mathbf{h} + b`, in float32.

    Args:
        hidden_channels: Size :math:`H` of a hidden state.

    Shapes:
        - **hidden:** hidden states :math:`(N, H)`
        - **user:** not looked at
        - **output:** rewards :math:`(N)`

    Example:
        >>> LinearHead(8)(torch.randn(3, 8)).shape
        torch.Size([3])
    """

    def __init__(self, hidden_channels: int):
        super().__init__()
        self.lin = nn.Linear(hidden_channels, 1)

    def forward(self, hidden: Tensor, user: Tensor | None = None) -> Tensor:  # noqa: D102
        return _linear(self.lin, hidden).squeeze(-1)


class ConcatHead(nn.Module):
    r"""Reward :math:`\mathrm{MLP}( [ \mathbf{h} \, \Vert \, \mathbf{e}_u ] )`.

    With the user vector beside the hidden state; the hidden layer is needed, since in a
    linear head the user's part is the same for both responses of a pair.

    Args:
        hidden_channels: Size :math:`H` of a hidden state.
        user_channels: Size :math:`d` of a user vector.
        width: Hidden units.

    Shapes:
        - **hidden:** hidden states :math:`(N, H)`
        - **user:** user vectors :math:`(N, d)`
        - **output:** rewards :math:`(N)`

    Example:
        >>> ConcatHead(8, 4)(torch.randn(3, 8), torch.randn(3, 4)).shape
        torch.Size([3])
    """

    def __init__(self, hidden_channels: int, user_channels: int, width: int = 256):
        super().__init__()
        self.lin1 = nn.Linear(hidden_channels + user_channels, width)
        self.lin2 = nn.Linear(width, 1)

    def forward(self, hidden: Tensor, user: Tensor | None = None) -> Tensor:  # noqa: D102
        both = torch.cat([hidden.float(), _need(user).float()], dim=-1)
        return _linear(self.lin2, _linear(self.lin1, both).relu()).squeeze(-1)


class BilinearHead(nn.Module):
    r"""Reward :math:`\mathbf{e}_u^{\top} \mathbf{W} \mathbf{h}` plus the linear one.

    Args:
        hidden_channels: Size :math:`H` of a hidden state.
        user_channels: Size :math:`d` of a user vector.

    Shapes:
        - **hidden:** hidden states :math:`(N, H)`
        - **user:** user vectors :math:`(N, d)`
        - **output:** rewards :math:`(N)`

    Example:
        >>> BilinearHead(8, 4)(torch.randn(3, 8), torch.randn(3, 4)).shape
        torch.Size([3])
    """

    def __init__(self, hidden_channels: int, user_channels: int):
        super().__init__()
        self.lin = nn.Linear(hidden_channels, 1)
        self.lin_user = nn.Linear(hidden_channels, user_channels, bias=False)

    def forward(self, hidden: Tensor, user: Tensor | None = None) -> Tensor:  # noqa: D102
        personal = (_linear(self.lin_user, hidden) * _need(user).float()).sum(-1)
        return _linear(self.lin, hidden).squeeze(-1) + personal


#: Name in settings -> class.
HEADS = {"linear": LinearHead, "concat": ConcatHead, "bilinear": BilinearHead}


def make_head(kind: str, hidden_channels: int, user_channels: int | None) -> nn.Module:
    """A head by name."""
    if kind not in HEADS:
        raise ArgumentError(f"head must be one of {list(HEADS)}, got {kind!r}")
    if kind == "linear":
        return LinearHead(hidden_channels)
    if user_channels is None:
        raise ArgumentError(f"head={kind!r} needs user_channels")
    return HEADS[kind](hidden_channels, user_channels)


def _linear(lin: nn.Linear, x: Tensor) -> Tensor:
    bias = None if lin.bias is None else lin.bias.float()
    return F.linear(x.float(), lin.weight.float(), bias)


def _need(user: Tensor | None) -> Tensor:
    if user is None:
        raise ArgumentError("this head needs user_vectors")
    return user
