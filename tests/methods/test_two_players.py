"""Methods of two players against their papers' equations in numpy and against finite differences."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax
from torch import nn

from tutelage.data import Features, Loader
from tutelage.game import Player
from tutelage.memory import Memory
from tutelage.methods import DeepCoTraining, MetaPseudoLabels, NoisyStudent, Supervised, Uda, noisy_student
from tutelage.methods.base import half_first
from tutelage.ops import thresholds
from tutelage.ops.labels import sharpen
from tutelage.ops.losses import cross_entropy, kl, mean
from tutelage.tasks import Classification
from tutelage.train import Training, train
from tutelage.types import Batch, Terms, Views

C, N = 3, 12
TASK = Classification(C)
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


def logits(net: nn.Module, x: np.ndarray) -> np.ndarray:
    w = {n: p.detach().numpy() for n, p in net.named_parameters()}
    return np.tanh(x @ w["body.weight"].T + w["body.bias"]) @ w["head.weight"].T + w["head.bias"]


def batch_of(progress=1.0, labelled=True):
    at = {"weak": torch.tensor(X_L)} if labelled else {}
    return Batch(
        Views(at, torch.arange(5 if labelled else 0)),
        torch.tensor(Y if labelled else Y[:0]),
        Views({"weak": torch.tensor(X_U), "strong": torch.tensor(X_S)}, torch.arange(N)),
        progress,
    )


def seats_of(**seeds: int) -> dict[str, Player]:
    return {who: Player(Net(seed)) for who, seed in seeds.items()}


def loader_of(y=(0, 2, 1, 1, 0)):
    pool, strong = Features(torch.tensor(X_U)), [Features(torch.tensor(X_S))]
    return Loader(Features(torch.tensor(X_L)), torch.tensor(y), pool, 5, 12, strong=strong)


def supervised(net: nn.Module) -> float:
    q = log_softmax(logits(net, X_L), axis=1)
    return -sum(q[i, y] for i, y in enumerate(Y) if y >= 0) / len(Y)


def values(terms) -> dict[str, float]:
    return {name: t.item() for name, t in terms.terms.items()}


# noisy student


@pytest.mark.parametrize("hard", [False, True])
def test_the_noisy_student_learns_balanced_labels_of_the_weak_view_in_the_strong_one(hard):
    method, seats, memory = (
        NoisyStudent(threshold=0.5, hard=hard, weight=0.7),
        seats_of(student=1, teacher=2),
        Memory(N),
    )
    p = softmax(logits(Net(2), X_U), axis=1)
    label, sure = p.argmax(1), p.max(1) >= 0.5
    memory.round = 1
    memory.write(torch.arange(N), torch.tensor(label), torch.tensor(p.max(1)), torch.ones(N))
    method.keep(memory)
    counts = np.array([(label[sure] == c).sum() for c in range(C)])
    assert 0 < sure.sum() < N
    assert len(set(counts)) > 1
    b = sure * sure.sum() / (counts > 0).sum() / np.maximum(counts, 1)[label]
    assert b[sure].mean() == pytest.approx(1)
    y = np.eye(C)[label] if hard else p
    pool = 0.7 * -(b[:, None] * y * log_softmax(logits(Net(1), X_S), axis=1)).sum() / N
    found = values(method.loss("student", batch_of(), seats, TASK, memory))
    assert found == {"supervised": pytest.approx(supervised(Net(1))), "pool": pytest.approx(pool, rel=1e-6)}


@pytest.mark.parametrize(("most", "rare"), [(10.0, 2.5), (1.5, 1.5)])
def test_units_weigh_inversely_to_their_class_s_share_of_what_is_kept(most, rare):
    """Five units are kept, of two classes: 5 / (2 * 4) for each of four, 5 / (2 * 1) for the one, cut at ``most``."""
    memory = Memory(6)
    sure, label = torch.tensor([0.9, 0.8, 0.9, 0.2, 0.7, 0.6]), torch.tensor([0, 0, 2, 2, 0, 0])
    memory.write(torch.arange(6), label, sure, torch.ones(6))
    NoisyStudent(threshold=0.3, most=most).keep(memory)
    np.testing.assert_allclose(memory.weight.numpy(), [0.625, 0.625, rare, 0, 0.625, 0.625], rtol=1e-6)


@pytest.mark.parametrize("block", [7, 10**6])
def test_a_large_pool_is_weighed_block_by_block(monkeypatch, block):
    monkeypatch.setattr(thresholds, "BLOCK", block)
    rng, memory, looked_at = np.random.default_rng(0), Memory(0), []
    memory.keep_in_files(300, None)
    label, confidence = rng.choice(C, 300, p=[0.7, 0.2, 0.1]), rng.random(300)
    memory.write(torch.arange(300), torch.tensor(label), torch.tensor(confidence), torch.ones(300))
    above = noisy_student.above
    monkeypatch.setattr(noisy_student, "above", lambda c, least: looked_at.append(len(c)) or above(c, least))
    NoisyStudent(threshold=0.4, most=1.5).keep(memory)
    sure = confidence >= 0.4
    counts = np.bincount(label[sure], minlength=C)
    np.testing.assert_array_equal(memory.weight.numpy(), sure * np.minimum(sure.sum() / C / counts, 1.5)[label])
    assert max(looked_at) == min(block, 300)
    assert memory.weight.numpy().max() == 1.5 > memory.weight.numpy()[sure].min()


def test_round_0_learns_labels_alone_and_after_weak_labels_their_network():
    method, seats = NoisyStudent(threshold=0.5), seats_of(student=1, teacher=2)
    assert values(method.loss("student", batch_of(), seats, TASK, Memory(N))).keys() == {"supervised"}
    found = values(method.loss("student", batch_of(labelled=False), seats, TASK, Memory(N)))
    p = softmax(logits(Net(2), X_U), axis=1)
    loss = -(p * log_softmax(logits(Net(1), X_S), axis=1)).sum(1)
    assert found == {"supervised": 0, "pool": pytest.approx(loss[p.max(1) >= 0.5].sum() / N)}


def test_each_round_has_a_fresh_student_and_the_last_one_as_its_undisturbed_teacher():
    last = []  # students, after each step

    def look(run):
        teacher, student = run.seats["teacher"].module, run.seats["student"].module
        if run.memory.round and run.memory.round * 5 == run.step - 1:  # the first step of a round, one of 1e-3
            assert all(torch.equal(a, b) for a, b in zip(teacher.parameters(), last[-1].parameters(), strict=True))
            pairs = zip(Net(7 + run.memory.round).parameters(), student.parameters(), strict=True)
            assert max((a - b).abs().max() for a, b in pairs) < 1.1e-3
        assert student.training
        assert not teacher.training
        last.append(copy.deepcopy(student))
        return {}

    train(NoisyStudent(rounds=2), TASK, Net, loader_of(), Training(15, seed=7, records=15), watch=look)
    assert len(last) == 15


# meta pseudo labels


def meta(method, progress=0.6):
    batch, memory, seats = batch_of(progress), Memory(N), seats_of(teacher=1, student=2)
    return seats, lambda who, play: method.loss(who, batch, play, TASK, memory)


def test_both_losses_of_meta_pseudo_labels():
    method = MetaPseudoLabels(labels=0.8, feedback=0.4, weight=0.3, threshold=0.5, temperature=0.5)
    seats, loss = meta(method)
    u, z, s = logits(Net(1), X_U), logits(Net(1), X_S), logits(Net(2), X_S)
    p = softmax(u, axis=1)
    sharp, kept = softmax(2 * u, axis=1), p.max(1) >= 0.5
    assert 0 < kept.sum() < N
    assert values(loss("student", seats)) == {
        "pool": pytest.approx(-(p * log_softmax(s, axis=1)).sum() / N),
        "supervised": pytest.approx(0.8 * np.exp(-5 * 0.4**2) * supervised(Net(2))),
    }
    uda = (kept[:, None] * sharp * (np.log(sharp) - log_softmax(z, axis=1))).sum() / N
    assert values(loss("teacher", seats)) == {
        "supervised": pytest.approx(supervised(Net(1))),
        "feedback": pytest.approx(0.4 * supervised(Net(2))),
        "pool": pytest.approx(0.3 * uda),
    }


@dataclasses.dataclass(frozen=True)
class Deaf(MetaPseudoLabels):
    """The mistake by which the teacher hears nothing of its student: labels held still."""

    def loss(self, who, batch, play, task, memory):
        if who == "student":
            still = {n: p.detach() for n, p in play["teacher"].params.items()}
            play = {**play, "teacher": Player(play["teacher"].module, still)}
        return super().loss(who, batch, play, task, memory)


def distance_from_finite_differences(method) -> float:
    """Of the teacher's total gradient, along 20 directions; UDA's targets stay those of the point."""
    seats, loss = meta(method)
    t, old = ({n: p.detach().clone() for n, p in seats[w].params.items()} for w in ("teacher", "student"))
    total = method.rule.move(loss, seats, 0).grads["teacher"]
    targets = logits(Net(1), X_U)

    def composed(at) -> float:
        """F(T, S'(T)) with the student's step and UDA's loss written out again."""
        leader, s = seats["teacher"].seat(at), {n: p.clone().requires_grad_() for n, p in old.items()}
        q = leader(torch.tensor(X_U)).softmax(-1)
        known = torch.tensor(Y >= 0)

        def on_labels(player):
            out = player(torch.tensor(X_L))[known]
            return nn.functional.cross_entropy(out, torch.tensor(Y)[known], reduction="sum") / len(Y)

        follower = seats["student"].seat(s)
        g = nn.functional.cross_entropy(follower(torch.tensor(X_S)), q)
        g = g + method.labels * np.exp(-5 * 0.4**2) * on_labels(follower)
        step = torch.autograd.grad(g, list(s.values()))
        moved = {n: p - method.student_lr * d for (n, p), d in zip(s.items(), step, strict=True)}
        sharp = softmax(targets / method.temperature, axis=1)
        kept = softmax(targets, axis=1).max(1) >= method.threshold
        log_z = leader(torch.tensor(X_S)).log_softmax(-1).detach().numpy()
        uda = (kept[:, None] * sharp * (np.log(sharp) - log_z)).sum() / N
        heard = on_labels(seats["student"].seat(moved))
        return (on_labels(leader) + method.feedback * heard + method.weight * uda).item()

    generator, h, worst = torch.Generator().manual_seed(1), 1e-5, 0.0
    for _ in range(20):
        d = {n: torch.randn(p.shape, generator=generator) for n, p in t.items()}
        up, down = (composed({n: t[n] + sign * h * d[n] for n in t}) for sign in (1, -1))
        worst = max(worst, abs((up - down) / (2 * h) - sum((total[n] * d[n]).sum() for n in t).item()))
    return worst


def test_the_teacher_s_total_gradient_is_that_of_finite_differences():
    assert distance_from_finite_differences(MetaPseudoLabels(student_lr=0.5, threshold=0.5, feedback=2.0)) < 1e-7


def test_a_teacher_that_does_not_hear_its_student_is_found_out():
    assert distance_from_finite_differences(Deaf(student_lr=0.5, threshold=0.5, feedback=2.0)) > 1e-4


def test_the_student_takes_one_plain_step_on_its_own_loss():
    method = MetaPseudoLabels(student_lr=0.5)
    seats, loss = meta(method)
    p, z = softmax(logits(Net(1), X_U), axis=1), logits(Net(2), X_S)
    b = Net(2).head.bias.detach().numpy()
    q = softmax(logits(Net(2), X_L), axis=1)
    on_labels = np.exp(-5 * 0.4**2) * (q - np.eye(C)[Y])[Y >= 0].sum(0) / len(Y)
    method.rule.move(loss, seats, 0)
    expected = b - 0.5 * ((softmax(z, axis=1) - p).sum(0) / N + on_labels)
    np.testing.assert_allclose(seats["student"].module.head.bias.detach().numpy(), expected)


def test_without_feedback_the_teacher_is_uda_bit_for_bit():
    training = Training(20, lr=1e-2, seed=7)
    alone = train(Uda(threshold=0.5, temperature=0.5), TASK, Net, loader_of(), training).seats["student"]
    deaf = MetaPseudoLabels(feedback=0.0, threshold=0.5, temperature=0.5)
    found = train(deaf, TASK, Net, loader_of(), training).seats["teacher"]
    heard = train(MetaPseudoLabels(threshold=0.5), TASK, Net, loader_of(), training).seats["teacher"]
    assert all(torch.equal(found.params[n], p) for n, p in alone.params.items())
    assert not any(torch.equal(heard.params[n], p) for n, p in alone.params.items())


def test_the_gradient_flows_back_through_a_student_with_running_statistics():
    def network(seed):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, C))

    run = train(MetaPseudoLabels(), TASK, network, loader_of(), Training(5, seed=7))
    assert all(h["anticipating"] > 0 for h in run.history)


