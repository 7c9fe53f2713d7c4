"""Plots of a filled table, as PNG files and as SVG for the HTML page."""

from graphlab.benchmark.report.plots.figures import Plot, save_png, svg_figures

__all__ = ["Plot", "save_png", "svg_figures"]
