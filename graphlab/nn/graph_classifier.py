"""A model of graphs from a model of nodes."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from graphlab.errors import ArgumentError
from graphlab.nn._checks import check_choice, check_count
from graphlab.nn.linear import reset
from graphlab.nn.norm._batch_norm import BatchNorm1d
from graphlab.ops import scatter
from graphlab.ops.spmm import Graph


class GraphEmbedding(NamedTuple):
    """What :meth:`GraphClassifier.embed` returns, one row per graph.

    Args:
        phi: Pooled states, ``[G, D]``.
        logits: Class scores, ``[G, K]``.
    """

    phi: Tensor
    logits: Tensor


class GraphClassifier(nn.Module):
    r"""Classifies graphs: a model of nodes, a read-out, and a head.

    The form of the models in `"Towards Bridging Generalization and Expressivity of
    Graph Neural Networks" <https://arxiv.org/abs/2410.10051>`_ (Section 3):

    .. math::
        \mathbf{z}_G = \psi \left( \varphi(G) \right), \qquad
        \varphi(G) = \sum_{i \in \mathcal{V}_G} \mathrm{ReLU} ( \mathbf{h}_i ), \qquad
        \mathbf{H} = \mathrm{encoder}(\mathbf{X}, \mathcal{E})

    or the mean or the maximum over the nodes of a graph. The head :math:`\psi` is by
    default linear - batch normalization - ReLU - linear, as in the paper.

    Args:
        encoder: A model of nodes, called as ``encoder(x, edge_index)``; or a class of
            such models, made as ``encoder(in_channels, hidden_channels,
            hidden_channels, **kwargs)``.
        hidden_channels: Size :math:`D` of the encoder's states and of the hidden
            layer of the head.
        num_classes: Number :math:`K` of classes.
        pooling: ``"sum"``, ``"mean"`` or ``"max"``.
        head: Another module from :math:`\varphi(G)` to logits.
        act: Whether :math:`\mathrm{ReLU}` is applied to the encoder's states; our
            models end without a non-linearity.
        track_running_stats: Whether the head's normalization keeps running statistics
            for evaluation. The paper's code does not: then the output of a graph
            depends on the other graphs of its batch, in evaluation too, so that it is
            no function of the graph and no theorem about encoders applies.
        in_channels: Size :math:`F` of each input sample, where **encoder** is a class.
        **kwargs: Further arguments of that class.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **batch:** the graph of each node :math:`(|\mathcal{V}|)`; by default all
          nodes are one graph
        - **output:** logits :math:`(G, K)`

    Raises:
        ArgumentError: An argument is out of its range, or the encoder is a class and
            **in_channels** is missing, or it is none and there are further arguments.

    Example:
        >>> from graphlab.nn import GIN
        >>> model = GraphClassifier(GIN(16, 64, 64), 64, num_classes=2)
        >>> x, edge_index = torch.randn(5, 16), torch.tensor([[0, 1, 3], [1, 2, 4]])
        >>> batch = torch.tensor([0, 0, 0, 1, 1])
        >>> model(x, edge_index, batch).shape
        torch.Size([2, 2])
        >>> model.embed(x, edge_index, batch).phi.shape
        torch.Size([2, 64])
    """

    optim_overrides: dict[str, dict] = {}

    def __init__(
        self,
        encoder: nn.Module | Callable[..., nn.Module],
        hidden_channels: int,
        num_classes: int,
        pooling: Literal["sum", "mean", "max"] = "sum",
        head: nn.Module | None = None,
        act: bool = True,
        track_running_stats: bool = True,
        in_channels: int | None = None,
        **kwargs,
    ):
        super().__init__()
        check_count("hidden_channels", hidden_channels)
        check_count("num_classes", num_classes)
        check_choice("pooling", pooling, ("sum", "mean", "max"))
        self.pooling, self.act = pooling, act
        self.encoder = _made(encoder, in_channels, hidden_channels, kwargs)
        if head is None:
            head = _head(hidden_channels, num_classes, track_running_stats)
        self.head = head
        self.optim_overrides = {
            f"encoder.{prefix}": options
            for prefix, options in getattr(encoder, "optim_overrides", {}).items()
        }

    def reset_parameters(self) -> None:
        """Draw new weights."""
        reset(self.encoder)
        reset(self.head)

    def embed(  # noqa: D102
        self,
        x: Tensor,
        edge_index: Graph,
        batch: Tensor | None = None,
        num_graphs: int | None = None,
        **kwargs,
    ) -> GraphEmbedding:
        r"""The embedding :math:`\varphi` of each graph, and its logits.

        Args:
            x: Node features.
            edge_index: Edges of all graphs.
            batch: The graph of each node.
            num_graphs: Number :math:`G` of graphs, by default as many as **batch**
                names.
            **kwargs: Further arguments of the encoder, such as ``edge_weight``.
        """
        states = self.encoder(x, edge_index, **kwargs)
        if batch is None:
            batch = torch.zeros(len(states), dtype=torch.long, device=states.device)
            num_graphs = num_graphs or 1
        states = states.relu() if self.act else states
        phi = scatter(states, batch, num_graphs, reduce=self.pooling)
        return GraphEmbedding(phi, self.head(phi))

    def forward(  # noqa: D102
        self,
        x: Tensor,
        edge_index: Graph,
        batch: Tensor | None = None,
        num_graphs: int | None = None,
        **kwargs,
    ) -> Tensor:
        return self.embed(x, edge_index, batch, num_graphs, **kwargs).logits


def _made(encoder, in_channels: int | None, hidden: int, kwargs: dict) -> nn.Module:
    if isinstance(encoder, nn.Module):
        if kwargs or in_channels is not None:
            names = ", ".join([*kwargs, *(["in_channels"] * (in_channels is not None))])
            raise ArgumentError(f"encoder: must be a class to be given {names}")
        return encoder
    if not callable(encoder):
        raise ArgumentError(
            f"encoder: must be a module or a class of modules, not {encoder!r}"
        )
    if in_channels is None:
        raise ArgumentError("in_channels: must be given where encoder is a class")
    return encoder(in_channels, hidden, hidden, **kwargs)


def _head(hidden: int, num_classes: int, track_running_stats: bool) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(hidden, hidden),
        BatchNorm1d(hidden, track_running_stats=track_running_stats),
        nn.ReLU(),
        nn.Linear(hidden, num_classes),
    )
