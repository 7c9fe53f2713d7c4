"""The position-aware graph neural network."""

from graphlab.nn.anchors.selector import AnchorSelector, Rule
from graphlab.nn.models._position_gnn import PositionGNN


class PGNN(PositionGNN):
    r"""The position-aware graph neural network.

    From the `"Position-aware Graph Neural Networks" <https://arxiv.org/abs/1906.04817>`_
    paper (Algorithm 1), in the form of the authors' code: a linear map, then layers

    .. math::
        \mathbf{m}_{vk} = \mathrm{ReLU} \left( \mathbf{W} \left[ \sigma_{vk}
        \mathbf{h}_{a(v, k)} ; \mathbf{h}_v \right] + \mathbf{b} \right), \qquad
        \mathbf{h}^{\prime}_v = \frac{1}{K} \sum_{k} \mathbf{m}_{vk}, \qquad
        z_{vk} = \langle \mathbf{w}, \mathbf{m}_{vk} \rangle + c

    with :math:`a(v, k)` the member of the :math:`k`-th random set that is closest to
    :math:`v`; see :class:`~graphlab.nn.PGNNConv`. The answer is :math:`\mathbf{z}` of
    the last layer, or with ``out_channels`` a linear map of its
    :math:`\mathbf{h}^{\prime}`, and of :math:`\mathbf{z}` if ``num_anchors`` is given.

    Args:
        in_channels: Size :math:`F` of each input sample.
        hidden_channels: Size of each hidden layer.
        out_channels: Size :math:`C` of the answer; :obj:`None` for one number for each
            anchor set, as for pairs of nodes.
        num_layers: Number of layers.
        num_anchors: Number :math:`K` of sets; by default
            :math:`\lfloor \log_2 |\mathcal{V}| \rfloor^2`, which differs from graph to
            graph.
        selector: How anchors are chosen, if not as random sets; see
            :class:`~graphlab.nn.AnchorSelector`.
        dropout: Dropout probability between layers.
        cutoff: Nodes farther away than so many hops count as unreachable; 2 is the
            paper's P-GNN-F.
        seed: Seed of the sets, where :meth:`prepare` is not used.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`, dense or sparse CSR
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** lengths of edges :math:`(|\mathcal{E}|)` *(optional)*, for
          single nodes as anchors
        - **anchors:** what :meth:`prepare` gave *(optional)*
        - **nodes:** the nodes to answer for, if not all :math:`(B)` *(optional)*
        - **output:** :math:`(|\mathcal{V}|, K)` or :math:`(|\mathcal{V}|, C)`

    Example:
        >>> model = PGNN(16, 32)
        >>> model(torch.randn(4, 16), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([4, 4])

    .. note::
        The authors' code draws new sets before each step, and divides
        :math:`\mathbf{z}` by its norm; so do :func:`graphlab.training.fit_pairs` with
        ``prepare_every=1`` and :class:`graphlab.training.PairScore`. Among equally
        close members it takes the first of the set, we any fixed one.
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int | None = None,
        num_layers: int = 2,
        num_anchors: int | None = None,
        selector: "str | Rule" = "bourgain",
        dropout: float = 0.5,
        cutoff: int | None = None,
        seed: int = 0,
    ):
        super().__init__(
            in_channels,
            hidden_channels,
            out_channels,
            num_layers,
            dropout,
            AnchorSelector(selector, num_anchors, in_channels, cutoff, seed),
        )
