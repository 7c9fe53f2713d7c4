"""``--model [NAME=]PATH[,KEY=VALUE...]``: classes with their arguments."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphlab.benchmark.imports import resolve
from graphlab.benchmark.selection import toml_value
from graphlab.benchmark.toml_reader import nearest
from graphlab.errors import ArgumentError, RecipeError

_DEPTH = "num_layers"


@dataclass(frozen=True)
class ModelOption:
    """A model as the command line names it.

    Attributes:
        name: What tables and plots call it.
        path: Import path of the class.
        build: The class.
        arguments: Its arguments, as far as they were given.
    """

    name: str
    path: str
    build: Callable
    arguments: Mapping[str, Any]

    def maker(self, channels: Mapping[str, int]) -> Callable[[int], Any]:
        """From a number of layers to the model.

        Raises:
            ArgumentError: The class takes no number of layers, lacks an argument, or
                does not take one that was given.
        """
        arguments = {**channels, **self.arguments}
        signature = inspect.signature(self.build)
        if _DEPTH not in signature.parameters:
            raise ArgumentError(
                f"--model: {self.path}{signature} has no {_DEPTH}, by which it would "
                "be made deeper"
            )
        if _DEPTH in self.arguments:
            raise ArgumentError(f"--model {self.name}: --depths sets {_DEPTH}")
        try:
            signature.bind(**arguments, **{_DEPTH: 1})
        except TypeError as error:
            raise ArgumentError(f"--model: {self.path}{signature}: {error}") from None
        return lambda depth: self.build(**arguments, **{_DEPTH: depth})


def models_of(texts: Sequence[str], shared: Sequence[str]) -> list[ModelOption]:
    """The models of all ``--model`` options; ``--set`` holds for each of them.

    Raises:
        ArgumentError: A text of another form, two models of one name, or no such class.
    """
    common = dict(_assignment(text, "--set") for text in shared)
    models = [_model(text, common) for text in texts]
    names = [model.name for model in models]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ArgumentError(
            f"--model: two are called {twice[0]!r}; name one with NAME=PATH"
        )
    return models


def _model(text: str, common: dict[str, Any]) -> ModelOption:
    head, *rest = (part.strip() for part in text.split(","))
    name, sign, path = head.rpartition("=")
    if not path or (sign and not name):
        raise ArgumentError(f"--model {text!r}: must be [NAME=]PATH[,KEY=VALUE...]")
    own = dict(_assignment(part, f"--model {text!r}") for part in rest)
    path = path if ":" in path else f"graphlab.nn:{path}"
    build = _class_of(path)
    if not name:
        settings = ", ".join(rest)
        name = path.partition(":")[2] + (f" ({settings})" if settings else "")
    return ModelOption(name, path, build, common | own)


def _class_of(path: str) -> Callable:
    if path.startswith("graphlab.nn:"):
        import graphlab.nn

        name = path.partition(":")[2]
        if name not in graphlab.nn.__all__:
            hint = nearest(name, [n for n in graphlab.nn.__all__ if n[0].isupper()])
            other = "one of another package is package.module:Class"
            raise ArgumentError(
                f"--model: graphlab.nn has no {name!r}; {hint} ({other})"
            )
    try:
        build = resolve(path)
    except RecipeError as error:
        raise ArgumentError(f"--model: {error}") from None
    except ImportError as error:
        raise ArgumentError(f"--model: {path}: {error}") from None
    if not callable(build):
        raise ArgumentError(f"--model: {path} cannot be called")
    return build


def _assignment(text: str, where: str) -> tuple[str, Any]:
    key, sign, value = (part.strip() for part in text.partition("="))
    if not sign or not key.isidentifier() or not value:
        hint = "; each model has an option of its own" if "--model" in where else ""
        raise ArgumentError(f"{where}: {text!r} must have the form KEY=VALUE{hint}")
    return key, toml_value(value)
