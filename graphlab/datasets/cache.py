"""Files of the user's cache: what graphlab makes or fetches for the datasets."""

from collections.abc import Callable
from pathlib import Path

from graphlab.errors import DatasetError
from graphlab.files import replace_file

# Raised whenever the preprocessing or the file format changes, so that files of an
# older graphlab are never read.
FORMAT = "processed-v1"


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
    """Write a file of the cache whole or not at all, as :func:`replace_file` does.

    Raises:
        DatasetError: If the folder cannot be written to.
    """
    make_folder(path.parent)
    try:
        replace_file(path, write)
    except OSError as error:
        raise _unwritable(path.parent, error) from error


def _unwritable(folder: Path, error: OSError) -> DatasetError:
    return DatasetError(
        f"cannot write to the cache folder {folder} ({error.strerror or error})\n"
        "set GRAPHLAB_CACHE to a folder that can be written to"
    )