# deep co-training


def deceived(net: nn.Module, x: np.ndarray, y: np.ndarray, epsilon: float) -> np.ndarray:
    """x moved along the signs of the gradient of CE(y, f(x)), by a share of its length."""
    w = {n: p.detach().numpy() for n, p in net.named_parameters()}
    h = np.tanh(x @ w["body.weight"].T + w["body.bias"])
    error = softmax(logits(net, x), axis=1) - np.eye(C)[y]
    sign = np.sign((error @ w["head.weight"] * (1 - h**2)) @ w["body.weight"])
    return x + epsilon * np.linalg.norm(x, axis=1, keepdims=True) * sign / 2  # of four signs the length is 2


def entropy(p: np.ndarray) -> np.ndarray:
    return -(p * np.log(p)).sum(1)


def co_training_terms(epsilon: float) -> dict[str, float]:
    f, g = Net(1), Net(2)
    p, q = (softmax(logits(net, X_U), axis=1) for net in (f, g))
    apart = []
    for x, known in ((X_L, Y), (X_U, np.full(N, -1))):
        u, v = logits(f, x), logits(g, x)
        a_f, a_g = (deceived(net, x, np.where(known >= 0, known, z.argmax(1)), epsilon) for net, z in ((f, u), (g, v)))
        apart.append(-(softmax(u, axis=1) * log_softmax(logits(g, a_f), axis=1)).sum(1))
        apart[-1] -= (softmax(v, axis=1) * log_softmax(logits(f, a_g), axis=1)).sum(1)
    return {
        "supervised": supervised(f) + supervised(g),
        "pool": (entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2).mean(),
        "difference": np.concatenate(apart).mean(),
    }


