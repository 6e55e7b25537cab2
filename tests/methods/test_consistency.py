"""Consistency methods: each loss against numpy written from its paper, and against the limits it must reach."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax
from torch import nn

from tutelage.data import Features, Loader
from tutelage.game import Player
from tutelage.memory import Memory
from tutelage.methods import (
    AdaMatch,
    FixMatch,
    FlexMatch,
    FreeMatch,
    MixMatch,
    PiModel,
    ReMixMatch,
    SoftMatch,
    Supervised,
    TemporalEnsembling,
)
from tutelage.methods.flexmatch import learning_status
from tutelage.ops.labels import align, ema
from tutelage.ops.losses import cross_entropy, linear_ramp
from tutelage.ops.mix import mix_shares
from tutelage.ops.warp import mirror
from tutelage.tasks import Classification, Segmentation
from tutelage.train import Training, train
from tutelage.types import Batch, Views

C, N, POOL = 3, 12, 20
TASK = Classification(C)
RNG = np.random.default_rng(0)
X_L, X_U, X_A, X_S = (RNG.normal(size=(n, 4)) for n in (5, N, N, N))
Y = np.array([0, 2, 1, -1, 0])
INDEX = RNG.permutation(POOL)[:N]
ALL = (PiModel, TemporalEnsembling, FlexMatch, FreeMatch, SoftMatch, AdaMatch, MixMatch, ReMixMatch)


pytestmark = pytest.mark.usefixtures("double_precision")


class Net(nn.Module):
    def __init__(self, seed: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.body, self.head, self.drop = nn.Linear(4, 6), nn.Linear(6, C), nn.Dropout(dropout)
        with torch.no_grad():
            self.head.weight.mul_(3)  # some predictions sure, some not

    def forward(self, x):
        return self.head(self.drop(torch.tanh(self.body(x))))


def logits(x: np.ndarray) -> np.ndarray:
    w = {n: p.detach().numpy() for n, p in Net().named_parameters()}
    return np.tanh(x @ w["body.weight"].T + w["body.bias"]) @ w["head.weight"].T + w["head.bias"]


def probabilities(x: np.ndarray) -> np.ndarray:
    return softmax(logits(x), axis=1)


def log_q(x: np.ndarray) -> np.ndarray:
    return log_softmax(logits(x), axis=1)


def batch_of(progress=1.0, y=Y):
    pool = {"weak": torch.tensor(X_U), "again": torch.tensor(X_A), "strong": torch.tensor(X_S)}
    labelled = Views({"weak": torch.tensor(X_L)}, torch.arange(5))
    return Batch(labelled, torch.tensor(y), Views(pool, torch.tensor(INDEX)), progress)


UNKNOWN = batch_of(y=[-1] * 5)


def loader_of(units=POOL):
    rows = Features(torch.zeros(units, 4))
    return Loader(Features(torch.tensor(X_L)), torch.tensor(Y), rows, 5, N)


def memory_of(method, **kept):
    memory = Memory(POOL)
    memory.kept = method.remembers(loader_of(), TASK) | {n: torch.tensor(v) for n, v in kept.items()}
    return memory


def moved(method, memory, batch=None):
    """One play of the game, without a step: terms and gradients."""
    batch = batch or batch_of()
    seats = {who: Player(Net()) for who in (*method.rule.movers, *method.rule.followers)}
    move = method.rule.move(lambda who, play: method.loss(who, batch, play, TASK, memory), seats, 0)
    return move, {k: t.item() for k, t in move.terms.terms.items()}


def supervised() -> float:
    q = log_q(X_L)
    return -sum(q[i, y] for i, y in enumerate(Y) if y >= 0) / len(Y)


def hard_loss(weight: np.ndarray, label: np.ndarray) -> float:
    return -(weight * log_q(X_S)[np.arange(N), label]).sum() / N


# What they share


def test_alignment_gives_the_mean_that_is_wanted_where_all_say_the_same():
    p, wanted = torch.tensor([0.6, 0.3, 0.1]), torch.tensor([0.2, 0.2, 0.6])
    np.testing.assert_allclose(align(p.log().expand(4, 3), wanted, p).exp(), wanted.expand(4, 3))
    z, even = torch.tensor(logits(X_U)), torch.ones(C) / C
    np.testing.assert_allclose(align(z, even, even), torch.log_softmax(z, -1))
    found = torch.tensor([0.5, 0.4, 0.1])
    by_hand = probabilities(X_U) * wanted.numpy() / found.numpy()
    np.testing.assert_allclose(align(z, wanted, found).exp(), by_hand / by_hand.sum(1, keepdims=True))


def test_alignment_survives_a_class_that_never_comes():
    y = align(torch.tensor([[1.0, 0.0]]), torch.tensor([0.5, 0.5]), torch.tensor([1.0, 0.0])).exp()
    np.testing.assert_allclose(y, [[0.0, 1.0]], atol=1e-12)


def test_a_moving_average_is_the_sum_of_its_past():
    values, kept = np.random.default_rng(1).normal(size=(6, 2)), torch.zeros(2)
    for v in values:
        kept = ema(kept, torch.tensor(v), 0.8)
    np.testing.assert_allclose(kept, 0.2 * (0.8 ** np.arange(6)[::-1]) @ values)


def test_a_linear_ramp():
    assert [linear_ramp(t, 0.4) for t in (0.0, 0.1, 0.2, 0.4, 1.0)] == [0.0, 0.25, 0.5, 1.0, 1.0]
    assert linear_ramp(0.0, 0.0) == 1.0


@pytest.mark.parametrize("kind", ALL)
def test_labels_count_as_ever_unless_they_are_mixed(kind):
    method = replace(kind(), alpha=1e-9) if kind in (MixMatch, ReMixMatch) else kind()  # of so small an alpha all stay
    _, found = moved(method, memory_of(method))
    assert found["supervised"] == pytest.approx(supervised())


@pytest.mark.parametrize("kind", [TemporalEnsembling, FlexMatch, FreeMatch, SoftMatch, ReMixMatch])
def test_only_observe_writes_what_is_kept(kind):
    method = kind()
    memory, batch = memory_of(method), batch_of()
    before = {n: t.clone() for n, t in memory.kept.items()}
    if kind is FlexMatch:
        method = FlexMatch(threshold=0.5)
    move, _ = moved(method, memory, batch)
    assert all(torch.equal(t, before[n]) for n, t in memory.kept.items())
    method.observe(batch, move.terms, memory, TASK)
    assert all(not torch.equal(t, before[n]) and not t.requires_grad for n, t in memory.kept.items())
    assert (memory.label[torch.tensor(INDEX)] >= 0).all()
    assert (memory.label >= 0).sum() == N


# Two passes of the student


def test_pi_model():
    method = PiModel(weight=2.0, ramp=0.5)
    move, found = moved(method, memory_of(method), batch_of(progress=0.25))
    p, q = probabilities(X_U), probabilities(X_A)
    assert found["pool"] == pytest.approx(2 * math.exp(-5 / 4) * ((p - q) ** 2).sum(1).mean())
    assert move.terms.seen["label"].tolist() == p.argmax(1).tolist()


def test_both_passes_of_the_pi_model_have_a_gradient():
    """Finite differences of the whole loss, in the bias that both passes share."""
    method, batch, seats = PiModel(weight=3.0, ramp=0.0), batch_of(), {"student": Player(Net())}
    (g,) = torch.autograd.grad(
        method.loss("student", batch, seats, TASK, Memory(0)).terms["pool"], seats["student"].params["head.bias"]
    )
    bias = seats["student"].module.head.bias
    for c in range(C):
        ends = []
        for step in (1e-5, -1e-5):
            with torch.no_grad():
                bias[c] += step
                ends.append(method.loss("student", batch, seats, TASK, Memory(0)).terms["pool"].item())
                bias[c] -= step
        assert g[c].item() == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5)


def test_of_features_without_dropout_the_pi_model_is_supervised_bit_for_bit():
    """One view that is always the same, and a network that says of it always the same: no distance, no gradient."""

    def trained(method, dropout):
        loader = Loader(Features(torch.tensor(X_L)), torch.tensor(Y), Features(torch.tensor(X_U)), 5, N)
        run = train(method, TASK, lambda seed: Net(seed, dropout), loader, Training(20, weight_decay=0.0))
        return run.seats["student"].module.state_dict()

    for dropout in (0.0, 0.5):
        a, b = trained(PiModel(), dropout), trained(Supervised(), dropout)
        assert all(torch.equal(t, b[n]) for n, t in a.items()) == (dropout == 0.0)


def test_temporal_ensembling_visits():
    """Three visits of some units: the target is the weighted mean of the past, as in a loop over the past."""
    method = TemporalEnsembling(decay=0.7, weight=2.0, ramp=0.0)
    memory, past = memory_of(method), {}
    for visit in range(3):
        chosen = slice(0, N - 3 * visit)  # the last ones are visited less often
        pool = Views({"weak": torch.tensor(X_U[chosen] * (1 + visit))}, torch.tensor(INDEX[chosen]))
        batch = replace(batch_of(), unlabelled=pool)
        p = probabilities(X_U[chosen] * (1 + visit))
        move, found = moved(method, memory, batch)
        expected = 0.0
        for i, row in zip(INDEX[chosen], p, strict=True):
            old = past.setdefault(i, [])
            if old:
                ages = 0.7 ** np.arange(len(old))[::-1]
                expected += ((ages @ np.array(old) / ages.sum() - row) ** 2).sum()
            old.append(row)
        assert found["pool"] == pytest.approx(2 * expected / len(p))
        assert (found["pool"] > 0) == (visit > 0)
        method.observe(batch, move.terms, memory, TASK)
    assert memory.kept["seen"][torch.tensor(INDEX)].tolist() == [3] * 6 + [2] * 3 + [1] * 3
    assert memory.kept["seen"].sum() == 27


def test_the_target_of_temporal_ensembling_is_held_still():
    method = TemporalEnsembling(ramp=0.0, weight=1.0)
    target = np.random.default_rng(2).dirichlet(np.ones(C), POOL)
    memory = memory_of(method, sum=target * 0.4, seen=np.ones(POOL))
    move, _ = moved(method, memory, UNKNOWN)
    p = probabilities(X_U)
    error = 2 * (p - target[INDEX]) / N
    by_logit = p * (error - (error * p).sum(1, keepdims=True))
    np.testing.assert_allclose(move.grads["student"]["head.bias"], by_logit.sum(0), atol=1e-12)


@pytest.mark.parametrize("method", [TemporalEnsembling(), FlexMatch()])
def test_what_remembers_single_units_refuses_pixels(method):
    with pytest.raises(ValueError, match="it cannot learn pixels"):
        method.settled(Segmentation(C))


def test_a_decay_of_1_holds_nothing():
    with pytest.raises(ValueError, match="decay must be below 1"):
        TemporalEnsembling(decay=1.0)


# Thresholds that move


def test_learning_status_by_hand():
    selected = torch.tensor([0] * 6 + [1] * 3 + [-1] * 4)
    assert learning_status(selected, 3).tolist() == [1.0, 0.5, 0.0]
    assert learning_status(selected[3:], 3).tolist() == [0.75, 0.75, 0.0]  # most are not selected yet: the warm-up
    assert learning_status(torch.full((5,), -1), 3).tolist() == [0.0, 0.0, 0.0]


def test_flexmatch():
    method, selected = FlexMatch(threshold=0.8, weight=0.5), np.random.default_rng(4).integers(-1, C, POOL)
    selected[INDEX[0]] = -1
    memory, batch = memory_of(method, selected=selected), batch_of()
    move, found = moved(method, memory, batch)
    p = probabilities(X_U)
    label, sure = p.argmax(1), p.max(1)
    sigma = np.array([(selected == c).sum() for c in range(C)])
    beta = sigma / max(sigma.max(), (selected == -1).sum())
    kept = sure >= (beta / (2 - beta) * 0.8)[label]
    assert (kept != (sure >= 0.8)).any() and not kept.all()
    assert found["pool"] == pytest.approx(0.5 * hard_loss(kept, label))
    assert (move.terms.seen["weight"].numpy() == kept).all()
    method.observe(batch, move.terms, memory, TASK)
    after = selected.copy()
    after[INDEX] = np.where(sure >= 0.8, label, selected[INDEX])
    assert (after != selected).any()
    assert memory.kept["selected"].tolist() == after.tolist()


def test_flexmatch_of_classes_learnt_alike_is_fixmatch():
    flex, fix = FlexMatch(threshold=0.7), FixMatch(threshold=0.7)
    a, _ = moved(flex, memory_of(flex, selected=np.arange(18) % C))
    b, _ = moved(fix, Memory(POOL))
    assert a.terms.total.item() == b.terms.total.item()
    assert all(torch.equal(g, b.grads["student"][n]) for n, g in a.grads["student"].items())


KEPT = {"tau": 0.6, "p": np.array([0.5, 0.3, 0.2]), "histogram": np.array([0.6, 0.3, 0.1])}


def test_freematch():
    method = FreeMatch(decay=0.9, weight=0.5, fairness=0.3)
    memory, batch = memory_of(method, **KEPT), batch_of()
    move, found = moved(method, memory, batch)
    p, s = probabilities(X_U), probabilities(X_S)
    label, sure = p.argmax(1), p.max(1)
    shares = np.bincount(label, minlength=C) / N
    tau, m, h = (0.9 * k + 0.1 * v for k, v in zip(KEPT.values(), (sure.mean(), p.mean(0), shares), strict=True))
    kept = sure >= (m / m.max() * tau)[label]
    assert 0 < kept.sum() < N
    assert found["pool"] == pytest.approx(0.5 * hard_loss(kept, label))
    h_s = np.bincount(s[kept].argmax(1), minlength=C) / N
    there = h_s > 0
    b = s[kept].sum(0)[there] / N / h_s[there]
    a = m / h / (m / h).sum()
    assert found["fairness"] == pytest.approx(0.3 * (a[there] * np.log(b / b.sum())).sum())
    method.observe(batch, move.terms, memory, TASK)
    for name, expected in (("tau", tau), ("p", m), ("histogram", h)):
        np.testing.assert_allclose(memory.kept[name], expected)


def test_freematch_begins_with_a_threshold_of_one_over_c():
    method = FreeMatch(decay=1.0)
    move, _ = moved(method, memory_of(method))
    assert move.terms.seen["tau"].item() == pytest.approx(1 / C)
    assert move.terms.seen["weight"].tolist() == [1.0] * N


def test_freematch_with_a_fixed_even_state_is_fixmatch():
    free = FreeMatch(decay=1.0, fairness=0.0)
    a, _ = moved(free, memory_of(free, tau=0.7))
    b, _ = moved(FixMatch(threshold=0.7), Memory(POOL))
    assert a.terms.total.item() == b.terms.total.item()


def test_a_class_that_is_no_longer_predicted_leaves_fairness_finite():
    method = FreeMatch(decay=1.0)
    for share in (0.0, 1e-300):
        memory = memory_of(method, tau=0.5, p=np.array([0.5, 0.3, 0.2]), histogram=np.array([0.6, 0.4, share]))
        move, found = moved(method, memory)
        assert math.isfinite(found["fairness"])
        assert all(g.isfinite().all() for g in move.grads["student"].values())


def test_freematch_that_keeps_nothing_is_not_unfair():
    method = FreeMatch(decay=1.0)
    _, found = moved(method, memory_of(method, tau=1.1))
    assert found["pool"] == found["fairness"] == 0


def test_softmatch():
    method, kept = SoftMatch(decay=0.9, weight=0.5), {"mean": 0.7, "var": 0.02, "p": np.array([0.5, 0.3, 0.2])}
    memory, batch = memory_of(method, **kept), batch_of()
    move, found = moved(method, memory, batch)
    p = probabilities(X_U)
    m = 0.9 * kept["p"] + 0.1 * p.mean(0)
    q = p / m
    sure = (q / q.sum(1, keepdims=True)).max(1)
    mean, var = 0.9 * 0.7 + 0.1 * sure.mean(), 0.9 * 0.02 + 0.1 * sure.var(ddof=1)
    w = np.where(sure < mean, np.exp(-((sure - mean) ** 2) / (2 * var)), 1.0)
    assert 0 < (w == 1).sum() < N
    assert (q.argmax(1) != p.argmax(1)).any()  # the label is p's
    assert found["pool"] == pytest.approx(0.5 * hard_loss(w, p.argmax(1)))
    np.testing.assert_allclose(move.terms.seen["weight"], w)
    method.observe(batch, move.terms, memory, TASK)
    for name, expected in (("mean", mean), ("var", var), ("p", m)):
        np.testing.assert_allclose(memory.kept[name], expected)


def test_softmatch_without_spread_is_fixmatch_with_the_mean_as_threshold():
    soft = SoftMatch(decay=1.0)
    a, _ = moved(soft, memory_of(soft, mean=0.7, var=0.0))
    b, _ = moved(FixMatch(threshold=0.7), Memory(POOL))
    assert a.terms.total.item() == b.terms.total.item()


@pytest.mark.parametrize("progress", [0.0, 0.1, 0.5])
def test_adamatch(progress):
    method = AdaMatch(threshold=0.9, weight=0.5)
    move, found = moved(method, Memory(POOL), batch_of(progress))
    p, on_labelled = probabilities(X_U), probabilities(X_L[Y >= 0])
    q = p * on_labelled.mean(0) / p.mean(0)
    q /= q.sum(1, keepdims=True)
    kept = q.max(1) >= 0.9 * on_labelled.max(1).mean()
    assert 0 < kept.sum() < N
    ramp = 0.5 - math.cos(min(math.pi, 2 * math.pi * progress)) / 2
    assert found["pool"] == pytest.approx(-0.5 * ramp * (kept * (q * log_q(X_S)).sum(1)).sum() / N)
    np.testing.assert_allclose(move.terms.seen["confidence"], q.max(1))


def test_adamatch_without_known_labels_is_not_aligned():
    method = AdaMatch(threshold=0.7)
    p = probabilities(X_U)
    expected = -((p.max(1) >= 0.7) * (p * log_q(X_S)).sum(1)).sum() / N
    assert moved(method, Memory(POOL), UNKNOWN)[1]["pool"] == pytest.approx(expected)


# Mixed units


def sharpened(p: np.ndarray, temperature: float) -> np.ndarray:
    p = p ** (1 / temperature)
    return p / p.sum(1, keepdims=True)


def draws(n: int, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Shares and permutation that the loss draws after ``torch.manual_seed(7)``."""
    torch.manual_seed(7)
    share = mix_shares(n, alpha, np.random.default_rng(int(torch.randint(2**31, (1,)))))
    return share.double().numpy(), torch.randperm(n).numpy()


