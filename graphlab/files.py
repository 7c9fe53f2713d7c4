"""Where graphlab keeps files of its own, and how a file is written whole or not at all.

``GRAPHLAB_CACHE`` names the user's cache; otherwise it is ``graphlab`` in the XDG cache
folder.
"""

import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4


def cache_dir() -> Path:
    """The folder of the cache; it need not exist yet."""
    if os.environ.get("GRAPHLAB_CACHE"):
        return Path(os.environ["GRAPHLAB_CACHE"]).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).expanduser() / "graphlab"


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a hidden file beside ``path``, then rename it to ``path``.

    Another process sees either the previous file or the whole new one; of two that
    write at once the later wins. The hidden file has the suffix of ``path``.

    Raises:
        OSError: If the folder cannot be written to.
    """
    temporary = path.with_name(f".{uuid4().hex}-{path.name}")
    try:
        write(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
