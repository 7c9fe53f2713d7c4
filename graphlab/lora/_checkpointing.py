"""Gates under gradient checkpointing.

A checkpointed layer runs a second time during the backward pass. By then the gates of
its call are gone, or those of a later call are set. So they travel with the call: as
arguments of the checkpointed function, since the reentrant kind passes no gradient to
tensors that a function merely holds.
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from graphlab.lora.gate_context import GateContext


class CarryGates:
    """Forward pre-hook of a decoder layer with experts.

    Whoever switches checkpointing on replaces the layer's checkpoint function; the
    hook looks before each call whether that has happened.
    """

    def __init__(self, context: GateContext, sites: list[str]):
        self.context = context
        self.sites = sites

    def __call__(self, layer: nn.Module, args: tuple) -> None:
        checkpoint = getattr(layer, "_gradient_checkpointing_func", None)
        if checkpoint is not None and not isinstance(checkpoint, _WithGates):
            layer._gradient_checkpointing_func = _WithGates(checkpoint, self)


class _WithGates:
    def __init__(self, checkpoint: Callable, carrier: CarryGates):
        self.checkpoint = checkpoint
        self.carrier = carrier

    def __call__(self, function: Callable, *args: Any) -> Any:
        context, sites = self.carrier.context, self.carrier.sites
        if not context.active:
            return self.checkpoint(function, *args)
        gates = [context.gates(site) for site in sites]
        if any(each is None for each in gates):
            gates = []

        def run(*both: Any) -> Any:
            now: list[Tensor] = list(both[: len(gates)])
            chosen = dict(zip(sites, now, strict=True)) if now else None
            with context.use_some(chosen):
                return function(*both[len(gates) :])

        return self.checkpoint(run, *gates, *args)
