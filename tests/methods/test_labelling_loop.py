"""Methods of the labelling loop, and the criteria of self-training, against numpy and against their limits."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax
from torch import nn

from tutelage.bench.keys import plain
from tutelage.data import Features, Loader
from tutelage.fit.fit import settings
from tutelage.game import Player
from tutelage.memory import Memory
from tutelage.methods import (
    AcTune,
    Debiased,
    Ensemble,
    FixMatch,
    Hast,
    Nest,
    SelfTraining,
    Supervised,
    Ust,
    Verips,
)  # fmt: skip
from tutelage.methods.actune import over_frequency
from tutelage.methods.hast import agreement, class_weights
from tutelage.methods.nest import divergence
from tutelage.methods.ust import by_variance, draw_of_each_class
from tutelage.modalities.head import Head
from tutelage.ops.thresholds import least_error
from tutelage.tasks import Classification
from tutelage.train import Training, train
from tutelage.train.prediction import blocks
from tutelage.train.run import equipped

TASK = Classification(3)
RNG = np.random.default_rng(0)


def rows_of(seed: int = 0, n: int = 90) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of three classes that overlap."""
    y = torch.arange(n) % 3
    x = torch.randn(n, 5, generator=torch.Generator().manual_seed(seed))
    x[:, :3] += 1.5 * torch.eye(3)[y]
    return x, y


def made() -> Loader:
    x, y = rows_of()
    return Loader(Features(x[:15]), y[:15], Features(x[15:]), 15, 75, seed=2, strong=[Features(x[15:] + 0.2)])


@pytest.fixture(scope="module")
def loader():
    return made()


def network(dropout: float = 0.2) -> Head:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Head(5, 3, 8, dropout)


def trained(method, loader, steps=40, net=None, **changes):
    return train(method, TASK, net or network(), loader, Training(**({"steps": steps, "lr": 1e-2} | changes)))


def same(one, other, who="student"):
    expected = other.seats[who].module.state_dict()
    return all(torch.equal(t, expected[n]) for n, t in one.seats[who].module.state_dict().items())


def surveyed(method, rounds):
    """The memory of a method after rounds, each of which says other logits of the pool: [(logits, rows), ...]."""
    n = len(rounds[0][0])
    empty = Features(torch.zeros(n, 1))
    memory = Memory(n, labellers=method.rule.movers)
    memory.kept = method.remembers(Loader(empty, torch.zeros(n, dtype=torch.int64), empty), TASK)
    for at, (logits, rows) in enumerate(rounds, start=1):
        memory.round = at
        p, label = logits.softmax(-1).max(-1)
        memory.write(torch.arange(n), label, p, torch.ones(n))
        if method.surveys:
            method.survey("student", iter([(torch.arange(n), logits, rows)]), memory, TASK)
        method.keep(memory)
        memory.between.clear()
    return memory


# AcTune


def test_a_momentum_that_keeps_nothing_leaves_what_the_last_round_said():
    says = [torch.tensor(RNG.normal(size=(20, 3)), dtype=torch.float32) for _ in range(3)]
    memory = surveyed(AcTune(rounds=3, momentum=1.0, last_momentum=1.0), [(z, torch.empty(20, 0)) for z in says])
    assert torch.equal(memory.kept["g"], says[-1].softmax(-1))
    assert torch.equal(memory.label.long(), says[-1].argmax(-1))


def test_a_momentum_averages_the_rounds_on_a_line_from_its_first_to_its_last_value():
    says = [RNG.normal(size=(20, 3)) for _ in range(3)]
    memory = surveyed(AcTune(rounds=4), [(torch.tensor(z, dtype=torch.float32), torch.empty(20, 0)) for z in says])
    g = softmax(says[0], 1)
    for t in (1, 2):
        m = (1 - t / 4) * 0.8 + t / 4 * 0.9
        g = m * softmax(says[t], 1) + (1 - m) * g
    np.testing.assert_allclose(memory.kept["g"], g, atol=1e-6)
    np.testing.assert_array_equal(memory.weight, (g.max(1) > 0.6).astype(float))
    np.testing.assert_allclose(memory.kept["frequency"], g.sum(0), rtol=1e-5)


