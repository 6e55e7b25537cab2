"""A pool on disk gives what the same pool in memory gives, to the bit, whatever its files are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tutelage.data.columns import Columns, OnDisk, folder_of
from tutelage.estimators import Classifier, classifier
from tutelage.kinds import KINDS, pool_folder, stored
from tutelage.kinds.dataset import Files
from tutelage.kinds.reading import read_files
from tutelage.tables import DataError, Notes, ReadAs, blocks, streamed


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of few rows, so that a small file has several."""
    monkeypatch.setattr(blocks, "ROWS_A_BLOCK", 16)
    monkeypatch.setattr(blocks, "BYTES_A_BLOCK", 700)


@pytest.fixture
def on_disk(monkeypatch, small_blocks):
    """No row of a pool of files is held in memory."""
    monkeypatch.setattr(stored, "ROWS_IN_MEMORY", 0)


@pytest.fixture
def pool(texts):
    """A pool with copies, an empty text, a quoted text of two lines, and labels of some rows."""
    odd = pd.DataFrame({"text": [*texts.pool.text[:3], "", 'a "soup"\nand bread', texts.train.text[0]]})
    return pd.concat([texts.pool, odd], ignore_index=True).fillna("")


@pytest.fixture
def train(tmp_path, texts):
    """Labelled texts, and one without a label that is in the pool, too."""
    more = pd.DataFrame({"text": [texts.pool.text[5], "the coach was near the bread"], "label": ["", ""]})
    pd.concat([texts.train, more]).to_csv(tmp_path / "train.csv", index=False)
    return tmp_path / "train.csv"


def write(table: pd.DataFrame, path):
    if path.suffix == ".parquet":
        table.to_parquet(path)
    elif path.suffix == ".jsonl":
        table.to_json(path, orient="records", lines=True)
    else:
        table.to_csv(path, index=False)
    return path


def texts_of(train, unlabelled, notes=None, **options):
    kind = KINDS["texts"](text="text", label="label", **options)
    return read_files(kind, Files(train, unlabelled), notes or Notes())


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".jsonl", ".csv.gz"])
def test_a_file_on_disk_gives_the_pool_of_the_same_file_in_memory(ending, tmp_path, train, pool, monkeypatch):
    path = write(pool, tmp_path / f"pool{ending}")
    with monkeypatch.context() as patched:
        patched.setattr(stored, "ROWS_IN_MEMORY", 10**6)
        expected = texts_of(train, path)
    monkeypatch.setattr(blocks, "ROWS_A_BLOCK", 16)
    monkeypatch.setattr(blocks, "BYTES_A_BLOCK", 700)
    monkeypatch.setattr(stored, "ROWS_IN_MEMORY", 0)
    found = texts_of(train, path)
    assert isinstance(found.items.pool, OnDisk)
    assert list(found.items.pool) == list(expected.items.pool)
    assert np.array_equal(found.items.truth, expected.items.truth)
    assert np.array_equal(found.pool_at, expected.pool_at)
    assert len(found.items.pool) < len(pool)


@pytest.mark.parametrize("what", ["folder", "pattern"])
def test_several_files_give_the_pool_of_one(what, tmp_path, train, pool, on_disk):
    folder = tmp_path / "pool"
    folder.mkdir()
    write(pool[:20], folder / "a.parquet")
    write(pool[20:23], folder / "b.csv")
    write(pool[23:], folder / "c.jsonl")
    whole = texts_of(train, write(pool, tmp_path / "whole.csv"))
    found = texts_of(train, folder if what == "folder" else folder / "*")
    assert list(found.items.pool) == list(whole.items.pool)
    assert np.array_equal(found.items.truth, whole.items.truth)


