"""Gates that follow from what a sequence consists of."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from graphlab.errors import ArgumentError

#: Mode -> experts that are on; the rule of Phi-4-Multimodal.
PHI4_MODES = {
    "text": (),
    "vision": ("vision",),
    "speech": ("speech",),
    "vision_speech": ("vision",),
}


class ModalityRouter(nn.Module):
    r"""Gates that follow from the modality, without anything to learn.

    The rule of `"Phi-4-Mini Technical Report" <https://arxiv.org/abs/2503.01743>`_
    (Phi-4-Multimodal): with an image the vision experts are on, with speech alone the
    speech experts, and with text alone none. Per sequence or per token,

    .. math::
        g_{ie} = [\, e \in \mathcal{E}(m_i) \,]

    for mode :math:`m_i`. If no expert is on anywhere in the batch, the experts are
    switched off: the model then gives the same bits as without them.

    Args:
        modes: The experts :math:`\mathcal{E}(m)` of each mode.
        experts: Order of the experts, as injected.

    Shapes:
        - **modes:** a mode, a list of :math:`B` modes, or numbers :math:`(B)` or
          :math:`(B, T)` that count the modes in their order
        - **output:** gates :math:`(B, E)` or :math:`(B, T, E)`, or :obj:`None`

    Raises:
        ArgumentError: If a mode names an expert that is not there, or is unknown.

    Example:
        >>> router = ModalityRouter()
        >>> router(["text", "vision", "speech"])
        tensor([[0., 0.],
                [1., 0.],
                [0., 1.]])
        >>> router("text") is None
        True
    """

    def __init__(
        self,
        modes: Mapping[str, Sequence[str]] = PHI4_MODES,
        experts: Sequence[str] = ("vision", "speech"),
    ):
        super().__init__()
        self.modes = {mode: tuple(on) for mode, on in modes.items()}
        self.experts = tuple(experts)
        unknown = {e for on in self.modes.values() for e in on} - set(self.experts)
        if unknown or not self.modes:
            raise ArgumentError(
                f"modes must name experts among {list(self.experts)}, "
                f"got {sorted(unknown) or 'no mode'}"
            )
        rows = [[float(e in on) for e in self.experts] for on in self.modes.values()]
        # As bytes: a cast of the whole model leaves them alone.
        self.register_buffer("_table", torch.tensor(rows).bool(), persistent=False)

    def forward(self, modes: str | Sequence[str] | Tensor) -> Tensor | None:  # noqa: D102
        numbers = self._numbers([modes] if isinstance(modes, str) else modes)
        gates = self._table[numbers.to(self._table.device)].float()
        return gates if bool(gates.any()) else None

    def _numbers(self, modes: Sequence[str] | Tensor) -> Tensor:
        names = list(self.modes)
        if isinstance(modes, Tensor):
            whole = not modes.is_floating_point() and modes.dim() in (1, 2)
            in_range = ((modes >= 0) & (modes < len(names))).all() if whole else False
            if not in_range:
                raise ArgumentError(
                    f"modes must be numbers [B] or [B, T] in 0..{len(names) - 1}"
                )
            return modes.long()
        unknown = [mode for mode in modes if mode not in self.modes]
        if unknown:
            raise ArgumentError(f"modes must be among {names}, got {unknown[0]!r}")
        return torch.tensor([names.index(mode) for mode in modes])
