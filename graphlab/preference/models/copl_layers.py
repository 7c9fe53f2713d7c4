"""One layer of CoPL's graph network, in its two forms.

A layer gets the sums over likes and over dislikes side by side, (nodes, 2, d), so that
both go through one product with matrices laid side by side as well.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu


class ReleasedLayer(nn.Module):
    r"""The layer of the released code.

    .. math::
        \mathbf{E}^{\prime} = \phi \bigl( \mathbf{P} + w_p(\mathbf{P} \odot \mathbf{E})
        - \mathbf{N} - w_n(\mathbf{N} \odot \mathbf{E}) + w_s(\mathbf{E}) \bigr)

    with affine maps :math:`w`, and sums :math:`\mathbf{P}` over likes and
    :math:`\mathbf{N}` over dislikes.
    """

    def __init__(self, dim: int, negative_slope: float):
        super().__init__()
        self.liked, self.disliked, self.own = (nn.Linear(dim, dim) for _ in range(3))
        self.negative_slope = negative_slope

    def forward(self, x: Tensor, sums: Tensor) -> Tensor:
        """The next states of all nodes."""
        weight = torch.cat([self.liked.weight, -self.disliked.weight], 1)
        bias = self.liked.bias - self.disliked.bias + self.own.bias
        out = torch.addmm(bias, x, self.own.weight.t())
        out = torch.addmm(out, _with(sums, x), weight.t())
        likes, dislikes = sums.unbind(1)
        return leaky_relu(out + likes - dislikes, self.negative_slope)


class PaperLayer(nn.Module):
    r"""The layer of the printed formula, a matrix for each of its terms.

    .. math::
        \mathbf{E}^{\prime} = \phi \bigl( \mathbf{E} \mathbf{W}_0 + \mathbf{P}
        \mathbf{W}_1 + (\mathbf{P} \odot \mathbf{E}) \mathbf{W}_2 + \mathbf{N}
        \mathbf{W}_3 + (\mathbf{N} \odot \mathbf{E}) \mathbf{W}_4 \bigr)
    """

    def __init__(self, dim: int, negative_slope: float):
        super().__init__()
        self.own, self.liked, self.liked_both, self.disliked, self.disliked_both = (
            nn.Linear(dim, dim, bias=False) for _ in range(5)
        )
        self.negative_slope = negative_slope

    def forward(self, x: Tensor, sums: Tensor) -> Tensor:
        """The next states of all nodes."""
        plain = torch.cat([self.liked.weight, self.disliked.weight], 1)
        both = torch.cat([self.liked_both.weight, self.disliked_both.weight], 1)
        out = torch.addmm(self.own(x), sums.flatten(1), plain.t())
        out = torch.addmm(out, _with(sums, x), both.t())
        return leaky_relu(out, self.negative_slope)


def _with(sums: Tensor, x: Tensor) -> Tensor:
    """Both sums times the node's own state, side by side."""
    return (sums * x.unsqueeze(1)).flatten(1)
