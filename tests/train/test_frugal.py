"""A training that is spared memory learns what the plain one learns; narrow and compiled ones nearly so."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest
import torch
from torch import nn
from transformers import BertConfig, BertModel

from tutelage.data import Loader, Tokens, WordFeatures
from tutelage.data.view_loader import ViewLoader
from tutelage.game import Ahead, Called, Implicit, Player, Unrolled, Way
from tutelage.methods import Drift, FixMatch, MeanTeacher, MetaPseudoLabels, SelfTraining, Supervised
from tutelage.modalities.head import Head
from tutelage.modalities.images.examples import Images, SegmentImages
from tutelage.modalities.images.networks import SmallCnn, UNet
from tutelage.modalities.text.network import TextClassifier
from tutelage.tasks import Classification, Segmentation, Tagging
from tutelage.train import Member, Training, frugal, train, train_together
from tutelage.train.compiling import why_uncompiled
from tutelage.types import View

TASK = Classification(3)
FAR = 2e-6
"""Largest difference of a weight, after a few steps, between trainings in parts and on whole batches; found: 2e-7."""


@pytest.fixture(scope="module")
def transformer():
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=100, hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=32, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    return TextClassifier(BertModel(config), 3, dropout=0.0)


@pytest.fixture(scope="module")
def loader():
    """Texts of other lengths each; two labels are unknown."""
    rng = np.random.default_rng(0)
    ids = [rng.integers(1, 100, n).tolist() for n in rng.integers(4, 20, 60)]
    y = torch.arange(20) % 3
    y[[3, 9]] = -1
    return Loader(Tokens(ids[:20]), y, Tokens(ids), 7, 15, 0, strong=[Tokens([row[:-1] for row in ids])])


def student(method, network, loader, task=TASK, **options):
    run = train(method, task, network, loader, Training(**({"steps": 4, "lr": 1e-3, "records": 2} | options)))
    return run.seats["student"].module.state_dict(), run


def far(one, other):
    return max(float((t - other[n]).abs().max()) for n, t in one.items())


METHODS = [
    Supervised(), MeanTeacher(), Drift(), Drift(response=Unrolled(2, 0.1)), Drift(response=Ahead(2, 0.1)),
    Drift(response=Implicit(1, 0.1, "cg", 2, 0.1)), MetaPseudoLabels(), FixMatch(threshold=0.1), SelfTraining(rounds=1),
]  # fmt: skip


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_parts_of_a_batch_give_what_the_whole_batch_gives(method, transformer, loader):
    plain, run = student(method, transformer, loader)
    parted, other = student(method, transformer, loader, accumulate=3)
    assert far(plain, parted) < FAR
    assert far(plain, transformer.state_dict()) > 100 * FAR
    for point, same in zip(run.history, other.history, strict=True):
        assert point == pytest.approx(same, rel=1e-4, abs=1e-6)
    for name, kept in run.memory.tensors().items():
        assert torch.allclose(kept.double(), other.memory.tensors()[name].double(), atol=1e-5), name


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_activations_that_are_computed_again_give_the_same_bits(method, transformer, loader):
    plain, run = student(method, transformer, loader)
    spared, other = student(method, transformer, loader, checkpoint_activations=True)
    assert far(plain, spared) < 1e-7
    assert run.history[-1] == pytest.approx(other.history[-1], rel=1e-6)


def test_dropout_is_drawn_once_where_activations_are_computed_again(transformer, loader):
    net = copy.deepcopy(transformer)
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.3
    plain, spared = (student(Drift(), net, loader, checkpoint_activations=on)[0] for on in (False, True))
    assert far(plain, spared) < 1e-7


def bytes_held(network, inputs, way):
    """Bytes of the tensors that a forward pass keeps for the backward pass."""
    held = {}

    def pack(tensor):
        held[tensor.data_ptr()] = tensor.numel() * tensor.element_size()
        return tensor

    player = Called(copy.deepcopy(network), way)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        kept = player(inputs)
    own = {p.data_ptr() for p in player.module.parameters()}
    assert kept.requires_grad
    return sum(size for at, size in held.items() if at not in own)


def test_fewer_activations_are_held_where_they_are_computed_again(transformer):
    inputs = Tokens([[5] * 20] * 16).take(np.arange(16))
    plain, spared = (bytes_held(transformer, inputs, Way(recompute=on)) for on in (False, True))
    assert spared < plain / 2


def images(count):
    return np.random.default_rng(0).integers(0, 255, (count, 16, 16, 3), dtype=np.uint8)


def turned(pixels, seed):
    """A view that a seed draws of each image: noise, which moves nothing."""
    noise = torch.rand(pixels.shape, generator=torch.Generator().manual_seed(seed))
    return View((pixels + 0.1 * noise).clamp(0, 1), torch.eye(3).expand(len(pixels), 3, 3))


@pytest.fixture
def pictures():
    x, views = images(20), {"weak": turned, "strong": turned}
    return ViewLoader(Images(x[:8], (16, 16)), torch.arange(8) % 3, Images(x, (16, 16)), 5, 9, 0, views=views)


def test_running_statistics_are_counted_once(pictures):
    net = SmallCnn(3, width=4, dropout=0.0)
    plain, spared = (student(FixMatch(), net, pictures, checkpoint_activations=on)[0] for on in (False, True))
    assert any("running_mean" in name for name in plain)
    assert far(plain, spared) < 1e-7


def test_views_of_a_part_are_those_of_the_batch(pictures):
    whole = pictures.batch(2, 0.5)
    parts = pictures.parts(whole, 2, 4)
    assert [len(part.unlabelled) for part in parts] == [3, 2, 2, 2]
    for name in ("weak", "strong"):
        assert torch.equal(torch.cat([part.unlabelled[name] for part in parts]), whole.unlabelled[name])
    assert torch.equal(torch.cat([part.labelled["weak"] for part in parts]), whole.labelled["weak"])
    assert torch.equal(torch.cat([part.target for part in parts]), whole.target)
    net = SmallCnn(3, width=4, dropout=0.0, norm="group")
    plain, parted = (student(FixMatch(threshold=0.1), net, pictures, accumulate=n)[0] for n in (1, 4))
    assert far(plain, parted) < FAR


def test_pixels_are_parted_by_their_images(pictures):
    task, target = Segmentation(3), torch.randint(3, (8 * 256,), generator=torch.Generator().manual_seed(1))
    labelled, pool = (SegmentImages(images(count), (16, 16)) for count in (8, 20))
    loader = dataclasses.replace(pictures, target=target, labelled=labelled, unlabelled=pool)
    net = UNet(3, width=4, depth=1)
    plain, parted = (student(MeanTeacher(), net, loader, task, accumulate=n)[0] for n in (1, 2))
    assert far(plain, parted) < FAR


def test_words_are_parted_by_their_sentences():
    rows, sizes = torch.randn(60, 6, generator=torch.Generator().manual_seed(0)), np.array([4, 1, 7, 3, 5, 2, 8])
    words, task = WordFeatures(rows[:30], sizes), Tagging(3, ("O", "B-X", "I-X"))
    loader = Loader(words, torch.arange(30) % 3, words, 5, 6, 0)
    net = Head(6, 3, 8, 0.0)
    plain, parted = (student(MeanTeacher(), net, loader, task, accumulate=n)[0] for n in (1, 3))
    assert far(plain, parted) < FAR
    whole = loader.batch(3, 0.0)
    assert torch.equal(torch.cat([part.labelled.index for part in loader.parts(whole, 3, 3)]), whole.labelled.index)


def test_more_parts_than_examples_are_as_many_as_examples(transformer, loader):
    few = dataclasses.replace(loader, batch_labelled=2)
    assert len(few.parts(few.batch(0, 0.0), 0, 99)) == 2
    plain, parted = (student(MeanTeacher(), transformer, few, accumulate=n)[0] for n in (1, 99))
    assert far(plain, parted) < FAR


@pytest.mark.parametrize("options", [{"accumulate": 2}, {"amp": "bfloat16", "checkpoint_activations": True}])
def test_a_run_that_is_cut_off_resumes_to_the_same_bits(options, transformer, loader, tmp_path):
    class CutError(Exception):
        pass

    def cut(step):
        if step == 5:
            raise CutError

    training = Training(steps=8, lr=1e-3, checkpoint_every=0, **options)
    whole = train(Drift(), TASK, transformer, loader, training)
    with pytest.raises(CutError):
        train(Drift(), TASK, transformer, loader, training, path=tmp_path / "run", tick=cut)
    again = train(Drift(), TASK, transformer, loader, training, path=tmp_path / "run")
    assert all(torch.equal(t, again.tensors()[n]) for n, t in whole.tensors().items())


def test_bfloat16_computes_near_to_float32_and_gives_float32(transformer, loader):
    inputs = loader.batch(0, 0.0).unlabelled["weak"]
    plain, narrow = Player(transformer), Called(transformer, Way(torch.bfloat16))
    (z, rows), (near, near_rows) = plain.represent(inputs), narrow.represent(inputs)
    assert near.dtype == near_rows.dtype == torch.float32
    assert 0 < (near - z).abs().max() < 0.05
    assert (near_rows - rows).abs().max() < 0.05
    state, run = student(Drift(), transformer, loader, amp="bfloat16")
    assert all(t.dtype == torch.float32 for t in state.values() if t.is_floating_point())
    assert far(state, student(Drift(), transformer, loader)[0]) < 0.01
    assert run.history[-1]["anticipating"] > 0


def test_without_a_compiler_it_is_said_and_the_training_is_the_plain_one(transformer, loader, monkeypatch):
    monkeypatch.setattr(frugal, "why_uncompiled", lambda: "there is no g++")
    with pytest.warns(UserWarning, match=r"Networks are not compiled: there is no g\+\+"):
        spared, _ = student(Drift(), transformer, loader, compile=True)
    assert far(spared, student(Drift(), transformer, loader)[0]) == 0


def test_nothing_is_compiled_where_gradients_are_differentiated_again(transformer, loader, monkeypatch):
    monkeypatch.setattr(frugal, "why_uncompiled", lambda: "")
    with pytest.warns(UserWarning, match="meta_pseudo_labels differentiates gradients again"):
        spared, _ = student(MetaPseudoLabels(), transformer, loader, compile=True)
    assert far(spared, student(MetaPseudoLabels(), transformer, loader)[0]) == 0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_compiled_blocks_compute_nearly_the_same(transformer, loader):
    if why_uncompiled():
        pytest.skip(why_uncompiled())
    for method in (MeanTeacher(), Drift()):
        plain, compiled = (student(method, transformer, loader, compile=on)[0] for on in (False, True))
        assert 0 < far(plain, compiled) < 1e-4


def test_a_compiler_that_fails_is_named(monkeypatch):
    def broken(function):
        raise RuntimeError("no\ncompiler")

    monkeypatch.setattr(torch, "compile", broken)
    why_uncompiled.cache_clear()
    assert why_uncompiled() == "torch.compile fails on this machine (RuntimeError: no compiler)"
    why_uncompiled.cache_clear()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"accumulate": 0}, "accumulate must be at least 1, got 0"),
        ({"amp": "half"}, "amp must be one of float32, bfloat16, got 'half'"),
        ({"compile": True, "checkpoint_activations": True}, "give compile or checkpoint_activations, not both"),
    ],
)
def test_what_a_training_cannot_be_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        Training(**options)


def test_trainings_that_are_done_together_are_plain(loader):
    members = [Member(Head(4, 3), loader, seed) for seed in range(2)]
    with pytest.raises(ValueError, match="done together go through whole batches in float32"):
        train_together(Drift(), TASK, members, Training(accumulate=2))
