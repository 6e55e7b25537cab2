"""Files of columns and folders of saved data sets, with the names of classes that they hold."""

from __future__ import annotations

import json

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import feather, parquet
from table_files import noted, quiet, written

from tutelage.tables import DataError, holds_table, read

LABEL = {"names": ["neg", "pos"], "_type": "ClassLabel"}
TAGS = {"feature": {"names": ["O", "B-PER"], "_type": "ClassLabel"}, "_type": "Sequence"}
FEATURES = {"text": {"dtype": "string", "_type": "Value"}, "label": LABEL, "tags": TAGS, "more": [{**LABEL}]}
TABLE = pa.table({"text": ["a", "b", "c"], "label": [0, 1, 0], "tags": [[0], [1], [0]], "more": [[1], [], [0]]})
CLASSES = {"label": ["neg", "pos"], "tags": ["O", "B-PER"], "more": ["neg", "pos"]}


def with_features(table: pa.Table) -> pa.Table:
    return table.replace_schema_metadata({b"huggingface": json.dumps({"info": {"features": FEATURES}}).encode()})


def save(folder, table: pa.Table, indices=None) -> None:
    """Write a folder like one of `datasets`' save_to_disk."""
    folder.mkdir(parents=True)
    half = len(table) // 2
    names = ["data-00000-of-00002.arrow", "data-00001-of-00002.arrow"]
    for name, part in zip(names, (table[:half], table[half:]), strict=True):
        with pa.OSFile(str(folder / name), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(part)
    state = {"_data_files": [{"filename": name} for name in names]}
    if indices is not None:
        rows = pa.table({"indices": pa.array(indices, pa.uint64())})
        with pa.OSFile(str(folder / "indices.arrow"), "wb") as sink, pa.ipc.new_stream(sink, rows.schema) as stream:
            stream.write_table(rows)
        state["_indices_data_files"] = [{"filename": "indices.arrow"}]
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "dataset_info.json").write_text(json.dumps({"features": FEATURES}))


def test_a_saved_data_set_is_a_table(tmp_path):
    save(tmp_path / "set", TABLE)
    found, notes = noted(tmp_path / "set")
    assert found.frame.text.tolist() == ["a", "b", "c"] and quiet(notes)
    assert found.seen.format == "datasets" and dict(found.seen.classes) == CLASSES
    assert holds_table(tmp_path / "set") and not holds_table(tmp_path)


def test_rows_that_were_chosen_before_saving(tmp_path):
    save(tmp_path / "set", TABLE, [2, 0])
    assert noted(tmp_path / "set")[0].frame.text.tolist() == ["c", "a"]


def test_of_several_splits_the_training_is_read_and_the_others_are_named(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "dataset_dict.json").write_text(json.dumps({"splits": ["train", "test"]}))
    save(tmp_path / "set" / "train", TABLE)
    save(tmp_path / "set" / "test", TABLE[:2])
    found, notes = noted(tmp_path / "set")
    assert len(found.frame) == 3 and found.seen.member == "train"
    assert f"such as {tmp_path / 'set' / 'test'}" in notes.questions[0].options[1]
    assert not noted(tmp_path / "set", sheet="train")[1].questions
    assert len(noted(tmp_path / "set", sheet="test")[0].frame) == len(noted(tmp_path / "set" / "test")[0].frame) == 2
    with pytest.raises(DataError, match="no split 'dev'; it has 'train', 'test'"):
        noted(tmp_path / "set", sheet="dev")


def test_a_saved_data_set_that_lacks_a_file(tmp_path):
    save(tmp_path / "set", TABLE)
    (tmp_path / "set" / "data-00000-of-00002.arrow").unlink()
    with pytest.raises(DataError, match="not readable as a saved data set"):
        read(tmp_path / "set")


@pytest.mark.parametrize("ending", ["parquet", "arrow", "feather"])
def test_names_of_classes_are_in_the_schema(tmp_path, ending):
    from pyarrow import feather, parquet

    path, table = tmp_path / f"t.{ending}", with_features(TABLE)
    if ending == "parquet":
        parquet.write_table(table, path)
    elif ending == "feather":
        feather.write_feather(table, path)
    else:
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
    found, notes = noted(path)
    assert quiet(notes) and dict(found.seen.classes) == CLASSES and found.frame.label.tolist() == [0, 1, 0]