def test_several_small_files_are_held_in_memory(tmp_path, train, pool):
    (tmp_path / "pool").mkdir()
    write(pool[:20], tmp_path / "pool" / "a.csv")
    write(pool[20:], tmp_path / "pool" / "b.csv")
    found = texts_of(train, tmp_path / "pool")
    assert folder_of(found.items.pool) is None
    assert list(found.items.pool) == list(texts_of(train, write(pool, tmp_path / "whole.csv")).items.pool)


def test_a_saved_data_set_is_read_block_by_block(tmp_path, train, pool, on_disk):
    datasets = pytest.importorskip("datasets")
    datasets.Dataset.from_pandas(pool).save_to_disk(str(tmp_path / "saved"))
    whole = texts_of(train, write(pool, tmp_path / "whole.csv"))
    assert list(texts_of(train, tmp_path / "saved").items.pool) == list(whole.items.pool)


@pytest.fixture
def parquet(tmp_path, pool):
    """A folder of two parquet files, which the library streams as it streams data sets of the Hub."""
    pytest.importorskip("datasets")
    (tmp_path / "streamed").mkdir()
    write(pool[:30], tmp_path / "streamed" / "train-0.parquet")
    write(pool[30:], tmp_path / "streamed" / "train-1.parquet")
    return tmp_path / "streamed"


def test_a_streamed_data_set_gives_the_pool_of_the_same_file(tmp_path, train, pool, parquet, small_blocks):
    whole = texts_of(train, write(pool, tmp_path / "whole.csv"))
    notes = Notes()
    found = texts_of(train, Path(f"hf:{parquet}#train"), notes)
    assert isinstance(found.items.pool, OnDisk)
    assert list(found.items.pool) == list(whole.items.pool)
    assert np.array_equal(found.items.truth, whole.items.truth)
    assert [seen.rows for seen in notes.files if seen.file.startswith("hf:")] == [len(pool)]


def test_a_streamed_data_set_is_gone_through_once(train, parquet, small_blocks, monkeypatch):
    asked = []
    tables = streamed.Stream.tables
    monkeypatch.setattr(streamed.Stream, "tables", lambda *given: asked.append(given) or tables(*given))
    first, second = (texts_of(train, Path(f"hf:{parquet}")) for _ in range(2))  # as a fit after a look
    assert len(asked) == 1
    assert list(first.items.pool) == list(second.items.pool)