def test_labels_over_the_frequency_of_their_class_are_those_of_numpy_and_of_certain_ones_the_same():
    g = softmax(RNG.normal(size=(7, 4)) * 3, 1)
    t = g**2 / g.sum(0)
    found = over_frequency(torch.tensor(g), torch.tensor(g.sum(0)))
    np.testing.assert_allclose(found, t / t.sum(1, keepdims=True), rtol=1e-12)
    certain = torch.eye(4)[torch.tensor([0, 0, 2])]  # two classes that nobody is of
    assert torch.equal(over_frequency(certain, certain.sum(0)), certain)


def test_the_soft_labels_of_the_loss_are_those_of_the_whole_pool(loader):
    run = trained(AcTune(rounds=2, threshold=0.4), loader)
    batch, g = loader.batch(0, 0.5), run.memory.kept["g"].double().numpy()
    student = Player(run.seats["student"].module.eval())
    found = AcTune(threshold=0.4).loss("student", batch, {"student": student}, TASK, run.memory).terms["pool"].item()
    i = batch.unlabelled.index.numpy()
    t = g**2 / g.sum(0)
    log_q = log_softmax(student(batch.unlabelled["weak"]).detach().double().numpy(), 1)
    kept = (g.max(1) > 0.4)[i]
    expected = np.mean(kept * -((t / t.sum(1, keepdims=True))[i] * log_q).sum(1))
    assert found == pytest.approx(expected, rel=1e-5)
    assert 0 < kept.mean() <= 1


# HAST


def test_the_share_of_neighbours_that_agree_is_that_of_a_search_by_hand():
    x, label = RNG.normal(size=(40, 6)), RNG.integers(0, 3, 40)
    z = x / np.linalg.norm(x, axis=1, keepdims=True)
    cosine = z @ z.T - 9 * np.eye(40)
    near = np.argsort(-cosine, axis=1)[:, :7]
    expected = (label[near] == label[:, None]).mean(1)
    np.testing.assert_allclose(agreement(x, torch.tensor(label), 7), expected)


@pytest.mark.parametrize("balance", [False, True])
def test_all_weights_of_labels_and_pseudo_labels_sum_to_one(balance, loader):
    method = Hast(rounds=1, weight=0.3, class_weights=balance)
    run = trained(method, loader)
    n, labels = len(run.memory.weight), 15
    kept = run.memory.weight > 0
    assert kept.any()
    of_labels = float(run.memory.kept["share of labels"])
    assert of_labels + 0.3 * float(run.memory.weight.sum()) / n == pytest.approx(1.0, rel=1e-5)
    if not balance:  # each pseudo-label counts 0.3 as much as a label
        each = 0.3 * float(run.memory.weight.max()) / n
        assert each / (of_labels / labels) == pytest.approx(0.3, rel=1e-5)


def test_neighbours_that_are_all_rows_leave_the_commonest_class_alone():
    label = torch.tensor([0] * 12 + [1] * 5 + [2] * 3)
    logits = 4 * torch.eye(3)[label]
    method, memory = Hast(neighbours=1000), Memory(20)
    memory.kept, memory.round = {"share of labels": torch.ones(())}, 1
    memory.write(torch.arange(20), label, torch.full((20,), 0.9), torch.ones(20))
    rows = torch.tensor(RNG.normal(size=(20, 4)))
    method.survey("student", iter([(torch.arange(20), logits, rows)]), memory, TASK)
    memory.between["labels"] = torch.tensor(4.0)
    method.keep(memory)
    assert (memory.weight > 0).tolist() == [True] * 12 + [False] * 8


def test_a_sure_label_that_its_neighbours_do_not_share_is_left_out_and_an_unsure_one_that_they_do():
    rows = torch.tensor([[1.0, 0.0]] * 4 + [[0.0, 1.0]] * 4)
    label = torch.tensor([0, 0, 0, 1, 1, 1, 1, 1])
    p = torch.tensor([0.9, 0.9, 0.4, 0.9, 0.9, 0.9, 0.9, 0.9])
    method, memory = Hast(neighbours=3), Memory(8)
    memory.kept = {"share of labels": torch.ones(())}
    memory.write(torch.arange(8), label, p, torch.ones(8))
    logits = torch.zeros(8, 3)
    method.survey("student", iter([(torch.arange(8), logits, rows)]), memory, TASK)
    memory.between["labels"] = torch.tensor(2.0)
    method.keep(memory)
    assert (memory.weight > 0).tolist() == [True, True, False, False, True, True, True, True]