def mixed_by_hand(x: list[np.ndarray], y: np.ndarray, w: np.ndarray, alpha: float):
    """Inputs, and labels times their weights: cross-entropy and its weight are linear in both."""
    share, perm = draws(len(y), alpha)
    assert (share >= 0.5).all()
    x = np.concatenate(x)
    return (share[:, None] * t + (1 - share[:, None]) * t[perm] for t in (x, y * w[:, None], w[:, None]))


HOT, KNOWN = np.eye(C)[np.maximum(Y, 0)], (Y >= 0).astype(float)


def seeded(method, memory, **options):
    seats = {who: Player(Net()) for who in ("student", "teacher")}
    seats["teacher"].differentiable(False)
    torch.manual_seed(7)
    terms = method.loss("student", batch_of(**options), seats, TASK, memory)
    return terms, {k: t.item() for k, t in terms.terms.items()}


@pytest.mark.parametrize("alpha", [0.75, 4.0])
def test_mixmatch(alpha):
    _, found = seeded(MixMatch(temperature=0.4, alpha=alpha, weight=2.0, ramp=0.5), Memory(POOL), progress=0.2)
    q = sharpened((probabilities(X_U) + probabilities(X_A)) / 2, 0.4)
    w = np.concatenate([KNOWN, np.ones(2 * N)])
    x, wy, w = mixed_by_hand([X_L, X_U, X_A], np.concatenate([HOT, q, q]), w, alpha)
    assert found["supervised"] == pytest.approx(-(wy * log_q(x))[:5].sum() / 5)
    apart = w[:, 0] * ((wy / w - probabilities(x)) ** 2).mean(1)
    assert found["pool"] == pytest.approx(2 * 0.2 / 0.5 * apart[5:].mean())


