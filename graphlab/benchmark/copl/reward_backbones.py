"""Language models by name, with their tokenizers."""

import re
import zlib
from pathlib import Path
from typing import Any

from graphlab.errors import GraphlabError

#: Random decoders, for tests and for trying out a path of code.
TINY = ("tiny-phi3", "tiny-phi4", "tiny-llama")
TINY_TOKENS = 1024


class WordTokenizer:
    """Words and punctuation by hash, for decoders that have no tokenizer.

    Args:
        size: Number of tokens; the first three are padding, start and end.

    Example:
        >>> WordTokenizer(64)("Yes, yes!")["input_ids"]
        [38, 63, 36, 13]
    """

    pad_token_id, bos_token_id, eos_token_id = 0, 1, 2
    padding_side = truncation_side = "right"

    def __init__(self, size: int = TINY_TOKENS):
        self.size = size

    def __call__(self, text: str) -> dict[str, list[int]]:
        """The tokens of a text."""
        words = re.findall(r"\w+|[^\w\s]|\n", text)
        free = self.size - 3
        return {"input_ids": [3 + zlib.crc32(w.encode()) % free for w in words]}


def load_named(name: str) -> tuple[Any, Any]:
    """A decoder and its tokenizer, which has a padding token.

    Args:
        name: See :class:`RewardConfig`.

    Raises:
        GraphlabError: If something that it needs is not installed, or it is not found.
    """
    from graphlab import lora

    if name in TINY:
        make = {"tiny-phi3": lora.tiny_phi3, "tiny-phi4": lora.tiny_phi4}
        backbone = make.get(name, lora.tiny_llama)(vocab_size=TINY_TOKENS)
        return backbone, WordTokenizer()
    if name == "smollm2":
        backbone, tokenizer = lora.load_smollm2()
    else:
        backbone, tokenizer = _load(name)
    return backbone, with_padding(tokenizer)


def _load(name: str) -> tuple[Any, Any]:
    from graphlab import lora

    try:
        return lora.load_backbone(name), lora.load_tokenizer(name)
    except GraphlabError as error:
        if Path(name).is_dir():
            raise
        known = ", ".join(("smollm2", *TINY))
        raise GraphlabError(
            f"backbone: {str(error).splitlines()[0]}\n"
            f"accepted: {known}, a folder, or the id of a model on the hub"
        ) from error


def require_named(name: str) -> None:
    """Whether what a decoder needs is installed, without loading it.

    Raises:
        GraphlabError: The message says what to install.
    """
    from graphlab.lora._extra import require
    from graphlab.lora.smollm2 import require_smollm2

    require("transformers")
    if name == "smollm2":
        require_smollm2()


def with_padding(tokenizer: Any) -> Any:
    """The same tokenizer, which pads with the end of text if with nothing else.

    Padding is told by the attention mask, so it does not matter with what.
    """
    if tokenizer.pad_token_id is None and tokenizer.eos_token_id is not None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def short_name(backbone: str) -> str:
    """A name for files."""
    return re.sub(r"[^\w.-]+", "-", Path(backbone).name or backbone)


def quiet() -> None:
    """No bars and warnings of transformers and its hub beside our own.

    Raises:
        GraphlabError: If it is not installed.
    """
    from graphlab.lora._extra import require

    logging = require("transformers").utils.logging
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    require("huggingface_hub").utils.logging.set_verbosity_error()
