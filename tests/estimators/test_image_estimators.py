"""The scikit-learn face on images: a class for each, or one for each pixel."""

from __future__ import annotations

import pickle
import weakref
from threading import Lock

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

from families import BROUGHT, one_of_each
from tutelage import Classifier, Segmenter, load
from tutelage.methods import METHODS
from tutelage.methods.pool_teacher import PoolTeacher
from tutelage.modalities.base import features
from tutelage.modalities.images import examples as images
from tutelage.modalities.images import reader as readers
from tutelage.modalities.images.networks import SmallCnn, UNet
from tutelage.modalities.images.reader import Disturbed, ImagePass, ImageReader

pytestmark = pytest.mark.usefixtures("small_networks")
QUICK = {"method": "mean_teacher", "steps": 3, "evidence": False}
ENOUGH = {"method": "mean_teacher", "steps": 24, "lr": 0.01, "folds": 2, "repeats": 1}


def hidden(y, known=12):
    """Labels or masks, -1 beyond the first."""
    return np.where((np.arange(len(y)) < known).reshape(-1, *[1] * (y.ndim - 1)), y, -1)


def some(masks, known=12):
    return [*masks[:known], *[None] * (len(masks) - known)]


TAUGHT = sorted(name for name, kind in METHODS.items() if issubclass(kind, PoolTeacher))


@pytest.mark.parametrize("method", TAUGHT)
def test_a_teacher_of_features_refuses_images_that_a_network_is_trained_on(drawn, method):
    with pytest.raises(ValueError, match=f"{method} needs rows of fixed features"):
        Classifier(method, network="small_cnn", steps=12, evidence=False).fit(drawn.pixels, hidden(drawn.y))


@pytest.mark.parametrize("method", one_of_each(METHODS.keys() - {"partial_label", *BROUGHT, *TAUGHT}))
def test_every_method_classifies_images(drawn, new, method):
    model = Classifier(method, network="small_cnn", steps=12, evidence=False).fit(drawn.pixels, hidden(drawn.y))
    p = model.predict_proba(new.pixels)
    assert p.shape == (20, 2)
    np.testing.assert_allclose(p.sum(1), 1)
    assert model.history_[-1]["step"] == 12
    if METHODS[method].uses_pool:
        assert any("pool" in name or "mixed" in name for name in model.history_[-1])


@pytest.mark.parametrize("method", one_of_each(METHODS))
def test_every_method_segments_or_says_that_it_does_not(drawn, new, method):
    model = Segmenter(method, network=lambda: UNet(2, width=4, depth=2), steps=12, evidence=False)
    try:
        model.fit(drawn.pixels, some(drawn.masks))
    except ValueError as refusal:
        assert method in str(refusal)
        return
    np.testing.assert_allclose(model.predict_proba(new.pixels).sum(-1), 1)
    assert model.history_[-1]["step"] == 12
    if METHODS[method].uses_pool:
        assert any("pool" in term for term in model.history_[-1])


@pytest.mark.parametrize("grey", [False, True])
def test_a_classifier_learns_from_images(drawn, new, grey):
    x, t = (p[..., 0] if grey else p for p in (drawn.pixels, new.pixels))
    model = Classifier(network="small_cnn", **ENOUGH).fit(x, hidden(drawn.y))
    assert model.score(t, new.y) == (model.predict(t) == new.y).mean() > 0.8
    assert model.evidence_.labels == 12
    assert model.transduction_[:12].tolist() == drawn.y[:12].tolist()
    np.testing.assert_array_equal(model.transduction_[12:], model.predict(x[12:]))


@pytest.mark.parametrize("grey", [False, True])
def test_bytes_and_paths_and_arrays_of_the_same_pixels_give_the_same(drawn, new, given, grey):
    plain, tests = (p[..., 0] if grey else p for p in (drawn.pixels, new.pixels))
    x, t = given(plain), given(tests, "t")
    one, two, three = (Classifier(network="small_cnn", **QUICK) for _ in range(3))
    p = one.fit(x, hidden(drawn.y)).predict_proba(t)
    np.testing.assert_array_equal(two.fit(x[:12], drawn.y[:12], X_unlabelled=x[12:]).predict_proba(t), p)
    np.testing.assert_array_equal(three.fit(plain, hidden(drawn.y)).predict_proba(tests), p)