def test_class_weights_are_those_of_the_released_formula_and_even_classes_weigh_alike():
    label, kept = torch.tensor([0, 0, 0, 0, 1, 1, 2, 2]), torch.tensor([1, 1, 1, 1, 1, 1, 0, 0.0])
    n = np.array([4, 2])
    expected = 10 / (1 + np.exp(-(3 - n) / n))
    np.testing.assert_allclose(class_weights(label, kept)[[0, 4, 6]], [*expected, 1.0])
    assert class_weights(torch.arange(6) % 3, torch.ones(6)).unique().tolist() == [5.0]


def test_hast_without_a_kept_label_is_labels_only_bit_for_bit(loader):
    hast = trained(Hast(rounds=1, threshold=1.0), loader)
    plain_ = SelfTraining(rounds=1, threshold=1.0, weight=0.0)
    assert same(hast, trained(plain_, loader))
    assert float(hast.memory.kept["share of labels"]) == 1.0


def test_a_network_without_a_last_layer_is_refused():
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(5, 3))

        def forward(self, x):
            return x @ self.weight

    x, y = rows_of()
    loader = Loader(Features(x[:9]), y[:9], Features(x[9:]))
    for method in (Hast(), Nest()):
        with pytest.raises(ValueError, match=f"{method.name} finds neighbours by the inputs of the last layer"):
            trained(method, loader, net=Last())


# UST


def passes_of(method, p):
    """The memory of UST after passes, (passes, n, c), of probabilities."""
    n = p.shape[1]
    memory = Memory(n)
    memory.write(torch.arange(n), torch.zeros(n, dtype=torch.int64), torch.ones(n), torch.ones(n))
    torch.manual_seed(0)
    for one in torch.tensor(p):
        method.doubt("student", iter([(torch.arange(n), one.log(), torch.empty(n, 0))]), memory, TASK)
    method.keep(memory)
    return memory


def test_weights_and_labels_are_those_of_numpy_over_the_passes():
    p = softmax(RNG.normal(size=(6, 30, 3)) * 2, 2)
    memory = passes_of(Ust(passes=6, share=1.0), p)
    label = p.mean(0).argmax(1)
    variance = p[:, np.arange(30), label].var(0)
    np.testing.assert_array_equal(memory.label, label)
    np.testing.assert_allclose(memory.confidence, p.mean(0).max(1), rtol=1e-5)
    drawn = memory.weight.numpy() > 0
    count = np.bincount(label, minlength=3)
    np.testing.assert_array_equal(np.bincount(label[drawn], minlength=3), np.minimum(count, 10))
    expected = (0.1 * np.log(1 / (variance + 1e-8)))[drawn] * 30 / drawn.sum()  # the mean over those that are drawn
    np.testing.assert_allclose(memory.weight.numpy()[drawn], expected, rtol=1e-4)


def test_one_pass_has_no_variance_and_is_refused_and_so_is_a_network_without_dropout(loader):
    with pytest.raises(ValueError, match="passes must be at least 2, got 1"):
        Ust(passes=1)
    assert by_variance(torch.zeros(4), 0.1).unique().numel() == 1  # all alike
    with pytest.raises(ValueError, match="ust needs a network with dropout"):
        trained(Ust(), loader, net=network(dropout=0.0))


