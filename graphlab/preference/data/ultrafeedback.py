"""UltraFeedback-P: simulated users who care about one attribute of a response."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from graphlab.errors import DatasetError
from graphlab.nn._checks import check_choice
from graphlab.preference.data.local_files import find_folder, read_part
from graphlab.preference.data.pool import PairPool
from graphlab.preference.data.split import PreferenceSplit
from graphlab.preference.data.texts import number_texts, reserve

ATTRIBUTES = ("helpfulness", "honesty", "instruction_following", "truthfulness")
HINT = (
    "download two datasets of huggingface.co: openbmb/UltraFeedback into "
    "preferences/UltraFeedback/original/ and "
    "argilla/ultrafeedback-binarized-preferences-cleaned into "
    "preferences/UltraFeedback/binarized/ (their .parquet or .jsonl files)"
)


class UltraFeedbackP:
    """UltraFeedback-P-2 and -P-4, made from local files by the recipe of the release.

    From the `"Personalizing Reinforcement Learning from Human Feedback with Variational
    Preference Learning" <https://arxiv.org/abs/2408.10075>`_ paper, as the code of
    `CoPL <https://arxiv.org/abs/2503.01658>`_ uses it. The pairs of the binarized data
    get the four ratings, 1 to 5, that the original data has of both responses. A user
    cares for one attribute alone: helpfulness or honesty in P-2, also instruction
    following or truthfulness in P-4; a tie is broken at random, once for each pair
    and attribute. Only pairs on which the four differ are kept, 10 % of the prompts are
    new ones. **Not run on the real files**, which were not available; it is tested on
    files made up in their schema.

    Args:
        num_types: 2 or 4 kinds of users.
        data_root: Folder with ``preferences/UltraFeedback/``, which holds
            ``original/`` (columns ``instruction``, ``completions``) and ``binarized/``
            (columns ``prompt``, ``chosen``, ``rejected``); else the environment's
            ``GRAPHLAB_DATA``.
        new_share: Share of prompts that only test pairs have.
        max_length: Leave out pairs of which a text is longer; the release drops those
            of more than 1,024 tokens of Gemma's.
        length: What measures a text; its characters by default.
        seed: Seed of ties and of new prompts.

    Raises:
        DatasetError: If files are absent or not in that schema; the message says what
            to download.
    """

    def __init__(
        self,
        num_types: int = 2,
        data_root: str | Path | None = None,
        *,
        new_share: float = 0.1,
        max_length: int | None = None,
        length: Callable[[str], int] = len,
        seed: int = 0,
    ):
        check_choice("num_types", num_types, (2, 4))
        folder = find_folder("UltraFeedback", data_root, HINT)
        original = read_part(folder / "original", ("instruction", "completions"), HINT)
        binarized = read_part(
            folder / "binarized", ("prompt", "chosen", "rejected"), HINT
        )
        generator = np.random.default_rng(seed)
        pairs = _join(_ratings(original), binarized)
        difference = pairs.pop("difference")
        label = np.sign(
            np.stack(difference.to_list()) if len(pairs) else np.empty((0, 4))
        )
        ties = label == 0
        label[ties] = generator.choice([-1.0, 1.0], size=int(ties.sum()))
        differ = label.min(1) != label.max(1)
        pairs, label = pairs[differ].reset_index(drop=True), label[differ]
        pairs, keep = number_texts(pairs, max_length, length)
        self.num_types = num_types
        self.pool = PairPool(
            first=pairs.rows["chosen"].to_numpy(),
            second=pairs.rows["rejected"].to_numpy(),
            differences=label[keep][:, :num_types],
            held_out=reserve(pairs.rows["prompt"], new_share, generator),
            texts=pairs.texts,
        )

    def split(
        self,
        num_users: int = 10_000,
        num_unseen: int = 1_000,
        num_annotations: int | None = None,
        num_test: int = 50,
        num_new: int = 100,
        average: bool = False,
        seed: int = 0,
    ) -> PreferenceSplit:
        """Let users annotate pairs.

        Args:
            num_users: Number of seen users, the kinds in equal parts.
            num_unseen: Number of unseen users.
            num_annotations: Pairs each user annotates; by default 8 in P-2 and 16 in
                P-4, as in the release.
            num_test: Test pairs of each user on known responses.
            num_new: Test pairs of each user on new prompts; 100 in the release, whose
                code however takes them from the training pairs.
            average: The AVG setting: 1 to ``2 * num_annotations - 1`` pairs a user.
            seed: Seed of everything drawn here.
        """
        generator = np.random.default_rng(seed)
        kinds = self.num_types
        groups = np.concatenate(
            [generator.permutation(n) % kinds for n in (num_users, num_unseen)]
        )
        return self.pool.sample(
            np.eye(kinds)[groups],
            num_unseen,
            num_annotations or 4 * kinds,
            num_test=num_test,
            num_new=num_new,
            average=average,
            groups=groups,
            generator=generator,
        )


def _ratings(original: pd.DataFrame) -> pd.DataFrame:
    """A row for each response that has all four ratings."""
    rows = []
    for instruction, completions in zip(
        original["instruction"], original["completions"], strict=True
    ):
        for one in completions:
            try:
                found = [one["annotations"][key]["Rating"] for key in ATTRIBUTES]
            except (KeyError, TypeError) as error:
                raise DatasetError(
                    "UltraFeedback/original: completions must have annotations with a "
                    f"Rating of {', '.join(ATTRIBUTES)}\n{HINT}"
                ) from error
            if all(str(rating).isdigit() for rating in found):  # some are N/A
                rows.append((instruction, one["response"], np.array(found, int)))
    table = pd.DataFrame(rows, columns=["prompt", "response", "ratings"])
    return table.drop_duplicates(["prompt", "response"])


def _join(ratings: pd.DataFrame, binarized: pd.DataFrame) -> pd.DataFrame:
    """Pairs whose responses both have ratings."""
    pairs = pd.DataFrame({"prompt": binarized["prompt"]})
    for column in ("chosen", "rejected"):
        try:
            pairs[column] = [talk[1]["content"] for talk in binarized[column]]
        except (IndexError, KeyError, TypeError) as error:
            raise DatasetError(
                f"UltraFeedback/binarized: {column} must hold two messages with a "
                f"content each\n{HINT}"
            ) from error
    pairs = pairs[(pairs["chosen"] != "") & (pairs["rejected"] != "")]
    for column in ("chosen", "rejected"):
        names = {"response": column, "ratings": f"of_{column}"}
        pairs = pairs.merge(ratings.rename(columns=names), on=["prompt", column])
    pairs["difference"] = pairs.pop("of_chosen") - pairs.pop("of_rejected")
    return pairs.reset_index(drop=True)
