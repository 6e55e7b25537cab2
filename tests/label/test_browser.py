"""The page in a real browser: keys alone, narrow and wide, light and dark, and texts of all kinds."""

from __future__ import annotations

import shutil
import threading
import time
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest

from tutelage.kinds.images import Images
from tutelage.kinds.sentences import Sentences
from tutelage.kinds.texts import Texts
from tutelage.label.campaign import Campaign
from tutelage.label.items import Items
from tutelage.label.journal import Journal
from tutelage.tables import USUAL

pytest.importorskip("starlette", reason="the extra serve is not installed")
play = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

TOKEN = "a-token-of-more-than-16-letters"
STRANGE = [
    "שלום עולם, this is 3 > 2", "السوق انخفض اليوم", "今日は株価が大きく下がりました。市場関係者は驚いている",
    "🍲🥖 soup & bread 👩‍🍳", "<script>document.title='taken'</script><b>bold</b>",
    "one\n\ntwo\tthree", "x" * 5000,
]  # fmt: skip
LONG = {360: "a late goal " * 2_000, 1280: "a late goal " * 100_000}
"""Text by the width of the page; a megabyte is laid out once, and is slow."""


@pytest.fixture(scope="module")
def chromium():
    with play.sync_playwright() as playing:
        browser = playing.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def serving(items, folder, **given):
    """The page of some items: its address, and the campaign."""
    from starlette.middleware import Middleware

    from tutelage.label.app import Page
    from tutelage.label.guard import Guard
    from tutelage.serve.server import Server, listening

    journal = Journal(folder / "journal.jsonl")
    labels = Campaign(items, journal, np.arange(len(items)), "random", **given)
    with listening("127.0.0.1", 0) as listener:
        port, ready = listener.getsockname()[1], threading.Event()
        app = Page(labels, None, "ann", print).made([Middleware(Guard, token=TOKEN, port=port)])
        server = Server(app, print, ready.set, lambda: None)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        assert ready.wait(20)
        yield f"http://127.0.0.1:{port}/?token={TOKEN}", labels
        server.should_exit = server.force_exit = True
        thread.join(20)
    journal.close()


@contextmanager
def at(chromium, address, width=1280, height=800, **options):
    """The page in a browser that may do nothing wrong."""
    context = chromium.new_context(viewport={"width": width, "height": height}, **options)
    page, faults, asked = context.new_page(), [], []
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.wait_for_selector("#count")
    page.wait_for_url(address.split("?")[0])
    page.wait_for_selector("#count")
    yield page
    assert not faults
    home = address.split("?")[0]
    assert all(url.startswith((home, "data:")) for url in asked), asked
    context.close()


def texts(tmp_path, rows) -> Items:
    path = tmp_path / "texts.jsonl"
    pd.DataFrame({"text": rows}).to_json(path, orient="records", lines=True)
    return Items.read(Texts(text="text"), path, USUAL)


def press(page, key, answers, labels):
    """Press a key, and wait until there are so many lines in the journal."""
    page.keyboard.press(key)
    for _ in range(400):
        if len(labels.journal.answers) == answers and not page.evaluate("sending"):
            return
        time.sleep(0.01)
    raise AssertionError(f"{len(labels.journal.answers)} answers after {key}: {page.inner_text('body')}")


def test_keys_alone_label_undo_skip_find_and_note(chromium, tmp_path):
    items = texts(tmp_path, [f"the {word} of day {i}" for i, word in enumerate(["soup", "bank", "goal"] * 4)])
    given = {"classes": ["food", "money", "sport"], "other": "else"}
    with serving(items, tmp_path, **given) as (address, labels), at(chromium, address) as page:
        press(page, "1", 1, labels)
        press(page, "2", 2, labels)
        press(page, "3", 3, labels)
        press(page, "u", 4, labels)
        assert page.inner_text("#place") == "row 3"
        press(page, "0", 5, labels)
        press(page, "x", 6, labels)
        press(page, "s", 7, labels)
        page.keyboard.press("m")
        page.keyboard.type("odd, 1 of 2")
        page.keyboard.press("Tab")
        press(page, "Enter", 8, labels)
        press(page, "2", 9, labels)
        page.keyboard.press("/")
        page.keyboard.type("day 11")
        page.keyboard.press("Enter")
        page.wait_for_function("() => document.querySelectorAll('#found tr').length === 1")
        page.keyboard.press("Escape")
        page.wait_for_function("() => !document.querySelector('dialog[open]')")
        page.keyboard.press("p")
        page.wait_for_selector("#facts-body table")
        page.keyboard.press("Escape")
        page.wait_for_function("() => !document.querySelector('dialog[open]')")
        assert page.evaluate("document.activeElement.id") == "item-name"
    said = [(a.act, a.label, a.row) for a in labels.journal.answers]
    assert said == [
        ("label", "food", 0), ("label", "money", 1), ("label", "sport", 2), ("undo", "", 2), ("none", "", 2),
        ("unsure", "", 3), ("skip", "", 4), ("note", "", 5), ("label", "money", 5),
    ]  # fmt: skip
    assert labels.note_of(items.key(5)) == "odd, 1 of 2"


