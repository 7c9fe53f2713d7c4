"""What the two builders share: words, edges, splits and the frozen file.

A frozen file is a compressed ``.npz`` without pickled objects:

========================  ========  ==================================================
``x_counts``              uint8     words per node, the row lengths of a 0/1 CSR matrix
``x_columns``             uint16    its column numbers, ascending within a row
``edge_counts``           uint16    neighbours with a larger number, per node
``edge_targets``          uint16    those neighbours, ascending
``y``                     uint8     class of each node
``split_<name>``          uint8     [runs, N]: 0 train, 1 val, 2 test, 3 in no part
``names words classes``   uint8     UTF-8 text, one entry a line
``meta``                  uint8     UTF-8 JSON: version, source, seeds of the splits
========================  ========  ==================================================
"""

import argparse
import hashlib
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

DATA = Path(__file__).resolve().parent.parent / "graphlab" / "datasets" / "data"

# The seeds of the BernNet code, which PosteL took over (see graphlab's split of
# the same name); the other splits simply count.
BERNNET_SEEDS = (
    1941488137, 4198936517, 983997847, 4023022221, 4019585660,
    2108550661, 1648766618, 629014539, 3212139042, 2424918363,
)  # fmt: skip

STOP_WORDS = frozenset(
    """a about above across after again against all almost along also although always
    am among an and another any anyone anything are around as at away back be because
    been before being below between both but by can cannot could did do does doing done
    down during each either else ever every for from further get gets getting had has
    have having he her here hers herself him himself his how however if in into is it
    its itself just less like made make makes making many may me might more most much
    must my myself near neither no nor not now of off often on once one ones only or
    other others our out over own per same shall she should so some somebody someone
    something such than that the their them themselves then there these they this those
    through thus to too toward towards under until up upon us use used uses using very
    via was we well went were what when where whether which while who whom whose why
    will with within without would yet you your yourself""".split()
)

WORD = re.compile(r"[a-z]{3,}")


def words_of(text: str) -> set[str]:
    """Words of three letters or more, in lower case, without stop words."""
    return set(WORD.findall(text.lower())) - STOP_WORDS


def vocabulary(
    texts: list[set[str]],
    min_nodes: int,
    banned: Iterable[str],
    size: int | None = None,
) -> list[str]:
    """Words of at least ``min_nodes`` texts, at most ``size``, commonest first.

    Ties go by the alphabet, so the result does not depend on the order of sets.
    """
    counts = Counter(word for text in texts for word in text)
    for word in banned:
        counts.pop(word, None)
    kept = [word for word, count in counts.items() if count >= min_nodes]
    return sorted(kept, key=lambda word: (-counts[word], word))[:size]


def incidence(texts: list[set[str]], words: list[str]) -> dict[str, np.ndarray]:
    """Rows of a 0/1 matrix as lengths and ascending column numbers."""
    column = {word: i for i, word in enumerate(words)}
    rows = [sorted(column[w] for w in text if w in column) for text in texts]
    counts = np.array([len(row) for row in rows])
    assert counts.max() < 256 and len(words) < 65536
    return {
        "x_counts": counts.astype(np.uint8),
        "x_columns": np.array([c for row in rows for c in row], dtype=np.uint16),
    }


def adjacency(edges: set[tuple[int, int]], num_nodes: int) -> dict[str, np.ndarray]:
    """Each undirected edge once, from its smaller to its larger end."""
    once = sorted({(min(e), max(e)) for e in edges if e[0] != e[1]})
    source, target = np.array(once).T
    counts = np.bincount(source, minlength=num_nodes)
    assert num_nodes < 65536
    return {
        "edge_counts": counts.astype(np.uint16),
        "edge_targets": target.astype(np.uint16),
    }


def stratified(y: np.ndarray, seed: int) -> np.ndarray:
    """Every class cut 60/20/20 (both cuts rounded), drawn by the legacy generator."""
    rng = np.random.RandomState(seed)
    code = np.full(len(y), 2, dtype=np.uint8)
    for c in range(y.max() + 1):
        members = rng.permutation(np.flatnonzero(y == c))
        train, val = round(0.6 * len(members)), round(0.8 * len(members))
        code[members[:train]] = 0
        code[members[train:val]] = 1
    return code


