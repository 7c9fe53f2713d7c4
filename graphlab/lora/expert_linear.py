"""A linear layer with a mixture of LoRA experts."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from graphlab.errors import ArgumentError
from graphlab.lora.gate_context import GateContext, Gates, check_gates


class LoRAExpertLinear(nn.Module):
    r"""A linear layer with a mixture of LoRA experts, gated from outside.

    The experts of `"CoPL: Collaborative Preference Learning for Personalizing LLMs"
    <https://arxiv.org/abs/2503.01658>`_ and of `"Phi-4-Mini Technical Report"
    <https://arxiv.org/abs/2503.01743>`_ as one layer:

    .. math::
        \mathbf{y}_i = \mathbf{W} \mathbf{x}_i + \sum_{e=1}^{E} g_{ie}
        \frac{\alpha_e}{r_e} \mathbf{B}_e \mathbf{A}_e \mathbf{x}_i
        + \frac{\alpha_0}{r_0} \mathbf{B}_0 \mathbf{A}_0 \mathbf{x}_i

    with gates :math:`g_{ie}`, and expert :math:`0` shared by all. All
    :math:`\mathbf{A}_e` are the rows of one matrix :math:`\mathbf{A} \in
    \mathbb{R}^{R \times F}`, all :math:`\mathbf{B}_e` the columns of one
    :math:`\mathbf{B}`, so that :math:`\mathbf{y} = \mathbf{W} \mathbf{x} + \mathbf{B}
    ( \mathbf{A} \mathbf{x} \odot \mathbf{w} )` where :math:`\mathbf{w}` repeats each
    gate :math:`r_e` times. No sample is sent anywhere, whatever the gates are; the
    cost is that of one LoRA of rank :math:`R = \sum_e r_e`.

    Args:
        base: The layer :math:`\mathbf{W}`; its weights are frozen.
        ranks: Rank :math:`r_e` of each expert.
        alphas: Scale :math:`\alpha_e` of each expert, ``2 * rank`` if not given.
        shared_rank: Rank :math:`r_0` of the expert that is always on, ``0`` for none.
        shared_alpha: Its :math:`\alpha_0`, ``2 * shared_rank`` if not given.
        dropout: Dropout of the experts' input.
        slices: Rows ``{name: (start, stop)}`` of the output that have experts of
            their own, with gates of their own; by default all rows have the same.
            For projections that are fused into one matrix.
        context: Where gates come from if the call gives none.
        dtype: Type of the experts' weights; computation is in the base's type if
            autocast says so, in this type otherwise.
        generator: Source of the initial weights.

    Shapes:
        - **x:** samples :math:`(B, F)` or sequences :math:`(B, T, F)`
        - **gates:** :math:`(B, E)` per sample or :math:`(B, T, E)` per token;
          :obj:`None` with a context that is switched off
        - **output:** :math:`(B, F^{\prime})` or :math:`(B, T, F^{\prime})`

    Raises:
        ArgumentError: If a rank, a scale, a slice, or the shape of the gates is not
            accepted, or if there are no gates.

    Example:
        >>> layer = LoRAExpertLinear(torch.nn.Linear(16, 8), ranks=[4, 2])
        >>> x, gates = torch.randn(3, 5, 16), torch.rand(3, 2)
        >>> layer(x, gates).shape
        torch.Size([3, 5, 8])
    """

    def __init__(
        self,
        base: nn.Linear,
        ranks: Sequence[int],
        alphas: Sequence[float] | None = None,
        *,
        shared_rank: int = 0,
        shared_alpha: float | None = None,
        dropout: float = 0.0,
        slices: Mapping[str, tuple[int, int]] | None = None,
        context: GateContext | None = None,
        dtype: torch.dtype | None = None,
        generator: torch.Generator | None = None,
    ):
        super().__init__()
        self.ranks, self.shared_rank = _ranks(ranks, shared_rank)
        self.alphas = _alphas("alphas", alphas, self.ranks)
        shared = None if shared_alpha is None else [shared_alpha]
        self.shared_alpha = _alphas("shared_alpha", shared, [shared_rank])[0]
        if not 0 <= dropout < 1:
            raise ArgumentError(f"dropout must be in [0, 1), got {dropout!r}")
        self.dropout = dropout
        self.base = base.requires_grad_(False)
        self.in_features, self.out_features = base.in_features, base.out_features
        self.slices = _slices(slices, self.out_features)
        self.context = context
        device = base.weight.device
        total, height = self.rank, sum(b - a for a, b in self.slices.values())
        shape = (len(self.slices) * total, self.in_features)
        self.lora_A = nn.Parameter(torch.empty(shape, dtype=dtype, device=device))
        self.lora_B = nn.Parameter(
            torch.empty((height, total), dtype=dtype, device=device)
        )
        # Float32 kept as integers: `model.bfloat16()` must not round the scales.
        mix = _mixing(self.ranks, self.alphas, self.shared_rank, self.shared_alpha)
        self.register_buffer("_mix", mix.view(torch.int32).to(device), persistent=False)
        self.reset_parameters(generator)

    @property
    def num_experts(self) -> int:
        """Number of gated experts."""
        return len(self.ranks)

    @property
    def rank(self) -> int:
        """Total rank of one slice, the shared expert included."""
        return sum(self.ranks) + self.shared_rank

    @property
    def weight(self) -> Tensor:
        """The base's weight, for code that looks at type or device of a layer's."""
        return self.base.weight

    @property
    def bias(self) -> Tensor | None:
        """The base's bias."""
        return self.base.bias

    @torch.no_grad()
    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw the experts anew: A as for a linear layer, B zero."""
        bound = 1 / math.sqrt(self.in_features)  # Kaiming-uniform with a = sqrt(5)
        self.lora_A.uniform_(-bound, bound, generator=generator)
        self.lora_B.zero_()

    def expert_rows(self, expert: int | None) -> slice:
        """The ranks of an expert, of the shared one for :obj:`None`, in a slice."""
        start = sum(self.ranks[:expert])
        width = self.shared_rank if expert is None else self.ranks[expert]
        return slice(start, start + width)

    def parts(self) -> dict[str, tuple[Tensor, Tensor, tuple[int, int]]]:
        r"""Matrix A :math:`(R, F)`, matrix B and the rows of each slice."""
        heights = [stop - start for start, stop in self.slices.values()]
        rows_a = self.lora_A.split(self.rank)
        rows_b = self.lora_B.split(heights)
        named = zip(self.slices.items(), rows_a, rows_b, strict=True)
        return {name: (a, b, rows) for (name, rows), a, b in named}

    def weights_of(self, gates: Tensor) -> Tensor:
        r"""What each of the R ranks is multiplied by: gate times scale, in float32."""
        mix = self._mix.view(torch.float32)  # [E + 1, R], the last row always on
        with torch.autocast(mix.device.type, enabled=False):
            return gates.to(mix) @ mix[:-1] + mix[-1]

    def forward(self, x: Tensor, gates: Gates = None) -> Tensor:  # noqa: D102
        found = {name: self._gates_of(name, gates) for name in self.slices}
        y = self.base(x)
        if any(each is None for each in found.values()):
            return y  # not even 0 is added: the same bits as without experts
        for name, each in found.items():
            self._check_batch(name, each, x)
        hidden = self._down(x, list(found.values()))
        if len(self.slices) == 1 and self.lora_B.size(0) == self.out_features:
            return _add(y, F.linear(hidden, self.lora_B))
        parts = [
            F.linear(h, b)
            for h, (_, b, _) in zip(
                hidden.split(self.rank, -1), self.parts().values(), strict=True
            )
        ]
        return _add(y, _place(parts, list(self.slices.values()), self.out_features))

    def _gates_of(self, name: str, gates: Gates) -> Tensor | None:
        if isinstance(gates, Mapping):
            gates = gates[name]
        if gates is not None:
            check_gates(gates, self.num_experts)
            return gates
        if self.context is None:
            raise ArgumentError("no gates: give them to the call or set a context")
        return self.context.gates(name)

    def _check_batch(self, name: str, gates: Tensor, x: Tensor) -> None:
        if gates.shape[:-1] != x.shape[: gates.dim() - 1]:
            raise ArgumentError(
                f"gates of {name or 'the layer'!r} must be [B, E] or [B, T, E] with "
                f"the input's [B, T, F] = {list(x.shape)}, got {list(gates.shape)}"
            )

    def _down(self, x: Tensor, gates: list[Tensor]) -> Tensor:
        if not torch.is_autocast_enabled(x.device.type):
            x = x.to(self.lora_A.dtype)
        hidden = F.linear(F.dropout(x, self.dropout, self.training), self.lora_A)
        weights = torch.cat([self.weights_of(each) for each in gates], dim=-1)
        if weights.dim() < hidden.dim():
            weights = weights.unsqueeze(1)  # [B, 1, R]: the same for all tokens
        return hidden * weights.to(hidden.dtype)

    def extra_repr(self) -> str:  # noqa: D102
        shared = f", shared_rank={self.shared_rank}" if self.shared_rank else ""
        names = [name for name in self.slices if name]
        return f"ranks={list(self.ranks)}{shared}" + f", {names}" * bool(names)


def _add(y: Tensor, delta: Tensor) -> Tensor:
    # A base in bfloat16 with experts in float32: one rounding, after the sum.
    return y + delta if y.dtype == delta.dtype else (y + delta).to(y.dtype)


def _place(parts: list[Tensor], slices: list[tuple[int, int]], height: int) -> Tensor:
    """Put the slices side by side, with zeros in the rows that have no experts."""
    pieces, at = [], 0
    for part, (start, stop) in zip(parts, slices, strict=True):
        pieces += [part.new_zeros(*part.shape[:-1], start - at)] * (start > at)
        pieces.append(part)
        at = stop
    last = parts[-1]
    pieces += [last.new_zeros(*last.shape[:-1], height - at)] * (height > at)
    return torch.cat(pieces, dim=-1)


def _mixing(ranks, alphas, shared_rank, shared_alpha) -> Tensor:
    """Scale of each rank in the row of its owner, ``[E + 1, R]``."""
    mix = torch.zeros(len(ranks) + 1, sum(ranks) + shared_rank)
    at = 0
    for row, (rank, alpha) in enumerate(
        zip([*ranks, shared_rank], [*alphas, shared_alpha], strict=True)
    ):
        mix[row, at : at + rank] = alpha / rank if rank else 0
        at += rank
    return mix


def _ranks(ranks: Sequence[int], shared_rank: int) -> tuple[tuple[int, ...], int]:
    whole = [isinstance(r, int) and not isinstance(r, bool) and r > 0 for r in ranks]
    if not whole or not all(whole):
        raise ArgumentError(
            f"ranks must be whole numbers >= 1, at least one, got {ranks!r}"
        )
    if not isinstance(shared_rank, int) or shared_rank < 0:
        raise ArgumentError(
            f"shared_rank must be a whole number >= 0, got {shared_rank!r}"
        )
    return tuple(ranks), shared_rank


def _alphas(
    name: str, alphas: Sequence[float] | None, ranks: Sequence[int]
) -> tuple[float, ...]:
    if alphas is None:
        return tuple(2.0 * rank for rank in ranks)
    if len(alphas) != len(ranks) or not all(math.isfinite(each) for each in alphas):
        raise ArgumentError(
            f"{name} must be {len(ranks)} finite number(s), got {alphas!r}"
        )
    return tuple(map(float, alphas))


def _slices(
    slices: Mapping[str, tuple[int, int]] | None, height: int
) -> dict[str, tuple[int, int]]:
    if slices is None:
        return {"": (0, height)}
    ordered = dict(sorted(slices.items(), key=lambda item: item[1]))
    at = 0
    for start, stop in ordered.values():
        if not at <= start < stop <= height:
            raise ArgumentError(
                f"slices must be disjoint rows (start, stop) of 0..{height}, "
                f"got {dict(slices)}"
            )
        at = stop
    if not ordered:
        raise ArgumentError("slices must name at least one slice")
    return ordered
