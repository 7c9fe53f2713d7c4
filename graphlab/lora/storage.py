"""Reward models in folders: JSON for settings, safetensors for weights."""

import json
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from graphlab.errors import ArgumentError, GraphlabError
from graphlab.lora._decoder import decoder_layers
from graphlab.lora._files import (
    load_tensors,
    make_folder,
    read_json,
    save_tensors,
    write_text,
)
from graphlab.lora.backbones import load_backbone, save_backbone
from graphlab.lora.inject import inject_experts
from graphlab.lora.reward_model import RewardModel
from graphlab.lora.table_router import TableRouter
from graphlab.lora.user_router import UserRouter

SETTINGS, WEIGHTS = "graphlab_reward.json", "model.safetensors"
FORMAT = 1
_ROUTERS = {"UserRouter": UserRouter, "TableRouter": TableRouter}


def save_reward_model(model: RewardModel, folder: str | Path, whole: bool) -> Path:
    """See :meth:`RewardModel.save_pretrained`."""
    folder = make_folder(folder)
    if whole:
        save_backbone(model.backbone, folder / "backbone")
    save_tensors(model.trained_state(), folder / WEIGHTS)
    write_text(folder / SETTINGS, json.dumps(_settings(model), indent=2))
    return folder


def load_reward_model(folder: str | Path, backbone: nn.Module | None) -> RewardModel:
    """See :meth:`RewardModel.from_pretrained`."""
    folder = Path(folder)
    settings = read_json(folder / SETTINGS)
    if settings.get("format") != FORMAT:
        raise GraphlabError(
            f"{folder / SETTINGS} has format {settings.get('format')!r}; this version "
            f"of graphlab reads format {FORMAT}"
        )
    state = load_tensors(folder / WEIGHTS)
    if backbone is None:
        backbone = _find_backbone(folder, settings["backbone"])
    _check_same(backbone, settings["backbone_sample"], folder)
    model = _build(backbone, settings, state)
    missing, unexpected = model.load_state_dict(state, strict=False)
    missing = [name for name in missing if name in model.trained_state()]
    if missing or unexpected:
        raise GraphlabError(
            f"{folder / WEIGHTS} does not fit its settings; "
            f"missing: {missing[:3]}, unexpected: {unexpected[:3]}"
        )
    return model.eval()


def _settings(model: RewardModel) -> dict[str, Any]:
    router = model.router
    return {
        "format": FORMAT,
        "backbone": getattr(model.backbone.config, "_name_or_path", "") or None,
        "backbone_sample": _sample(model.backbone),
        "experts": None if model.context is None else model.context.settings,
        "router": router
        and {"kind": type(router).__name__, "settings": router.settings()},
        "head": model.head_kind,
        "user_channels": model.user_channels,
        "balance_weight": model.balance_weight,
    }


def _build(
    backbone: nn.Module, settings: dict[str, Any], state: dict[str, Tensor]
) -> RewardModel:
    context, router = None, None
    if settings["experts"]:
        experts = dict(settings["experts"])
        dtype = getattr(torch, experts.pop("dtype"))
        context = inject_experts(backbone, dtype=dtype, **experts)
    if settings["router"]:
        kind = _ROUTERS[settings["router"]["kind"]]
        router = kind(sites=context.sites, **settings["router"]["settings"])
    return RewardModel(
        backbone,
        context,
        router,
        head=settings["head"],
        user_channels=settings["user_channels"],
        user_table=state.get("user_table"),
        balance_weight=settings["balance_weight"],
    )


def _find_backbone(folder: Path, source: str | None) -> nn.Module:
    if (folder / "backbone").is_dir():
        return load_backbone(folder / "backbone")
    if source:
        return load_backbone(source)
    raise ArgumentError(
        f"{folder} holds no backbone and does not say where it came from: pass "
        "backbone=, or save with save_backbone=True"
    )


@torch.no_grad()
def _sample(backbone: nn.Module) -> list[str]:
    """A few weights of each layer, by which another backbone is noticed."""
    some = []
    for layer in decoder_layers(backbone):
        frozen = [p for name, p in layer.named_parameters() if "lora_" not in name]
        largest = max(frozen, key=lambda p: p.numel()).flatten()
        taken = largest[:: max(1, largest.numel() // 8)][:8].tolist()
        some.append(" ".join(f"{each:.6g}" for each in taken))
    return some


def _check_same(backbone: nn.Module, expected: list[str], folder: Path) -> None:
    one, other = ([row.split() for row in r] for r in (_sample(backbone), expected))
    shapes = [[len(row) for row in rows] for rows in (one, other)]
    # As close as bfloat16 is to float32: a backbone may be loaded in another type.
    if shapes[0] != shapes[1] or not all(
        math.isclose(float(a), float(b), rel_tol=1e-2, abs_tol=1e-6)
        for row, wanted in zip(one, other, strict=True)
        for a, b in zip(row, wanted, strict=True)
    ):
        raise ArgumentError(
            f"backbone must be the one that {folder} was trained on: its weights differ"
        )