def bernnet(y: np.ndarray, seed: int) -> np.ndarray:
    """The same count from every class for training, as in the BernNet code.

    round(.6 N / C) nodes of each class, or the whole class where it is smaller; then
    round(.2 N) of the rest for validation, and what is left for the test.
    """
    rng = np.random.RandomState(seed)
    num_classes = int(y.max()) + 1
    count = int(round(0.6 * len(y) / num_classes))
    code = np.full(len(y), 2, dtype=np.uint8)
    for c in range(num_classes):
        members = np.flatnonzero(y == c)
        if len(members) >= count:
            members = rng.choice(members, count, replace=False)
        code[members] = 0
    rest = np.flatnonzero(code == 2)
    code[rng.choice(rest, int(round(0.2 * len(y))), replace=False)] = 1
    return code


def planetoid(y: np.ndarray, seed: int) -> np.ndarray:
    """20 nodes per class for training, 500 for validation, 1000 for the test."""
    rng = np.random.RandomState(seed)
    code = np.full(len(y), 3, dtype=np.uint8)
    for c in range(y.max() + 1):
        code[rng.permutation(np.flatnonzero(y == c))[:20]] = 0
    rest = rng.permutation(np.flatnonzero(code == 3))
    code[rest[:500]] = 1
    code[rest[500:1500]] = 2
    return code


def all_splits(y: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, list[int]]]:
    """The arrays of every named split, and the seeds that drew them."""
    seeds = {
        "stratified-60-20-20": list(range(10)),
        "bernnet-10": list(BERNNET_SEEDS),
        "planetoid-20": [0],
    }
    draw = dict(zip(seeds, (stratified, bernnet, planetoid), strict=True))
    arrays = {
        f"split_{name}": np.stack([draw[name](y, seed) for seed in seeds[name]])
        for name in seeds
    }
    return arrays, seeds


def text(lines: Iterable[str]) -> np.ndarray:
    """Lines of UTF-8 text as bytes."""
    return np.frombuffer("\n".join(lines).encode(), dtype=np.uint8)


def content_digest(arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 over names, types, shapes and bytes; free of the compressor's whims."""
    digest = hashlib.sha256()
    for key in sorted(arrays):
        array = np.ascontiguousarray(arrays[key])
        array = array.astype(array.dtype.newbyteorder("<"))
        digest.update(f"{key} {array.dtype.name} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def freeze(
    path: Path,
    *,
    names: list[str],
    words: list[str],
    classes: list[str],
    texts: list[set[str]],
    edges: set[tuple[int, int]],
    labels: list[int],
    meta: dict,
) -> dict[str, str]:
    """Write the file, byte for byte the same each time; return both checksums."""
    y = np.array(labels, dtype=np.uint8)
    splits, seeds = all_splits(y)
    arrays = incidence(texts, words) | adjacency(edges, len(y)) | {"y": y} | splits
    arrays |= {"names": text(names), "words": text(words), "classes": text(classes)}
    arrays["meta"] = text([json.dumps(meta | {"seeds": seeds}, sort_keys=True)])
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for key in sorted(arrays):
            _store(archive, key, arrays[key])
    blob = path.read_bytes()
    return {
        "bytes": str(len(blob)),
        "file_sha256": hashlib.sha256(blob).hexdigest(),
        "content_sha256": content_digest(arrays),
    }


def _store(archive: zipfile.ZipFile, key: str, array: np.ndarray) -> None:
    # A fixed time and a fixed system number: np.savez would write neither.
    entry = zipfile.ZipInfo(f"{key}.npy", date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, version=(1, 0), allow_pickle=False)
    archive.writestr(entry, buffer.getvalue(), compresslevel=9)


def main(
    doc: str,
    fetch: Callable[[Path | None], str],
    build: Callable[[str, Path], dict[str, str]],
    source_sha256: str,
    file_name: str,
) -> None:
    """Command line of a builder: fetch, check the source, build, print checksums."""
    summary, _, epilog = doc.partition("\n\n")
    parser = argparse.ArgumentParser(description=summary, epilog=epilog)
    parser.add_argument("source", type=Path, nargs="?")
    parser.add_argument("--out", type=Path, default=DATA / file_name)
    parser.add_argument(
        "--any-source", action="store_true", help="go on if the source has changed"
    )
    args = parser.parse_args()
    source = fetch(args.source)
    found = hashlib.sha256(source.encode()).hexdigest()
    if found != source_sha256 and not args.any_source:
        parser.error(f"the source has SHA-256 {found}, expected {source_sha256}")
    for key, value in build(source, args.out).items():
        print(f"{key:15}{value}")
