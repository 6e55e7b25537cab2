"""The page from a file to labels: what it keeps, what it shows, and which commands it starts."""

from __future__ import annotations

import errno
import html
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import time
import zipfile
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from PIL import Image

pytest.importorskip("starlette", reason="the extra serve is not installed")

from starlette.testclient import TestClient

from tutelage.app import doing
from tutelage.app.desk import Desk
from tutelage.app.download import labelled
from tutelage.app.files import Given
from tutelage.app.words import on_page
from tutelage.ask import outlook
from tutelage.kinds.texts import Texts
from tutelage.kinds.told import Told
from tutelage.label.campaign import Given as Answered
from tutelage.label.commands import LabelOptions
from tutelage.label.jobs import Jobs
from tutelage.label.start import campaign
from tutelage.tables import Notes, Question
from tutelage.tables.name_lists import as_option, listed_names
from tutelage.tables.settling import Answer, answers_of

RECORDED = Path(__file__).parents[1] / "recorded" / "v0.1" / "runs" / "texts"
TEXTS = [f"the {word} of day {i}" for i, word in enumerate(["soup", "bank", "goal"] * 8)]


@pytest.fixture
def started(monkeypatch):
    """Words of the commands that are started, which are not done."""
    found = []
    monkeypatch.setattr(Jobs, "start", lambda self, folder, words, about: found.append(list(words)))
    return found


@pytest.fixture
def unseen(monkeypatch):
    """Nothing is said of files, so that no process has to look at them."""
    monkeypatch.setattr(doing, "look", lambda given, told: doing.Seen(labelled=12, unlabelled=12))


@pytest.fixture
def client(tmp_path):
    folder = tmp_path / "desk"
    folder.mkdir()
    with TestClient(Desk(folder, print).made(), follow_redirects=False) as client:
        client.folder = folder
        yield client


class Quiet:
    """Hears what is said."""

    def say(self, line):
        """Nothing is shown."""

    answer = say


def send(client, name="mine.csv", data=None):
    if data is None:
        label = ["food", "money", "sport"] * 4 + [""] * 12
        data = pd.DataFrame({"text": TEXTS, "id": range(24), "label": label}).to_csv(index=False).encode()
    return client.put(f"/files/{name}", content=data)


def job(client, words, code=0, name="mine.csv", log="", running=False):
    """A command that was done with a file, or runs still: its folder."""
    folder = Jobs(client.folder / f"{name}.tutelage" / "jobs").new_folder()
    about = {"does": words[0], "of": 1}
    asked = {"words": words, "about": about, "pid": os.getpid() if running else 0, "began": ""}
    (folder / "job.json").write_text(json.dumps(asked))
    (folder / "log.txt").write_text(log)
    if not running:
        (folder / "ended.json").write_text(json.dumps({"code": code}))
    return folder


def given(client, labels, name="mine.csv"):
    """Give labels on the labelling page of a file: pairs of a row and its label."""
    folder = client.folder / f"{name}.tutelage"
    folder.mkdir(exist_ok=True)
    rows = [(row, TEXTS[row - 1], label, "random") for row, label in labels]
    pd.DataFrame(rows, columns=["row", "text", "label", "asked_by"]).to_csv(folder / "labels.csv", index=False)


def test_a_file_is_kept_and_another_of_its_name_beside_it(client, unseen):
    assert send(client).json() == {"name": "mine.csv", "fate": "new", "leads": "/files/mine.csv"}
    found = send(client, data=b"a,b\n1,2\n").json()
    assert found == {"name": "mine-2.csv", "fate": "beside", "leads": "/files/mine-2.csv?kept=beside"}
    assert (client.folder / "mine-2.csv").read_bytes() == b"a,b\n1,2\n"
    assert "mine-2.csv" in client.get("/").text
    assert "with other contents" in client.get(found["leads"]).text


def test_the_same_file_is_taken_again_and_that_is_said(client, unseen):
    send(client)
    send(client, data=b"a,b\n1,2\n")
    (client.folder / "mine.csv.tutelage").mkdir()
    for data, name in ((None, "mine.csv"), (b"a,b\n1,2\n", "mine-2.csv")):
        found = send(client, data=data).json()
        assert (found["name"], found["fate"]) == (name, "same")
        assert "was here already" in client.get(found["leads"]).text
    assert sorted(path.name for path in client.folder.iterdir()) == ["mine-2.csv", "mine.csv", "mine.csv.tutelage"]


def test_what_is_no_file_of_items_is_refused_at_once_and_not_kept(client):
    for name, data, says in (
        ("report.pdf", b"%PDF-1.7", "choose a table"), ("mine.csv", b"", "mine.csv is empty"),
        ("notes.docx", b"PK", ".conll"), ("photo.png", b"\x89PNG", ".zip with a folder of images"),
    ):  # fmt: skip
        answer = send(client, name, data)
        assert answer.status_code == 422 and says in answer.json()["error"]
    assert not list(client.folder.iterdir())


@pytest.mark.parametrize(
    "name", ["..%2F..%2Fetc%2Fpasswd", "%2Fabsolute.csv", "..", "a%00b.csv", "%F0%9F%8D%B2.csv", "C:%5Cmine.csv"]
)
def test_no_name_leads_out_of_the_folder(client, name):
    answer = client.put(f"/files/{name}", content=b"x\n1\n")
    assert answer.status_code in (200, 404, 405, 422, 307)
    outside = [path for path in client.folder.parent.rglob("*") if path.is_file() and client.folder not in path.parents]
    assert not outside
    assert all(path.parent == client.folder for path in client.folder.rglob("*"))


def test_files_outside_and_hidden_ones_are_not_shown(client):
    (client.folder.parent / "secret.csv").write_text("x\n1\n")
    (client.folder / ".hidden.csv").write_text("x\n1\n")
    (client.folder / "link.csv").symlink_to(client.folder.parent / "secret.csv")
    for name in ("..%2Fsecret.csv", ".hidden.csv", "link.csv", "nothing.csv"):
        assert client.get(f"/files/{name}").status_code == 404


def test_a_full_disk_keeps_nothing(client, monkeypatch):
    def full(self, *given, **named):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "hardlink_to", full)
    answer = send(client)
    assert answer.status_code == 507 and "No space left" in answer.json()["error"]
    assert not list(client.folder.iterdir())


@pytest.mark.slow
def test_kind_and_columns_are_guessed_said_and_confirmed(client):
    send(client)
    page = client.get("/files/mine.csv").text
    assert '<option value="text" selected>' in page and '<option value="label" selected>' in page
    assert "Labelled texts: 12; unlabelled: 12" in page and "food" in page
    assert '<option value="texts" selected>' in page
    form = {"kind": "rows", "items": "id", "labels": "label"}
    assert client.post("/files/mine.csv/read", data=form).status_code == 303
    assert '<option value="rows" selected>' in client.get("/files/mine.csv").text


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"kind": "films", "items": "text"}, "kind must be one of texts"),
        ({"kind": "texts", "items": "words"}, "there is no column 'words'; there are text, id, label"),
        ({"kind": "texts", "items": "text", "labels": "text"}, "is named for the texts and for their labels"),
        ({"kind": "texts", "items": ""}, "name the column of the texts"),
    ],
)
def test_columns_that_are_not_there_are_refused(client, unseen, form, says):
    send(client)
    answer = client.post("/files/mine.csv/read", data=form)
    assert answer.status_code == 422 and says in answer.json()["error"]
    answer = client.post("/files/mine.csv/read", data=form, headers={"accept": "text/html"})
    assert "Not done" in answer.text and "<title>" in answer.text


def test_a_file_that_is_no_table_is_told(client):
    for name, data in {
        "a.csv": b"text,label\n",
        "b.parquet": b"PAR1garbage",
        "c.xlsx": b"PK\x03\x04nothing",
        "d.csv": b"\x00\x01\x02",
    }.items():
        send(client, name, data)
        page = client.get(f"/files/{name}")
        assert page.status_code == 200 and 'class="notice warning"' in page.text
        assert str(client.folder) not in page.text and "The file is kept as it is" in page.text


