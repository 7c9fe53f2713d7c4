"""The gates of many users, computed once."""

from collections.abc import Hashable, Iterable

import torch
from torch import Tensor

from graphlab.lora._learned_router import LearnedRouter
from graphlab.lora.user_vectors import UserVectors


class GateCache:
    r"""The gates of many users, computed once, for scoring without the router.

    Args:
        router: A trained router; noise is left out.
        users: Vectors of the users.
        batch_size: Users per call of the router.

    Shapes:
        - **gates(ids):** a dictionary with gates :math:`(B, E)` for each site

    Raises:
        ArgumentError: If a user is unknown.

    Example:
        >>> from graphlab.lora import UserRouter
        >>> router = UserRouter(2, 4, sites=["q_proj"])
        >>> cache = GateCache(router, UserVectors(torch.eye(2), ["ann", "bob"]))
        >>> cache.gates(["bob"])["q_proj"].shape
        torch.Size([1, 4])
    """

    @torch.no_grad()
    def __init__(
        self, router: LearnedRouter, users: UserVectors, batch_size: int = 4096
    ):
        self.users = users
        self._sites, self._router_of = router.sites, router.router_of
        device = next(router.parameters()).device
        training = router.training
        router.eval()
        try:
            parts = [
                router.stacked(vectors.to(device))[0]
                for vectors in users.vectors.split(batch_size)
            ]
        finally:
            router.train(training)
        self.table = torch.cat(parts, dim=1).transpose(0, 1).contiguous()  # [N, S, E]

    def gates(self, ids: Iterable[Hashable]) -> dict[str, Tensor]:
        """The gates of some users, by site."""
        rows = self.table[self.users.rows(ids).to(self.table.device)]
        by_router = rows.unbind(1)
        named = zip(self._sites, self._router_of, strict=True)
        return {site: by_router[number] for site, number in named}