def linear():
    net = nn.Sequential(nn.Flatten(), nn.Linear(768, 2))
    nn.init.zeros_(net[1].weight)
    return net


@pytest.mark.parametrize("own", [linear(), lambda: linear()], ids=["module", "lambda"])  # noqa: PLW0108
def test_a_network_of_the_user_s_is_copied_and_trained_but_not_saved(drawn, new, tmp_path, own):
    before = own[1].weight.detach().clone() if isinstance(own, nn.Module) else None
    model = Classifier(network=own, **ENOUGH).fit(drawn.pixels, hidden(drawn.y))
    assert before is None or torch.equal(own[1].weight, before)
    assert model.score(new.pixels, new.y) > 0.9
    with pytest.raises(
        TypeError, match=r"Sequential cannot be saved, only pickled: .*; give network=functools.partial"
    ):
        model.save(tmp_path)


def test_a_network_that_a_function_of_a_file_makes_is_saved_by_its_name(drawn, new, tmp_path):
    model = Classifier(network=linear, **QUICK).fit(drawn.pixels, hidden(drawn.y))
    model.save(tmp_path)
    with pytest.raises(ValueError, match=r"test_image_estimators:linear.*trust=True"):
        load(tmp_path)
    p = load(tmp_path, trust=True).probabilities(new.pixels)
    np.testing.assert_array_equal(p, model.predict_proba(new.pixels))


@pytest.mark.parametrize("network", ["small_cnn", linear()])
def test_classifiers_are_pickled(drawn, network):
    model = Classifier(network=network, **QUICK).fit(drawn.pixels, hidden(drawn.y))
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(drawn.pixels), model.predict_proba(drawn.pixels))


@pytest.mark.parametrize("network", ["small_cnn", lambda: SmallCnn(2, width=4)])
def test_a_classifier_on_pixels_is_the_same_after_loading(drawn, new, tmp_path, network):
    model = Classifier(network=network, **QUICK).fit(drawn.pixels, hidden(drawn.y))
    model.save(tmp_path / "model")
    p = load(tmp_path / "model").probabilities(new.pixels)
    np.testing.assert_array_equal(p, model.predict_proba(new.pixels))


@pytest.mark.parametrize(
    ("settings", "change", "message"),
    [
        ({}, lambda x: x / 255, "uint8"),
        ({"network": "resnet"}, None, "network must be one of small_cnn, wide_resnet .*, got 'resnet'"),
        ({}, lambda x: x.reshape(30, -1).astype(float), "network='small_cnn' is not for rows .*uint8"),
        ({"network": None, "size": (32, 48)}, None, "size of efficientnet-lite0 must be a square"),
        (
            {"network": None, "encoder": "mpnet"},
            None,
            "encoder must be efficientnet-lite0 or .*got 'mpnet', .*for texts",
        ),
        ({"finetune": True}, None, "a network from nothing .small_cnn. is always trained whole"),
        ({"size": (4, 4)}, None, r"size must be .* in \[8, 4096\]"),
    ],
)
def test_what_does_not_fit_images_is_named(drawn, settings, change, message):
    model = Classifier(**QUICK | {"network": "small_cnn"} | settings)
    with pytest.raises(ValueError, match=message):
        model.fit(change(drawn.pixels) if change else drawn.pixels, hidden(drawn.y))


@pytest.mark.parametrize("known", [12, 20])
@pytest.mark.parametrize("kinds", ["other size", "array and bytes", "bytes and array"])
def test_a_pool_of_another_kind_is_refused_before_training(drawn, png, kinds, known):
    x, more = drawn.pixels[:20], drawn.pixels[20:]
    encoded = {"bytes and array": ([*map(png, x)], more), "array and bytes": (x, [*map(png, more)])}
    x, more = encoded.get(kinds, (x, more[:, :8]))
    with pytest.raises(ValueError, match=r"^X_unlabelled must be like X"):
        Classifier(network="small_cnn", **QUICK).fit(x, hidden(drawn.y[:20], known), X_unlabelled=more)


