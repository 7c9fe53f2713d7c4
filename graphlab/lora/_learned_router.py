"""What the routers that learn have in common."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from graphlab.errors import ArgumentError
from graphlab.lora.inject import layer_of
from graphlab.lora.routing import check_routing, expert_gates, load_balancing_loss


@dataclass(frozen=True)
class Routing:
    r"""What a router has decided for a batch.

    Args:
        gates: Gates :math:`(B, E)` of each site.
        probabilities: Probabilities :math:`(S, B, E)` of each of :math:`S` routers
            before top-k, noise included.
    """

    gates: dict[str, Tensor]
    probabilities: Tensor

    def balance_loss(self) -> Tensor:
        """The :func:`load_balancing_loss` of the routers."""
        return load_balancing_loss(self.probabilities)


class LearnedRouter(nn.Module):
    """From scores of S routers to gates by site."""

    def __init__(
        self,
        num_experts: int,
        sites: Sequence[str],
        per: str,
        top_k: int | None,
        renormalize: bool,
        temperature: float,
        noise: float,
        gate_power: float,
    ):
        super().__init__()
        check_routing(num_experts, top_k, renormalize, temperature, noise, gate_power)
        self.num_experts = num_experts
        self.sites, self.per = tuple(sites), per
        self.router_of = _groups(self.sites, per)  # one number per site
        self.num_routers = max(self.router_of) + 1
        self.top_k, self.renormalize = top_k, renormalize
        self.temperature, self.noise = temperature, noise
        self.gate_power = gate_power

    def settings(self) -> dict:
        """The arguments of the constructor that routers share, sites left out."""
        names = ("num_experts", "per", "top_k", "renormalize", "temperature", "noise")
        return {name: getattr(self, name) for name in (*names, "gate_power")}

    def scores(self, user: Tensor) -> Tensor:
        """Scores ``[S, B, E]`` in float32."""
        raise NotImplementedError

    def route(self, user: Tensor, generator: torch.Generator | None = None) -> Routing:
        """Gates of a batch of users, with the probabilities behind them."""
        gates, p = self.stacked(user, generator)
        by_router = gates.unbind(0)
        named = zip(self.sites, self.router_of, strict=True)
        return Routing({site: by_router[number] for site, number in named}, p)

    def stacked(
        self, user: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Gates and probabilities of all routers, ``[S, B, E]``, in float32."""
        with torch.autocast(user.device.type, enabled=False):
            scores = self.scores(user)
            if self.training and self.noise:
                scores = scores + self.noise * _normal_like(scores, generator)
            p = (scores / self.temperature).softmax(-1)
            gates = expert_gates(p, self.top_k, self.renormalize, self.gate_power)
        return gates, p

    def forward(
        self, user: Tensor, generator: torch.Generator | None = None
    ) -> dict[str, Tensor]:
        """Gates of a batch of users, by site."""
        return self.route(user, generator).gates

    def extra_repr(self) -> str:  # noqa: D102
        return f"{self.num_routers} router(s), {self.num_experts} experts"


def _normal_like(scores: Tensor, generator: torch.Generator | None) -> Tensor:
    source = scores.device if generator is None else generator.device
    return torch.randn(scores.shape, generator=generator, device=source).to(scores)


def _groups(sites: Sequence[str], per: str) -> list[int]:
    if not sites:
        raise ArgumentError("sites must name at least one site")
    if per == "site":
        return list(range(len(sites)))
    if per == "model":
        return [0] * len(sites)
    if per != "layer":
        raise ArgumentError(f"per must be 'site', 'layer' or 'model', got {per!r}")
    layers = [layer_of(site) or site for site in sites]
    number = {layer: at for at, layer in enumerate(dict.fromkeys(layers))}
    return [number[layer] for layer in layers]
