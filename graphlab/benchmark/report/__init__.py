"""Tables of *published | measured | verdict* from run files; imports no torch."""

from graphlab.benchmark.report.build import (
    FORMATS,
    ReportPaths,
    build_report,
    render_table,
)

__all__ = ["FORMATS", "ReportPaths", "build_report", "render_table"]
