"""Gates from user vectors."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from graphlab.errors import ArgumentError
from graphlab.lora._learned_router import LearnedRouter


class UserRouter(LearnedRouter):
    r"""Gates from user vectors.

    From `"CoPL: Collaborative Preference Learning for Personalizing LLMs"
    <https://arxiv.org/abs/2503.01658>`_; router :math:`s` computes

    .. math::
        \mathbf{z} = \mathbf{W}_2^{(s)} \, \mathrm{ReLU}( \mathbf{W}_1^{(s)}
        \mathbf{e}_u + \mathbf{b}_1^{(s)} ) + \mathbf{b}_2^{(s)}
        + \sigma \, \boldsymbol{\epsilon}, \qquad
        \mathbf{p} = \mathrm{softmax}( \mathbf{z} / \tau )

    and its gates are :func:`expert_gates` of :math:`\mathbf{p}`, always in float32.
    Noise :math:`\boldsymbol{\epsilon}` is added in training only. All routers are
    computed at once. Gradients reach the user vectors if these want them.

    Args:
        user_channels: Size :math:`d` of a user vector.
        num_experts: Number :math:`E` of experts.
        sites: What has experts, ``context.sites``.
        hidden_channels: Hidden units of each router, :obj:`None` for a linear one.
        per: A router of its own per ``"site"`` (the released code), per ``"layer"``,
            or one for the whole ``"model"``.
        top_k: Number of experts that are on, all if not given.
        renormalize: Let the gates of those experts add up to 1; the released code does
            not.
        temperature: The softmax's :math:`\tau`.
        noise: Standard deviation :math:`\sigma` of the noise; ``0.1`` in the released
            code.
        gate_power: Exponent of the gates; ``2`` in the released code.
        generator: Source of the initial weights.

    Shapes:
        - **user:** user vectors :math:`(B, d)`
        - **output:** a dictionary with gates :math:`(B, E)` for each site

    Raises:
        ArgumentError: If a setting or the shape of the user vectors is not accepted.

    Example:
        >>> router = UserRouter(16, 4, sites=["q_proj", "v_proj"], top_k=1)
        >>> gates = router(torch.randn(3, 16))
        >>> gates["q_proj"].shape, int((gates["q_proj"] > 0).sum())
        (torch.Size([3, 4]), 3)
    """

    def __init__(
        self,
        user_channels: int,
        num_experts: int,
        sites: Sequence[str],
        hidden_channels: int | None = 256,
        per: str = "site",
        top_k: int | None = None,
        renormalize: bool = False,
        temperature: float = 1.0,
        noise: float = 0.0,
        gate_power: float = 1.0,
        generator: torch.Generator | None = None,
    ):
        super().__init__(
            num_experts,
            sites,
            per,
            top_k,
            renormalize,
            temperature,
            noise,
            gate_power,
        )
        own = {"user_channels": user_channels, "hidden_channels": hidden_channels}
        for name, size in own.items():
            if size is not None and size < 1:
                raise ArgumentError(f"{name} must be at least 1, got {size!r}")
        self.user_channels, self.hidden_channels = user_channels, hidden_channels
        sizes = [user_channels, *([hidden_channels] * bool(hidden_channels))]
        sizes.append(num_experts)
        s = self.num_routers
        self.weights = nn.ParameterList(
            torch.empty(s, a, b) for a, b in zip(sizes, sizes[1:], strict=False)
        )
        self.biases = nn.ParameterList(torch.empty(s, 1, b) for b in sizes[1:])
        self.reset_parameters(generator)

    @torch.no_grad()
    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw the weights anew, each router as a stack of linear layers."""
        for weight, bias in zip(self.weights, self.biases, strict=True):
            bound = 1 / math.sqrt(weight.size(1))
            weight.uniform_(-bound, bound, generator=generator)
            bias.uniform_(-bound, bound, generator=generator)

    def settings(self) -> dict:  # noqa: D102
        own = ("user_channels", "hidden_channels")
        return {**super().settings(), **{name: getattr(self, name) for name in own}}

    def scores(self, user: Tensor) -> Tensor:  # noqa: D102
        if user.dim() != 2 or user.size(-1) != self.user_channels:
            raise ArgumentError(
                f"user vectors must be [B, {self.user_channels}], "
                f"got {list(user.shape)}"
            )
        x = user.float().expand(self.num_routers, -1, -1)
        for depth, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.baddbmm(b.float(), x.relu() if depth else x, w.float())
        return x
