"""One layer of CoPL's graph network, in its two forms."""

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

    def forward(self, x: Tensor, likes: Tensor, dislikes: Tensor) -> Tensor:
        """The next states of all nodes."""
        plus = likes + self.liked(likes * x)
        minus = dislikes + self.disliked(dislikes * x)
        return leaky_relu(plus - minus + self.own(x), self.negative_slope)


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

    def forward(self, x: Tensor, likes: Tensor, dislikes: Tensor) -> Tensor:
        """The next states of all nodes."""
        out = self.own(x) + self.liked(likes) + self.liked_both(likes * x)
        out = out + self.disliked(dislikes) + self.disliked_both(dislikes * x)
        return leaky_relu(out, self.negative_slope)
