"""The weight matrices of a module, as they are used."""

from torch import Tensor, nn
from torch.nn.utils import parametrize


def weight_matrices(module: nn.Module) -> dict[str, Tensor]:
    """The matrices in a module by name, after any parametrization, in their order."""
    found = {}
    for name, part in module.named_modules():
        if isinstance(part, parametrize.ParametrizationList):
            continue
        own = dict(part.named_parameters(recurse=False))
        if parametrize.is_parametrized(part):
            own |= {key: getattr(part, key) for key in part.parametrizations}
        prefix = f"{name}." if name else ""
        found |= {prefix + k: weight for k, weight in own.items() if weight.dim() == 2}
    return found
