"""The page as requests see it: who is let in, what is answered, and what is said where something is wrong."""

from __future__ import annotations

import errno
import os

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("starlette", reason="the extra serve is not installed")

from starlette.middleware import Middleware
from starlette.testclient import TestClient

from tutelage.label.app import Page
from tutelage.label.filling import Filled
from tutelage.label.guard import Guard
from tutelage.tables import USUAL

TOKEN = "a-token-of-more-than-16-letters"
HERE = "http://127.0.0.1:8000"


@pytest.fixture
def page(campaign, table):
    labels = campaign(overlap=1.0)
    return Page(labels, Filled.of(labels, table, USUAL), "ann", lambda line: None)


@pytest.fixture
def client(page):
    app = page.made([Middleware(Guard, token=TOKEN, port=8000)])
    with TestClient(app, HERE, follow_redirects=False) as client:
        assert client.get(f"/?token={TOKEN}").status_code == 200
        client.headers["origin"] = HERE
        yield client


def give(client, row, label="food", **more):
    item = client.get(f"/items/{row}").json()["item"]
    return client.post("/answers", json={"row": row, "item": item, "act": "label", "label": label, **more})


def test_only_who_has_the_token_is_let_in(page):
    app = page.made([Middleware(Guard, token=TOKEN, port=8000)])
    with TestClient(app, HERE, follow_redirects=False) as stranger:
        assert stranger.get("/").status_code == 401
        assert stranger.get("/items/0").status_code == 401
        assert stranger.get("/?token=wrong").status_code == 401
        assert stranger.post("/answers", json={}).status_code == 401
        assert stranger.get("/", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
        opened = stranger.get(f"/?token={TOKEN}")
        assert "HttpOnly" in opened.headers["set-cookie"] and "SameSite=strict" in opened.headers["set-cookie"]
        assert TOKEN not in opened.text
        assert stranger.get("/").status_code == 200
    with TestClient(app, "http://127.0.0.1:9000") as other_port:
        assert other_port.get("/", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example:8000"}, 403),  # a name of a stranger that leads here
        ({"host": "127.0.0.1"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:8001"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": None}, 403),  # a form of a page that hides where it comes from
        ({}, 422),
    ],
)
def test_what_another_page_sends_is_refused(client, headers, status):
    for name, value in headers.items():
        if value is None:
            del client.headers[name]
        else:
            client.headers[name] = value
    assert client.post("/answers", json={}).status_code == status


