"""Ordinary PEFT adapters as the experts of a model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from graphlab.errors import ArgumentError, GraphlabError
from graphlab.lora._files import load_tensors, read_json
from graphlab.lora.gate_context import GateContext
from graphlab.lora.inject import expert_layers, inject_experts

#: What an adapter may not have: it would compute something else than B A x.
_OTHER = ("use_dora", "rank_pattern", "alpha_pattern", "fan_in_fan_out")


def load_peft_experts(
    model: nn.Module, adapters: Mapping[str, str | Path], **settings: Any
) -> GateContext:
    """Give a model experts out of LoRA adapters that PEFT has saved, in place.

    Such as the two of Phi-4-Multimodal, to be gated by :class:`ModalityRouter`: both
    modes in one batch, where PEFT has one adapter on per call.

    Args:
        model: The model that the adapters are for, or its decoder.
        adapters: Folder of each expert by a name, in the order of the gates. Experts
            may have different ranks. A projection that an adapter leaves out gets an
            expert that adds nothing.
        **settings: ``dropout`` and ``dtype`` of :func:`inject_experts`.

    Returns:
        The context in which gates are set.

    Raises:
        GraphlabError: If a file is missing or damaged, or ``safetensors`` is not
            installed.
        ArgumentError: If an adapter is no plain LoRA, or not for this model.
    """
    read = {name: _Adapter(Path(folder)) for name, folder in adapters.items()}
    modules = {name for name, _ in model.named_modules()}
    for adapter in read.values():
        adapter.rename(modules)
    targets = {module for adapter in read.values() for module in adapter.down}
    context = inject_experts(
        model,
        [name for name in _in_order(model) if name in targets],
        rank=[adapter.rank for adapter in read.values()],
        alpha=[adapter.scale * adapter.rank for adapter in read.values()],
        **settings,
    )
    with torch.no_grad():
        for module, layer in expert_layers(model):
            for expert, adapter in enumerate(read.values()):
                if module in adapter.down:
                    rows = layer.expert_rows(expert)
                    layer.lora_A[rows] = adapter.down[module].to(layer.lora_A)
                    layer.lora_B[:, rows] = adapter.up[module].to(layer.lora_B)
    return context


class _Adapter:
    """The matrices of a folder by module."""

    def __init__(self, folder: Path):
        self.folder = folder
        config = read_json(folder / "adapter_config.json")
        wrong = [name for name in _OTHER if config.get(name)]
        wrong += ["bias"] * (config.get("bias", "none") != "none")
        if config.get("peft_type") != "LORA" or wrong:
            raise ArgumentError(
                f"{folder} must hold a plain LoRA of one rank, got "
                f"{config.get('peft_type')} with {wrong or 'other settings'}"
            )
        self.rank = config["r"]
        root = self.rank**0.5 if config.get("use_rslora") else self.rank
        self.scale = config["lora_alpha"] / root
        self.down, self.up = self._matrices()

    def _matrices(self) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        tensors = load_tensors(self.folder / "adapter_model.safetensors")
        found: dict[str, dict[str, Tensor]] = {
            ".lora_A.weight": {},
            ".lora_B.weight": {},
        }
        for key, tensor in tensors.items():
            for ending, matrices in found.items():
                if key.endswith(ending):
                    name = key.removesuffix(ending)
                    matrices[name.removeprefix("base_model.model.")] = tensor
        down, up = found.values()
        if not down or down.keys() != up.keys() or len(tensors) != 2 * len(down):
            raise GraphlabError(
                f"{self.folder} does not hold pairs of matrices A and B"
            )
        return down, up

    def rename(self, modules: set[str]) -> None:
        """Names in the model at hand, which may be the decoder of the adapter's."""
        names = {name: _known(name, modules) for name in self.down}
        missing = [name for name, known in names.items() if known is None]
        if missing:
            raise ArgumentError(
                f"{self.folder} is for another model: this one has no {missing[0]}"
            )
        self.down = {names[name]: each for name, each in self.down.items()}
        self.up = {names[name]: each for name, each in self.up.items()}


def _known(name: str, modules: set[str]) -> str | None:
    while name and name not in modules:
        name = name.partition(".")[2]
    return name or None


def _in_order(model: nn.Module) -> list[str]:
    return [name for name, _ in model.named_modules()]
