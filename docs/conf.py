"""Sphinx settings; `make docs` builds docs/_build/html."""

import sys
from pathlib import Path

import graphlab

sys.path.insert(0, str(Path(__file__).parent))
import api_pages

api_pages.write(Path(__file__).parent / "api")

project = "graphlab"
author = "The graphlab maintainers"
copyright = "The graphlab maintainers"
version = release = graphlab.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build", "api/_*"]
myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
python_maximum_signature_line_length = 88
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_custom_sections = ["Shapes"]

html_theme = "furo"
html_title = f"graphlab {release}"
html_copy_source = False
