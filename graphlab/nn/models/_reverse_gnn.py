"""What the models with a forward and a reverse branch share."""

from collections.abc import Callable, Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphlab.errors import ArgumentError
from graphlab.nn._checks import require_whole
from graphlab.nn.conv.gcn_conv import GCNConv
from graphlab.nn.conv.invertible_residual import InvertibleResidual, warn_once
from graphlab.nn.finite import require_finite
from graphlab.nn.inverse import FixedPointResult, invert_residual
from graphlab.nn.inverse.maps import map_of, prepared, tensors_of
from graphlab.nn.inverse.runs import Run, forward_run, reverse_run
from graphlab.nn.linear import FeatureLinear
from graphlab.nn.norm.lipschitz_norm import held, unbounded
from graphlab.ops.spmm import Graph

_CHOICES = {
    "encoder": ("linear", "conv"),
    "decoder": ("linear", "mlp", "conv"),
    "out_norm": (None, "layer", "batch"),
}
_transformed = getattr(torch._C, "_are_functorch_transforms_active", lambda: False)


class ReverseGNN(nn.Module):
    """Encoder, a forward and a reverse branch from the same start, decoder.

    Arguments are those of :class:`~graphlab.nn.ReverseGCN`, with ``make_conv`` for the
    layer of a given width.
    """

    sparse_features = True
    optim_overrides: dict[str, dict] = {}

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int,
        num_reverse_layers: int,
        num_blocks: int,
        encoder: Literal["linear", "conv"],
        decoder: Literal["linear", "mlp", "conv"],
        out_norm: Literal["layer", "batch"] | None,
        dropout: float,
        make_conv: Callable[[int], nn.Module],
        **kwargs,
    ):
        super().__init__()
        _check_choices(encoder=encoder, decoder=decoder, out_norm=out_norm)
        _check_depths(num_layers, num_reverse_layers, num_blocks)
        self.dropout = dropout
        self.num_layers, self.num_reverse_layers = num_layers, num_reverse_layers
        hidden = hidden_channels
        linear = FeatureLinear if encoder == "linear" else GCNConv
        self.encoder = linear(in_channels, hidden)
        self.blocks = nn.ModuleList(
            InvertibleResidual(make_conv(hidden), **kwargs) for _ in range(num_blocks)
        )
        width = 2 * hidden if num_reverse_layers else hidden
        self.norm = _make_norm(out_norm, width)
        self.decoder = _make_decoder(decoder, width, hidden, out_channels)
        self._warned = False
        self._facts: dict = {}
        self._results: list[FixedPointResult] = []
        self._run: Run | None = None

    @property
    def order(self) -> list[int]:
        """Number of the block of each forward layer."""
        return [i % len(self.blocks) for i in range(self.num_layers)]

    @property
    def reverse_order(self) -> list[int]:
        """Number of the block of each reverse step: backwards through the blocks."""
        num = len(self.blocks)
        return [num - 1 - i % num for i in range(self.num_reverse_layers)]

    def reset_parameters(self) -> None:
        """Draw new weights."""
        with unbounded(self):
            for module in (self.encoder, *self.blocks, self.norm, *self.decoder):
                if hasattr(module, "reset_parameters"):
                    module.reset_parameters()

    def forward(  # noqa: D102
        self, x: Tensor, edge_index: Graph, edge_weight: Tensor | None = None
    ) -> Tensor:
        if self.num_reverse_layers and _transformed():
            raise RuntimeError("the number of iterations of an inverse depends on data")
        start = self.encode(x, edge_index, edge_weight)
        lean = not _transformed() and not _learned(edge_weight)
        branches = self._lean_branches if lean else self._plain_branches
        with held(self.blocks):
            ends = branches(start, *self._arguments(edge_index, edge_weight))
        if self.num_reverse_layers:
            self._judge(x)
        return self.decode(*ends, edge_index=edge_index, edge_weight=edge_weight)

    def encode(
        self, x: Tensor, edge_index: Graph, edge_weight: Tensor | None = None
    ) -> Tensor:
        r"""The state that both branches start from.

        Args:
            x: Node features.
            edge_index: The edges.
            edge_weight: One weight per edge.

        Shapes:
            - **output:** :math:`(|\mathcal{V}|, d)`
        """
        graph = (edge_index, edge_weight) if isinstance(self.encoder, GCNConv) else ()
        return F.dropout(self.encoder(x, *graph), self.dropout, self.training).relu()

    def decode(
        self,
        *states: Tensor,
        edge_index: Graph,
        edge_weight: Tensor | None = None,
    ) -> Tensor:
        r"""Class scores from the state of each branch.

        Args:
            *states: State of the forward branch, and of the reverse branch if there is
                one; zeros in place of one show what the other says by itself.
            edge_index: The edges.
            edge_weight: One weight per edge.

        Shapes:
            - **states:** :math:`(|\mathcal{V}|, d)` each
            - **output:** :math:`(|\mathcal{V}|, C)`
        """
        x = states[0] if len(states) == 1 else torch.cat(states, dim=-1)
        x = self.norm(x)
        for layer in self.decoder:
            graph = (edge_index, edge_weight) if isinstance(layer, GCNConv) else ()
            x = layer(x, *graph)
        return x

    def branches(
        self, x: Tensor, edge_index: Graph, edge_weight: Tensor | None = None
    ) -> tuple[list[Tensor], list[Tensor]]:
        r"""The states of both branches at every depth, from their common start on.

        Differentiable, at the memory of all layers.

        Args:
            x: Node features.
            edge_index: The edges.
            edge_weight: One weight per edge.

        Shapes:
            - **output:** ``num_layers + 1`` and ``num_reverse_layers + 1`` states
              :math:`(|\mathcal{V}|, d)`
        """
        start = self.encode(x, edge_index, edge_weight)
        with held(self.blocks):
            arguments = self._arguments(edge_index, edge_weight)
            forward = self._plain_forward(start, *arguments)
            reverse, results = self._plain_reverse(start, *arguments)
        if results:
            self._note(results)
            self._judge(x)
        return forward, reverse

    def layer_states(self, x: Tensor, edge_index: Graph) -> dict[str, Tensor]:
        r"""The states of both branches by name, and the class scores as the last.

        So that :mod:`graphlab.analysis` sees layers that run in one operation.

        Args:
            x: Node features.
            edge_index: The edges.

        Shapes:
            - **output:** states :math:`(|\mathcal{V}|, d)`
        """
        forward, reverse = self.branches(x, edge_index)
        states = {f"forward.{i}": state for i, state in enumerate(forward)}
        states |= {f"reverse.{i}": state for i, state in enumerate(reverse[1:], 1)}
        ends = forward[-1:] + reverse[1:][-1:]
        return states | {"output": self.decode(*ends, edge_index=edge_index)}

    def facts(self) -> dict:
        """How the inverses of the last forward pass went, JSON-able.

        Empty for a model without a reverse branch. ``adjoint_iterations`` and
        ``recovery_drift`` are of the last backward pass.
        """
        facts = dict(self._facts)
        if facts and self._run is not None and self._run.adjoints:
            results = self._run.adjoints
            facts["adjoint_iterations"] = _mean([r.iterations for r in results])
            facts["adjoint_residual"] = max(r.residual for r in results)
            facts["recovery_drift"] = max(self._run.drift, default=None)
        return {k: None if v is not None and v != v else v for k, v in facts.items()}

    def _arguments(self, edge_index: Graph, edge_weight: Tensor | None) -> tuple:
        """What the layers take beside features."""
        return edge_index, edge_weight

    def _lean_branches(self, start: Tensor, *arguments) -> list[Tensor]:
        given = tuple(a for a in arguments if a is not None)
        convs = [block.conv for block in self.blocks]
        ready = [prepared(conv, start, given) for conv in convs]
        tensors = [tensors_of(conv) for conv in convs]
        flat = [t for each in tensors for t in each]

        def make_maps(flat: Sequence[Tensor]) -> list:
            parts, rest = [], list(flat)
            for each in tensors:
                parts.append(rest[: len(each)])
                rest = rest[len(each) :]
            return [map_of(*each) for each in zip(convs, ready, parts, strict=True)]

        ends = [forward_run(Run(make_maps, self.order), start, flat)]
        if self.num_reverse_layers:
            run = Run(make_maps, self.reverse_order, self._settings)
            if self.grad == "unroll":
                states, results = self._plain_reverse(start, *arguments)
                ends.append(states[-1])
            else:
                ends.append(reverse_run(run, start, flat))
                results = run.results
            self._note(results)
            self._run = run if run.keep else self._run
        return ends

    def _plain_branches(self, start: Tensor, *arguments) -> list[Tensor]:
        ends = [self._plain_forward(start, *arguments)[-1]]
        if self.num_reverse_layers:
            states, results = self._plain_reverse(start, *arguments)
            self._note(results)
            ends.append(states[-1])
        return ends

    def _plain_forward(self, x: Tensor, *arguments) -> list[Tensor]:
        states = [x]
        for block in self.order:
            states.append(self.blocks[block](states[-1], *arguments))
        return states

    def _plain_reverse(
        self, x: Tensor, *arguments
    ) -> tuple[list[Tensor], list[FixedPointResult]]:
        states, results = [x], []
        for number in self.reverse_order:
            block = self.blocks[number]
            after, result = invert_residual(
                lambda x, block=block: block.residual(x, *arguments),
                states[-1],
                block.fixed_point,
                block.grad,
            )
            states.append(after)
            results.append(result)
        return states, results

    @property
    def grad(self) -> str:
        """How gradients pass through the inverses."""
        return self.blocks[0].grad

    @property
    def _settings(self):
        return self.blocks[0].fixed_point

    def _judge(self, x: Tensor) -> None:
        """Refuse features that are not finite; warn of inverses that are none."""
        if any(not result.finite for result in self._results):
            require_finite("x", x)
        warn_once(self, self._results, self._settings)

    def _note(self, results: list[FixedPointResult]) -> None:
        """Keep what :meth:`facts` tells."""
        self._results = results
        known = [r.contraction for r in results if r.contraction == r.contraction]
        self._facts = {
            "fixed_point_iterations": _mean([r.iterations for r in results]),
            "fixed_point_residual": max(
                (r.residual for r in results), key=lambda r: (r != r, r)
            ),
            "converged": all(r.converged for r in results),
            "contraction": max(known, default=None),
            "damped": any(r.damping != self._settings.damping for r in results),
        }


