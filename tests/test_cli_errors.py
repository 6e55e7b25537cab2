"""Bad input: one clear line, exit code 2, nothing half-written."""

from __future__ import annotations

import errno
import json

import pytest

from tutelage.files import whole


def refused(run, bench, **changes) -> str:
    """The message of a fit that must fail with one line, its last."""
    code, shown = run(*bench.fit(**changes))
    assert code == 2
    assert not (bench.out / "summary.json").exists()
    return last_line(shown)


def last_line(shown: str) -> str:
    """The error, which is one line, or one for each fault, and ends the output."""
    assert "Traceback" not in shown
    lines = [line for line in shown.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("Error: ")]
    assert errors, shown
    assert lines[-len(errors) :] == errors, shown
    assert shown.count("Error: ") == len(errors), shown
    return "\n".join(errors)


def write(bench, name: str, text: str, encoding: str = "utf-8"):
    (bench.folder / name).write_bytes(text.encode(encoding))


def rows(texts) -> str:
    return texts.train.to_csv(index=False)


NAMED = ("drift", "--train", "a.csv", "--label", "label", "--out", "o")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--train", "a.csv"), "a method must come before --train: tutelage fit METHOD ...; for example drift"),
        (("drft", *NAMED[1:]), "no method 'drft' (did you mean 'drift'?)"),
        (NAMED[:-2], "--out must be given"),
        (NAMED[:-1], "--out requires an argument"),
        (NAMED, "--text must be given for --kind texts: the name of a column; for other data see --kind"),
        ((*NAMED, "--weight", "a"), "--weight: a number, FROM:TO or FROM:TO@BEGIN:END is needed, got 'a'"),
        ((*NAMED, "--text", "text", "--weight", "0:-1"), "weight must be at least 0, got -1.0"),
    ],
)
def test_words_that_are_no_command(run, words, said):
    code, shown = run("fit", *words)
    assert code == 2
    assert said in last_line(shown)


def test_missing_file(run, bench):
    assert "nowhere.csv: no such file" in refused(run, bench, train="nowhere.csv")
    assert "nowhere.csv: no such file" in refused(run, bench, unlabelled="nowhere.csv")
    assert "nowhere.csv: no such file" in refused(run, bench, test="nowhere.csv")


def test_missing_column(run, bench):
    assert "train.csv: no column 'body'; it has 'text', 'label'" in refused(run, bench, text="body")
    assert "train.csv: no column 'tag'" in refused(run, bench, label="tag")
    for name in ("pool", "test"):
        (bench.folder / "other.csv").write_text("body\nthe soup\n")
        changes = {"unlabelled" if name == "pool" else "test": bench.folder / "other.csv"}
        assert "other.csv: no column 'text'; it has 'body'" in refused(run, bench, **changes)


def test_unreadable_encoding_and_the_way_out(run, bench, texts):
    accented = rows(texts).replace("the ", "thé ").replace("my ", "mý çôté ")
    write(bench, "train.csv", accented, "cp1252")
    message = refused(run, bench)
    assert "is not utf-8" in message
    assert "--charset" in message
    code, _ = run(*bench.fit(charset="cp1252", unlabelled=None, test=None))
    assert code == 0


def test_empty_file_and_header_only(run, bench):
    write(bench, "train.csv", "")
    assert "train.csv: the file is empty" in refused(run, bench)
    write(bench, "train.csv", "text,label\n")
    assert "train.csv: the file has no rows" in refused(run, bench)


def test_one_class_only(run, bench):
    write(bench, "train.csv", "text,label\nthe soup,food\nthe cake,food\n")
    assert "only one class, 'food'; two are needed" in refused(run, bench)


def test_a_class_with_one_label(run, bench, texts):
    write(bench, "train.csv", rows(texts) + "a lonely thing,other\n")
    message = refused(run, bench)
    assert "row 17, column 'label': class 'other' has one label" in message
    assert "--no-evidence" in message
    code, _ = run(*bench.fit(no_evidence=True))
    assert code == 0


def test_no_labelled_row(run, bench):
    write(bench, "train.csv", "text,label\nthe soup,\nthe goal,\n")
    assert "column 'label': every label is empty" in refused(run, bench)


def test_no_unlabelled_row_is_allowed_and_said(run, bench):
    code, shown = run(*bench.fit(unlabelled=None))
    assert code == 0
    assert "There are no unlabelled texts" in shown


def test_label_of_the_test_table_never_seen(run, bench):
    write(bench, "test.csv", "text,label\nthe soup,food\nthe star,space\n")
    message = refused(run, bench)
    assert "test.csv, row 2: label 'space' was not among the training labels food, sport" in message


def test_rows_shared_by_training_and_test_are_counted(run, bench, texts):
    write(bench, "test.csv", texts.test.to_csv(index=False) + "\n".join(rows(texts).splitlines()[1:4]) + "\n")
    code, shown = run(*bench.fit())
    assert code == 0
    assert "Warning: 3 texts of" in shown


@pytest.mark.parametrize(("text", "fault"), [("  ", "the text is empty"), ("soup " * 210_000, "1,050,000 characters")])
def test_empty_and_endless_texts(run, bench, texts, text, fault):
    write(bench, "train.csv", rows(texts) + f'"{text}",food\n')
    message = refused(run, bench)
    assert "train.csv, row 17, column 'text'" in message
    assert fault in message


def test_bad_texts_of_the_pool_are_left_out_and_counted(run, bench, texts):
    write(bench, "pool.csv", texts.pool.to_csv(index=False) + '"",food\n' + "soup " * 210_000 + ",food\n")
    code, shown = run(*bench.fit())
    assert code == 0
    assert "Left out of the pool: 2 of 62 texts" in shown
    assert "first: row 61, the text is empty" in shown


