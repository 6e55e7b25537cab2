"""Label Studio itself takes in what is written, and what it exports is read, where its command is on the PATH.

pip install label-studio, in an environment of its own. It listens on the loopback address, and ends with the test.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from contextlib import suppress

import pytest

from tutelage.exchange import FORMATS, NONE, SKIPPED, UNSURE, Answer, How, Question, Record, Span, Suggestion, read

pytestmark = pytest.mark.slow

ME, TOKEN, WAIT = "ann@example.org", "0123456789abcdef" * 2 + "01234567", 280
"""The user, her token, and seconds for the server to start."""
PROJECTS = {
    "classes": [
        Record("bread & butter", id="1", answers=(Answer(("food",), ME, seconds=2.5, note="why?"),)),
        Record("a goal 😀", id="2", answers=(Answer(("sport",), ME),)),
        Record("x", id="3", answers=(Answer(None, ME, SKIPPED),)),
        Record("v", id="4", answers=(Answer(None, ME, NONE),)),
        Record("y", id="5", suggestion=Suggestion(("sport",), 0.75)),
        Record("z", id="6", answers=(Answer(("food",), ME, UNSURE),)),
    ],
    "spans": [
        Record("Ada left Paris", id="1", answers=(Answer((Span(0, 3, "PER"), Span(9, 14, "LOC")), ME),)),
        Record("😀 Bob left", id="2", suggestion=Suggestion((Span(2, 5, "PER"),), 0.5)),
        Record("at home", id="3", answers=(Answer((), ME),)),
        Record("two\r\nlines  here", id="4", answers=(Answer((Span(5, 10, "LOC"),), ME),)),
    ],
    "several": [
        Record("a", id="1", answers=(Answer(("cheap", "food"), ME),)),
        Record("b", id="2", answers=(Answer(("food",), ME),)),
    ],
    "images": [
        Record(image="/pets/a b.png", id="1", answers=(Answer(("cat",), ME),)), Record(image="/pets/c.png", id="2"),
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """Function that asks a server of Label Studio: its answer's bytes."""
    command = shutil.which("label-studio")
    if command is None:
        pytest.skip("label-studio is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("server")
    words = ["start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(port), "--data-dir", str(folder),
             "--username", ME, "--password", TOKEN[:16], "--user-token", TOKEN]  # fmt: skip
    settings = {"COLLECT_ANALYTICS": "False", "LATEST_VERSION_CHECK": "False", "SENTRY_DSN": "",
                "LABEL_STUDIO_BASE_DATA_DIR": str(folder), "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true"}  # fmt: skip
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | settings
    log = (folder / "log.txt").open("w")
    server = subprocess.Popen([command, *words], env=environment, stdout=log, stderr=log)

    def asked(path, data=None):
        header = {"Authorization": f"Token {TOKEN}", "Content-Type": "application/json"}
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, header)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()

    try:
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline and server.poll() is None:
            with suppress(OSError):
                asked("/api/current-user/whoami")
                break
            time.sleep(2)
        else:
            pytest.fail(f"no server within {WAIT} s: {(folder / 'log.txt').read_text()[-500:]}")
        yield asked
    finally:
        server.terminate()
        server.wait(30)
        log.close()


@pytest.mark.parametrize("name", PROJECTS)
def test_a_project_goes_through_the_server_in_every_form(ask, name, tmp_path):
    records, question = PROJECTS[name], Question.of(PROJECTS[name])
    FORMATS["label-studio"].write(records, tmp_path / "tasks.json", question)
    made = json.loads(ask("/api/projects", {"title": name, "label_config": FORMATS["label-studio"].settings(question)}))
    taken = json.loads(ask(f"/api/projects/{made['id']}/import", json.loads((tmp_path / "tasks.json").read_text())))
    assert taken["task_count"] == len(records)
    assert taken["annotation_count"] == sum(len(record.answers) for record in records)
    assert taken["prediction_count"] == sum(record.suggestion is not None for record in records)
    for form in ("JSON", "JSON_MIN", "CSV", "TSV"):
        file = tmp_path / f"{form}.{'json' if 'JSON' in form else form.lower()}"
        file.write_bytes(ask(f"/api/projects/{made['id']}/export?exportType={form}&download_all_tasks=true"))
        found = {record.id: record for record in read(file, How(question="label")).records}
        flat = form != "JSON"  # flat forms leave out what was skipped
        assert found.keys() == {r.id for r in records if not (flat and any(a.state == SKIPPED for a in r.answers))}
        for record in records:
            if record.id in found:
                again = found[record.id]
                assert again.item == record.item, form
                assert [(a.label, a.state, a.note, a.seconds) for a in again.answers] == [
                    (a.label, a.state, a.note, a.seconds) for a in record.answers
                ], form
                assert {a.annotator for a in again.answers} <= {ME, "1"}