def test_remixmatch():
    method = ReMixMatch(temperature=0.4, weight=2.0, strong=0.3, decay=0.9)
    old, prior = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
    memory = memory_of(method, p=old, prior=prior)
    terms, found = seeded(method, memory)
    p = probabilities(X_U)
    m, prior = 0.9 * old + 0.1 * p.mean(0), 0.9 * prior + 0.1 * HOT[KNOWN > 0].mean(0)
    q = sharpened(p * prior / m, 0.4)
    w = np.concatenate([KNOWN, np.ones(2 * N)])
    x, wy, _ = mixed_by_hand([X_L, X_S, X_U], np.concatenate([HOT, q, q]), w, 0.75)
    each = -(wy * log_q(x)).sum(1)
    assert found["supervised"] == pytest.approx(each[:5].sum() / 5)
    assert found["pool"] == pytest.approx(2 * each[5:].mean())
    assert found["strong"] == pytest.approx(-0.3 * (q * log_q(X_S)).sum(1).mean())
    method.observe(batch_of(), terms, memory, TASK)
    np.testing.assert_allclose(memory.kept["p"], m)
    np.testing.assert_allclose(memory.kept["prior"], prior)


@pytest.mark.parametrize("kind", [MixMatch, ReMixMatch])
def test_what_is_no_tensor_is_not_mixed(kind):
    method, batch = kind(), batch_of()
    named = [replace(v, at={n: {"x": t} for n, t in v.at.items()}) for v in (batch.labelled, batch.unlabelled)]
    _, found = moved(method, memory_of(method), replace(batch, labelled=named[0], unlabelled=named[1]))
    _, pure = moved(replace(method, alpha=1e-9), memory_of(method))
    assert found == pytest.approx(pure)
    assert moved(method, memory_of(method))[1]["pool"] != pytest.approx(found["pool"])


