"""Language models that carry the experts: sizes, tiny ones, and loading."""

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from graphlab.errors import GraphlabError
from graphlab.lora._extra import require
from graphlab.lora._files import make_folder, save_tensors

if TYPE_CHECKING:
    from transformers import LlamaModel, Phi3Config, Phi3Model, PreTrainedModel


def phi3_mini_config(**changes) -> "Phi3Config":
    """The sizes of Phi-3-mini (4k): 3,821,079,552 parameters as a causal LM.

    From `"Phi-3 Technical Report" <https://arxiv.org/abs/2404.14219>`_: 32 layers of
    3,072, 32 heads, no grouped queries, MLP of 8,192, 32,064 tokens.

    Args:
        **changes: Settings of ``transformers.Phi3Config`` that are to be different.

    Raises:
        GraphlabError: If ``transformers`` is not installed.
    """
    settings = {
        "vocab_size": 32064,
        "hidden_size": 3072,
        "intermediate_size": 8192,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 32,
        "max_position_embeddings": 4096,
        "tie_word_embeddings": False,
    }
    return require("transformers").Phi3Config(**{**settings, **changes})


def phi4_mini_config(**changes) -> "Phi3Config":
    """The sizes of Phi-4-mini: 3,836,021,760 parameters as a causal LM.

    From `"Phi-4-Mini Technical Report" <https://arxiv.org/abs/2503.01743>`_: 32 layers
    of 3,072, 24 query and 8 key heads of 128, a quarter of each head without position,
    200,064 tokens with tied embeddings, and the same architecture in ``transformers``
    as Phi-3. The published checkpoint scales rotary frequencies for 128k tokens by
    factors that belong to its weights; without weights the factors are 1.

    Args:
        **changes: Settings of ``transformers.Phi3Config`` that are to be different.

    Raises:
        GraphlabError: If ``transformers`` is not installed.
    """
    settings = {
        "vocab_size": 200064,
        "hidden_size": 3072,
        "intermediate_size": 8192,
        "num_hidden_layers": 32,
        "num_attention_heads": 24,
        "num_key_value_heads": 8,
        "max_position_embeddings": 131072,
        "original_max_position_embeddings": 4096,
        "tie_word_embeddings": True,
        "bos_token_id": 199999,
        "eos_token_id": 199999,
        "pad_token_id": 199999,
        "rope_parameters": _longrope(128, 0.75, factor=32.0),
    }
    return require("transformers").Phi3Config(**{**settings, **changes})


def tiny_phi3(seed: int = 0, **changes) -> "Phi3Model":
    """A random decoder with everything that is special about Phi, for tests.

    Three layers of 96, 6 query and 2 key heads, fused projections, three quarters of
    each head rotated, longrope; 64 tokens of which 0 is padding.

    Args:
        seed: Seed of the weights.
        **changes: Settings of ``transformers.Phi3Config`` that are to be different.

    Raises:
        GraphlabError: If ``transformers`` is not installed.
    """
    settings = {
        **_TINY,
        "original_max_position_embeddings": 128,
        "rope_parameters": _longrope(16, 0.75, factor=2.0, short=1.1, long=2.0),
    }
    transformers = require("transformers")
    config = transformers.Phi3Config(**{**settings, **changes})
    return _random(transformers.Phi3Model, config, seed)


def tiny_phi4(seed: int = 0, **changes) -> "Phi3Model":
    """A random decoder in the style of Phi-4-mini, for tests; sizes as `tiny_phi3`.

    As :func:`phi4_mini_config` says what differs: tied embeddings, rotary factors of 1,
    and the same token for padding, start and end.

    Args:
        seed: Seed of the weights.
        **changes: Settings of ``transformers.Phi3Config`` that are to be different.

    Raises:
        GraphlabError: If ``transformers`` is not installed.
    """
    settings = {
        **_TINY,
        "tie_word_embeddings": True,
        "pad_token_id": 0,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "original_max_position_embeddings": 128,
        "rope_parameters": _longrope(16, 0.75, factor=2.0),
    }
    transformers = require("transformers")
    config = transformers.Phi3Config(**{**settings, **changes})
    return _random(transformers.Phi3Model, config, seed)


def tiny_llama(seed: int = 0, **changes) -> "LlamaModel":
    """A random decoder with separate projections, for tests; sizes as `tiny_phi3`.

    Args:
        seed: Seed of the weights.
        **changes: Settings of ``transformers.LlamaConfig`` that are to be different.

    Raises:
        GraphlabError: If ``transformers`` is not installed.
    """
    transformers = require("transformers")
    config = transformers.LlamaConfig(**{**_TINY, **changes})
    return _random(transformers.LlamaModel, config, seed)


def load_backbone(
    name: str | Path, dtype: torch.dtype | None = None, **settings: Any
) -> "PreTrainedModel":
    """A decoder without its language head, from a folder or the hub.

    Args:
        name: A folder as ``save_pretrained`` writes it, or a model's id on the hub.
        dtype: Type of the weights, by default the one they are stored in.
        **settings: Passed to ``AutoModel.from_pretrained``.

    Raises:
        GraphlabError: If ``transformers`` is not installed, or there is no such folder
            and the hub cannot be reached or does not know the id.
    """
    transformers = require("transformers")
    try:
        return transformers.AutoModel.from_pretrained(
            name, dtype=dtype or "auto", **settings
        )
    except (OSError, ValueError) as error:
        raise GraphlabError(_not_found(name)) from error


def load_tokenizer(name: str | Path) -> Any:
    """The tokenizer that belongs to :func:`load_backbone`'s model.

    Raises:
        GraphlabError: As there.
    """
    transformers = require("transformers")
    try:
        return transformers.AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError) as error:
        raise GraphlabError(_not_found(name)) from error


def save_backbone(backbone: nn.Module, folder: str | Path) -> Path:
    """Write a decoder's own weights for :func:`load_backbone`, experts left out.

    Raises:
        GraphlabError: If the folder cannot be written to.
    """
    folder = make_folder(folder)
    config = copy.deepcopy(backbone.config)
    vars(config).pop("quantization_config", None)  # the weights are plain ones
    config.save_pretrained(folder)
    kept = {
        name.replace(".base.", "."): each
        for name, each in backbone.state_dict().items()
        if "lora_" not in name
    }
    save_tensors(kept, folder / "model.safetensors")
    return folder


def _not_found(name: str | Path) -> str:
    if Path(name).is_dir():
        return f"{name} is a folder, but transformers cannot read a model in it"
    return (
        f"{str(name)!r} is no folder here, and could not be had from the hub: offline, "
        "or no such model, or one that asks for a login\n"
        "download it elsewhere and give its folder; graphlab.lora.load_smollm2() needs "
        "no network, tiny_phi3() has random weights"
    )


_TINY = {
    "vocab_size": 64,
    "hidden_size": 96,
    "intermediate_size": 192,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}


def _longrope(
    head: int, partial: float, factor: float, short: float = 1.0, long: float = 1.0
) -> dict:
    pairs = int(head * partial) // 2
    return {
        "rope_type": "longrope",
        "rope_theta": 10000.0,
        "factor": factor,  # longest context over that before its extension
        "partial_rotary_factor": partial,
        "short_factor": [short] * pairs,
        "long_factor": [long] * pairs,
    }


def _random(kind: type, config, seed: int):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return kind(config).eval()