@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_categories_are_names_of_classes(tmp_path, ending):
    table = pd.DataFrame({"text": ["a", "b"], "label": pd.Categorical(["x", "y"], ["z", "y", "x"])})
    getattr(table, f"to_{ending}")(tmp_path / f"t.{ending}")
    assert dict(noted(tmp_path / f"t.{ending}")[0].seen.classes) == {"label": ["z", "y", "x"]}


@pytest.mark.parametrize("ending", ["arrow", "feather", "parquet"])
@pytest.mark.parametrize("content", [b"", b"ARROW1 no", b"\xff" * 50])
def test_damaged_files(tmp_path, ending, content):
    with pytest.raises(DataError, match=f"t.{ending}: not readable as {ending}"):
        read(written(tmp_path, f"t.{ending}", content))


def test_what_the_library_itself_saves(tmp_path):
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "pos"])})
    made = datasets.Dataset.from_dict({"text": ["a", "b", "c"], "label": [0, 1, 0]}, features=features)
    datasets.DatasetDict(train=made.shuffle(seed=1), test=made).save_to_disk(str(tmp_path / "set"))
    found, _ = noted(tmp_path / "set")
    assert sorted(found.frame.text) == ["a", "b", "c"] and dict(found.seen.classes) == {"label": ["neg", "pos"]}


@pytest.mark.parametrize("ending", ["parquet", "feather", "arrow", "set"])
def test_columns_of_one_name_are_refused(tmp_path, ending):
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], ["text", "text"])
    path = tmp_path / f"t.{ending}"
    if ending == "parquet":
        parquet.write_table(table, path)
    elif ending == "set":
        save(path, table)
    else:
        feather.write_feather(table, path)
    with pytest.raises(DataError, match=rf"t.{ending}: 2 columns are named 'text'; each needs its own name; give one"):
        read(path)


@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_cells_that_are_no_text_are_refused(tmp_path, ending):
    letters = pa.array(["soup", "goal"]).buffers()[2].to_pybytes().replace(b"g", b"\xff")
    cells = pa.StringArray.from_buffers(2, pa.array(["soup", "goal"]).buffers()[1], pa.py_buffer(letters))
    path = tmp_path / f"t.{ending}"
    {"parquet": parquet.write_table, "feather": feather.write_feather}[ending](pa.table({"text": cells}), path)
    with pytest.raises(DataError, match=rf"t.{ending}: not readable as {ending} \(a text in it is not utf-8\)$"):
        read(path)


def test_damage_is_not_told_in_the_terms_of_a_library(tmp_path):
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table({"text": ["soup", "goal"]}), path)
    data = path.read_bytes()
    path.write_bytes(data[:4] + b"\xff" * 8 + data[12:])
    with pytest.raises(DataError, match=r"not readable as parquet \(its parts cannot be decoded\)$"):
        read(path)


@pytest.mark.parametrize("state", ["[1]", "{}", '{"_data_files": {}}', '{"_data_files": [1]}'])
def test_a_saved_data_set_of_another_form(tmp_path, state):
    save(tmp_path / "set", TABLE)
    (tmp_path / "set" / "state.json").write_text(state)
    with pytest.raises(DataError, match="set: not readable as a saved data set") as refused:
        read(tmp_path / "set")
    assert "indices" not in str(refused.value)


def test_a_saved_data_set_of_records_is_read_as_its_tool_means_it(tmp_path):
    answers = {
        f"topic.responses{end}": [[value]] for end, value in (("", "food"), (".users", "u"), (".status", "draft"))
    }
    save(tmp_path / "set", pa.table({"text": ["a"], **answers}))
    found, notes = noted(tmp_path / "set")
    assert found.seen.format == "Argilla" and found.frame.topic.tolist() == [None]
    assert "not taken: 1 draft answer" in notes.lines[0]


def test_a_folder_that_is_no_data_set_names_a_file_in_it(tmp_path):
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "train-00000-of-00001.parquet"
    file.write_bytes(b"")
    with pytest.raises(DataError, match=f"name one file in it, such as {file}"):
        read(tmp_path)
