"""Mutual training: whose labels are learnt, when, and how much each counts."""

from __future__ import annotations

import gc
import re
import shutil

import numpy as np
import pytest
import torch

from tutelage.data import Features, Loader
from tutelage.files import BadFileError
from tutelage.memory import Memory
from tutelage.methods import Cbst, CurriculumLabelling, Dmt, Dst, MeanTeacher
from tutelage.modalities.head import Head
from tutelage.ops.labels import agreement
from tutelage.ops.thresholds import top_of_all, top_of_each_class
from tutelage.tasks import Classification, Segmentation
from tutelage.train import Training, predict, train

TASK = Classification(3)


def make(seed: int) -> Head:
    torch.manual_seed(seed)
    return Head(4, 3, 8)


@pytest.fixture(scope="module")
def loader():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 200)
    x = torch.tensor(rng.normal(size=(200, 4)) + 1.5 * np.eye(4)[y], dtype=torch.float32)
    return Loader(Features(x[:30]), torch.tensor(y[:30]), Features(x[30:]), 10, 20, seed=1)


def run(method, loader, steps=60, **changes):
    return train(method, TASK, make, loader, Training(steps=steps, lr=1e-2, seed=7), **changes)


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [  # published rows: w for exponents 1, 4 and 5
        ([0.7, 0.2, 0.1], [0.9, 0.05, 0.05], [0.7, 0.2401, 0.16807]),
        ([0.1, 0.8, 0.1], [0.7, 0.2, 0.1], [0, 0, 0]),
        ([0.1, 0.5, 0.4], [0.8, 0.1, 0.1], [0.1, 1e-4, 1e-5]),
        ([0.5, 0.4, 0.1], [0.2, 0.7, 0.1], [0.4, 0.0256, 0.01024]),
        ([0.6, 0.3, 0.1], [0.3, 0.6, 0.1], [0.3, 0.0081, 0.00243]),
    ],
)
def test_the_golden_table_of_weights(mine, theirs, expected):
    logits = torch.tensor([mine], dtype=torch.float64).log().requires_grad_()
    theirs = torch.tensor([theirs], dtype=torch.float64)
    found = [agreement(logits, theirs.argmax(1), theirs.max(1)[0], g, g) for g in (1.0, 4.0, 5.0)]
    assert [w.item() for w in found] == pytest.approx(expected, abs=1e-12)
    assert not any(w.requires_grad for w in found)


def test_without_weights_dmt_is_class_balanced_self_training_bit_for_bit(loader):
    plain = Dmt(gamma=0.0, partners="self", ranking="class", mixup=0.0)
    found = run(plain, loader).seats["student"].module.state_dict()
    expected = run(Cbst(), loader).seats["student"].module.state_dict()
    assert all(torch.equal(t, expected[n]) for n, t in found.items())
    other = run(Dst(mixup=0.0), loader).seats["student"].module.state_dict()
    assert not all(torch.equal(t, expected[n]) for n, t in other.items())


def test_labelled_examples_weigh_one_and_the_denominator_does_not_know_the_weights(loader):
    method, student = (
        Dmt(rounds=1, partners="self", mixup=0.0, grows=False),
        run(Dst(), loader, steps=6).seats["student"],
    )
    student.module.eval()
    memory, batch = Memory(170), loader.batch(0, 0.5)
    memory.round = 1
    memory.label.fill_(0)
    memory.confidence.fill_(0.9)
    memory.weight.fill_(1)
    terms = method.loss("student", batch, {"student": student}, TASK, memory).terms
    z, z_u = student(batch.labelled["weak"]), student(batch.unlabelled["weak"])
    on_y = torch.nn.functional.cross_entropy(z, batch.target, reduction="sum") / 30
    p = z_u.softmax(1)[:, 0]
    sure = z_u.softmax(1).max(1)
    w = torch.where((sure[1] == 0) | (sure[0] <= 0.9), p**4, 0)
    assert terms["supervised"].item() == pytest.approx(on_y.item(), rel=1e-6)
    assert terms["pool"].item() == pytest.approx((-(w * p.log()).sum() / 30).item(), rel=1e-6)


