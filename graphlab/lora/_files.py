"""Files of this package: safetensors and JSON, written whole or not at all."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor

from graphlab.errors import GraphlabError
from graphlab.files import replace_file
from graphlab.lora._extra import require


def make_folder(folder: str | Path) -> Path:
    """Create a folder.

    Raises:
        GraphlabError: If that is not possible.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return folder


def save_tensors(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write a safetensors file."""
    save_file = require("safetensors.torch").save_file
    kept = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    _write(path, lambda file: save_file(kept, file, metadata={"format": "pt"}))


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file.

    Raises:
        GraphlabError: If it is missing or damaged.
    """
    safetensors = require("safetensors")
    load_file = require("safetensors.torch").load_file
    try:
        return load_file(path)
    except (OSError, safetensors.SafetensorError) as error:
        raise GraphlabError(f"cannot read {path}: {error}") from error


def write_text(path: Path, text: str) -> None:
    """Write a text file."""
    _write(path, lambda file: file.write_text(text + "\n", encoding="utf-8"))


def read_json(path: Path) -> dict:
    """Read a JSON file.

    Raises:
        GraphlabError: If it is missing or no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GraphlabError(f"cannot read {path}: {error}") from error


def _write(path: Path, write: Callable[[Path], object]) -> None:
    try:
        replace_file(path, write)
    except OSError as error:
        raise _unwritable(path.parent, error) from error


def _unwritable(folder: Path, error: OSError) -> GraphlabError:
    return GraphlabError(f"cannot write to {folder} ({error.strerror or error})")