def test_units_are_drawn_by_their_chances_as_many_of_each_class():
    label = torch.tensor([0] * 4000 + [1] * 40)
    chance = torch.where(torch.arange(4040) % 2 == 0, 3.0, 1.0).double()
    draw = torch.rand(4040, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    drawn = draw_of_each_class(label, chance, 0.1, draw)
    assert [int(drawn[label == c].sum()) for c in (0, 1)] == [202, 40]
    even = float(drawn[label == 0][::2].sum())
    assert abs(even / 202 - 0.74) < 0.08  # three times the chance, less what is not drawn twice
    none = draw_of_each_class(label[:10], torch.tensor([0.0] * 9 + [1.0]).double(), 0.1, draw[:10])
    assert none.nonzero().ravel().tolist() == [9]


def test_passes_with_dropout_differ_and_leave_network_and_random_state_as_they_were(loader):
    net, state = network().eval(), torch.get_rng_state()
    with torch.random.fork_rng():
        one, other, still = (
            torch.cat([z for _, z, _ in blocks(net, TASK, loader.unlabelled, dropout=d)]) for d in (True, True, False)
        )
    assert not torch.equal(one, other) and torch.equal(still, net(loader.unlabelled.rows))
    assert not net.training and not any(m.training for m in net.modules())
    trained(Ust(rounds=1), loader)
    assert torch.equal(torch.get_rng_state(), state)


def test_passes_with_dropout_keep_the_statistics_of_batch_norm():
    net = nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 3)).eval()
    before = net[1].running_mean.clone()
    list(blocks(net, TASK, Features(torch.ones(9, 5)), dropout=True))
    assert torch.equal(net[1].running_mean, before)


# VERIPS


def test_a_label_is_kept_where_the_verifier_agrees_and_the_student_is_sure():
    p = torch.tensor([[0.99, 0.005, 0.005], [0.99, 0.005, 0.005], [0.5, 0.3, 0.2]])
    entropy = -(p * p.log()).sum(1) / np.log(3)
    assert (entropy <= 0.1).tolist() == [True, True, False]
    method, memory = Verips(), Memory(3, labellers=("student", "verifier"))
    memory.kept = {"share of labels": torch.ones(())}
    memory.write(torch.arange(3), p.argmax(1), p.max(1).values, torch.ones(3))
    kept = []
    for says in ([0, 1, 0], [1, 1, 1]):  # the second time both disagree everywhere
        memory.of["verifier"].write(torch.arange(3), torch.tensor(says), torch.ones(3), torch.ones(3))
        for who in ("student", "verifier"):
            method.survey(who, iter([(torch.arange(3), p.log(), torch.empty(3, 0))]), memory, TASK)
            method.judge(who, iter(()), torch.tensor([0, 2, -1]), memory, TASK)
        method.keep(memory)
        kept.append((memory.weight.tolist(), memory.kept["share of labels"].item()))
    assert kept[0] == (pytest.approx([3 / 3, 0.0, 0.0]), pytest.approx(2 / 3))  # two labels and one unit: a third each
    assert kept[1] == ([0.0, 0.0, 0.0], 1.0)


def test_the_verifier_never_learns_the_pool(loader):
    other = dataclasses.replace(loader, unlabelled=Features(3 * loader.unlabelled.rows.flip(0)), strong=[])
    runs = [trained(Verips(entropy=1.0), one, net=network(dropout=0.0)) for one in (loader, other)]
    assert same(*runs, who="verifier") and not same(*runs)


# NeST


def test_the_divergence_from_the_nearest_labels_is_that_of_numpy():
    p, y = softmax(RNG.normal(size=(9, 3)), 1), softmax(RNG.normal(size=(6, 3)), 1)
    rows, labelled = RNG.normal(size=(9, 4)), RNG.normal(size=(6, 4))
    cosine = (rows @ labelled.T) / np.outer(np.linalg.norm(rows, axis=1), np.linalg.norm(labelled, axis=1))
    found = divergence(torch.tensor(p), rows, labelled, torch.tensor(y), 4, 0.1)
    for i in range(9):
        near = y[np.argsort(-cosine[i])[:4]]
        apart = np.mean(np.sum(near * np.log(near / p[i]), 1))
        spread = np.mean(np.sum(near * np.log(near / near.mean(0)), 1))
        assert float(found[i]) == pytest.approx(apart + 0.1 * spread, rel=1e-6)


