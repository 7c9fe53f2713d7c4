"""From pairs of responses to batches."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from graphlab.errors import ArgumentError
from graphlab.lora.prefix import PrefixCache
from graphlab.lora.user_vectors import UserVectors


class PreferenceCollator:
    r"""Batches of preferences: all winners, then all losers, padded to one length.

    A preference is a dictionary ``{"user": ..., "winner": ..., "loser": ...}``. A
    response is an id that ``responses`` knows, or else a text, or else a list of
    tokens. Without a tokenizer all have to be tokens.

    Args:
        tokenizer: A tokenizer of ``transformers`` with a padding token; its
            ``padding_side`` is obeyed.
        users: Vectors by user id; without them preferences need no user.
        responses: Text or tokens by response id.
        prefixes: States that :func:`cache_prefix` has computed; they then stand for the
            tokens.
        max_length: Tokens beyond are cut off on the tokenizer's ``truncation_side``.
        add_eos: End each text with the end-of-sequence token, whose state is read off.

    Shapes:
        - **output:** ``input_ids`` :math:`(2B, T)` or ``prefix`` :math:`(2B, T, H)`,
          ``attention_mask`` :math:`(2B, T)`, ``users`` :math:`(B)` (rows of ``users``)
          and ``user_vectors`` :math:`(B, d)`

    Raises:
        ArgumentError: If the tokenizer has no padding token, a user or a response is
            unknown, or a response has no token.

    Example:
        >>> users = UserVectors(torch.eye(2), ids=["ann", "bob"])
        >>> collate = PreferenceCollator(users=users)
        >>> batch = collate([{"user": "bob", "winner": [5, 6, 7], "loser": [8]}])
        >>> batch["input_ids"]
        tensor([[5, 6, 7],
                [8, 0, 0]])
        >>> batch["users"], batch["attention_mask"].sum(1)
        (tensor([1]), tensor([3, 1]))
    """

    def __init__(
        self,
        tokenizer: Any = None,
        users: UserVectors | None = None,
        responses: Mapping[Hashable, str | Sequence[int]] | None = None,
        prefixes: PrefixCache | None = None,
        max_length: int = 1024,
        add_eos: bool = True,
    ):
        if tokenizer is not None and tokenizer.pad_token_id is None:
            raise ArgumentError(
                "tokenizer must have a padding token, this "
                f"{type(tokenizer).__name__} has none; for instance "
                "tokenizer.pad_token = tokenizer.eos_token (padding is told by the "
                "attention mask, so texts may contain it)"
            )
        if max_length < 1:
            raise ArgumentError(f"max_length must be at least 1, got {max_length!r}")
        self.tokenizer = tokenizer
        self.users, self.prefixes = users, prefixes
        self.responses = {} if responses is None else responses
        self.max_length, self.add_eos = max_length, add_eos
        self._known: dict[Hashable, list[int]] = {}  # tokens by response id

    def __call__(self, pairs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """A batch for :class:`RewardModel`, its loss included."""
        responses = [p["winner"] for p in pairs] + [p["loser"] for p in pairs]
        batch = {**self.batch(responses), "return_loss": True}
        if self.users is None:
            batch["users"] = torch.zeros(len(pairs), dtype=torch.long)
            return batch
        rows = self.users.rows(p["user"] for p in pairs)
        return {**batch, "users": rows, "user_vectors": self.users.vectors[rows]}

    def batch(self, responses: Sequence[Any]) -> dict[str, Tensor]:
        """Tokens or states of some responses with their attention mask."""
        tokens = [self.tokens(each) for each in responses]
        left = getattr(self.tokenizer, "padding_side", "right") == "left"
        if self.prefixes is not None:
            rows, fill = [self.prefixes[each] for each in tokens], 0.0
        else:
            rows = [torch.tensor(each) for each in tokens]
            fill = 0 if self.tokenizer is None else self.tokenizer.pad_token_id
        name = "input_ids" if self.prefixes is None else "prefix"
        ones = [torch.ones(len(each), dtype=torch.long) for each in rows]
        return {name: _pad(rows, fill, left), "attention_mask": _pad(ones, 0, left)}

    def tokens(self, response: Any) -> list[int]:
        """The tokens of a response."""
        known = isinstance(response, Hashable) and response in self.responses
        if not known:
            return self._encode(response, response)
        if response not in self._known:
            self._known[response] = self._encode(self.responses[response], response)
        return self._known[response]

    def all_tokens(self) -> list[list[int]]:
        """The tokens of all ``responses``, for :func:`cache_prefix`."""
        return [self.tokens(each) for each in self.responses]

    def _encode(self, text: Any, shown: Any) -> list[int]:
        if isinstance(text, str) and self.tokenizer is not None:
            ids = self.tokenizer(text)["input_ids"]
            eos = self.tokenizer.eos_token_id
            if self.add_eos and eos is not None and ids[-1:] != [eos]:
                return self._cut(ids, self.max_length - 1) + [eos]
        elif isinstance(text, Sequence) and not isinstance(text, str):
            ids = [int(each) for each in text]
        else:
            have = "" if not self.responses else f" among {len(self.responses)}"
            raise ArgumentError(
                f"response {shown!r} is unknown{have}, and no text or list of tokens"
                + (" (no tokenizer)" if self.tokenizer is None else "")
            )
        if not ids:
            raise ArgumentError(f"response {shown!r} has no token")
        return self._cut(ids, self.max_length)

    def _cut(self, ids: list[int], length: int) -> list[int]:
        if getattr(self.tokenizer, "truncation_side", "right") == "left":
            return ids[max(0, len(ids) - length) :]
        return ids[:length]


def _pad(rows: Sequence[Tensor], fill: float, left: bool) -> Tensor:
    if left:  # pad the reversed rows on their right, then turn back
        rows = [row.flip(0) for row in rows]
    padded = torch.nn.utils.rnn.pad_sequence(
        list(rows), batch_first=True, padding_value=fill
    )
    return padded.flip(1) if left else padded
