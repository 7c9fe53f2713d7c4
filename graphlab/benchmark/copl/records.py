"""What a stage records as its last file: settings, checksums, what it was made from."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from graphlab.benchmark import environment
from graphlab.benchmark.store import write_json
from graphlab.errors import StoreError

FORMAT = 1
#: Told what is being done, how much of it is done, of how much.
Listener = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Outcome:
    """What a stage has recorded, and whether it was there already."""

    record: dict[str, Any]
    resumed: bool


def read_record(file: Path) -> dict[str, Any] | None:
    """What a stage has recorded; :obj:`None` if it is not finished.

    Raises:
        StoreError: The file is damaged or of another format.
    """
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        return None
    except OSError as error:
        raise StoreError(f"{file}: cannot be read: {error.strerror}") from None
    except ValueError:
        record = None
    wanted = ("settings", "made_from", "sha256", "id")
    known = isinstance(record, dict) and record.get("format") == FORMAT
    if not known or any(key not in record for key in wanted):
        raise StoreError(
            f"{file}: damaged, or of something else; remove it to have its stage run "
            "again"
        )
    return record


def write_record(
    file: Path,
    settings: Mapping[str, Any],
    made_from: Mapping[str, str],
    files: Iterable[str] = (),
    checksum: str = "",
    **facts: Any,
) -> dict[str, Any]:
    """Write what a stage records, as its last file.

    Args:
        file: The file.
        settings: What the stage was told.
        made_from: The ids of the stages that it read.
        files: Names of the files beside it, whose checksums are taken.
        checksum: Of what is checked elsewhere.
        **facts: What else is worth knowing.
    """
    digests = {name: file_digest(file.parent / name) for name in files}
    content = {"settings": dict(settings), "sha256": digests, "checksum": checksum}
    canonical = json.dumps(content | {"made_from": dict(made_from)}, sort_keys=True)
    record = {
        "format": FORMAT,
        "id": hashlib.sha256(canonical.encode()).hexdigest()[:12],
        "made_from": dict(made_from),
        **content,
        **facts,
    }
    write_json(file, record)
    return json.loads(file.read_text(encoding="utf-8"))


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """``seed 1 instead of 0``: what is asked for now and was not then."""
    old = json.loads(json.dumps(dict(old)))
    new = json.loads(json.dumps(dict(new)))
    return [
        f"{key} {_shown(new.get(key))} instead of {_shown(old.get(key))}"
        for key in dict.fromkeys([*new, *old])
        if new.get(key) != old.get(key)
    ]


def _shown(value: Any) -> str:
    return "the default" if value is None else json.dumps(value, ensure_ascii=False)


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def found_record(
    file: Path,
    settings: Mapping[str, Any],
    made_from: Mapping[str, str],
    force: bool,
    give: str = "--out",
) -> dict[str, Any] | None:
    """What a stage has left, if it need not be run again.

    A stage made from something that is no longer there, and one whose files are
    damaged, is run again.

    Raises:
        StoreError: It was run with other settings.
    """
    record = None if force else read_record(file)
    if record is None or record["made_from"] != dict(made_from):
        return None
    other = differences(record["settings"], settings)
    if other:
        raise StoreError(
            f"{file}: was made with other settings: {'; '.join(other)}; give another "
            f"{give}, or --force to replace it"
        )
    for name, digest in record["sha256"].items():
        path = file.parent / name
        if not path.is_file() or file_digest(path) != digest:
            return None
    return record


def made_by() -> dict[str, Any]:
    """Versions, kind of machine and commit."""
    return _surroundings() | {"date": time.strftime("%Y-%m-%d")}


@cache
def _surroundings() -> dict[str, Any]:
    return {
        "versions": environment.versions(),
        "host": environment.host(),
        "commit": environment.commit(),
    }