@pytest.mark.parametrize("kind", [MixMatch, ReMixMatch])
def test_an_unknown_label_says_nothing_where_it_is_mixed(kind):
    """Whatever stands where the label is unknown, the loss is the same."""
    method, found = kind(), []
    for row in (0.0, 5.0):
        target = torch.tensor(HOT)

        class Unknown(Classification):
            def target(self, y):
                rows = torch.where(torch.tensor(KNOWN)[:, None] > 0, y, torch.full_like(y, row))  # noqa: B023
                return rows, torch.tensor(KNOWN)

        seats = {who: Player(Net()) for who in ("student", "teacher")}
        torch.manual_seed(7)
        batch = replace(batch_of(), target=target)
        found.append(method.loss("student", batch, seats, Unknown(C), memory_of(method)).total.item())
    assert found[0] == pytest.approx(found[1])


# Pixels: labels follow the views


PIXELS = [PiModel(), FreeMatch(), SoftMatch(), AdaMatch(threshold=0.4), MixMatch(), ReMixMatch()]


@pytest.mark.parametrize("method", PIXELS, ids=lambda m: m.name)
def test_labels_of_pixels_follow_a_mirrored_view(method):
    """A network that sees each pixel alone sees the same in a mirrored view: so must the loss."""
    torch.manual_seed(0)
    weak, noisy, net = torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8), nn.Conv2d(3, C, 1)
    net.weight.data *= 8
    still, found = torch.eye(3).expand(2, 3, 3), []
    for other, geometry in ((noisy, still), (noisy.flip(-1), mirror(torch.ones(2), 8))):
        views = {"weak": weak, "again": other, "strong": other}
        at = {"weak": still, "again": geometry, "strong": geometry}
        labelled = Views({"weak": weak}, torch.arange(128))
        batch = Batch(labelled, torch.full((128,), -1), Views(views, torch.arange(128), at), 0.5)
        seats = {who: Player(net) for who in ("student", "teacher")}
        memory = Memory(128)
        memory.kept = method.remembers(loader_of(128), Segmentation(C))
        terms = method.loss("student", batch, seats, Segmentation(C), memory).terms
        found.append({k: t.item() for k, t in terms.items()})
    assert found[0]["pool"] > 0
    assert found[1] == pytest.approx(found[0], rel=1e-5)


