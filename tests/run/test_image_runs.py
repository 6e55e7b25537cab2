"""Runs on images with labels and with masks, from the files to the summary, the report and new images."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import f1_score

from tutelage import Dmt, FixMatch, Supervised, load
from tutelage.files import read_json
from tutelage.files.described import Summary
from tutelage.kinds import masks
from tutelage.kinds.pixel_scores import beside_truth
from tutelage.modalities.images import pictures
from tutelage.modalities.images.reader import ImagePass
from tutelage.tables import DataError

pytestmark = pytest.mark.usefixtures("small_networks")
VOID = 9


def put(root, files):
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


@pytest.fixture(scope="module")
def scenes(tmp_path_factory, squares, png, cut_off):
    """Tables: 10 images with masks, void in their first rows, 20 without and a bad one; 12 and a bad one to test on."""
    folder, train, test = tmp_path_factory.mktemp("scenes"), squares(30, 0), squares(12, 1)
    for name, part, known in (("train", train, 10), ("test", test, 12)):
        part.masks[:, :2] = VOID
        masks = [png(mask) if i < known else None for i, mask in enumerate(part.masks)]
        table = pd.DataFrame({"image": [*map(png, part.pixels), cut_off], "mask": [*masks, masks[0]]})
        table.to_parquet(folder / f"{name}.parquet")
    return {
        "train": folder / "train.parquet", "test": folder / "test.parquet", "task": "segmentation", "skip_bad": True,
        "images": "image", "masks": "mask", "void": (VOID,), "steps": 18, "lr": 0.02,
    }  # fmt: skip


SMALL_CNN = {"network": "small_cnn", "steps": 18, "lr": 0.01}


@pytest.fixture(scope="module")
def labelled(pets, tmp_path_factory, do, small_networks):
    return do(Dmt(rounds=2), **pets, **SMALL_CNN, out=tmp_path_factory.mktemp("out") / "run")


@pytest.fixture(scope="module")
def masked(scenes, tmp_path_factory, do, small_networks):
    return do(Dmt(rounds=2), **scenes, out=tmp_path_factory.mktemp("out") / "run")


def test_the_summary_of_a_classification_says_what_was_done_and_what_it_is_worth(labelled, pets):
    found = labelled.summary
    assert found == read_json(labelled.request.out / "summary.json", Summary)
    assert (found["kind"], found["things"], found["encoder"]) == ("images", "images", "small_cnn")
    assert (found["classes"], found["labelled"], found["unlabelled"]) == (["blue", "red"], 12, 18)
    assert (found["size"], found["left_out"], found["finetuned"]) == ([16, 16], [], False)
    assert found["settings"] | {"partners": "chain", "mixup": 0.75} == found["settings"]
    assert found["evidence"]["labels"] == 12
    test, files = found["test"], sorted(pets["test"].glob("*/*.png"))
    assert test["accuracy"] == test[f"{found['returned']}_accuracy"]
    assert min(test["reference_accuracy"], test["candidate_accuracy"]) >= 0.5
    p = load(labelled.request.out / "model").probabilities(files)
    truth, guess = np.array([f.parent.name for f in files]), np.array(found["classes"])[p.argmax(1)]
    assert test["rows"] == 20
    assert test["accuracy"] == (truth == guess).mean() > 0.8
    assert test["macro_f1"] == pytest.approx(f1_score(truth, guess, average="macro"))
    assert 0 <= test["interval"][0] <= test["accuracy"] <= test["interval"][1] <= 1


def test_the_summary_of_a_segmentation_says_what_was_done_and_what_it_is_worth(masked, squares):
    found, test = masked.summary, masked.summary["test"]
    assert found == read_json(masked.request.out / "summary.json", Summary)
    assert (found["kind"], found["things"], found["encoder"]) == ("masks", "images", "unet")
    assert (found["classes"], found["labelled"], found["unlabelled"]) == (["0", "1"], 10, 20)
    assert (found["size"], found["evidence"]["labels"], test["rows"]) == ([16, 16], 10, 12)
    assert found["calibration"] is None and load(masked.request.out / "model").temperature == 1
    assert found["settings"] | {"partners": "mutual", "ranking": "class"} == found["settings"]
    assert [place.split(":")[0].split("/")[-1] for place in found["left_out"]] == [
        "train.parquet, row 31", "test.parquet, row 13",
    ]  # fmt: skip
    drawn = squares(12, 1)
    guess, truth = (a[:, 2:].ravel() for a in (maps(masked, drawn.pixels), drawn.masks))
    both = [((guess == c) & (truth == c)).sum() for c in (0, 1)]
    either = [((guess == c) | (truth == c)).sum() for c in (0, 1)]
    iou = np.divide(both, either)
    np.testing.assert_allclose(test["iou_by_class"], iou)
    assert test["miou"] == pytest.approx(iou.mean())
    assert test["miou"] == test[f"{found['returned']}_miou"] > 0.6
    assert 0 <= test["reference_miou"] <= 1
    assert test["dice"] == pytest.approx(np.mean(2 * iou / (1 + iou)))
    assert test["interval"][0] < test["miou"] < test["interval"][1]


def maps(done, pixels):
    """The class of each pixel by the model of a run, as it is loaded again."""
    found = np.full(pixels.shape[:3], -1)
    for part in masks.maps(load(done.request.out / "model"), pixels):
        found[part.numbers] = part.labels
    return found


def test_two_models_that_teach_each_other_have_weights_of_their_own(masked):
    first = json.loads((masked.request.out / "records.json").read_text())["history"][0]
    assert first["round"] == 0
    assert first["loss.student.supervised"] != first["loss.partner.supervised"]


@pytest.mark.parametrize("kind", ["labelled", "masked"])
def test_the_report_is_one_file(request, kind):
    page = re.sub(r"base64,[^\"]*", "", request.getfixturevalue(kind).page)
    assert page.count('src="data:image/png;"') == page.count("src=") >= 12
    assert not re.search("href|http|url|@import|<script|<link", page)


def test_the_report_shows_the_images_it_is_least_sure_of(labelled, pets):
    pool = sorted((pets["train"] / "unlabelled").iterdir())
    sure = load(labelled.request.out / "model").probabilities(pool).max(1)
    wanted = [pool[i] for i in sure.argsort(kind="stable")[:12]]
    assert re.findall(r"unlabelled/\d\d\.png", labelled.page) == [f"unlabelled/{path.name}" for path in wanted]
    for got, path in zip(labelled.shown("The unlabelled images it is least sure of"), wanted, strict=True):
        drawn = Image.open(path).resize(got.shape[1::-1], Image.Resampling.BILINEAR)
        assert got.shape == (80, 80, 3)
        assert np.abs(got.astype(int) - np.asarray(drawn).astype(int)).max() <= 1


def test_the_report_shows_images_beside_their_masks_in_the_colours_of_the_legend(masked, squares):
    drawn, guess = squares(12, 1), maps(masked, squares(12, 1).pixels)
    legend = re.findall(r'<span class="colour" style="background: (#[0-9a-f]{6})"></span>(\d+)</span>', masked.page)
    assert [name for _, name in legend] == ["0", "1"]
    wash = [np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) for colour, _ in legend]
    shown = masked.shown("Images beside their masks")
    assert len(shown) == 3 * 6
    numbers = [int(n) - 1 for n in re.findall(r"test image (\d+): mean IoU", masked.page)]
    for number, image, said, true in zip(numbers, shown[::3], shown[1::3], shown[2::3], strict=True):
        np.testing.assert_array_equal(image, drawn.pixels[number])
        mixed = [0.45 * image + 0.55 * colour for colour in wash]
        truth = np.where(drawn.masks[number][..., None] == 1, mixed[1], mixed[0])
        truth[:2] = image[:2]  # void stays plain
        np.testing.assert_allclose(true, truth, atol=1)
        np.testing.assert_allclose(said, np.where(guess[number][..., None] == 1, mixed[1], mixed[0]), atol=1)


def test_colours_are_those_of_the_legend_where_few_of_many_classes_occur(squares, png):
    one = squares(1, 0)
    (shown,) = beside_truth([png(one.pixels[0])], one.masks, one.masks, 24, "test")
    assert shown["truth"] == pictures.overlay(one.pixels[0], one.masks[0], 24)


@pytest.mark.parametrize("kind", ["labelled", "masked"])
def test_the_model_gives_the_same_after_loading(request, squares, kind):
    done = request.getfixturevalue(kind)
    new = squares(5, 7).pixels
    again = load(done.request.out / "model")
    np.testing.assert_array_equal(again.probabilities(new), done.models[0].probabilities(new))


@pytest.mark.parametrize("kind", ["labelled", "masked"])
def test_score_equals_the_test_of_the_summary(request, run, kind):
    done = request.getfixturevalue(kind)
    skip = ["--skip-bad"] if kind == "masked" else []
    code, shown = run("score", done.request.out, "--test", done.request.test, "--json", *skip)
    assert code == 0, shown
    scored, test = json.loads(shown), done.summary["test"]
    assert scored.pop("reference", done.summary["test_reference"]) == done.summary["test_reference"]
    assert set(test) - set(scored) == {f"{who}_{done.summary['score']}" for who in ("reference", "candidate")}
    assert scored == {name: test[name] for name in scored}
    _, words = run("score", done.request.out, "--test", done.request.test, *skip)
    assert f"{test['rows']} images: " in words
    assert f"{100 * test[done.summary['score']]:.1f} %" in words


def test_a_bad_image_is_an_error_unless_it_is_to_be_left_out(scenes, do, tmp_path):
    with pytest.raises(DataError, match=r"train.parquet, row 31: cut off or damaged .*; --skip-bad leaves out"):
        do(Supervised(), **scenes | {"skip_bad": False}, out=tmp_path / "out")


@pytest.mark.parametrize("kind", ["folder", "csv", "parquet"])
def test_predict_gives_each_image_a_label(labelled, run, tmp_path, squares, png, kind):
    new = squares(6, 5).pixels
    files = {f"{i}.png": png(pixels) for i, pixels in enumerate(new)}
    put(tmp_path / "in", files)
    if kind == "folder":
        words, source, first = [], tmp_path / "in", "image"
    else:
        words, source, first = ["--images", "picture"], tmp_path / f"in/t.{kind}", "picture"
        cells = list(files) if kind == "csv" else list(files.values())
        table = pd.DataFrame({"picture": cells, "note": range(6)})
        table.to_csv(source, index=False) if kind == "csv" else table.to_parquet(source)
    code, shown = run("predict", labelled.request.out, "--input", source, "--output", tmp_path / "o.csv", *words)
    assert code == 0, shown
    got, p = pd.read_csv(tmp_path / "o.csv"), load(labelled.request.out / "model").probabilities(new)
    assert list(got.columns) == [first, *(["note"] if words else []), "predicted", "probability"]
    assert kind == "parquet" or list(got[first]) == list(files)
    assert list(got.predicted) == [labelled.summary["classes"][i] for i in p.argmax(1)]
    np.testing.assert_allclose(got.probability, p.max(1), rtol=1e-6)


def test_predict_leaves_a_bad_image_without_a_label_where_asked_and_refuses_it_else(
    labelled, run, tmp_path, squares, png, cut_off
):
    cells = [png(squares(1, 5).pixels[0]), cut_off, None, png(squares(2, 6).pixels[1])]
    pd.DataFrame({"image": cells}).to_parquet(tmp_path / "in.parquet")
    words = ["predict", labelled.request.out, "--input", tmp_path / "in.parquet", "--output", tmp_path / "o.parquet"]
    code, shown = run(*words, "--images", "image")
    assert code == 2
    assert f"{tmp_path / 'in.parquet'}, row 2: cut off or damaged" in shown
    assert not (tmp_path / "o.parquet").exists()
    code, shown = run(*words, "--images", "image", "--skip-bad")
    assert code == 0, shown
    assert "Left out: 2 of 4 images" in shown
    got = pd.read_parquet(tmp_path / "o.parquet")
    assert got.image.tolist() == cells
    assert got.predicted.fillna("none").tolist() == ["red", "none", "none", "blue"]
    assert got.probability.isna().tolist() == [False, True, True, False]
    code, shown = run(*words, "--images", "image", "--skip-bad", "--abstain", "0.05")
    assert code == 0 and "0 of 4 rows labelled (0.0 %)" in shown and "it takes 32 right" in " ".join(shown.split())
    code, shown = run(*words)
    assert code == 2
    assert "--images must be given" in shown and "or give a folder of images" in " ".join(shown.split())


def test_predict_writes_masks_as_large_as_the_images(masked, run, tmp_path, squares, png, cut_off):
    shapes = {"a.png": (20, 33), "b/deep.png": (16, 16), "d.png": (48, 24)}
    new = {name: squares(1, i, *shape).pixels[0] for i, (name, shape) in enumerate(shapes.items())}
    put(tmp_path / "in", {name: png(pixels) for name, pixels in new.items()} | {"c.png": cut_off})
    words = ["predict", masked.request.out, "--input", tmp_path / "in", "--output", tmp_path / "masks"]
    assert "--abstain is for items of one class each" in run(*words, "--abstain", "0.1")[1]
    code, shown = run(*words)
    assert code == 2
    assert f"{tmp_path / 'in/c.png'}: cut off" in shown
    code, shown = run(*words, "--skip-bad")
    assert code == 0, shown
    table = pd.read_csv(tmp_path / "masks/masks.csv")
    assert list(table.columns) == ["image", "predicted", "probability"]
    assert table.image.tolist() == ["a.png", "b/deep.png", "d.png"]
    files = [p for p in (tmp_path / "masks").rglob("*") if p.is_file()]
    assert {p.relative_to(tmp_path / "masks").as_posix() for p in files} == {"masks.csv", *table["predicted"]}
    assert table["predicted"].tolist() == list(shapes)
    assert table.probability.between(0.5, 1).all()
    for name, mask in zip(table.image, table["predicted"], strict=True):
        got, (h, w) = np.asarray(Image.open(tmp_path / "masks" / mask)), shapes[name]
        (small,) = [part.labels[0] for part in masks.maps(load(masked.request.out / "model"), [tmp_path / "in" / name])]
        rows, columns = (((np.arange(n) + 0.5) * 16 / n).astype(int) for n in (h, w))
        np.testing.assert_array_equal(got, small[rows[:, None], columns])
    code, shown = run(*words, "--skip-bad")
    assert code == 2
    assert "exists and is not empty" in shown


def test_predict_on_a_folder_of_images_and_masks_labels_the_images_only(masked, run, tmp_path, squares, png):
    new = squares(2, 5)
    put(tmp_path / "in", {"images/a.png": png(new.pixels[0]), "masks/a.png": png(new.masks[0])})
    code, shown = run("predict", masked.request.out, "--input", tmp_path / "in", "--output", tmp_path / "masks")
    assert code == 0, shown
    assert len(pd.read_csv(tmp_path / "masks/masks.csv")) == 1


@pytest.mark.parametrize("kind", ["labelled", "masked"])
def test_a_run_that_is_stopped_twice_and_resumed_equals_a_whole_one(request, do, tmp_path, kind):
    whole, out = request.getfixturevalue(kind), tmp_path / "out"
    options = whole.options | {"out": out}
    count = len(whole.ticks)
    first, second = round(0.6 * count), round(0.92 * count)  # within a round of a fold, and of the last training
    with pytest.raises(KeyboardInterrupt):
        do(Dmt(rounds=2), first, **options)
    with pytest.raises(KeyboardInterrupt):
        do(Dmt(rounds=2), second - first + 1, **options | {"resume": True})
    assert not (out / "summary.json").exists()
    resumed = do(Dmt(rounds=2), **options | {"resume": True})
    assert resumed.ticks == whole.ticks[second - 1 :]
    assert resumed.result() == whole.result()


def test_encoded_images_are_written_as_jsonl_or_refused_in_words(labelled, run, tmp_path, squares, png):
    pd.DataFrame({"image": [*map(png, squares(2, 5).pixels)]}).to_parquet(tmp_path / "in.parquet")
    words = ["--input", tmp_path / "in.parquet", "--output", tmp_path / "o.jsonl", "--images", "image"]
    code, shown = run("predict", labelled.request.out, *words)
    assert code == 0 or "parquet" in shown.split("Error:")[1]


@pytest.mark.parametrize("finetune", [False, True])
def test_a_run_with_the_packaged_backbone(reader, pets, do, run, tmp_path, monkeypatch, squares, finetune):
    monkeypatch.setenv("TUTELAGE_CACHE", str(tmp_path / "cache"))
    options = pets | {"size": (32, 32), "finetune": finetune, "steps": 3 if finetune else 20, "evidence": False}
    done = do(FixMatch(), **options, out=tmp_path / "a")
    assert (done.summary["encoder"], done.summary["finetuned"]) == ("efficientnet-lite0", finetune)
    assert f"on cpu: {12 if finetune else 66} images to encode" in "\n".join(done.said)
    new, model = squares(5, 7).pixels, load(tmp_path / "a/model")
    np.testing.assert_array_equal(model.probabilities(new), done.models[0].probabilities(new))
    _, shown = run("score", tmp_path / "a", "--test", pets["test"], "--json")
    scored = {name: value for name, value in json.loads(shown).items() if name != "reference"}
    assert scored == {name: done.summary["test"][name] for name in scored}
    assert finetune or done.summary["test"]["accuracy"] > 0.7
    monkeypatch.setattr(ImagePass, "rows", None)  # nothing is encoded a second time
    if not finetune:
        again = do(FixMatch(), **options, out=tmp_path / "b")
        assert "all features are in the cache" in "\n".join(again.said)
        assert again.result() == done.result()
