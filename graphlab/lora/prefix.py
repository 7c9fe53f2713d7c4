"""The layers below the first expert, computed once per response."""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from graphlab.errors import ArgumentError, GraphlabError
from graphlab.lora._decoder import fingerprint, first_expert_layer, lower_part
from graphlab.lora._extra import require
from graphlab.lora._files import make_folder, read_json, save_tensors, write_text

INDEX, FORMAT = "index.json", 1
FILE_BYTES = 1 << 28  # of states in one file, which stays open


class PrefixCache:
    r"""Hidden states below the first expert, by the tokens of a response.

    :func:`cache_prefix` makes it. States are found by the tokens themselves, so a text
    that has changed is never taken for the old one.

    Args:
        layer: Number of layers that the states have passed.
        fingerprint: What tells the backbone's lower layers from others'.
        folder: Folder of the states, or :obj:`None` to hold them in memory.

    Shapes:
        - **cache[tokens]:** states :math:`(T, H)`
    """

    def __init__(self, layer: int, fingerprint: str, folder: Path | None = None):
        self.layer, self.fingerprint, self.folder = layer, fingerprint, folder
        self._memory: dict[str, Tensor] = {}
        self._file_of: dict[str, str] = {}
        self._open: dict[str, Any] = {}
        if folder is not None:
            self._claim(folder / INDEX)
            for file in sorted(folder.glob("states-*.safetensors")):
                self._file_of.update(
                    dict.fromkeys(self._file(file.name).keys(), file.name)
                )

    def __contains__(self, tokens: Sequence[int]) -> bool:
        key = _key(tokens)
        return key in self._memory or key in self._file_of

    def __len__(self) -> int:
        return len(self._memory) + len(self._file_of)

    def __getitem__(self, tokens: Sequence[int]) -> Tensor:
        key = _key(tokens)
        if key in self._memory:
            return self._memory[key]
        if key not in self._file_of:
            raise ArgumentError(
                f"no states of the response with tokens {list(tokens)[:8]}...: call "
                "cache_prefix with it first"
            )
        return self._file(self._file_of[key]).get_tensor(key)

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_open": {}}  # for workers of a data loader

    def add(self, states: dict[str, Tensor]) -> None:
        """Keep the states of some responses, by key."""
        if self.folder is None:
            self._memory.update(states)
            return
        digest = hashlib.blake2b("".join(states).encode(), digest_size=8).hexdigest()
        file = f"states-{digest}.safetensors"
        save_tensors(states, self.folder / file)
        self._file_of.update(dict.fromkeys(states, file))

    def _file(self, name: str) -> Any:
        if name not in self._open:
            safetensors = require("safetensors")
            path = self.folder / name
            try:
                self._open[name] = safetensors.safe_open(path, framework="pt")
            except (OSError, safetensors.SafetensorError) as error:
                raise GraphlabError(f"cannot read {path}: {error}") from error
        return self._open[name]

    def _claim(self, index: Path) -> None:
        own = {
            "format": FORMAT,
            "layer": self.layer,
            "fingerprint": self.fingerprint,
        }
        if not index.is_file():
            write_text(index, json.dumps(own))
        elif read_json(index) != own:
            raise GraphlabError(
                f"{index.parent} holds states of another backbone, or after another "
                f"number of layers than {self.layer}: use another folder"
            )


@torch.no_grad()
def cache_prefix(
    model: nn.Module,
    sequences: Iterable[Sequence[int]],
    folder: str | Path | None = None,
    *,
    batch_size: int = 8,
    dtype: torch.dtype | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> PrefixCache:
    r"""Compute the layers below the first expert, once per response.

    If only the last layers have experts, the states that enter them are the same for
    every user. With the cache, training and evaluation start there: the cost of the
    lower layers no longer depends on the number of users, pairs or epochs.

    Args:
        model: A :class:`RewardModel`, or a decoder with experts.
        sequences: Tokens of each response, without padding
            (:meth:`PreferenceCollator.all_tokens`).
        folder: Where to keep the states as safetensors; what is there already is not
            computed again. By default they are held in memory.
        batch_size: Responses per call of the model; those of like length go together.
        dtype: Type in which states are kept, by default that of the model; half of it
            takes half the space and rounds.
        progress: Called after each batch with the numbers of responses that are done
            and to do.

    Returns:
        The cache, for :class:`PreferenceCollator`.

    Raises:
        ArgumentError: If the first layer has experts, or a response has no token.
        GraphlabError: If the folder belongs to another backbone or cannot be written
            to.

    .. note::
        Longrope, the position code of Phi, takes other frequencies where a batch has a
        text that is longer than the original context. Here every text gets those of
        its own length.
    """
    backbone = getattr(model, "backbone", model)
    depth = first_expert_layer(backbone)
    if depth == 0:
        raise ArgumentError(
            "the first layer has experts, so nothing is the same for all users: give "
            "inject_experts layers=[-2, -1] or so"
        )
    folder = None if folder is None else make_folder(folder)
    cache = PrefixCache(depth, fingerprint(backbone, depth), folder)
    wanted = {_key(each): list(each) for each in sequences}
    wanted = {key: each for key, each in wanted.items() if each not in cache}
    if not all(wanted.values()):
        raise ArgumentError("sequences must have at least one token each")
    training = backbone.training
    backbone.eval()
    try:
        ready: dict[str, Tensor] = {}
        done = 0
        for keys in _batches(wanted, batch_size, _short(backbone)):
            rows = _states(backbone, depth, [wanted[key] for key in keys])
            ready.update((k, r.to(dtype)) for k, r in zip(keys, rows, strict=True))
            if sum(each.nbytes for each in ready.values()) >= FILE_BYTES:
                cache.add(ready)
                ready = {}
            done += len(keys)
            if progress is not None:
                progress(done, len(wanted))
        if ready:
            cache.add(ready)
    finally:
        backbone.train(training)
    return cache


def _states(backbone: nn.Module, depth: int, rows: list[list[int]]) -> list[Tensor]:
    device = next(backbone.parameters()).device
    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(r) + [0] * (longest - len(r)) for r in rows])
    with lower_part(backbone, depth) as states:
        backbone(input_ids=ids.to(device), attention_mask=mask.to(device))
    return [
        state[: len(row)].cpu().clone()
        for state, row in zip(states[0], rows, strict=True)
    ]


def _batches(
    wanted: dict[str, list[int]], size: int, short: int | None
) -> Iterable[list[str]]:
    keys = sorted(wanted, key=lambda key: len(wanted[key]))
    at = 0
    while at < len(keys):
        batch = keys[at : at + size]
        if short is not None and len(wanted[batch[0]]) <= short:
            batch = [key for key in batch if len(wanted[key]) <= short]
        yield batch
        at += len(batch)


def _short(backbone: nn.Module) -> int | None:
    """Length up to which rotary frequencies are the original ones."""
    rope = getattr(backbone.config, "rope_parameters", None) or {}
    kind, length = rope.get("rope_type"), rope.get("original_max_position_embeddings")
    return length if kind == "longrope" else None


def _key(tokens: Sequence[int]) -> str:
    text = ",".join(map(str, tokens))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