def test_a_stream_that_breaks_off_is_told_in_a_line(train, parquet, small_blocks, monkeypatch):
    import datasets

    whole = datasets.IterableDataset.iter

    def broken(self, *given, **named):
        for count, table in enumerate(whole(self, *given, **named)):
            if count == 1:
                raise ConnectionError("the line\nis dead")
            yield table

    monkeypatch.setattr(datasets.IterableDataset, "iter", broken)
    with pytest.raises(DataError, match=r"reading stopped behind row 16 \(ConnectionError: the line is dead\)"):
        texts_of(train, Path(f"hf:{parquet}"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hf:{saved}", r"leave out hf:"),
        ("hf:", "names no data set; write hf:OWNER/NAME"),
        ("hf:nobody/nothing", "there is no such local folder, and the Hub cannot be reached"),
        ("hf:{folder}#test", "no split 'test'; its splits are train: write hf:"),
        ("hf:{folder}:other", r"not to be had by the library datasets \(ValueError"),
    ],
)
def test_what_cannot_be_streamed_is_told_in_a_line(name, message, train, parquet, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    saved = parquet.parent / "saved"
    saved.mkdir()
    (saved / "state.json").write_text("{}")
    with pytest.raises(DataError, match=message) as told:
        texts_of(train, Path(name.format(folder=parquet, saved=saved)))
    assert "\n" not in str(told.value)


def test_only_the_pool_is_streamed(tmp_path, train):
    kind = KINDS["texts"](text="text", label="label")
    with pytest.raises(ValueError, match="only a pool of texts or rows, --unlabelled, is streamed"):
        kind.require_columns(Files(Path("hf:a/b"), train))


def test_a_streamed_data_set_of_python_is_gone_through_once(texts, pool, parquet, monkeypatch, encoder_folder):
    datasets = pytest.importorskip("datasets")
    y, pool = texts.train.label.tolist(), pool[pool.text.str.strip() != ""]
    plan = {"method": "drift", "steps": 8, "folds": 2, "repeats": 1, "encoder": str(encoder_folder), "cache": False}
    whole = Classifier(**plan).fit(texts.train.text.tolist(), y, pool.text.tolist())
    monkeypatch.setattr(stored, "ROWS_IN_MEMORY", 7)
    monkeypatch.setattr(stored, "VALUES_A_BLOCK", 10)
    streaming = datasets.load_dataset("parquet", data_files=str(parquet / "*.parquet"), streaming=True)["train"]
    found = Classifier(**plan).fit(texts.train.text.tolist(), y, streaming.filter(lambda row: row["text"].strip()))
    assert np.array_equal(found.predict_proba(pool.text.tolist()), whole.predict_proba(pool.text.tolist()))


def test_rows_on_disk_are_those_in_memory(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 3)).astype(np.float32)
    x[70:80] = x[:10]
    table = pd.DataFrame(x, columns=["a", "b", "c"])
    table.assign(label=["u", "v"] * 60)[:30].assign(label=lambda t: t.label.where(t.index < 20, "")).to_csv(
        tmp_path / "train.csv", index=False
    )
    table[30:].assign(label="u").to_parquet(tmp_path / "pool.parquet")
    kind = KINDS["rows"](features=("all",), label="label")
    files = Files(tmp_path / "train.csv", tmp_path / "pool.parquet")
    kind = kind.settled(files)
    expected = read_files(kind, files, Notes())
    monkeypatch.setattr(stored, "ROWS_IN_MEMORY", 0)
    monkeypatch.setattr(blocks, "ROWS_A_BLOCK", 16)
    found = read_files(kind, files, Notes())
    assert isinstance(found.items.pool, np.memmap)
    assert np.array_equal(found.items.pool, expected.items.pool)
    assert list(found.names) == list(expected.names)
    assert np.array_equal(found.items.truth, expected.items.truth)
    (read,) = {folder_of(found.items.pool).with_name("read")}
    assert len(Columns.there(read)) == 30 + 90  # room for those of the training table, and each row once
    reader = kind.reader()
    assert np.array_equal(reader.disturbed(found.items.pool, 0.2, 3), reader.disturbed(expected.items.pool, 0.2, 3))


@pytest.mark.parametrize("method", ["fixmatch", "drift"])
def test_a_fit_on_a_pool_on_disk_is_the_fit_in_memory(method, tmp_path, train, pool, run, encoder_folder, monkeypatch):
    path = write(pool, tmp_path / "pool.csv")
    words = ["--train", train, "--unlabelled", path, "--text", "text", "--label", "label", "--encoder", encoder_folder]
    words += ["--steps", 12, "--folds", 2, "--repeats", 1]
    assert run("fit", method, *words, "--out", tmp_path / "memory")[0] == 0
    monkeypatch.setattr(blocks, "BYTES_A_BLOCK", 700)
    monkeypatch.setattr(stored, "ROWS_IN_MEMORY", 0)
    assert run("fit", method, *words, "--out", tmp_path / "disk")[0] == 0
    one, other = (tmp_path / each / "model" / "model.safetensors" for each in ("memory", "disk"))
    assert one.read_bytes() == other.read_bytes()
    first, second = (json.loads((tmp_path / each / "records.json").read_text()) for each in ("memory", "disk"))
    assert first["least_sure"] == second["least_sure"]
    assert first["pool_classes"] == second["pool_classes"]


