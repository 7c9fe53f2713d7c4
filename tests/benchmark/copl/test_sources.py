"""Every source by its name, and what is said of those that cannot be had."""

import json

import pandas as pd
import pytest

from graphlab.benchmark.copl import SOURCES, load_split
from graphlab.errors import ArgumentError, DatasetError

LOCAL = {
    "ultrafeedback-p-2": "openbmb/UltraFeedback",
    "ultrafeedback-p-4": "openbmb/UltraFeedback",
    "tldr": "summarize_from_feedback",
    "personal-llm": "namkoong-lab/PersonalLLM",
    "jester": "recommenderlab",
    "jester-disjoint": "recommenderlab",
}
SMALL = dict(num_prompts=30, num_users=20, num_unseen=5, num_test=4)


@pytest.fixture
def table(tmp_path):
    """Ten users with six pairs each, as a file."""
    rows = [
        {"user": f"u{u}", "winner": p, "loser": p + 100}
        for u in range(10)
        for p in range(6)
    ]
    file = tmp_path / "pairs.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


@pytest.mark.parametrize("source", ["uf2", "uf2-noise", "uf4", "uf4-noise"])
def test_groups(source):
    one, again, other = (load_split(source, seed=s, **SMALL) for s in (0, 0, 1))
    assert one.context.equals(again.context) and not one.context.equals(other.context)
    given = 16 if source.startswith("uf4") else 8
    assert len(one.context) == 20 * (given - 1) and len(one.adapt) == 5 * given
    assert one.groups.nunique() == int(source[2])
    few = load_split(source, annotations=4, **SMALL)
    assert len(few.context) == 60 and len(few.val) == 20


def test_noise_is_noise():
    clean, noisy = (load_split(s, **SMALL) for s in ("uf2", "uf2-noise"))
    keys = ["user", "winner", "loser"]
    both = clean.test[keys].merge(noisy.test[keys])
    assert 0.7 < len(both) / len(clean.test) < 0.97
    quiet = load_split("uf2-noise", noise=0.0, **SMALL)
    assert quiet.test.equals(clean.test)


def test_a_table_of_ones_own(table, tmp_path):
    split = load_split("pairs", path=table, annotations=3, unseen_users=0.2)
    assert (len(split.users), len(split.unseen_users)) == (8, 2)
    assert len(split.context) == 16 and len(split.val) == 8 and split.texts is None
    texts = tmp_path / "texts.csv"
    pd.DataFrame(
        {"response": [*range(6), *range(100, 106)], "text": ["words"] * 12}
    ).to_csv(texts, index=False)
    assert len(load_split("pairs", path=table, texts=texts).texts) == 12
    texts.write_text("response,text\n1,one\n")
    with pytest.raises(ArgumentError, match=r"texts.csv lacks 11 of 12 responses"):
        load_split("pairs", path=table, texts=texts)


@pytest.mark.parametrize("source", LOCAL)
def test_absent_files_say_what_to_download(source, tmp_path, monkeypatch):
    monkeypatch.delenv("GRAPHLAB_DATA", raising=False)
    for given in ({}, {"path": tmp_path}, {"data_root": tmp_path}):
        with pytest.raises(DatasetError, match=LOCAL[source]):
            load_split(source, **given)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(source="uf3"), "source: unknown 'uf3'; did you mean"),
        (dict(source="uf2", annotations=1), "annotations must be .* at least 2"),
        (dict(source="uf2", annotations=2.0), "annotations must be a whole number"),
        (dict(source="uf2", num_user=3), "num_user: source 'uf2' has no such size"),
        (dict(source="uf2", num_users=0), "num_users must be"),
        (dict(source="uf2", path="x"), "path: source 'uf2' is generated"),
        (dict(source="pairs"), "path: source 'pairs' needs a table .*user, winner"),
        (dict(source="pairs", path="no.csv"), "no.csv cannot be read"),
        (dict(source="pairs", path="no.xls"), "must be a data frame or a .parquet"),
        (dict(source="jester", texts="x"), "texts: source 'jester' has its own"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        load_split(**arguments)


def test_each_source_says_what_it_is():
    assert all(one.about and one.sizes for one in SOURCES.values())
