"""Where the pairs come from: sources by name, each with its sizes.

Nothing here imports torch before a source is loaded.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphlab.benchmark.toml_reader import check_kind, nearest
from graphlab.errors import ArgumentError

if TYPE_CHECKING:
    from graphlab.preference import PreferenceSplit

NOISE = 0.15
_SEEN = {"num_users": int, "num_unseen": int, "num_test": int}
_POOL = _SEEN | {"num_new": int, "average": bool}


@dataclass(frozen=True)
class Source:
    """Something that pairs can be drawn from.

    Args:
        about: What it is, in a few words.
        sizes: What may be changed of it, with types.
        load: Takes the name, annotations (or :obj:`None`), the seed, a path, the data
            root and the sizes.
        needs: What the path must be; empty where there is none.
    """

    about: str
    sizes: Mapping[str, type]
    load: Callable[..., "PreferenceSplit"]
    needs: str = ""


def load_split(
    source: str,
    *,
    annotations: int | None = None,
    seed: int = 0,
    path: str | Path | None = None,
    texts: str | Path | None = None,
    data_root: str | Path | None = None,
    **sizes: Any,
) -> "PreferenceSplit":
    """Users and their pairs, from a source by its name.

    Args:
        source: A key of ``SOURCES``.
        annotations: Pairs each user annotates, the last of a seen user for validation;
            by default what the source has (8 or 16; all there are in ``pairs``).
        seed: Seed of everything drawn.
        path: The table of ``pairs``; the folder with ``preferences/`` of sources that
            read local files, ``data_root`` if not given.
        texts: A table with the columns ``response`` and ``text`` for ``pairs``.
        data_root: Folder of raw data sets; else the environment's ``GRAPHLAB_DATA``.
        **sizes: Numbers that the source has, such as ``num_users``.

    Raises:
        ArgumentError: An unknown source or size, or a value out of its range.
        DatasetError: Files are absent or not what they should be.

    Example:
        >>> split = load_split("uf2", annotations=4, num_users=40, num_unseen=10)
        >>> len(split.users), len(split.context), len(split.val)
        (40, 120, 40)
    """
    check_seed(seed)
    one = check_source(source, annotations, sizes, path, texts)
    return one.load(source, annotations, seed, path, texts, data_root, sizes)


def check_seed(seed: int) -> None:
    """Refuse what is no seed.

    Raises:
        ArgumentError: It is none.
    """
    if type(seed) is not int or seed < 0:
        raise ArgumentError(f"seed must be a whole number of at least 0, got {seed!r}")


def check_source(
    source: str,
    annotations: int | None = None,
    sizes: dict[str, Any] | None = None,
    path: str | Path | None = None,
    texts: str | Path | None = None,
) -> Source:
    """The source, if all that is said of it can be.

    Raises:
        ArgumentError: The message names the argument.
    """
    if source not in SOURCES:
        hint = nearest(str(source), list(SOURCES))
        raise ArgumentError(f"source: unknown {source!r}; {hint}")
    one = SOURCES[source]
    if annotations is not None and (type(annotations) is not int or annotations < 2):
        raise ArgumentError(
            "annotations must be a whole number of at least 2, since one pair of each "
            f"seen user is for validation; got {annotations!r}"
        )
    for name, value in (sizes or {}).items():
        if name not in one.sizes:
            raise ArgumentError(
                f"{name}: source {source!r} has no such size; it has "
                f"{', '.join(one.sizes)}"
            )
        check_kind(name, value, one.sizes[name])
    if path is not None and not one.needs:
        raise ArgumentError(f"path: source {source!r} is generated and reads no file")
    if path is None and source == "pairs":
        raise ArgumentError(f"path: source 'pairs' needs {one.needs}")
    if texts is not None and source != "pairs":
        raise ArgumentError(f"texts: source {source!r} has its own texts, or none")
    return one


def _groups(source, annotations, seed, path, texts, data_root, sizes):
    from graphlab.preference import SyntheticGroups

    changes = {} if annotations is None else {"num_annotations": annotations}
    if "noise" not in sizes:
        changes["noise"] = NOISE if source.endswith("noise") else 0.0
    preset = f"{source[:3]}-1000"
    return SyntheticGroups.preset(preset, **changes, **sizes, seed=seed).split()


def _jester(source, annotations, seed, path, texts, data_root, sizes):
    from graphlab.preference import Jester5k

    return Jester5k(path or data_root).split(
        num_annotations=8 if annotations is None else annotations,
        item_disjoint=source.endswith("disjoint"),
        seed=seed,
        **sizes,
    )


def _style(source, annotations, seed, path, texts, data_root, sizes):
    from graphlab.preference import StylePreferences

    changes = {} if annotations is None else {"num_annotations": annotations}
    return StylePreferences(**changes, **sizes, seed=seed).split()


def _ultrafeedback(source, annotations, seed, path, texts, data_root, sizes):
    from graphlab.preference import UltraFeedbackP

    kinds = int(source[-1])
    data = UltraFeedbackP(kinds, path or data_root, seed=seed)
    return data.split(num_annotations=annotations, seed=seed, **sizes)


def _tldr(source, annotations, seed, path, texts, data_root, sizes):
    from graphlab.preference import TLDR

    changes = {} if annotations is None else {"num_annotations": annotations}
    return TLDR(path or data_root).split(**changes, **sizes, seed=seed)


def _personal(source, annotations, seed, path, texts, data_root, sizes):
    from graphlab.preference import PersonalLLM

    changes = {} if annotations is None else {"num_annotations": annotations}
    return PersonalLLM(path or data_root).split(**changes, **sizes, seed=seed)


def _pairs(source, annotations, seed, path, texts, data_root, sizes):
    from graphlab.preference import split_users
    from graphlab.preference.tables import read_table

    table = read_table(path, ("user", "winner", "loser"))
    split = split_users(table, **sizes, num_annotations=annotations, seed=seed)
    if texts is None:
        return split
    found = read_table(texts, ("response", "text"))
    lacking = split.responses[~split.responses.isin(found["response"])]
    if len(lacking):
        raise ArgumentError(
            f"texts: {texts} lacks {len(lacking):,} of {len(split.responses):,} "
            f"responses, the first is {lacking[0]!r}"
        )
    return replace(split, texts=found)


_GROUPS = _POOL | {"num_prompts": int, "noise": float, "new_prompts": int}
_JESTER = _SEEN | {"new_items": int, "num_new": int}
_SHARES = dict.fromkeys(("unseen_users", "new_responses", "test_share"), float)
_FOLDER = "the folder that has preferences/{}/"
SOURCES: dict[str, Source] = {
    "uf2": Source(
        "two groups, half of the prompts common; generated", _GROUPS, _groups
    ),
    "uf2-noise": Source("the same, 15 % of the labels flipped", _GROUPS, _groups),
    "uf4": Source("four groups that never all agree; generated", _GROUPS, _groups),
    "uf4-noise": Source("the same, 15 % of the labels flipped", _GROUPS, _groups),
    "style": Source(
        "texts that differ in style, and users who care for one; generated",
        _GROUPS | {"num_groups": int, "common_share": float},
        _style,
    ),
    "jester": Source(
        "what 5,000 people think of 100 jokes",
        _JESTER,
        _jester,
        _FOLDER.format("jester5k"),
    ),
    "jester-disjoint": Source(
        "the same, tested on jokes that a user did not annotate",
        _JESTER,
        _jester,
        _FOLDER.format("jester5k"),
    ),
    "ultrafeedback-p-2": Source(
        "UltraFeedback-P-2 from local files",
        _POOL,
        _ultrafeedback,
        _FOLDER.format("UltraFeedback"),
    ),
    "ultrafeedback-p-4": Source(
        "UltraFeedback-P-4 from local files",
        _POOL,
        _ultrafeedback,
        _FOLDER.format("UltraFeedback"),
    ),
    "tldr": Source(
        "summaries, short or long, from local files",
        _POOL,
        _tldr,
        _FOLDER.format("TLDR"),
    ),
    "personal-llm": Source(
        "PersonalLLM from local files", _POOL, _personal, _FOLDER.format("PersonalLLM")
    ),
    "pairs": Source(
        "a table of your own",
        _SHARES | {"num_val": int, "num_test": int},
        _pairs,
        "a table (.csv, .jsonl, .json, .parquet) with the columns user, winner, loser",
    ),
}
