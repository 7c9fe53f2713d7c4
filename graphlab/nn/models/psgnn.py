"""The position-sensing graph neural network."""

from typing import Any

from graphlab.nn.anchors.selector import AnchorSelector, Rule
from graphlab.nn.models._position_gnn import PositionGNN


class PSGNN(PositionGNN):
    r"""The position-sensing graph neural network, with anchors that are learned.

    A re-implementation from the abstract of the `"Position-Sensing Graph Neural
    Networks: Proactively Learning Nodes Relative Positions"
    <https://arxiv.org/abs/2105.11346>`_ paper, whose body was not at hand: an ordinary
    graph neural network scores the nodes, :math:`K` of them are picked as anchors
    (:class:`~graphlab.nn.LearnedAnchors`; how is ours), and layers

    .. math::
        \mathbf{m}_{vk} = \mathrm{ReLU} \left( \mathbf{W} \left[
        \phi \left( \tfrac{1}{d(v, a_k) + 1} \right) \mathbf{h}_{a_k} ; \mathbf{h}_v
        \right] + \mathbf{b} \right), \qquad
        \mathbf{h}^{\prime}_v = \frac{1}{K} \sum_{k} \mathbf{m}_{vk}, \qquad
        z_{vk} = \langle \mathbf{w}, \mathbf{m}_{vk} \rangle + c

    send messages from them to all nodes (:class:`~graphlab.nn.PGNNConv`). All layers
    share the anchors. The answer is :math:`\mathbf{z}` of the last layer, or with
    ``out_channels`` a linear map of :math:`[\mathbf{h}^{\prime}; \mathbf{z}]`. That
    map must know which node a number of :math:`\mathbf{z}` refers to, while the picks
    change in training: it has a column for each candidate, 0 for those not picked.

    Time and memory are linear in the number of nodes and edges. An answer for
    :math:`B` nodes needs the states of these and of the anchors only (``nodes``); the
    scores, and the distances, come from the whole graph.

    Args:
        in_channels: Size :math:`F` of each input sample.
        hidden_channels: Size of each hidden layer.
        out_channels: Size :math:`C` of the answer; :obj:`None` for one number for each
            anchor, as for pairs of nodes.
        num_layers: Number of layers.
        num_anchors: Number :math:`K` of anchors, at most all nodes.
        selector: How anchors are chosen, ``"learned"`` or by a rule; see
            :class:`~graphlab.nn.AnchorSelector`.
        dropout: Dropout probability between layers.
        cutoff: Nodes farther away than so many hops count as unreachable.
        seed: Seed of the choice, where :meth:`prepare` is not used.
        **kwargs: Additional arguments of :class:`~graphlab.nn.LearnedAnchors`, such as
            ``scorer``.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`, dense or sparse CSR
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** lengths of edges :math:`(|\mathcal{E}|)` *(optional)*
        - **anchors:** what :meth:`prepare` gave *(optional)*
        - **nodes:** the nodes to answer for, if not all :math:`(B)` *(optional)*
        - **output:** :math:`(|\mathcal{V}|, K)` or :math:`(|\mathcal{V}|, C)`

    Example:
        >>> model = PSGNN(16, 32, num_anchors=3)
        >>> model(torch.randn(4, 16), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([4, 3])

    .. note::
        The abstract claims more than 14 % (pairs of nodes) and 18 % (links) over the
        position-aware state of the art; see ``docs/papers/psgnn.md`` for what we
        measured.
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int | None = None,
        num_layers: int = 2,
        num_anchors: int = 16,
        selector: "str | Rule" = "learned",
        dropout: float = 0.5,
        cutoff: int | None = None,
        seed: int = 0,
        **kwargs: Any,
    ):
        choice = AnchorSelector(
            selector, num_anchors, in_channels, cutoff, seed, **kwargs
        )
        super().__init__(
            in_channels,
            hidden_channels,
            out_channels,
            num_layers,
            dropout,
            choice,
        )
        if choice.learned is not None:
            # Decay would pull the scores towards a uniform choice, and their gradient
            # is small: at 0.01 they hardly move before the rest is trained.
            self.optim_overrides = {"selector.": {"weight_decay": 0.0, "lr": 0.05}}