def test_a_unit_among_labels_of_its_class_diverges_less_than_one_between_classes():
    y, labelled = torch.eye(2), np.eye(2)
    p = torch.tensor([[0.95, 0.05], [0.95, 0.05]])
    inside, between = divergence(p, np.array([[1.0, 0.0], [1.0, 1.0]]), labelled, y, 1, 1.0).tolist()
    assert inside == pytest.approx(-np.log(0.95), rel=1e-5)
    both = divergence(p, np.array([[1.0, 0.0], [1.0, 1.0]]), labelled, y, 2, 1.0)
    assert float(both[1]) == pytest.approx(-np.log(0.95 * 0.05) / 2 + np.log(2), rel=1e-5)
    assert inside == between < float(both[1])  # of one neighbour the labels do not differ


def test_nest_keeps_the_least_divergent_units_a_multiple_of_the_labels_by_the_mean_of_the_rounds(loader):
    run = trained(Nest(rounds=2, factor=2, threshold=0.0), loader, steps=60)
    kept = run.memory.weight > 0
    assert int(kept.sum()) == 30
    assert run.memory.weight[kept].tolist() == pytest.approx([75 / 30] * 30)  # of a pool of 75: their mean counts
    assert run.memory.kept["divergence"][kept].max() <= run.memory.kept["divergence"][~kept].min()
    sure = trained(Nest(rounds=2, factor=2, threshold=1.0), loader, steps=60)
    assert (sure.memory.confidence[sure.memory.weight > 0] >= 1).all() and sure.memory.weight.count_nonzero() < 30


def test_a_momentum_of_one_leaves_the_divergence_of_the_last_round_and_a_half_the_mean(loader):
    logits, rows = torch.tensor(RNG.normal(size=(2, 8, 3))), torch.tensor(RNG.normal(size=(8, 4)))
    labelled, y = torch.tensor(RNG.normal(size=(5, 4))), torch.tensor([0, 1, 2, 0, -1])
    kept = {}
    for momentum in (1.0, 0.5):
        method, memory = Nest(momentum=momentum), Memory(8)
        memory.kept = {"divergence": torch.zeros(8, dtype=torch.float64)}
        for at, z in enumerate(logits, start=1):
            memory.round = at
            memory.write(torch.arange(8), z.argmax(1), z.softmax(1).max(1).values, torch.ones(8))
            method.survey("student", iter([(torch.arange(8), z, rows)]), memory, TASK)
            method.judge("student", iter([(torch.arange(5), torch.zeros(5, 3), labelled)]), y, memory, TASK)
            method.keep(memory)
        kept[momentum] = memory.kept["divergence"]
    one_hot = torch.eye(3)[y[:4]]  # the label that is not known is nobody's neighbour
    each = [divergence(z.softmax(1), rows.numpy(), labelled[:4].numpy(), one_hot, 7, 0.1) for z in logits]
    torch.testing.assert_close(kept[1.0], each[1], check_dtype=False)
    torch.testing.assert_close(kept[0.5], (each[0] + each[1]) / 2, check_dtype=False)


# Ensembles


def test_the_members_say_together_what_each_learns_by_its_entropy():
    p = softmax(RNG.normal(size=(3, 10, 3)) * 2, 2)
    method, memory = Ensemble(members=3), Memory(10, labellers=("student", "member 1", "member 2"))
    for who, one in zip(method.rule.movers, p, strict=True):
        method.survey(who, iter([(torch.arange(10), torch.tensor(one).log(), torch.empty(10, 0))]), memory, TASK)
    method.keep(memory)
    mean = p.mean(0)
    np.testing.assert_array_equal(memory.label, mean.argmax(1))
    np.testing.assert_allclose(memory.weight, 1 + (mean * np.log(mean)).sum(1) / np.log(3), rtol=1e-4)


def test_members_begin_and_end_apart_and_learn_the_same_labels(loader):
    run = trained(Ensemble(members=3), loader)
    weights = [run.seats[who].module.state_dict()["layers.1.weight"] for who in ("student", "member 1", "member 2")]
    assert not torch.equal(weights[0], weights[1]) and not torch.equal(weights[1], weights[2])
    assert {k for k in run.history[-1] if k.endswith("pool")} == {
        "loss.student.pool", "loss.member 1.pool", "loss.member 2.pool",
    }  # fmt: skip


