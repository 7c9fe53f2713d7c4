"""Plots show every part and every point, and are written bit for bit alike."""

import math

import numpy as np
import pytest
from matplotlib.container import BarContainer

from graphlab.analysis import (
    Bound,
    plot_bound_against_gap,
    plot_bound_terms,
    save_bound_plot,
)
from graphlab.errors import ArgumentError


def bound(*values, names="abcdefghij"):
    terms = dict(zip(names, values, strict=False))
    return Bound("b", sum(values), "R - R_0", terms, parts=tuple(terms))


def bars(axis):
    return [c for c in axis.containers if isinstance(c, BarContainer)]


def test_parts_stand_on_each_other():
    figure = plot_bound_terms({"MUTAG": {2: bound(3, 4), 1: bound(1, 2)}})
    (axis,) = figure.axes
    heights = [[bar.get_height() for bar in each] for each in bars(axis)]
    bases = [[bar.get_y() for bar in each] for each in bars(axis)]
    assert heights == [[1, 3], [2, 4]] and bases == [[0, 0], [1, 3]]
    assert [t.get_text() for t in axis.get_xticklabels()] == ["1", "2"]
    assert [t.get_text() for t in figure.legends[0].texts] == ["a", "b"]


def test_several_bounds_of_a_depth_are_averaged():
    (axis,) = plot_bound_terms({"M": {1: [bound(1, 2), bound(3, 6)]}}).axes
    assert [each[0].get_height() for each in bars(axis)] == [2, 4]
    (line,) = [c for c in axis.containers if not isinstance(c, BarContainer)]
    segment = line[2][0].get_segments()[0]
    assert segment[:, 1].tolist() == [6 - np.std([3, 9]), 6 + np.std([3, 9])]


def test_parts_beyond_the_palette_are_shared():
    figure = plot_bound_terms({"M": {1: bound(*range(1, 11))}})
    assert [t.get_text() for t in figure.legends[0].texts] == [*"abcdef", "others"]
    assert bars(figure.axes[0])[-1][0].get_height() == 7 + 8 + 9 + 10


def test_gaps_stand_beside():
    panels = {"A": {1: bound(1), 3: bound(2)}, "B": {1: bound(1)}}
    figure = plot_bound_terms(panels, gaps={"A": {1: 0.2, 3: 0.1, 9: 5.0}}, title="t")
    first = [line for line in figure.axes[0].lines if line.get_marker() == "o"][0]
    assert list(first.get_xdata()) == [0, 1] and list(first.get_ydata()) == [0.2, 0.1]
    assert len(figure.axes) == 2
    assert figure.legends[0].texts[-1].get_text() == "measured gap"


def test_one_point_a_configuration():
    rows = [
        {"b": 10.0**k, "c": -k, "loss_gap": k, "set": "xy"[k % 2]} for k in range(5)
    ]
    figure = plot_bound_against_gap(rows, ["b", "c"], by="set")
    first, second = figure.axes
    assert [float(line.get_xdata()[0]) for line in first.lines] == [
        10.0**k for k in range(5)
    ]
    assert first.get_xscale() == "log" and second.get_xscale() == "linear"
    assert first.get_title(loc="left") == "Spearman 1.00, n = 5"
    assert second.get_title(loc="left") == "Spearman -1.00, n = 5"
    assert [t.get_text() for t in figure.legends[0].texts] == ["x", "y"]
    assert (first.get_xlabel(), second.get_xlabel()) == ("b", "c")
    assert len({line.get_color() for line in first.lines}) == 2


def test_an_infinite_bound_does_not_stop_it():
    rows = [{"b": v, "loss_gap": k} for k, v in enumerate((1, 2, math.inf))]
    (axis,) = plot_bound_against_gap(rows, ["b"]).axes
    assert len(axis.lines) == 3


def test_equal_figures_give_equal_bytes(tmp_path):
    written = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        figure = plot_bound_terms({"M": {1: bound(1, 2)}}, gaps={"M": {1: 0.1}})
        files = save_bound_plot(figure, folder / "terms")
        assert [file.name for file in files] == ["terms.svg", "terms.png"]
        written.append([file.read_bytes() for file in files])
    assert written[0] == written[1]


def test_what_is_wrong_is_named():
    with pytest.raises(ArgumentError, match="panels must hold at least one bound"):
        plot_bound_terms({"M": {}})
    score = Bound("kV", 1.0, "nothing", {"s": 1.0}, parts=("s",), score=True)
    with pytest.raises(ArgumentError, match="got the score 'kV'"):
        plot_bound_terms({"M": {1: bound(1), 2: score}})
    with pytest.raises(ArgumentError, match="measures must name at least one"):
        plot_bound_against_gap([{"loss_gap": 1}], [])
    with pytest.raises(ArgumentError, match="must have a column 'b'"):
        plot_bound_against_gap([{"loss_gap": 1}], ["b"])
    with pytest.raises(ArgumentError, match="must have a column 'set'"):
        plot_bound_against_gap([{"b": 1, "loss_gap": 1}], ["b"], by="set")
