"""Pages checked with axe-core in Chromium: contrast, names, width, requests, what is read without scripts; and sizes.

    python tools/axe.py [--runs FOLDER] [--pictures FOLDER] [kinds]

Makes the runs that FOLDER lacks (tools/report_runs.py), draws their reports anew, audits the texts, asks a service for
its page, and looks at each, and at the page of all components (tools/components.py), at 360 and 1,280 pixels, light and
dark; of reports it writes benchmarks/results/report_pages.json. Exit code 1 where something is wrong. Needs the extra
`dev` and Chromium: CHROMIUM names another than /usr/bin/chromium.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from components import components
from report_runs import KINDS, Given, audited, fit, served

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "report_pages.json"
CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
ADDRESS = "http://page.invalid/"
"""Where a page says that it is; what it asks of the network is told instead of fetched."""

LARGEST = 2_000_000
"""Bytes of a page, at most."""

WIDTHS, SCHEMES = (360, 1280), ("light", "dark")
SMALLEST = 24
"""Pixels of what can be pressed, at least, each way (WCAG 2.5.8)."""

SIDEWAYS = "document.scrollingElement.scrollWidth > innerWidth"
UNFOLD = "document.querySelectorAll('details').forEach((fold) => { fold.open = true; })"
FOLDED = "[...document.querySelectorAll('details')].map((fold) => fold.textContent).join(' ')"
SMALL = """(least) => [...document.querySelectorAll("button, summary, input, select, .button")].filter((one) => {
  const box = one.getBoundingClientRect();
  return box.width && (box.width < least || box.height < least);
}).map((one) => one.outerHTML.slice(0, 60))"""
CUT = """() => [...document.querySelectorAll("svg.plot")].filter((plot) => {
  const box = plot.getBoundingClientRect();
  return box.left < 0 || box.right > innerWidth + 1 || [...plot.querySelectorAll("text")].some((text) => {
    const at = text.getBoundingClientRect();
    return at.left < box.left - 1 || at.right > box.right + 1 || at.top < box.top - 1 || at.bottom > box.bottom + 1;
  });
}).map((plot) => plot.getAttribute("aria-label").slice(0, 60))"""
LETTERS = """() => [...document.querySelectorAll("svg.plot text")].map((text) => {
  const scale = text.getScreenCTM();
  return parseFloat(getComputedStyle(text).fontSize) * Math.hypot(scale.a, scale.b);
})"""
STOPS = "[...document.querySelectorAll('summary, [tabindex=\"0\"], a[href]')].length"


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def shown(
    browser: Browser, given: Given, width: int, scheme: str, scripts: bool = True
) -> Iterator[tuple[Page, list[str]]]:
    """A page in a browser, and a list that grows by what it says on its console and asks of the network."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=scripts,
    )
    said: list[str] = []

    def answer(route: Any) -> None:
        if route.request.url == ADDRESS:
            route.fulfill(body=given.html, headers={"content-type": "text/html; charset=utf-8", **given.headers})
        else:
            said.append(f"asks for {route.request.url}")
            route.abort()

    context.route("**/*", answer)
    page = context.new_page()
    page.on("console", lambda message: said.append(f"says {message.text}"))
    page.on("pageerror", lambda error: said.append(f"fails {error}"))
    page.goto(ADDRESS)
    try:
        yield page, said
    finally:
        context.close()


def view(browser: Browser, given: Given, width: int, scheme: str, picture: Path | None = None) -> dict[str, Any]:
    """What is found on a page at a width and in a scheme.

    Args:
        browser: the browser.
        given: the page.
        width: width of the window, in pixels.
        scheme: "light" or "dark".
        picture: beginning of the paths of two pictures, of its top and of all; None draws none.
    """
    with shown(browser, given, width, scheme) as (page, said):
        if picture:
            page.screenshot(path=f"{picture}-{width}-{scheme}-top.png")
        closed = page.evaluate(SIDEWAYS)
        page.evaluate(UNFOLD)
        if picture:
            page.screenshot(path=f"{picture}-{width}-{scheme}.png", full_page=True)
        found = Axe().run(page, options={"resultTypes": ["violations", "incomplete"]}).response
        stops, reached = page.evaluate(STOPS), 0
        for _ in range(stops):
            page.keyboard.press("Tab")
            reached += page.evaluate("document.activeElement !== document.body")
        return {
            "width": width, "scheme": scheme, "axe": found["testEngine"]["version"],
            "violations": list(map(_brief, found["violations"])), "unsure": list(map(_brief, found["incomplete"])),
            "passed": len(found["passes"]), "scrolls": closed or page.evaluate(SIDEWAYS), "cut": page.evaluate(CUT),
            "smallest_letters": min((round(size, 1) for size in page.evaluate(LETTERS)), default=None),
            "small": page.evaluate(SMALL, SMALLEST),
            "stops": stops, "reached": reached, "said": list(said),
        }  # fmt: skip


