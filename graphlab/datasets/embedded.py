"""Two real node-classification graphs that ship inside the package.

Each is one compressed ``.npz`` without pickled objects in ``data/``, frozen under a
version number and a SHA-256 that is checked before anything is read. The builders
and the cards (source, filters, statistics, baselines, limits) are in ``datasets/`` of
the repository.
"""

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data, InMemoryDataset

from graphlab.errors import DatasetError, SplitError

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class _Frozen:
    file: str
    version: str
    sha256: str


_FROZEN = {
    "wordnet-verbs": _Frozen(
        "wordnet_verbs.npz",
        "1.0",
        "4725b1d1add0a221db5cef797af6d5fcec21d333040ba4d5fad60bf804ae7c3a",
    ),
    "debian-packages": _Frozen(
        "debian_packages.npz",
        "1.0",
        "bd430046113971807bd51d406dcaf63821269d7332422051e6b26b1049f8bbfb",
    ),
}


def load_embedded(name: str) -> Data:
    r"""Load an embedded dataset; no network, nothing written to disk.

    Args:
        name: ``"wordnet-verbs"`` or ``"debian-packages"``, in any case.

    Returns:
        A graph with ``name``, ``num_classes`` and ``version`` beside its tensors.

    Shapes:
        - **x:** 0/1 word incidence, float32 :math:`(|\mathcal{V}|, F)`
        - **edge_index:** both directions of each edge, sorted by source, without
          self-loops or duplicates, int64 :math:`(2, |\mathcal{E}|)`
        - **y:** classes, int64 :math:`(|\mathcal{V}|)`

    Raises:
        DatasetError: The name is unknown, or the file is missing or altered.
    """
    name = name.lower()
    arrays = _read(name)
    y = torch.from_numpy(arrays["y"].astype(np.int64))
    return Data(
        x=_features(arrays),
        edge_index=_edge_index(arrays),
        y=y,
        name=name,
        num_classes=len(_lines(arrays["classes"])),
        version=_FROZEN[name].version,
    )


def embedded_splits(
    name: str, split: str
) -> tuple[tuple[Tensor, Tensor, Tensor, int], ...]:
    r"""Load the splits stored with an embedded dataset.

    Args:
        name: ``"wordnet-verbs"`` or ``"debian-packages"``, in any case.
        split: ``"stratified-60-20-20"`` (ten, every class cut 60/20/20),
            ``"bernnet-10"`` (ten, the same count from every class for training, as
            in the BernNet and PosteL code, with its seeds) or ``"planetoid-20"``
            (one: 20 nodes per class, 500 for validation, 1000 for the test).

    Returns:
        Per split the train, val and test mask (bool, :math:`(|\mathcal{V}|)`) and the
        seed that drew it.

    Raises:
        DatasetError: The name is unknown, or the file is missing or altered.
        SplitError: No split of that name is stored.
    """
    arrays = _read(name.lower())
    seeds = json.loads(_text(arrays["meta"]))["seeds"]
    if split not in seeds:
        raise SplitError(
            f"split {split!r} is not stored with {name.lower()}; "
            f"accepted: {', '.join(seeds)}"
        )
    codes = torch.from_numpy(arrays[f"split_{split}"])  # [runs, N]
    return tuple(
        (code == 0, code == 1, code == 2, seed)
        for code, seed in zip(codes, seeds[split], strict=True)
    )


class _Embedded(InMemoryDataset):
    _name: str

    def __init__(self, transform: Callable | None = None) -> None:
        super().__init__(None, transform)
        self.data, self.slices = self.collate([load_embedded(self._name)])
        arrays = _read(self._name)
        self.version = _FROZEN[self._name].version
        self.node_names = _lines(arrays["names"])
        self.words = _lines(arrays["words"])
        self.class_names = _lines(arrays["classes"])


class WordNetVerbs(_Embedded):
    """Verb synsets of WordNet 3.0 and the pointers between them.

    Nodes are verb synsets, edges the pointers between two of them (hypernymy,
    troponymy, antonymy, entailment, cause, verb group, see also) without direction,
    features the words of the gloss, classes the 15 lexicographer files such as
    ``verb.motion``. Class names are left out of the features.

    ======  ======  ========  =======  ==============
    nodes   edges   features  classes  edge homophily
    ======  ======  ========  =======  ==============
    13,767  31,306  3,022     15       0.858
    ======  ======  ========  =======  ==============

    (Edges counted in both directions.) Licence: WordNet 3.0 licence, whose notice
    ships beside the data.

    Args:
        transform: Applied to the graph at each access, as in PyG.
    """

    _name = "wordnet-verbs"


class DebianPackages(_Embedded):
    """Packages of Debian 12.15 and the relations between them.

    Nodes are packages of ten archive sections, edges the relations stated between two
    of them plus pairs that share a rare relation to a package outside, features the
    words of the one-line description, classes the sections. Section names are left
    out of the features.

    ======  ======  ========  =======  ==============
    nodes   edges   features  classes  edge homophily
    ======  ======  ========  =======  ==============
    4,225   37,258  552       10       0.558
    ======  ======  ========  =======  ==============

    (Edges counted in both directions.) Licence: names, relations and single words
    are facts; no description is contained.

    Args:
        transform: Applied to the graph at each access, as in PyG.
    """

    _name = "debian-packages"


def _read(name: str) -> dict[str, np.ndarray]:
    if name not in _FROZEN:
        raise DatasetError(
            f"dataset {name!r} is not embedded; accepted: {', '.join(_FROZEN)}"
        )
    frozen = _FROZEN[name]
    path = DATA / frozen.file
    try:
        blob = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"dataset {name}: cannot read {path}: {error}") from error
    found = hashlib.sha256(blob).hexdigest()
    if found != frozen.sha256:
        raise DatasetError(
            f"dataset {name}: {path} has SHA-256 {found[:12]}…, version "
            f"{frozen.version} has {frozen.sha256[:12]}…; reinstall graphlab-pyg"
        )
    with np.load(io.BytesIO(blob), allow_pickle=False) as archive:
        return dict(archive)


def _features(arrays: dict[str, np.ndarray]) -> Tensor:
    counts = arrays["x_counts"]
    x = np.zeros((len(counts), len(_lines(arrays["words"]))), dtype=np.float32)
    x[np.repeat(np.arange(len(counts)), counts), arrays["x_columns"]] = 1
    return torch.from_numpy(x)


def _edge_index(arrays: dict[str, np.ndarray]) -> Tensor:
    counts = arrays["edge_counts"]
    source = np.repeat(np.arange(len(counts)), counts)
    target = arrays["edge_targets"].astype(np.int64)
    both = np.stack([np.r_[source, target], np.r_[target, source]])  # [2, E]
    order = np.lexsort((both[1], both[0]))
    return torch.from_numpy(np.ascontiguousarray(both[:, order]))


def _text(array: np.ndarray) -> str:
    return array.tobytes().decode()


def _lines(array: np.ndarray) -> list[str]:
    return _text(array).split("\n")