def test_every_answer_forbids_what_is_not_its_own(client):
    for path in ("/", "/items/0", "/nowhere", "/style.css", "/label.js"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "same-origin"


def test_an_answer_is_kept_and_the_next_item_comes(client, page):
    said = give(client, 0, seconds=1.5)
    assert said.status_code == 200 and said.json()["item"]["row"] == 1
    assert said.json()["progress"]["labelled"] == 1
    (answer,) = page.campaign.journal.answers
    assert (answer.by, answer.label, answer.seconds, answer.seen, answer.asked) == ("ann", "food", 1.5, False, "margin")


def test_the_page_is_whole_and_answers_without_scripts(client, page):
    text = client.get("/").text
    assert "a soup of peas" in text and 'value="money"' in text
    item = client.get("/items/0").json()["item"]
    form = {"row": "0", "item": item, "label": "money", "fresh": ""}
    assert client.post("/answers", data=form).status_code == 303
    assert page.campaign.label_of(item) == "money" and "the market fell" in client.get("/").text
    assert client.post("/undo", data={"undo": "1"}).status_code == 303
    assert page.campaign.label_of(item) is None


def test_what_the_model_says_is_hidden_until_it_is_asked_for_and_that_is_kept(client, page):
    assert "unsure" not in client.get("/items/0").text and "guess" not in client.get("/items/0").json()
    give(client, 1)
    assert client.post("/items/2/guess").json() == {"guess": "sport", "why": "unsure"}
    give(client, 2)
    said = [(answer.act, answer.seen) for answer in page.campaign.journal.answers]
    assert said == [("label", False), ("saw", False), ("label", True)]


def test_scripts_in_a_text_are_words(tmp_path, campaign, table, client):
    text = "<script>alert(1)</script><img src=x onerror=alert(1)> \"'&"
    frame = pd.read_csv(table, dtype=str).assign(text=[text, *map(str, range(6))])
    frame.to_csv(table, index=False)
    labels = campaign(classes=["<b>", '"quoted"'])
    with TestClient(Page(labels, None, "ann", print).made()) as plain:
        shown = plain.get("/").text
        assert "<script>alert" not in shown and "<img src=x" not in shown and "<b>&lt;" not in shown
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown and 'value="&lt;b&gt;"' in shown
        assert plain.get("/items/0").json()["text"] == text


def test_answers_reach_the_table_and_other_cells_stay(client, page, table):
    before = pd.read_csv(table, dtype=str, keep_default_na=False)
    give(client, 0, "food")
    give(client, 1, "Geld, €")
    assert client.post("/save", json={}).status_code == 200
    after = pd.read_csv(table, dtype=str, keep_default_na=False)
    assert after.label.tolist() == ["food", "Geld, €", "", "", "", "food", ""]
    assert after.drop(columns="label").equals(before.drop(columns="label"))
    client.post("/undo", json={})
    client.post("/save", json={})
    assert pd.read_csv(table, dtype=str, keep_default_na=False).label[1] == ""


def test_a_table_that_a_spreadsheet_changed_is_not_written_over(client, table):
    give(client, 0)
    table.write_text(table.read_text().replace("the bank", "the river bank"))
    changed = table.read_bytes()
    said = client.post("/save", json={})
    assert said.status_code == 409 and "changed by another program" in said.json()["saving"]
    assert table.read_bytes() == changed
    table.unlink()
    assert "was removed" in client.post("/save", json={}).json()["saving"] and not table.exists()


def test_a_full_disk_is_told_and_the_item_stays(client, page, monkeypatch):
    item = client.get("/items/0").json()["item"]

    def full(file, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    said = client.post("/answers", json={"row": 0, "item": item, "act": "label", "label": "food"})
    assert said.status_code == 507 and "Not kept" in said.json()["error"] and "No space" in said.json()["error"]
    assert not page.campaign.labelled and client.get("/next").json()["item"]["row"] == 0
    monkeypatch.undo()
    assert give(client, 0).status_code == 200


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"row": 0, "item": "0" * 16, "act": "label", "label": "food"}, "not the one in the table"),
        ({"row": -1, "item": "0" * 16}, "not the one in the table"),
        ({"row": "x", "item": 3}, "row must be"),
        ({"row": True, "item": "0"}, "row must be"),
        ({"row": 0, "item": "0", "act": "undo"}, "act must be one of"),
        ({"row": 0, "item": "0", "label": ["food"]}, "must be texts"),
        ({"row": 0, "item": "0", "seconds": "long"}, "seconds must be"),
        ({"answers": []}, "row must be"),
        ({"answers": [3]}, "must be an object"),
        ({"answers": [{}] * 201}, "list of 1 to 200"),
    ],
)
def test_requests_that_are_no_answers_are_refused_in_words(client, page, body, says):
    said = client.post("/answers", json=body)
    assert said.status_code == 422 and says in said.json()["error"]
    assert not page.campaign.journal.answers


def test_bodies_that_are_no_json_are_refused(client):
    for body in (b"[", b"[]", b"\xff", b"[" * 100_000, b'"x"'):
        assert client.post("/answers", content=body).status_code == 422
    assert client.post("/answers", content=b" " * 2_000_001).status_code == 422
    assert client.get("/items/7").status_code == 404 and client.get("/items/x").status_code == 404


def test_items_are_found_and_labelled_together(client, page):
    found = client.get("/find", params={"words": "SOUP"}).json()["rows"]
    assert [each["row"] for each in found] == [0, 3, 5]
    answers = [
        {"row": i, "item": client.get(f"/items/{i}").json()["item"], "label": "food", "hand": True} for i in (0, 3)
    ]
    assert client.post("/answers", json={"answers": answers}).status_code == 200
    assert [a.asked for a in page.campaign.journal.answers] == ["hand", "hand"]
    assert [e["row"] for e in client.get("/find", params={"state": "labelled"}).json()["rows"]] == [0, 3, 5]
    assert [e["row"] for e in client.get("/find", params={"state": "open"}).json()["rows"]] == [1, 2, 4, 6]
    assert [e["row"] for e in client.get("/find", params={"guess": "sport"}).json()["rows"]] == [2, 6]
    give(client, 2, "sport")
    assert page.campaign.journal.answers[-1].seen  # whoever filters by the guess has seen it