def test_one_member_learns_the_labels_of_its_own_old_self(loader):
    run = trained(Ensemble(members=1), loader)
    assert set(run.seats) == {"student"} and "loss.pool" in run.history[-1]


def test_a_class_that_means_none_of_these_is_learnt_as_any_other(loader):
    assert same(trained(Ensemble(members=2, other="none"), loader), trained(Ensemble(members=2), loader))


# Debiased self-training


def debiased_loss(player, loader, **fields):
    """Terms of a step whose guesses come from the first weights."""
    method = Debiased(threshold=0.0, **fields)
    still = Player(equipped(method, network(dropout=0.0), TASK, seed=0))
    return method.loss("student", loader.batch(0, 0.5), {"student": player, "teacher": still}, TASK, Memory(75)).terms


def debiased_at(loader, **fields):
    """A player of the first weights, and the terms of a step from there."""
    player = Player(equipped(Debiased(), network(dropout=0.0), TASK, seed=0))
    return player, debiased_loss(player, loader, **fields)


def slope(loss, player):
    found = torch.autograd.grad(loss, list(player.params.values()), allow_unused=True, retain_graph=True)
    return {n: g for n, g in zip(player.params, found, strict=True) if g is not None}


def test_guesses_leave_the_head_that_gives_them_alone(loader):
    player, terms = debiased_at(loader)
    of_pool = slope(terms["pool"] + terms["worst on guesses"] + terms["worst on labels"], player)
    assert not {n for n in of_pool if n.startswith("body.layers.4")}  # the last layer
    assert {n for n in of_pool if n.startswith("body.layers.1")} and {n for n in of_pool if "guesses" in n}
    assert not {n for n in slope(terms["supervised"], player) if n.startswith("brought")}


@pytest.mark.usefixtures("double_precision")
def test_features_ascend_what_the_worst_head_descends():
    loader = made()
    player, terms = debiased_at(loader)
    grads, eps = slope(terms["worst on guesses"] + terms["worst on labels"], player), 1e-6
    for name, sign in (("body.layers.1.weight", -1.0), ("brought.worst.1.2.weight", 1.0)):
        way, values = torch.randn(grads[name].shape, generator=torch.Generator().manual_seed(0)), []
        for side in (1, -1):
            moved, _ = debiased_at(loader)
            moved.params[name].data.add_(side * eps * way)
            said = debiased_loss(moved, loader)
            values.append((said["worst on guesses"] + said["worst on labels"]).item())
        expected = sign * (values[0] - values[1]) / (2 * eps)
        assert (grads[name] * way).sum().item() == pytest.approx(expected, rel=1e-5)


def test_the_worst_case_is_written_as_in_numpy(loader):
    player, terms = debiased_at(loader, worst=0.7)
    batch, module = loader.batch(0, 0.5), player.module
    with torch.no_grad():
        guess = player(batch.unlabelled["weak"]).argmax(1).numpy()
        heads = player.aside(batch.unlabelled["strong"])[1]
        q = {n: head.softmax(1).double().numpy() for n, head in heads.items()}
        on_y = player.aside(batch.labelled["weak"])[1]["worst"].log_softmax(1).double().numpy()
    i, y = np.arange(len(guess)), batch.target.numpy()
    found = {n: term.item() for n, term in terms.items()}
    assert found["worst on guesses"] == pytest.approx(0.7 * -np.log(1 - q["worst"][i, guess]).mean(), rel=1e-5)
    assert found["worst on labels"] == pytest.approx(0.7 * -on_y[np.arange(len(y)), y].mean(), rel=1e-5)
    assert found["pool"] == pytest.approx(-np.log(q["guesses"][i, guess]).mean(), rel=1e-5)
    assert set(module.brought) == {"guesses", "worst"}


def test_without_its_two_terms_it_is_labels_only_bit_for_bit_and_what_is_kept_has_no_head_of_them(loader):
    net = network(dropout=0.0)  # else other numbers are drawn
    run, alone = trained(Debiased(weight=0.0, worst=0.0), loader, net=net), trained(Supervised(), loader, net=net)
    kept, expected = run.network().state_dict(), alone.network().state_dict()
    assert kept.keys() == expected.keys() and not any("brought" in n for n in kept)
    for name, t in kept.items():
        torch.testing.assert_close(t, expected[name])
    both = [trained(kind(threshold=0.5), loader, net=net).network() for kind in (Debiased, FixMatch)]
    assert not torch.equal(*(one.state_dict()["layers.4.weight"] for one in both))


