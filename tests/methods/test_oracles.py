"""Each method's loss against the equations of its paper, written again in numpy."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax
from torch import nn

from tutelage.data import Features, Loader
from tutelage.game import Player
from tutelage.memory import Memory
from tutelage.methods import Bond, Cbst, Cosine, CurriculumLabelling, Dst, FixMatch, Uda, Vat
from tutelage.tasks import Classification
from tutelage.train import Training, train
from tutelage.types import Batch, Views

C, N = 3, 12
RNG = np.random.default_rng(0)
X_L, X_U, X_S = RNG.normal(size=(5, 4)), RNG.normal(size=(N, 4)), RNG.normal(size=(N, 4))
Y = np.array([0, 2, 1, -1, 0])


pytestmark = pytest.mark.usefixtures("double_precision")


class Net(nn.Module):
    def __init__(self, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.body, self.head = nn.Linear(4, 6), nn.Linear(6, C)
        with torch.no_grad():
            self.head.weight.mul_(3)  # some predictions sure, some not

    def forward(self, x):
        return self.head(torch.tanh(self.body(x)))


def numbers(net: Net, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Features and logits."""
    w = {n: p.detach().numpy() for n, p in net.named_parameters()}
    v = np.tanh(x @ w["body.weight"].T + w["body.bias"])
    return v, v @ w["head.weight"].T + w["head.bias"]


STUDENT, TEACHER = 1, 2


def batch_of(progress=1.0, labelled=True):
    at = {"weak": torch.tensor(X_L)} if labelled else {}
    return Batch(
        Views(at, torch.arange(5 if labelled else 0)),
        torch.tensor(Y if labelled else Y[:0]),
        Views({"weak": torch.tensor(X_U), "strong": torch.tensor(X_S)}, torch.arange(N)),
        progress,
    )


def terms(method, round_number=1, progress=1.0, labelled=True):
    memory = Memory(N)
    memory.round = round_number
    play = {"student": Player(Net(STUDENT)), "teacher": Player(Net(TEACHER))}
    return method.loss("student", batch_of(progress, labelled), play, Classification(C), memory), play


def supervised(n: float = len(Y)) -> float:
    q = log_softmax(numbers(Net(STUDENT), X_L)[1], axis=1)
    return -sum(q[i, y] for i, y in enumerate(Y) if y >= 0) / n


def frequency_labels() -> tuple[np.ndarray, np.ndarray]:
    p = softmax(numbers(Net(TEACHER), X_U)[1], axis=1)
    y = p**2 / p.sum(0)
    return p, y / y.sum(1, keepdims=True)


def kl(y: np.ndarray, z: np.ndarray) -> np.ndarray:
    return (y * (np.log(y) - log_softmax(z, axis=1))).sum(1)


