"""Putting LoRA experts into a language model."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from graphlab.errors import ArgumentError
from graphlab.lora._checkpointing import CarryGates
from graphlab.lora._fused import FUSED, linears, parts_of
from graphlab.lora.expert_linear import LoRAExpertLinear
from graphlab.lora.gate_context import GateContext


def inject_experts(
    model: nn.Module,
    target: str | Sequence[str] = ("q_proj", "v_proj"),
    *,
    num_experts: int = 8,
    rank: int | Sequence[int] = 8,
    alpha: float | Sequence[float] | None = None,
    shared_rank: int = 0,
    shared_alpha: float | None = None,
    dropout: float = 0.0,
    layers: Sequence[int] | None = None,
    dtype: torch.dtype | None = torch.float32,
    generator: torch.Generator | None = None,
) -> GateContext:
    r"""Replace projections of a model by :class:`LoRAExpertLinear`, in place.

    All weights that the model has are frozen. ``target`` names projections by the end
    of their name (``"q_proj"``, ``"self_attn.q_proj"``). The parts of projections that
    a model keeps fused have the names they would have apart: on Phi, ``"q_proj"`` and
    ``"v_proj"`` are rows of ``qkv_proj`` with experts and gates of their own, where
    ``"qkv_proj"`` gives all rows the same; so do ``"gate_proj"`` and ``"up_proj"``
    with ``gate_up_proj``.

    Args:
        model: Any model with linear layers, such as a decoder of ``transformers``.
        target: Names of the projections that get experts. The default is that of the
            `CoPL <https://arxiv.org/abs/2503.01658>`_ code.
        num_experts: Number :math:`E` of experts; ``rank`` as a list takes precedence.
        rank: Rank of each expert, or a list with one rank per expert.
        alpha: Scale of each expert, or a list; twice the rank if not given.
        shared_rank: Rank of the expert that is always on, ``0`` for none.
        shared_alpha: Its scale, twice the rank if not given.
        dropout: Dropout of the experts' input.
        layers: Decoder layers that get experts, negative numbers from the end; all by
            default.
        dtype: Type of the experts' weights, :obj:`None` for that of each projection.
        generator: Source of the initial weights.

    Returns:
        The context in which gates are set; its ``sites`` are the names of what has
        experts now, in the model's order.

    Raises:
        ArgumentError: If a target matches nothing (the message lists what there is),
            is no linear layer or overlaps with another, or the model has experts.

    Example:
        >>> model = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.ReLU())
        >>> context = inject_experts(model, "0", num_experts=2, rank=4)
        >>> with context.use(torch.rand(3, 2)):
        ...     model(torch.randn(3, 8)).shape
        torch.Size([3, 8])
    """
    if any(isinstance(module, LoRAExpertLinear) for module in model.modules()):
        raise ArgumentError("model has LoRA experts already")
    ranks = [rank] * num_experts if isinstance(rank, int) else list(rank)
    alphas = [alpha] * len(ranks) if isinstance(alpha, int | float) else alpha
    target = [target] if isinstance(target, str) else list(target)
    sites = _find(model, target, layers)
    settings = {
        "target": target,
        "rank": ranks,
        "alpha": alphas,
        "shared_rank": shared_rank,
        "shared_alpha": shared_alpha,
        "dropout": dropout,
        "layers": None if layers is None else list(layers),
        "dtype": str(dtype or torch.float32).removeprefix("torch."),
    }
    context = GateContext([site.name for site in sites], len(ranks), settings)
    model.requires_grad_(False)
    for module in dict.fromkeys(site.module for site in sites):
        base = model.get_submodule(module)
        experts = LoRAExpertLinear(
            base,
            ranks,
            alphas,
            shared_rank=shared_rank,
            shared_alpha=shared_alpha,
            dropout=dropout,
            slices={s.name: s.rows for s in sites if s.module == module},
            context=context,
            dtype=dtype or base.weight.dtype,
            generator=generator,
        )
        experts.train(base.training)
        model.set_submodule(module, experts)
    _carry_gates(model, context, sites)
    return context


def expert_layers(model: nn.Module) -> Iterator[tuple[str, LoRAExpertLinear]]:
    """The layers with experts by module name, in the model's order."""
    for name, module in model.named_modules():
        if isinstance(module, LoRAExpertLinear):
            yield name, module


def layer_of(name: str) -> tuple[str, int] | None:
    """Container and number of the decoder layer that a module lies in."""
    found = re.match(r"(.*?)\.?\b(\d+)(\.|$)", name)
    return (found[1], int(found[2])) if found else None


@dataclass(frozen=True)
class _Site:
    name: str
    module: str
    rows: tuple[int, int]


def _find(
    model: nn.Module, targets: Sequence[str], layers: Sequence[int] | None
) -> list[_Site]:
    everything = list(_sites(model, getattr(model, "config", None)))
    for target in targets:
        if not any(_matches(site.name, target) for site in everything):
            raise ArgumentError(_no_match(model, target, everything))
    found = [s for s in everything if any(_matches(s.name, t) for t in targets)]
    if layers is not None:
        found = _in_layers(found, layers)
    _check_overlap(found)
    return found


def _sites(model: nn.Module, config: Any) -> Iterator[_Site]:
    for name, linear in linears(model):
        yield _Site(name, name, (0, linear.out_features))
        if name.rpartition(".")[2] in FUSED:
            for part, rows in parts_of(name, linear, config).items():
                yield _Site(part, name, rows)


def _matches(name: str, target: str) -> bool:
    return name == target or name.endswith(f".{target}")


def _in_layers(sites: list[_Site], layers: Sequence[int]) -> list[_Site]:
    place = {site.name: layer_of(site.name) for site in sites}
    numbers = [where[1] for where in place.values() if where]
    count = max(numbers, default=-1) + 1
    wrong = [number for number in layers if not -count <= number < count]
    if wrong or not list(layers):
        raise ArgumentError(
            f"layers must be numbers of decoder layers with the target, "
            f"-{count}..{count - 1}, got {list(layers)}"
        )
    chosen = {number % count for number in layers}
    return [s for s in sites if place[s.name] and place[s.name][1] in chosen]


def _check_overlap(sites: list[_Site]) -> None:
    by_module: dict[str, list[_Site]] = {}
    for site in sites:
        by_module.setdefault(site.module, []).append(site)
    for module, several in by_module.items():
        if len(several) > 1 and any(site.name == module for site in several):
            names = [site.name.rpartition(".")[2] for site in several]
            raise ArgumentError(
                f"target must name {names[0]} or parts of it, not both; got {names}"
            )


def _no_match(model: nn.Module, target: str, everything: list[_Site]) -> str:
    others = [n for n, _ in model.named_modules() if n and _matches(n, target)]
    if others:
        kind = type(model.get_submodule(others[0])).__name__
        problem = f"is no linear layer but {kind} ({others[0]})"
    else:
        problem = "matches no linear layer"
    names = dict.fromkeys(site.name.rpartition(".")[2] for site in everything)
    return (
        f"target {target!r} {problem}; "
        f"this {type(model).__name__} has: {', '.join(names) or 'none'}"
    )


def _carry_gates(model: nn.Module, context: GateContext, sites: list[_Site]) -> None:
    by_layer: dict[str, list[str]] = {}
    for site in sites:
        where = layer_of(site.module)
        if where:
            name = ".".join(filter(None, [where[0], str(where[1])]))
            by_layer.setdefault(name, []).append(site.name)
    for name, names in by_layer.items():
        hook = CarryGates(context, names)
        model.get_submodule(name).register_forward_pre_hook(hook)
