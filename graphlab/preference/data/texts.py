"""Numbers for texts, and prompts that are kept for testing."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from graphlab.errors import ArgumentError, DatasetError

#: How the released codes join prompt and response.
TEMPLATE = "Human: {prompt}\n\nAssistant: {response}"


@dataclass(frozen=True)
class Numbered:
    """Pairs with numbers in place of texts, and the texts.

    Args:
        rows: The columns ``prompt`` (its text), ``chosen`` and ``rejected`` (numbers).
        texts: The columns ``response`` (number), ``prompt``, ``answer`` and ``text``
            (both, as a language model gets them), a row for each number.
    """

    rows: pd.DataFrame
    texts: pd.DataFrame


def number_texts(
    pairs: pd.DataFrame, max_length: int | None, length: Callable[[str], int]
) -> tuple[Numbered, np.ndarray]:
    """Give each different text one number, and leave out pairs that are too long.

    Args:
        pairs: The columns ``prompt``, ``chosen`` and ``rejected``, all texts.
        max_length: Longest text.
        length: What measures a text.

    Returns:
        The pairs, and which of those given they are.

    Raises:
        DatasetError: If no pair is left.
    """
    both = pd.concat([pairs["chosen"], pairs["rejected"]], ignore_index=True)
    prompts = pd.concat([pairs["prompt"]] * 2, ignore_index=True)
    table = pd.DataFrame({"prompt": prompts, "answer": both})
    table["text"] = [
        TEMPLATE.format(prompt=p, response=r)
        for p, r in zip(table["prompt"], table["answer"], strict=True)
    ]
    keep = np.ones(len(pairs), dtype=bool)
    if max_length is not None:
        short = np.array([length(text) <= max_length for text in table["text"]], bool)
        keep = short[: len(pairs)] & short[len(pairs) :]
    if not keep.any():
        raise DatasetError("the files hold no pair that fits the recipe")
    table = table[np.tile(keep, 2)].reset_index(drop=True)
    number, _ = pd.factorize(table["text"])
    half = len(table) // 2
    rows = pd.DataFrame(
        {
            "prompt": table["prompt"][:half],
            "chosen": number[:half],
            "rejected": number[half:],
        }
    )
    texts = table.assign(response=number).drop_duplicates("response")
    columns = ["response", "prompt", "answer", "text"]
    return Numbered(rows, texts[columns].reset_index(drop=True)), keep


def reserve(
    prompts: pd.Series, share: float, generator: np.random.Generator
) -> np.ndarray:
    """Pairs of a random share of the prompts.

    Raises:
        ArgumentError: If the share is not in [0, 1).
    """
    if not 0 <= share < 1:
        raise ArgumentError(f"new_share must lie in [0, 1), got {share!r}")
    number, different = pd.factorize(prompts)
    chosen = generator.permutation(len(different))[: int(share * len(different))]
    return np.isin(number, chosen)
