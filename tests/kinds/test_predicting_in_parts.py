"""Predictions in parts are those of a whole table, also where the command was stopped in between."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from tutelage.engines import Wanted
from tutelage.files import BusyError
from tutelage.kinds import KINDS, predicting
from tutelage.kinds.predicting import InParts
from tutelage.modalities.head import Head
from tutelage.modalities.rows.reader import RowReader
from tutelage.model import Model
from tutelage.tables import USUAL, DataError, Notes, blocks, formulas, read, read_table
from tutelage.tables.parts import Parts
from tutelage.tasks import Classification


@pytest.fixture
def model():
    head = Head(2, 2)
    with_weights = head.state_dict()
    for name, value in with_weights.items():
        if value.is_floating_point() and "scale" not in name:
            value.copy_(value.new_tensor(np.linspace(-1, 1, value.numel())).reshape(value.shape))
    return Model(["u", "v"], head.eval(), RowReader(), Classification(2), cache=False)


@pytest.fixture
def table():
    x = np.random.default_rng(0).normal(size=(100, 2)).round(3)
    return pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "note": [f'row "{i}"' for i in range(100)]})


KIND = KINDS["rows"](features=("a", "b"), exact=True)


@pytest.fixture
def small(monkeypatch):
    """Blocks of 16 rows, and no row in memory."""
    monkeypatch.setattr(blocks, "ROWS_A_BLOCK", 16)
    monkeypatch.setattr(blocks, "BYTES_A_BLOCK", 400)
    monkeypatch.setattr(predicting, "ROWS_IN_MEMORY", 0)


def predict(model, path, output, tick=lambda *now: None, notes=None, **more):
    return KIND.predict(model, path, output, USUAL, notes or Notes(), tick, **more)


@pytest.mark.parametrize("ending", [".csv", ".tsv.gz", ".jsonl", ".parquet", ".csv.zst"])
def test_parts_are_joined_to_the_table_that_is_written_at_once(ending, model, table, tmp_path, monkeypatch):
    table.to_csv(tmp_path / "in.csv", index=False)
    at_once = predict(model, tmp_path / "in.csv", tmp_path / f"once{ending}")
    monkeypatch.setattr(blocks, "BYTES_A_BLOCK", 400)
    monkeypatch.setattr(predicting, "ROWS_IN_MEMORY", 0)
    seen = []
    in_parts = predict(model, tmp_path / "in.csv", tmp_path / f"parts{ending}", lambda *now: seen.append(now))
    assert in_parts.replace(f"parts{ending}", f"once{ending}") == at_once
    assert len(seen) > 3
    assert seen[-1][0] == "predicting"
    assert seen[-1][1] >= 100
    pd.testing.assert_frame_equal(read_table(tmp_path / f"parts{ending}"), read_table(tmp_path / f"once{ending}"))
    assert not list(tmp_path.glob("*.parts"))


def test_what_was_stopped_goes_on_to_the_same_bits(model, table, tmp_path, small):
    table.to_parquet(tmp_path / "in.parquet")
    predict(model, tmp_path / "in.parquet", tmp_path / "whole.csv")
    output = tmp_path / "stopped.csv"

    def stop(what, done, total):
        if done >= 48:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(model, tmp_path / "in.parquet", output, stop)
    assert not output.exists()
    kept = sorted(path.name for path in (tmp_path / "stopped.csv.parts").glob("*.csv"))
    assert len(kept) == 3
    (tmp_path / "stopped.csv.parts" / kept[-1]).write_text("torn")
    notes = Notes()
    predict(model, tmp_path / "in.parquet", output, notes=notes, resume=True)
    assert "32 rows were labelled before" in notes.lines[0]
    assert output.read_bytes() == (tmp_path / "whole.csv").read_bytes()


def labelled_by(wanted, model, path, output, notes=None, tick=lambda *now: None, **more):
    predict(model, path, output, tick, notes, wanted=wanted, **more)
    return output.read_bytes()


def test_processes_write_the_bytes_of_one_process_and_number_rows_as_it_does(model, table, tmp_path, small):
    table = table.assign(note=[f'a "row"\nof {i} lines' for i in range(100)])  # so that lines are no count of rows
    table.to_csv(tmp_path / "in.csv", index=False)
    one = labelled_by(Wanted("one"), model, tmp_path / "in.csv", tmp_path / "one.csv")
    notes = Notes()
    assert labelled_by(Wanted("processes", 2), model, tmp_path / "in.csv", tmp_path / "two.csv", notes) == one
    assert notes.lines[0] == "2 workers label the rows (processes)."

    table.astype({"a": object}).replace({"a": {table.a[80]: "three"}}).to_csv(tmp_path / "bad.csv", index=False)
    told = []
    for wanted in (Wanted("one"), Wanted("processes", 2)):
        with pytest.raises(DataError, match="row 81") as fault:
            predict(model, tmp_path / "bad.csv", tmp_path / "bad_out.csv", wanted=wanted)
        told.append(str(fault.value))
        kept = len(list((tmp_path / "bad_out.csv.parts").glob("*.csv")))
        assert kept > 2
    assert told[0] == told[1]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="its processes are killed otherwise")
def test_a_worker_that_is_killed_loses_nothing_and_its_parts_are_any_engines(model, table, tmp_path, small):
    table.to_parquet(tmp_path / "in.parquet")
    one = labelled_by(Wanted("one"), model, tmp_path / "in.parquet", tmp_path / "one.csv")
    kills = []

    def kill(what, done, total):
        if not kills:
            kills.append(multiprocessing.active_children()[0].pid)
            os.kill(kills[0], signal.SIGKILL)
        if done >= 64:
            raise KeyboardInterrupt

    output = tmp_path / "two.csv"
    with pytest.raises(KeyboardInterrupt):
        labelled_by(Wanted("processes", 2), model, tmp_path / "in.parquet", output, tick=kill)
    assert kills and not output.exists() and not multiprocessing.active_children()
    notes = Notes()
    assert labelled_by(Wanted("one"), model, tmp_path / "in.parquet", output, notes, resume=True) == one
    assert "64 rows were labelled before" in notes.lines[0]


def test_what_cannot_be_read_in_blocks_is_not_for_workers(model, table, tmp_path):
    table.to_excel(tmp_path / "in.xlsx", index=False)
    with pytest.raises(ValueError, match="is read as a whole, by one process; leave out --engine"):
        predict(model, tmp_path / "in.xlsx", tmp_path / "out.csv", wanted=Wanted("processes"))
    with pytest.raises(ValueError, match="--engine and --workers are for texts and rows, not for images"):
        KINDS["images"]().predict(
            model, tmp_path, tmp_path / "out.csv", USUAL, Notes(), lambda *now: None, wanted=Wanted("auto", 2)
        )


def test_an_empty_block_takes_a_part_of_its_own(model, table, tmp_path, small):
    text = table.to_csv(index=False).splitlines(keepends=True)
    (tmp_path / "in.csv").write_text("".join([*text[:40], "\n" * 900, *text[40:]]))
    table.to_csv(tmp_path / "plain.csv", index=False)
    found = labelled_by(Wanted("one"), model, tmp_path / "in.csv", tmp_path / "out.csv")
    assert found == labelled_by(Wanted("one"), model, tmp_path / "plain.csv", tmp_path / "plain_out.csv")


def test_other_input_is_no_continuation(model, table, tmp_path, small):
    table.to_parquet(tmp_path / "in.parquet")
    output = tmp_path / "out.csv"

    def stop(*now):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(model, tmp_path / "in.parquet", output, stop)
    table[:50].to_parquet(tmp_path / "in.parquet")
    with pytest.raises(DataError, match="parts of other predictions; different: input"):
        predict(model, tmp_path / "in.parquet", output, resume=True)
    assert predict(model, tmp_path / "in.parquet", output).startswith("50 rows labelled")


def test_several_files_become_one_table_that_names_them(model, table, tmp_path, small):
    (tmp_path / "in").mkdir()
    table[:60].to_parquet(tmp_path / "in" / "a.parquet")
    table[60:].to_csv(tmp_path / "in" / "b.csv", index=False)
    predict(model, tmp_path / "in", tmp_path / "out.csv")
    found = pd.read_csv(tmp_path / "out.csv")
    assert found.file.tolist() == ["a.parquet"] * 60 + ["b.csv"] * 40
    assert found.note.tolist() == table.note.tolist()


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_columns_of_several_files_are_written_in_the_order_of_the_first(ending, model, table, tmp_path, small):
    folder = tmp_path / "in"
    folder.mkdir()
    table[:30].to_csv(folder / "1.csv", index=False)
    table[30:][["note", "b", "a"]].to_csv(folder / "2.csv", index=False)
    predict(model, folder, tmp_path / f"out{ending}")
    found = read_table(tmp_path / f"out{ending}")
    assert np.allclose(found[["a", "b"]].astype(float), table[["a", "b"]])
    assert found["note"].tolist() == table["note"].tolist()
    table[:3].assign(more=1).to_csv(folder / "3.csv", index=False)
    with pytest.raises(DataError, match=r"3\.csv: its columns are a, b, note, more, and those of 1.csv are a, b, note"):
        predict(model, folder, tmp_path / "other.csv")


@pytest.mark.parametrize("rows", [0, 1000])
def test_whole_numbers_beside_empty_cells_stay_whole(rows, model, table, tmp_path, small, monkeypatch):
    monkeypatch.setattr(predicting, "ROWS_IN_MEMORY", rows)
    numbers = pa.array([None if i == 7 else 2**60 + i for i in range(100)], pa.int64())
    parquet.write_table(pa.Table.from_pandas(table).append_column("id", numbers), tmp_path / "in.parquet")
    predict(model, tmp_path / "in.parquet", tmp_path / "out.csv")
    found = read_table(tmp_path / "out.csv")["id"].tolist()
    assert [str(each) for each in found[:7]] == [str(2**60 + i) for i in range(7)]
    predict(model, tmp_path / "in.parquet", tmp_path / "out.parquet")
    assert parquet.read_table(tmp_path / "out.parquet")["id"].to_pylist() == numbers.to_pylist()


def test_cells_made_harmless_are_not_gone_on_with_by_others(model, table, tmp_path, small):
    table.to_csv(tmp_path / "in.csv", index=False)

    def stop(what, done, total):
        if done >= 48:
            raise KeyboardInterrupt

    with formulas.safe_cells(True), pytest.raises(KeyboardInterrupt):
        predict(model, tmp_path / "in.csv", tmp_path / "out.csv", stop)
    with pytest.raises(DataError, match="different: safe cells"):
        predict(model, tmp_path / "in.csv", tmp_path / "out.csv", resume=True)


def test_files_of_one_name_are_told_apart(model, table, tmp_path, small):
    for year in ("2024", "2025"):
        (tmp_path / "in" / year).mkdir(parents=True)
        table[:20].to_csv(tmp_path / "in" / year / "a.csv", index=False)
    predict(model, tmp_path / "in", tmp_path / "out.csv")
    files = [str(tmp_path / "in" / year / "a.csv") for year in ("2024", "2025")]
    assert pd.read_csv(tmp_path / "out.csv").file.tolist() == [files[0]] * 20 + [files[1]] * 20


def test_a_folder_of_somebody_elses_is_not_emptied(model, table, tmp_path, small):
    table.to_parquet(tmp_path / "in.parquet")
    mine = tmp_path / "out.csv.parts" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    for resume in (False, True):
        with pytest.raises(DataError, match=r"mine\.txt: no part of a table"):
            predict(model, tmp_path / "in.parquet", tmp_path / "out.csv", resume=resume)
    assert mine.read_text() == "mine"
    shutil.rmtree(mine.parent)
    mine.parent.write_text("a file")
    with pytest.raises(DataError, match="it is no folder"):
        predict(model, tmp_path / "in.parquet", tmp_path / "out.csv")


def test_two_commands_do_not_write_the_same_parts(model, table, tmp_path, small):
    table.to_parquet(tmp_path / "in.parquet")

    def second(*now):
        with pytest.raises(BusyError, match=r"out\.csv\.parts is being written by"):
            predict(model, tmp_path / "in.parquet", tmp_path / "out.csv")

    predict(model, tmp_path / "in.parquet", tmp_path / "out.csv", second)
    assert len(pd.read_csv(tmp_path / "out.csv")) == 100
    assert not list(tmp_path.glob("*.parts"))


def test_input_that_changed_behind_its_beginning_is_no_continuation(model, table, tmp_path, small):
    table.to_csv(tmp_path / "in.csv", index=False)
    given = KIND, model, tmp_path / "in.csv", tmp_path / "out.csv", USUAL, Notes(), None, False
    about = InParts(*given).about()
    data = (tmp_path / "in.csv").read_bytes()
    (tmp_path / "in.csv").write_bytes(data[:-3] + b"9" + data[-2:])
    os.utime(tmp_path / "in.csv", ns=(0, (tmp_path / "in.csv").stat().st_mtime_ns + 1))  # a clock has its ticks
    assert InParts(*given).about() != about


def test_columns_of_other_types_are_named(model, table, tmp_path, small):
    (tmp_path / "in").mkdir()
    table[:20].assign(note=1).to_parquet(tmp_path / "in" / "a.parquet")
    table[20:40].to_parquet(tmp_path / "in" / "b.parquet")
    with pytest.raises(DataError, match="column 'note' has values of different types") as told:
        predict(model, tmp_path / "in", tmp_path / "out.parquet")
    assert "Field" not in str(told.value) and "ends in .jsonl" in str(told.value)


def test_a_full_disk_keeps_the_parts(model, table, tmp_path, small, monkeypatch):
    table.to_parquet(tmp_path / "in.parquet")
    put = Parts.put

    def full(parts, *given):
        if len(parts.done) == 2:
            raise OSError(28, "No space left on device", str(parts.folder))
        put(parts, *given)

    with monkeypatch.context() as patched:
        patched.setattr(Parts, "put", full)
        with pytest.raises(OSError, match="No space left"):
            predict(model, tmp_path / "in.parquet", tmp_path / "out.csv")
    notes = Notes()
    predict(model, tmp_path / "in.parquet", tmp_path / "out.csv", notes=notes, resume=True)
    assert "32 rows were labelled before" in notes.lines[0]


def test_a_sheet_is_written_in_parts_as_whole(model, table, tmp_path, small, monkeypatch):
    table = table.assign(note=["=1+1", "007", "a\x01b", None] * (len(table) // 4), big=10**17 + 1)
    table.to_parquet(tmp_path / "in.parquet")
    predict(model, tmp_path / "in.parquet", tmp_path / "whole.parquet")
    put = Parts.put

    def stopped(parts, *given):
        if len(parts.done) == 2:
            raise KeyboardInterrupt
        put(parts, *given)

    with monkeypatch.context() as patched:
        patched.setattr(Parts, "put", stopped)
        with pytest.raises(KeyboardInterrupt):
            predict(model, tmp_path / "in.parquet", tmp_path / "out.xlsx")
    notes = Notes()
    predict(model, tmp_path / "in.parquet", tmp_path / "out.xlsx", notes=notes, resume=True)
    assert "32 rows were labelled before" in notes.lines[0]
    found, expected = read(tmp_path / "out.xlsx").frame, pd.read_parquet(tmp_path / "whole.parquet")
    assert list(found) == list(expected) and found["note"].tolist() == expected["note"].fillna("").tolist()
    assert found["predicted"].tolist() == expected["predicted"].tolist() and set(found["big"]) == {str(10**17 + 1)}
    assert found["probability"].astype(float).tolist() == pytest.approx(expected["probability"].tolist(), abs=1e-12)


def test_what_is_asked_for_is_told_apart(model, table, tmp_path):
    table.to_parquet(tmp_path / "in.parquet")
    given = KIND, model, tmp_path / "in.parquet", tmp_path / "out.csv", USUAL, Notes(), None, False
    about = InParts(*given).about()
    model.temperature = 2.0
    assert InParts(*given).about() != about
