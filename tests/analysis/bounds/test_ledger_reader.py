"""A ledger that went through JSON is the one that was written."""

import json

import numpy as np
import pytest

from graphlab.analysis import GraphSample, NetworkNorms, ledger
from graphlab.analysis.bounds.ledger_reader import read_ledger


@pytest.fixture
def found():
    rng = np.random.default_rng(0)
    y = np.arange(24) % 3
    histograms = rng.integers(0, 4, (24, 5)) + 3 * np.eye(3, 5)[y]
    logits = histograms @ rng.normal(size=(5, 3))
    norms = NetworkNorms(("w",), (2.0,), (2.0,), (3,), (0,), 1, np.inf, 1, 9, 1)
    tested = {"test_logits": logits[:6], "test_y": y[:6]}
    sample = GraphSample(
        histograms, None, logits, y, 3, norms=norms, name="it", **tested
    )
    return ledger(sample, baselines={"train_loss": np.nan})


def test_nothing_is_lost(found):
    again = read_ledger(json.loads(found.to_json()))
    assert again.to_json() == found.to_json()
    assert again.to_markdown() == found.to_markdown()
    assert again.to_row().keys() == found.to_row().keys()
    assert type(again.sizes["classes"]) is int
    assert [b.status for b in again.bounds] == [b.status for b in found.bounds]
    assert any(b.score for b in again.bounds) and again.refused
    assert np.isinf(again["PAC-Bayes (Ju)"].value)
    assert np.isnan(again.baselines["train_loss"])


def test_what_is_missing_is_not_made_up(found):
    content = json.loads(found.to_json())
    del content["bounds"][0]["parts"]
    with pytest.raises(KeyError, match="parts"):
        read_ledger(content)
