"""A run vouches for itself: what is damaged is named, and made again; one process writes it at a time."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benches import Bench, stopped_after, without_cost
from forging import forge
from tutelage import Classifier
from tutelage.files import BadFileError, one_writer, write_json
from tutelage.files.whole import HASH
from tutelage.kinds.saved import kind_of

LEFT = {"seconds", "peak_memory_mb", "cost", HASH}
"""Entries of a summary that differ between equal fits."""


def bits(folder: Path) -> dict[str, bytes]:
    """Contents of the files of a finished run, without what differs between equal fits."""
    found = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    summary = json.loads(found.pop("summary.json").read_text())
    found.pop("manifest.json")
    plain = json.dumps({k: v for k, v in summary.items() if k not in LEFT}).encode()
    read = {name: without_cost(path.read_bytes()) for name, path in found.items()}
    return read | {"summary.json": plain}


@pytest.fixture(scope="module")
def world(tmp_path_factory, texts, encoder_folder):
    """Tables, and the folder "whole" of a finished run on them, when there was one."""
    folder = tmp_path_factory.mktemp("world")
    for name in ("train", "pool", "test"):
        getattr(texts, name).to_csv(folder / f"{name}.csv", index=False)
    return Bench(folder, encoder_folder)


@pytest.fixture
def bench(world):
    """The world without a run."""
    shutil.rmtree(world.out, ignore_errors=True)
    return world


@pytest.fixture
def finished(run, bench):
    """A finished run, which is made once; a copy of it is beside it."""
    whole = bench.folder / "whole"
    if not whole.exists():
        assert run(*bench.fit("drift", out=whole, checkpoint_seconds=0))[0] == 0
    shutil.copytree(whole, bench.out)
    return bench.out


def reverse_classes(folder: Path) -> None:
    about = json.loads((folder / "model" / "model.json").read_text())
    write_json(folder / "model" / "model.json", about | {"classes": about["classes"][::-1]})


def better(folder: Path) -> None:
    summary = json.loads((folder / "summary.json").read_text())
    summary["test"]["accuracy"] = 0.99
    write_json(folder / "summary.json", summary)


DAMAGE = {
    "a flipped bit of the weights": lambda f: flip(f / "model" / "model.safetensors", -5),
    "no model": lambda f: shutil.rmtree(f / "model"),
    "other weights": lambda f: shutil.copy(f / "reference" / "model.safetensors", f / "model" / "model.safetensors"),
    "reversed classes": reverse_classes,
    "a better score": better,
    "a flipped bit of the manifest": lambda f: flip(f / "manifest.json", 400),
}


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_damaged_is_named_and_made_again(run, bench, finished, damage):
    DAMAGE[damage](finished)
    for command in (["verify", finished], ["score", finished, "--test", bench.folder / "test.csv"]):
        code, said = run(*command)
        assert code == 2 and len(said.strip().splitlines()) == 1, said
        assert "damaged" in said or "is missing" in said
    with pytest.raises(BadFileError):
        Classifier.load(finished)
    code, said = run(*bench.fit("drift", checkpoint_seconds=0, resume=True))
    assert code == 0 and "is finished already" not in said
    assert "What was not kept is done again" in said or "done again" in said
    for aside in [*finished.rglob("*.damaged")]:
        aside.unlink()
    assert bits(finished) == bits(bench.folder / "whole")
    assert run("verify", finished)[0] == 0


def test_what_is_for_people_may_be_edited_or_removed(run, bench, finished):
    (finished / "report.html").unlink()
    (finished / "least_sure.csv").write_text("mine")
    (finished / "notes.txt").touch()
    code, said = run("verify", finished)
    assert code == 0 and "is whole" in said and "made by you on this machine" in said
    assert "does no harm: least_sure.csv, report.html." in said and "Not of the run: notes.txt." in said
    assert run("score", finished, "--test", bench.folder / "test.csv")[0] == 0
    assert "is finished already" in run(*bench.fit("drift", checkpoint_seconds=0, resume=True))[1]
    (finished / "plots" / "accuracy.png.1.part").touch()  # of a report that was killed
    code, said = run("report", finished)
    assert code == 0 and "least_sure.csv was edited, and stays as it is" in said
    assert not [*finished.rglob("*.part")]
    assert (finished / "least_sure.csv").read_text() == "mine"
    assert (finished / "report.html").read_bytes() == (bench.folder / "whole" / "report.html").read_bytes()
    assert json.loads(run("verify", finished, "--json")[1])["changed"] == ["least_sure.csv"]


def test_parts_left_by_a_kill_at_the_very_end_are_removed(run, bench, finished):
    (finished / "parts").mkdir()
    (finished / "parts" / "said.json").touch()
    assert "is finished already" in run(*bench.fit("drift", checkpoint_seconds=0, resume=True))[1]
    assert bits(finished) == bits(bench.folder / "whole")


def test_parts_that_cannot_be_removed_are_said(run, bench, finished, monkeypatch):
    def unreadable(path, *_, **__):
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

    (finished / "parts").mkdir()
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", unreadable)
        code, shown = run(*bench.fit("drift", checkpoint_seconds=0, resume=True))
    assert code == 0
    assert "parts of the finished run could not be removed (Input/output error)" in " ".join(shown.split())
    assert (finished / "parts").exists()


@pytest.fixture
def stopped(run, finished, bench):
    """A run that was stopped in its second training, beside the whole one."""
    half = bench.folder / "half"
    shutil.rmtree(bench.out)
    if not half.exists():
        with stopped_after(13):
            assert run(*bench.fit("drift", checkpoint_seconds=0, out=half))[0] == 130
    shutil.copytree(half, bench.out)
    return bench.out


def test_options_of_the_same_meaning_are_written_as_they_were(run, bench, stopped):
    whole = (bench.folder / "whole" / "run.json").read_bytes()
    (stopped / "run.json").write_bytes((stopped / "run.json").read_bytes() + b"\n")
    assert run(*bench.fit("drift", checkpoint_seconds=0, resume=True))[0] == 0
    assert (stopped / "run.json").read_bytes() == whole


def parts(folder: Path, ending: str) -> list[Path]:
    return sorted((folder / "parts").glob(f"*{ending}"))


@pytest.mark.parametrize("ending", [".safetensors", ".unfinished"])
@pytest.mark.parametrize("how", ["random bytes", "cut"])
def test_a_damaged_part_is_set_aside_and_made_again(run, bench, stopped, ending, how):
    broken = parts(stopped, ending)
    assert broken
    for path in broken:
        data = path.read_bytes()
        middle = len(data) // 2
        garbage = os.urandom(min(1024, len(data) - middle))
        path.write_bytes(data[:middle] + (garbage + data[middle + len(garbage) :] if how == "random bytes" else b""))
    code, said = run(*bench.fit("drift", checkpoint_seconds=0, resume=True))
    assert code == 0
    for path in broken:
        assert f"{path.name}" in said and "It is set aside as" in said
    whole = bits(bench.folder / "whole")
    told = {"summary.json", "records.json", "report.html", "model/README.md", "reference/README.md"}  # what was said
    assert {k: v for k, v in bits(stopped).items() if k not in told} == {
        k: v for k, v in whole.items() if k not in told
    }
    one, other = (json.loads((f / "summary.json").read_text()) for f in (stopped, bench.folder / "whole"))
    assert one["evidence"] == other["evidence"] and one["returned"] == other["returned"]


def test_damaged_options_of_an_unfinished_run_begin_it_anew(run, bench, stopped):
    flip(stopped / "run.json", 20)
    code, said = run(*bench.fit("drift", checkpoint_seconds=0, resume=True))
    assert code == 0 and "It is set aside, and the run begins anew" in said
    for aside in stopped.glob("*.damaged"):
        shutil.rmtree(aside) if aside.is_dir() else aside.unlink()
    assert bits(stopped) == bits(bench.folder / "whole")


def test_damaged_options_of_a_finished_run_are_an_error(run, bench, finished):
    flip(finished / "run.json", 20)
    code, said = run(*bench.fit("drift", checkpoint_seconds=0, resume=True))
    assert code == 2 and "run.json" in said
    assert (finished / "model" / "model.json").exists()
    code, said = run("predict", finished, "--text", "text", "--input", bench.folder / "test.csv", "--output", "p.csv")
    assert code == 2 and "run.json" in said, "not that there is no option --text"
    assert run("predict", finished, "--help")[0] == 0


@pytest.mark.parametrize("command", [["score", "--test"], ["predict", "--output", "p.csv", "--input"], ["report"]])
def test_an_unfinished_run_is_not_used(run, bench, stopped, command):
    path = [bench.folder / "test.csv"] if len(command) > 1 else []
    code, said = run(command[0], stopped, *command[1:], *path)
    assert (
        code == 2
        and "the run is not finished, or its manifest.json is lost; the command that began it goes on with" in said
    )


def test_a_second_writer_is_refused_and_changes_nothing(run, bench):
    bench.out.mkdir()
    with one_writer(bench.out):
        code, said = run(*bench.fit("drift"))
        assert code == 2 and f"is being written by process {os.getpid()} on " in said
        assert [path.name for path in bench.out.iterdir()] == [".lock"]
    assert run(*bench.fit("drift"))[0] == 0


def test_the_encoder_of_somebody_elses_run_is_loaded_only_where_it_is_allowed(
    run, bench, finished, encoder_folder, monkeypatch, tmp_path
):
    score = ["score", bench.out, "--test", bench.folder / "test.csv"]
    assert run(*score)[0] == 0
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another"))
    code, said = run(*score)
    assert code == 2 and f"add --allow-encoder {encoder_folder}" in said, said
    assert run(*score, "--allow-encoder", "another/one")[0] == 2
    assert run(*score, "--allow-encoder", encoder_folder)[0] == 0
    with pytest.raises(ValueError, match="allow_encoder="):
        Classifier.load(bench.out)
    Classifier.load(bench.out, allow_encoder=str(encoder_folder))
    code, said = run(*bench.fit("supervised", out=bench.folder / "next", encoder=bench.out))
    assert code == 2 and "was not made by you on this machine" in said


def test_an_edited_run_of_ones_own_names_no_other_encoder(run, bench, finished):
    about = json.loads((finished / "model" / "model.json").read_text())
    about["reader"]["encoder"] = str(bench.folder / "another")
    write_json(finished / "model" / "model.json", about)  # and not the manifest, whose seal is ours
    code, said = run(*bench.fit("supervised", out=bench.folder / "next", encoder=bench.out))
    assert code == 2 and "is damaged: model.json is not as it was written" in said
    assert not (bench.folder / "next").exists()


def test_an_encoder_that_is_not_used_is_not_allowed_without_a_word(run, bench, finished):
    code, said = run("score", finished, "--test", bench.folder / "test.csv", "--allow-encoder", "mpnet")
    assert code == 2 and "--allow-encoder mpnet: the model in" in said and "names the encoder" in said


def test_answers_take_the_place_of_no_file_of_the_run(run, bench, finished):
    predict = ["predict", finished, "--input", bench.folder / "test.csv", "--output"]
    os.mkfifo(bench.folder / "pipe.csv")
    for output, says in (
        (finished / "run.json", "is a file of the run itself"), (finished / "model", "is a file of the run itself"),
        (bench.folder / "test.csv", "would overwrite --input"), (bench.folder / "pipe.csv", "is a pipe or a device"),
    ):  # fmt: skip
        code, said = run(*predict, output)
        assert code == 2 and says in said
    assert run(*predict, finished / "answers.csv")[0] == 0
    code, said = run("verify", finished)
    assert code == 0 and "Not of the run: answers.csv." in said


def test_a_report_of_damaged_numbers_or_through_a_link_is_not_drawn(run, finished, tmp_path):
    shutil.move(finished / "plots", tmp_path / "plots")
    (finished / "plots").symlink_to(tmp_path / "plots")
    code, said = run("report", finished)
    assert code == 2 and "plots is a link to another folder" in said
    (finished / "plots").unlink()
    better(finished)
    code, said = run("report", finished)
    assert code == 2 and "summary.json is not as it was written" in said


def test_a_run_without_its_options_is_damaged(run, bench, finished):
    (finished / "run.json").unlink()
    for words in (
        bench.fit("drift", checkpoint_seconds=0, resume=True),
        ["predict", finished, "--text", "text", "--input", bench.folder / "test.csv", "--output", "p.csv"],
    ):
        code, said = run(*words)
        assert code == 2 and "run.json" in said and "Unknown option" not in said


OPENED: dict[str, list[str]] = {}
"""What was opened, listed or connected to, as Python's audit events name it, while there is a list "now"."""