def test_each_step_is_a_command(client, unseen, started):
    send(client)
    client.post("/files/mine.csv/do/fit")
    folder = client.folder / "mine.csv.tutelage"
    assert started[-1][:4] == ["fit", "drift", "--train", str(client.folder / "mine.csv")]
    assert started[-1][4:-2] == ["--kind", "texts", "--text=text", "--label=label"]
    client.post("/files/mine.csv/do/label")
    assert started[-1][0] == "label" and "--no-browse" in started[-1]
    folder.mkdir(exist_ok=True)
    (folder / "labels.csv").write_text("row,text,label,asked_by\n")
    client.post("/files/mine.csv/do/fit")
    assert shlex.join(started[-1]).count(f"--answers {folder / 'labels.csv'}") == 1


def test_a_table_without_a_column_of_labels_is_the_pool_of_those_that_are_given(client, started):
    send(client, data=pd.DataFrame({"text": TEXTS}).to_csv(index=False).encode())
    folder = client.folder / "mine.csv.tutelage"
    folder.mkdir()
    (folder / "labels.csv").write_text("row,text,label,asked_by\n")
    client.post("/files/mine.csv/do/fit")
    words = shlex.join(started[-1])
    assert f"--train {folder / 'labels.csv'} --unlabelled {client.folder / 'mine.csv'}" in words
    assert "--label label" in words


def test_what_cannot_be_done_is_refused_in_words(client, unseen, started):
    send(client)
    assert "learn from the labels first" in client.post("/files/mine.csv/do/predict").json()["error"]
    assert "no such job" in client.post("/files/mine.csv/do/stop", data={"number": "7"}).json()["error"]
    assert "nothing to do" in client.post("/files/mine.csv/do/dance").json()["error"]
    assert client.get("/files/mine.csv/runs/1/report.html").status_code == 404
    assert client.get("/files/mine.csv/jobs/1/labels").status_code == 404
    assert not started


def test_names_that_look_like_html_are_words(client, unseen):
    data = pd.DataFrame({"<b>text</b>": TEXTS, "label": "<script>x</script>"}).to_csv(index=False).encode()
    name = send(client, "a<b>&.csv", data).json()["name"]
    page = client.get(f"/files/{name}").text
    assert "<script>x" not in page and "<b>text" not in page and "&lt;b&gt;text&lt;/b&gt;" in page


def test_columns_that_look_like_options_are_values(client, unseen, started):
    data = pd.DataFrame({"--out=/tmp/x": TEXTS, "label": ["a", "b"] * 12}).to_csv(index=False).encode()
    send(client, data=data)
    client.post("/files/mine.csv/do/fit")
    assert "--text=--out=/tmp/x" in started[-1] and "--label=label" in started[-1]


def test_files_that_are_sent_at_once_are_kept_apart(client):
    import asyncio

    from tutelage.app.files import keep

    async def parts(data):
        for byte in data:
            await asyncio.sleep(0)
            yield bytes([byte])

    async def both():
        return await asyncio.gather(*(keep(client.folder, "race.csv", parts(d)) for d in (b"one\n1\n", b"two\n2\n3\n")))

    given = asyncio.run(both())
    assert sorted(each.given.name for each in given) == ["race-2.csv", "race.csv"]
    assert {each.given.path.read_bytes() for each in given} == {b"one\n1\n", b"two\n2\n3\n"}
    assert len(list(client.folder.iterdir())) == 2


def test_long_and_odd_names_are_kept_with_their_ending(client):
    assert client.put("/files/a.csv.tutelage", content=b"x").status_code == 422
    for name in ("漢" * 120 + ".csv", "x" * 300 + ".csv", "50%25 %231%3F.csv"):
        kept = client.put(f"/files/{name}", content=b"text,label\na b,x\n").json()["name"]
        assert kept.endswith(".csv") and (client.folder / kept).exists()
    assert client.get("/").status_code == 200


def test_folders_and_files_of_others_among_the_jobs_do_no_harm(client, unseen):
    send(client)
    jobs = client.folder / "mine.csv.tutelage" / "jobs"
    (jobs / "1 copy").mkdir(parents=True)
    (jobs / "2").mkdir()
    (jobs / "2" / "job.json").write_text('{"words": [], "about": null, "pid": 0, "began": ""}')
    (client.folder / "mine.csv.tutelage" / "said.json").write_text('{"kind": "films", "options": {}}')
    assert client.get("/files/mine.csv").status_code == 200
    assert Jobs(jobs).new_folder().name == "3"


@pytest.mark.slow
def test_a_file_in_other_letters_is_read_once_the_page_is_told(client, started):
    data = pd.DataFrame({"text": [f"süße Brötchen {i}" for i in range(24)], "label": ["a", "b"] * 12})
    send(client, "mine.csv", data.to_csv(index=False, sep=";").encode("cp1252"))
    assert 'class="notice warning"' in client.get("/files/mine.csv").text
    form = {"charset": "cp1252", "separator": ";"}
    assert client.post("/files/mine.csv/read", data=form).status_code == 303
    page = client.get("/files/mine.csv").text
    assert "süße Brötchen 0" in page and "Labelled texts: 24" in page
    client.post("/files/mine.csv/do/fit")
    assert "--charset=cp1252" in started[-1] and "--separator=;" in started[-1]
    assert client.post("/files/mine.csv/read", data={"charset": "utf-8", "separator": "xy"}).status_code == 422


def test_a_file_is_removed_with_all_that_was_done_with_it_once_that_is_confirmed(client, unseen):
    send(client)
    given(client, [(13, "food"), (14, "money")])
    (client.folder / "mine.csv.labels").mkdir()
    asks = client.get("/files/mine.csv/remove").text
    assert "2 labels that were given here" in asks and 'method="post"' in asks and "<script" not in asks
    assert (client.folder / "mine.csv").exists()
    answer = client.post("/files/mine.csv/remove")
    assert answer.headers["location"] == "/?removed=mine.csv"
    assert not list(client.folder.iterdir()) and "was removed" in client.get("/?removed=mine.csv").text


def test_a_file_that_a_command_uses_is_not_removed(client, unseen):
    send(client)
    job(client, ["label"], running=True)
    assert "in use (Labelling page)" in client.get("/files/mine.csv/remove").text
    answer = client.post("/files/mine.csv/remove")
    assert answer.status_code == 422 and "stop that first" in answer.json()["error"]
    assert (client.folder / "mine.csv").exists() and (client.folder / "mine.csv.tutelage").exists()


def test_the_card_of_a_job_is_put_away_and_its_log_stays(client, unseen):
    send(client)
    job(client, ["fit", "drift"], code=2, log="Error: --text must be given for --kind texts: the name of a column")
    page = client.get("/files/mine.csv").text
    assert 'id="job-1"' in page and "“Items” must be given for this “Kind”" in page
    assert client.post("/files/mine.csv/do/away", data={"number": "1"}).status_code == 303
    page = client.get("/files/mine.csv").text
    assert 'id="job-1"' not in page and "Put away (1)" in page
    assert "--text must be given" in page  # in its log
    job(client, ["fit", "drift"], running=True)
    assert "stop it first" in client.post("/files/mine.csv/do/away", data={"number": "2"}).json()["error"]


@pytest.mark.slow
def test_labels_that_were_given_on_the_page_are_counted(client):
    send(client)
    given(client, [(13, "food"), (14, "money"), (15, "music"), (16, "food")])
    page = re.sub(r"<[^>]+>", " ", client.get("/files/mine.csv").text)
    counts = re.findall(r"(food|money|sport|music) +(\d+) +(\d+) +(\d+)", page)
    assert counts == [
        ("food", "4", "2", "6"),
        ("money", "4", "1", "5"),
        ("sport", "4", "0", "4"),
        ("music", "0", "1", "1"),
    ]
    assert "4 labels given on the labelling page" in page


