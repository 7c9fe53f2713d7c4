"""Gates from a table with a row per id."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from graphlab.errors import ArgumentError
from graphlab.lora._learned_router import LearnedRouter


class TableRouter(LearnedRouter):
    r"""Gates from a table with a row per id, for tasks or users that are all known.

    As in `"Combining Modular Skills in Multitask Learning"
    <https://arxiv.org/abs/2202.13914>`_, with a softmax in place of the relaxed
    Bernoulli variables:

    .. math::
        \mathbf{p} = \mathrm{softmax}( (\mathbf{Z}_{i}^{(s)} + \sigma
        \boldsymbol{\epsilon}) / \tau )

    for id :math:`i` and router :math:`s`; the gates are :func:`expert_gates` of it.

    Args:
        num_ids: Number :math:`N` of ids.
        num_experts: Number :math:`E` of experts.
        sites: What has experts, ``context.sites``.
        per: A table of its own per ``"site"``, per ``"layer"``, or one for the whole
            ``"model"``.
        top_k: Number of experts that are on, all if not given.
        renormalize: Let the gates of those experts add up to 1.
        temperature: The softmax's :math:`\tau`.
        noise: Standard deviation :math:`\sigma` of the noise in training.
        gate_power: Exponent of the gates.
        generator: Source of the initial scores, normal with deviation 0.01.

    Shapes:
        - **user:** ids :math:`(B)`, whole numbers below :math:`N`
        - **output:** a dictionary with gates :math:`(B, E)` for each site

    Raises:
        ArgumentError: If a setting is not accepted, or an id is not in the table.

    Example:
        >>> router = TableRouter(10, 4, sites=["q_proj"])
        >>> router(torch.tensor([0, 9]))["q_proj"].shape
        torch.Size([2, 4])
    """

    def __init__(
        self,
        num_ids: int,
        num_experts: int,
        sites: Sequence[str],
        per: str = "model",
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
        if num_ids < 1:
            raise ArgumentError(f"num_ids must be at least 1, got {num_ids!r}")
        self.num_ids = num_ids
        self.table = nn.Parameter(torch.empty(num_ids, self.num_routers, num_experts))
        self.reset_parameters(generator)

    @torch.no_grad()
    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw the scores anew."""
        self.table.normal_(0, 0.01, generator=generator)

    def settings(self) -> dict:  # noqa: D102
        return {**super().settings(), "num_ids": self.num_ids}

    def scores(self, user: Tensor) -> Tensor:  # noqa: D102
        if user.dim() != 1 or user.is_floating_point():
            raise ArgumentError(
                f"ids must be whole numbers [B], got {user.dtype} {list(user.shape)}"
            )
        if user.numel() and not 0 <= int(user.min()) <= int(user.max()) < self.num_ids:
            raise ArgumentError(
                f"ids must be in 0..{self.num_ids - 1}, got {int(user.min())}.."
                f"{int(user.max())}"
            )
        return self.table[user].float().transpose(0, 1)