def _learned(edge_weight: Tensor | None) -> bool:
    return edge_weight is not None and edge_weight.requires_grad


def _mean(values: list[int]) -> float:
    return sum(values) / len(values)


def _check_choices(**given) -> None:
    for name, value in given.items():
        if value not in _CHOICES[name]:
            accepted = ", ".join(map(repr, _CHOICES[name]))
            raise ArgumentError(f"{name} must be one of {accepted}, got {value!r}")


def _check_depths(num_layers: int, num_reverse_layers: int, num_blocks: int) -> None:
    least = {"num_layers": 1, "num_reverse_layers": 0, "num_blocks": 1}
    given = (num_layers, num_reverse_layers, num_blocks)
    for (name, smallest), value in zip(least.items(), given, strict=True):
        require_whole(name, value, smallest)
    for name, value in zip(least, given[:2], strict=False):
        if value % num_blocks:
            raise ArgumentError(
                f"{name} must be a multiple of num_blocks ({num_blocks}), so that both "
                f"branches go through the same blocks, got {value}"
            )


def _make_norm(out_norm: str | None, width: int) -> nn.Module:
    if out_norm == "layer":
        return nn.LayerNorm(width)
    return nn.Identity() if out_norm is None else nn.BatchNorm1d(width)


def _make_decoder(
    decoder: str, width: int, hidden: int, out_channels: int
) -> nn.ModuleList:
    if decoder == "mlp":
        layers = [FeatureLinear(width, hidden), nn.ReLU()]
        return nn.ModuleList([*layers, FeatureLinear(hidden, out_channels)])
    linear = FeatureLinear if decoder == "linear" else GCNConv
    return nn.ModuleList([linear(width, out_channels)])
