"""Tiny decoders; the tests of this folder need the extra ``lm`` where they load one."""

import pytest
import torch

from graphlab.lora import expert_layers, tiny_llama, tiny_phi3

LENGTH, BATCH = 9, 6


@pytest.fixture(params=["phi3", "llama"])
def decoder(request):
    """A random decoder of three layers."""
    pytest.importorskip("transformers", reason="the extra 'lm' is not installed")
    return {"phi3": tiny_phi3, "llama": tiny_llama}[request.param]()


@pytest.fixture
def phi3():
    pytest.importorskip("transformers", reason="the extra 'lm' is not installed")
    return tiny_phi3()


@pytest.fixture
def llama():
    pytest.importorskip("transformers", reason="the extra 'lm' is not installed")
    return tiny_llama()


@pytest.fixture
def tokens():
    generator = torch.Generator().manual_seed(1)
    return torch.randint(3, 64, (BATCH, LENGTH), generator=generator)


def randomize(model, seed=2):
    """Experts that do something: B is zero at the start."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for _, layer in expert_layers(model):
            layer.lora_A.normal_(0, 0.1, generator=generator)
            layer.lora_B.normal_(0, 0.1, generator=generator)


def hidden(model, tokens, context=None, gates=None):
    """Last hidden states, with gates if there is a context."""
    if context is None:
        return model(input_ids=tokens).last_hidden_state
    with context.use(gates):
        return model(input_ids=tokens).last_hidden_state


def assert_equal(out, expected, rounding=1e-6):
    """Equal up to float32's rounding of the largest value."""
    assert out.shape == expected.shape and out.isfinite().all()
    assert (out - expected).abs().max() <= rounding * expected.abs().max()
