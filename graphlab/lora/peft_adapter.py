"""Experts as ordinary PEFT adapters."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from graphlab.errors import ArgumentError
from graphlab.lora._extra import require
from graphlab.lora._files import make_folder, save_tensors, write_text
from graphlab.lora.expert_linear import LoRAExpertLinear
from graphlab.lora.gate_context import check_gates
from graphlab.lora.inject import expert_layers


@dataclass(frozen=True)
class PeftAdapter:
    r"""A LoRA adapter in PEFT's format: matrices by module, and what they scale to.

    Args:
        lora_A: Matrix A :math:`(r, F)` of each module.
        lora_B: Matrix B :math:`(F^{\prime}, r)` of each module.
        alpha: Scale over rank, the same in all modules.

    .. note::
        ``PeftModel.from_pretrained(model, folder)`` loads what :meth:`save` writes.
    """

    lora_A: dict[str, Tensor]
    lora_B: dict[str, Tensor]
    scale: float

    @property
    def ranks(self) -> dict[str, int]:
        """Rank of each module's adapter."""
        return {name: a.size(0) for name, a in self.lora_A.items()}

    def config(self):
        """The adapter's ``peft.LoraConfig``.

        Raises:
            GraphlabError: If ``peft`` is not installed.
        """
        ranks = self.ranks
        most = max(ranks.values())
        others = {name: rank for name, rank in ranks.items() if rank != most}
        return require("peft").LoraConfig(
            r=most,
            lora_alpha=self.scale * most,
            target_modules=sorted(ranks),
            rank_pattern=others,
            alpha_pattern={name: self.scale * rank for name, rank in others.items()},
            inference_mode=True,
        )

    def state_dict(self) -> dict[str, Tensor]:
        """The tensors by the names that PEFT gives them in a file."""
        tensors = {}
        for name in self.lora_A:
            key = f"base_model.model.{name}"
            tensors[f"{key}.lora_A.weight"] = self.lora_A[name].contiguous()
            tensors[f"{key}.lora_B.weight"] = self.lora_B[name].contiguous()
        return tensors

    def save(self, folder: str | Path) -> Path:
        """Write ``adapter_config.json`` and ``adapter_model.safetensors``.

        Raises:
            GraphlabError: If ``peft`` is not installed or the folder cannot be
                written to.
        """
        folder = make_folder(folder)
        settings = self.config().to_dict()
        text = json.dumps(settings, indent=2, sort_keys=True, default=_plain)
        write_text(folder / "adapter_config.json", text)
        save_tensors(self.state_dict(), folder / "adapter_model.safetensors")
        return folder


@torch.no_grad()
def to_peft(
    model: nn.Module, gates: Tensor | Mapping[str, Tensor], prefix: str = ""
) -> PeftAdapter:
    r"""The experts of one user, merged into one ordinary LoRA adapter.

    The adapter's matrices are the experts' matrices side by side, each
    :math:`\mathbf{B}_e` times its gate and scale, as PEFT's
    ``add_weighted_adapter(..., combination_type="cat")`` would have them; experts whose
    gate is 0 are left out. On the frozen model it computes what the experts compute.

    Args:
        model: A model with experts.
        gates: Gates :math:`(E)` of the user, one tensor for all sites or one per site.
        prefix: Put before the names of modules, such as ``"model."`` if the adapter is
            for the causal LM around the decoder that has the experts.

    Raises:
        ArgumentError: If the model has no experts or the gates do not fit.
    """
    downs, ups = {}, {}
    for module, layer in _layers(model).items():
        pieces = []
        for site, (a, b, rows) in layer.parts().items():
            each = gates[site] if isinstance(gates, Mapping) else gates
            check_gates(each.reshape(1, -1), layer.num_experts, f"gates of {site!r}")
            weights = layer.weights_of(each.reshape(1, -1))[0]
            on = weights.nonzero()[:, 0]
            pieces.append((a[on].float(), b[:, on].float() * weights[on], rows))
        downs[prefix + module], ups[prefix + module] = _stack(pieces, layer)
    return PeftAdapter(downs, ups, 1.0)


@torch.no_grad()
def to_peft_adapters(model: nn.Module, prefix: str = "") -> dict[str, PeftAdapter]:
    """Each expert as an adapter: ``"expert_0"``, ..., and ``"shared"`` if there is one.

    Args:
        model: A model with experts.
        prefix: Put before the names of modules, see :func:`to_peft`.

    Raises:
        ArgumentError: If the model has no experts.
    """
    layers = _layers(model)
    first = next(iter(layers.values()))
    scales = [a / r for a, r in zip(first.alphas, first.ranks, strict=True)]
    experts = {f"expert_{e}": (e, scale) for e, scale in enumerate(scales)}
    if first.shared_rank:
        experts["shared"] = (None, first.shared_alpha / first.shared_rank)
    return {
        name: _one_expert(layers, number, scale, prefix)
        for name, (number, scale) in experts.items()
    }


def _one_expert(
    layers: dict[str, LoRAExpertLinear], expert: int | None, scale: float, prefix: str
) -> PeftAdapter:
    downs, ups = {}, {}
    for module, layer in layers.items():
        of = layer.expert_rows(expert)
        pieces = [(a[of].float(), b[:, of].float(), r) for a, b, r in _parts(layer)]
        downs[prefix + module], ups[prefix + module] = _stack(pieces, layer)
    return PeftAdapter(downs, ups, scale)


def _parts(layer: LoRAExpertLinear) -> list:
    return list(layer.parts().values())


def _stack(pieces: list, layer: LoRAExpertLinear) -> tuple[Tensor, Tensor]:
    """One pair of matrices for all slices of a fused projection."""
    down = torch.cat([a for a, _, _ in pieces])
    up = down.new_zeros(layer.out_features, down.size(0))
    at = 0
    for a, b, (start, stop) in pieces:
        up[start:stop, at : at + a.size(0)] = b
        at += a.size(0)
    if not at:  # PEFT knows no rank 0: an adapter that adds nothing
        return down.new_zeros(1, layer.in_features), up.new_zeros(up.size(0), 1)
    return down.cpu(), up.cpu()


def _layers(model: nn.Module) -> dict[str, LoRAExpertLinear]:
    layers = dict(expert_layers(model))
    if not layers:
        raise ArgumentError("model has no LoRA experts: call inject_experts first")
    return layers


def _plain(value: object) -> object:
    """JSON for what LoraConfig holds: sets and enumerations."""
    return sorted(value) if isinstance(value, set) else str(value)