def test_each_browser_has_its_annotator(client, page):
    give(client, 0, "food")
    assert client.post("/me", data={"name": "Ben Ö."}).status_code == 303
    give(client, 0, "money")
    assert [a.by for a in page.campaign.journal.answers] == ["ann", "Ben Ö."]
    said = client.get("/items/0").json()
    assert said["said"] == {"ann": "food", "Ben Ö.": "money"} and said["mine"]["label"] == "money"
    (pair,) = client.get("/agreement").json()["pairs"] or [{"first": "ann"}]
    assert pair["first"] == "Ben Ö." or pair == {"first": "ann"}
    assert client.post("/me", data={"name": "<b>"}).status_code == 422


def test_alike_items_are_grouped_and_labelled_together(client, page, monkeypatch):
    from tutelage.kinds.opinions import Opinions
    from tutelage.label import groups

    where = {
        "a soup of peas": 0.0,
        "soup again": 0.1,
        "the market fell": 5.0,
        "the bank": 5.1,
        "a late goal": 9.0,
        "the coach": 9.2,
    }
    monkeypatch.setattr(groups, "EACH", 2)
    monkeypatch.setattr(groups, "LEAST", 2)
    monkeypatch.setattr(
        groups, "without_model", lambda kind, items, cache: Opinions(np.array([[where[item]] for item in items]), None)
    )
    found = client.get("/groups").json()["groups"]
    assert sorted(sorted(each["row"] for each in group) for group in found) == [[0, 3], [1, 4], [2, 6]]
    rows = [each["row"] for each in found[0]]
    answers = [{"row": i, "item": client.get(f"/items/{i}").json()["item"], "label": "new", "hand": True} for i in rows]
    assert client.post("/answers", json={"answers": answers}).status_code == 200
    assert [a.together for a in page.campaign.journal.answers] == [1, 1]
    left = client.get("/groups").json()["groups"]
    assert {each["row"] for group in left for each in group}.isdisjoint(rows)


def test_on_drawn_items_the_guess_is_shown_at_once_and_its_influence_is_told(campaign):
    labels = campaign(classes=["food", "money", "sport"])
    page = Page(labels, None, "ann", print, suggest=0.5)
    with TestClient(page.made()) as client:
        shown = {i: "guess" in client.get(f"/items/{i}").json() for i in (0, 1, 2, 3, 4, 6)}
        assert 0 < sum(shown.values()) < 6
        for i, at_once in shown.items():
            give(client, i, labels.items.guess(i) if at_once else "food")
        told = client.get("/agreement").json()["guess"]
    assert told["suggested"]["items"] == sum(shown.values()) and told["suggested"]["equal"] == 1
    hidden = [labels.items.guess(i) == "food" for i, at_once in shown.items() if not at_once]
    assert told["hidden"]["equal"] == sum(hidden) / len(hidden)
    assert [a.suggested for a in labels.journal.answers] == list(shown.values())


def test_labels_of_the_table_itself_stay_unless_they_are_changed(campaign, table):
    frame = pd.read_csv(table, dtype=str, keep_default_na=False)
    frame.loc[[2, 3, 4], "label"] = ["sport", "food", "money"]
    frame.to_csv(table, index=False)
    labels = campaign(overlap=1.0)
    with TestClient(Page(labels, Filled.of(labels, table, USUAL), "ann", print).made()) as client:
        give(client, 2, act="note", note="odd")
        give(client, 3, act="skip")
        give(client, 4, "food")
        client.post("/undo", json={})
        give(client, 0, "food")
        client.post("/undo", json={})
        client.post("/save", json={})
    after = pd.read_csv(table, dtype=str, keep_default_na=False)
    assert after.label.tolist() == ["", "", "sport", "food", "money", "", ""]