def test_mutual_partners_label_for_each_other_with_their_old_weights(loader):
    method, steps = Dmt(rounds=1, partners="mutual", mixup=0.0, ranking="class"), 20
    early = {}

    def keep(found):
        if found.step == steps // 2:  # the last step of round 0
            early.update({w: predict(p.module, TASK, loader.unlabelled) for w, p in found.seats.items()})
        return {}

    found = train(method, TASK, make, loader, Training(steps=steps, lr=1e-2, seed=7, records=steps), watch=keep)
    assert not torch.equal(early["student"], early["partner"])  # weights of their own
    for who, logits in early.items():
        assert torch.equal(found.memory.of[who].label.long(), logits.argmax(1))
    batch = loader.batch(15, 0.5)
    seats, memory = found.seats, found.memory
    before = {w: method.loss(w, batch, seats, TASK, memory).terms["pool"].item() for w in seats}
    memory.of["partner"].label.copy_((memory.of["partner"].label + 1) % 3)
    after = {w: method.loss(w, batch, seats, TASK, memory).terms["pool"].item() for w in seats}
    assert after["student"] != before["student"]
    assert after["partner"] == before["partner"]


def test_a_chain_begins_each_round_with_weights_of_its_own(loader):
    starts = []

    def counted(seed):
        starts.append(seed)
        return make(seed)

    train(CurriculumLabelling(rounds=2), TASK, counted, loader, Training(steps=9, seed=7))
    assert starts == [7, 8, 9]


def test_shares_kept():
    rng = np.random.default_rng(0)
    confidence, label = torch.tensor(rng.random(500)), torch.tensor(rng.integers(0, 4, 500))
    for share in (0.2, 0.6, 1.0):
        kept = top_of_each_class(confidence, label, share)
        for c in range(4):
            mine = label == c
            assert abs(kept[mine].sum().item() - share * mine.sum().item()) <= 1
            assert confidence[mine & (kept == 0)].max() <= confidence[mine & (kept > 0)].min() if share < 1 else True
        assert top_of_all(confidence, share).sum() == round(share * 500)


def test_what_dmt_leaves_open_follows_the_paper():
    pixels, images = Dmt().settled(Segmentation(3)), Dmt().settled(TASK)
    assert (pixels.partners, pixels.ranking, pixels.mixup) == ("mutual", "class", 0.0)
    assert (images.partners, images.ranking, images.mixup) == ("chain", "all", 0.75)
    assert Dmt(partners="self").settled(TASK).partners == "self"


def test_weights_of_wrong_labels_are_lower(loader):
    """With a quarter of the stored labels turned wrong, their mean weight is below that of the right ones."""
    student = run(Dst(mixup=0.0), loader, steps=200).seats["student"].module.eval()
    logits = predict(student, TASK, loader.unlabelled)
    label = logits.argmax(1)
    wrong = torch.arange(len(label)) % 4 == 0
    label = torch.where(wrong, (label + 1) % 3, label)
    w = agreement(logits, label, torch.full((len(label),), 0.9), 4.0, 4.0)
    assert w[wrong].mean() < 0.1 * w[~wrong].mean()


def test_stored_labels_of_a_large_pool_lie_in_files(tmp_path):
    memory = Memory(0, labellers=("student", "partner"))
    memory.keep_in_files(1000, tmp_path / "run.safetensors")
    memory.of["partner"].write(torch.tensor([3]), torch.tensor([2]), torch.ones(1), torch.ones(1))
    assert memory.tensors() == {}
    assert (tmp_path / "run.labels" / "partner" / "label").stat().st_size == 2000
    assert np.fromfile(tmp_path / "run.labels" / "partner" / "label", dtype=np.int16)[3] == 2
    assert memory.label.eq(-1).all() and len(memory.label) == 1000


