"""Build ``wordnet_verbs.npz`` from WordNet 3.0's ``data.verb``.

    python datasets/wordnet-verbs/build.py [SOURCE] [--out FILE] [--any-source]

``SOURCE`` is ``data.verb`` or the Debian package ``wordnet-base`` (``.deb``); without
it, apt fetches the package. See the card beside this file for what is kept and why.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import frozen

VERSION = "1.0"
PACKAGE = "wordnet-base=1:3.0-37"
SOURCE_SHA256 = "adcf43e35b581e8036d8b5a52d63d9cd3d3b4870b2720d3c03c799df44777bc2"

# Lexicographer files 29 to 43, in WordNet's own order.
CLASSES = """body change cognition communication competition consumption contact
creation emotion motion perception possession social stative weather""".split()
FIRST_FILE = 29
MIN_NODES = 6


def fetch(source: Path | None) -> str:
    """The text of ``data.verb``."""
    if source is None:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["apt-get", "download", PACKAGE], cwd=folder, check=True)
            return fetch(next(Path(folder).glob("*.deb")))
    if source.suffix == ".deb":
        tree = subprocess.run(
            ["dpkg-deb", "--fsys-tarfile", source], check=True, capture_output=True
        )
        return subprocess.run(
            ["tar", "-xO", "./usr/share/wordnet/data.verb"],
            input=tree.stdout,
            check=True,
            capture_output=True,
        ).stdout.decode()
    return source.read_text()


def parse(source: str) -> list[dict]:
    """One record per synset line (wndb(5)): offset, file, lemmas, pointers, gloss."""
    records = []
    for line in source.splitlines():
        if line.startswith("  "):  # the licence
            continue
        head, gloss = line.split(" | ", 1)
        field = head.split()
        num_lemmas = int(field[3], 16)
        at = 4 + 2 * num_lemmas
        pointers = [
            field[at + 2 + 4 * i]
            for i in range(int(field[at]))
            if field[at + 3 + 4 * i] == "v"
        ]
        records.append(
            {
                "offset": field[0],
                "label": int(field[1]) - FIRST_FILE,
                "lemma": field[4],
                "pointers": pointers,
                "words": frozen.words_of(gloss),
            }
        )
    # The file's own order goes by class; the order of names gives nothing away.
    return sorted(records, key=lambda r: (r["lemma"].lower(), r["offset"]))


def build(source: str, out: Path) -> dict[str, str]:
    records = parse(source)
    index = {record["offset"]: i for i, record in enumerate(records)}
    edges = {
        (i, index[target])
        for i, record in enumerate(records)
        for target in record["pointers"]
    }
    texts = [record["words"] for record in records]
    return frozen.freeze(
        out,
        names=[record["lemma"] for record in records],
        words=frozen.vocabulary(texts, MIN_NODES, banned=CLASSES),
        classes=[f"verb.{name}" for name in CLASSES],
        texts=texts,
        edges=edges,
        labels=[record["label"] for record in records],
        meta={
            "name": "wordnet-verbs",
            "version": VERSION,
            "source": "WordNet 3.0, data.verb, Debian package wordnet-base 1:3.0-37",
            "source_sha256": SOURCE_SHA256,
            "licence": "WordNet 3.0 licence, see WORDNET-LICENSE.txt",
        },
    )


if __name__ == "__main__":
    frozen.main(__doc__, fetch, build, SOURCE_SHA256, "wordnet_verbs.npz")