def test_an_iterable_of_python_values_lies_on_disk_where_it_is_large(texts, pool, monkeypatch, encoder_folder):
    y, pool = texts.train.label.tolist(), pool[pool.text.str.strip() != ""]
    plan = {"method": "drift", "steps": 8, "folds": 2, "repeats": 1, "encoder": str(encoder_folder), "cache": False}
    whole = Classifier(**plan).fit(texts.train.text.tolist(), y, pool.text.tolist())
    monkeypatch.setattr(stored, "ROWS_IN_MEMORY", 7)
    monkeypatch.setattr(stored, "VALUES_A_BLOCK", 10)
    given = []
    wrapped = stored.stored_values
    monkeypatch.setattr(classifier, "stored_values", lambda *args: given.append(wrapped(*args)) or given[-1])
    found = Classifier(**plan).fit(texts.train.text.tolist(), y, ({"text": text} for text in pool.text))
    assert isinstance(given[0].items, OnDisk)
    assert found.transduction_.tolist() == whole.transduction_.tolist()
    assert np.array_equal(found.predict_proba(pool.text.tolist()), whole.predict_proba(pool.text.tolist()))


def test_records_of_several_values_are_refused(texts):
    with pytest.raises(ValueError, match="X_unlabelled gives records of 'body', 'date'; give the items alone"):
        Classifier().fit(texts.train.text.tolist(), texts.train.label.tolist(), iter([{"body": "a", "date": 1}]))


def test_a_pattern_that_names_nothing_is_named(tmp_path, train):
    (tmp_path / "pool").mkdir()
    write(pd.DataFrame({"text": ["a"]}), tmp_path / "pool" / "a.csv")
    with pytest.raises(DataError, match=r"\*\.parquet: no file matches the pattern; in .*pool there is a\.csv"):
        texts_of(train, tmp_path / "pool" / "*.parquet")


def test_a_part_with_other_columns_is_named_with_both_lists(tmp_path, train, pool):
    (tmp_path / "pool").mkdir()
    write(pool, tmp_path / "pool" / "a.csv")
    write(pool.rename(columns={"text": "body"}), tmp_path / "pool" / "b.parquet")
    with pytest.raises(DataError, match=r"b\.parquet: no column 'text'.* are body, label, .*a\.csv are label, text"):
        texts_of(train, tmp_path / "pool")


def test_a_file_that_changes_between_two_blocks_is_refused(tmp_path, train, pool, on_disk, monkeypatch):
    path = write(pool, tmp_path / "pool.csv")
    append = Columns.append

    def changing(columns, values):
        append(columns, values)
        if columns.blocks == 2:
            with open(path, "a") as f:
                f.write("more,\n")

    monkeypatch.setattr(Columns, "append", changing)
    with pytest.raises(DataError, match=r"pool\.csv: it changed while it was read \(it had .* bytes, and has"):
        texts_of(train, path)


def test_a_pool_that_is_empty_after_filtering_is_said(tmp_path, train, on_disk):
    path = write(pd.DataFrame({"text": [" "] * 50, "label": ["x"] * 50}), tmp_path / "pool.parquet")
    with pytest.raises(DataError, match=r"pool\.parquet: nothing can be learnt from any of its 50 texts"):
        texts_of(train, path)


def test_a_full_disk_in_the_middle_is_one_line_and_the_next_time_goes_on(
    tmp_path, train, pool, run, on_disk, monkeypatch, encoder_folder
):
    monkeypatch.setenv("TUTELAGE_CACHE", str(tmp_path / "cache"))
    path = write(pool, tmp_path / "pool.csv")
    expected = list(texts_of(train, path).items.pool)
    pool_folder.release(texts_of(train, path).items.pool)
    note, count = Columns._note, [0]

    def full(columns, line):
        count[0] += "count" in line
        if count[0] == 3:
            raise OSError(28, "No space left on device", str(columns.folder / "item.texts"))
        note(columns, line)

    words = ["--train", train, "--unlabelled", path, "--text", "text", "--label", "label", "--encoder", encoder_folder]
    with monkeypatch.context() as patched:
        patched.setattr(Columns, "_note", full)
        code, said = run("fit", "drift", *words, "--out", tmp_path / "out")
        assert code == 2
        assert "the disk is full" in said
    (read,) = pool_folder.cache_folder().glob("pools/*/read")
    before = Columns.there(read)
    assert (before.blocks, before.torn, before.finished) == (2, 0, False)
    ends = (read / "item.texts").stat().st_mtime_ns
    assert list(texts_of(train, path).items.pool) == expected
    assert Columns.there(read).finished
    assert (read / "item.texts").stat().st_mtime_ns > ends