@pytest.mark.parametrize("kind", [Classifier, Segmenter])
def test_parameters_are_cloned(kind):
    own = {"network": linear, "size": (16, 20), "flip": False, "random_state": 3}
    own |= {"void": (7,), "classes": 4} if kind is Segmenter else {"encoder": "x"}
    made = clone(kind("dmt", **own)).get_params()
    assert {k: made[k] for k in own} == own


def test_a_strong_view_does_not_depend_on_what_is_encoded_with_it(reader, drawn, tmp_path):
    items = [item for seed in (0, 1) for item in reader.disturbed(drawn.pixels[:6], 0.2, seed)]
    rows = features(reader, items, tmp_path / "all").rows
    alone = torch.cat([features(reader, [item], tmp_path / f"{i}").rows for i, item in enumerate(items)])
    torch.testing.assert_close(alone, rows, rtol=1e-3, atol=1e-4)
    plain = features(reader, list(drawn.pixels[:6]), tmp_path / "all").rows
    assert min((rows[:6] - plain).abs().max(1)[0].min(), (rows[:6] - rows[6:]).abs().max(1)[0].min()) > 0.01


def test_strong_views_that_may_not_be_mirrored_are_not_taken_from_a_cache_of_mirrored_ones(reader, drawn, tmp_path):
    still = ImageReader(reader.backbone, flip=False)
    features(reader, reader.disturbed(drawn.pixels, 0.2, 0), tmp_path / "both")
    items = still.disturbed(drawn.pixels, 0.2, 0)
    both, own = (features(still, items, tmp_path / cache).rows for cache in ("both", "own"))
    torch.testing.assert_close(both, own)


def test_features_are_encoded_once_and_the_head_is_the_same_after_loading(reader, drawn, new, tmp_path, monkeypatch):
    encoded, rows = [], ImagePass.rows
    monkeypatch.setattr(ImagePass, "rows", lambda self, items: encoded.extend(items) or rows(self, items))
    settings = ENOUGH | {"method": "fixmatch", "size": (32, 32), "cache": str(tmp_path / "cache")}
    model = Classifier(**settings).fit(drawn.pixels, hidden(drawn.y))
    assert (len(encoded), sum(isinstance(item, Disturbed) for item in encoded)) == (30 + 2 * 18, 2 * 18)
    again = Classifier(**settings).fit(drawn.pixels, hidden(drawn.y))
    assert len(encoded) == 30 + 2 * 18
    assert model.score(new.pixels, new.y) > 0.7
    p = model.predict_proba(new.pixels)
    np.testing.assert_array_equal(again.predict_proba(new.pixels), p)
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(load(tmp_path / "model").probabilities(new.pixels), p)


@pytest.mark.parametrize("evidence", [False, True])  # with it, the linear model is returned
def test_a_backbone_trained_whole_is_the_same_after_loading(reader, drawn, new, tmp_path, evidence):
    settings = QUICK | {"steps": 2, "size": (32, 32), "evidence": evidence, "folds": 2, "repeats": 1}
    model = Classifier(finetune=True, **settings).fit(drawn.pixels, hidden(drawn.y))
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    if not evidence:
        pairs = zip(again.network.backbone.parameters(), reader.backbone.parameters(), strict=True)
        assert not any(torch.equal(a, b) for a, b in pairs)
    np.testing.assert_array_equal(again.probabilities(new.pixels), model.predict_proba(new.pixels))


@pytest.fixture(scope="module")
def segmenter(drawn):
    return Segmenter(**ENOUGH | {"steps": 48, "lr": 0.02}).fit(drawn.pixels, some(drawn.masks))


def test_a_segmenter_finds_what_is_easy_to_find(segmenter, new, tmp_path):
    p, guess = segmenter.predict_proba(new.pixels), segmenter.predict(new.pixels)
    assert p.shape == (20, 16, 16, 2)
    np.testing.assert_allclose(p.sum(-1), 1)
    np.testing.assert_array_equal(p.argmax(-1), guess)
    both, either = ([f(guess == c, new.masks == c).sum() for c in (0, 1)] for f in (np.logical_and, np.logical_or))
    assert 0.9 < segmenter.score(new.pixels, new.masks) == pytest.approx(np.divide(both, either).mean())
    assert segmenter.score(new.pixels, 1 - new.masks) < 0.1
    assert (segmenter.classes_.tolist(), segmenter.evidence_.labels) == ([0, 1], 12)
    segmenter.save(tmp_path / "model")
    np.testing.assert_array_equal(load(tmp_path / "model").probabilities(new.pixels), p.reshape(-1, 2))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(segmenter)).predict(new.pixels), guess)


