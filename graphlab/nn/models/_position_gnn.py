"""What P-GNN and PSGNN share: all but their anchors."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from graphlab.errors import ArgumentError
from graphlab.nn._checks import check_count
from graphlab.nn.anchors.anchors import Anchors
from graphlab.nn.anchors.selector import AnchorSelector
from graphlab.nn.conv.pgnn_conv import PGNNConv
from graphlab.nn.linear import FeatureLinear
from graphlab.ops import SparseFeatures
from graphlab.ops.spmm import Graph


class PositionGNN(nn.Module):
    """A linear map, position layers with dropout between, and a linear map or none."""

    sparse_features = True
    optim_overrides: dict[str, dict] = {}

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int | None,
        num_layers: int,
        dropout: float,
        selector: AnchorSelector,
    ):
        super().__init__()
        check_count("num_layers", num_layers)
        self.dropout, self.selector = dropout, selector
        self.num_positions = num_positions = selector.num_columns
        self.lin_in = FeatureLinear(in_channels, hidden_channels)
        self.convs = nn.ModuleList(
            PGNNConv(hidden_channels, hidden_channels, position)
            for position in [False] * (num_layers - 1)
            + [out_channels is None or num_positions > 0]
        )
        self.lin_out = None
        if out_channels is not None:
            self.lin_out = nn.Linear(hidden_channels + num_positions, out_channels)

    def reset_parameters(self) -> None:
        """Draw new weights."""
        for module in (self.selector, self.lin_in, *self.convs, self.lin_out):
            if module is not None:
                module.reset_parameters()

    def prepare(
        self, edge_index: Graph, num_nodes: int, generator: Generator | None = None
    ) -> dict[str, Anchors]:
        """What ``forward`` may be given, so as not to draw it with the own seed.

        Args:
            edge_index: The edges that distances may see.
            num_nodes: Number of nodes.
            generator: Source of the draw; by default one with the model's own seed.

        Returns:
            Keyword arguments of ``forward``: the anchors of the graph.
        """
        return {"anchors": self.selector.prepare(edge_index, num_nodes, generator)}

    def forward(  # noqa: D102
        self,
        x: Tensor | SparseFeatures,
        edge_index: Graph,
        edge_weight: Tensor | None = None,
        *,
        anchors: Anchors | None = None,
        nodes: Tensor | None = None,
    ) -> Tensor:
        anchors = self.selector(x, edge_index, edge_weight, anchors=anchors)
        if nodes is not None:
            x, anchors = _restricted(x, anchors, nodes)
            before = anchors.nodes.numel()  # rows that only the others need
        h = self.lin_in(x)
        for conv in self.convs[:-1]:
            h = F.dropout(conv(h, anchors)[1], self.dropout, self.training)
        z, h = self.convs[-1](h, anchors)
        if nodes is not None:
            z, h = (None if part is None else part[before:] for part in (z, h))
        if self.lin_out is None:
            return z
        if self.num_positions:
            if anchors.selection is not None:  # a column for each candidate, not pick
                z = z @ anchors.selection
            h = torch.cat([h, F.pad(z, (0, self.num_positions - z.size(1)))], 1)
        return self.lin_out(h)

    def facts(self) -> dict[str, Any]:
        """What the anchors of the last call are like; empty before the first."""
        return self.selector.facts()


def _restricted(
    x: Tensor | SparseFeatures, anchors: Anchors, nodes: Tensor
) -> tuple[Tensor, Anchors]:
    """Only the rows that the answer for some nodes depends on: anchors, then those."""
    if anchors.nodes.dim() == 2:
        raise ArgumentError(
            "nodes: accepted with single nodes as anchors only; the closest members of "
            "sets differ from node to node"
        )
    if not isinstance(x, Tensor) or x.layout != torch.strided:
        raise ArgumentError("nodes: accepted with dense features only")
    if not isinstance(nodes, Tensor):
        raise ArgumentError(f"nodes: must be a tensor, not {type(nodes).__name__}")
    if nodes.numel() and not 0 <= int(nodes.min()) <= int(nodes.max()) < x.size(0):
        raise ArgumentError(
            f"nodes: must lie in 0 to {x.size(0) - 1}, not in {int(nodes.min())} to "
            f"{int(nodes.max())}"
        )
    rows = torch.cat([anchors.nodes, nodes.view(-1)])
    places = torch.arange(anchors.nodes.numel(), device=rows.device)
    part = Anchors(places, anchors.distances[rows], anchors.selection)
    return x[rows], part
