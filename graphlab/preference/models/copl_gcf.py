"""CoPL's graph collaborative filter on the signed graph of users and responses."""

import torch
from torch import nn
from torch.nn.functional import normalize

from graphlab.nn._checks import check_choice, check_count
from graphlab.preference.graph import PreferenceGraph
from graphlab.preference.models.base import PreferenceModel, Regularizer, stack
from graphlab.preference.models.bradley_terry import response_bias
from graphlab.preference.models.copl_layers import PaperLayer, ReleasedLayer
from graphlab.preference.propagation import check_dropout, propagation
from graphlab.preference.vectors import PreferenceVectors

LAYERS = {"released": ReleasedLayer, "paper": PaperLayer}


class CoPLGCF(PreferenceModel):
    r"""Graph collaborative filtering on likes and dislikes.

    From the `"CoPL: Collaborative Preference Learning for Personalizing LLMs"
    <https://arxiv.org/abs/2503.01658>`_ paper. From free tables
    :math:`\mathbf{E}^{(0)}` of users and responses, each layer takes the sums over
    likes and over dislikes, normalized by the degrees of their kind,

    .. math::
        \mathbf{P} = \mathbf{\hat{A}}^{+} \mathbf{E}, \qquad
        \mathbf{N} = \mathbf{\hat{A}}^{-} \mathbf{E}

    and ``variant="released"``, the authors' code, goes on with

    .. math::
        \mathbf{E}^{\prime} = \phi \bigl( \mathbf{P} + w_p(\mathbf{P} \odot \mathbf{E})
        - \mathbf{N} - w_n(\mathbf{N} \odot \mathbf{E}) + w_s(\mathbf{E}) \bigr)

    with affine maps :math:`w` that users and responses share, ``variant="paper"``, the
    printed formula, with

    .. math::
        \mathbf{E}^{\prime} = \phi \bigl( \mathbf{E} \mathbf{W}_0 + \mathbf{P}
        \mathbf{W}_1 + (\mathbf{P} \odot \mathbf{E}) \mathbf{W}_2 + \mathbf{N}
        \mathbf{W}_3 + (\mathbf{N} \odot \mathbf{E}) \mathbf{W}_4 \bigr),

    where :math:`\phi` is a leaky ReLU. Scores are inner products of the last layer's
    vectors, which are not normalized. All of :math:`\mathbf{P}` and :math:`\mathbf{N}`
    is one product with a sparse matrix.

    Args:
        num_users: Number of users.
        num_responses: Number of responses.
        dim: Size :math:`d` of the vectors. The released code has 512.
        num_layers: Number of layers. The released code has 4.
        variant: ``"released"`` or ``"paper"``.
        edge_dropout: Probability with which an edge is left out in training, drawn for
            each layer, kind and direction, the others scaled up.
        negative_slope: Slope of :math:`\phi` below zero.
        item_bias: Whether responses have a bias, which CoPL has not.
        normalize_users: Whether users' vectors are brought to length 1 in training
            too, as they are for adaptation; CoPL does not.
        regularizer: Penalty that is added to the loss; by default that of the released
            code, the sum over the final vectors with a weight of 1e-6.

    Shapes:
        - **graph:** a :class:`PreferenceGraph`
        - **output:** :class:`PreferenceVectors`

    Example:
        >>> graph = PreferenceGraph.from_pairs([1, 2], ["x", "y"], ["y", "z"])
        >>> CoPLGCF(2, 3, dim=8)(graph).user.shape
        torch.Size([2, 8])

    .. note::
        The paper was not at hand. Its formula comes from two second-hand accounts
        that agree; whether its matrices have biases and are shared by users and
        responses, and which slope :math:`\phi` has, is not verified: there are no
        biases here, users and responses share, the slope is that of the code. The code
        also allocates maps that it never uses; they are left out.
    """

    def __init__(
        self,
        num_users: int,
        num_responses: int,
        dim: int = 64,
        num_layers: int = 4,
        variant: str = "released",
        edge_dropout: float = 0.1,
        negative_slope: float = 0.2,
        item_bias: bool = False,
        normalize_users: bool = False,
        regularizer: Regularizer | None = None,
    ):
        super().__init__(num_users, num_responses, regularizer or Regularizer(1e-6))
        check_count("dim", dim)
        check_count("num_layers", num_layers)
        check_choice("variant", variant, tuple(LAYERS))
        check_dropout(edge_dropout)
        self.variant, self.edge_dropout = variant, edge_dropout
        self.normalize_users = normalize_users
        self.user = nn.Parameter(torch.empty(num_users, dim))
        self.response = nn.Parameter(torch.empty(num_responses, dim))
        self.bias = response_bias(item_bias, num_responses)
        self.layers = nn.ModuleList(
            LAYERS[variant](dim, negative_slope) for _ in range(num_layers)
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new tables (Xavier, uniform) and maps; biases of responses are zero."""
        nn.init.xavier_uniform_(self.user)
        nn.init.xavier_uniform_(self.response)
        for module in self.layers.modules():
            if isinstance(module, nn.Linear):
                module.reset_parameters()
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def initial(self) -> PreferenceVectors:  # noqa: D102
        return PreferenceVectors(self.user, self.response, self.bias)

    def forward(  # noqa: D102
        self, graph: PreferenceGraph, *, generator: torch.Generator | None = None
    ) -> PreferenceVectors:
        self.check_graph(graph)
        x = stack(self.initial())
        spread = propagation(graph, "split", x.dtype)
        dropout = self.edge_dropout if self.training else 0.0
        for layer in self.layers:
            x = layer(x, spread(x, dropout, generator).view(len(x), 2, -1))
        user, response = x.split([self.num_users, self.num_responses])
        if self.normalize_users:
            user = normalize(user, dim=1)
        return PreferenceVectors(user, response, self.bias)
