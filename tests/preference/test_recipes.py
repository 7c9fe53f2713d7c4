"""The recipes on files made up in the schemas of the real ones."""

import numpy as np
import pandas as pd
import pytest

from graphlab.errors import ArgumentError, DatasetError
from graphlab.preference import TLDR, PersonalLLM, UltraFeedbackP

KEYS = ("helpfulness", "honesty", "instruction_following", "truthfulness")


def write(folder, rows):
    folder.mkdir(parents=True)
    frame = pd.DataFrame(rows)
    frame.to_json(folder / "part-0.jsonl", orient="records", lines=True)


def completion(text, ratings):
    rated = zip(KEYS, ratings, strict=True)
    return {
        "response": text,
        "annotations": {key: {"Rating": str(value)} for key, value in rated},
    }


def messages(prompt, text):
    return [{"content": prompt, "role": "user"}, {"content": text, "role": "assistant"}]


def ultrafeedback(root, rows):
    """Rows of prompt, ratings of the chosen and of the rejected response."""
    folder = root / "preferences" / "UltraFeedback"
    original, binarized = [], []
    for prompt, chosen, rejected in rows:
        texts = [f"{prompt} yes", f"{prompt} no"]
        completions = [
            completion("another", (1, 1, 1, 1)),
            completion(texts[1], rejected),
            completion(texts[0], chosen),
        ]
        original.append({"instruction": prompt, "completions": completions})
        talk = {"prompt": prompt}
        talk["chosen"], talk["rejected"] = (messages(prompt, t) for t in texts)
        binarized.append(talk)
    write(folder / "original", original[::-1])
    write(folder / "binarized", binarized)
    return root


@pytest.fixture
def uf_root(tmp_path):
    rows = [
        ("agree", (5, 5, 5, 5), (1, 1, 1, 1)),  # all prefer the same: left out
        ("unrated", (5, 5, "N/A", 1), (1, 1, 1, 5)),  # left out
        ("common", (5, 5, 1, 1), (1, 1, 5, 5)),  # P-2 agrees
        ("split", (5, 1, 5, 1), (1, 5, 1, 5)),
        ("odd", (1, 5, 5, 5), (5, 1, 1, 1)),  # three to one
    ]
    rows += [(f"more{i}", (5, 1, 5, 1), (1, 5, 1, 5)) for i in range(17)]
    return ultrafeedback(tmp_path, rows)


def test_ultrafeedback_p_2(uf_root):
    data = UltraFeedbackP(2, uf_root)
    assert len(data.pool) == 20 and data.pool.held_out.sum() == 2
    texts = data.pool.texts.set_index("response")
    assert texts["text"].str.contains("agree|unrated").sum() == 0
    assert (
        texts.loc[data.pool.first[0], "text"]
        == "Human: common\n\nAssistant: common yes"
    )
    split = data.split(40, 10, 4, num_test=5, num_new=1)
    groups = split.groups.to_numpy()
    for table in (split.context, split.test, split.adapt, split.new_test):
        for row in table.itertuples():
            prompt = texts.loc[row.winner, "prompt"]
            says = texts.loc[row.winner, "answer"].endswith("yes")
            helpful = groups[row.user] == 0
            wanted = {"common": True, "odd": not helpful}.get(prompt, helpful)
            assert says == wanted
            assert row.controversial == (prompt != "common")
    assert len(split.new_test) == 40
    assert not set(split.new_test["winner"]) & set(split.responses)


def test_ultrafeedback_p_4(uf_root):
    data = UltraFeedbackP(4, uf_root, new_share=0.0)
    prefers = dict(zip(data.pool.texts["prompt"], data.pool.differences, strict=False))
    first = data.pool.texts.set_index("response").loc[data.pool.first, "prompt"]
    prefers = dict(zip(first, data.pool.differences, strict=True))
    assert prefers["common"].tolist() == [1, 1, -1, -1]
    assert prefers["odd"].tolist() == [-1, 1, 1, 1]
    split = data.split(40, 8, num_test=2, num_new=0)
    assert (split.context.groupby("user").size() == 15).all()  # 16 with validation
    assert sorted(split.groups.unique()) == [0, 1, 2, 3]


