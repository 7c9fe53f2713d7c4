import pytest
import torch

from graphlab.errors import ArgumentError
from graphlab.lora import PreferenceCollator, UserVectors

WORDS = ["<pad>", "<eos>", "<unk>", "a", "b", "c", "d"]


@pytest.fixture
def tokenizer():
    """A word per token, made here."""
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = {word: number for number, word in enumerate(WORDS)}
    inner = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>"
    )


def test_winners_then_losers(tokenizer):
    users = UserVectors(torch.eye(3), ["x", "y", "z"])
    collate = PreferenceCollator(tokenizer, users)
    batch = collate(
        [
            {"user": "z", "winner": "a b", "loser": "c"},
            {"user": "x", "winner": "d", "loser": "b b b"},
        ]
    )
    assert batch["input_ids"].tolist() == [
        [3, 4, 1, 0],
        [6, 1, 0, 0],
        [5, 1, 0, 0],
        [4, 4, 4, 1],
    ]
    assert batch["attention_mask"].sum(1).tolist() == [3, 2, 2, 4]
    assert batch["users"].tolist() == [2, 0]
    assert batch["user_vectors"].tolist() == [[0, 0, 1], [1, 0, 0]]
    assert batch["return_loss"] is True


def test_left_padding_and_padding_that_is_eos(tokenizer):
    tokenizer.pad_token, tokenizer.padding_side = tokenizer.eos_token, "left"
    batch = PreferenceCollator(tokenizer).batch(["a <eos> b", "c"])
    assert batch["input_ids"].tolist() == [[3, 1, 4, 1], [1, 1, 5, 1]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1], [0, 0, 1, 1]]


def test_end_of_sequence_is_there_once(tokenizer):
    collate = PreferenceCollator(tokenizer, max_length=3)
    assert collate.tokens("a <eos>") == [3, 1]
    assert collate.tokens("a b c d") == [3, 4, 1]
    tokenizer.truncation_side = "left"
    assert collate.tokens("a b c d") == [5, 6, 1]
    plain = PreferenceCollator(tokenizer, max_length=3, add_eos=False)
    assert plain.tokens("a b c d") == [4, 5, 6]
    assert PreferenceCollator(tokenizer, max_length=1).tokens("a b") == [1]


def test_responses_by_id_are_tokenized_once(tokenizer):
    calls = []

    def counting(text):
        calls.append(text)
        return tokenizer(text)

    for name in ("pad_token_id", "eos_token_id", "padding_side", "truncation_side"):
        setattr(counting, name, getattr(tokenizer, name))
    collate = PreferenceCollator(counting, responses={7: "a", ("p", 1): "b c"})
    pairs = [{"winner": 7, "loser": ("p", 1)}] * 3
    assert collate(pairs)["input_ids"].tolist() == [[3, 1, 0]] * 3 + [[4, 5, 1]] * 3
    assert calls == ["a", "b c"]
    assert collate.all_tokens() == [[3, 1], [4, 5, 1]]


def test_an_id_goes_before_a_text(tokenizer):
    collate = PreferenceCollator(tokenizer, responses={"a": "b"})
    assert collate.tokens("a") == [4, 1] and collate.tokens("c") == [5, 1]


def test_tokenizer_without_padding(tokenizer):
    tokenizer.pad_token = None
    with pytest.raises(ArgumentError, match="padding token.*pad_token = .*eos_token"):
        PreferenceCollator(tokenizer)


def test_mistakes(tokenizer):
    users = UserVectors(torch.eye(2), ["x", "y"])
    with pytest.raises(ArgumentError, match="user 'q' has no vector among the 2"):
        PreferenceCollator(users=users)([{"user": "q", "winner": [1], "loser": [2]}])
    collate = PreferenceCollator(responses={"r": [3]})
    with pytest.raises(ArgumentError, match="'s' is unknown among 1, .*no tokenizer"):
        collate.tokens("s")
    with pytest.raises(ArgumentError, match=r"response \[\] has no token"):
        collate.tokens([])
    with pytest.raises(ArgumentError, match="response 5 is unknown"):
        PreferenceCollator(tokenizer).tokens(5)
    with pytest.raises(ArgumentError, match="max_length"):
        PreferenceCollator(max_length=0)
    with pytest.raises(ArgumentError, match="has no token"):
        PreferenceCollator(tokenizer, add_eos=False).tokens("")