@pytest.mark.parametrize("entropy_by", ["classes", "batch"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("contrast_on", ["student", "teacher"])
def test_cosine(entropy_by, reduction, contrast_on):
    method = Cosine(
        threshold=0.1, confidence=0.3, contrastive=1.0, margin=0.8,
        entropy_by=entropy_by, reduction=reduction, contrast_on=contrast_on,
    )  # fmt: skip
    found, play = terms(method)
    p, y = frequency_labels()
    w = 1 + (p * np.log(p)).sum(1) / np.log(C if entropy_by == "classes" else N)
    kept = w >= 0.1
    assert 2 <= kept.sum() < N or entropy_by == "batch"
    v, z = numbers(Net(STUDENT), X_U)
    if contrast_on == "teacher":
        v, _ = numbers(Net(TEACHER), X_U)
    total = N if reduction == "mean" else 1
    pairs = []
    for i in np.flatnonzero(kept):
        for j in np.flatnonzero(kept):
            if i != j:
                d = 1 - v[i] @ v[j] / np.linalg.norm(v[i]) / np.linalg.norm(v[j])
                pairs.append(d**2 if y[i].argmax() == y[j].argmax() else max(0, 0.8 - d) ** 2)
    got = {k: t.item() for k, t in found.terms.items()}
    assert got["supervised"] == pytest.approx(supervised())
    assert got["pool"] == pytest.approx((w * kl(y, z))[kept].sum() / total)
    assert got["contrastive"] == pytest.approx(np.mean(pairs))
    uniform = np.full_like(z, 1 / C)
    assert got["confidence"] == pytest.approx(0.3 * kl(uniform, z)[kept].sum() / total)
    if contrast_on == "teacher":  # the released code's term has no gradient
        assert not found.terms["contrastive"].requires_grad
    else:
        (g,) = torch.autograd.grad(found.terms["contrastive"], play["student"].params["body.weight"])
        assert g.abs().max() > 0


def test_cosines_released_weight_gives_a_uniform_prediction_much():
    """With 32 examples and 4 classes the released formula gives 0.6 where the paper's gives 0."""
    weight = Cosine(entropy_by="batch")._weight(torch.zeros(32, 4))
    torch.testing.assert_close(weight, torch.full((32,), 0.6))
    torch.testing.assert_close(Cosine()._weight(torch.zeros(32, 4)), torch.zeros(32))


def test_bond_soft_and_hard():
    _, y = frequency_labels()
    z = numbers(Net(STUDENT), X_U)[1]
    kept = y.max(1) >= 0.5
    assert 0 < kept.sum() < N
    soft = terms(Bond(threshold=0.5))[0].terms["pool"].item()
    hard = terms(Bond(threshold=0.5, labels="hard"))[0].terms["pool"].item()
    assert soft == pytest.approx(kl(y, z)[kept].mean())
    assert hard == pytest.approx(-log_softmax(z, axis=1)[np.arange(N), y.argmax(1)][kept].mean())


def test_bonds_released_divergence_has_the_gradient_minus_y_over_all_elements():
    found, play = terms(Bond(threshold=0.0, divergence="released"))
    _, y = frequency_labels()
    (g,) = torch.autograd.grad(found.terms["pool"], play["student"].params["head.bias"])
    np.testing.assert_allclose(g.numpy(), -y.sum(0) / (N * C))


@pytest.mark.parametrize("method", [Bond(threshold=0.0), Cosine(threshold=0.0)])
def test_clean_labels_come_first_and_weak_ones_were_learnt_before(method):
    assert set(terms(method, round_number=0)[0].terms) == {"supervised"}
    alone, _ = terms(method, round_number=0, labelled=False)
    assert alone.terms["supervised"].item() == 0
    assert alone.terms["pool"].item() > 0


def test_uda():
    found, _ = terms(Uda(threshold=0.6, temperature=0.5))
    p = softmax(numbers(Net(TEACHER), X_U)[1], axis=1)
    sharp = p**2 / (p**2).sum(1, keepdims=True)
    kept = p.max(1) >= 0.6
    assert 0 < kept.sum() < N
    expected = (kept * kl(sharp, numbers(Net(STUDENT), X_S)[1])).sum() / N
    assert found.terms["pool"].item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("kind", "g"),
    [("linear", lambda t: t), ("log", lambda t: 1 - np.exp(-5 * t)), ("exp", lambda t: np.exp(5 * (t - 1)))],
)
def test_udas_annealing_leaves_out_the_labels_it_knows(kind, g):
    level = g(0.1) * (1 - 1 / C) + 1 / C
    q = softmax(numbers(Net(STUDENT), X_L)[1], axis=1)
    known = [(i, y) for i, y in enumerate(Y) if y >= 0]
    counted = [-np.log(q[i, y]) for i, y in known if q[i, y] <= level]
    expected = sum(counted) / max(len(counted), 1)
    found, _ = terms(Uda(annealing=kind), progress=0.1)
    assert found.terms["supervised"].item() == pytest.approx(expected)


def test_vat_takes_one_power_iteration_of_the_curvature():
    """r is H d, scaled: H = J^T (diag p - p p^T) J is the divergence's Hessian at x, d the random draw."""
    student = Player(Net(STUDENT))
    x = torch.tensor(X_U)
    z = student(x).detach()
    torch.manual_seed(0)
    got = Vat(epsilon=1e-4, xi=1e-4)._adversarial(student, x, z.log_softmax(-1), Classification(C)).detach()
    torch.manual_seed(0)
    d, w = torch.randn_like(x).numpy(), {n: p.detach().numpy() for n, p in student.params.items()}
    for i, row in enumerate(X_U):
        slope = 1 - np.tanh(w["body.weight"] @ row + w["body.bias"]) ** 2
        jacobian = w["head.weight"] @ (slope[:, None] * w["body.weight"])
        p = softmax(z[i].numpy())
        r = jacobian.T @ (np.diag(p) - np.outer(p, p)) @ jacobian @ d[i]
        moved = jacobian @ r / np.linalg.norm(r) * 1e-4 * np.linalg.norm(row)
        np.testing.assert_allclose((got - z)[i].numpy(), moved, rtol=2e-2, atol=1e-7)


def test_vat_of_no_length_is_no_loss():
    found, _ = terms(Vat(epsilon=0.0, entropy=0.0))
    assert found.terms["pool"].item() == pytest.approx(0, abs=1e-12)


def test_fixmatch_learns_the_students_own_labels_held_still():
    method, batch = FixMatch(threshold=0.6, weight=0.5), batch_of(labelled=False)
    seats = {"student": Player(Net(STUDENT)), "teacher": Player(Net(TEACHER))}
    move = method.rule.move(lambda who, play: method.loss(who, batch, play, Classification(C), Memory(N)), seats, 0)
    p = softmax(numbers(Net(STUDENT), X_U)[1], axis=1)
    v, z = numbers(Net(STUDENT), X_S)
    y, kept = p.argmax(1), p.max(1) >= 0.6
    assert 0 < kept.sum() < N
    assert (move.terms.seen["weight"].numpy() == kept).all()
    assert move.terms.total.item() == pytest.approx(-0.5 * (kept * log_softmax(z, axis=1)[np.arange(N), y]).sum() / N)
    error = 0.5 * kept[:, None] * (softmax(z, axis=1) - np.eye(C)[y]) / N
    np.testing.assert_allclose(move.grads["student"]["head.weight"].numpy(), error.T @ v)


def stored(round_number, label, confidence):
    memory = Memory(len(label))
    memory.round = round_number
    memory.write(torch.arange(len(label)), *(torch.tensor(t) for t in (label, confidence, np.ones(len(label)))))
    return memory


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("method", [Cbst(rounds=5), Dst(rounds=5)])
def test_round_k_keeps_the_surest_share_of_each_predicted_class(method, k):
    label = np.repeat([0, 1, 2], [20, 30, 2])
    confidence = np.random.default_rng(2).permutation(len(label)) / 1000 + np.array([0.9, 0.5, 0.4])[label]
    memory = stored(k, label, confidence)
    method.keep(memory)
    kept = memory.weight.numpy()
    for c, expected in ((0, 4 * k), (1, 6 * k), (2, (1, 1, 1, 2, 2)[k - 1])):  # never none of a class
        mine = confidence[label == c]
        np.testing.assert_array_equal(kept[label == c], mine >= np.sort(mine)[-expected])


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_curriculum_labelling_keeps_what_is_above_a_percentile_of_the_whole_pool(k):
    p = np.random.default_rng(2).uniform(1 / C, 1, 100)
    memory = stored(k, np.arange(100) % C, p)
    CurriculumLabelling(rounds=5).keep(memory)
    np.testing.assert_array_equal(memory.weight.numpy(), p > np.percentile(p, 100 - 20 * k))


def on_stored(method, progress=1.0):
    """The loss on labels that are drawn, in round 2; and in numpy the labels, how sure, who is kept, log q."""
    rng = np.random.default_rng(1)
    y, sure = rng.integers(0, C, N), rng.uniform(1 / C, 1, N)
    memory = stored(2, y, sure)
    method.keep(memory)
    student = Player(Net(STUDENT))
    found = method.loss("student", batch_of(progress), {"student": student}, Classification(C), memory)
    q = log_softmax(numbers(Net(STUDENT), X_U)[1], axis=1)
    return found, student, y, sure, memory.weight.numpy(), q


@pytest.mark.parametrize("method", [Cbst(rounds=3), CurriculumLabelling(rounds=3)])
def test_labelled_and_kept_units_are_averaged_together(method):
    found, _, y, _, kept, q = on_stored(method)
    assert 0 < kept.sum() < N
    n = (Y >= 0).sum() + kept.sum()
    assert found.terms["supervised"].item() == pytest.approx(supervised(n))
    assert found.terms["pool"].item() == pytest.approx(-(kept * q[np.arange(N), y]).sum() / n)
    alone, _ = terms(method, round_number=0)
    assert {k: t.item() for k, t in alone.terms.items()} == {"supervised": pytest.approx(supervised())}


@pytest.mark.parametrize("grows", [False, None])
def test_dst_weighs_its_own_old_labels_by_how_far_it_still_agrees(grows):
    found, student, y, sure, kept, q = on_stored(Dst(rounds=3, mixup=0.0, grows=grows), progress=0.5)
    gamma, p = 4 * np.exp(-5 * 0.5**2) if grows is None else 4, np.exp(q)
    agrees, less_sure = p.argmax(1) == y, p.max(1) <= sure
    assert all((kept * case).any() for case in (agrees, ~agrees & less_sure, ~agrees & ~less_sure))
    w = np.where(agrees | less_sure, p[np.arange(N), y] ** gamma, 0)
    n = (Y >= 0).sum() + kept.sum()
    assert found.terms["supervised"].item() == pytest.approx(supervised(n))
    assert found.terms["pool"].item() == pytest.approx(-(kept * w * q[np.arange(N), y]).sum() / n)
    (g,) = torch.autograd.grad(found.terms["pool"], student.params["head.bias"])
    np.testing.assert_allclose(g.numpy(), ((kept * w)[:, None] * (p - np.eye(C)[y])).sum(0) / n)


@pytest.mark.parametrize(("kind", "fresh"), [(Cbst, False), (Dst, False), (CurriculumLabelling, True)])
def test_each_round_learns_labels_of_the_last_ones_network_with_a_fresh_one_or_the_same(kind, fresh):
    last = [Net(7)]  # of each round

    def look(run):
        if run.memory.round == len(last):  # after the first step of a round, one of 1e-3
            p, begun = softmax(numbers(last[-1], X_U)[1], axis=1), Net(7 + len(last)) if fresh else last[-1]
            assert (run.memory.label.numpy() == p.argmax(1)).all()
            np.testing.assert_allclose(run.memory.confidence.numpy(), p.max(1))
            assert run.memory.weight.sum() == 4 * len(last) or not fresh
            pairs = zip(begun.parameters(), run.seats["student"].module.parameters(), strict=True)
            assert max((a - b).abs().max() for a, b in pairs) < 1.1e-3
        last[run.memory.round :] = [copy.deepcopy(run.seats["student"].module)]
        return {}

    loader = Loader(Features(torch.tensor(X_L)), torch.tensor(Y), Features(torch.tensor(X_U)), 5, 12)
    train(kind(rounds=3), Classification(C), Net, loader, Training(40, seed=7, records=40), watch=look)
    assert len(last) == 4
