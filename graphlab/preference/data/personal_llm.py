"""PersonalLLM: simulated users who weigh the scores of reward models."""

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from graphlab.errors import DatasetError
from graphlab.preference.data.local_files import find_folder, read_part
from graphlab.preference.data.pool import PairPool
from graphlab.preference.data.split import PreferenceSplit
from graphlab.preference.data.texts import number_texts

HINT = (
    "download namkoong-lab/PersonalLLM from huggingface.co: its training part into "
    "preferences/PersonalLLM/train/, its test part into preferences/PersonalLLM/test/ "
    "(.parquet or .jsonl files)"
)
RESPONSES = (5, 6, 7)
SCORES = ("gemma_7b", "mistral_weqweasdas", "llama3_sfairx", "oasst_deberta_v3")
CONCENTRATION = 0.1


class PersonalLLM:
    """PersonalLLM, made from local files by the recipe of CoPL.

    From the `"PersonalLLM: Tailoring LLMs to Individual Preferences"
    <https://arxiv.org/abs/2409.20296>`_ paper, as the code of `CoPL
    <https://arxiv.org/abs/2503.01658>`_ uses it: responses 5, 6 and 7 of a prompt in
    all three pairs, without those on which the four reward models agree; a user's
    weights of the models come from a Dirichlet distribution of concentration 0.1, and
    the response with the higher weighted score is preferred. There are no groups. Pairs
    of the test part are new. **Not run on the real files**, which were not available;
    it is tested on files made up in their schema.

    Args:
        data_root: Folder with ``preferences/PersonalLLM/``, which holds ``train/`` and
            ``test/`` (columns ``prompt``, ``response_5`` and ``response_5_gemma_7b``
            and so on); else the environment's ``GRAPHLAB_DATA``.
        max_length: Leave out pairs of which a text is longer; the release drops prompts
            with a response of more than 1,024 tokens of Gemma's.
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
        folder = find_folder("PersonalLLM", data_root, HINT)
        columns = ["prompt", *(f"response_{i}" for i in RESPONSES)]
        columns += [f"response_{i}_{name}" for i in RESPONSES for name in SCORES]
        parts = [
            read_part(folder / part, tuple(columns), HINT) for part in ("train", "test")
        ]
        table = pd.concat(parts, ignore_index=True)
        new = np.repeat([False, True], [len(part) for part in parts])
        pairs, differences = _pairs(table)
        differ = ~((differences > 0).all(1) | (differences < 0).all(1))
        pairs = pairs[differ].reset_index(drop=True)
        numbered, keep = number_texts(pairs, max_length, length)
        self.pool = PairPool(
            first=numbered.rows["chosen"].to_numpy(),
            second=numbered.rows["rejected"].to_numpy(),
            differences=differences[differ][keep],
            held_out=np.tile(new, 3)[differ][keep],
            texts=numbered.texts,
        )

    def split(
        self,
        num_users: int = 10_000,
        num_unseen: int = 1_000,
        num_annotations: int = 16,
        num_test: int = 50,
        num_new: int = 100,
        average: bool = False,
        seed: int = 0,
    ) -> PreferenceSplit:
        """Let users annotate pairs.

        Args:
            num_users: Number of seen users.
            num_unseen: Number of unseen users.
            num_annotations: Pairs each user annotates.
            num_test: Test pairs of each user on known responses.
            num_new: Test pairs of each user of the test part.
            average: The AVG setting: 1 to ``2 * num_annotations - 1`` pairs a user.
            seed: Seed of everything drawn here.
        """
        generator = np.random.default_rng(seed)
        weights = generator.dirichlet(
            [CONCENTRATION] * len(SCORES), size=num_users + num_unseen
        )
        return self.pool.sample(
            weights,
            num_unseen,
            num_annotations,
            num_test=num_test,
            num_new=num_new,
            average=average,
            generator=generator,
        )


def _pairs(table: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """All pairs of the responses, and the differences of their scores."""
    pairs, differences = [], []
    try:
        scores = {
            i: table[[f"response_{i}_{name}" for name in SCORES]].to_numpy(dtype=float)
            for i in RESPONSES
        }
    except (TypeError, ValueError) as error:
        raise DatasetError(f"PersonalLLM: scores must be numbers\n{HINT}") from error
    for one, other in combinations(RESPONSES, 2):
        names = {f"response_{one}": "chosen", f"response_{other}": "rejected"}
        pairs.append(table[["prompt", *names]].rename(columns=names))
        differences.append(scores[one] - scores[other])
    return pd.concat(pairs, ignore_index=True), np.concatenate(differences)
