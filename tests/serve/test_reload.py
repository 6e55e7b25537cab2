"""A newer run takes the place of the one that is served, and no request is lost."""

from __future__ import annotations

import shutil
import threading

import pytest

pytest.importorskip("starlette", reason="the extra serve is not installed")

RIGHT = {"Authorization": "Bearer a-token-of-some-length"}


@pytest.fixture
def linked(runs, tmp_path):
    """A link to a copy of the run of texts, and the function that lets it lead to the run of another name."""
    shutil.copytree(runs / "texts", tmp_path / "old")
    link = tmp_path / "current"
    link.symlink_to(tmp_path / "old")

    def lead(to):
        link.unlink()
        link.symlink_to(to)

    return link, lead


def test_the_newer_run_answers_from_then_on(serve, runs, linked):
    link, lead = linked
    served = serve(link, token="a-token-of-some-length")
    before = served.ask(["the soup"], **RIGHT).json()
    lead(runs / "rows")
    assert served.ask(["the soup"], **RIGHT).json() == before
    done = served.client.post("/reload", headers=RIGHT)
    assert done.status_code == 200 and done.json()["model"] == served.app.service.current.fingerprint
    assert served.ask([{"a": 1, "b": 2}], **RIGHT).json()["model"] == done.json()["model"] != before["model"]
    assert served.said[-1].startswith("Loaded: rows: rows of a, b, 2 classes, model ")
    assert 'tutelage_reloads_total{outcome="done"} 1.0' in served.client.get("/metrics", headers=RIGHT).text


def test_a_damaged_run_is_refused_and_the_old_one_stays(serve, runs, linked, tmp_path):
    link, lead = linked
    served = serve(link, token="a-token-of-some-length")
    before = served.ask(["the soup"], **RIGHT).json()
    shutil.copytree(runs / "texts", tmp_path / "new")
    weights = tmp_path / "new" / "model" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    for broken in (tmp_path / "new", tmp_path / "nowhere"):
        lead(broken)
        refused = served.client.post("/reload", headers=RIGHT)
        assert refused.status_code == 409 and refused.json()["errors"][0] in served.said[-1]
        assert served.said[-1].endswith(f"{served.app.service.current.words()} stays.")
    assert served.ask(["the soup"], **RIGHT).json() == before
    assert 'tutelage_reloads_total{outcome="refused"} 2.0' in served.client.get("/metrics", headers=RIGHT).text


def test_what_the_old_model_began_it_answers(serve, runs, linked):
    link, lead = linked
    served = serve(link)
    old = served.app.service.current
    answers, entered, leave = old.run.model.answers, threading.Event(), threading.Event()

    def slow(items, tick=None):
        entered.set()
        leave.wait(10)
        return answers(items, tick)

    old.run.model.answers = slow
    found = []
    first = threading.Thread(target=lambda: found.append(served.ask(["the soup"]).json()["model"]))
    first.start()
    assert entered.wait(10)
    lead(runs / "rows")
    assert served.app.service.reload() is None
    leave.set()
    first.join(10)
    assert found == [old.fingerprint] != [served.app.service.current.fingerprint]
    assert served.ask([{"a": 1, "b": 2}]).status_code == 200


def test_a_run_whose_encoder_is_gone_is_refused(runs, tmp_path, encoder_folder, serve):
    from tutelage.serve.served import Place

    gone = tmp_path / "gone"
    encoder_folder.rename(gone)
    try:
        with pytest.raises(OSError, match="could not be loaded: there is no such folder"):
            Place(runs / "texts").load()
    finally:
        gone.rename(encoder_folder)


def test_a_strangers_run_may_load_no_encoder_that_is_not_allowed(runs, tmp_path, monkeypatch, encoder_folder):
    from tutelage.serve.served import Place

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))  # without the key that sealed it, it counts as a stranger's
    with pytest.raises(ValueError, match="--allow-encoder"):
        Place(runs / "texts").load()
    assert Place(runs / "texts", allow_encoder=str(encoder_folder)).load().name == "texts"


def test_items_that_are_files_are_not_served(small_networks, pets, do, tmp_path, monkeypatch):
    from tutelage import Supervised
    from tutelage.serve.served import Place

    monkeypatch.chdir(tmp_path)
    about = {"train": pets["train"], "kind": "images", "network": "small_cnn", "size": (16, 16)}
    do(Supervised(), out=tmp_path / "run", steps=2, evidence=False, **about)
    with pytest.raises(ValueError, match=r"images are files, .* this run reads files, so use tutelage predict"):
        Place(tmp_path / "run").load()