def test_many_classes_are_found_by_their_beginning(chromium, tmp_path):
    items = texts(tmp_path, [f"text {i}" for i in range(5)])
    classes = [f"class {i:03d}" for i in range(200)] + ["süß", "مال"]
    with serving(items, tmp_path, classes=classes) as (address, labels), at(chromium, address, 360, 700) as page:
        page.keyboard.type("class 15")
        page.keyboard.press("Backspace")
        page.keyboard.type("57")
        press(page, "Enter", 1, labels)
        page.keyboard.type("SÜ")
        press(page, "Enter", 2, labels)
        press(page, "Alt+x", 3, labels)
        press(page, "0", 4, labels)
        press(page, "Alt+u", 5, labels)
        assert page.evaluate("document.scrollingElement.scrollWidth") <= 360
    assert [a.label or a.act for a in labels.journal.answers] == ["class 157", "süß", "unsure", "none", "undo"]


def test_a_new_class_is_typed_and_offered_from_then_on(chromium, tmp_path):
    items = texts(tmp_path, ["one", "two", "three"])
    with serving(items, tmp_path) as (address, labels), at(chromium, address) as page:
        page.focus("#fresh")
        page.keyboard.type("  brand new  ")
        page.keyboard.press("Enter")
        page.focus("#fresh")
        page.keyboard.type("other")
        page.keyboard.press("Enter")
        press(page, "2", 3, labels)  # two lines say that a class was added; nothing was labelled by that
        assert page.inner_text("#classes button >> nth=0").startswith("brand new")  # numbers stay when one is given
        press(page, "1", 4, labels)
    told = [(a.act, a.label) for a in labels.journal.answers]
    assert told == [("class", "brand new"), ("class", "other"), ("label", "other"), ("label", "brand new")]


def test_words_of_a_sentence_are_marked_by_keys(chromium, tmp_path):
    path = tmp_path / "s.jsonl"
    pd.DataFrame({"tokens": [["Ann", "Lee", "saw", "Rome"], ["no", "one"]]}).to_json(path, orient="records", lines=True)
    items = Items.read(Sentences(tokens="tokens"), path, USUAL)
    with serving(items, tmp_path, classes=["PER", "LOC"]) as (address, labels), at(chromium, address, 360, 700) as page:
        page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("1")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("2")
        press(page, "Enter", 1, labels)
        page.keyboard.press("1")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Delete")
        press(page, "Enter", 2, labels)
        press(page, "u", 3, labels)
        press(page, "u", 4, labels)
        assert page.inner_text(".word.typed >> nth=0") == "AnnPER"  # its marks are back
        page.focus("#fresh")
        page.keyboard.type("ORG")
        page.keyboard.press("Enter")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("3")
        press(page, "Enter", 6, labels)
        assert page.evaluate("document.scrollingElement.scrollWidth") <= 360
    said = [a.label for a in labels.journal.answers]
    assert said == ["B-PER I-PER O B-LOC", "O O", "", "", "ORG", "B-PER I-PER B-ORG B-LOC"]


