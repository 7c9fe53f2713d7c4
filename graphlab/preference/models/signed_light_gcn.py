"""LightGCN on likes and dislikes."""

from graphlab.preference.models.base import Regularizer
from graphlab.preference.models.light_gcn import LightGCN


class SignedLightGCN(LightGCN):
    r"""LightGCN that also sees dislikes, with a minus.

    After the `"LightGCN" <https://arxiv.org/abs/2002.02126>`_ paper; the sign is ours,
    to tell what CoPL's non-linear layers add to it:

    .. math::
        \mathbf{E} = \frac{1}{K + 1} \sum_{k=0}^{K} (\mathbf{\hat{A}}^{+} -
        \mathbf{\hat{A}}^{-})^k \mathbf{E}^{(0)}

    with either kind of edge normalized by its own degrees, and by default a bias for
    each response.

    Args:
        num_users: Number of users.
        num_responses: Number of responses.
        dim: Size :math:`d` of the vectors.
        num_layers: Number :math:`K` of hops.
        item_bias: Whether responses have a bias.
        edge_dropout: Probability with which an edge is left out in training.
        regularizer: Penalty that is added to the loss, or :obj:`None`.

    Shapes:
        - **graph:** a :class:`PreferenceGraph`
        - **output:** :class:`PreferenceVectors`

    Example:
        >>> from graphlab.preference import PreferenceGraph
        >>> graph = PreferenceGraph.from_pairs([1, 2], ["x", "y"], ["y", "z"])
        >>> SignedLightGCN(2, 3, dim=8)(graph).bias.shape
        torch.Size([3])
    """

    kind = "signed"

    def __init__(
        self,
        num_users: int,
        num_responses: int,
        dim: int = 64,
        num_layers: int = 3,
        item_bias: bool = True,
        edge_dropout: float = 0.0,
        regularizer: Regularizer | None = None,
    ):
        super().__init__(
            *(num_users, num_responses, dim, num_layers, item_bias, edge_dropout),
            regularizer,
        )
