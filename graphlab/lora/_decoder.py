"""Running only the upper part of a decoder, or only the lower one."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from graphlab.errors import ArgumentError
from graphlab.lora.expert_linear import LoRAExpertLinear
from graphlab.lora.inject import expert_layers, layer_of


def decoder_layers(backbone: nn.Module) -> nn.ModuleList:
    """The list of a decoder's layers: the longest of the outermost lists of modules.

    Raises:
        ArgumentError: If it has none.
    """
    lists = {n: m for n, m in backbone.named_modules() if isinstance(m, nn.ModuleList)}
    if not lists:
        raise ArgumentError(f"{type(backbone).__name__} has no list of decoder layers")
    # Layers may hold lists themselves, such as the experts of a sparse MLP.
    return lists[min(lists, key=lambda name: (name.count("."), -len(lists[name])))]


def first_expert_layer(backbone: nn.Module) -> int:
    """Number of layers below the first one with experts; all if none has any."""
    numbers = [layer_of(name) for name, _ in expert_layers(backbone)]
    if not numbers:
        return len(decoder_layers(backbone))
    return min(where[1] if where else 0 for where in numbers)


@contextmanager
def lower_part(backbone: nn.Module, depth: int) -> Iterator[list[Tensor]]:
    """Calls inside stop computing after ``depth`` layers.

    The list that is handed out receives the hidden states after these layers.
    """
    layers, states = decoder_layers(backbone), []

    def take(_layer: nn.Module, _args: tuple, output: object) -> None:
        if not isinstance(output, Tensor):
            kind = type(backbone).__name__
            raise ArgumentError(f"layers of {kind} give no tensor: no prefix cache")
        states.append(output)

    def skip(hidden_states: Tensor, *_args: object, **_kwargs: object) -> Tensor:
        return hidden_states

    hook = layers[depth - 1].register_forward_hook(take)
    try:
        with _replaced(layers[depth:], skip):
            yield states
    finally:
        hook.remove()


@contextmanager
def upper_part(backbone: nn.Module, depth: int, states: Tensor) -> Iterator[None]:
    """Calls inside start with ``states`` after the first ``depth`` layers.

    The layers stay where they are, since models look at their numbers and kinds.
    """
    layers = decoder_layers(backbone)
    checkpointed = [getattr(m, "gradient_checkpointing", False) for m in layers[depth:]]
    if any(checkpointed) and torch.is_grad_enabled():
        # The reentrant kind gives no gradient to a layer whose input wants none.
        states = states.detach().requires_grad_()

    def start(*_args: object, **_kwargs: object) -> Tensor:
        return states

    with _replaced(layers[:depth], start):
        yield


@contextmanager
def mlp_at(backbone: nn.Module, last: Tensor) -> Iterator[None]:
    """Calls inside compute the last layer's MLP at one position of each sequence.

    States at other positions are then not to be looked at. With the lower layers'
    states at hand this MLP is most of the work, and all of it but one position is for
    nothing. Where positions could depend on each other or are run again later, all are
    computed.
    """
    layer = decoder_layers(backbone)[-1]
    mlp = getattr(layer, "mlp", None)
    if mlp is None or "forward" in vars(mlp) or not _by_position(layer, mlp):
        yield
        return
    compute = mlp.forward

    def forward(x: Tensor) -> Tensor:
        rows = torch.arange(len(last), device=x.device)
        out = compute(x[rows, last].unsqueeze(1)).squeeze(1)
        zeros = out.new_zeros(*x.shape[:2], out.size(-1))
        return zeros.index_put((rows, last), out)

    mlp.forward = forward
    try:
        yield
    finally:
        del mlp.forward


def _by_position(layer: nn.Module, mlp: nn.Module) -> bool:
    """Whether an MLP is a plain one, without experts, and is run once."""
    kinds = [type(module) for module in mlp.modules()]
    routed = any(issubclass(kind, nn.ModuleList | LoRAExpertLinear) for kind in kinds)
    again = getattr(layer, "gradient_checkpointing", False) and layer.training
    return not routed and not again


@contextmanager
def _replaced(layers: nn.ModuleList, forward: object) -> Iterator[None]:
    for layer in layers:
        layer.forward = forward
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward


@torch.no_grad()
def fingerprint(backbone: nn.Module, depth: int) -> str:
    """Tells backbones apart whose first ``depth`` layers differ.

    A digest of the settings and of a few weights of each matrix there.
    """
    digest = hashlib.blake2b(digest_size=16)
    config = getattr(backbone, "config", None)
    settings = {} if config is None else config.to_dict()
    ignored = ("_name_or_path", "transformers_version", "use_cache", "dtype")
    kept = {key: settings[key] for key in settings if key not in ignored}
    digest.update(json.dumps(kept, sort_keys=True, default=str).encode())
    for name, parameter in sorted(backbone.named_parameters()):
        where = layer_of(name)
        if "lora_" not in name and (where is None or where[1] < depth):
            digest.update(f"{name.replace('.base.', '.')} {parameter.dtype}".encode())
            flat = parameter.detach().flatten()
            some = flat[:: max(1, flat.numel() // 64)]
            digest.update(some.double().cpu().numpy().tobytes())
    return digest.hexdigest()
