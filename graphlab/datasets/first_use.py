"""Hashes of raw files that nobody published: those of the first file read count.

What was first read need not be the right file. But no other one slips in unseen later.
"""

from graphlab.datasets.cache import write_atomic
from graphlab.datasets.cards import Card
from graphlab.errors import DatasetError
from graphlab.files import cache_dir


def check_first_use(card: Card, file: str, digest: str) -> bool:
    """Record the digest of a raw file, or compare it with the recorded one.

    Args:
        card: The set.
        file: Name of its raw file.
        digest: SHA-256 of what was read.

    Returns:
        Whether this was the first use.

    Raises:
        DatasetError: If another file was read at first.
    """
    record = cache_dir() / "first-use" / card.raw / f"{file}.sha256"
    if not record.is_file():
        write_atomic(record, lambda path: path.write_text(f"{digest}  {file}\n"))
        return True
    recorded = record.read_text().partition(" ")[0]
    if recorded != digest:
        raise DatasetError(
            f"{card.name}: {file} is not the one first read here: expected sha256 "
            f"{recorded}, found {digest}\n"
            f"if it was replaced on purpose, remove {record}"
        )
    return False
