"""Reports of all five kinds checked with axe-core in Chromium: contrast, keyboard, width; and their sizes.

    python tools/axe.py [--runs FOLDER] [--pictures FOLDER] [--modules FOLDER] [kinds]

Makes the runs that FOLDER lacks (tools/report_runs.py), draws their reports anew, checks each at 390 and 1,280 pixels,
light and dark, and writes benchmarks/results/report_pages.json. Exit code 1 where axe finds something serious, a page
scrolls sideways, a plot is cut, the Tab key misses something, or a page is larger than 2 MB. Needs node, npm (which
fetches axe-core and puppeteer-core into the folder of modules, once) and Chromium: CHROMIUM names another than
/usr/bin/chromium.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from report_runs import KINDS, fit

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "report_pages.json"
PACKAGES = ("axe-core@4", "puppeteer-core@24")
LARGEST = 2_000_000
"""Bytes of a report, at most."""

SERIOUS = ("serious", "critical")
"""Impacts of axe's findings that are failures."""


def modules(folder: Path) -> Path:
    """The folder, with axe-core and puppeteer-core in its node_modules."""
    if not (folder / "node_modules" / "axe-core").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text("{}")
        quiet = dict(os.environ) | {"PUPPETEER_SKIP_DOWNLOAD": "1"}
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", *PACKAGES], cwd=folder, env=quiet, check=True)
    return folder


def checked(pages: list[Path], folder: Path, pictures: Path) -> dict[str, Any]:
    """What tools/axe.mjs says of pages."""
    pictures.mkdir(parents=True, exist_ok=True)
    words = ["node", str(ROOT / "tools" / "axe.mjs"), str(folder), str(pictures), *map(str, pages)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def faults(name: str, size: int, views: list[dict[str, Any]]) -> list[str]:
    """Sentences on what is wrong with a page."""
    found = [f"{name}: {size:,} bytes"] if size > LARGEST else []
    for view in views:
        place = f"{name}, {view['width']} px, {view['scheme']}"
        bad = [v for v in view["violations"] if v["impact"] in SERIOUS]
        found += [f"{place}: {v['rule']} ({v['impact']}), {v['count']} times: {v['first']}\n{v['why']}" for v in bad]
        found += [f"{place}: it scrolls sideways"] * view["scrolls"]
        found += [f"{place}: a plot is cut: {plot}" for plot in view["cut"]]
        if view["reached"] < view["stops"]:
            found.append(f"{place}: the Tab key reaches {view['reached']} of {view['stops']}")
    return found


def main() -> int:
    """Check the reports, write the results and say what is wrong."""
    cache, given = Path(tempfile.gettempdir()), argparse.ArgumentParser(description=__doc__)
    given.add_argument("--runs", type=Path, default=cache / "tutelage-report-runs")
    given.add_argument("--pictures", type=Path, default=cache / "tutelage-report-pictures")
    given.add_argument("--modules", type=Path, default=cache / "tutelage-axe")
    given.add_argument("kinds", nargs="*", choices=[[], *KINDS], default=[])
    asked = given.parse_args()
    from tutelage.report.page import write_report

    pages = [write_report(fit(asked.runs.resolve(), kind)) for kind in asked.kinds or KINDS]
    found = checked(pages, modules(asked.modules), asked.pictures)
    sizes = {page.parent.name: page.stat().st_size for page in pages}
    wrong = [line for name, views in found["pages"].items() for line in faults(name, sizes[name], views)]
    kept = {
        name: {"bytes": sizes[name], "views": [{**view, "unsure": len(view["unsure"])} for view in views]}
        for name, views in found["pages"].items()
    }
    if not asked.kinds:
        RESULTS.write_text(json.dumps({"axe": found["axe"], "pages": kept}, indent=1) + "\n")
    for name, views in found["pages"].items():
        lighter = sorted({(v["rule"], v["impact"]) for view in views for v in view["violations"]})
        unsure = sorted({v["rule"] for view in views for v in view["unsure"]})
        print(f"{name}: {sizes[name]:,} bytes; findings {lighter or 'none'}; not decided by axe: {unsure or 'none'}")
    print("\n".join(wrong) or "Nothing serious.", f"Pictures are in {asked.pictures}.", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
