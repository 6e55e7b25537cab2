import dataclasses

import numpy as np
import pytest
import torch

from tutelage.adapting import run as adapting
from tutelage.adapting.contrastive import pairs
from tutelage.adapting.how import Adapting
from tutelage.adapting.run import adapted, kept, learnt, seconds
from tutelage.fit.setup import FolderStore
from tutelage.modalities import units
from tutelage.modalities.base import features
from tutelage.modalities.encoder import load_encoder, save_encoder
from tutelage.modalities.head import Head
from tutelage.modalities.sentences.reader import WordReader
from tutelage.modalities.text.reader import TextReader
from tutelage.model import Model, load, save
from tutelage.ops.bfloat16 import multiplies_bfloat16
from tutelage.tasks import Classification, Tagging

HOW = Adapting(steps=12, lr=3e-3, batch=16, fast=False)
TAGS = Tagging(3, ("O", "B-x", "I-x"))


@pytest.fixture(scope="module")
def texts(encoder_folder):
    reader = TextReader(load_encoder(str(encoder_folder), 16))
    words = (encoder_folder / "vocab.txt").read_text().split()[5:]
    draws = np.random.default_rng(0)
    y = np.tile([0, 1, 2], 8)
    items = [" ".join([words[k], *draws.choice(words, 4)]) for k in y]
    return reader, items, y


@pytest.fixture(scope="module")
def sentences(encoder_folder, texts):
    _, items, y = texts
    said = [text.split() for text in items]
    tags = np.concatenate([[1 + (k > 0), *[0] * (len(s) - 1)] for s, k in zip(said, y, strict=True)])
    return WordReader(load_encoder(str(encoder_folder), 16)), said, tags


def rows(reader, items, tmp_path):
    return features(reader, items, tmp_path / "cache").rows


def test_no_steps_leave_the_encoder_bit_for_bit(texts, tmp_path):
    reader, items, y = texts
    same = adapted(reader, items, y, Classification(3), dataclasses.replace(HOW, steps=0))
    assert same.encoder.fingerprint == reader.encoder.fingerprint
    assert torch.equal(rows(same, items, tmp_path / "a"), rows(reader, items, tmp_path / "b"))
    assert same.says == reader.says


@pytest.mark.parametrize("which", ["texts", "sentences"])
def test_the_network_gives_the_frozen_features(which, request, tmp_path):
    reader, items, _ = request.getfixturevalue(which)
    network = reader.units().eval()
    with torch.no_grad():
        found = network(**reader.examples(items).take(np.arange(len(items))))
    assert torch.allclose(found, rows(reader, items, tmp_path), atol=1e-6)


@pytest.mark.parametrize(("which", "task"), [("texts", Classification(3)), ("sentences", TAGS)])
def test_the_loss_on_the_adapted_features_is_lower(which, task, request, tmp_path):
    reader, items, y = request.getfixturevalue(which)
    before = reader.encoder.fingerprint
    after = adapted(reader, items, y, task, HOW)
    assert load_encoder(reader.encoder.name, 16).fingerprint == before == reader.encoder.fingerprint
    losses = [
        float(sum(pairs(rows(r, items, tmp_path / str(i)), torch.as_tensor(y)))) for i, r in enumerate((reader, after))
    ]
    assert losses[1] < 0.9 * losses[0]
    assert after.says == f"{reader.encoder.name}, adapted"
    assert not after.encoder.model.training


def test_only_layers_above_the_frozen_ones_move(texts):
    reader, items, y = texts
    moved = learnt(reader, items, y, Classification(3), dataclasses.replace(HOW, frozen_layers=1))
    assert moved
    assert all(name.startswith("encoder.layer.1.") for name in moved)


def test_words_move_the_layers_below_their_own_states(sentences):
    reader, items, y = sentences
    assert all(name.startswith("encoder.layer.0.") for name in learnt(reader, items, y, TAGS, HOW))


def test_no_layer_left_to_train_is_refused(texts):
    reader, items, y = texts
    with pytest.raises(ValueError, match="frozen_layers must be below 2, the number of layers, got 2"):
        adapted(reader, items, y, Classification(3), dataclasses.replace(HOW, frozen_layers=2))


def test_labels_of_one_class_are_refused(texts):
    reader, items, _ = texts
    with pytest.raises(ValueError, match="at least two classes"):
        adapted(reader, items, np.zeros(len(items), dtype=int), Classification(3), HOW)


def test_a_stopped_adaptation_goes_on_to_the_same_bits(texts, tmp_path, monkeypatch):
    reader, items, y = texts
    whole = learnt(reader, items, y, Classification(3), HOW, seed=3)
    monkeypatch.setattr(adapting, "CHECKPOINT_SECONDS", 0)

    def stop(what, done, total):
        if done == 7:
            raise KeyboardInterrupt

    path = tmp_path / "unfinished"
    with pytest.raises(KeyboardInterrupt):
        learnt(reader, items, y, Classification(3), HOW, seed=3, path=path, tick=stop)
    assert path.exists()
    done = []
    again = learnt(reader, items, y, Classification(3), HOW, seed=3, path=path, tick=lambda *a: done.append(a[1]))
    assert done[0] in (7, 8)
    assert whole.keys() == again.keys()
    assert all(torch.equal(whole[n], again[n]) for n in whole)


def test_weights_that_a_store_keeps_make_the_same_reader(texts, tmp_path):
    reader, items, y = texts
    store = FolderStore(tmp_path)

    def compute(path):
        return learnt(reader, items, y, Classification(3), HOW, path=path), None

    first, again = (kept(reader, store.once("adapted", compute)[0], HOW, items) for _ in range(2))
    assert first.encoder.fingerprint == again.encoder.fingerprint != reader.encoder.fingerprint
    assert (first.seen(items), first.seen(["another text"]), reader.seen(items)) == (24, 0, 0)


