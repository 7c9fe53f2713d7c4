"""Graph learning methods as a PyTorch Geometric extension.

Sub-packages are imported on first use, so that ``import graphlab`` (and with it
``graphlab --help``) does not pay for importing torch.
"""

from importlib import import_module
from types import ModuleType

__version__ = "0.1.0"

_SUBPACKAGES = (
    "analysis",
    "benchmark",
    "datasets",
    "lora",
    "nn",
    "ops",
    "preference",
    "training",
    "transforms",
)

__all__ = ["__version__", *_SUBPACKAGES]


def __getattr__(name: str) -> ModuleType:
    if name in _SUBPACKAGES:
        return import_module(f"graphlab.{name}")
    raise AttributeError(f"module 'graphlab' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_SUBPACKAGES])
