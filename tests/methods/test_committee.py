"""The student of several teachers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tutelage.data import Features, Loader
from tutelage.game import Player
from tutelage.memory import Memory
from tutelage.methods import Committee
from tutelage.modalities.head import Head
from tutelage.tasks import Classification, Segmentation
from tutelage.train import Training, predict, train

TASK = Classification(3)


def loader(said: torch.Tensor) -> Loader:
    rows = torch.randn(len(said) + 6, 4, generator=torch.Generator().manual_seed(0))
    return Loader(Features(rows[:6]), torch.tensor([0, 1, 2, 0, 1, 2]), Features(rows[6:]), 6, len(said), seed=0)


def test_the_loss_by_hand():
    said = torch.softmax(torch.randn(5, 3, generator=torch.Generator().manual_seed(1)), -1)
    method, draws = Committee(("a", "b"), said, weight=2.0), loader(said)
    memory, batch = Memory(5), draws.batch(0, 0.0)
    memory.kept = method.remembers(draws, TASK)
    torch.manual_seed(0)
    head = Head(4, 3)
    terms = method.loss("student", batch, {"student": Player(head)}, TASK, memory).terms
    with torch.no_grad():
        log_q = [np.log(head(x).softmax(-1).numpy()) for x in (batch.unlabelled["weak"], batch.labelled["weak"])]
    expected = -2 * (said.numpy()[batch.unlabelled.index] * log_q[0]).sum(1).mean()
    assert terms["pool"].item() == pytest.approx(expected, rel=1e-5)
    assert terms["supervised"].item() == pytest.approx(-log_q[1][np.arange(6), batch.target].mean(), rel=1e-5)


def test_the_student_says_what_the_teachers_say_together():
    said = torch.eye(3)[torch.arange(60) % 3] * 0.6 + 0.4 / 3
    draws = loader(said)
    network = Head(4, 3, 64).standardise(draws.unlabelled.rows, per_feature=True)
    run = train(Committee(("a", "b"), said), TASK, network, draws, Training(steps=600, lr=1e-2, weight_decay=0.0))
    found = predict(run.seats["student"].module, TASK, draws.unlabelled).softmax(-1)
    assert (found - said).abs().mean() < 0.05


def test_pixels_are_refused():
    with pytest.raises(ValueError, match="committee remembers each unit"):
        Committee(("a",), torch.ones(2, 2)).settled(Segmentation(2))
