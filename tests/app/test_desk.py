"""The page from a file to labels: what it keeps, what it shows, and which commands it starts."""

from __future__ import annotations

import errno
import shlex

import pandas as pd
import pytest

pytest.importorskip("starlette", reason="the extra serve is not installed")

from starlette.testclient import TestClient

from tutelage.app.desk import Desk
from tutelage.label.jobs import Jobs

TEXTS = [f"the {word} of day {i}" for i, word in enumerate(["soup", "bank", "goal"] * 8)]


@pytest.fixture
def started(monkeypatch):
    """Words of the commands that are started, which are not done."""
    found = []
    monkeypatch.setattr(Jobs, "start", lambda self, folder, words, about: found.append(list(words)))
    return found


@pytest.fixture
def client(tmp_path):
    folder = tmp_path / "desk"
    folder.mkdir()
    with TestClient(Desk(folder, print).made(), follow_redirects=False) as client:
        client.folder = folder
        yield client


def send(client, name="mine.csv", data=None):
    if data is None:
        label = ["food", "money", "sport"] * 4 + [""] * 12
        data = pd.DataFrame({"text": TEXTS, "id": range(24), "label": label}).to_csv(index=False).encode()
    return client.put(f"/files/{name}", content=data)


def test_a_file_is_kept_and_another_of_its_name_beside_it(client):
    assert send(client).json() == {"name": "mine.csv"}
    assert send(client, data=b"a,b\n1,2\n").json() == {"name": "mine-2.csv"}
    assert (client.folder / "mine-2.csv").read_bytes() == b"a,b\n1,2\n"
    assert "mine-2.csv" in client.get("/").text


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
    from pathlib import Path

    def full(self, *given, **named):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "hardlink_to", full)
    answer = send(client)
    assert answer.status_code == 507 and "No space left" in answer.json()["error"]
    assert not list(client.folder.iterdir())


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
def test_columns_that_are_not_there_are_refused(client, form, says):
    send(client)
    answer = client.post("/files/mine.csv/read", data=form)
    assert answer.status_code == 422 and says in answer.json()["error"]
    answer = client.post("/files/mine.csv/read", data=form, headers={"accept": "text/html"})
    assert "Not done" in answer.text and "<title>" in answer.text


def test_a_file_that_is_no_table_is_told(client):
    for name, data in {
        "a.csv": b"",
        "b.parquet": b"PAR1garbage",
        "c.xlsx": b"PK\x03\x04nothing",
        "d.csv": b"\x00\x01\x02",
    }.items():
        send(client, name, data)
        page = client.get(f"/files/{name}")
        assert page.status_code == 200 and 'class="notice warning"' in page.text


def test_each_step_is_a_command(client, started):
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


def test_what_cannot_be_done_is_refused_in_words(client, started):
    send(client)
    assert "learn from the labels first" in client.post("/files/mine.csv/do/predict").json()["error"]
    assert "no such job" in client.post("/files/mine.csv/do/stop", data={"number": "7"}).json()["error"]
    assert "nothing to do" in client.post("/files/mine.csv/do/dance").json()["error"]
    assert client.get("/files/mine.csv/runs/1/report.html").status_code == 404
    assert client.get("/files/mine.csv/jobs/1/labelled.csv").status_code == 404
    assert not started


def test_names_that_look_like_html_are_words(client):
    data = pd.DataFrame({"<b>text</b>": TEXTS, "label": "<script>x</script>"}).to_csv(index=False).encode()
    name = send(client, "a<b>&.csv", data).json()["name"]
    page = client.get(f"/files/{name}").text
    assert "<script>x" not in page and "<b>text" not in page and "&lt;b&gt;text&lt;/b&gt;" in page


def test_columns_that_look_like_options_are_values(client, started):
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
    assert sorted(each.name for each in given) == ["race-2.csv", "race.csv"]
    assert {each.path.read_bytes() for each in given} == {b"one\n1\n", b"two\n2\n3\n"}
    assert len(list(client.folder.iterdir())) == 2


def test_long_and_odd_names_are_kept_with_their_ending(client):
    for name in ("漢" * 120 + ".csv", "x" * 300 + ".csv", "a.csv.tutelage", "50%25 %231%3F.csv"):
        kept = client.put(f"/files/{name}", content=b"text,label\na b,x\n").json()["name"]
        assert not kept.endswith(".tutelage") and (client.folder / kept).exists()
        assert kept.endswith(".csv") or "tutelage" in kept
    assert client.get("/").status_code == 200


def test_folders_and_files_of_others_among_the_jobs_do_no_harm(client):
    send(client)
    jobs = client.folder / "mine.csv.tutelage" / "jobs"
    (jobs / "1 copy").mkdir(parents=True)
    (jobs / "2").mkdir()
    (jobs / "2" / "job.json").write_text('{"words": [], "about": null, "pid": 0, "began": ""}')
    (client.folder / "mine.csv.tutelage" / "said.json").write_text('{"kind": "films", "options": {}}')
    assert client.get("/files/mine.csv").status_code == 200
    assert Jobs(jobs).new_folder().name == "3"


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
