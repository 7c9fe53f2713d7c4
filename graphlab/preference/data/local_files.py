"""Files that a user has brought: where they are, what they should be."""

import hashlib
import os
from pathlib import Path

import pandas as pd

from graphlab.errors import ArgumentError, DatasetError
from graphlab.preference.tables import read_table

SUFFIXES = (".parquet", ".jsonl", ".json", ".csv")


def find_folder(name: str, data_root: str | Path | None, hint: str) -> Path:
    """The folder ``preferences/<name>`` of the data root.

    Args:
        name: Name of the folder.
        data_root: The data root; else the environment's ``GRAPHLAB_DATA``.
        hint: What to do where it is absent.

    Raises:
        DatasetError: If it is absent.
    """
    given = data_root if data_root is not None else os.environ.get("GRAPHLAB_DATA")
    if not given:
        raise DatasetError(
            f"{name}: give data_root or set GRAPHLAB_DATA to a folder with "
            f"preferences/{name}/\n{hint}"
        )
    folder = Path(given).expanduser() / "preferences" / name
    if not folder.is_dir():
        raise DatasetError(f"{name}: {folder} is not there\n{hint}")
    return folder


def read_verified(path: Path, digest: str, hint: str) -> pd.DataFrame:
    """A table whose file has a known SHA-256.

    Raises:
        DatasetError: If it is absent, another version, or cannot be read.
    """
    if not path.is_file():
        raise DatasetError(f"{path} is not there\n{hint}")
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != digest:
        raise DatasetError(
            f"{path} is corrupt or another version\nexpected sha256 {digest}, found "
            f"{found}"
        )
    return read_file(path)


def read_part(folder: Path, columns: tuple[str, ...], hint: str) -> pd.DataFrame:
    """All tables of a folder as one.

    Raises:
        DatasetError: If there is none or one lacks a column.
    """
    files = sorted(p for p in folder.glob("*") if p.suffix in SUFFIXES)
    if not files:
        raise DatasetError(f"{folder} has no {', '.join(SUFFIXES)} file\n{hint}")
    parts = [read_file(file, columns) for file in files]
    return pd.concat([part[list(columns)] for part in parts], ignore_index=True)


def read_file(path: Path, columns: tuple[str, ...] = ()) -> pd.DataFrame:
    """A table, with errors that name the file."""
    try:
        return read_table(path, columns)
    except ArgumentError as error:
        text = str(error).removeprefix("table: ")
        raise DatasetError(text if str(path) in text else f"{path}: {text}") from error