def test_types_of_entities_are_counted(client, unseen):
    rows = [{"tokens": ["Ann", "saw", "Rome"], "tags": None}] * 3
    send(client, "s.jsonl", "\n".join(map(json.dumps, rows)).encode())
    folder = client.folder / "s.jsonl.tutelage"
    folder.mkdir()
    (folder / "labels.csv").write_text('row,tokens,tags\n1,"[]","[""B-PER"", ""O"", ""B-LOC""]"\n2,"[]",B-PER O O\n')
    page = re.sub(r"<[^>]+>", " ", client.get("/files/s.jsonl").text)
    assert re.findall(r"(PER|LOC) +0 +(\d+) +", page) == [("LOC", "1"), ("PER", "2")]


COPIES = [
    "Copies: 3 texts are there more than once, or nearly, in 44 rows.",
    "9 labelled texts occur more than once: 30 rows are 20 texts; each has one vote.",
    "30 unlabelled rows are 24 texts: 6 are left out, since each text is in the pool once.",
    "1 of the 9 texts that occur more than once has different labels (row 1, row 2); kappa is 0.1.",
]
HALTS = "a.csv, column 'label': '-1' 8 looks as if it meant no label"


def test_what_look_says_is_told_once(tmp_path):
    file = f"{tmp_path}/a.csv: csv, separator ',', utf-8, 61 lines; 60 rows, columns text, label."
    line = f"Question 1: {HALTS}. To settle it: --unlabelled-as=-1; or --classes=-1,0,1. (docs: warnings/label-or-none)"
    options = ("--unlabelled-as=-1 (they have none)", "--classes=-1,0,1", "--mask-colours FILE")
    asked = asdict(Question(HALTS, options, "label-or-none", True, answers_of(options)))
    seen = doing.seen_of(
        {
            "facts": {"items": {"labelled": 20, "unlabelled": 24}, "classes": {"a": 9.5}}, "faults": [], "error": line,
            "says": [file, "Columns: text (text).", "Labelled texts: 20; unlabelled: 24.", *COPIES, "Odd.", line],
            "questions": [asked],
        },
        tmp_path,
    )  # fmt: skip
    assert seen.says == [COPIES[0], "Odd."] and not seen.error
    assert [each.words for each in seen.questions[0].answers] == [("--unlabelled-as=-1",), ("--classes=-1,0,1",)]
    assert seen.questions[0].answers[0].means == "they have none" and seen.questions[0].halts
    assert str(tmp_path) not in " ".join(seen.all_says) and (seen.labelled, seen.classes) == (20, {"a": 9.5})


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ("a \ue0005\ue001 text 'q' \ue0000\ue001", "a \ue0005\ue001 text 'q' \ue0000\ue001"),
        ("\0 'a \ue0000\ue001 --text' \0, see --label", "\0 'a \ue0000\ue001 --text' \0, see “Labels”"),
        ("2 tables in the zip: a.csv, b.csv; name one with --sheet, or unpack it",
         "2 tables in the zip: a.csv, b.csv; unpack it"),
        ("'--a' is odd; pass --x 'see --text', or pass --y", "'--a' is odd"),
        ("no 'it' there; pass --charset 'a b' or not", "no 'it' there; choose 'a b' under “Letters” or not"),
        ("'a'--text", "'a'“Items”"),
    ],
)  # fmt: skip
def test_names_are_no_part_of_what_is_reworded(tmp_path, says, words):
    assert on_page(says, tmp_path) == words


@pytest.mark.parametrize("name", ["my --text file.csv", "a--label.csv", "pass --charset.csv"])
def test_names_that_hold_options_stay_as_they_are(tmp_path, name):
    found = {
        "facts": {"items": {}, "classes": {"use --label or not": 3.0, "b": 2.0}}, "faults": [], "error": "",
        "questions": [], "says": [
            f"{tmp_path}/{name}: 3 rows of the class use --label or not, column '--text of': pass --charset cp1252",
        ],
    }  # fmt: skip
    (said,) = doing.seen_of(found, tmp_path, names=[name]).all_says
    assert said == (
        f"{name}: 3 rows of the class use --label or not, column '--text of': choose cp1252 under “Letters”"
    )


def test_counts_of_the_page_stand_beside_those_of_the_file(client, monkeypatch):
    monkeypatch.setattr(doing, "look", lambda given, told: doing.Seen(labelled=8, classes={"food": 4, "sport": 4}))
    send(client)
    given(client, [(13, "food"), (14, "money")])
    page = re.sub(r"<[^>]+>", " ", client.get("/files/mine.csv").text)
    counts = re.findall(r"(food|money|sport) +(\d+) +(\d+) +(\d+)", page)
    assert counts == [("food", "4", "1", "5"), ("sport", "4", "0", "4"), ("money", "0", "1", "1")]


@pytest.mark.slow
def test_that_items_are_there_more_than_once_is_said_once(client):
    rows = [(f"the {word}", label) for word in ("soup", "bank", "goal") for label in ("a", "b", "", "a")] * 3
    send(client, data=pd.DataFrame(rows, columns=["text", "label"]).to_csv(index=False).encode())
    page = client.get("/files/mine.csv").text
    before_fold = page.partition("All that was read")[0]
    assert before_fold.count("more than once") == 1 and "Copies:" in before_fold
    assert page.count("more than once") > 1  # the fold has all


@pytest.mark.slow
def test_a_question_is_asked_once_and_settled_by_a_button(client, started):
    labels = [["food", "money", "todo"][i % 3] for i in range(24)]
    send(
        client,
        data=pd.DataFrame({"text": TEXTS, "label": ["-1" if x == "todo" else str(len(x) % 2) for x in labels]})
        .to_csv(index=False)
        .encode(),
    )
    page = client.get("/files/mine.csv").text
    answers = re.findall(r'name="answer" value="([^"]+)"', page)
    assert answers and all(answer.startswith("--") for answer in answers)
    first = page.partition("All that was read")[0]
    assert len(re.findall(r"&#39;-1&#39;|'-1'", first)) <= 2
    assert "To settle it" not in page and "Question 1" not in first
    assert client.post("/files/mine.csv/settle", data={"answer": "--out=/etc"}).status_code == 422
    assert client.post("/files/mine.csv/settle", data={"answer": answers[0]}).status_code == 303
    page = client.get("/files/mine.csv").text
    assert answers[0] in page and "Take that back" in page
    client.post("/files/mine.csv/do/fit")
    assert answers[0] in shlex.join(started[-1])
    client.post("/files/mine.csv/settle", data={})
    assert "Take that back" not in client.get("/files/mine.csv").text


def test_what_is_unsure_is_asked_and_confirmed_before_anything_is_done(client, unseen, started):
    data = pd.DataFrame({"title": TEXTS, "text": [f"{t} and more" for t in TEXTS], "label": ["a", "b"] * 12})
    send(client, data=data.to_csv(index=False).encode())
    page = client.get("/files/mine.csv").text
    assert "holds texts, too" in page and "nothing is learnt before" in page
    for what in ("fit", "label"):
        answer = client.post(f"/files/mine.csv/do/{what}")
        assert answer.status_code == 422 and "confirm the kind" in answer.json()["error"]
    client.post("/files/mine.csv/read", data={"kind": "texts", "items": "title", "labels": "label"})
    assert "holds texts, too" not in client.get("/files/mine.csv").text
    assert client.post("/files/mine.csv/do/fit").status_code == 303
    assert "--text=title" in started[-1]


