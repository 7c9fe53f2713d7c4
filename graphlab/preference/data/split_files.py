"""A split as files: tables by id that any language reads, and checksums of them."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from graphlab.errors import StoreError
from graphlab.files import replace_file
from graphlab.preference.data.split import COLUMNS, PreferenceSplit
from graphlab.preference.vector_table import decode_id, encode_id

FORMAT = 1
TABLES = tuple(f.name for f in fields(PreferenceSplit))[:7]
IDS = ("users", "unseen_users", "responses")
_INDEX = "split.json"


def save_split(split: PreferenceSplit, folder: str | Path) -> str:
    """Write a split: a JSON-lines file a table, ``ids.json``, ``texts.jsonl``.

    ``split.json`` with the checksums of the others is written last: without it the
    folder is no split.

    Args:
        split: The split; its ids must be numbers, strings, or tuples of these.
        folder: Created if need be.

    Returns:
        The checksum of the whole split.

    Raises:
        ArgumentError: An id is of another type.
        StoreError: The folder cannot be written to.
    """
    folder, digests = Path(folder), {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _INDEX).unlink(missing_ok=True)
        for name, text in _texts(split):
            digests[name] = _write(folder / name, text)
        checksum = _total(digests)
        content = {"format": FORMAT, "checksum": checksum, "sha256": digests}
        _write(folder / _INDEX, json.dumps(content, indent=1) + "\n")
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(f"{folder}: cannot be written: {reason}") from None
    return checksum


def split_checksum(split: PreferenceSplit) -> str:
    """The checksum that :func:`save_split` would give."""
    return _total({name: _digest(text.encode()) for name, text in _texts(split)})


def load_split_files(folder: str | Path) -> PreferenceSplit:
    """Read what :func:`save_split` wrote.

    Raises:
        StoreError: There is no split, or a file is not as it was written.
    """
    folder = Path(folder)
    found = read_checked(folder)
    columns = [*COLUMNS, "controversial"]
    tables = {name: _table(found[f"{name}.jsonl"], columns) for name in TABLES}
    for table in tables.values():
        table["controversial"] = table["controversial"].astype(bool)
    ids = json.loads(found["ids.json"])
    indices = {name: _index(ids[name]) for name in IDS}
    groups = None
    if ids["groups"] is not None:
        groups = pd.Series(
            ids["groups"]["group"], index=_index(ids["groups"]["user"]), name="group"
        )
    texts = None
    if "texts.jsonl" in found:
        texts = _table(found["texts.jsonl"], ids["text_columns"])
    return PreferenceSplit(**tables, **indices, texts=texts, groups=groups)


def saved_checksum(folder: str | Path) -> str:
    """The checksum of a saved split, of which the files themselves are not read.

    Raises:
        StoreError: There is no split.
    """
    return _contents(Path(folder))["checksum"]


def read_checked(folder: Path) -> dict[str, str]:
    """The files of a split by name, each with the checksum it was written with.

    Raises:
        StoreError: A file is absent or another one.
    """
    found = {}
    for name, digest in _contents(folder)["sha256"].items():
        try:
            content = (folder / name).read_bytes()
        except OSError as error:
            reason = error.strerror or str(error)
            raise StoreError(f"{folder / name}: cannot be read: {reason}") from None
        if _digest(content) != digest:
            raise StoreError(
                f"{folder / name}: damaged, its checksum is not that of {_INDEX}"
            )
        found[name] = content.decode("utf-8")
    return found


def _contents(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
        if content["format"] == FORMAT and _total(content["sha256"]) == content.get(
            "checksum"
        ):
            return content
        problem = f"not an index of format {FORMAT}"
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}"
    except (ValueError, KeyError, TypeError, AttributeError):
        problem = "damaged"
    raise StoreError(f"{folder / _INDEX}: {problem}")


def _texts(split: PreferenceSplit) -> Iterable[tuple[str, str]]:
    """Name and content of each file."""
    for name in TABLES:
        table = getattr(split, name)
        yield f"{name}.jsonl", _lines(table, [*COLUMNS, "controversial"])
    ids: dict[str, Any] = {name: _plain(getattr(split, name)) for name in IDS}
    groups = split.groups
    ids["groups"] = groups if groups is None else _groups(groups)
    if split.texts is not None:
        ids["text_columns"] = list(split.texts.columns)
        yield "texts.jsonl", _lines(split.texts, ids["text_columns"])
    yield "ids.json", json.dumps(ids) + "\n"


def _groups(groups: pd.Series) -> dict[str, list]:
    return {"user": _plain(groups.index), "group": _plain(groups)}


def _plain(values: pd.Index | pd.Series) -> list:
    """JSON-able ids; those that are plain already, as most, are not looked at."""
    if values.dtype != object:
        return values.tolist()
    return [encode_id(one) for one in values.tolist()]


def _lines(table: pd.DataFrame, columns: list[str]) -> str:
    """One JSON object a line."""
    of_ids = (*COLUMNS, "response")
    parts = [
        _plain(table[name]) if name in of_ids else table[name].tolist()
        for name in columns
    ]
    encode = json.JSONEncoder(ensure_ascii=False).encode
    rows = (dict(zip(columns, row, strict=True)) for row in zip(*parts, strict=True))
    return "".join(encode(row) + "\n" for row in rows)


def _table(text: str, columns: list[str]) -> pd.DataFrame:
    """A table from JSON lines; types are those of the values, none is guessed."""
    rows = json.loads(f"[{text.strip().replace(chr(10), ',')}]")
    found = {}
    for name in columns:
        values = [row[name] for row in rows]
        if not values or any(isinstance(value, list) for value in values):
            # Ids may be tuples; of an empty column pandas would make numbers.
            values = pd.Series([decode_id(value) for value in values], dtype=object)
        found[name] = values
    return pd.DataFrame(found, columns=columns)


def _index(ids: list) -> pd.Index:
    return pd.Index([decode_id(one) for one in ids], tupleize_cols=False)


def _write(path: Path, text: str) -> str:
    content = text.encode("utf-8")
    replace_file(path, lambda temporary: temporary.write_bytes(content))
    return _digest(content)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _total(digests: dict[str, str]) -> str:
    """One checksum of all files."""
    lines = "".join(f"{name} {digest}\n" for name, digest in sorted(digests.items()))
    return _digest(lines.encode())
