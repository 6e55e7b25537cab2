"""Commands as processes of their own: they outlive who started them, are stopped, and go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from tutelage.ask import outlook
from tutelage.files import write_json
from tutelage.label.jobs import Jobs
from tutelage.label.learning import outlook_of


def waited(job, seconds: float = 60.0):
    """The job once it has ended."""
    ends = time.monotonic() + seconds
    jobs = Jobs(job.folder.parent)
    while time.monotonic() < ends:
        found = next(each for each in jobs.all() if each.number == job.number)
        if found.state != "running":
            return found
        time.sleep(0.1)
    raise AssertionError(job.log)


def test_a_command_is_done_and_keeps_its_log_and_its_end(tmp_path):
    jobs = Jobs(tmp_path)
    job = jobs.start(jobs.new_folder(), ["--version"], {"does": "look"})
    no = jobs.start(jobs.new_folder(), ["look", "--train", str(tmp_path / "no.csv")], {})
    found, bad = waited(job), waited(no)
    assert (found.state, found.code, found.command) == ("done", 0, "tutelage --version")
    assert found.log.strip().count(".") == 2 and found.about == {"does": "look"}
    assert bad.state == "failed" and "Error" in bad.log
    assert [each.number for each in jobs.all()] == [1, 2] and jobs.running is None


def test_a_process_that_is_killed_or_gone_is_stopped_and_none_of_another_is_taken_for_it(tmp_path):
    jobs = Jobs(tmp_path)
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    folder = jobs.new_folder()
    (folder / "job.json").write_text(f'{{"words": ["fit"], "about": {{}}, "pid": {sleeper.pid}, "began": "1"}}')
    (job,) = jobs.all()
    assert job.state == "stopped"  # the number is that of a process which began at another time
    (folder / "job.json").write_text(f'{{"words": ["fit"], "about": {{}}, "pid": {sleeper.pid}, "began": ""}}')
    (job,) = jobs.all()
    assert job.state == "running"
    sleeper.kill()
    sleeper.wait()
    assert job.state == "stopped"
    (folder / "job.json").write_text("no json")
    assert not jobs.all() and jobs.new_folder().name == "2"


@pytest.mark.slow
def test_a_fit_outlives_its_parent_is_stopped_and_goes_on(tmp_path):
    words = ["soup", "bread", "goal", "match"] * 60
    label = (["food", "food", "sport", "sport"] * 10) + [""] * 200
    pd.DataFrame({"text": [f"{w} {i}" for i, w in enumerate(words)], "label": label}).to_csv(
        tmp_path / "a.csv", index=False
    )
    fit = ["fit", "drift", "--train", str(tmp_path / "a.csv"), "--text", "text", "--label", "label", "--steps", "3000"]
    fit.append("--no-evidence")
    code = (
        "import sys; from pathlib import Path; from tutelage.label.jobs import Jobs; j = Jobs(Path(sys.argv[1]));"
        "j.start(j.new_folder(), sys.argv[2:], {'does': 'fit'})"
    )
    out = tmp_path / "jobs" / "1" / "run"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "jobs"), *fit, "--out", str(out)], check=True)
    jobs = Jobs(tmp_path / "jobs")
    (job,) = jobs.all()
    assert job.state == "running"  # its parent has ended
    ends = time.monotonic() + 60
    while not out.exists() and time.monotonic() < ends:
        time.sleep(0.2)
    time.sleep(2)
    job.cancel()
    assert waited(job).state == "stopped"
    again = jobs.start(job.folder, [*job.words, "--resume"], job.about)
    assert again.state == "running"
    os.killpg(again.pid, signal.SIGKILL)
    time.sleep(0.5)
    assert jobs.all()[0].state == "stopped"
    again = jobs.start(job.folder, [*job.words, "--resume"], job.about)
    assert waited(again, 240).state == "done"
    assert (out / "summary.json").exists()


def test_the_outlook_counts_the_seconds_that_a_label_takes_here(tmp_path):
    told = outlook([20, 40], [0.6, 0.7], (20,))
    held = {name: getattr(told, name).tolist() for name in ("gain", "low", "high", "per_minute")}
    held |= {"curve": [[20, 0.6], [40, 0.7]], "more": [20], "stop": told.stop, "sets": told.sets, "words": told.words()}
    summary = {
        "method": "supervised",
        "score": "accuracy",
        "measure": "accuracy",
        "classes": ["a", "b"],
        "labelled": 40,
        "unlabelled": 9,
    }
    write_json(tmp_path / "summary.json", summary | {"returned": "reference", "evidence": None, "outlook": held})
    assert outlook_of(tmp_path, None) == told.words()
    faster = outlook([20, 40], [0.6, 0.7], (20,), seconds_per_label=1.5)
    assert outlook_of(tmp_path, 1.5) == faster.words() != told.words()
    assert outlook_of(tmp_path / "nowhere", 1.5) == ""
