"""User vectors by id."""

import json
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from graphlab.errors import ArgumentError
from graphlab.lora._files import (
    load_tensors,
    make_folder,
    read_json,
    save_tensors,
    write_text,
)


class UserVectors:
    r"""User vectors by id, so that no row ever stands for somebody else.

    Args:
        vectors: One vector per user.
        ids: Their ids, ``0, 1, ...`` if not given.

    Shapes:
        - **vectors:** :math:`(N, d)`

    Raises:
        ArgumentError: If there are not as many ids as vectors, or one is there twice.

    Example:
        >>> users = UserVectors(torch.eye(2), ids=["ann", "bob"])
        >>> users["bob"]
        tensor([0., 1.])
        >>> users.rows(["bob", "ann"])
        tensor([1, 0])
    """

    def __init__(self, vectors: Tensor, ids: Sequence[Hashable] | None = None):
        if vectors.dim() != 2 or not vectors.is_floating_point():
            raise ArgumentError(
                f"vectors must be floating point [N, d], got {vectors.dtype} "
                f"{list(vectors.shape)}"
            )
        self.vectors = vectors
        self.ids = list(range(len(vectors)) if ids is None else ids)
        self._row = {each: row for row, each in enumerate(self.ids)}
        if len(self.ids) != len(vectors) or len(self._row) != len(vectors):
            raise ArgumentError(
                f"ids must be {len(vectors)} different ones, got {len(self.ids)} "
                f"of which {len(self._row)} differ"
            )

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, user: Hashable) -> Tensor:
        return self.vectors[int(self.rows([user])[0])]

    @property
    def channels(self) -> int:
        """Size of a vector."""
        return self.vectors.size(1)

    def rows(self, ids: Iterable[Hashable]) -> Tensor:
        """Rows of some users.

        Raises:
            ArgumentError: If one is unknown.
        """
        try:
            return torch.tensor([self._row[each] for each in ids], dtype=torch.long)
        except KeyError as error:
            raise ArgumentError(
                f"user {error.args[0]!r} has no vector among the {len(self)} that "
                "there are; adapt it first"
            ) from None

    def save(self, folder: str | Path) -> Path:
        """Write ``user_vectors.safetensors`` and ``user_ids.json``.

        Raises:
            GraphlabError: If ids are neither strings nor whole numbers, or the folder
                cannot be written to.
        """
        wrong = [each for each in self.ids if type(each) not in (int, str)]
        if wrong:
            raise ArgumentError(f"ids must be int or str to be saved, got {wrong[0]!r}")
        folder = make_folder(folder)
        save_tensors({"vectors": self.vectors}, folder / "user_vectors.safetensors")
        write_text(folder / "user_ids.json", json.dumps({"ids": self.ids}))
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> "UserVectors":
        """Read what :meth:`save` has written.

        Raises:
            GraphlabError: If a file is missing or damaged.
        """
        folder = Path(folder)
        vectors = load_tensors(folder / "user_vectors.safetensors")["vectors"]
        return cls(vectors, read_json(folder / "user_ids.json")["ids"])