def test_ties_are_broken_once_per_pair_and_attribute(tmp_path):
    rows = [(f"p{i}", (3, 5, 3, 1), (3, 1, 3, 5)) for i in range(200)]
    one, same, other = (
        UltraFeedbackP(4, ultrafeedback(tmp_path / str(n), rows), seed=seed).pool
        for n, seed in enumerate((0, 0, 1))
    )
    assert set(np.unique(one.differences)) == {-1, 1}
    assert 60 < (one.differences[:, 0] > 0).sum() < 140
    assert (one.differences[:, 1] == 1).all()
    assert np.array_equal(one.differences, same.differences)
    assert not np.array_equal(one.differences, other.differences)


def test_too_long_texts_are_left_out(uf_root):
    data = UltraFeedbackP(
        2, uf_root, max_length=3, length=lambda t: len(t.split("more"))
    )
    assert len(data.pool) == 20
    short = UltraFeedbackP(2, uf_root, max_length=2, length=lambda t: t.count("more"))
    assert len(short.pool) == 20
    none = UltraFeedbackP(2, uf_root, max_length=1, length=lambda t: t.count("more"))
    assert len(none.pool) == 3
    with pytest.raises(DatasetError, match="no pair that fits"):
        UltraFeedbackP(2, uf_root, max_length=1)


def tldr(root):
    def row(post, texts, policies, worker):
        summaries = [
            {"text": t, "policy": p, "note": None}
            for t, p in zip(texts, policies, strict=True)
        ]
        return {"info": {"post": post}, "summaries": summaries, "worker": worker}

    sup = ("sup1", "sup2")
    train = [row(f"post{i}", ("short", "much longer"), sup, "busy") for i in range(20)]
    train += [
        row("post0", ("short", "much longer"), sup, "busy"),  # again
        row("ppo", ("short", "much longer"), ("sup1", "sup_ppo"), "busy"),
        row("ref", ("short", "much longer"), ("sup1", "ref"), "busy"),
        row("even", ("abc", "xyz"), sup, "busy"),
        row("rare", ("a", "bc"), sup, "rare"),
    ]
    train += [
        row(f"by {w} {i}", ("x", "yz"), sup, f"w{w}") for w in range(9) for i in (0, 1)
    ]
    later = [row(f"val{i}", ("much longer", "short"), sup, "busy") for i in range(5)]
    later += [row("stranger", ("a", "bc"), sup, "nobody")]
    write(root / "preferences" / "TLDR" / "train", train)
    write(root / "preferences" / "TLDR" / "validation", later)
    return root


def test_tldr(tmp_path):
    data = TLDR(tldr(tmp_path))
    prompts = set(data.pool.texts["prompt"])
    assert not prompts & {"ppo", "ref", "rare", "stranger"} and "by 3 1" in prompts
    assert len(data.pool) == 20 + 1 + 18 + 5 and data.pool.held_out.sum() == 5
    split = data.split(200, 20, 4, num_test=10, num_new=3)
    length = data.pool.texts.set_index("response")["answer"].str.len()
    groups = split.groups.to_numpy()
    for table in (split.context, split.unseen_test, split.new_test):
        better, worse = length[table["winner"]], length[table["loser"]]
        longer = better.to_numpy() - worse.to_numpy()
        wanted = np.where(groups[table["user"]] == 0, -1, 1)
        assert (np.sign(longer) == wanted)[longer != 0].all()
    even = data.pool.texts.query("prompt == 'even'")["response"]
    given = split.context[split.context["winner"].isin(even)]
    assert given["winner"].nunique() == 2  # a coin decides
    assert split.context["controversial"].all()


