"""TL;DR: simulated users who prefer the shorter or the longer summary."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from graphlab.errors import DatasetError
from graphlab.preference.data.local_files import find_folder, read_part
from graphlab.preference.data.pool import PairPool
from graphlab.preference.data.split import PreferenceSplit
from graphlab.preference.data.texts import number_texts

HINT = (
    "download the comparisons of openai/summarize_from_feedback from huggingface.co: "
    "those for training into preferences/TLDR/train/, those for validation into "
    "preferences/TLDR/validation/ (.parquet or .jsonl files)"
)
COLUMNS = ("info", "summaries", "worker")


class TLDR:
    """TL;DR summaries of Reddit posts, made from local files by the recipe of CoPL.

    From the code of the `"CoPL: Collaborative Preference Learning for Personalizing
    LLMs" <https://arxiv.org/abs/2503.01658>`_ paper: comparisons whose two policies are
    supervised (``sup`` in the name, no ``ppo``) by the ten most active workers of the
    training part. Half of the users prefer the shorter summary, half the longer, in
    characters; equal lengths are a coin toss. Pairs of the validation part are new.
    **Not run on the real files**, which were not available; it is tested on files made
    up in their schema.

    Args:
        data_root: Folder with ``preferences/TLDR/``, which holds ``train/`` and
            ``validation/`` (columns ``info`` with ``post``, ``summaries`` with two of
            ``text`` and ``policy``, ``worker``); else the environment's
            ``GRAPHLAB_DATA``.
        max_length: Leave out pairs of which a text is longer; the release drops those
            of more than 1,024 tokens of Gemma's.
        length: What measures a text; its characters by default.

    Raises:
        DatasetError: If files are absent or not in that schema; the message says what
            to download.
    """

    def __init__(
        self,
        data_root: str | Path | None = None,
        *,
        max_length: int | None = None,
        length: Callable[[str], int] = len,
    ):
        folder = find_folder("TLDR", data_root, HINT)
        parts = [
            _supervised(read_part(folder / name, COLUMNS, HINT))
            for name in ("train", "validation")
        ]
        workers = parts[0]["worker"].value_counts().head(10).index
        parts = [part[part["worker"].isin(workers)] for part in parts]
        new = np.repeat([False, True], [len(part) for part in parts])
        pairs = pd.concat(parts, ignore_index=True).drop(columns="worker")
        complete = pairs.notna().all(axis=1).to_numpy()
        repeated = pairs.assign(new=new).duplicated().to_numpy()
        pairs, new = pairs[complete & ~repeated], new[complete & ~repeated]
        numbered, keep = number_texts(pairs.reset_index(drop=True), max_length, length)
        pairs = pairs[keep]
        longer = pairs["rejected"].str.len() - pairs["chosen"].str.len()
        shorter = np.sign(longer.to_numpy(dtype=float))
        self.pool = PairPool(
            first=numbered.rows["chosen"].to_numpy(),
            second=numbered.rows["rejected"].to_numpy(),
            differences=np.stack([shorter, -shorter], 1),
            held_out=new[keep],
            texts=numbered.texts,
        )

    def split(
        self,
        num_users: int = 10_000,
        num_unseen: int = 1_000,
        num_annotations: int = 8,
        num_test: int = 50,
        num_new: int = 100,
        average: bool = False,
        seed: int = 0,
    ) -> PreferenceSplit:
        """Let users annotate pairs.

        Args:
            num_users: Number of seen users, in equal parts.
            num_unseen: Number of unseen users.
            num_annotations: Pairs each user annotates.
            num_test: Test pairs of each user on known responses.
            num_new: Test pairs of each user of the validation part.
            average: The AVG setting: 1 to ``2 * num_annotations - 1`` pairs a user.
            seed: Seed of everything drawn here.
        """
        generator = np.random.default_rng(seed)
        groups = np.concatenate(
            [generator.permutation(n) % 2 for n in (num_users, num_unseen)]
        )
        return self.pool.sample(
            np.eye(2)[groups],
            num_unseen,
            num_annotations,
            num_test=num_test,
            num_new=num_new,
            average=average,
            groups=groups,
            generator=generator,
        )


def _supervised(table: pd.DataFrame) -> pd.DataFrame:
    """The pairs of two supervised policies: post, two summaries, worker."""
    try:
        policies = [[one["policy"] for one in two] for two in table["summaries"]]
        texts = [[one["text"] for one in two] for two in table["summaries"]]
        pairs = pd.DataFrame(
            {
                "prompt": [info["post"] for info in table["info"]],
                "chosen": [two[0] for two in texts],
                "rejected": [two[1] for two in texts],
                "worker": table["worker"],
            }
        )
    except (IndexError, KeyError, TypeError) as error:
        raise DatasetError(
            "TLDR: info must have a post, summaries two of policy and text each\n"
            + HINT
        ) from error
    keep = [all("sup" in p and "ppo" not in p for p in two) for two in policies]
    return pairs[np.array(keep, dtype=bool)]