def test_features_of_rows_are_chosen_one_by_one(client, unseen):
    data = pd.DataFrame(
        {"id": range(24), "width": [i * 0.7 for i in range(24)], "length": range(5, 29), "species": ["a", "b"] * 12}
    )
    send(client, data=data.to_csv(index=False).encode())
    page = client.get("/files/mine.csv").text
    assert re.findall(r'name="features" value="(\w+)" checked', page) == ["width"]  # length counts the rows, as id does
    form = {"kind": "rows", "items": "id", "features": ["width", "length"], "labels": "species"}
    assert client.post("/files/mine.csv/read", data=form).status_code == 303
    assert json.loads((client.folder / "mine.csv.tutelage" / "said.json").read_text())["options"]["features"] == [
        "width",
        "length",
    ]


GERMAN = pd.DataFrame(
    {"Nr": range(1, 25), "Preis": [f"{i},50" for i in range(24)], "Bemerkung": [t.replace("the", "für") for t in TEXTS],
     "Kategorie": ["food", "money", "sport"] * 4 + [""] * 12}
)  # fmt: skip


def predicted(client, name, frame, ending=".csv"):
    """What the command predict would write of a table."""
    from tutelage.tables import write_table

    folder = job(client, ["predict"], name=name)
    write_table(frame.assign(predicted="food", probability=0.875), folder / f"labelled{ending}")


def test_a_table_comes_back_as_it_came_with_what_was_given_and_predicted(client, unseen):
    name, charset = "liste.csv", {"charset": "cp1252", "separator": ""}
    send(client, name, GERMAN.to_csv(index=False, sep=";", lineterminator="\r\n").encode("cp1252"))
    client.post(f"/files/{name}/read", data=charset)
    predicted(client, name, GERMAN)
    folder = client.folder / f"{name}.tutelage"
    said = [(13, GERMAN["Bemerkung"][12], "süß"), (14, GERMAN["Bemerkung"][13], "money")]
    pd.DataFrame(said, columns=["row", "Bemerkung", "Kategorie"]).to_csv(folder / "labels.csv", index=False)
    answer = client.get(f"/files/{name}/jobs/1/labels")
    assert "liste-labels.csv" in answer.headers["content-disposition"]
    lines = answer.content.decode("cp1252").split("\r\n")
    assert lines[0] == "Nr;Preis;Bemerkung;Kategorie;label_given;label_predicted;probability"
    assert lines[1] == f"1;0,50;{GERMAN['Bemerkung'][0]};food;food;food;0,875"
    assert lines[13] == f"13;12,50;{GERMAN['Bemerkung'][12]};;süß;food;0,875"
    assert lines[15].endswith(";;;food;0,875") and len(lines) == 26


def test_letters_that_a_charset_lacks_do_not_lose_the_table(client, unseen):
    send(client, "a.csv", GERMAN.to_csv(index=False, sep=";").encode("cp1252"))
    client.post("/files/a.csv/read", data={"charset": "cp1252", "separator": ""})
    predicted(client, "a.csv", GERMAN.assign(Kategorie=None))
    said = pd.DataFrame({"row": [13], "Bemerkung": [GERMAN["Bemerkung"][12]], "Kategorie": ["漢"]})
    said.to_csv(client.folder / "a.csv.tutelage" / "labels.csv", index=False)
    found = client.get("/files/a.csv/jobs/1/labels").content
    assert found.startswith(b"\xef\xbb\xbf") and "漢" in found.decode("utf-8-sig")


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet", ".xlsx"])
def test_a_table_comes_back_in_its_own_form(client, unseen, ending):
    from tutelage.tables import read, write_table

    if ending == ".xlsx":
        pytest.importorskip("openpyxl")
    frame = pd.DataFrame({"text": TEXTS, "predicted": "mine"})
    path = client.folder / f"t{ending}"
    write_table(frame, path)
    folder = job(client, ["predict"], name=path.name)
    write_table(frame.assign(predicted_2="food", probability=0.5), folder / f"labelled{ending}")
    client.post(f"/files/{path.name}/read", data={"kind": "texts", "items": "text", "labels": ""})
    said = pd.DataFrame({"row": [2], "text": [TEXTS[1]], "label": ["money"]})
    said.to_csv(client.folder / f"{path.name}.tutelage" / "labels.csv", index=False)
    got = client.folder / f"got{ending}"
    got.write_bytes(client.get(f"/files/{path.name}/jobs/1/labels").content)
    found = read(got).frame
    assert list(found) == ["text", "predicted", "label_given", "label_predicted", "probability"]
    assert [x for x in found["label_given"].astype(object) if isinstance(x, str) and x] == ["money"]
    assert float(found["probability"].iloc[0]) == 0.5 and set(found["label_predicted"]) == {"food"}


def test_a_spreadsheet_comes_back_with_its_numbers_dates_formulas_and_sheets(client, unseen):
    openpyxl = pytest.importorskip("openpyxl")
    from tutelage.tables import read, write_table

    book = openpyxl.Workbook()
    notes, sheet = book.active, book.create_sheet("answers")
    notes.title = "notes"
    notes["A1"] = "kept"
    sheet.append(["All that was said"])
    sheet.append(["text", "when", "price", "twice", "label"])
    for i, text in enumerate(TEXTS):
        sheet.append([text, datetime(2024, 3, i + 1), i + 0.5, f"=C{sheet.max_row + 1}*2", "food" if i < 3 else None])
        if i == 4:
            sheet.append([None])
    sheet.column_dimensions["A"].width = 44
    path = client.folder / "b.xlsx"
    book.save(path)
    given_ = Given(path)
    given_.say(Told("texts", {"text": "text", "label": "label"}), ["--sheet=answers"])
    folder = job(client, ["predict"], name="b.xlsx")
    frame = read(path, given_.how).frame
    write_table(frame.assign(predicted="=food", probability=0.5), folder / "labelled.xlsx")
    found = openpyxl.load_workbook(io.BytesIO(client.get("/files/b.xlsx/jobs/1/labels").content))
    assert found.sheetnames == ["notes", "answers"] and found["notes"]["A1"].value == "kept"
    rows = list(found["answers"].iter_rows(min_row=2, values_only=True))
    assert rows[0] == ("text", "when", "price", "twice", "label", "label_given", "label_predicted", "probability")
    assert rows[1][1:] == (datetime(2024, 3, 1), 0.5, "=C3*2", "food", "food", "=food", 0.5)
    assert rows[6] == (None,) * 8 and rows[7][0] == TEXTS[5] and rows[7][7] == 0.5
    assert found["answers"]["G3"].data_type == "s" and found["answers"].column_dimensions["A"].width == 44


def a_heading_is_missing(sheet):
    sheet.append(["text", None, "label"])
    for text in TEXTS:
        sheet.append([text, "note", "food"])


def a_heading_is_a_date(sheet):
    sheet.append(["text", datetime(2024, 1, 2), "label"])
    for i, text in enumerate(TEXTS):
        sheet.append([text, i + 0.5, "food"])


def a_remark_stands_to_the_right(sheet):
    sheet.append(["text", "label"])
    for text in TEXTS:
        sheet.append([text, "food"])
    sheet["F5"] = "ask Ann"


def a_row_is_an_error(sheet):
    sheet.append(["text", "label"])
    for i, text in enumerate(TEXTS):
        if i == 2:
            sheet.append(["#N/A", None])
            sheet.cell(sheet.max_row, 1).data_type = "e"
        sheet.append([text, "food"])


def cells_are_merged(sheet):
    sheet.append(["text", "label"])
    for i in range(0, len(TEXTS), 2):
        sheet.append([TEXTS[i], "food"])
        sheet.append([None, "food"])
        sheet.merge_cells(start_row=sheet.max_row - 1, end_row=sheet.max_row, start_column=1, end_column=1)


