"""Between ids of any hashable type and the rows of a table."""

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from graphlab.errors import ArgumentError

SHOWN = 5  # ids that an error names


class IdMap:
    """Ids in the order of the rows of a table.

    Two ids are the same if Python finds them equal: ``1`` and ``np.int64(1)`` are,
    ``1`` and ``"1"`` are not.

    Args:
        ids: The ids: a list, array, tensor, or pandas column of hashable values.
        name: What the ids are of, for error messages.

    Raises:
        ArgumentError: If an id is there twice, missing (None, NaN) or not hashable.

    Example:
        >>> people = IdMap(["ann", ("bob", 2), 7], name="user")
        >>> people.rows([7, "ann"])
        tensor([2, 0])
    """

    def __init__(self, ids: "Iterable[Hashable] | IdMap", name: str = "id"):
        self.name = name
        self.index = as_index(name, ids)
        if not self.index.is_unique:
            twice = self.index[self.index.duplicated()].unique()
            raise ArgumentError(f"{name} ids must differ, but {_named(twice)} repeated")

    @property
    def ids(self) -> list[Hashable]:
        """The ids in the order of the rows, as Python objects."""
        return self.index.tolist()

    def find(self, ids: Iterable[Hashable]) -> Tensor:
        """The rows of ids; -1 for those that are not known."""
        wanted = as_index(self.name, ids)
        return torch.from_numpy(self.index.get_indexer(wanted).astype(np.int64))

    def rows(self, ids: Iterable[Hashable], where: str = "the graph") -> Tensor:
        """The rows of ids, all of which must be known.

        Raises:
            ArgumentError: If some are not; the message names them.
        """
        wanted = as_index(self.name, ids)
        rows = self.index.get_indexer(wanted)
        if (rows < 0).any():
            unknown = wanted[rows < 0].unique()
            raise ArgumentError(
                f"{self.name} must be one of the {len(self):,} known to {where}, but "
                f"{_named(unknown)} not"
            )
        return torch.from_numpy(rows.astype(np.int64))

    def __len__(self) -> int:
        return len(self.index)

    def __contains__(self, one: Hashable) -> bool:
        return bool(self.find([one])[0] >= 0)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, IdMap) and self.ids == other.ids

    __hash__ = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self):,} {self.name} ids)"


def as_index(name: str, values: Any) -> pd.Index:
    """A pandas index of ids, in which a tuple is one id.

    Raises:
        ArgumentError: If it is not a list of ids, or one is missing or not hashable.
    """
    if isinstance(values, IdMap):
        return values.index
    if isinstance(values, Tensor):
        values = values.detach().cpu().numpy()
    if isinstance(values, pd.Series):
        values = values.array
    if not isinstance(values, np.ndarray | pd.Index | pd.api.extensions.ExtensionArray):
        values = _objects(name, values)
    if getattr(values, "ndim", 1) != 1:
        raise ArgumentError(
            f"{name} must be a list of ids, got shape {tuple(values.shape)}"
        )
    index = pd.Index(values, tupleize_cols=False).infer_objects()
    if index.hasnans:
        place = int(index.isna().argmax())
        raise ArgumentError(f"{name} ids must not be missing, but entry {place} is")
    _check_hashable(name, index)
    return index


def factorize(name: str, values: Any) -> tuple[np.ndarray, pd.Index]:
    """A number for each entry, and the different ids in order of appearance."""
    codes, uniques = pd.factorize(as_index(name, values))
    return codes.astype(np.int64), uniques


def _objects(name: str, values: Any) -> np.ndarray:
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise ArgumentError(f"{name} must be a list of ids, got {values!r}")
    values = list(values)
    return np.fromiter(values, dtype=object, count=len(values))


def _check_hashable(name: str, index: pd.Index) -> None:
    if index.dtype != object:
        return
    try:
        pd.factorize(index)
    except TypeError:
        found = next(x for x in index if not isinstance(x, Hashable) or not _hashes(x))
        raise ArgumentError(
            f"{name} ids must be hashable, got {type(found).__name__} {found!r}"
        ) from None


def _hashes(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _named(ids: pd.Index) -> str:
    shown = ", ".join(map(repr, ids[:SHOWN].tolist()))
    more = f" and {len(ids) - SHOWN:,} more" if len(ids) > SHOWN else ""
    return f"{shown}{more} {'is' if len(ids) == 1 else 'are'}"