def lines_of(train, path, **options):
    """The sentences of a pool, and what they say when it is read a second time, from the disk."""
    first, second = Notes(), Notes()
    texts_of(train, path, first, **options)
    texts_of(train, path, second, **options)
    assert str(first) == str(second)
    return str(first).splitlines()


@pytest.fixture
def parts(tmp_path, pool):
    """A folder of two files, with three texts that are left out, and a copy in another file."""
    (tmp_path / "pool").mkdir()
    bad = pd.DataFrame({"text": [" ", "", 200_000 * "a"]})
    write(pd.concat([pool[:20], bad[:1]]).fillna(""), tmp_path / "pool" / "a.csv")
    write(pd.concat([bad[1:], pool[20:]]).fillna(""), tmp_path / "pool" / "b.csv")
    return tmp_path / "pool"


def test_what_is_left_out_of_a_pool_on_disk_is_told_in_the_line_of_memory(train, parts, pool, monkeypatch, tmp_path):
    monkeypatch.setenv("TUTELAGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(blocks, "BYTES_A_BLOCK", 700)
    (memory,) = (line for line in lines_of(train, parts) if "Left out" in line)
    monkeypatch.setattr(stored, "ROWS_IN_MEMORY", 0)
    (disk,) = (line for line in lines_of(train, parts) if "Left out" in line)
    assert disk == memory
    assert f"4 of {len(pool) + 3} texts of {parts} (first: a.csv, row 21, the text is empty; then b.csv, row 1" in disk
    assert "b.csv, row 2: the text has 200,000 characters" in disk
    assert disk.count("docs:") == 1


def test_copies_in_a_pool_on_disk_are_told_as_in_memory(train, parts, monkeypatch, tmp_path):
    monkeypatch.setenv("TUTELAGE_CACHE", str(tmp_path / "cache"))
    (memory,) = (line for line in lines_of(train, parts) if line.startswith("Copies"))
    monkeypatch.setattr(stored, "ROWS_IN_MEMORY", 0)
    (disk,) = (line for line in lines_of(train, parts) if line.startswith("Copies"))
    assert "(of a pool on disk only equal ones)" in disk
    copies = pd.concat([pd.read_csv(each) for each in (train, parts / "a.csv", parts / "b.csv")]).text.dropna()
    counts = copies[copies.str.strip().ne("") & copies.str.len().lt(1000)].value_counts()
    assert f"Copies: {(counts > 1).sum()} texts are there more than once in {counts[counts > 1].sum()} rows" in disk
    assert disk.partition("The first: ")[2].split(";")[0] == memory.partition("The first: ")[2].split(";")[0]


@pytest.mark.parametrize("rows_in_memory", [0, 10**6])
@pytest.mark.parametrize("where", ["first", "last"])
def test_a_part_without_rows_is_passed_over_and_said(where, rows_in_memory, train, parts, monkeypatch):
    monkeypatch.setattr(stored, "ROWS_IN_MEMORY", rows_in_memory)
    expected = list(texts_of(train, parts).items.pool)
    start = "0" if where == "first" else "z"
    (parts / f"{start}1.csv").write_bytes(b"")
    (parts / f"{start}2.csv").write_text("text,label\n")
    write(pd.DataFrame({"text": pd.Series(dtype=str)}), parts / f"{start}3.parquet")
    (parts / f"{start}4.jsonl").write_bytes(b"")
    lines = lines_of(train, parts)
    assert f"{parts}: 4 of its 6 files have no rows (first: {parts / start}1.csv); passed over." in lines
    assert list(texts_of(train, parts).items.pool) == expected


def test_a_pool_of_which_no_part_has_rows_is_refused(tmp_path, train):
    (tmp_path / "pool").mkdir()
    for name in "ab":
        (tmp_path / "pool" / f"{name}.csv").write_text("text,label\n")
    with pytest.raises(DataError, match=r"pool: none of its 2 files has a row \(first: .*a\.csv\)"):
        texts_of(train, tmp_path / "pool")


def rows_of(tmp_path, pool, notes=None, **options):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(20, 2)).round(3), columns=["a", "b"]).assign(label=["u", "v"] * 10)
    table.to_csv(tmp_path / "train.csv", index=False)
    files = Files(tmp_path / "train.csv", pool, **options)
    kind = KINDS["rows"](features=("a", "b"), label="label").settled(files)
    return np.array(read_files(kind, files, notes or Notes()).items.pool)