def rows_hold_formulas_alone_and_others_are_merged(sheet):
    sheet.append(["text", "chars", "label"])
    for i, text in enumerate(TEXTS[:4]):
        sheet.append([text, f"=LEN(A{i + 2})", "food"])
    sheet.append([None, '=IF(A6="","",LEN(A6))', None])
    sheet.append([TEXTS[4], None, "food"])
    sheet.append([None, None, None])
    sheet.merge_cells("A8:A9")
    for text in TEXTS[5:]:
        sheet.append([text, None, "food"])


def the_header_stands_again(sheet):
    sheet.append(["text", "label"])
    for i, text in enumerate(TEXTS):
        if i == 3:
            sheet.append(["text", "label"])
        sheet.append([text, "food"])


@pytest.mark.parametrize(
    "fill",
    [a_heading_is_missing, a_heading_is_a_date, a_remark_stands_to_the_right, a_row_is_an_error, cells_are_merged,
     rows_hold_formulas_alone_and_others_are_merged, the_header_stands_again],
)  # fmt: skip
def test_labels_stand_beside_their_rows_in_the_workbook(tmp_path, fill):
    openpyxl = pytest.importorskip("openpyxl")
    from tutelage.tables import read, write_table

    book = openpyxl.Workbook()
    book.active.append(["A title"])
    fill(book.active)
    book.create_sheet("other")["A2"] = "=1+1"
    path, output = tmp_path / "b.xlsx", tmp_path / "labelled.xlsx"
    book.save(path)
    given_ = Given(path)
    given_.say(Told("texts", {"text": "text", "label": "label"}), ["--sheet=1"])
    frame = read(path, given_.how).frame
    write_table(frame.assign(predicted=[f"of {text}" for text in frame["text"]], probability=0.5), output)
    found = labelled(given_, given_.said, None, output)
    assert found.whole
    sheets = openpyxl.load_workbook(found.path)
    assert sheets["other"]["A2"].value == "=1+1"
    rows = list(sheets.worksheets[0].iter_rows(values_only=True))
    assert rows[1][-3:] == ("label_given", "label_predicted", "probability")
    labels, last = 0, None
    for row in rows[2:]:
        last = row[0] or last  # merged cells have the text of the first
        if row[-2]:
            assert row[-2] == f"of {last}"
            labels += 1
    assert labels == len(frame)


def test_rows_that_are_not_those_of_the_workbook_are_written_without_it(client, unseen):
    openpyxl = pytest.importorskip("openpyxl")
    from tutelage.tables import write_table

    book = openpyxl.Workbook()
    book.active.append(["text", "label"])
    for text in TEXTS:
        book.active.append([text, "food"])
    book.save(client.folder / "b.xlsx")
    frame = pd.DataFrame({"text": TEXTS[::-1], "label": "food"})  # as many, in another order
    folder = job(client, ["predict"], name="b.xlsx")
    write_table(frame.assign(predicted=[f"of {text}" for text in frame["text"]], probability=0.5),
                folder / "labelled.xlsx")  # fmt: skip
    client.post("/files/b.xlsx/read", data={"kind": "texts", "items": "text", "labels": "label"})
    said = client.get("/files/b.xlsx/jobs/1/labels")
    assert "Other sheets, formulas and colours are not in it" in said.text
    got = client.get("/files/b.xlsx/jobs/1/labels?alone=yes").content
    rows = list(openpyxl.load_workbook(io.BytesIO(got)).active.iter_rows(min_row=2, values_only=True))
    assert len(rows) == len(TEXTS) and all(row[3] == f"of {row[0]}" for row in rows)


def test_a_workbook_that_cannot_be_written_again_keeps_its_numbers_and_dates(client, unseen, monkeypatch):
    openpyxl = pytest.importorskip("openpyxl")
    from tutelage.tables import read, write_table

    def unreadable(*args, **more):
        raise KeyError("a part of the workbook")

    book = openpyxl.Workbook()
    book.active.append(["text", "when", "price"])
    for i, text in enumerate(TEXTS):
        book.active.append([text, datetime(2024, 3, i + 1), i + 0.5])
    book.save(client.folder / "b.xlsx")
    frame = read(client.folder / "b.xlsx").frame
    folder = job(client, ["predict"], name="b.xlsx")
    write_table(frame.assign(predicted="food", probability=0.5), folder / "labelled.xlsx")
    client.post("/files/b.xlsx/read", data={"kind": "texts", "items": "text", "labels": ""})
    with monkeypatch.context() as held:
        held.setattr(openpyxl, "load_workbook", unreadable)
        assert "Download the rows" in client.get("/files/b.xlsx/jobs/1/labels").text
        got = client.get("/files/b.xlsx/jobs/1/labels?alone=yes").content
    row = next(openpyxl.load_workbook(io.BytesIO(got)).active.iter_rows(min_row=3, values_only=True))
    assert row == (TEXTS[1], datetime(2024, 3, 2), 1.5, None, "food", 0.5)


def packed(files):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file:
        for name, data in files.items():
            file.writestr(name, data)
    return held.getvalue()


def picture(shade):
    from PIL import Image

    held = io.BytesIO()
    Image.new("RGB", (32, 32), (shade, 0, 255 - shade)).save(held, "PNG")
    return held.getvalue()


@pytest.mark.slow
def test_a_zip_of_images_becomes_a_folder_of_them(client, started):
    files = {f"pics/{c}/{i}.png": picture(s + i) for c, s in (("red", 200), ("blue", 20)) for i in range(12)}
    data = packed(files | {"__MACOSX/pics/._0.png": b"x", "pics/.DS_Store": b"x", "pics/notes.doc": b"x"})
    assert send(client, "pics.zip", data).json() == {"name": "pics", "fate": "new", "leads": "/files/pics"}
    assert send(client, "pics.zip", data).json()["fate"] == "same"
    assert sorted(path.name for path in client.folder.iterdir()) == ["pics", "pics.tutelage"]
    assert len([path for path in (client.folder / "pics").rglob("*") if path.is_file()]) == 24
    page = client.get("/files/pics").text
    assert "24 with a label, 0 without" in page and "blue/0.png" in page
    client.post("/files/pics/do/fit")
    assert started[-1][:6] == ["fit", "drift", "--train", str(client.folder / "pics"), "--kind", "images"]
    client.post("/files/pics/remove")
    assert not list(client.folder.iterdir())


