"""Build the documentation into docs/_build/html, where warnings are errors; its packages are installed first.

    python tools/site.py             executes the pages that changed, and writes their notebooks
    python tools/site.py --no-run    executes none, and pages show no output: quick, for their words and links

Everything that a page needs is in the checkout and in its packages; nothing is fetched while pages run.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "_build" / "html"
NEEDED = ("sphinx", "myst_nb", "pydata_sphinx_theme", "sphinx_design", "sphinx_copybutton")


def install() -> None:
    """Install the extra "docs" into this environment, where one of its packages is missing."""
    if any(importlib.util.find_spec(name) is None for name in NEEDED):
        subprocess.run([sys.executable, str(ROOT / "tools" / "install.py"), "--extras", "docs,images"], check=True)


def build(run: bool = True) -> None:
    """Build the pages and the notebooks.

    Args:
        run: whether pages are executed where they, or what they showed, is not known.

    Raises:
        CalledProcessError: there was a warning, or a page's cell failed.
    """
    paths = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    environment = os.environ | {"PATH": os.pathsep.join(paths), "TUTELAGE_DOCS_RUN": "cache" if run else "off"}
    sphinx = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-q", "-j", "2", str(ROOT / "docs"), str(OUT)]
    subprocess.run(sphinx, env=environment, check=True)
    notebooks = [sys.executable, str(ROOT / "tools" / "notebooks.py"), str(OUT / "notebooks")]
    subprocess.run(notebooks, env=environment, check=True, stdout=subprocess.DEVNULL)
    print(f"The site is in {OUT}: open {OUT / 'index.html'}")


if __name__ == "__main__":
    install()
    build(run="--no-run" not in sys.argv[1:])
