"""Settings of the documentation site: Sphinx, MyST pages that myst-nb executes, and the theme of PyData."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent / "src")]

import tutelage  # noqa: E402

project, author, copyright = "Tutelage", "the authors of Tutelage", "the authors of Tutelage"
version = release = tutelage.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
    "pages",
]
exclude_patterns = ["_build", "_ext", "data", "**/.ipynb_checkpoints"]
nitpicky = True
# Types have no pages, and those of other libraries would have to be fetched; all other references must lead somewhere
nitpick_ignore_regex = [("py:class", ".*"), ("py:.*", r"(?!tutelage\.).*")]

myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 4

# Execution: each page in a folder of its own, with the small tables of docs/data beside it
nb_execution_mode = os.environ.get("TUTELAGE_DOCS_RUN", "cache")
suppress_warnings = ["myst-nb.lexer"] * (nb_execution_mode == "off")  # the kernel names the language
nb_execution_cache_path = str(HERE / "_build" / "executed")
nb_execution_in_temp = False
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_execution_show_tb = True
nb_merge_streams = True

autodoc_typehints = "none"  # the docstrings say types with their shapes
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
autosummary_generate = True
autosummary_imported_members = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
default_role = "literal"  # what docstrings put between single marks is code

html_theme = "pydata_sphinx_theme"
html_title = "Tutelage"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_context = {
    "notebooks": [
        f"{p.parent.name}/{p.stem}"
        for folder in ("start", "kinds", "guide")
        for p in sorted(HERE.glob(f"{folder}/*.md"))
        if p.read_text(encoding="utf-8").startswith("---\nfile_format: mystnb")
    ]
}
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "header_links_before_dropdown": 8,
    "secondary_sidebar_items": ["page-toc", "notebook"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
templates_path = ["_templates"]
html_sidebars = {"index": [], "start/*": [], "gallery": []}