def personal_llm(root):
    generator = np.random.default_rng(0)

    def row(i):
        out = {"prompt": f"prompt {i}"}
        for r in range(1, 9):
            out[f"response_{r}"] = f"answer {r} to {i}"
            for name in ("gemma_7b", "mistral_weqweasdas", "llama3_sfairx"):
                out[f"response_{r}_{name}"] = float(generator.normal())
            out[f"response_{r}_oasst_deberta_v3"] = float(generator.normal())
        return out

    folder = root / "preferences" / "PersonalLLM"
    write(folder / "train", [row(i) for i in range(30)])
    write(folder / "test", [row(i) for i in range(30, 36)])
    return root


def test_personal_llm(tmp_path):
    data = PersonalLLM(personal_llm(tmp_path))
    difference = data.pool.differences
    assert ((difference > 0).any(1) & (difference < 0).any(1)).all()
    assert 70 < len(data.pool) < 108
    texts = data.pool.texts.set_index("response")
    numbers = texts["answer"].str.extract(r"answer (\d)")[0]
    assert set(numbers) == {"5", "6", "7"}
    late = texts.loc[data.pool.first[data.pool.held_out], "prompt"].str[7:].astype(int)
    assert (late >= 30).all()
    frame = pd.read_json(
        tmp_path / "preferences" / "PersonalLLM" / "train" / "part-0.jsonl", lines=True
    ).set_index("prompt")
    one, other = data.pool.first[5], data.pool.second[5]
    row = frame.loc[texts.loc[one, "prompt"]]
    wanted = [
        row[f"response_{numbers[one]}_{name}"]
        - row[f"response_{numbers[other]}_{name}"]
        for name in ("gemma_7b", "mistral_weqweasdas", "llama3_sfairx")
    ]
    assert difference[5, :3].tolist() == pytest.approx(wanted)
    split = data.split(50, 10, 6, num_test=10, num_new=4)
    assert split.groups is None and len(split.new_test) == 200
    assert 0 < split.test["controversial"].mean() < 1


@pytest.mark.parametrize(
    ("make", "name", "download"),
    [
        (UltraFeedbackP, "UltraFeedback", "openbmb/UltraFeedback"),
        (TLDR, "TLDR", "openai/summarize_from_feedback"),
        (PersonalLLM, "PersonalLLM", "namkoong-lab/PersonalLLM"),
    ],
)
def test_absent_files_say_what_to_download(tmp_path, monkeypatch, make, name, download):
    monkeypatch.delenv("GRAPHLAB_DATA", raising=False)
    with pytest.raises(DatasetError, match=download):
        make()
    with pytest.raises(
        DatasetError, match=f"{name} is not there\ndownload .*{download}"
    ):
        make(data_root=tmp_path)
    (tmp_path / "preferences" / name).mkdir(parents=True)
    with pytest.raises(DatasetError, match=f"has no .parquet(.|\n)*{download}"):
        make(data_root=tmp_path)


def test_another_schema(tmp_path):
    folder = tmp_path / "preferences" / "UltraFeedback"
    write(folder / "original", [{"instruction": "a", "text": "b"}])
    with pytest.raises(DatasetError, match="part-0.jsonl: .*it lacks completions"):
        UltraFeedbackP(data_root=tmp_path)
    (folder / "original" / "part-0.jsonl").unlink()
    pd.DataFrame([{"instruction": "a", "completions": [{"response": "b"}]}]).to_json(
        folder / "original" / "x.jsonl", orient="records", lines=True
    )
    write(folder / "binarized", [{"prompt": "a", "chosen": "b", "rejected": "c"}])
    with pytest.raises(DatasetError, match="completions must have annotations"):
        UltraFeedbackP(data_root=tmp_path)
    with pytest.raises(ArgumentError, match="num_types: must be one of 2, 4"):
        UltraFeedbackP(3, tmp_path)
