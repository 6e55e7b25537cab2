"""What a run folder holds of the machine: nothing of its environment; and Python rules are said to be executed."""

from __future__ import annotations

import os

QUICK = {"method": "supervised", "no_evidence": True, "unlabelled": None}
LEAST = 12
"""Characters of a value of the environment from which on it is no word of its own."""


def test_a_run_folder_holds_no_value_of_the_environment(run, bench, monkeypatch):
    secrets = {"HF_TOKEN": "hf_AbCdEf0123456789xyz", "AWS_SECRET_ACCESS_KEY": "s3cr3t/with+signs=and/more"}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    code, shown = run(*bench.fit(**QUICK))
    assert code == 0, shown
    ours = {str(bench.folder), str(bench.encoder)}
    values = {v for v in os.environ.values() if len(v) >= LEAST and not any(v in own or own in v for own in ours)}
    assert set(secrets.values()) <= values
    held = {path: path.read_bytes() for path in bench.out.rglob("*") if path.is_file()}
    assert len(held) >= 4
    for path, data in held.items():
        found = [value for value in values if value.encode() in data]
        assert not found, (path, found)


def test_rules_of_python_are_said_to_be_executed(run, bench):
    (bench.folder / "r.py").write_text("def soup(text):\n    return 'food' if 'soup' in text else None\n")
    (bench.folder / "t.csv").write_text("text\n" + "".join(f"the soup is {i}\nthe goal is {i}\n" for i in range(4)))
    words = ("--train", bench.folder / "t.csv", "--text", "text", "--rules", bench.folder / "r.py")
    _, shown = run("look", *words)
    assert shown.count(f"Rules: {bench.folder / 'r.py'} is executed, as any program of Python.") == 1
    _, shown = run("look", "--kind", "texts", "--help")
    assert "file of rules that vote: JSON, or Python, which is executed." in " ".join(shown.replace("│", " ").split())
