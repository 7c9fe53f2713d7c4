"""Build ``debian_packages.npz`` from the package index of a Debian release.

    python datasets/debian-packages/build.py [SOURCE] [--out FILE] [--any-source]

``SOURCE`` is the ``Packages`` file of bookworm's main section for amd64 (plain, ``.gz``
or ``.xz``); without it, apt's copy is read (run ``apt-get update`` first). See the card
beside this file for what is kept and why.
"""

import gzip
import lzma
import re
import subprocess
import sys
from collections import defaultdict
from itertools import combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import frozen

VERSION = "1.0"
RELEASE = "Debian 12.15 (bookworm), main, amd64, 11 July 2026"
SOURCE_SHA256 = "515e692f2c4121c6fcec444ef100cc18f79a991910615f3a88c8b7becfc94d2f"

CLASSES = "database editors games graphics mail math science sound video web".split()
# A section's own name, singular and plural, must not stand among the features.
BANNED = CLASSES + "databases editor game videos webs mails sounds".split()
RELATIONS = ("Depends", "Pre-Depends", "Recommends", "Suggests", "Enhances")
LEFT_OUT = re.compile(r"-(data|doc|dbg|dev|common|examples)$|-l10n")
MIN_NODES = 8
MAX_SHARED = 12


def fetch(source: Path | None) -> str:
    """The text of the ``Packages`` file."""
    if source is None:
        return _from_apt()
    openers = {".gz": gzip.open, ".xz": lzma.open}
    with openers.get(source.suffix, open)(source, "rt", encoding="utf-8") as file:
        return file.read()


def _from_apt() -> str:
    wanted = ["Created-By: Packages", "Codename: bookworm", "Component: main"]
    command = ["apt-get", "indextargets", "--format", "$(FILENAME)", *wanted]
    files = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    helper = ["/usr/lib/apt/apt-helper", "cat-file", files.split()[0]]
    return subprocess.run(helper, check=True, capture_output=True).stdout.decode()


def parse(source: str) -> dict[str, dict]:
    """The chosen packages by name; of several versions the first stanza counts."""
    chosen: dict[str, dict] = {}
    for stanza in source.split("\n\n"):
        # Continuation lines begin with a blank and belong to fields not used here.
        field = dict(re.findall(r"^([A-Za-z0-9-]+): *(.*)$", stanza, re.MULTILINE))
        name, summary = field.get("Package", ""), field.get("Description", "")
        if field.get("Section") not in CLASSES or LEFT_OUT.search(name):
            continue
        if "transitional" in summary.lower():  # a renamed package's empty shell
            continue
        chosen.setdefault(
            name,
            {
                "section": field["Section"],
                "source": field.get("Source", name).split()[0],
                "words": frozen.words_of(summary),
                "relations": {key: related(field.get(key, "")) for key in RELATIONS},
            },
        )
    return chosen


def related(value: str) -> set[str]:
    """Package names of a relation field, all alternatives, without versions."""
    items = (item.strip() for item in re.split(r"[,|]", value))
    return {re.split(r"[\s(:\[<]", item, maxsplit=1)[0] for item in items if item}


def without_twins(packages: dict[str, dict]) -> dict[str, dict]:
    """Of one source's packages with the same common words, the first by name.

    Language packs are the case in point: 161 of one source differ in nothing but the
    language, and a random split would put copies of one row in train and test.
    """
    texts = [package["words"] for package in packages.values()]
    common = set(frozen.vocabulary(texts, MIN_NODES, BANNED))
    first: dict[tuple, str] = {}
    for name in sorted(packages):
        package = packages[name]
        words = frozenset(package["words"] & common)
        first.setdefault((package["source"], package["section"], words), name)
    return {name: packages[name] for name in sorted(first.values())}


def relations(packages: dict[str, dict]) -> set[tuple[str, str]]:
    """Stated relations, and pairs that share a rare relation to an outsider."""
    edges, users = set(), defaultdict(set)
    for name, package in packages.items():
        for target in set().union(*package["relations"].values()) - {name}:
            if target in packages:
                edges.add((min(name, target), max(name, target)))
            else:
                users[target].add(name)
    for group in users.values():
        if len(group) <= MAX_SHARED:
            edges |= set(combinations(sorted(group), 2))
    return edges


def build(source: str, out: Path) -> dict[str, str]:
    packages = without_twins(parse(source))
    edges = relations(packages)
    names = sorted({name for edge in edges for name in edge})
    index = {name: i for i, name in enumerate(names)}
    texts = [packages[name]["words"] for name in names]
    return frozen.freeze(
        out,
        names=names,
        words=frozen.vocabulary(texts, MIN_NODES, BANNED),
        classes=CLASSES,
        texts=texts,
        edges={(index[a], index[b]) for a, b in edges},
        labels=[CLASSES.index(packages[name]["section"]) for name in names],
        meta={
            "name": "debian-packages",
            "version": VERSION,
            "source": RELEASE,
            "source_sha256": SOURCE_SHA256,
            "licence": "facts (names, relations, single words) of Debian's index",
        },
    )


if __name__ == "__main__":
    frozen.main(__doc__, fetch, build, SOURCE_SHA256, "debian_packages.npz")