def flat(client, count=24):
    """Send a .zip of images without folders, and label half of them as the labelling page does."""
    files = {f"{i:02d}.png": picture((200 if i % 2 else 20) + i) for i in range(count)}
    assert send(client, "flat.zip", packed(files)).json()["name"] == "flat"
    client.post("/files/flat/read", data={"kind": "images"})
    names = list(files)[: count // 2]
    said = {"row": names, "image": [f"../flat/{name}" for name in names], "label": ["blue", "red"] * (len(names) // 2)}
    pd.DataFrame(said | {"asked_by": "random"}).to_csv(client.folder / "flat.tutelage" / "labels.csv", index=False)


def test_images_without_folders_are_the_pool_of_a_table_of_labels(client, started):
    flat(client)
    assert "no column holds labels" not in client.get("/files/flat").text.lower()  # some were given
    client.post("/files/flat/do/fit")
    labels = str(client.folder / "flat.tutelage" / "labels.csv")
    assert started[-1][:-2] == [
        "fit", "drift", "--train", labels, "--unlabelled", str(client.folder / "flat"), "--kind", "images", "--label",
        "label", "--images=image",
    ]  # fmt: skip


def ended(client, name, number, seconds=240):
    """The state of a job, once it has ended."""
    end = time.monotonic() + seconds
    while (found := Given(client.folder / name).jobs.all()[number - 1]).state == "running":
        assert time.monotonic() < end, found.log
        time.sleep(0.5)
    return found


@pytest.mark.slow
def test_images_without_folders_are_labelled_learnt_and_downloaded(client):
    flat(client)
    client.post("/files/flat/do/label")
    labelling = Given(client.folder / "flat").jobs.all()[0]
    for _ in range(120):
        if doing.address_of(labelling):
            break
        time.sleep(0.5)
    assert doing.address_of(labelling), labelling.log
    client.post("/files/flat/do/stop", data={"number": "1"})
    ended(client, "flat", 1)
    client.post("/files/flat/do/fit")
    assert ended(client, "flat", 2).state == "done", ended(client, "flat", 2).log
    assert doing.says(ended(client, "flat", 2))
    client.post("/files/flat/do/predict")
    assert ended(client, "flat", 3).state == "done", ended(client, "flat", 3).log
    table = pd.read_csv(io.BytesIO(client.get("/files/flat/jobs/3/labels").content), keep_default_na=False)
    assert len(table) == 24 and table.label_given.tolist() == ["blue", "red"] * 6 + [""] * 12
    assert table.label_predicted.tolist() == ["blue", "red"] * 12


def test_no_zip_writes_elsewhere_or_fills_the_disk(client, monkeypatch):
    data = packed(
        {
            "../evil.png": picture(1),
            "/abs.png": picture(2),
            "a/../../b.png": picture(3),
            "C:/d.png": picture(4),
            "ok/e.png": picture(5),
        }
    )
    send(client, "evil.zip", data)
    found = [path.relative_to(client.folder.parent).as_posix() for path in client.folder.parent.rglob("*.png")]
    assert found == ["desk/evil/e.png"]
    for name, data, says in (
        ("docs.zip", packed({"a.docx": b"x"}), "neither a table nor images"),
        ("bad.zip", b"PK\x03\x04nothing", "cannot be unpacked"),
    ):
        answer = send(client, name, data)
        assert answer.status_code == 422 and says in answer.json()["error"]
    monkeypatch.setattr("tutelage.app.packed.SHARE", 0.0)
    assert "no room" in send(client, "big.zip", packed({"a.png": picture(1)})).json()["error"]
    assert sorted(path.name for path in client.folder.iterdir()) == ["evil", "evil.tutelage"]


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (["--kind rows", "--kind texts"], ["--kind", "texts", "--text=text", "--label=label"]),
        (["--text label --label text"], ["--kind", "texts", "--text=label", "--label=text"]),
        (["--separator ,"], ["--kind", "texts", "--separator=,", "--text=text", "--label=label"]),
        (["--label id"], ["--kind", "texts", "--text=text", "--label=id"]),
        (["--quote none", "--quote=double"], ["--kind", "texts", "--text=text", "--label=label", "--quote=double"]),
        (
            ["--unlabelled-as=-1", "--unlabelled-as 'to do'"],
            ["--kind", "texts", "--text=text", "--label=label", "--unlabelled-as=-1,to do"],
        ),
    ],
)
def test_no_button_gives_an_option_twice(client, started, monkeypatch, answers, words):
    found = [answers_of([answer])[0] for answer in answers]
    asked = doing.Asked("odd", found, False)
    monkeypatch.setattr(doing, "look", lambda given, told: doing.Seen(labelled=12, questions=[asked]))
    send(client)
    for answer in found:
        assert client.post("/files/mine.csv/settle", data={"answer": answer.typed}).status_code == 303
    client.post("/files/mine.csv/do/fit")
    assert started[-1][4:-2] == words


def test_a_sheet_that_is_chosen_is_shown_labelled_learnt_and_predicted(client, started, monkeypatch):
    pytest.importorskip("openpyxl")
    asked = doing.Asked("odd", [Answer(("--sheet=two words",))], False)
    monkeypatch.setattr(doing, "look", lambda given, told: doing.Seen(labelled=12, questions=[asked]))
    held = io.BytesIO()
    with pd.ExcelWriter(held) as book:
        for sheet, word in (("one", "first"), ("two words", "second")):
            frame = pd.DataFrame({"text": [f"{word} {t}" for t in TEXTS], "label": ["a", "b"] * 12})
            frame.to_excel(book, sheet_name=sheet, index=False)
    send(client, "b.xlsx", held.getvalue())
    assert "first the soup" in client.get("/files/b.xlsx").text
    client.post("/files/b.xlsx/settle", data={"answer": "--sheet='two words'"})
    page = client.get("/files/b.xlsx").text
    assert "second the soup" in page and "first the soup" not in page
    job(client, ["fit", "drift"], name="b.xlsx")
    for what in ("label", "fit", "predict"):
        client.post(f"/files/b.xlsx/do/{what}")
        assert started[-1].count("--sheet=two words") == 1


def test_another_sheet_is_offered_where_no_column_has_labels(client):
    pytest.importorskip("openpyxl")
    held = io.BytesIO()
    with pd.ExcelWriter(held) as book:
        for sheet in ("one", "two"):
            pd.DataFrame({"text": [f"{sheet} {t}" for t in TEXTS]}).to_excel(book, sheet_name=sheet, index=False)
    send(client, "b.xlsx", held.getvalue())
    page = client.get("/files/b.xlsx").text
    assert 'value="--sheet=two"' in page and "Read sheet two" in page and "is read, but not" in page
    client.post("/files/b.xlsx/settle", data={"answer": "--sheet=two"})
    page = client.get("/files/b.xlsx").text
    assert "two the soup" in page and "one the soup" not in page and "is read, but not" not in page


def test_a_wrong_kind_is_noticed_where_no_column_has_labels(client):
    send(client, data=pd.DataFrame({"text": TEXTS}).to_csv(index=False).encode())
    client.post("/files/mine.csv/read", data={"kind": "images", "items": "text", "labels": ""})
    assert "look like texts, not like images" in client.get("/files/mine.csv").text.replace("\u2068", "")
    client.post("/files/mine.csv/read", data={"kind": "texts", "items": "text", "labels": ""})
    assert "is the kind right" not in client.get("/files/mine.csv").text


def test_what_a_fit_found_is_said_in_plain_words(client):
    folder = client.folder / "mine.csv.tutelage" / "jobs" / "1"
    shutil.copytree(RECORDED, folder / "run")
    says = doing.says(SimpleNamespace(folder=folder))
    assert says[0] == (
        "On 16 texts whose labels were hidden from it, it was right in 11; of 100 new texts of this sort it will be "
        "right in 48 to 84, with nine chances in ten."
    )
    assert says[1] == (
        "Learnt from the labels alone it has 62 of 100; from the texts without a label, too, 69. By these labels, and "
        "by what such items brought on other data, they help with 74 chances in 100, so that they are used."
    )
    held = json.loads((folder / "run" / "summary.json").read_text())
    held |= {"commonest": {"class": "food", "share": 0.5}}
    held["outlook"] = {
        "curve": [], "more": [20], "gain": [1.5], "low": [-6.3], "high": [11.9], "per_minute": [0.3], "stop": False,
        "sets": 9, "words": "x",
    }  # fmt: skip
    held["evidence"]["returned"] = "reference"
    (folder / "run" / "summary.json").write_text(json.dumps(held))
    says = " ".join(doing.says(SimpleNamespace(folder=folder)))
    assert "about +2 of 100; between -6 and +12 is possible, since chance alone moves it." in says
    assert "always saying “food” would be right in 50 of 100" in says and "the labels alone are used" in says
    assert not re.search("accuracy|held-out|baseline|interval|cross-valid", says)


@pytest.mark.parametrize(
    ("labels", "scores", "says", "never"),
    [
        ([10, 20], [0.6, 1.0], "it makes hardly a mistake", "would bring"),
        ([20, 40], [0.6, 0.7], "likely worth it to label more", "hardly"),
        ([2000, 4000], [0.9, 0.901], "hardly worth the time", "likely worth"),
    ],
)
def test_what_more_labels_bring_agrees_with_the_verdict_of_the_run(client, labels, scores, says, never):
    folder = client.folder / "mine.csv.tutelage" / "jobs" / "1"
    shutil.copytree(RECORDED, folder / "run")
    held = json.loads((folder / "run" / "summary.json").read_text())
    found = outlook(labels, scores, (20,))
    names = ("gain", "low", "high", "per_minute")
    held["outlook"] = {
        "curve": [], "more": [20], "stop": found.stop, "room": found.room, "sets": 9, "words": found.words(),
        **{name: getattr(found, name).tolist() for name in names},
    }  # fmt: skip
    (folder / "run" / "summary.json").write_text(json.dumps(held))
    told = doing.says(SimpleNamespace(folder=folder))[-1]
    assert says in told and never not in told
    assert ("no room" in found.words()) == ("hardly a mistake" in told)
    assert ("Enough" in found.words()) == ("hardly worth" in told)


def test_answers_of_several_options_and_two_in_one_sentence_are_buttons(tmp_path):
    options = (
        "--text 'a b' --label text, if the columns are swapped",
        "--sheet=DATA says so, and --sheet='B c' reads another",
    )
    asked = asdict(Question("odd", options, "label-or-none", answers=answers_of(options)))
    seen = doing.seen_of({"facts": {"items": {}}, "faults": [], "says": [], "questions": [asked]}, tmp_path)
    assert seen.questions[0].answers == [
        Answer(("--text=a b", "--label=text"), "if the columns are swapped"),
        Answer(("--sheet=DATA",), "read sheet DATA"), Answer(("--sheet=B c",), "read sheet B c"),
    ]  # fmt: skip


ODD_NAMES = (
    "it's, me (2)", "Data's", "don't know", 'say "no"', "--out=evil", "--skip-bad", "a, and --sheet=b; or c", "a,",
    "TBD", "NULL", "None", "NAMES", "$(rm)", "a=b", "...", "ä ö",
)  # fmt: skip


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_sheet_of_any_name_is_read_by_its_button_and_taken_back(client, started, name):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = "first"
    book.active.append(["text", "label"])
    book.active.append(["a first text", "food"])
    other = book.create_sheet("other")
    other.title = name
    for row in (["text", "label"], *([text, "food"] for text in TEXTS)):
        other.append(row)
    book.save(client.folder / "b.xlsx")
    given_ = Given(client.folder / "b.xlsx")
    given_.say(Told("texts", {"text": "text"}))
    page = client.get("/files/b.xlsx").text
    answers = [html.unescape(each) for each in re.findall(r'name="answer" value="([^"]*)"', page)]
    assert len(answers) == 2
    assert client.post("/files/b.xlsx/settle", data={"answer": answers[1]}).status_code == 303
    assert given_.how.sheet == name and TEXTS[0] in client.get("/files/b.xlsx").text
    client.post("/files/b.xlsx/do/label")
    assert started[-1].count(f"--sheet={name}") == 1
    assert started[-1].count("--out") == 1 and "--out=evil" not in started[-1]
    del book[name]
    book.save(client.folder / "b.xlsx")
    page = client.get("/files/b.xlsx").text
    assert "no sheet" in page and "Take that back" in page
    client.post("/files/b.xlsx/settle", data={})
    assert given_.how.sheet is None and "a first text" in client.get("/files/b.xlsx").text


@pytest.mark.parametrize("name", [*ODD_NAMES, "-1", "a,b", "salt; pepper", "x\\y"])
def test_a_label_of_any_name_is_offered_as_none_or_as_a_class(name):
    answers = answers_of([f"{as_option('unlabelled-as', [name])} (they mean none)"])
    assert len(answers) == 1 and answers[0].means == "they mean none"
    (word,) = answers[0].words
    assert listed_names([word.partition("=")[2]]) == (name,)
    assert shlex.split(answers[0].typed) == [word]


@pytest.mark.parametrize("word", ["--sheet", "--out=evil", "--columns=", "--columns=a,a", "evil", "--sheet=gone"])
def test_no_word_that_was_kept_breaks_the_page(client, unseen, word):
    send(client)
    given_ = Given(client.folder / "mine.csv")
    given_.say(Told("texts", {"text": "text"}), [word])
    page = client.get("/files/mine.csv")
    assert page.status_code == 200 and "--out" not in " ".join(given_.settled)
    client.post("/files/mine.csv/settle", data={})
    assert not given_.settled and client.get("/files/mine.csv").status_code == 200


def test_a_look_that_takes_too_long_is_said(client, monkeypatch):
    def slow(*args, timeout, **more):
        raise subprocess.TimeoutExpired(args[0], timeout)

    monkeypatch.setattr(doing.subprocess, "run", slow)
    send(client)
    page = client.get("/files/mine.csv")
    assert page.status_code == 200 and "was not told in 10 minutes" in page.text


def test_an_option_that_is_to_be_filled_in_is_no_button():
    notes = Notes()
    notes.ask(
        "odd", "--classes NAMES, if each is a class", "--size HEIGHT WIDTH (larger)", "--columns NAME1,NAME2,... names",
        "--mask-values 0,1,... (each)", "leave out --unlabelled", page="label-or-none",
    )  # fmt: skip
    assert not notes.questions[0].answers


def test_what_of_a_zip_is_left_out_is_said(client, unseen):
    send(client, "p.zip", packed({"a/1.png": picture(1), "b/x:2.png": picture(2), "notes.doc": b"x", ".DS_Store": b""}))
    page = client.get("/files/p").text
    assert "1 file whose names have a colon" in page and "x:2.png" in page and "1 file that is no image" in page
    answer = send(client, "q.zip", packed({"b/x:2.png": picture(2)}))
    assert answer.status_code == 422 and "x:2.png" in answer.json()["error"]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"a/1.png": b"1", "a\\1.png": b"2"}, "two files of one name"),
        ({"a.png": b"1", "a.png/b.png": b"2"}, "a file and a folder of one name"),
        ({"a/1.png": b"1", "meta.csv": b"file,label\n1.png,x\n"}, "a table, 'meta.csv', and 1 image: which is meant"),
        ({"a/1.png": b"1", "a/1.txt": b"2"}, "holds 1 image and 1 text: which are meant?"),
        ({f"{'a' * 300}/1.png": b"1"}, "a name of 300 bytes"),
        ({f"a/{'ä' * 200}.png": b"1"}, "a name of 404 bytes"),
    ],
)
def test_a_zip_that_could_be_meant_otherwise_is_refused(client, files, says):
    answer = send(client, "p.zip", packed(files))
    assert answer.status_code == 422 and says in answer.json()["error"]
    assert not list(client.folder.iterdir())