def test_masks_as_bytes_and_paths_and_arrays_give_the_same(drawn, new, given):
    x, y, t, u = (given(a, n) for a, n in zip((drawn.pixels, drawn.masks, new.pixels, new.masks), "xytu", strict=True))
    one = Segmenter(**QUICK).fit(x, some(y))
    two = Segmenter(**QUICK).fit(drawn.pixels[:12], drawn.masks[:12], drawn.pixels[12:])
    np.testing.assert_array_equal(one.predict_proba(t), two.predict_proba(new.pixels))
    assert one.score(t, u) == two.score(new.pixels, new.masks)


@pytest.mark.parametrize("dtype", [np.int64, np.uint8])
def test_void_is_the_same_as_minus_one(drawn, dtype):
    unknown, void = drawn.masks.copy(), drawn.masks.astype(dtype)
    unknown[:, :4], void[:, :4] = -1, 255
    one = Segmenter(**QUICK).fit(drawn.pixels, some(unknown))
    two = Segmenter(void=(255,), **QUICK).fit(drawn.pixels, some(void))
    np.testing.assert_array_equal(one.predict_proba(drawn.pixels), two.predict_proba(drawn.pixels))
    assert one.score(drawn.pixels, unknown) == two.score(drawn.pixels, void)


def test_a_mask_of_nothing_but_minus_one_is_an_image_of_the_pool(drawn):
    one, two = (Segmenter(**QUICK).fit(drawn.pixels, f(drawn.masks)) for f in (hidden, some))
    np.testing.assert_array_equal(one.predict_proba(drawn.pixels), two.predict_proba(drawn.pixels))


def test_images_of_several_sizes_give_masks_as_large_as_they_are(squares, png):
    drawn = [squares(1, i, *size) for i, size in enumerate([(20, 33), (16, 24), (32, 16), (20, 33)])]
    x, y = [png(d.pixels[0]) for d in drawn], [d.masks[0] for d in drawn]
    model = Segmenter(**QUICK).fit(x, [*y[:3], None])
    assert [mask.shape for mask in model.predict(x)] == [mask.shape for mask in y]
    assert model.predict(x[:1] + x[3:]).shape == (2, 20, 33)
    assert model.predict_proba(x).shape == (4, 20, 28, 2)
    assert 0 <= model.score(x, y) <= 1


def test_a_segmenter_takes_a_network_of_the_user_s_but_does_not_save_it(drawn, tmp_path):
    model = Segmenter(network=lambda: nn.Conv2d(3, 2, 3, padding=1), **QUICK).fit(drawn.pixels, some(drawn.masks))
    assert model.predict(drawn.pixels).shape == (30, 16, 16)
    with pytest.raises(TypeError, match="Conv2d cannot be saved"):
        model.save(tmp_path)


@pytest.mark.parametrize(
    ("settings", "change", "message"),
    [
        ({}, lambda x, y: (x, [None, y[0], y[1][:8]]), r"y\[2\]: it is 8 x 16 pixels, high and wide"),
        ({"classes": 2}, lambda x, y: (x, [None, y[0], 5 * y[1]]), r"y\[2\]: value 5 on .* not from 0 to 1"),
        ({}, lambda x, y: (x, [None] * 3), "y: every mask is -1 or None"),
        ({"evidence": True}, lambda x, y: (x, [None, y[1], None]), "y: one image has a mask; give one"),
        ({}, lambda x, y: (x, y * 0), "y: only one class, '0'"),
        ({}, lambda x, y: (x, y[:2]), "X has 3 images, but y has 2 masks"),
        ({}, lambda x, y: (x / 255, y), "uint8"),
        ({}, lambda x, y: (x.transpose(0, 3, 1, 2), y), r"uint8 of shape \(n, h, w, 3\)"),
        ({"size": (8, 8)}, lambda x, y: (x, y), r"size must be .* in \[16, 4096\]"),
    ],
)  # fmt: skip
def test_what_does_not_fit_masks_is_named(drawn, settings, change, message):
    x, y = change(drawn.pixels[:3], drawn.masks[:3])
    with pytest.raises(ValueError, match=message):
        Segmenter(**QUICK | settings).fit(x, y)


