"""Pages in a real browser, where there is one: axe-core finds nothing, nothing is fetched or runs over the edge."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "tools"))

pytest.importorskip("playwright.sync_api")
pytest.importorskip("axe_playwright_python.sync_playwright")
import axe  # tools/axe.py
from report_runs import Given

pytestmark = pytest.mark.skipif(not axe.CHROMIUM.exists(), reason=f"there is no {axe.CHROMIUM}; CHROMIUM names another")
PAGES = ("report", "audit", "service", "components")


@pytest.fixture(scope="module")
def browser():
    with axe.chromium() as found:
        yield found


@pytest.mark.parametrize("scheme", axe.SCHEMES)
@pytest.mark.parametrize("width", axe.WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_read_a_page_and_it_fetches_nothing(pages, browser, name, width, scheme):
    view = axe.view(browser, pages[name], width, scheme)
    assert axe.faults([view]) == []
    assert view["passed"] >= 15  # rules of axe-core that had something to look at
    assert (view["smallest_letters"] or 0) >= 8 or name != "report"


@pytest.mark.parametrize("name", PAGES)
def test_without_scripts_all_is_there_to_read(pages, odd, browser, name):
    with_scripts, without = axe.read_without_scripts(browser, pages[name])
    assert len(without) > 500 and without.split() == with_scripts.split()
    if name == "audit":
        assert odd.html in without and "mine" not in pages[name].html.split("</title>")[0]


def test_a_page_is_dark_where_the_reader_s_machine_is(pages, browser):
    grounds = {}
    for scheme in axe.SCHEMES:
        with axe.shown(browser, pages["report"], 1280, scheme) as (page, _):
            grounds[scheme] = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
            page.emulate_media(media="print")
            grounds[f"{scheme}, printed"] = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert grounds == {
        "light": "rgb(250, 248, 244)", "dark": "rgb(20, 21, 23)",
        "light, printed": "rgb(255, 255, 255)", "dark, printed": "rgb(255, 255, 255)",
    }  # fmt: skip


def test_numbers_behind_a_word_from_right_to_left_stay_behind_it(pages, odd, browser):
    """As a reader sees it: the percentage stands to the right of the class that it belongs to."""
    with axe.shown(browser, pages["audit"], 1280, "light") as (page, _):
        found = page.evaluate(
            """(word) => {
              const whys = [...document.querySelectorAll("td .note")];
              const why = whys.find((one) => one.textContent.includes(word + " ("));
              const walk = document.createTreeWalker(why, NodeFilter.SHOW_TEXT), parts = [];
              while (walk.nextNode()) {
                const range = document.createRange(), text = walk.currentNode.textContent;
                const first = walk.currentNode.parentNode.tagName == "BDI" ? 0 : text.search(/[0-9]/);
                if (first < 0 || first >= text.length) continue;
                range.setStart(walk.currentNode, first);
                range.setEnd(walk.currentNode, first + 1);
                parts.push([text, range.getBoundingClientRect().left, range.getBoundingClientRect().top]);
              }
              return parts;
            }""",
            odd.word,
        )
    at = next(i for i, (text, _, _) in enumerate(found) if text == odd.word and found[i + 1][0].startswith(" ("))
    assert found[at + 1][2] == pytest.approx(found[at][2], abs=3)  # on one line
    assert found[at + 1][1] > found[at][1]


def test_buttons_of_classes_are_large_and_the_focus_is_seen(pages, browser):
    with axe.shown(browser, pages["components"], 360, "light") as (page, _):
        heights = page.evaluate("[...document.querySelectorAll('.choices button')].map((one) => one.offsetHeight)")
        assert len(heights) == 13 and min(heights) >= 44
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "To the item"
        assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == ""
        page.focus("button")
        page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outline")
        assert "3px" in outline and "solid" in outline


BAD = {
    "asks for": '<img alt="a" src="http://example.org/a.png">',
    "sideways": '<p style="width: 2000px">wide</p>',
    "color-contrast": '<p style="color: #ccc; background: #fff">pale</p>',
    "too small": '<button type="button" style="min-height: 0; padding: 0; font-size: 6px">x</button>',
    "says": "<script>console.error('no')</script>",
}


@pytest.mark.parametrize("what", BAD)
def test_the_checks_see_what_is_wrong(browser, what):
    html = axe.components().replace("<h1>", f"{BAD[what]}<h1>", 1)
    assert any(what in line for line in axe.faults([axe.view(browser, Given(html), 360, "light")]))


def test_words_that_a_script_writes_are_told_from_those_of_the_page(browser):
    html = axe.components().replace("</main>", "<script>document.write('<p>by a script</p>')</script></main>")
    with_scripts, without = axe.read_without_scripts(browser, Given(html))
    assert "by a script" in with_scripts and "by a script" not in without