def _brief(found: Mapping[str, Any]) -> dict[str, Any]:
    first = found["nodes"][0]
    return {
        "rule": found["id"], "impact": found["impact"], "count": len(found["nodes"]), "first": first["html"][:120],
        "why": first.get("failureSummary", ""),
    }  # fmt: skip


def faults(views: list[dict[str, Any]]) -> list[str]:
    """Sentences on what is wrong in views of a page."""
    found = []
    for each in views:
        place = f"at {each['width']} pixels, {each['scheme']}"
        found += [f"{place}: {v['rule']}, {v['count']} times: {v['first']}\n{v['why']}" for v in each["violations"]]
        found += [f"{place}: it scrolls sideways"] * each["scrolls"]
        found += [f"{place}: a plot is cut: {plot}" for plot in each["cut"]]
        found += [f"{place}: too small to press: {html}" for html in each["small"]]
        found += [f"{place}: it {what}" for what in each["said"]]
        if each["reached"] < each["stops"]:
            found.append(f"{place}: the Tab key reaches {each['reached']} of {each['stops']}")
    return found


def read_without_scripts(browser: Browser, given: Given) -> tuple[str, str]:
    """Words that are read on a page with scripts, and without them; those in folds, which a reader opens, in both."""
    found = []
    for scripts in (True, False):
        with shown(browser, given, WIDTHS[0], "light", scripts) as (page, _):
            found.append(f"{page.inner_text('body')} {page.evaluate(FOLDED)}")
    return found[0], found[1]


def pages_of(runs: Path, kinds: list[str]) -> dict[str, Given]:
    """The pages that are looked at, by name."""
    from tutelage.report.page import write_report

    found = {kind: Given(write_report(fit(runs, kind)).read_text(encoding="utf-8")) for kind in kinds}
    found["components"] = Given(components())
    if "texts" in kinds:
        found |= {"audit": audited(runs), "service": served(runs / "texts")}
    return found


def main() -> int:
    """Check the pages, write the results and say what is wrong."""
    cache, given = Path(tempfile.gettempdir()), argparse.ArgumentParser(description=__doc__)
    given.add_argument("--runs", type=Path, default=cache / "tutelage-report-runs")
    given.add_argument("--pictures", type=Path, default=cache / "tutelage-report-pictures")
    given.add_argument("kinds", nargs="*", choices=[[], *KINDS], default=[])
    asked = given.parse_args()
    asked.pictures.mkdir(parents=True, exist_ok=True)
    kept: dict[str, Any] = {}
    wrong = []
    with chromium() as browser:
        for name, page in pages_of(asked.runs.resolve(), asked.kinds or list(KINDS)).items():
            views = [view(browser, page, w, s, asked.pictures / name) for w in WIDTHS for s in SCHEMES]
            size, unsure = len(page.html.encode()), sorted({v["rule"] for one in views for v in one["unsure"]})
            here = faults(views) + [f"{size:,} bytes"] * (size > LARGEST)
            with_scripts, without = read_without_scripts(browser, page)
            here += ["it says less without scripts"] * (with_scripts.split() != without.split())
            wrong += [f"{name}, {line}" for line in here]
            kept[name] = {"bytes": size, "views": [one | {"unsure": len(one["unsure"])} for one in views]}
            print(f"{name}: {size:,} bytes; {len(here)} faults; not decided by axe: {unsure or 'none'}")
    if not asked.kinds:
        RESULTS.write_text(json.dumps({"pages": kept}, indent=1) + "\n")
    print("\n".join(wrong) or "Nothing is wrong.", f"Pictures are in {asked.pictures}.", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
