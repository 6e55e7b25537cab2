"""The page from a file to labels in a real browser: every state of it, two tabs, a reload, files of the wrong form."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import threading
from contextlib import contextmanager

import pandas as pd
import pytest

from tutelage.label.jobs import Jobs

pytest.importorskip("starlette", reason="the extra serve is not installed")
play = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

TOKEN = "a-token-of-more-than-16-letters"
TEXTS = [f"the {word} of day {i} is told at some length here" for i, word in enumerate(["soup", "bank", "goal"] * 8)]
LABELS = ["food", "money", "sport"] * 4 + [""] * 12
TABLE = pd.DataFrame({"Nr": range(24), "Datum": "01.03.2024", "Bemerkung": TEXTS, "Kategorie": LABELS})
ASKS = "a.csv, column 'Kategorie': '-1' 8 looks as if it meant no label"


@pytest.fixture(scope="module")
def chromium():
    with play.sync_playwright() as playing:
        browser = playing.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """Address of a page in whose folder nothing is yet, and the folder; no process looks at files."""
    from starlette.middleware import Middleware

    from tutelage.app import doing
    from tutelage.app.desk import Desk
    from tutelage.label.guard import Guard
    from tutelage.serve.server import Server, listening
    from tutelage.tables.settling import Answer

    def look(given, told):
        answers = [
            Answer(("--unlabelled-as=-1",), "they have no label"), Answer(("--classes=-1,0,1",), "it is a class")
        ]  # fmt: skip
        asked = doing.Asked(ASKS, answers, False)
        questions = [] if given.settled else [asked]
        return doing.Seen(
            ["Something is odd."], ["All."], "", questions, 12, 12, {"food": 4, "sport": 4}, "tutelage look"
        )

    monkeypatch.setattr(doing, "look", look)
    folder = tmp_path / "desk"
    folder.mkdir()
    with listening("127.0.0.1", 0) as listener:
        port, ready = listener.getsockname()[1], threading.Event()
        app = Desk(folder, print).made([Middleware(Guard, token=TOKEN, port=port)])
        server = Server(app, print, ready.set, lambda: None)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        assert ready.wait(20)
        yield f"http://127.0.0.1:{port}/?token={TOKEN}", folder
        server.should_exit = server.force_exit = True
        thread.join(20)


@contextmanager
def at(chromium, address, width=1280, **options):
    """The page in a browser that may do nothing wrong, beside what it says of an answer that refuses something."""
    context = chromium.new_context(viewport={"width": width, "height": 800}, **options)
    page, faults, asked = context.new_page(), [], []
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.wait_for_url(address.split("?")[0])
    page.wait_for_selector("h1")
    yield page
    assert not [fault for fault in faults if "422" not in fault and "ERR_FAILED" not in fault]
    assert all(url.startswith((address.split("?")[0], "data:")) for url in asked), asked
    context.close()


def choose(page, name, data):
    page.set_input_files("#choose", {"name": name, "mimeType": "text/csv", "buffer": data})


def csv(frame=TABLE):
    return frame.to_csv(index=False).encode()


def job(folder, words, code=None, log="", share=None, output=None):
    """A command of mine.csv as a process that does nothing: it runs until it is given a code."""
    made = Jobs(folder / "mine.csv.tutelage" / "jobs").new_folder()
    asked = {"words": words, "about": {"does": words[0]}, "pid": os.getpid(), "began": ""}
    (made / "job.json").write_text(json.dumps(asked))
    (made / "log.txt").write_text(log)
    if share is not None:
        (made / "progress.json").write_text(json.dumps({"work": "steps", "share": share, "left": "2 min left"}))
    if output is not None:
        output.to_csv(made / "labelled.csv", index=False)
    if code is not None:
        end(made, code)
    return made


def end(made, code):
    (made / "ended.json").write_text(json.dumps({"code": code}))


def state(name, page, address, folder):
    """Bring the page into a state."""
    home = address.split("?")[0]
    if name == "empty":
        return
    (folder / "mine.csv").write_bytes(csv() if name != "fault" else "text;label\nsüß;a\n".encode("cp1252"))
    jobs = {
        "running": [(["fit"], None, "step 1", 0.4), (["label"], None, "open http://127.0.0.1:1/?token=x", None)],
        "done": [(["fit"], 0, "done", None), (["predict"], 0, "done", None)],
        "failed": [(["fit"], 2, "Error: --text must be given", None), (["fit"], 130, "stopped", None)],
        "put away": [(["label"], 0, "closed", None)],
    }
    for words, code, log, share in jobs.get(name, ()):
        job(
            folder,
            words,
            code,
            log,
            share,
            TABLE.assign(predicted="food", probability=0.9) if words == ["predict"] else None,
        )
    if name in ("unsure", "rows"):
        more = {"Text": TEXTS} if name == "unsure" else {}
        frame = (
            TABLE.assign(**more)
            if more
            else pd.DataFrame(
                {"w": [i * 0.7 for i in range(24)], "v": [i * 0.3 for i in range(24)], "species": ["a", "b"] * 12}
            )
        )
        (folder / "mine.csv").write_bytes(csv(frame))
    page.goto(f"{home}files/mine.csv" + ("/remove" if name == "remove" else ""))
    if name not in ("empty", "unsure", "rows", "fault", "remove", "read"):
        with page.expect_navigation():
            page.click("text=That is right")
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")


STATES = ("empty", "read", "unsure", "rows", "fault", "confirmed", "running", "done", "failed", "put away", "remove")
SIDEWAYS = "document.scrollingElement.scrollWidth"


@pytest.mark.parametrize("name", STATES)
def test_nothing_bars_anybody_from_a_state_of_the_page(chromium, desk, name):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    with at(chromium, desk[0], 360, bypass_csp=True) as page:
        state(name, page, *desk)
        for width, scheme in itertools.product((360, 1280), ("light", "dark")):
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme)
            page.evaluate("Promise.all(document.getAnimations().map((each) => each.finished))")  # colours change slowly
            if pictures := os.environ.get("TUTELAGE_PICTURES"):
                page.screenshot(path=f"{pictures}/{name.replace(' ', '-')}-{width}-{scheme}.png", full_page=True)
            found = axe.run(page).response["violations"]
            assert not found, (width, scheme, [(v["id"], v["nodes"][0]["html"]) for v in found])
            assert page.evaluate(SIDEWAYS) <= width


def test_the_text_is_seen_first_on_a_narrow_screen(chromium, desk):
    with at(chromium, desk[0], 360) as page:
        choose(page, "mine.csv", csv())
        page.wait_for_selector("td")
        box = page.locator("td").first.bounding_box()
        assert page.locator("td").first.inner_text() == TEXTS[0]
        assert box["x"] >= 0 and box["x"] + box["width"] <= 360
        assert page.locator("th bdi").all_inner_texts()[:2] == ["Bemerkung", "Kategorie"]


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("report.pdf", b"%PDF-1.7 x", "choose a table"), ("mine.csv", b"", "is empty"),
        ("photos.zip", b"PK\x03\x04 x", "cannot be unpacked"),
    ],
)  # fmt: skip
def test_what_is_no_file_of_items_is_told_where_it_was_chosen(chromium, desk, name, data, says):
    with at(chromium, desk[0], 360) as page:
        choose(page, name, data)
        page.wait_for_selector(f"#sending:has-text('{says}')")
        assert not list(desk[1].iterdir())
        choose(page, "mine.csv", csv())  # and the next one is taken
        page.wait_for_selector("text=1. What is in it")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"text,label\n", "no rows"), (bytes(range(256)) * 20, "mine.csv"),
        (b"%PDF-1.7\n" + bytes(range(128, 256)), "mine.csv"), (b"PK\x03\x04" + b"\0" * 99, "mine.csv"),
        ("text\nsüß\n".encode("cp1252"), "cp1252"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_kept_and_told(chromium, desk, data, says):
    with at(chromium, desk[0]) as page:
        choose(page, "mine.csv", data)
        page.wait_for_selector(".notice.warning:not([hidden])")
        words = page.inner_text(".notice.warning:not([hidden])")
        assert says in words and "--" not in words and str(desk[1]) not in page.inner_text("main")
        assert (desk[1] / "mine.csv").read_bytes() == data
        if says == "cp1252":  # it is what the page advises already
            page.click("text=Read it again")
            page.wait_for_selector("td >> text=süß")


def test_one_column_is_texts_to_label_and_a_table_of_none_is_asked(chromium, desk):
    with at(chromium, desk[0]) as page:
        choose(page, "one.csv", csv(TABLE[["Bemerkung"]]))
        page.wait_for_selector("text=1. What is in it")
        assert page.input_value("[name=items]") == "Bemerkung" and page.input_value("[name=labels]") == ""
        page.click("text=All files")
        choose(page, "none.csv", b"a,b\n,\n,\n")
        page.wait_for_selector(".notice.warning:not([hidden])")
        assert "--" not in page.inner_text("main")


def test_the_same_file_and_another_of_its_name_are_told(chromium, desk):
    with at(chromium, desk[0]) as page:
        for data, says in ((csv(), None), (csv(), "was here already"), (b"text,label\na b,x\n", "mine-2.csv")):
            page.goto(desk[0].split("?")[0])
            choose(page, "mine.csv", data)
            page.wait_for_selector("text=1. What is in it")
            assert says is None or says in page.inner_text(
                ".notice >> nth=1" if page.query_selector("#lost") else ".notice"
            )
    assert sorted(path.name for path in desk[1].glob("*.csv")) == ["mine-2.csv", "mine.csv"]


def test_two_tabs_and_a_reload_see_one_truth(chromium, desk):
    (desk[1] / "mine.csv").write_bytes(csv())
    made = job(desk[1], ["fit"], log="one", share=0.2)
    with at(chromium, desk[0]) as one:
        here = f"{desk[0].split('?')[0]}files/mine.csv"
        one.goto(here)
        two = one.context.new_page()
        two.goto(here)
        for page in (one, two, one):
            page.reload()  # in the middle of a run
            assert "running" in page.inner_text("#job-1 .state")
            assert page.get_attribute("#job-1 progress", "value") == "20"
        two.click("#do-fit")  # the other tab has one running
        two.wait_for_selector("text=runs already")
        two.go_back()
        one.select_option("[name=labels]", "Nr")  # not sent yet: what ends meanwhile does not take it away
        end(made, 2)
        (made / "log.txt").write_text("Error: disk full")
        for page in (one, two):
            page.bring_to_front()
            page.wait_for_selector("#job-1 .state:has-text('failed')", timeout=10_000)
        assert one.input_value("[name=labels]") == "Nr"
        one.click("#away-1")
        one.wait_for_selector("#put-away")
        two.bring_to_front()
        two.evaluate("window.dispatchEvent(new Event('focus'))")
        two.wait_for_selector("#put-away")
        one.click("text=Remove this file")
        one.click("text=Remove it")
        one.wait_for_selector("text=was removed")
        two.evaluate("window.dispatchEvent(new Event('focus'))")
        two.wait_for_selector("#drop")
    assert not list(desk[1].iterdir())


def test_labels_given_meanwhile_are_counted_without_a_reload(chromium, desk):
    (desk[1] / "mine.csv").write_bytes(csv())
    job(desk[1], ["label"], log="open http://127.0.0.1:1/?token=x")
    with at(chromium, desk[0]) as page:
        page.goto(f"{desk[0].split('?')[0]}files/mine.csv")
        assert page.get_attribute("#open-label", "href") == "http://127.0.0.1:1/?token=x"
        said = pd.DataFrame({"row": [13], "Bemerkung": [TEXTS[12]], "Kategorie": ["music"]})
        said.to_csv(desk[1] / "mine.csv.tutelage" / "labels.csv", index=False)
        page.wait_for_selector("#labels >> text=music")
        assert "1 label given" in page.inner_text("#labels")


def test_a_page_whose_program_has_ended_says_so(chromium, desk):
    (desk[1] / "mine.csv").write_bytes(csv())
    job(desk[1], ["fit"], log="one")
    with at(chromium, desk[0]) as page:
        page.goto(f"{desk[0].split('?')[0]}files/mine.csv")
        page.route("**/jobs", lambda route: route.abort())
        page.wait_for_selector("#lost:not([hidden])")
        page.unroute("**/jobs")
        page.wait_for_selector("#lost[hidden]", state="attached", timeout=15_000)
        page.evaluate("console.clear()")


def test_a_table_is_downloaded_and_without_scripts_all_is_done(chromium, desk):
    (desk[1] / "mine.csv").write_bytes(csv())
    job(desk[1], ["predict"], 0, output=TABLE.assign(predicted="food", probability=0.9))
    context = chromium.new_context(java_script_enabled=False, accept_downloads=True)
    page = context.new_page()
    page.goto(desk[0])
    page.wait_for_selector("text=mine.csv")
    page.click("text=mine.csv")
    page.click("text=That is right")
    page.click("text=They have no label")
    page.wait_for_selector("text=Settled")
    with page.expect_download() as loading:
        page.click("text=Download the labels")
    got = pd.read_csv(loading.value.path(), keep_default_na=False)
    assert list(got)[-3:] == ["label_given", "label_predicted", "probability"] and list(got["label_given"]) == LABELS
    page.click("text=Put away")
    page.click("text=Remove this file")
    page.click("text=Keep it")
    page.click("text=Remove this file")
    page.click("text=Remove it")
    page.wait_for_selector("text=was removed")
    context.close()