def test_output_folder_that_exists_is_left_alone(run, bench):
    bench.out.mkdir()
    (bench.out / "precious.txt").write_text("mine")
    assert "exists and is not empty" in refused(run, bench)
    assert "holds no run to resume" in refused(run, bench, resume=True)
    assert (bench.out / "precious.txt").read_text() == "mine"
    assert "is not a folder" in refused(run, bench, out=bench.out / "precious.txt")


@pytest.mark.parametrize(
    "name", ["run.json", "candidate.safetensors", "model.safetensors", "records.json", "report.html", "summary.json"]
)
def test_a_full_disk_is_said_and_the_run_goes_on_after(run, bench, monkeypatch, name):
    real = whole.written

    def full(path):
        if path.name == name:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return real(path)

    monkeypatch.setattr(whole, "written", full)
    message = refused(run, bench)
    assert "the disk is full" in message
    assert name in message
    assert "--resume" in message
    monkeypatch.setattr(whole, "written", real)
    code, shown = run(*bench.fit(resume=True))
    assert code == 0, shown
    assert json.loads((bench.out / "summary.json").read_text())["labelled"] == 16


def full(_):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_full_disk_under_the_predictions_is_said(run, bench, kind, monkeypatch):
    run(*bench.fit())
    output = bench.folder / f"o.{kind}"
    monkeypatch.setattr(whole.os, "fsync", full)
    code, shown = run("predict", bench.out, "--input", bench.folder / "test.csv", "--output", output)
    assert code == 2
    assert last_line(shown) == f"Error: the disk is full ({output}); free some space"
    assert not output.exists()


def test_a_half_written_file_does_not_stay(tmp_path, monkeypatch):
    (tmp_path / "a.json").write_text("old")
    monkeypatch.setattr(whole.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        whole.write_json(tmp_path / "a.json", {"new": 1})
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_text() == "old"


def test_a_run_of_other_settings_is_not_resumed(run, bench, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("tutelage.fit.contender.train_by_all", stop)
    code, shown = run(*bench.fit())
    assert code == 130
    assert "--resume" in shown
    monkeypatch.undo()
    assert "a run with other settings; different: seed" in refused(run, bench, seed=1, resume=True)
    assert "different: method" in refused(run, bench, method="mean_teacher", resume=True)
    write(bench, "pool.csv", "text\nthe soup\n")
    assert "different: content of unlabelled" in refused(run, bench, resume=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"temperature": 2}, "temperature must be in (0, 1], got 2.0"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"folds": 1}, "folds must be at least 2, got 1"),
        ({"seed": -1}, "seed must be in [0, 4294967295], got -1"),
        ({"seed": 10**11}, "100000000000"),
        ({"lr": -1}, "lr must be above 0, got -1.0"),
        ({"max_length": 1}, "max_length must be at least 2, got 1"),
        ({"encoder": "/no/such/encoder"}, "encoder '/no/such/encoder' could not be loaded"),
        ({"device": "abacus"}, "device must be"),
    ],
)
def test_settings_out_of_range(run, bench, changes, message):
    assert message in refused(run, bench, **changes)
    assert not bench.out.exists()  # so the same command, put right, can follow


def test_a_folder_without_a_model_is_no_encoder(run, bench, tmp_path):
    (tmp_path / "bare").mkdir()
    assert "bare' could not be loaded" in refused(run, bench, encoder=tmp_path / "bare")
    assert not bench.out.exists()


def test_unknown_method_option_and_choice(run, bench):
    for words, named in (
        (["fit", "magic"], ["magic", "supervised, self_training"]),
        (bench.fit(nonsense=3), ["--nonsense"]),
        (bench.fit(steps="many"), ["--steps", "many"]),
        (bench.fit(weights="soft"), ["--weights", "soft", "entropy", "none"]),
        (bench.fit(train=None), ["--train"]),
    ):
        code, shown = run(*words)
        assert code == 2
        assert "Traceback" not in shown
        assert all(n in shown for n in named), shown
        assert not bench.out.exists()


def test_a_folder_without_a_finished_run(run, bench, tmp_path):
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "gone"):
        for words in (
            ("predict", folder, "--input", bench.folder / "test.csv", "--output", tmp_path / "o.csv"),
            ("score", folder, "--test", bench.folder / "test.csv"),
            ("report", folder),
        ):
            code, shown = run(*words)
            assert code == 2
            assert str(folder) in last_line(shown)
    assert not (tmp_path / "o.csv").exists()


@pytest.mark.parametrize("content", ["", "{", "{}", "[]"])
@pytest.mark.parametrize(("command", "file"), [("score", "run.json"), ("fit", "run.json"), ("report", "records.json")])
def test_a_damaged_file_of_a_finished_run_is_named(run, bench, command, file, content):
    quick = {"method": "supervised", "no_evidence": True, "unlabelled": None}
    run(*bench.fit(**quick))
    (bench.out / file).write_text(content)
    words = {
        "score": ["score", bench.out, "--test", bench.folder / "test.csv"],
        "report": ["report", bench.out],
        "fit": bench.fit(**quick, resume=True),
    }
    code, shown = run(*words[command])
    assert code == 2
    assert file in last_line(shown)


def test_predict_keeps_every_row_also_an_empty_text(run, bench):
    run(*bench.fit())
    write(bench, "in.csv", 'text\nthe soup\n""\n')
    code, shown = run("predict", bench.out, "--input", bench.folder / "in.csv", "--output", bench.folder / "o.csv")
    assert code == 0
    assert "Of 1 of 2 texts nothing could be read (first: row 2): it gets no label." in " ".join(shown.split())
    assert len((bench.folder / "o.csv").read_text().splitlines()) == 3
