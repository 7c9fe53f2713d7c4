"""The raw file of a MoleculeNet set: where it lies and what is in it.

PyG unpacks what it fetches; here the packed file is read as well.
"""

import gzip
import hashlib
import zlib
from pathlib import Path

from graphlab.datasets.cards import Card
from graphlab.datasets.first_use import check_first_use
from graphlab.datasets.molecule_cards import MOLECULE_ARCHIVES
from graphlab.datasets.raw import fetch_raw, known_hashes, roots
from graphlab.errors import DatasetError


def find_file(card: Card, data_root: str | Path | None = None) -> Path | None:
    """The table, else the packed table, below the first root that has one."""
    (file,) = card.files
    for root in roots(data_root):
        for path in (root / card.raw / file, root / card.raw / f"{file}.gz"):
            if path.is_file():
                return path
    return None


def whereabouts(card: Card, data_root: str | Path | None = None) -> str:
    """Where the set would be read from, in the words of ``raw.whereabouts``."""
    path = find_file(card, data_root)
    if path is None:
        return "to fetch"
    return "cache" if path.is_relative_to(roots(data_root)[-1]) else "data root"


def fetch(card: Card) -> Path:
    """Download the file into the cache, unless it is there; return its folder.

    Raises:
        DatasetError: If it cannot be had.
    """
    return fetch_raw(card, (MOLECULE_ARCHIVES[card.files[0]],))


def read_content(card: Card, path: Path) -> tuple[str, str]:
    """Text and SHA-256 of the unpacked table.

    Raises:
        DatasetError: If it cannot be read, or is not the file known or first read.
    """
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
        text = content.decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise unreadable(card, path, error) from error
    digest = hashlib.sha256(content).hexdigest()
    expected = known_hashes().get(f"{card.raw}/{card.files[0]}")
    if expected not in (None, digest):
        raise DatasetError(
            f"{card.name}: {path} is corrupt or another version\n"
            f"expected sha256 {expected}, found {digest}"
        )
    return text, digest


def record(card: Card, digest: str) -> bool:
    """Keep the hash of a file that could be read; see :func:`check_first_use`."""
    return check_first_use(card, card.files[0], digest)


def unreadable(card: Card, path: Path, error: Exception) -> DatasetError:
    """The error for a file with something wrong in it."""
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return DatasetError(f"{card.name}: {path} cannot be read\n{reason}")


def missing(card: Card) -> DatasetError:
    """The error for a file that is not there; nothing is fetched unasked."""
    archive = MOLECULE_ARCHIVES[card.files[0]]
    return DatasetError(
        f"{card.name}: {card.files[0]} is not at hand; `graphlab data fetch "
        f"{card.name}` downloads it\n"
        f"or put {card.url}/{archive} into {card.raw}/ of a folder and set "
        "GRAPHLAB_DATA to that folder"
    )