def test_missing_files_of_labels_are_named(tmp_path):
    """A checkpoint of a later round without its labels would go on with none."""
    path = tmp_path / "run.safetensors"
    Memory(0).keep_in_files(10, path)
    path.touch()
    Memory(0).keep_in_files(10, path)
    label = tmp_path / "run.labels" / "student" / "label"
    label.unlink()
    with pytest.raises(BadFileError, match=re.escape(f"{label}: missing")):
        Memory(0).keep_in_files(10, path)
    shutil.rmtree(tmp_path / "run.labels")
    with pytest.raises(BadFileError, match=r"run\.labels: missing"):
        Memory(0).keep_in_files(10, path)


def test_damaged_labels_of_a_large_pool_are_found_and_made_again(tmp_path, loader, monkeypatch):
    monkeypatch.setattr("tutelage.memory.UNITS_IN_MEMORY", 10)
    path, training = tmp_path / "run.safetensors", Training(16, lr=1e-2, checkpoint_every=0.0)
    whole = train(Dst(), TASK, make, loader, training)

    def stop(step):
        if step == 11:  # the last checkpoint is of step 10, in the middle of a round
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(Dst(), TASK, make, loader, training, path=path, tick=stop)
    again = train(Dst(), TASK, make, loader, training, path=tmp_path / "copy.safetensors", tick=None)
    label = tmp_path / "run.labels" / "student" / "label"
    data = bytearray(label.read_bytes())
    data[0] ^= 1
    label.write_bytes(bytes(data))
    with pytest.warns(UserWarning, match=r"the labels beside it are damaged.* begins anew"):
        found = train(Dst(), TASK, make, loader, training, path=path)
    for other in (again, found):
        assert torch.equal(other.memory.label, whole.memory.label)


def test_a_disk_without_room_for_the_labels_is_said_before_they_are_written(tmp_path, monkeypatch):
    def full(number, start, size):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(OSError, match=r"No space left on device: .*label"):
        Memory(0).keep_in_files(1000, tmp_path / "run.safetensors")


def test_labels_in_files_without_a_checkpoint_are_removed_in_the_end(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    memory = Memory(0)
    memory.keep_in_files(10, None)
    assert len(list(tmp_path.glob("*/student/label"))) == 1
    del memory
    gc.collect()
    assert not list(tmp_path.iterdir())


def test_methods_without_stored_labels_keep_none_of_a_large_pool(loader, monkeypatch):
    monkeypatch.setattr("tutelage.memory.UNITS_IN_MEMORY", 10)
    found = train(MeanTeacher(), TASK, make, loader, Training(4, lr=1e-2))
    assert len(found.memory.label) == 0


@pytest.mark.parametrize("every", [0, 3600])
@pytest.mark.parametrize("stop", [16, 21, 24])
def test_a_run_with_labels_in_files_is_resumed_to_the_same_bits(loader, tmp_path, monkeypatch, stop, every):
    """With ``every`` of an hour, a checkpoint is taken only where a round's labels are about to be written over."""

    class CutError(Exception):
        pass

    def cut(step):
        if step == stop:
            raise CutError

    method = Dmt(rounds=2, partners="mutual", mixup=0.0)
    training = Training(30, lr=1e-2, seed=7, checkpoint_every=every)
    whole = train(method, TASK, make, loader, training)
    monkeypatch.setattr("tutelage.memory.UNITS_IN_MEMORY", 10)
    with pytest.raises(CutError):
        train(method, TASK, make, loader, training, path=tmp_path / "run", tick=cut)
    assert (tmp_path / "run.labels" / "partner" / "label").exists()
    again = train(method, TASK, make, loader, training, path=tmp_path / "run")
    for who, player in whole.seats.items():
        found = again.seats[who].module.state_dict()
        assert all(torch.equal(t, found[n]) for n, t in player.module.state_dict().items())
        assert torch.equal(again.memory.of[who].label, whole.memory.of[who].label)