@pytest.mark.parametrize(
    "fault", ["it is 8 x 16 pixels, high and wide, but its image is 16 x 16", "value 5 on .* is not from 0 to 1"]
)
def test_an_encoded_mask_that_does_not_fit_is_named_by_its_place_in_y(drawn, png, fault):
    wrong = 5 * drawn.masks[1] if fault.startswith("value") else drawn.masks[1][:8]
    with pytest.raises(ValueError, match=rf"y\[2\]: {fault}"):
        Segmenter(classes=2, **QUICK).fit(drawn.pixels[:3], [None, png(drawn.masks[0]), png(wrong)])


def test_a_score_needs_a_mask_for_each_image(segmenter, new):
    with pytest.raises(ValueError, match=r"20 images.* 19 masks"):
        segmenter.score(new.pixels, new.masks[:19])


@pytest.mark.parametrize("kind", [Classifier, Segmenter])
def test_a_pool_of_paths_is_decoded_a_batch_at_a_time(squares, png, tmp_path, monkeypatch, kind):
    drawn, lock, alive, peak, decode = squares(150, 0), Lock(), [], [0], images.decode
    paths = [tmp_path / f"{i}.png" for i in range(150)]
    for path, pixels in zip(paths, drawn.pixels, strict=True):
        path.write_bytes(png(pixels))

    def counted(*args):
        pixels = decode(*args)
        with lock:
            alive[:] = [kept for kept in alive if kept() is not None] + [weakref.ref(pixels)]
            peak[0] = max(peak[0], len(alive))
        return pixels

    monkeypatch.setattr(images, "decode", counted)
    monkeypatch.setattr(readers, "CACHE", 0)  # what stays decoded, whatever the pool
    monkeypatch.setattr("tutelage.train.prediction.UNITS_A_BATCH", 64 * 16)  # of 16 x 16 pixels as much as 16 tokens
    made = Classifier(network="small_cnn", **QUICK) if kind is Classifier else Segmenter(**QUICK)
    made.fit(paths, hidden(drawn.y) if kind is Classifier else some(drawn.masks)).predict(paths)
    assert 0 < peak[0] <= 64


def test_masks_of_other_habits_are_asked_about_and_settled(drawn, png):
    with pytest.raises(
        ValueError, match=r"^Question 1: y\[0\]: the masks hold only 0 and 255 .* To settle it: mask_values=\(0, 255\) "
    ):
        Segmenter(**QUICK).fit(drawn.pixels, some(255 * drawn.masks))
    plain = Segmenter(**QUICK).fit(drawn.pixels, some(drawn.masks))
    scaled = Segmenter(mask_values=[0, 255], **QUICK).fit(drawn.pixels, some(255 * drawn.masks))
    colours = np.array([[0, 0, 0], [200, 0, 0]], dtype=np.uint8)
    encoded = [png(colours[ids]) for ids in drawn.masks]
    coloured = Segmenter(mask_colours=["black", "#c80000"], **QUICK).fit(drawn.pixels, some(encoded))
    for model in (scaled, coloured):
        np.testing.assert_array_equal(model.predict(drawn.pixels[:2]), plain.predict(drawn.pixels[:2]))
    assert coloured.score(drawn.pixels[:4], encoded[:4]) == plain.score(drawn.pixels[:4], drawn.masks[:4])
    assert scaled.score(drawn.pixels[:4], 255 * drawn.masks[:4]) == plain.score(drawn.pixels[:4], drawn.masks[:4])


def test_what_is_made_of_masks_is_warned_of(drawn, png):
    grey = [png(np.repeat(ids[..., None], 3, -1)) for ids in drawn.masks]
    with pytest.warns(UserWarning, match="^12 of 12 masks of X are grey but stored in several channels"):
        Segmenter(**QUICK).fit(drawn.pixels, some(grey))
