"""Models of several depths: what depth is known to do to them, and the plot."""

import math

import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure
from torch_geometric.data import Data

import graphlab.nn as gnn
from graphlab.analysis import diagnose, gradient_profile, plot_depth, save_depth_plot
from graphlab.errors import ArgumentError


@pytest.fixture(scope="module")
def data():
    torch.manual_seed(0)
    edges = torch.randint(60, (2, 150))
    edges = torch.cat([edges, edges.flip(0)], 1)
    y = torch.randint(3, (60,))
    mask = torch.arange(60) % 2 == 0
    return Data(x=torch.randn(60, 10), edge_index=edges, y=y, train_mask=mask)


def of(kind, **arguments):
    return lambda depth: kind(10, 8, 3, num_layers=depth, **arguments)


MODELS = {
    "plain": of(gnn.GCN),
    "residual": of(gnn.ResGCN),
    "bounded": of(gnn.LipschitzResGNN, c="1/L"),
}


@pytest.fixture(scope="module")
def found(data):
    return diagnose(MODELS, data, [2, 64], seed=1)


def test_depth_does_what_theory_says(found):
    table = found.summary().pivot(index="depth", columns="model")
    norm = table["gradient_norm"]
    assert norm["plain"][64] < 1e-6 * norm["plain"][2]
    assert norm["residual"][64] > 1e6 * norm["residual"][2]
    assert 0.5 < norm["bounded"][64] / norm["bounded"][2] < 2
    # The raw distance only sees the norm vanish; of what is left, smoothness grows.
    share = table["gradient_relative_distance_to_degree_subspace"]
    assert share["plain"][64] < 0.6 * share["plain"][2]
    bound = table["log10_lipschitz_product"]["bounded"]
    assert bound[64] < math.log10(math.e) * 1.01


def test_rows_are_those_of_each_profile(data, found):
    frame = found.to_dataframe()
    assert len(frame) == 3 * (2 + 64) and found.seed == 1
    torch.manual_seed(1)
    model = MODELS["residual"](64)
    rows = gradient_profile(
        model, data.x, data.edge_index, data.y, data.train_mask
    ).rows
    part = frame[(frame["model"] == "residual") & (frame["depth"] == 64)]
    assert list(part["gradient_norm"]) == [row["gradient_norm"] for row in rows]
    summary = found.summary().set_index(["model", "depth"]).loc[("residual", 64)]
    assert summary["gradient_norm"] == rows[0]["gradient_norm"]
    assert summary["gradient_norm_last"] == rows[-1]["gradient_norm"]
    assert summary["dirichlet_energy"] == rows[-1]["dirichlet_energy"]


def test_equal_seeds_give_equal_bits_and_the_callers_numbers_stay(data, found):
    state = torch.get_rng_state()
    again = diagnose(MODELS, data, [2, 64], seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert again.to_dataframe().equals(found.to_dataframe())
    other = diagnose(MODELS, data, [2, 64], seed=2).to_dataframe()
    assert not other["norm"].equals(found.to_dataframe()["norm"])


def test_over_training(data):
    calls = []

    def trainer(model):
        def advance(epochs):
            calls.append(epochs)
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.mul_(2.0**epochs)

        return advance

    models = {"plain": of(gnn.GCN)}
    found = diagnose(models, data, [2], epochs=[5, 0, 2], trainer=trainer)
    summary = found.summary()
    assert list(summary["epoch"]) == [0, 2, 5] and calls == [2, 3]
    norms = list(summary["norm"])
    assert norms[1] == pytest.approx(4 * norms[0], rel=1e-4)
    assert norms[2] == pytest.approx(8 * norms[1], rel=1e-4)


def test_progress_is_told(data):
    told = []
    diagnose({"a": of(gnn.GCN)}, data, [2, 3], progress=lambda *news: told.append(news))
    assert told == [("a, 2 layers", 0, 2), ("a, 3 layers", 1, 2)]


def broken(depth):
    if depth > 2:
        raise RuntimeError("too deep")
    return gnn.GCN(10, 8, 3, num_layers=depth)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"depths": [0]}, "depths must be whole numbers of at least 1, got 0"),
        ({"depths": [2.0]}, "depths must be whole numbers"),
        ({"depths": []}, "depths must be .* got none"),
        ({"epochs": [-1]}, "epochs must be whole numbers of at least 0"),
        ({"epochs": [0, 3]}, "need a trainer"),
        ({"models": {}}, "models must name"),
        ({"models": {"b": broken}}, "b with 4 layers: RuntimeError: too deep"),
        ({"models": {"m": lambda depth: torch.nn.Linear(10, 3)}}, "m with 2 layers"),
    ],
)
def test_bad_arguments_are_named(data, change, text):
    arguments = {"models": {"a": of(gnn.GCN)}, "depths": [2, 4]} | change
    with pytest.raises(ArgumentError, match=text):
        diagnose(data=data, **arguments)


def test_nan_features_are_named(data):
    bad = data.clone()
    bad.x = bad.x.clone()
    bad.x[3, 3] = torch.nan
    with pytest.raises(ArgumentError, match="x must be finite"):
        diagnose(MODELS, bad, [2])


def test_the_plot_has_a_line_for_each_model_and_depths_on_a_log_axis(found):
    figure = plot_depth(found.summary(), "a title")
    assert isinstance(figure, Figure) and len(figure.axes) == 6
    for axis in figure.axes:
        assert axis.get_xscale() == "log"
        assert [t.get_text() for t in axis.get_xticklabels()] == ["2", "64"]
        assert len(axis.lines) == 3
    norm = figure.axes[0]
    expected = found.summary()
    for line, name in zip(norm.lines, MODELS, strict=True):
        rows = expected[expected["model"] == name]
        assert list(line.get_ydata()) == list(rows["gradient_norm"])
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == list(MODELS)


def test_the_plot_survives_what_cannot_be_drawn(found, tmp_path):
    summary = found.summary()
    summary.loc[summary["model"] == "plain", "gradient_norm"] = [1e-3, 0.0]
    broken = summary["model"] == "residual"
    summary.loc[broken, "gradient_norm"] = [math.inf, math.nan]
    summary.loc[broken, "mean_cosine_similarity"] = [math.nan, math.nan]
    figure = plot_depth(summary)
    words = [text.get_text() for text in figure.axes[0].texts]
    assert sorted(words) == ["0", "NaN", "inf"]
    assert [t.get_text() for t in figure.axes[4].texts] == ["NaN", "NaN"]
    summary.loc[:, "gradient_norm":] = math.nan
    svg, png = save_depth_plot(summary, tmp_path / "all-nan")
    assert svg.read_text().count("NaN") >= 36 and png.read_bytes()[1:4] == b"PNG"


def test_equal_summaries_give_equal_files(found, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = save_depth_plot(found.summary(), tmp_path / "a" / "plot", "same")
    two = save_depth_plot(found.summary(), tmp_path / "b" / "plot", "same")
    assert [file.name for file in one] == ["plot.svg", "plot.png"]
    for first, second in zip(one, two, strict=True):
        assert first.read_bytes() == second.read_bytes()


def test_one_epoch_a_plot(found):
    summary = found.summary()
    later = summary.assign(epoch=7)
    with pytest.raises(ArgumentError, match="one epoch, got 2"):
        plot_depth(pd.concat([summary, later]))
    with pytest.raises(ArgumentError, match="one epoch, got 0"):
        plot_depth(summary[:0])
