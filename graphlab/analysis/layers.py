"""Finding the layers of a model, and watching what goes through them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn
from torch_geometric.nn import MessagePassing

from graphlab.errors import ArgumentError

Layers = Sequence[str] | Callable[[str, nn.Module], bool] | None
At = Literal["input", "output"]
LISTS = ("convs", "blocks", "layers")


def find_layers(model: nn.Module, layers: Layers = None) -> dict[str, nn.Module]:
    """The layers of a model by name, in the order in which they are registered.

    Args:
        model: Any module.
        layers: Names as in ``model.named_modules()``; or a function of name and module
            that says whether it is a layer. By default the members of each
            :class:`torch.nn.ModuleList` called ``convs``, ``blocks`` or ``layers``; if
            there is none, modules that pass messages (PyG's ``MessagePassing``, and
            classes called ``...Conv``). What lies inside of a layer is not one.

    Raises:
        ArgumentError: If nothing is found, or a name does not exist.

    Example:
        >>> from torch_geometric.nn import GCN
        >>> list(find_layers(GCN(16, 64, num_layers=3)))
        ['convs.0', 'convs.1', 'convs.2']
    """
    modules = dict(model.named_modules())
    if layers is None:
        found = _outermost(n for n in modules if _listed(n, modules))
        found = found or _outermost(n for n, m in modules.items() if _passes(n, m))
    elif callable(layers):
        found = [name for name, module in modules.items() if layers(name, module)]
    else:
        found = [layers] if isinstance(layers, str) else list(layers)
    unknown = [name for name in found if name not in modules]
    if unknown or not found:
        known = ", ".join(name for name in modules if name)
        problem = f"no module {unknown[0]!r}" if unknown else "no layers found"
        raise ArgumentError(
            f"layers: {problem} in {type(model).__name__}; accepted are names out of "
            f"{known or 'none: it has no parts'}"
        )
    return {name: modules[name] for name in found}


def _listed(name: str, modules: dict[str, nn.Module]) -> bool:
    parent, _, _ = name.rpartition(".")
    is_list = isinstance(modules[parent], nn.ModuleList) if parent else False
    return is_list and parent.rpartition(".")[2] in LISTS


def _passes(name: str, module: nn.Module) -> bool:
    conv = isinstance(module, MessagePassing) or type(module).__name__.endswith("Conv")
    return bool(name) and conv


def _outermost(names: Iterator[str]) -> list[str]:
    found: list[str] = []
    for name in names:  # named_modules() comes to a module before its parts
        if not any(name.startswith(f"{outer}.") for outer in found):
            found.append(name)
    return found


@contextmanager
def watched(
    layers: dict[str, nn.Module], at: At, seen: Callable[[str, Tensor], None]
) -> Iterator[None]:
    """Call ``seen(name, state)`` for each call of a layer inside the block."""
    if at not in ("input", "output"):
        raise ArgumentError(f"at must be 'input' or 'output', got {at!r}")
    handles = []
    try:
        for name, layer in layers.items():
            handles.append(_watch(layer, name, at, seen))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _watch(layer: nn.Module, name: str, at: At, seen: Callable):
    def before(module, args, kwargs):
        named = [kwargs["x"]] if "x" in kwargs else []
        seen(name, _first_tensor([*named, *args, *kwargs.values()], name))

    def after(module, args, kwargs, output):
        seen(name, _first_tensor([output], name))

    if at == "input":
        return layer.register_forward_pre_hook(before, with_kwargs=True)
    return layer.register_forward_hook(after, with_kwargs=True)


def _first_tensor(values: list, name: str) -> Tensor:
    for value in values:
        if isinstance(value, tuple | list) and value:
            value = value[0]
        if isinstance(value, Tensor) and value.is_floating_point():
            return value
    raise ArgumentError(f"layers: {name} takes or gives no floating point tensor")


@contextmanager
def measuring(model: nn.Module) -> Iterator[None]:
    """Dropout off, graph statistics in batch normalization; all as before afterwards.

    Before training, running statistics say nothing about the features: with them batch
    normalization would not normalize. They are not updated.
    """
    modes = {module: module.training for module in model.modules()}
    norms = [m for m in modes if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    buffers = [buffer for norm in norms for buffer in norm.buffers()]
    kept = [buffer.clone() for buffer in buffers]
    devices = {p.device for p in model.parameters() if p.device.type == "cuda"}
    try:
        model.eval()
        for norm in norms:
            norm.train()
        with torch.random.fork_rng(devices=list(devices)):
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode
        with torch.no_grad():
            for buffer, value in zip(buffers, kept, strict=True):
                buffer.copy_(value)