PICTURES = {f"{'cat' if i % 2 else 'dog'}/{i}.png": b"1" for i in range(20)}
STORIES = {f"{'good' if i % 2 else 'bad'}/{i}.txt": b"a film" for i in range(100)}


@pytest.mark.parametrize(
    ("files", "kind", "left_out"),
    [
        (PICTURES | {"README.txt": b"read me"}, "images", "1 file that is no image, 'README.txt'"),
        (PICTURES | {"cat/README.txt": b"read me", "licences/a.txt": b"b"}, "images", "2 files that are no image"),
        (PICTURES | {f"cat/{i}.json": b"{}" for i in range(1, 20, 2)}, "images", "10 files that are no image"),
        (STORIES | {"logo.png": b"1"}, "texts", "1 file that is no text, 'logo.png'"),
        (STORIES | {"good/logo.png": b"1", "about.json": b"{}"}, "texts", "2 files that are no text"),
    ],
)
def test_most_of_a_zip_says_what_it_holds_and_the_rest_is_left_out(client, unseen, files, kind, left_out):
    send(client, "p.zip", packed(files))
    given_ = Given(client.folder / "p")
    assert given_.guess().kind == kind and left_out in " ".join(given_.says)
    ending = {"images": ".png", "texts": ".txt"}[kind]
    names, rows = given_.head()
    assert all(row[names.index("image" if kind == "images" else "file")].endswith(ending) for row in rows)
    assert {path.suffix for path in given_.path.rglob("*.*")} == {ending} and given_.labelled_by_folders
    assert len({path.name for path in given_.path.iterdir()}) == 2