def test_the_time_is_that_of_all_steps(texts):
    reader, items, y = texts
    assert 0 < seconds(reader, items, y, Classification(3), HOW) < 60
    assert seconds(reader, items, y, Classification(3), dataclasses.replace(HOW, steps=0)) == 0


def test_bfloat16_gives_nearly_the_same_features(texts):
    reader, items, _ = texts
    inputs = reader.examples(items).take(np.arange(len(items)))
    with torch.no_grad():
        exact, fast = (reader.units(on).eval()(**inputs) for on in (False, True))
    assert exact.dtype == fast.dtype == torch.float32
    assert 0 < (exact - fast).abs().max() < 0.05
    assert isinstance(multiplies_bfloat16(torch.device("cpu")), bool)


@pytest.mark.parametrize("which", ["texts", "sentences"])
def test_rows_passed_in_groups_give_the_same_features_and_gradients(which, request, monkeypatch):
    reader, items, _ = request.getfixturevalue(which)
    items = [item[: 2 + 5 * i] for i, item in enumerate(items)]  # of many lengths
    inputs, grads = reader.examples(items).take(np.arange(len(items))), []
    for groups in (1, 3):
        monkeypatch.setattr(units, "GROUPS", groups)
        network = reader.units().eval()
        features = network(**inputs)
        features.square().mul(torch.arange(len(features))[:, None]).sum().backward()
        grads.append([features, *(p.grad for p in network.parameters() if p.grad is not None)])
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(*grads, strict=True))


def test_other_devices_are_not_taken_for_the_processor():
    assert not multiplies_bfloat16(torch.device("meta"))


def test_a_saved_encoder_is_read_again_to_the_same_bits(texts, tmp_path):
    from transformers import AutoModel

    reader, items, y = texts
    after = adapted(reader, items, y, Classification(3), HOW)
    save_encoder(after.encoder, tmp_path / "encoder")
    again = load_encoder(str(tmp_path / "encoder"), 16)
    assert again.fingerprint == after.encoder.fingerprint
    assert (again.name, again.adapted) == (reader.encoder.name, "contrastive, 12 steps")
    twice = adapted(TextReader(again), items, y, Classification(3), HOW)
    assert twice.encoder.adapted == "contrastive, 12 steps; contrastive, 12 steps"
    plain = AutoModel.from_pretrained(tmp_path / "encoder").state_dict()
    assert all(torch.equal(plain[n], t) for n, t in after.encoder.model.state_dict().items())


@pytest.mark.parametrize("network", ["head", "whole"])
def test_a_model_on_an_adapted_encoder_is_loaded_to_the_same_bits(texts, tmp_path, network):
    reader, items, y = texts
    after = adapted(reader, items, y, Classification(3), HOW)
    torch.manual_seed(0)
    made = Head(16, 3) if network == "head" else after.network(3)
    model = Model(["a", "b", "c"], made.eval(), after, Classification(3))
    save(model, tmp_path / "model")
    again = load(tmp_path / "model")
    assert np.array_equal(model.probabilities(items), again.probabilities(items))
    if network == "head":
        assert again.reader.says == f"{reader.encoder.name}, adapted"
    encoder = load_encoder(str(tmp_path), 16)  # the folder of a run holds the folder "model"
    assert encoder.fingerprint == after.encoder.fingerprint
    assert encoder.name == reader.encoder.name
    assert encoder.adapted == ("contrastive, 12 steps" if network == "head" else "trained whole")


def test_a_model_on_a_frozen_encoder_lends_that_encoder(texts, tmp_path):
    reader, _, _ = texts
    save(Model(["a", "b"], Head(16, 2), reader, Classification(2)), tmp_path)
    assert load_encoder(str(tmp_path), 16).fingerprint == reader.encoder.fingerprint
    assert not (tmp_path / "encoder").exists()


@pytest.mark.slow
def test_minilm_adapted_to_few_labels_tells_questions_apart(tmp_path):
    """Kinds of questions are no topics: the frozen encoder knows them poorly, and few labels teach it."""
    from sklearn.linear_model import LogisticRegression

    people = ("wrote", "painted", "founded", "sang", "built", "discovered")
    places, dates = (
        ("Paris", "Rome", "Oslo", "Lima", "Cairo", "Delhi"),
        ("end", "begin", "fall", "rise", "open", "close"),
    )
    asked = [(f"Who {v} the old {n} of {p}?", 0) for v, p in zip(people, places, strict=True) for n in ("song", "hall")]
    asked += [(f"Where is the old {n} of {p}?", 1) for p in places for n in ("song", "hall")]
    asked += [
        (f"When did the old {n} of {p} {d}?", 2) for d, p in zip(dates, places, strict=True) for n in ("song", "hall")
    ]
    items, y = [text for text, _ in asked], np.array([k for _, k in asked])
    learn = np.isin(np.arange(36) % 12, (0, 1, 2, 3))
    known = [items[i] for i in np.flatnonzero(learn)]
    reader = TextReader(load_encoder())
    after = adapted(reader, known, y[learn], Classification(3), Adapting())
    right = []
    for i, r in enumerate((reader, after)):
        x = rows(r, items, tmp_path / str(i)).numpy()
        right.append(LogisticRegression(C=10).fit(x[learn], y[learn]).score(x[~learn], y[~learn]))
    assert right[1] >= right[0]
    assert right[1] > 0.95
