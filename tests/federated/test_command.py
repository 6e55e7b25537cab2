"""`tutelage federate`: clients read from tables, what is unequal said, a run like any other, and errors in one line."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tutelage.federated import FedLabel
from tutelage.federated.reading import read_clients
from tutelage.federated.run import FederateOptions, run_federation
from tutelage.files.tensors import read_tensors
from tutelage.kinds import KINDS
from tutelage.tables import DataError, Notes, ReadAs

QUICK = ("--rounds", 2, "--steps", 3, "--folds", 2)
OF_ROWS = ("--features", "x_", "--label", "label")


def table(name: str, labels: str, pool: int = 12, seed: int = 0) -> pd.DataFrame:
    """Rows of a client: one for each letter, labelled by it, and some of the same classes without a label."""
    draws = np.random.default_rng([seed, *name.encode()])
    y = np.array(list(labels) + [labels[i % len(labels)] for i in range(pool)] if labels else ["a"] * pool)
    x = draws.normal(size=(len(y), 3)) + 3 * np.eye(3)[["abc".index(letter) for letter in y]]
    found = pd.DataFrame(x.round(4), columns=[f"x_{i}" for i in range(3)])
    found["label"] = [letter if i < len(labels) else "" for i, letter in enumerate(y)]
    found["clinic"] = name
    return found


def written(folder, *tables: pd.DataFrame):
    path = folder / "all.csv"
    pd.concat(tables).to_csv(path, index=False)
    return path


def read(*paths, column=None, evidence=True):
    notes = Notes()
    kind = KINDS["rows"](features=("x_",), label="label")
    _, data, clients = read_clients(kind, paths, column, None, ReadAs(), evidence, notes)
    return data, clients, "\n".join(notes.lines_of_all())


def test_a_column_and_tables_give_the_same_clients(tmp_path):
    tables = [table("north", "aabbcc"), table("south", "abab")]
    paths = [tmp_path / f"{name}.csv" for name in ("south", "north")]
    for path, part in zip(paths, tables[::-1], strict=True):
        part.drop(columns="clinic").to_csv(path, index=False)
    one, by_column, _ = read(written(tmp_path, *tables), column="clinic")
    two, by_table, _ = read(*paths)
    assert one.classes == two.classes == ["a", "b", "c"]
    for first, second, part in zip(by_column, by_table, tables, strict=True):
        assert first.name == second.name == part.clinic[0]
        assert first.counts == second.counts == part.label[part.label != ""].value_counts().sort_index().to_dict()
        np.testing.assert_array_equal(first.labelled.items, second.labelled.items)
        expected = part.loc[part.label == "", ["x_0", "x_1", "x_2"]].to_numpy(dtype=np.float32)
        np.testing.assert_allclose(first.pool.items, expected, rtol=1e-6)
    assert len(one.items.labelled) == 10 and len(one.items.pool) == 24
    assert one.items.y.tolist() == [0, 0, 1, 1, 2, 2, 0, 1, 0, 1]


def test_what_is_unequal_between_clients_is_said(tmp_path):
    tables = table("north", "aabbcc"), table("south", "bbb"), table("west", "")
    _, clients, says = read(written(tmp_path, *tables), column="clinic")
    assert [(len(c.labelled), len(c.pool)) for c in clients] == [(6, 12), (3, 12), (0, 12)]
    assert "Clients (rows with a label + without): north 6 + 12, south 3 + 12, west 0 + 12." in says
    assert "Without a label: west. The other clients' labels reach them by the global model alone." in says
    assert "With labels of one class alone: south." in says
    assert "Classes with labels at one client alone: a (north), c (north)." in says


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda t: t.assign(clinic="north"), "only one client, north: a federation has two or more"),
        (
            lambda t: t.assign(clinic=[*t.clinic[:3], None, *t.clinic[4:]]),
            "row 4, column 'clinic': the row names no",
        ),
        (lambda t: t.drop(columns="clinic"), "no column 'clinic'; it has"),
        (lambda t: t.assign(label=["a" if v else "" for v in t.label]), "only one class, 'a'; two are needed"),
        (lambda t: t.assign(label=""), "every label is empty"),
        (lambda t: t.assign(x_1=["?", *t.x_1[1:]]), "row 1"),
    ],
)
def test_a_table_of_which_no_federation_can_be_made(tmp_path, spoil, message):
    both = pd.concat([table("north", "aabb"), table("south", "abab")], ignore_index=True)
    with pytest.raises(DataError, match=message):
        read(written(tmp_path, spoil(both)), column="clinic")


def test_tables_of_other_columns_or_of_one_name_are_refused(tmp_path):
    paths = [tmp_path / "north.csv", tmp_path / "south.csv", tmp_path / "more" / "north.csv"]
    paths[2].parent.mkdir()
    for path in paths:
        table("north", "aabb").to_csv(path, index=False)
    with pytest.raises(DataError, match="two tables are named north"):
        read(paths[0], paths[2])
    table("south", "aabb").assign(x_3=1.0).to_csv(paths[1], index=False)
    with pytest.raises(DataError, match=r"south.csv has other columns of --features than .*north.csv \(x_3\)"):
        read(*paths[:2])
    paths[1].write_text("x_0,x_1,x_2,label\n")
    with pytest.raises(DataError, match=r"south\.csv: the file has no rows"):
        read(*paths[:2])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "--client COLUMN must name the client of each row; or give --train a table for each client"),
        (("b.csv", "--client", "c"), "give one table and --client"),
        (("--client", "c", "--rounds", 0), "rounds must be at least 1, got 0"),
        (("--client", "c", "--threshold", 2), "threshold must be in [0, 1], got 2.0"),
        (("--client", "c", "--folds", 1), "folds must be at least 2, got 1"),
        (("--client", "c", "--kind", "masks"), "--kind of a federation must be one of texts, rows, got 'masks'"),
        (
            ("--client", "c", "--text", "t", "--label", "l", "--encoder", "lexical"),
            "made by the rows of all clients",
        ),
    ],
)
def test_words_of_which_no_federation_can_be_made(run, tmp_path, words, message):
    rows = () if "--text" in words or "masks" in words else OF_ROWS
    code, shown = run("federate", "--train", "a.csv", *words, *rows, "--out", tmp_path / "out")
    assert code == 2 and "Traceback" not in shown
    assert message in shown.splitlines()[-1]


def test_a_federation_is_a_run_like_any_other(run, tmp_path):
    tables = table("north", "aabbccabc"), table("south", "bbbbaa"), table("west", "")
    path, out = written(tmp_path, *tables), tmp_path / "out"
    words = ("federate", "--train", path, "--client", "clinic", *OF_ROWS, *QUICK, "--out", out)
    code, shown = run(*words)
    assert code == 0, shown
    summary = json.loads((out / "summary.json").read_text())
    assert summary["method"] == "fedlabel" and summary["labelled"] == 15 and summary["unlabelled"] == 36
    each = {client["client"]: client for client in summary["federated"]["clients"]}
    assert each["north"]["classes"] == {"a": 3, "b": 3, "c": 3} and "change" not in each["west"]
    lines = pd.read_csv(out / "clients.csv").set_index("client")
    assert lines.loc["south", "labels of b"] == 4 and np.isnan(lines.loc["west", "federated"])
    weights = lines.labelled[["north", "south"]]
    for column, model in (("labels_only", "reference"), ("federated", "candidate")):
        total = (lines.loc[weights.index, column] * weights).sum() / weights.sum()
        assert total == pytest.approx(summary[model]["accuracy"])  # of the clients' rows together
    assert run("predict", out, "--input", path, "--output", tmp_path / "said.csv")[0] == 0
    assert set(pd.read_csv(tmp_path / "said.csv").predicted) <= {"a", "b", "c"}
    code, shown = run("score", out, "--test", path)
    assert code == 0 and "15 rows: accuracy" in shown
    assert run("verify", out)[0] == 0
    code, shown = run("config", out)
    assert code == 2 and "was made by tutelage federate" in shown
    code, shown = run(*words, "--resume")
    assert code == 0 and "is finished already" in shown
    code, shown = run(*words, "--resume", "--seed", 1)
    assert code == 2 and "different: seed" in shown


class Stopped(Exception):  # noqa: N818
    pass


@pytest.mark.slow
def test_a_stopped_run_goes_on_to_the_same_files(tmp_path):
    path = written(tmp_path, table("north", "aabbccabc"), table("south", "bbbbaa"))

    def once(name: str, resume: bool = False, stop: str = "") -> None:
        options = FederateOptions(
            train=(path,), client="clinic", out=tmp_path / name, rounds=3, steps=3, folds=2, resume=resume,
            checkpoint_seconds=0.0,
        )  # fmt: skip

        def tick(what: str, done: int, of: int) -> None:
            if (what, done) == (stop, 2):
                raise Stopped

        kind = KINDS["rows"](features=("x_",), label="label")
        run_federation(kind, options, FedLabel(), lambda line: None, tick)

    once("whole")
    for stop in ("labels-only", "fedlabel-fold02"):
        with pytest.raises(Stopped):
            once("stopped", resume=(tmp_path / "stopped").exists(), stop=stop)
    once("stopped", resume=True)
    for model in ("model", "reference"):
        folders = [tmp_path / name / model / "model.safetensors" for name in ("whole", "stopped")]
        assert [f.exists() for f in folders] in ([True, True], [False, False])
        if folders[0].exists():
            (one, _), (two, _) = map(read_tensors, folders)
            assert all(np.array_equal(one[name], two[name]) for name in one)
    assert (tmp_path / "whole" / "clients.csv").read_text() == (tmp_path / "stopped" / "clients.csv").read_text()