@pytest.mark.parametrize("epsilon", [0.0, 0.3])
def test_deep_co_training_agrees_on_the_pool_and_withstands_what_deceives_the_other(epsilon):
    method, seats = DeepCoTraining(agreement=0.5, difference=0.25, epsilon=epsilon), seats_of(student=1, partner=2)
    expected = co_training_terms(epsilon)
    expected["pool"], expected["difference"] = 0.5 * expected["pool"], 0.25 * expected["difference"]
    for who in seats:
        found = values(method.loss(who, batch_of(), seats, TASK, Memory(N)))
        assert found == {name: pytest.approx(v) for name, v in expected.items()}
    assert expected["difference"] != pytest.approx(0.25 * co_training_terms(0.6)["difference"])


def test_each_partner_descends_the_same_total_by_finite_differences():
    """The signs do not change along so short a way, so the deceiving examples stand still by themselves."""
    method, seats, batch = DeepCoTraining(ramp=0.0), seats_of(student=1, partner=2), batch_of()
    move = method.rule.move(lambda who, play: method.loss(who, batch, play, TASK, Memory(N)), seats, 0)
    h = 1e-6
    for who in seats:
        for name, p in seats[who].params.items():
            ends = []
            for sign in (1, -1):
                with torch.no_grad():
                    p.view(-1)[1] += sign * h
                ends.append(method.loss("student", batch, seats, TASK, Memory(N)).total.item())
                with torch.no_grad():
                    p.view(-1)[1] -= sign * h
            assert move.grads[who][name].view(-1)[1].item() == pytest.approx((ends[0] - ends[1]) / (2 * h), abs=1e-7)


