"""Distillation: the divergences against enumeration, a silent teacher, temperature, and the surest of each class."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from tutelage.data import Features, Loader
from tutelage.methods import Committee, Distil, Supervised
from tutelage.methods.distil import DIVERGENCES, surest
from tutelage.modalities.head import Head
from tutelage.ops.losses import jensen_shannon, reverse_kl
from tutelage.tasks import Classification
from tutelage.train import Training, train

TASK = Classification(3)


def logits(seed, n=7):
    return torch.randn(n, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def loader(said, labels=6, pool=20):
    draw = torch.Generator().manual_seed(0)
    labelled, rows = torch.randn(labels, 4, generator=draw), torch.randn(pool, 4, generator=draw)
    return Loader(Features(labelled), torch.arange(labels) % 3, Features(rows), 4, 8, 0, said=said)


def trained(method, said, steps=12, **changes):
    network = Head(4, 3)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        network.layers[-1].reset_parameters()
    run = train(method, TASK, network, loader(said), Training(steps=steps, lr=1e-2, **changes))
    return run.seats["student"].module


def kl_by_hand(p, q):
    return np.array([sum(a * math.log(a / b) for a, b in zip(x, y, strict=True)) for x, y in zip(p, q, strict=True)])


@pytest.mark.parametrize("name", DIVERGENCES)
def test_a_divergence_is_the_sum_over_the_classes(name):
    target, z = logits(0).log_softmax(-1), logits(1)
    p, q = target.exp().numpy(), z.softmax(-1).numpy()
    middle = (p + q) / 2
    expected = {
        "ce": kl_by_hand(p, q) - (p * np.log(p)).sum(1), "kl": kl_by_hand(p, q), "reverse_kl": kl_by_hand(q, p),
        "js": (kl_by_hand(p, middle) + kl_by_hand(q, middle)) / 2,
    }[name]  # fmt: skip
    np.testing.assert_allclose(DIVERGENCES[name](target, z).numpy(), expected, atol=1e-12)


def test_cross_entropy_and_kl_have_one_gradient():
    target, grads = logits(0).log_softmax(-1), []
    for name in ("ce", "kl"):
        z = logits(1).requires_grad_()
        DIVERGENCES[name](target, z).sum().backward()
        grads.append(z.grad)
    torch.testing.assert_close(*grads, atol=1e-12, rtol=0)


def test_jensen_shannon_is_symmetric_and_at_most_log_2():
    a, b = logits(0), logits(1)
    here = jensen_shannon(a.log_softmax(-1), b)
    torch.testing.assert_close(here, jensen_shannon(b.log_softmax(-1), a), atol=1e-12, rtol=0)
    assert (here > 0).all()
    apart = torch.tensor([[200.0, 0.0, 0.0]]), torch.tensor([[0.0, 200.0, 0.0]])
    assert jensen_shannon(apart[0].log_softmax(-1), apart[1]).item() == pytest.approx(math.log(2), abs=1e-6)


def test_reverse_kl_weighs_by_the_prediction():
    """A prediction sure of what the target excludes costs much; a target that the prediction misses costs little."""
    target = torch.tensor([[0.5, 0.5, 1e-6]]).log()
    sure = torch.tensor([[0.0, 0.0, 9.0]]), torch.tensor([[9.0, 0.0, 0.0]])
    assert reverse_kl(target, sure[0]).item() > 10
    assert reverse_kl(target, sure[1]).item() < 1


def test_a_silent_teacher_is_no_teacher_bit_for_bit():
    silent = torch.full((20, 3), torch.nan)
    here, there = trained(Distil(), silent), trained(Supervised(), None)
    assert all(torch.equal(t, there.state_dict()[n]) for n, t in here.state_dict().items())


def test_a_teacher_that_speaks_is_learnt():
    said = torch.zeros(20, 3)
    said[:, 2] = 1.0
    student = trained(Distil(weight=50.0), said, steps=200)
    assert (student(loader(said).unlabelled.rows).argmax(-1) == 2).all()


def test_with_soft_labels_it_is_the_committee():
    said = logits(3, 20).softmax(-1).float()
    here, there = trained(Distil(weight=3.0), said), trained(Committee(("a",), said), None)
    for name, t in here.state_dict().items():
        torch.testing.assert_close(t, there.state_dict()[name], atol=1e-5, rtol=0)


def test_a_low_temperature_makes_the_answers_hard():
    said = torch.tensor([[0.6, 0.3, 0.1], [torch.nan] * 3])
    kept = Distil(temperature=0.01).remembers(loader(said, pool=2), TASK)
    assert kept["said"][0].tolist() == pytest.approx([1.0, 0.0, 0.0], abs=1e-6)
    assert kept["counts"].tolist() == [1.0, 0.0]
    same = Distil().remembers(loader(said, pool=2), TASK)["said"][0]
    torch.testing.assert_close(same, said[0], atol=1e-6, rtol=0)


def test_the_surest_of_each_class_count_and_no_silent_one():
    said = torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.45, 0.55], [torch.nan, torch.nan]])
    assert surest(said, 2).tolist() == [1.0, 1.0, 0.0, 1.0, 0.0]


def test_without_a_teacher_it_says_what_to_bring():
    with pytest.raises(ValueError, match="none was brought: describe the classes"):
        trained(Distil(), None)