def test_a_large_picture_is_shown_whole(chromium, tmp_path):
    from PIL import Image

    (tmp_path / "pictures").mkdir()
    Image.linear_gradient("L").resize((12_000, 300)).save(tmp_path / "pictures" / "wide.png")
    items = Items.read(Images(), tmp_path / "pictures", USUAL)
    with serving(items, tmp_path, classes=["a"]) as (address, labels), at(chromium, address, 360, 700) as page:
        page.wait_for_function("() => document.querySelector('#item img').complete")
        assert page.evaluate("document.querySelector('#item img').naturalWidth") == 1600
        assert page.evaluate("document.scrollingElement.scrollWidth") <= 360
        press(page, "1", 1, labels)


@pytest.mark.parametrize("width", [360, 1280])
def test_strange_texts_stay_words_and_within_the_page(chromium, tmp_path, width):
    rows = [*STRANGE, LONG[width]]
    items = texts(tmp_path, rows)
    with (
        serving(items, tmp_path, classes=["a", "بحث", "<i>"]) as (address, labels),
        at(chromium, address, width, 740) as page,
    ):
        for i, text in enumerate(rows):
            shown = page.evaluate("document.querySelector('#item .text').textContent")
            assert shown == text[:20_000]
            assert page.evaluate("document.scrollingElement.scrollWidth") <= width
            assert page.title() == "texts.jsonl: labels"
            if len(text) > 20_000:
                page.click("#item button")
                page.wait_for_function(
                    "n => document.querySelector('#item .text').textContent.length === n", arg=len(text)
                )
            press(page, "2", i + 1, labels)
        page.wait_for_selector("#finished:not([hidden])")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_bars_anybody_from_the_page(chromium, tmp_path, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    items = texts(tmp_path, ["a soup", "a bank", "a goal"])
    with (
        serving(items, tmp_path, classes=["food", "money"], overlap=1.0) as (address, _),
        at(chromium, address, width, 740, color_scheme=scheme, bypass_csp=True) as page,
    ):
        for key in (None, "/", "p", "?"):
            if key is not None:
                page.keyboard.press(key)
                page.wait_for_selector("dialog[open]")
                time.sleep(0.2)
            found = axe.run(page).response["violations"]
            assert not found, [(v["id"], v["nodes"][0]["html"]) for v in found]
            page.keyboard.press("Escape")
        page.click("#open-name")
        assert not axe.run(page).response["violations"]


def test_without_scripts_the_page_is_read_and_answered(chromium, tmp_path):
    items = texts(tmp_path, ["a soup", "a bank"])
    with serving(items, tmp_path, classes=["food", "money"]) as (address, labels):
        context = chromium.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(address)
        page.wait_for_selector("text=a soup")
        page.click("text=food")
        page.wait_for_selector("text=a bank")
        page.click("text=Undo")
        page.wait_for_selector("text=a soup")
        context.close()
        assert [a.act for a in labels.journal.answers] == ["label", "undo"]


def test_two_pages_of_one_table_see_one_truth(chromium, tmp_path):
    items = texts(tmp_path, ["a soup", "a bank", "a goal"])
    two = serving(items, tmp_path, classes=["food", "money"])
    with two as (address, labels), at(chromium, address) as first, at(chromium, address) as second:
        press(first, "1", 1, labels)
        press(second, "2", 2, labels)  # the same item: the last answer counts
        assert second.inner_text("#place") == "row 2"
        press(second, "1", 3, labels)
        press(first, "2", 4, labels)
        press(first, "2", 5, labels)
    assert [labels.label_of(items.key(i)) for i in range(3)] == ["money", "money", "money"]


def test_classes_keep_their_order_and_come_to_the_other_tab(chromium, tmp_path):
    items = texts(tmp_path, ["a soup", "a bank", "a goal"])
    two = serving(items, tmp_path, classes=["b", "10", "2"], overlap=1.0)
    with two as (address, labels), at(chromium, address) as first, at(chromium, address) as second:
        assert first.evaluate("names()") == ["b", "10", "2"]
        first.fill("#fresh", "1")
        first.press("#fresh", "Enter")
        second.wait_for_function("() => document.querySelectorAll('#classes button').length === 4")
        assert second.evaluate("names()") == first.evaluate("names()") == ["b", "10", "2", "1"]
        press(second, "4", 2, labels)
        first.keyboard.press("p")
        first.wait_for_selector("#facts-body table")
        shown = first.locator("#facts-body table th").all_inner_texts()
        assert shown == ["b", "10", "2", "1"]
    assert labels.label_of(items.key(0)) == "1"