def test_what_a_page_before_was_killed_over_is_written_on(campaign, table, tmp_path):
    from tutelage.label.filling import Made

    out = tmp_path / "out.csv"
    labels = campaign()
    first = Made(labels, out)
    first.take_over()
    labels.answer("ann", given_of(labels, 0, "food"))
    first.write()
    labels.answer("ann", given_of(labels, 1, "money"))  # the page is killed before it writes this
    again = campaign()
    second = Made(again, out)
    second.take_over()
    assert second.write() == 2
    out.write_text("mine\n1\n")
    third = Made(campaign(), out)
    third.take_over()
    with pytest.raises(Exception, match="was changed by another program"):
        third.write()


def given_of(labels, row, label):
    from tutelage.label.campaign import Given

    return Given(row, labels.items.key(row), "label", label)


def test_an_item_of_an_earlier_page_whose_answer_is_taken_back_is_asked_again(campaign, table):
    labels = campaign(overlap=0.0)
    written = Filled.of(labels, table, USUAL)
    for row in (0, 1, 2):
        labels.answer("ann", given_of(labels, row, "food"))
    written.write()
    again = campaign(overlap=0.0)
    assert again.items.given(2) == "food" and again.following("ann") == 3
    again.undo("ann")
    assert again.following("ann") == 2


def test_skipped_items_of_a_table_that_was_sorted_or_cut_come_again_themselves(campaign, table):
    labels = campaign()
    key = labels.items.key(1)
    labels.answer("ann", given_of(labels, 0, "food"))
    from tutelage.label.campaign import Given

    labels.answer("ann", Given(1, key, "skip"))
    frame = pd.read_csv(table, dtype=str, keep_default_na=False)
    frame.iloc[::-1].to_csv(table, index=False)
    again = campaign()
    while (row := again.following("ann")) is not None and again.items.key(row) != key:
        again.answer("ann", given_of(again, row, "food"))
    assert row is not None and again.items.key(row) == key
    frame[frame.text != "the market fell"].to_csv(table, index=False)
    cut = campaign()
    while (row := cut.following("ann")) is not None:
        cut.answer("ann", given_of(cut, row, "food"))


@pytest.mark.parametrize("label", ["1.0", " pad", "[1, 2]", "{x}"])
def test_classes_that_a_table_would_not_give_back_are_refused(client, label):
    said = give(client, 0, label)
    assert said.status_code == 422 and "name the class otherwise" in said.json()["error"]


def test_a_later_answer_of_an_annotator_undoes_what_was_settled(client, page):
    key = client.get("/items/0").json()["item"]
    give(client, 0, "food")
    client.post("/me", data={"name": "ben"})
    give(client, 0, "money")
    give(client, 0, "sport", act="settle")
    assert page.campaign.label_of(key) == "sport"
    give(client, 0, "food")
    assert page.campaign.label_of(key) == "food"


def test_numbers_and_notes_that_no_file_holds_do_no_harm(client, page):
    item = client.get("/items/0").json()["item"]
    body = f'{{"row": 0, "item": "{item}", "label": "food", "seconds": NaN, "note": "a\\ud800b"}}'
    assert client.post("/answers", content=body).status_code == 200
    assert client.get("/next").status_code == 200 and client.get("/items/0").json()["note"] == "a?b"
    for path in ("/?row=" + "9" * 5000, "/next?after=" + "9" * 5000, "/items/" + "9" * 5000):
        assert client.get(path).status_code in (200, 404, 422)


def test_a_journal_that_others_changed_is_told(client, page):
    with page.campaign.journal.path.open("ab") as file:
        file.write(b"mine\n")
    said = give(client, 0)
    assert said.status_code == 507 and "was changed by another program" in said.json()["error"]


def test_a_name_that_a_browser_keeps_is_of_this_campaign_and_this_command(campaign, table):
    labels = campaign()
    with TestClient(Page(labels, None, "ann", print).made()) as browser:
        browser.post("/me", data={"name": "ben"})
        assert browser.get("/progress").json()["by"] == "ben"
        with TestClient(Page(labels, None, "cem", print).made(), cookies=browser.cookies) as other:
            assert other.get("/progress").json()["by"] == "cem"
        with TestClient(Page(labels, None, "ann", print).made(), cookies=browser.cookies) as again:
            assert again.get("/progress").json()["by"] == "ben"
