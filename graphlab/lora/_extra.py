"""Packages of the extra ``lm``, imported where they are needed and not before."""

from importlib import import_module
from types import ModuleType

from graphlab.errors import GraphlabError


def require(package: str) -> ModuleType:
    """Import a package of the extra ``lm``.

    Raises:
        GraphlabError: If it is not installed.
    """
    top = package.partition(".")[0]
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != top:  # something that it needs
            raise
        raise GraphlabError(
            f"graphlab.lora needs {top} here, which is not installed: "
            "pip install 'graphlab-pyg[lm]'"
        ) from None
