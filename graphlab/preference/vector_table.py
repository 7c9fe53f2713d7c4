"""Vectors by id: what one stage keeps for the next."""

import json
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphlab.errors import ArgumentError
from graphlab.files import replace_file
from graphlab.preference.ids import IdMap

PLAIN = (str, bool, int, float)


class VectorTable:
    """A vector, and perhaps a bias, for each id.

    Args:
        ids: The ids, of any hashable type.
        vectors: A row for each.
        bias: A number for each, or :obj:`None`.
        name: What the ids are of, for error messages.

    Raises:
        ArgumentError: If the numbers of ids and rows differ.

    Example:
        >>> table = VectorTable(["ann", "bob"], torch.eye(2))
        >>> table[["bob"]]
        tensor([[0., 1.]])
    """

    def __init__(
        self,
        ids: Iterable[Hashable],
        vectors: Tensor,
        bias: Tensor | None = None,
        name: str = "user",
    ):
        self.ids = ids if isinstance(ids, IdMap) else IdMap(ids, name)
        self.vectors, self.bias = vectors, bias
        for what, tensor in (("vectors", vectors), ("bias", bias)):
            if tensor is not None and len(tensor) != len(self.ids):
                raise ArgumentError(
                    f"{what} must have a row for each of the {len(self.ids):,} ids, "
                    f"got {len(tensor):,}"
                )

    def __getitem__(self, ids: Iterable[Hashable]) -> Tensor:
        """The vectors of a list of ids, all of which must be known."""
        rows = self.ids.rows(ids, "the table")
        return self.vectors[rows.to(self.vectors.device)]

    def __len__(self) -> int:
        return len(self.ids)

    def save(self, path: str | Path) -> None:
        """Write a ``.npz`` or ``.safetensors`` file; never half of one, no pickle.

        Args:
            path: The file. Ids must be numbers, strings, or tuples of these.

        Raises:
            ArgumentError: If an id is of another type or the suffix is unknown.
        """
        path = Path(path)
        arrays = {"vectors": self.vectors.detach().cpu().contiguous().numpy()}
        if self.bias is not None:
            arrays["bias"] = self.bias.detach().cpu().contiguous().numpy()
        ids = json.dumps([encode_id(one) for one in self.ids.ids])
        writer = _writer(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        texts = {"ids": ids, "name": self.ids.name}
        replace_file(path, lambda file: writer(str(file), arrays, texts))

    @classmethod
    def load(cls, path: str | Path) -> "VectorTable":
        """Read what :meth:`save` wrote.

        Raises:
            ArgumentError: If the file is none of those.
        """
        path = Path(path)
        _writer(path)  # knows the suffixes
        try:
            arrays, texts = _READERS[path.suffix](path)
            ids = [decode_id(one) for one in json.loads(texts["ids"])]
            tensors = {key: torch.from_numpy(a.copy()) for key, a in arrays.items()}
        except (OSError, KeyError, ValueError) as error:
            raise ArgumentError(
                f"path: {path} is no table of vectors: {error}"
            ) from error
        return cls(ids, tensors["vectors"], tensors.get("bias"), texts["name"])

    def __repr__(self) -> str:
        size = tuple(self.vectors.shape)
        return f"{type(self).__name__}({len(self):,} {self.ids.name} ids, {size})"


def encode_id(one: Any) -> Any:
    """An id as JSON has it: tuples become lists.

    Raises:
        ArgumentError: It is no number, string, or tuple of these.
    """
    one = one.item() if isinstance(one, np.generic) else one
    if isinstance(one, tuple):
        return [encode_id(part) for part in one]
    if type(one) in PLAIN:
        return one
    raise ArgumentError(
        "ids must be numbers, strings, or tuples of these to be saved, got "
        f"{type(one).__name__} {one!r}"
    )


def decode_id(one: Any) -> Hashable:
    """The id that :func:`encode_id` was given."""
    return tuple(map(decode_id, one)) if isinstance(one, list) else one


def _writer(path: Path):
    if path.suffix not in _WRITERS:
        raise ArgumentError(
            f"path must end in {' or '.join(_WRITERS)}, got {path.name}"
        )
    return _WRITERS[path.suffix]


def _write_npz(name: str, arrays: dict, texts: dict) -> None:
    as_bytes = {
        f"{key}_utf8": np.frombuffer(text.encode(), dtype=np.uint8)
        for key, text in texts.items()
    }
    np.savez(name, **arrays, **as_bytes)


def _read_npz(path: Path) -> tuple[dict, dict]:
    with np.load(path, allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    texts = {
        key.removesuffix("_utf8"): arrays.pop(key).tobytes().decode()
        for key in list(arrays)
        if key.endswith("_utf8")
    }
    return arrays, texts


def _safetensors():
    try:
        import safetensors
        import safetensors.numpy
    except ImportError as error:
        raise ArgumentError(
            "path: .safetensors files need the package safetensors: pip install "
            "graphlab-pyg[lm]; or end the name in .npz"
        ) from error
    return safetensors


def _write_safetensors(name: str, arrays: dict, texts: dict) -> None:
    _safetensors().numpy.save_file(arrays, name, metadata=texts)


def _read_safetensors(path: Path) -> tuple[dict, dict]:
    module = _safetensors()
    try:
        with module.safe_open(path, framework="numpy") as file:
            arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            return arrays, file.metadata() or {}
    except module.SafetensorError as error:
        raise ValueError(str(error)) from error


_WRITERS = {".npz": _write_npz, ".safetensors": _write_safetensors}
_READERS = {".npz": _read_npz, ".safetensors": _read_safetensors}