def _note(event: str, what: tuple[object, ...]) -> None:
    if "now" in OPENED and event in ("open", "os.listdir", "os.scandir", "socket.connect", "socket.getaddrinfo"):
        OPENED["now"].append(f"{event} {what[0]}")


@contextmanager
def watching() -> Iterator[list[str]]:
    """Context in which the list is filled with what is opened, listed or connected to."""
    if "hooked" not in OPENED:  # a hook stays as long as the process
        sys.addaudithook(_note)
        OPENED["hooked"] = []
    OPENED["now"] = []
    try:
        yield OPENED["now"]
    finally:
        del OPENED["now"]


def test_a_strangers_run_opens_no_path_outside_it_and_no_connection(run, bench, finished, tmp_path):
    secret, test = tmp_path / "secret.json", bench.folder / "test.csv"
    secret.write_text('[{"label": "a", "regex": "b"}]')
    whole = json.loads((finished / "run.json").read_text())
    paths = {name: str(secret) for name in ("train", "unlabelled", "test", "out", "config", "content of train")}
    for name in ("rules", "describe", "teacher_run", "encoder"):
        forge(finished / "run.json", lambda asked, name=name: whole | paths | {f"kind.{name}": str(secret)})
        with watching() as opened:
            for words in (["score", finished, "--test", test], ["report", finished], ["verify", finished]):
                code, said = run(*words)
                assert code == 0, said
            Classifier.load(finished)
        assert any(str(test) in each for each in opened)
        assert not [each for each in opened if str(secret) in each or each.startswith("socket")]


def test_verify_sees_blanks_behind_a_manifest(run, finished):
    (finished / "manifest.json").write_bytes((finished / "manifest.json").read_bytes() + b"\n")
    code, said = run("verify", finished)
    assert code == 2 and "manifest.json: damaged: its bytes are not those that were written" in said


def test_records_of_a_stranger_that_cannot_be_drawn_are_refused_in_a_line(run, finished, monkeypatch, tmp_path):
    odd = {"test": {"rows": 10, "measure": "accuracy"}}
    forge(finished / "records.json", lambda record: record | {"summary": record["summary"] | odd})
    with pytest.raises(KeyError):  # a run of one's own shows where it was
        run("report", finished)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another"))
    code, said = run("report", finished)
    assert code == 2 and "which were not written here, do not fit together" in said


def test_colours_of_a_strangers_run_are_no_file(tmp_path):
    (tmp_path / "colours.txt").write_text("a #000000\nb #ffffff")
    asked = {"format": 2, "kind": "masks", "method": "drift", "kind.mask_colours": [str(tmp_path / "colours.txt")]}
    (tmp_path / "run.json").write_text(json.dumps(asked))
    with pytest.raises(BadFileError, match="mask_colours names a file, where a run keeps the colours"):
        kind_of(tmp_path)