# Criteria of self-training


@pytest.mark.parametrize("theta", [0.1, 0.37, 0.8])
def test_with_two_classes_the_margin_rule_is_the_confidence_rule_at_half_one_plus_theta(theta):
    p = torch.tensor(RNG.uniform(size=500))
    logits = torch.stack([p, 1 - p], 1).log()
    weights = []
    for method in (SelfTraining(criterion="margin", threshold=theta), SelfTraining(threshold=(1 + theta) / 2)):
        memory = Memory(500)
        memory.round = 1
        memory.confidence = memory.confidence.double()
        best, label = logits.softmax(1).max(1)
        memory.write(torch.arange(500), label, best, torch.ones(500))
        method.survey("student", iter([(torch.arange(500), logits, torch.empty(500, 0))]), memory, Classification(2))
        method.keep(memory)
        weights.append(memory.weight.clone())
    assert torch.equal(*weights) and 0 < weights[0].sum() < 500


def test_a_margin_rule_is_that_of_numpy_and_ranks_where_a_share_is_kept(loader):
    z = RNG.normal(size=(40, 3)) * 2
    p = np.sort(softmax(z, 1), 1)
    memory = surveyed(SelfTraining(criterion="margin", threshold=0.4), [(torch.tensor(z), torch.empty(40, 0))])
    np.testing.assert_array_equal(memory.weight, (p[:, 2] - p[:, 1] >= 0.4).astype(float))
    memory = surveyed(SelfTraining(criterion="margin", balanced=True), [(torch.tensor(z), torch.empty(40, 0))])
    label, margin = z.argmax(1), p[:, 2] - p[:, 1]
    for c in range(3):
        kept = margin[(label == c) & (memory.weight.numpy() > 0)]
        left = margin[(label == c) & (memory.weight.numpy() == 0)]
        assert len(kept) == round((label == c).sum() / 4) and kept.min() >= left.max()


@pytest.mark.parametrize("seed", range(5))
def test_the_threshold_of_least_estimated_error_is_that_of_a_search_over_all(seed):
    p = np.random.default_rng(seed).beta(5, 1, 60).round(2)
    costs = {t: (1 + (1 - p[p >= t]).sum()) / (p >= t).sum() for t in p}
    found = least_error(torch.tensor(p))
    assert costs[found] == pytest.approx(min(costs.values()), rel=1e-9)


def test_sure_labels_are_all_kept_and_no_unit_keeps_nothing():
    assert least_error(torch.ones(5)) == 1.0
    assert least_error(torch.empty(0)) == float("inf")
    memory = surveyed(SelfTraining(criterion="transductive"), [(8 * torch.eye(3)[[0, 0, 1, 1, 2]], torch.empty(5, 0))])
    assert memory.weight.tolist() == [1.0] * 5


def test_a_share_and_a_found_threshold_exclude_each_other():
    with pytest.raises(ValueError, match="criterion must be confidence or margin where balanced keeps a share"):
        SelfTraining(balanced=True, criterion="transductive")
    with pytest.raises(ValueError, match="criterion must be one of confidence, margin, transductive, got 'sure'"):
        SelfTraining(criterion="sure")


def test_the_usual_criterion_is_in_no_fingerprint_and_no_summary():
    for shown in (plain(SelfTraining()), settings(SelfTraining())):
        assert "criterion" not in shown and "threshold" in shown
    assert plain(SelfTraining(criterion="margin"))["criterion"] == "margin"
    assert settings(SelfTraining(criterion="margin"))["criterion"] == "margin"


# Between two rounds


@pytest.mark.parametrize("method", [Hast(), Ust(rounds=1), Verips(), Nest(rounds=1), Ensemble(members=2)])
def test_what_is_held_between_two_rounds_is_dropped_when_the_next_begins(method, loader):
    assert not trained(method, loader).memory.between