def test_partners_begin_apart():
    run = train(DeepCoTraining(), TASK, Net, loader_of(), Training(1, lr=1e-9, seed=7))
    for seed, who in ((7, "student"), (8, "partner")):
        torch.testing.assert_close(run.seats[who].module.head.weight, Net(seed).head.weight, rtol=0, atol=1e-8)


# UDA


def test_uda_without_its_options_is_the_mean_divergence_and_the_entropy_is_of_the_weak_view():
    method, seats = Uda(threshold=0.0, temperature=1.0), seats_of(student=1, teacher=2)
    p, s = softmax(logits(Net(2), X_U), axis=1), softmax(logits(Net(1), X_U), axis=1)
    divergence = (p * (np.log(p) - log_softmax(logits(Net(1), X_S), axis=1))).sum(1).mean()
    found = values(method.loss("student", batch_of(), seats, TASK, Memory(N)))
    assert found.keys() == {"supervised", "pool"}
    assert found["pool"] == pytest.approx(divergence)
    found = values(dataclasses.replace(method, entropy=0.3).loss("student", batch_of(), seats, TASK, Memory(N)))
    assert found["pool"] == pytest.approx(divergence)
    assert found["entropy"] == pytest.approx(0.3 * entropy(s).mean())


def test_the_entropy_s_gradient_flows_into_the_student():
    method, seats = Uda(entropy=0.3), seats_of(student=1, teacher=2)
    term = method.loss("student", batch_of(), seats, TASK, Memory(N)).terms["entropy"]
    (g,) = torch.autograd.grad(term, seats["student"].params["head.bias"])
    p = softmax(logits(Net(1), X_U), axis=1)
    np.testing.assert_allclose(g.numpy(), -0.3 * (p * (np.log(p) + entropy(p)[:, None])).mean(0))


