"""The one style: it can be read in light and in dark, points nowhere, and is that of every page."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import tutelage
from tutelage.pages.style import box_style, page_style
from tutelage.pages.templating import environment

SOURCE = Path(tutelage.__file__).parent
GROUNDS = ("back", "card", "shade", "tint", "sand")
SPANS = tuple(f"span-{i}" for i in range(6))
PLOTS = tuple(f"plot-{i}" for i in range(5))


def luminance(colour: str) -> float:
    """Relative luminance of a colour, by WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def contrast(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def over(colour: str, ground: str, opacity: float) -> str:
    mixed = (
        round(opacity * int(colour[i : i + 2], 16) + (1 - opacity) * int(ground[i : i + 2], 16)) for i in (1, 3, 5)
    )
    return "#" + "".join(f"{v:02x}" for v in mixed)


def colours(style: str, selector: str, scheme: str) -> dict[str, str]:
    """Variables of colours as a browser takes them: those of the dark scheme stand behind the others."""
    found: dict[str, str] = {}
    for block in re.findall(rf"{re.escape(selector)} \{{(.*?)\}}", style, re.S)[: 1 + (scheme == "dark")]:
        found |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("style", "selector"), [(page_style, ":root"), (box_style, ".tutelage")], ids=["page", "box"])
def test_letters_and_lines_can_be_read_light_and_dark(style, selector, scheme):
    found = colours(style(), selector, scheme)
    assert min(contrast(found[ink], found[ground]) for ink, ground in product(("ink", "soft"), GROUNDS)) >= 7
    assert min(contrast(found[ink], found[ground]) for ink, ground in product(("accent", "warm"), GROUNDS)) >= 4.5
    assert min(contrast(found[ink], found[span]) for ink, span in product(("ink", "soft"), SPANS)) >= 4.5
    assert min(contrast(found["ink"], found[span]) for span in SPANS) >= 7
    assert contrast(found["on-accent"], found["accent"]) >= 7
    assert min(contrast(found["edge"], found[ground]) for ground in ("back", "card")) >= 3
    assert min(contrast(found[plot], found["card"]) for plot in PLOTS) >= 3
    for plot in PLOTS[:2]:  # a cell's ground in a matrix of shares, at most
        assert contrast(found["ink"], over(found[plot], found["card"], 0.5)) >= 4.5


def test_light_and_dark_differ_and_have_the_same_names():
    light, dark = (colours(page_style(), ":root", scheme) for scheme in ("light", "dark"))
    assert light.keys() == dark.keys()
    assert luminance(light["back"]) > 0.8 and luminance(dark["back"]) < 0.02


@pytest.mark.parametrize("style", [page_style, box_style])
def test_each_variable_that_is_used_is_set(style):
    text = style()
    assert set(re.findall(r"var\(--([\w-]+)\)", text)) <= set(re.findall(r"--([\w-]+):", text))


def test_the_box_styles_nothing_else_in_a_notebook():
    rules = re.sub(r"/\*.*?\*/|@media[^{]*\{", "", box_style(), flags=re.S)
    selectors = [one.strip() for rule in re.findall(r"([^{}]+)\{", rules) for one in rule.split(",")]
    assert selectors and all(one == ".tutelage" or one.startswith((".tutelage ", ".tutelage.")) for one in selectors)


def test_the_style_fetches_nothing_and_is_small():
    assert not re.search(r"url\(|@import|@font-face|//", page_style())
    assert len(page_style()) < 20_000 and page_style().isascii()


def test_no_page_has_a_style_or_a_frame_of_its_own():
    pages = [path for path in SOURCE.rglob("templates/*.html") if path.parts[-3] != "pages"]
    assert {path.name for path in pages} >= {"report.html", "audit.html", "service.html"}
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert text.startswith('{% extends "pages/page.html" %}'), path
        assert not re.search(r"<style|<!doctype|<link|<meta|#[0-9a-f]{6}\b|https?://", text), path


class Balanced(HTMLParser):
    """Reads a page; what is not closed, and which names of elements and values of attributes there are."""

    EMPTY = frozenset({"meta", "link", "img", "br", "hr", "input", "path", "circle", "use"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(page)
        self.close()
        self.wrong += self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [str(value) for name, value in attrs if name in ("src", "href", "action", "srcset", "data")]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        if tag in self.EMPTY:
            return
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"</{tag}> behind {self.open[-2:]}")
        else:
            self.open.pop()


def faults(page: str) -> list[str]:
    """What is wrong with a page, as far as it is seen without a browser."""
    read = Balanced(page)
    found = [f"not closed: {name}" for name in read.wrong]
    found += [f"points elsewhere: {link}" for link in read.links if not re.match(r"data:|#|[\w.-]+$", link)]
    found += [
        f"{read.tags.count(tag)} of {tag}" for tag in ("style", "title", "main", "h1") if read.tags.count(tag) != 1
    ]
    if "script" in read.tags:
        found.append("a script")
    if not page.startswith("<!doctype html>\n<html lang=") or page_style() not in page:
        found.append("it does not begin as pages do, or has another style")
    return found


@pytest.mark.parametrize("name", ["report", "audit", "service", "components"])
def test_a_page_is_well_formed_fetches_nothing_and_has_the_one_style(pages, name):
    if name not in pages:
        pytest.skip("the extra serve is not installed")
    assert faults(pages[name].html) == []


def test_what_a_user_wrote_stands_in_its_own_direction_and_is_escaped(pages, odd):
    page = pages["audit"].html
    shown = [html.unescape(text) for text in re.findall(r'<div dir="auto" lang="">(.*?)</div>', page)]
    assert odd.html in shown and set(odd.others) <= set(shown) and odd.html not in page
    assert f'<bdi lang="">{odd.word}</bdi>' in page and f'<th scope="row"><bdi lang="">{odd.word}</bdi></th>' in page
    assert re.search(rf"rather <bdi>{odd.word}</bdi> \(", page)
    assert f'<bdi lang="">{odd.word}</bdi>' in pages["report"].html


def test_a_page_of_the_shared_template_is_whole_and_escapes():
    own = environment("tutelage.report")
    text = (
        '{% extends "pages/page.html" %}{% block title %}a{% endblock %}{% block main %}<h1>{{ x }}</h1>{% endblock %}'
    )
    page = own.from_string(text).render(x="<b> & c")
    assert faults(page) == [] and "<h1>&lt;b&gt; &amp; c</h1>" in page


def test_the_check_of_pages_sees_what_is_wrong():
    bad = (
        "<p>",
        "</b>",
        '<img src="http://a.b/c.png">',
        '<a href="//a.b">c</a>',
        "<style></style>",
        "<script></script>",
    )
    for wrong in bad:
        text = '{% extends "pages/page.html" %}{% block main %}<h1>a</h1>' + wrong + "{% endblock %}"
        assert faults(environment("tutelage.report").from_string(text).render()), wrong