def decimals(tmp_path, first, second):
    """A pool whose first rows have one number each, and whose last ones another."""
    cells = [first] * 100 + [second] * 100
    table = pd.DataFrame({"a": cells, "b": np.arange(200)}).astype(str)
    table.to_csv(tmp_path / "pool.csv", index=False, sep=";")
    return tmp_path / "pool.csv"


@pytest.mark.parametrize("cells", [("1,200", "2,5"), ("2,5", "1,200"), ("7", "2,5"), ("1,2%", "3,4 %"), ("", "1,25")])
def test_decimal_commas_of_a_pool_on_disk_are_read_as_in_memory(cells, tmp_path, monkeypatch, small_blocks):
    path = decimals(tmp_path, *cells)
    if not cells[0]:
        path.write_text(path.read_text().replace("\n;", "\n1,200;"))
    found, notes = [], [Notes(), Notes()]
    for rows, heard in zip((10**6, 0), notes, strict=True):
        monkeypatch.setattr(stored, "ROWS_IN_MEMORY", rows)
        found.append(rows_of(tmp_path, path, heard))
    assert np.array_equal(*found)
    said = [[line for line in heard.lines if "read as" in line] for heard in notes]
    assert said[0] == said[1] != []


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (("1,200", "3,400"), r"'1,200' may be 1\.200 or 1200"),
        (("1.5", "2,5"), r"row 101 has a decimal comma, '2,5', but row 1 a point, '1\.5'"),
        (("2,5", "1.5"), r"row 1 has a decimal comma, '2,5', but row 101 a point, '1\.5'"),
    ],
)
def test_doubtful_commas_of_a_pool_on_disk_are_refused_as_in_memory(
    cells, message, tmp_path, monkeypatch, small_blocks
):
    said = []
    for rows in (10**6, 0):
        monkeypatch.setattr(stored, "ROWS_IN_MEMORY", rows)
        with pytest.raises(DataError, match=message) as told:
            rows_of(tmp_path, decimals(tmp_path, *cells))
        said.append(str(told.value))
    assert said[0] == said[1]


def test_rows_of_a_pool_that_cannot_be_read_are_counted_over_all_blocks(tmp_path, on_disk):
    path = decimals(tmp_path, "1.5", "2.5")
    lines = path.read_text().splitlines()
    lines[31], lines[171] = "x;1", "y;2"
    path.write_text("\n".join(lines))
    notes = Notes()
    assert len(rows_of(tmp_path, path, notes, how=ReadAs(skip_bad=True))) == 198
    (line,) = (line for line in notes.lines if "Left out" in line)
    assert f"Left out of {path}: 2 of 200 rows, which cannot be read (first: row 31)." in line
