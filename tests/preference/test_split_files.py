"""A split comes back from its files as it was, or says what is wrong with them."""

import json
from dataclasses import fields, replace

import pandas as pd
import pytest

from graphlab.errors import ArgumentError, StoreError
from graphlab.preference import (
    SyntheticGroups,
    load_split_files,
    save_split,
    split_users,
)
from graphlab.preference.data.split_files import split_checksum


@pytest.fixture
def small():
    return SyntheticGroups(
        num_prompts=30, num_users=12, num_unseen=4, num_test=5, num_annotations=3
    ).split()


def same(one, other) -> bool:
    """Equal ids and values; an empty column has no type."""
    for field in fields(one):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if a is None or b is None:
            assert a is b, field.name
        elif isinstance(a, pd.DataFrame):
            assert a.to_dict("list") == b.to_dict("list"), field.name
        else:
            assert a.tolist() == b.tolist(), field.name
            if isinstance(a, pd.Series):
                assert a.index.tolist() == b.index.tolist()
    return True


def test_a_split_comes_back(small, tmp_path):
    checksum = save_split(small, tmp_path / "split")
    again = load_split_files(tmp_path / "split")
    assert same(small, again)
    assert again.context["user"].dtype == small.context["user"].dtype
    assert checksum == split_checksum(small) == split_checksum(again)
    assert again.graph().num_nodes == small.graph().num_nodes


def test_ids_of_any_kind_and_texts_of_any_kind_come_back(tmp_path):
    users = ["007", "1e5", ("eve", 3), 7, "2024-01-01", "nobody"]
    table = pd.DataFrame(
        {
            "user": [u for u in users for _ in range(4)],
            "winner": ["1", "b", ("c", 1), "d"] * 6,
            "loser": ["b", ("c", 1), "d", "1"] * 6,
        }
    )
    split = split_users(table, unseen_users=0.4, num_annotations=3, seed=1)
    texts = pd.DataFrame(
        {
            "response": split.responses,
            "text": ["line\nbreak", "\u2028", '"', "日本"],
            "note": [None] * 4,
        }
    )
    split = replace(split, texts=texts)
    save_split(split, tmp_path)
    again = load_split_files(tmp_path)
    assert same(split, again)
    assert {"007", ("eve", 3), 7} <= {*again.users, *again.unseen_users}


def test_other_ids_are_refused(small, tmp_path):
    table = small.context.assign(user=[frozenset([1])] * len(small.context))
    with pytest.raises(ArgumentError, match="ids must be numbers, strings, or tuples"):
        save_split(replace(small, context=table), tmp_path)
    with pytest.raises(StoreError, match="cannot be read"):
        load_split_files(tmp_path)


def test_what_is_missing_or_damaged_is_named(small, tmp_path):
    folder = tmp_path / "split"
    with pytest.raises(StoreError, match=r"split.json: cannot be read: No such file"):
        load_split_files(folder)
    save_split(small, folder)
    file = folder / "val.jsonl"
    file.write_text(file.read_text().replace('"user": 3', '"user": 4'))
    with pytest.raises(StoreError, match=r"val.jsonl: damaged, its checksum"):
        load_split_files(folder)
    file.unlink()
    with pytest.raises(StoreError, match=r"val.jsonl: cannot be read"):
        load_split_files(folder)
    index = folder / "split.json"
    content = json.loads(index.read_text())
    for text in ("{", "[]", json.dumps(content | {"checksum": "0"})):
        index.write_text(text)
        with pytest.raises(StoreError, match=r"split.json: "):
            load_split_files(folder)


def test_a_folder_that_cannot_be_written(small, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file: cannot be written"):
        save_split(small, tmp_path / "file")
