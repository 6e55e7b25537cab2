"""The command, its socket and its signals; on loopback."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager

import pytest

pytest.importorskip("uvicorn", reason="the extra serve is not installed")

from tutelage.serve import commands, server
from tutelage.serve.bodies import Limits

TOKEN = "a-token-of-some-length"


def post(port: int, rows: list, **headers: str) -> tuple[int, dict]:
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/predict", json.dumps({"rows": rows}).encode())
    for name, value in ({"Content-Type": "application/json"} | headers).items():
        asked.add_header(name, value)
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return answer.status, json.loads(answer.read())


@contextmanager
def in_a_thread(app, said):
    """A server in a thread of its own: the server and its port."""
    ready = threading.Event()
    with server.listening("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        made = server.Server(app.made(), said.append, ready.set, lambda: None)
        thread = threading.Thread(target=made.run, args=([listener],))
        thread.start()
        assert ready.wait(30)
        try:
            yield made, port
        finally:
            made.should_exit = True
            thread.join(30)


def test_over_a_socket_the_answers_are_the_same_and_what_is_in_flight_at_the_end_is_answered(serve):
    served = serve("texts")
    expected = served.ask(["the soup"]).json()
    model = served.app.service.current.run.model
    answers, entered, leave = model.answers, threading.Event(), threading.Event()

    def slow(items, tick=None):
        entered.set()
        leave.wait(10)
        return answers(items, tick)

    found = []
    with in_a_thread(served.app, served.said) as (made, port):
        assert post(port, ["the soup"]) == (200, expected)
        model.answers = slow
        asking = threading.Thread(target=lambda: found.append(post(port, ["the soup"])))
        asking.start()
        assert entered.wait(10)
        made.should_exit = True
        time.sleep(0.3)
        with pytest.raises(OSError, match=r"refused|reset"):
            post(port, ["another"])
        leave.set()
        asking.join(10)
    assert found == [(200, expected)] and served.said == []


def test_a_body_that_does_not_arrive_is_not_waited_for(serve):
    served = serve("texts", limits=Limits(seconds=0.2))
    head = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    with in_a_thread(served.app, served.said) as (_, port):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as sent:
            sent.sendall(head)
            assert sent.recv(1000).startswith(b"HTTP/1.1 408 ")
        with socket.create_connection(("127.0.0.1", port), timeout=10) as sent:
            sent.sendall(head)  # and goes away
        with socket.create_connection(("127.0.0.1", port), timeout=10) as sent:
            sent.sendall(b"no HTTP\r\n\r\n")
            assert sent.recv(1000).startswith(b"HTTP/1.1 400 ")
        assert post(port, ["the soup"])[0] == 200
    assert served.said == []


@pytest.fixture
def called(run, runs, monkeypatch):
    """Calls the command with a server that answers nothing: (exit code, what was printed)."""
    monkeypatch.delenv(commands.TOKEN, raising=False)
    monkeypatch.setattr(server.Server, "run", lambda self, sockets: self.ready())

    def call(*words, folder=runs / "texts", port=0):
        return run("serve", folder, "--port", port, *words)

    return call


def test_the_command_says_what_it_serves_and_where(called):
    code, shown = called()
    assert code == 0
    assert "texts: texts of text, 2 classes, model " in shown and "http://127.0.0.1:" in shown


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--host", "0.0.0.0"), "--host 0.0.0.0 is reached by other machines, so that a token is needed"),
        (("--host", "192.0.2.7", "--token-file", "TOKEN"), "--host 192.0.2.7: "),
        (("--token-file", "SHORT"), "a token has at least 16 characters, got 5"),
        (("--token-file", "BLANK"), "a token is one word of ASCII"),
        (("--token-file", "nowhere"), "nowhere: No such file or directory"),
        (("--max-rows", "0"), "--max-rows must be at least 1, got 0"),
        (("--abstain", "2"), "abstain must be in (0, 1], got 2"),
        (("--features", "a"), "--features"),
        (("--text", "a", "--label", "b"), "--label"),
    ],
)  # fmt: skip
def test_what_is_not_right_ends_with_a_line(called, tmp_path, words, says):
    for name, token in (("TOKEN", TOKEN), ("SHORT", "short"), ("BLANK", "two words of length")):
        (tmp_path / name).write_text(f"{token}\n")
    code, shown = called(*(tmp_path / word if word in ("TOKEN", "SHORT", "BLANK") else word for word in words))
    assert code == 2 and "Traceback" not in shown
    (line,) = [line for line in shown.splitlines() if line.startswith("Error: ")]
    assert says in line


def test_a_port_that_is_taken_ends_with_a_line(called):
    with server.listening("127.0.0.1", 0) as other:
        port = other.getsockname()[1]
        code, shown = called(port=port)
    assert (code, shown.strip()) == (
        2, f"Error: --port {port} of 127.0.0.1 is taken by another program; name another, or end that program"
    )  # fmt: skip
    assert "must be in [0, 65535], got 70000" in called(port=70_000)[1]


def test_runs_that_cannot_be_served_end_with_a_line(called, runs, tmp_path, encoder_folder):
    code, shown = called(folder=tmp_path / "nowhere")
    assert code == 2 and "nowhere: no such folder" in shown
    shutil.copytree(runs / "texts", tmp_path / "unfinished")
    (tmp_path / "unfinished" / "manifest.json").unlink()
    code, shown = called(folder=tmp_path / "unfinished")
    assert code == 2 and "the run is not finished" in shown
    gone = tmp_path / "gone"
    encoder_folder.rename(gone)
    try:
        code, shown = called()
    finally:
        gone.rename(encoder_folder)
    assert code == 2 and shown.count("Error: ") == 1 and "could not be loaded: there is no such folder" in shown


def test_a_run_of_values_needs_the_names_of_its_columns(called, tmp_path, texts, encoder_folder):
    from tutelage import Classifier

    model = Classifier("supervised", encoder=str(encoder_folder), steps=8, folds=2, repeats=1)
    model.fit(texts.train.text.tolist(), texts.train.label.tolist()).save(tmp_path / "run")
    code, shown = called(folder=tmp_path / "run")
    assert code == 2 and "--text must be given" in shown
    code, shown = called("--text", "body", folder=tmp_path / "run")
    assert code == 0 and "texts of body" in shown


def test_without_the_extra_one_line_names_it(called, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "uvicorn" else found(name))
    code, shown = called()
    assert (code, shown.strip()) == (
        2, "Error: tutelage serve needs more packages: pip install 'tutelage[serve]' (no module named 'uvicorn')"
    )  # fmt: skip


def test_a_token_opens_other_addresses(called, monkeypatch):
    monkeypatch.setenv(commands.TOKEN, TOKEN)
    code, shown = called("--host", "0.0.0.0")
    assert code == 0 and "http://0.0.0.0:" in shown and TOKEN not in shown


@contextmanager
def process(folder, *words):
    """The command in a process of its own: the process and its port."""
    own = os.environ | {"OMP_NUM_THREADS": "1"}
    begun = subprocess.Popen(
        [sys.executable, "-m", "tutelage", "serve", folder, "--port", "0", *words],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=own,
    )  # fmt: skip
    try:
        line = begun.stdout.readline()
        assert "http://" in line, line
        yield begun, int(line.split("http://127.0.0.1:")[1].split("/")[0])
    finally:
        if begun.poll() is None:
            begun.kill()
        begun.communicate()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_the_command_once_requests_are_answered(runs, number, code):
    rows = [f"the soup was near the bread {i} today" for i in range(3000)]
    with process(runs / "texts") as (begun, port):
        found = []
        asking = threading.Thread(target=lambda: found.append(post(port, rows)))
        asking.start()
        while "tutelage_waiting 1.0" not in numbers(port):
            time.sleep(0.05)
        begun.send_signal(number)
        assert begun.wait(60) == code
        asking.join(10)
    assert [(status, len(answer["rows"])) for status, answer in found] == [(200, 3000)]


@pytest.mark.slow
def test_sighup_loads_what_the_folder_holds_now(runs, tmp_path):
    link = tmp_path / "current"
    link.symlink_to(runs / "texts")
    with process(link) as (begun, port):
        before = post(port, ["the soup"])[1]["model"]
        link.unlink()
        link.symlink_to(runs / "rows")
        begun.send_signal(signal.SIGHUP)
        line = begun.stdout.readline()
        assert line.startswith("Loaded: rows: rows of a, b")
        assert post(port, [{"a": 1, "b": 2}])[1]["model"] != before
        begun.terminate()
        assert begun.wait(60) == 0


def numbers(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        return answer.read().decode()
