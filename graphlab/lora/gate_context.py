"""Where the LoRA experts of a model find the gates of the current batch."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from torch import Tensor

from graphlab.errors import ArgumentError

#: One tensor for all sites, one per site, or None for the base model alone.
Gates = Tensor | Mapping[str, Tensor] | None


class GateContext:
    r"""Where the LoRA experts of a model find the gates of the current batch.

    A language model's layers pass no user on to their projections, so the gates lie
    here while the model runs. One context serves all sites of a model;
    :func:`inject_experts` makes it.

    Args:
        sites: Names of the projections that have experts.
        num_experts: Number :math:`E` of experts per site, the shared one not counted.
        settings: Arguments by which :func:`inject_experts` makes the same again.

    Example:
        >>> context = GateContext(["q_proj"], num_experts=2)
        >>> with context.use(torch.tensor([[0.3, 0.7]])):
        ...     context.gates("q_proj")
        tensor([[0.3000, 0.7000]])

    .. note::
        Gradient checkpointing runs layers again during the backward pass, after
        :meth:`use` has ended. Checkpointing as ``transformers`` switches it on carries
        the gates of each call along. Under any other kind keep :meth:`use` open until
        ``backward()`` has returned.
    """

    def __init__(
        self, sites: Sequence[str], num_experts: int, settings: dict | None = None
    ):
        self.sites = tuple(sites)
        self.settings = settings or {}
        self.num_experts = num_experts
        self._stack: list[Gates] = []

    @contextmanager
    def use(self, gates: Gates) -> Iterator[None]:
        r"""Set the gates for the calls of the model inside.

        Args:
            gates: Gates :math:`(B, E)` per sequence or :math:`(B, T, E)` per token,
                one tensor for all sites or a dictionary with one per site.
                :obj:`None` switches all experts off, the shared one included.

        Raises:
            ArgumentError: If a site is missing or unknown, or the last dimension is
                not :math:`E`.
        """
        self._check(gates)
        with self.use_some(gates):
            yield

    @contextmanager
    def use_some(self, gates: Gates) -> Iterator[None]:
        """Set gates unchecked, for calls of a part of the model."""
        self._stack.append(gates)
        try:
            yield
        finally:
            self._stack.pop()

    def gates(self, site: str) -> Tensor | None:
        """The current gates of a site.

        Raises:
            ArgumentError: If none are set.
        """
        if not self._stack:
            raise ArgumentError(
                f"no gates set for {site!r}: call the model inside "
                "'with context.use(gates):', or context.use(None) for the base model"
            )
        gates = self._stack[-1]
        return gates if gates is None or isinstance(gates, Tensor) else gates[site]

    @property
    def active(self) -> bool:
        """Whether gates are set, :obj:`None` included."""
        return bool(self._stack)

    def _check(self, gates: Gates) -> None:
        if isinstance(gates, Mapping):
            missing = [site for site in self.sites if site not in gates]
            unknown = [site for site in gates if site not in self.sites]
            if missing or unknown:
                raise ArgumentError(
                    f"gates must have one entry for each of the {len(self.sites)} "
                    f"sites; missing: {_some(missing)}; unknown: {_some(unknown)}"
                )
            for site, each in gates.items():
                check_gates(each, self.num_experts, f"gates[{site!r}]")
        elif gates is not None:
            check_gates(gates, self.num_experts, "gates")


def check_gates(gates: Tensor, num_experts: int, name: str = "gates") -> None:
    """Gates are a floating point tensor ``[B, E]`` or ``[B, T, E]``."""
    if not isinstance(gates, Tensor):
        kind = type(gates).__name__
        raise ArgumentError(f"{name} must be a tensor, got {kind}")
    fits = gates.dim() in (2, 3) and gates.size(-1) == num_experts
    if not fits or not gates.is_floating_point():
        raise ArgumentError(
            f"{name} must be floating point of shape [B, {num_experts}] or "
            f"[B, T, {num_experts}], got {gates.dtype} of shape {list(gates.shape)}"
        )


def _some(names: Sequence[str], most: int = 3) -> str:
    shown = ", ".join(map(repr, names[:most])) or "none"
    return shown + f" and {len(names) - most} more" * (len(names) > most)
