"""Raw files: find them below a data root, else fetch them; check their hashes.

A data root has PyG's layout, ``<PyG class>/<name>/raw/...``, and is only ever read.
"""

import hashlib
import os
import urllib.request
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from importlib.resources import files as package_files
from pathlib import Path

from graphlab.datasets.cache import FORMAT, make_folder, write_atomic
from graphlab.datasets.cards import Card
from graphlab.errors import DatasetError
from graphlab.files import cache_dir

_CHUNK = 1 << 20


@cache
def known_hashes() -> dict[str, str]:
    """SHA-256 of the raw files known byte by byte, by path below a data root.

    Listed are only files that equal the first publisher's. The Amazon and Coauthor
    files circulate in several compressions of one content, so they have none here.
    """
    text = (package_files("graphlab.datasets") / "SHA256SUMS").read_text()
    pairs = (line.split(maxsplit=1) for line in text.splitlines())
    return {path: digest for digest, path in pairs}


def roots(data_root: str | Path | None = None) -> list[Path]:
    """The folders to look in: the data root (argument, else environment), downloads.

    Raises:
        DatasetError: If the data root is not a folder.
    """
    downloads = cache_dir() / "downloads"
    origin = "data_root" if data_root is not None else "GRAPHLAB_DATA"
    given = data_root if data_root is not None else os.environ.get("GRAPHLAB_DATA")
    if not given:
        return [downloads]
    root = Path(given).expanduser()
    if not root.is_dir():
        raise DatasetError(f"{origin}={given} is not a folder")
    return [root, downloads]


def find_raw(card: Card, files: Iterable[str], data_root=None) -> Path | None:
    """The folder that holds all ``files`` of a dataset, or None."""
    for root in roots(data_root):
        if all((root / card.raw / file).is_file() for file in files):
            return root / card.raw
    return None


def whereabouts(card: Card, data_root=None) -> str:
    """Where a dataset would be read from: in words, for a listing."""
    if not card.raw:
        return "built in"
    for root in roots(data_root):
        unpacked = card.loader == "ogb" and (root / card.raw / "raw").is_dir()
        if unpacked or all((root / card.raw / f).is_file() for f in card.required):
            return "cache" if root == roots(data_root)[-1] else "data root"
    return "to fetch"


def raw_folder(card: Card, files: Iterable[str], data_root=None) -> Path:
    """The folder that holds all ``files``, fetched if need be, with known hashes.

    Raises:
        DatasetError: If a file cannot be had, or is not what it should be.
    """
    files = tuple(files)
    folder = find_raw(card, files, data_root)
    if folder is None:
        folder = fetch_raw(card, files)
    for file in files:
        check_hash(card, folder / file)
    return folder


def fetch_raw(card: Card, files: Iterable[str]) -> Path:
    """Download the ``files`` that are not yet in the cache; return their folder."""
    folder = make_folder(cache_dir() / "downloads" / card.raw)
    for file in files:
        if not (folder / file).is_file():
            _download(card, file, folder)
    return folder


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_hash(card: Card, path: Path, file: str | None = None) -> None:
    """Refuse a raw file whose digest is known and different.

    Planetoid's raw files are pickles, which can run code when read: they are read only
    after this check.
    """
    file = file or path.name
    expected = known_hashes().get(f"{card.raw}/{file}")
    if expected is None:
        return
    found = sha256(path)
    if found != expected:
        raise DatasetError(
            f"{card.name}: {path.parent / file} is corrupt or another version\n"
            f"expected sha256 {expected}, found {found}"
        )


def raw_digest(folder: Path, files: Iterable[str]) -> str:
    """One digest over all raw files: it names the processed file made from them."""
    total = hashlib.sha256()
    for file in files:
        total.update(f"{file} {sha256(folder / file)}\n".encode())
    return total.hexdigest()


def processed_path(card: Card, digest: str) -> Path:
    """Where the processed form of raw files with this digest is kept."""
    stamp = f"{digest} {version('torch-geometric')}".encode()
    short = hashlib.sha256(stamp).hexdigest()[:16]
    return cache_dir() / FORMAT / card.loader / f"{card.name}-{short}.pt"


def _download(card: Card, file: str, folder: Path) -> None:
    """Fetch one file from where PyG fetches it.

    Unlike PyG's own function this one verifies the server's certificate, has a time
    limit, and never leaves half a file behind.
    """
    url = card.file_url(file)

    def write(target: Path) -> None:
        try:
            with (
                urllib.request.urlopen(url, timeout=60) as source,
                target.open("wb") as sink,
            ):
                while chunk := source.read(_CHUNK):
                    sink.write(chunk)
        except Exception as error:
            raise _unavailable(card, file, url, folder, error) from error
        check_hash(card, target, file)

    write_atomic(folder / file, write)


def _unavailable(card: Card, file: str, url: str, folder: Path, error: Exception):
    reason = getattr(error, "reason", None) or error
    return DatasetError(
        f"{card.name}: {file} is not at hand and cannot be fetched ({reason})\n"
        f"put {url} into {folder}, or set GRAPHLAB_DATA to a folder with {card.raw}/"
    )
