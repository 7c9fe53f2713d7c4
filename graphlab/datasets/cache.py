"""The user's cache: where files go that graphlab makes or fetches.

``GRAPHLAB_CACHE`` names it; otherwise it is ``graphlab`` in the XDG cache folder.
"""

import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from graphlab.errors import DatasetError

# Raised whenever the preprocessing or the file format changes, so that files of an
# older graphlab are never read.
FORMAT = "processed-v1"


def cache_dir() -> Path:
    """The folder of the cache; it need not exist yet."""
    if os.environ.get("GRAPHLAB_CACHE"):
        return Path(os.environ["GRAPHLAB_CACHE"]).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).expanduser() / "graphlab"


def make_folder(folder: Path) -> Path:
    """Create a folder of the cache.

    Raises:
        DatasetError: If it cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return folder


def write_atomic(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a temporary file, then rename it to ``path``.

    Another process sees either no file or a whole one; of two that write at once the
    later wins, with the same content.

    Raises:
        DatasetError: If the folder cannot be written to.
    """
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}-{uuid4().hex}")
    try:
        write(temporary)
        os.replace(temporary, path)
    except OSError as error:
        raise _unwritable(path.parent, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _unwritable(folder: Path, error: OSError) -> DatasetError:
    return DatasetError(
        f"cannot write to the cache folder {folder} ({error.strerror or error})\n"
        "set GRAPHLAB_CACHE to a folder that can be written to"
    )
