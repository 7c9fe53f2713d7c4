"""Reward models by configuration, their users and their responses."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import normalize

from graphlab.benchmark.copl.reward_config import METHODS, RewardConfig
from graphlab.errors import ArgumentError

if TYPE_CHECKING:
    from graphlab.lora import PreferenceCollator, RewardModel, UserVectors
    from graphlab.preference import PreferenceSplit


def build(config: RewardConfig, backbone: Any, user_channels: int) -> "RewardModel":
    """A reward model with new weights, drawn with the seed.

    Raises:
        ArgumentError: If the backbone has fewer layers than the configuration says.
    """
    from graphlab.lora import RewardModel, inject_experts
    from graphlab.lora._decoder import decoder_layers

    depth = len(decoder_layers(backbone))
    if config.layers > depth:
        raise ArgumentError(
            f"layers must be at most {depth}, the number of decoder layers of "
            f"{config.backbone}, got {config.layers}"
        )
    layers = list(range(-config.layers, 0))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        if config.method == "experts":
            return RewardModel.with_experts(
                backbone,
                user_channels,
                num_experts=config.num_experts,
                rank=config.rank,
                shared_rank=config.shared_rank,
                layers=layers,
                balance_weight=config.balance_weight,
            )
        context = None
        if layers:
            context = inject_experts(
                backbone, num_experts=1, rank=config.total_rank, layers=layers
            )
        return RewardModel(
            backbone,
            context,
            head=METHODS[config.method],
            user_channels=user_channels,
        )


def scaled_users(
    users: "UserVectors", seen: Iterable, config: RewardConfig
) -> "UserVectors":
    """User vectors as the model gets them.

    Args:
        users: Vectors of all users, by id.
        seen: Ids of those who count for ``user_scale="standard"``.
        config: The configuration.
    """
    from graphlab.lora import UserVectors

    vectors = users.vectors.float()
    if config.user_scale == "unit":
        vectors = normalize(vectors, dim=1) * vectors.size(1) ** 0.5
    elif config.user_scale == "standard":
        some = vectors[users.rows(seen)]
        vectors, some = vectors - some.mean(0), some - some.mean(0)
        vectors = vectors / some.square().mean().sqrt().clamp(min=1e-12)
    return UserVectors(vectors * config.user_length, users.ids)


def texts_of(split: "PreferenceSplit", responses: Iterable) -> dict[Any, str]:
    """The text of each of some responses.

    Raises:
        ArgumentError: If the split has no texts, or one has none.
    """
    if split.texts is None:
        raise ArgumentError(
            "split has no texts, which a reward model reads: choose a source with "
            "texts, such as style or jester, or give a file of texts"
        )
    known = dict(zip(split.texts["response"], split.texts["text"], strict=True))
    wanted = list(dict.fromkeys(responses))
    missing = [each for each in wanted if not isinstance(known.get(each), str)]
    if missing:
        raise ArgumentError(
            f"texts must hold the text of each response; {len(missing):,} of "
            f"{len(wanted):,} have none, the first is {missing[0]!r}"
        )
    return {each: known[each] for each in wanted}


def collator_for(
    config: RewardConfig, tokenizer: Any, users: "UserVectors", texts: dict[Any, str]
) -> "PreferenceCollator":
    """What makes batches; without users if the method does not know them."""
    from graphlab.lora import PreferenceCollator

    return PreferenceCollator(
        tokenizer,
        users if config.personal else None,
        texts,
        max_length=config.max_length,
    )


def pairs_of(table: Any) -> list[dict[str, Any]]:
    """The rows of a table as the collator wants them."""
    return table[["user", "winner", "loser"]].to_dict("records")


def responses_of(*tables: Any) -> list:
    """The responses of some tables, each once, in order of appearance."""
    found = dict.fromkeys(
        each for t in tables for c in ("winner", "loser") for each in t[c].tolist()
    )
    return list(found)


def users_of(*tables: Any) -> list:
    """The users of some tables, each once, in order of appearance."""
    return list(dict.fromkeys(each for t in tables for each in t["user"].tolist()))


def cached(
    model: "RewardModel",
    collator: "PreferenceCollator",
    states: Any = None,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Let a collator give states in place of tokens; not if all layers have experts."""
    from graphlab.lora import cache_prefix

    if model.first_expert_layer == 0:
        return
    tokens = collator.all_tokens()
    found = cache_prefix(model, tokens, states, progress=progress)
    collator.prefixes = found if model.context else _LastStates(found, tokens)


class _LastStates:
    """The state of the last token alone: all that a head on a frozen decoder reads."""

    def __init__(self, cache: Any, sequences: Iterable[list[int]]):
        self._states = {tuple(each): cache[each][-1:].clone() for each in sequences}

    def __getitem__(self, tokens: list[int]) -> torch.Tensor:
        return self._states[tuple(tokens)]