@pytest.mark.parametrize("other", ["README.txt", "about/LICENCE.TXT", "notes.docx"])
def test_the_one_table_of_a_zip_is_taken_and_the_rest_said(client, unseen, other):
    table = pd.DataFrame({"text": TEXTS, "label": "food"}).to_csv(index=False)
    send(client, "p.zip", packed({"a.csv": table, other: b"read me"}))
    page = client.get("/files/p.zip").text
    assert Given(client.folder / "p.zip").says == [f"The table is 'a.csv'; left out: '{other}'."]
    assert page.count("left out: ") == 1 and other in page and TEXTS[0] in page


def test_a_name_that_no_file_can_have_is_not_there(client):
    for name in ("a" * 5000, "a" * 250, "ä" * 130):
        assert client.get(f"/files/{name}").status_code == 404


@pytest.mark.parametrize("name", ["x.labels.zip", "y.tutelage.zip", "mine.csv.Labels.zip"])
def test_a_zip_named_as_the_folders_of_files_is_kept_under_another_name(client, unseen, name):
    send(client)
    kept = send(client, name, packed({"a/1.png": picture(1)})).json()
    assert kept["fate"] == "new" and client.get(kept["leads"]).status_code == 200
    assert not kept["name"].lower().endswith((".labels", ".tutelage")) and kept["name"] in client.get("/").text


def test_a_zip_unpacks_to_no_more_than_its_size_allows(client, monkeypatch):
    monkeypatch.setenv("TUTELAGE_MAX_UNPACKED", "0.001")
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a/1.png", bytes(5_000_000))
        file.writestr("b/1.png", picture(1))
    answer = send(client, "bomb.zip", held.getvalue())
    assert answer.status_code == 422 and "unpacks to more than 0.001 GB" in answer.json()["error"]
    assert not list(client.folder.iterdir())


@pytest.mark.slow
def test_a_zip_of_a_table_stays_one(client):
    table = pd.DataFrame({"text": TEXTS, "label": ["a", "b"] * 12}).to_csv(index=False)
    assert send(client, "t.csv.zip", packed({"t.csv": table})).json()["name"] == "t.csv.zip"
    assert "24 with a label" in client.get("/files/t.csv.zip").text


@pytest.mark.slow
def test_sentences_with_a_word_a_line_are_taken(client, started):
    lines = "".join(f"Ann{i} B-PER\nsaw O\nRome B-LOC\n\n" for i in range(12))
    send(client, "s.conll", lines.encode())
    page = client.get("/files/s.conll").text
    assert '<option value="sentences" selected>' in page and "12 with a label" in page
    client.post("/files/s.conll/do/fit")
    assert started[-1][4:8] == ["--kind", "sentences", "--tokens=0", "--tags=1"]


def test_a_folder_of_images_comes_back_with_what_its_folders_and_the_page_say(tmp_path):
    folder = tmp_path / "pictures"
    for name in ("a/0.png", "b/0.png", "unlabelled/u.png", "unlabelled/v.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(folder / name)
    names = ["a/0.png", "b/0.png", "unlabelled/u.png", "unlabelled/v.png"]
    output, labels = tmp_path / "labelled.csv", tmp_path / "labels.csv"
    pd.DataFrame({"image": names, "predicted": "a", "probability": 0.5}).to_csv(output, index=False)
    said = {"row": ["unlabelled/u.png"], "image": ["unlabelled/u.png"], "label": ["b"], "asked_by": ["random"]}
    pd.DataFrame(said).to_csv(labels, index=False)
    path = labelled(Given(folder), Told("images", {}), labels, output).path
    assert pd.read_csv(path, dtype=str, keep_default_na=False).label_given.tolist() == ["a", "b", "b", ""]
    assert doing.output_of(SimpleNamespace(folder=tmp_path)) == output  # the download is not taken for the output


def test_the_sheet_stays_chosen_and_columns_of_another_sheet_are_not_kept(client):
    book = io.BytesIO()
    with pd.ExcelWriter(book) as writer:
        pd.DataFrame({"Stand": ["x", "y"], "n": [1, 2]}).to_excel(writer, sheet_name="First", index=False)
        mine = pd.DataFrame(
            {"Text": TEXTS[:12], "Art": ["a", "b"] * 6, "More": [f"other words {i}" for i in range(12)]}
        )
        mine.to_excel(writer, sheet_name="Second", index=False)
    send(client, "mappe.xlsx", book.getvalue())
    given = Given(client.folder / "mappe.xlsx")
    given.say(Told("texts", {"text": "Stand"}))
    client.post("/files/mappe.xlsx/settle", data={"answer": "--sheet=Second"})
    assert given.how.sheet == "Second" and given.said is None
    page = client.get("/files/mappe.xlsx").text
    assert "no column" not in page and TEXTS[0] in page
    form = {"kind": "texts", "items": "Text", "labels": "Art"}
    for form_ in (form, form | {"items": "More"}):
        client.post("/files/mappe.xlsx/read", data=form_)
        assert given.how.sheet == "Second" and given.said.options["text"] == form_["items"]


def test_columns_that_are_wrong_lead_to_no_long_page_and_to_no_fit(client):
    frame = pd.DataFrame({"text": [f"some words {i}" for i in range(90)], "Nr": [f"n{i}" for i in range(90)]})
    send(client, "Kunden.csv", frame.to_csv(index=False).encode())
    client.post("/files/Kunden.csv/read", data={"kind": "texts", "items": "text", "labels": "Nr"})
    page = client.get("/files/Kunden.csv").text
    assert "And 50 more classes." in page and page.count('<th scope="row">') == 40
    assert re.search(r'id="do-fit"[^>]* disabled', page)


def test_labels_of_a_file_in_other_letters_are_read_as_they_were_given(client, started):
    send(client, data="text\nsüße Äpfel\nein Öl\n".encode("cp1252"))
    client.post("/files/mine.csv/read", data={"charset": "cp1252", "separator": ""})
    client.post("/files/mine.csv/read", data={"kind": "texts", "items": "text", "labels": ""})
    folder = client.folder / "mine.csv.tutelage"
    client.post("/files/mine.csv/do/label")
    assert f"--out {folder / 'labels.parquet'}" in shlex.join(started[-1])
    pd.DataFrame({"text": ["süße Äpfel"], "label": ["x"]}).to_parquet(folder / "labels.parquet")
    client.post("/files/mine.csv/do/fit")
    assert f"--train {folder / 'labels.parquet'} --unlabelled" in shlex.join(started[-1])


def test_labels_come_back_to_their_rows_where_the_items_have_a_column_of_that_name(client, unseen):
    frame = pd.DataFrame({"row": [107, 1, 100], "text": TEXTS[:3], "asked_by": ["Ann", "Ben", "Ann"]})
    send(client, data=frame.to_csv(index=False).encode())
    form = {"kind": "texts", "items": "text", "labels": ""}
    client.post("/files/mine.csv/read", data=form)
    path = client.folder / "mine.csv"
    asked = LabelOptions(train=path, out=client.folder / "mine.csv.tutelage" / "labels.csv")
    with campaign(Texts(text="text", label="label"), None, asked, Quiet()) as (labels, made):
        for number, name in ((0, "food"), (2, "sport")):
            labels.answer("ann", Answered(number, labels.items.key(number), "label", name))
        made.write()
    predicted(client, "mine.csv", frame)
    found = pd.read_csv(io.BytesIO(client.get("/files/mine.csv/jobs/1/labels").content), keep_default_na=False)
    assert found["label_given"].tolist() == ["food", "", "sport"] and found["row"].tolist() == [107, 1, 100]
    assert doing.given_counts(Given(path), Told("texts", {"text": "text"})) == (2, {"food": 1, "sport": 1})