class Dropping(Net):
    def forward(self, x):
        return self.head(nn.functional.dropout(torch.tanh(self.body(x)), 0.2, self.training))


class OfTheWholePool(Uda):
    """Its loss and its only round, written without a thought of relevance."""

    training_rounds, restarts = 1, True

    def keep(self, memory):
        raise AssertionError("the pool is never labelled")

    def loss(self, who, batch, play, task, memory):
        pool = batch.unlabelled
        u, z = play["teacher"](pool["weak"]), play["student"](pool["strong"])
        confidence, label = u.softmax(-1).max(-1)
        kept = (confidence >= self.threshold).to(u)
        terms = {"supervised": self._on_labels(play["student"], batch, task)}
        terms["pool"] = self.weight * mean(kl(sharpen(u, self.temperature), z), kept)
        if self.entropy:
            s = play["student"](pool["weak"])
            terms["entropy"] = self.entropy * cross_entropy(s.softmax(-1), s).mean()
        return Terms(terms, {"label": label, "confidence": confidence, "weight": kept})


@pytest.mark.parametrize("entropy_s_weight", [0.0, 0.3])
def test_all_of_the_pool_is_relevant_by_default_bit_for_bit(entropy_s_weight):
    runs = [
        train(kind(threshold=0.5, entropy=entropy_s_weight), TASK, Dropping, loader_of(), Training(20, lr=1e-2, seed=7))
        for kind in (Uda, OfTheWholePool)
    ]
    assert runs[0].history == runs[1].history
    assert all(torch.equal(t, runs[1].tensors()[n]) for n, t in runs[0].tensors().items())
    assert Uda().starts(20) == [0, 20]


def test_the_surest_of_each_class_are_relevant():
    memory = Memory(9)
    sure = torch.tensor([0.9, 0.5, 0.8, 0.7, 0.99, 0.4, 0.45, 0.41, 0.6])
    memory.write(torch.arange(9), torch.tensor([0, 0, 0, 0, 0, 2, 2, 2, 1]), sure, torch.ones(9))
    for share, kept in ((0.4, [1, 0, 0, 0, 1, 0, 1, 0, 1]), (0.6, [1, 0, 1, 0, 1, 0, 1, 1, 1]), (0.01, [4, 6, 8])):
        Uda(relevance=share).keep(memory)
        found = memory.weight.nonzero()[:, 0].tolist() if len(kept) == 3 else memory.weight.tolist()
        assert found == kept


def surest(net: nn.Module, share: float) -> list[float]:
    """1 for the surest share of each class that the network predicts."""
    p = softmax(logits(net, X_U), axis=1)
    kept = np.zeros(N)
    for c in range(C):
        mine = np.flatnonzero(p.argmax(1) == c)
        kept[mine[np.argsort(-p[mine, c])[: max(round(share * len(mine)), 1)]]] = 1
    return kept.tolist()