@pytest.mark.parametrize("method", [PiModel(ramp=0.0, weight=1.0), MixMatch(ramp=0.0, weight=1.0, temperature=1.0)])
def test_a_pixel_that_the_other_view_does_not_show_is_not_compared(method):
    """The other view shows its images one pixel to the right: a column of it was never in the original."""
    torch.manual_seed(0)
    weak, net = torch.rand(1, 3, 4, 4), nn.Conv2d(3, C, 1)
    geometry = torch.eye(3)[None].clone()
    geometry[0, 0, 2] = 1.0
    other = torch.full_like(weak, 9.0)
    other[..., 1:] = weak[..., :-1]
    pool = Views({"weak": weak, "again": other}, torch.arange(16), {"weak": torch.eye(3)[None], "again": geometry})
    batch = Batch(Views({"weak": weak}, torch.arange(16)), torch.full((16,), -1), pool, 1.0)
    seats = {who: Player(net) for who in ("student", "teacher")}
    terms = method.loss("student", batch, seats, Segmentation(C), Memory(16)).terms
    assert terms["pool"].item() == pytest.approx(0, abs=1e-12)


def test_cross_entropy_of_a_guess_has_no_gradient_in_the_guess():
    """The gradient of the strong term of ReMixMatch is that of a fixed target."""
    method = ReMixMatch(weight=0.0, strong=1.0, decay=1.0, alpha=1e-9)  # of so small an alpha nothing is mixed
    move, _ = moved(method, memory_of(method), UNKNOWN)
    q = sharpened(probabilities(X_U), 0.5)
    net = Net()
    cross_entropy(torch.tensor(q), net(torch.tensor(X_S))).mean().backward()
    np.testing.assert_allclose(move.grads["student"]["head.bias"], net.head.bias.grad, atol=1e-12)