def test_irrelevant_units_count_in_no_sum():
    method, memory, seats = Uda(threshold=0.5, entropy=0.3, relevance=0.5), Memory(N), seats_of(student=1, teacher=2)
    assert values(method.loss("student", batch_of(), seats, TASK, memory)) == {
        "supervised": pytest.approx(-log_softmax(logits(Net(1), X_L), axis=1)[Y >= 0, Y[Y >= 0]].mean())
    }
    memory.round, relevant = 1, np.arange(N) % 3 > 0
    memory.write(torch.arange(N), torch.zeros(N, dtype=torch.int64), torch.ones(N), torch.tensor(1.0 * relevant))
    u, z, s = logits(Net(2), X_U), logits(Net(1), X_S), softmax(logits(Net(1), X_U), axis=1)
    sharp, kept = softmax(u / 0.4, axis=1), relevant * (softmax(u, axis=1).max(1) >= 0.5)
    assert 0 < kept.sum() < relevant.sum()
    terms = method.loss("student", batch_of(), seats, TASK, memory)
    divergence = (sharp * (np.log(sharp) - log_softmax(z, axis=1))).sum(1)
    assert values(terms)["pool"] == pytest.approx((kept * divergence).sum() / N)
    assert values(terms)["entropy"] == pytest.approx(0.3 * (relevant * entropy(s)).sum() / N)
    assert terms.seen == {}


def followed(method, loader, steps=11):
    """A run and its students after each step."""
    students: list[nn.Module] = []

    def look(run):
        students.append(copy.deepcopy(run.seats["student"].module))
        return {}

    training = Training(steps, lr=1e-2, seed=7, records=steps)
    return train(method, TASK, Net, loader, training, watch=look), students


def test_the_labels_alone_are_learnt_first_and_that_network_says_what_is_relevant():
    method = Uda(threshold=0.0, relevance=0.5)
    assert method.starts(11) == half_first(11, 2) == [0, 6, 11]
    run, students = followed(method, loader_of())
    _, supervised_alone = followed(Supervised(), loader_of())
    assert [h["round"] for h in run.history] == [0] * 6 + [1] * 5
    assert ["loss.pool" in h for h in run.history] == [False] * 6 + [True] * 5
    for a, b in zip(students[:6], supervised_alone, strict=False):
        assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters(), strict=True))
    assert run.memory.weight.tolist() == surest(students[5], 0.5)  # and so it stays
    assert 0 < run.memory.weight.sum() < N
    moved = (students[6].head.weight - students[5].head.weight).abs().max()
    assert 0 < moved < 2e-2  # it goes on: one step of at most 1e-2, not a network begun afresh


def test_after_weak_labels_their_network_says_at_once_what_is_relevant():
    method = Uda(threshold=0.0, relevance=0.5).settled(TASK, weak=True)
    assert method.starts(11) == [0, 1, 11]
    run, students = followed(method, loader_of())
    assert [h["round"] for h in run.history] == [0] + [1] * 10
    assert run.memory.weight.tolist() == surest(students[0], 0.5)
    assert not torch.allclose(students[-1].head.weight, students[0].head.weight)
    assert Uda().settled(TASK, weak=False) == Uda()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NoisyStudent(rounds=0), "rounds must be at least 1, got 0"),
        (lambda: NoisyStudent(most=0.5), "most must be at least 1, got 0.5"),
        (lambda: MetaPseudoLabels(student_lr=0.0), "student_lr must be above 0, got 0.0"),
        (lambda: MetaPseudoLabels(temperature=2.0), r"temperature must be in \(0, 1\], got 2.0"),
        (lambda: DeepCoTraining(epsilon=-1.0), "epsilon must be at least 0, got -1.0"),
        (lambda: Uda(entropy=-1.0), "entropy must be at least 0, got -1.0"),
        (lambda: Uda(relevance=0.0), r"relevance must be in \(0, 1\], got 0.0"),
        (lambda: Uda(warm_up=1.5), r"warm_up must be in \[0, 1\], got 1.5"),
    ],
)
def test_out_of_range_hyper_parameters_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
