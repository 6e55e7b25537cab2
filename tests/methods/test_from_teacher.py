"""Methods that learn from a brought teacher: each against its limit, a hand count, autograd or finite differences."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from torch import nn

from tutelage.data import Features, Loader, Tokens, WordFeatures
from tutelage.data.heard import Heard
from tutelage.game import Equipped, Player
from tutelage.methods import AlmKd, Dho, Distil, Lelp, MultiTeacher, Nd, Slam
from tutelage.methods.alm_kd import look_ahead
from tutelage.methods.dho import SHARES, SHARPNESSES
from tutelage.methods.lelp import beyond_classes, projections
from tutelage.methods.multi_teacher import agreement
from tutelage.methods.nd import fitting, norm_and_direction
from tutelage.methods.slam import likeliest, log_mixed, reliability
from tutelage.modalities.head import Head
from tutelage.tasks import Classification, Segmentation, Tagging
from tutelage.train import Training, train
from tutelage.train.loop import game_of

TASK = Classification(3)
HARD = 1e-6


def draw(*shape, seed=0, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


SAID = draw(20, 3, seed=3).softmax(-1)
SAID[4] = torch.nan
OF_LABELS = draw(6, 3, seed=4).softmax(-1)


def loader(said=SAID, heard=None, **changes):
    parts = Features(draw(6, 4)), torch.arange(6) % 3, Features(draw(20, 4, seed=1)), 4, 8, 0
    return dataclasses.replace(Loader(*parts, said=said, heard=heard), **changes)


def run_of(method, given=None, steps=12, hidden=0):
    with torch.random.fork_rng():
        torch.manual_seed(5)
        network = Head(4, 3, hidden)
    return train(method, TASK, network, loader() if given is None else given, Training(steps=steps, lr=1e-2))


def state(method, given=None, **more):
    return run_of(method, given, **more).seats["student"].module.state_dict()


def begun(method, given=None, hidden=0):
    with torch.random.fork_rng():
        torch.manual_seed(5)
        network = Head(4, 3, hidden)
    game = game_of(method.settled(TASK), TASK, network, loader() if given is None else given, Training(steps=12))
    run = game.begin()
    return run, game.loader.batch(0, 0.5)


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(t, other[n]) for n, t in one.items())


# DHO


def test_dho_with_share_1_answers_by_its_main_head_bit_for_bit():
    kept, x = run_of(Dho(share=1.0)).network().eval(), draw(9, 4, seed=7)
    assert torch.equal(kept(x), kept.body(x))
    assert torch.equal(run_of(Dho(share=0.0)).network().eval()(x), kept.brought["teacher"](x) / 0.5)


def test_no_gradient_of_dho_s_teacher_reaches_the_main_head_and_none_of_the_labels_the_other():
    run, batch = begun(Dho(), loader(heard=Heard(labelled=lambda: OF_LABELS)), hidden=5)
    terms, module = run.method.loss("student", batch, run.seats, TASK, run.memory).terms, run.seats["student"].module
    main, other = module.body.layers[-1].weight, module.brought["teacher"].weight
    below = module.body.layers[1].weight

    def norm(name, p):
        (found,) = torch.autograd.grad(terms[name], p, retain_graph=True, allow_unused=True)
        return 0.0 if found is None else float(found.norm())

    assert [norm(n, main) > 0 for n in ("supervised", "pool", "teacher on labels")] == [True, False, False]
    assert [norm(n, other) > 0 for n in ("supervised", "pool", "teacher on labels")] == [False, True, True]
    assert all(norm(n, below) > 0 for n in terms)


def test_dho_s_losses_are_those_of_the_paper_by_numpy():
    run, batch = begun(Dho(temperature=3.0, weight=2.0), loader(heard=Heard(labelled=lambda: OF_LABELS)))
    terms, module = run.method.loss("student", batch, run.seats, TASK, run.memory).terms, run.seats["student"].module
    k = {}
    for name, x in (("pool", batch.unlabelled["weak"]), ("teacher on labels", batch.labelled["weak"])):
        k[name] = (x @ module.brought["teacher"].weight.T + module.brought["teacher"].bias).detach().numpy() / 3
    said = {"pool": SAID[batch.unlabelled.index].numpy(), "teacher on labels": OF_LABELS[batch.labelled.index].numpy()}
    for name, z in k.items():
        q = np.exp(z) / np.exp(z).sum(1, keepdims=True)
        p = said[name] ** (1 / 3)
        p = p / p.sum(1, keepdims=True)
        each = np.nan_to_num((p * np.log(p / q)).sum(1))  # 0 where it is silent
        assert float(terms[name].detach()) == pytest.approx(2 * 9 * each.mean(), rel=1e-5)


def test_dho_mixes_probabilities():
    z, k = draw(5, 3), draw(5, 3, seed=1)
    p = Dho(share=0.3, sharpness=2.0).answer(z, {"teacher": k}).softmax(-1)
    torch.testing.assert_close(p, 0.3 * z.softmax(-1) + 0.7 * (k / 2).softmax(-1))


def test_share_and_sharpness_are_those_of_the_greatest_likelihood():
    y = np.arange(40) % 3
    own, other = (2 * draw(40, 3, seed=s).double().numpy() for s in (0, 1))
    own[np.arange(40), y] += 1.0
    other[np.arange(40), y] += 2.0

    def loss(share, sharpness):
        a, b = (np.exp(z) / np.exp(z).sum(1, keepdims=True) for z in (own, other / sharpness))
        return -np.log((share * a + (1 - share) * b)[np.arange(40), y]).sum()

    told = {"teacher": torch.tensor(other)}
    found = Dho().settled(TASK).chosen(torch.tensor(own), told, np.append(y[:-1], -1))
    again = Dho().settled(TASK).chosen(torch.tensor(own), told, y)
    assert 0 < again.share < 1 and found.temperature == again.temperature == 2.0
    best = min(loss(a, b) for a in SHARES for b in SHARPNESSES)
    assert loss(again.share, again.sharpness) == pytest.approx(best, rel=1e-9)
    assert Dho().chooses and not Dho(share=0.5).chooses
    unknown = Dho().settled(TASK).chosen(torch.tensor(own), told, np.full(40, -1))
    assert (unknown.share, unknown.sharpness) == (0.5, 0.5)


# SLaM


def heard(labelled=OF_LABELS, **more):
    return Heard(labelled=lambda: labelled, **more)


def test_slam_with_a_1_is_hard_distillation_bit_for_bit():
    given = loader(heard=heard())
    assert same(state(Slam(floor=1.0), given), state(Distil(temperature=HARD), given))
    assert same(state(Slam(floor=1.0, hard=False), given), state(Distil(), given))
    assert not same(state(Slam(), given), state(Distil(temperature=HARD), given))


def test_slam_without_a_word_on_labels_is_hard_distillation():
    assert same(state(Slam()), state(Distil(temperature=HARD)))
    silent = loader(heard=heard(torch.full((6, 3), torch.nan)))
    assert same(state(Slam(), silent), state(Distil(temperature=HARD)))


def test_the_mixed_prediction_is_the_paper_s_and_its_gradient_that_of_finite_differences():
    z, a = draw(6, 3, dtype=torch.float64).requires_grad_(), torch.linspace(0.5, 1, 6, dtype=torch.float64)
    errs = (draw(6, 3, seed=2) > 0).double()
    f = z.detach().softmax(-1)
    mixed = a[:, None] * f + (1 - a[:, None]) * (1 - f) * errs
    torch.testing.assert_close(log_mixed(z, a, errs).exp().detach(), mixed)
    assert torch.autograd.gradcheck(lambda z: log_mixed(z, a, errs), (z,), eps=1e-6, atol=1e-6)


def test_a_sure_prediction_gives_finite_losses_and_gradients():
    z = torch.tensor([[200.0, -200.0, 0.0]] * 2, requires_grad=True)
    found = log_mixed(z, torch.tensor([1.0, 0.7]), torch.tensor([[1.0, 1.0, 0.0]] * 2))
    found.sum().backward()
    assert found.isfinite().all() and z.grad.isfinite().all()


def test_reliability_rises_with_the_margin_and_is_the_mean_where_it_would_fall():
    said = torch.tensor([[0.55, 0.45], [0.6, 0.4], [0.7, 0.3], [0.9, 0.1]])
    found = reliability(said, torch.tensor([0, 1, 1, 0]), said)  # right, wrong, wrong, right: pooled by hand
    torch.testing.assert_close(found, torch.tensor([1 / 3, 1 / 3, 1 / 3, 1.0]))
    kept = Slam(floor=0.6).remembers(loader(heard=heard()), TASK)["right"]
    assert kept.min() >= 0.6 and kept.max() <= 1


def test_the_likeliest_classes_are_counted_until_they_hold_enough_true_ones():
    said = torch.tensor([[0.5, 0.3, 0.1, 0.1], [0.5, 0.3, 0.15, 0.05], [0.7, 0.1, 0.15, 0.05]])
    assert likeliest(said, torch.tensor([0, 1, 2]), 1.0) == 2
    assert likeliest(said, torch.tensor([0, 1, 1]), 1.0) == 3
    assert likeliest(said, torch.tensor([0, 1, 1]), 0.6) == 2


# ALM-KD


def test_alm_kd_s_look_ahead_is_autograd_s():
    n, m, d, c, step = 7, 5, 4, 3, 0.3
    rows, held = draw(n, d, dtype=torch.float64), draw(m, d, seed=1, dtype=torch.float64)
    y, y_held = torch.arange(n) % c, torch.arange(m) % c
    w = torch.rand(n, generator=torch.Generator().manual_seed(2), dtype=torch.float64).requires_grad_()
    layer = nn.Linear(d, c, dtype=torch.float64)
    params = [p.detach().requires_grad_() for p in layer.parameters()]

    def logits(x, weight, bias):
        return x @ weight.T + bias

    each = nn.functional.cross_entropy(logits(rows, *params), y, reduction="none")
    grads = torch.autograd.grad((w * each).sum(), params, create_graph=True)
    after = [p - step * g for p, g in zip(params, grads, strict=True)]
    known = torch.tensor([1.0, 1.0, 0.0, 1.0, 1.0], dtype=torch.float64)
    loss = nn.functional.cross_entropy(logits(held, *after), y_held, reduction="none")
    (expected,) = torch.autograd.grad((known * loss).mean(), w)
    one_hot = nn.functional.one_hot
    slopes = (logits(rows, *params).softmax(-1) - one_hot(y, c)).detach()
    found = look_ahead(
        slopes, w.detach(), rows, logits(held, *params).detach(), held, one_hot(y_held, c).double(), known, step
    )
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=1e-6)


def test_the_slope_of_alm_kd_s_divergence_is_autograd_s():
    method, z = AlmKd(temperature=3.0), draw(5, 3, dtype=torch.float64).requires_grad_()
    said = draw(5, 3, seed=1, dtype=torch.float64).softmax(-1)
    (expected,) = torch.autograd.grad(method.divergence(said, z).sum(), z)
    torch.testing.assert_close(method.slope(said, z).detach(), expected)


def test_alm_kd_at_rate_0_keeps_its_first_weights_and_learns_all_labels():
    given = loader(heard=heard())
    run = run_of(AlmKd(rate=0.0, start=0.7), given, steps=30)
    assert AlmKd(rate=0.0).reserve == 0.0
    torch.testing.assert_close(run.memory.kept["of labels"], torch.tensor([[0.3, 0.7]] * 6))
    assert (run.memory.kept["of pool"] == torch.tensor(0.7)).all()
    moved = run_of(AlmKd(start=0.7), given, steps=30).memory.kept
    assert (moved["of labels"] != run.memory.kept["of labels"]).any(1).sum() >= 4  # all but those held back
    assert (moved["of pool"] != torch.tensor(0.7)).sum() > 10


def test_labels_of_a_class_that_no_held_label_has_keep_their_weight():
    given = loader(heard=heard())
    held = int(given.reserving(0.2)._reserved[0])  # one of six
    run = run_of(AlmKd(confirmed=False, warm=0.0), given, steps=30)
    same_class = given.target == given.target[held]
    moved = run.memory.kept["of labels"][:, 0] != torch.tensor(1 - 0.9)
    assert moved.tolist() == (same_class & (torch.arange(6) != held)).tolist()


def test_a_label_whose_teacher_is_silent_counts_fully_at_first():
    silent = OF_LABELS.clone()
    silent[2] = torch.nan
    kept = AlmKd(start=0.9).remembers(loader(heard=heard(silent)), TASK)
    assert kept["of labels"][2, 0] == 1.0 and kept["counts of labels"].tolist() == [1, 1, 0, 1, 1, 1]
    assert AlmKd().remembers(loader(), TASK)["of labels"][:, 0].tolist() == [1.0] * 6


def test_alm_kd_lets_wrong_labels_fade():
    x, y = load_digits(return_X_y=True)
    x, y = torch.tensor(x, dtype=torch.float32) / 16, torch.tensor(y)
    wrong = torch.rand(400, generator=torch.Generator().manual_seed(0)) < 0.4
    given = torch.where(wrong, (y[:400] + 1 + torch.arange(400) % 9) % 10, y[:400])
    told = torch.where(torch.arange(len(y)) % 5 > 0, y, (3 * y + 1) % 10)  # a teacher that errs in one of five
    of_pool, beside = (nn.functional.one_hot(told[i], 10) * 0.5 + 0.05 for i in (slice(400, 900), slice(0, 400)))
    made = Loader(Features(x[:400]), given, Features(x[400:900]), 64, 64, said=of_pool, heard=heard(beside))
    run = train(AlmKd(), Classification(10), Head(64, 10, 32), made, Training(steps=300, lr=3e-3))
    own, learnt = run.memory.kept["of labels"][:, 0], np.ones(400, dtype=bool)
    learnt[made.reserving(0.2)._reserved] = False
    assert np.corrcoef(own[learnt].numpy(), ~wrong[learnt].numpy())[0, 1] > 0.2


# Several teachers


def test_equal_teachers_are_one_teacher_distilled():
    given = loader(heard=Heard(each=lambda: torch.stack([SAID, SAID], 1)))
    assert same(state(MultiTeacher(agreed="mean"), given), state(Distil(), given))
    assert same(state(MultiTeacher(), given), state(Distil(temperature=HARD), given))
    assert same(state(MultiTeacher()), state(Distil()))  # one teacher alone is not of one mind with another


def test_teachers_agree_where_two_speak_and_say_the_same():
    nan = [torch.nan] * 2
    each = torch.tensor([
        [[0.9, 0.1], [0.7, 0.3], nan], [[0.9, 0.1], [0.3, 0.7], nan], [[0.9, 0.1], nan, nan], [nan, nan, nan],
    ])  # fmt: skip
    mean, agree, speaks = agreement(each)
    assert agree.tolist() == [True, False, False, False] and speaks.tolist() == [True, True, True, False]
    torch.testing.assert_close(mean, torch.tensor([[0.8, 0.2], [0.6, 0.4], [0.9, 0.1], [0.5, 0.5]]))


def test_a_row_s_temperature_rises_with_its_entropy():
    method, p = MultiTeacher(temperature=3.0), torch.tensor([[0.5, 0.5], [0.9, 0.1], [1.0, 0.0]])
    unsure = -(0.9 * np.log(0.9) + 0.1 * np.log(0.1)) / np.log(2)
    t = 1 + 2 * unsure
    expected = 0.9 ** (1 / t) / (0.9 ** (1 / t) + 0.1 ** (1 / t))
    assert method.warmed(p)[:, 0].tolist() == pytest.approx([0.5, expected, 1.0], rel=1e-5)


# LELP


def test_the_parts_of_a_class_sum_to_what_the_teacher_said_of_it():
    kept = Lelp(parts=5, sharpness=0.7).remembers(loader(), TASK)
    q = kept["said"][:, None] * kept["within"]
    spoken = ~SAID.isnan().any(1)
    torch.testing.assert_close(q.sum(1)[spoken], SAID[spoken], atol=1e-6, rtol=0)
    assert kept["within"].std(1)[spoken].max() > 0.05  # the parts differ


def test_lelp_with_one_part_is_distillation_bit_for_bit():
    for temperature in (1.0, 0.5):
        assert same(state(Lelp(parts=1, temperature=temperature)), state(Distil(temperature=temperature)))


def test_lelp_answers_by_the_sum_over_the_parts():
    z, other = draw(5, 3), draw(5, 3, seed=1)
    joint = torch.cat([z, other], 1).softmax(-1)
    found = Lelp(parts=2).answer(z, {"part1": other}).softmax(-1)
    torch.testing.assert_close(found, joint[:, :3] + joint[:, 3:])


def test_lelp_s_loss_is_that_over_all_parts_by_numpy():
    run, batch = begun(Lelp(parts=3), hidden=5)
    for player in run.seats.values():
        player.module.eval()
    terms = run.method.loss("student", batch, run.seats, TASK, run.memory).terms
    logits, beside = run.seats["student"].aside(batch.unlabelled["weak"])
    z = torch.cat([logits, *beside.values()], 1).detach().double().numpy()
    log_p = z - np.log(np.exp(z).sum(1, keepdims=True))
    kept, u = run.memory.kept, batch.unlabelled.index
    q = (kept["said"][u][:, None] * kept["within"][u]).flatten(1).double().numpy()
    each = -(q * log_p).sum(1) * kept["counts"][u].numpy()
    assert float(terms["pool"].detach()) == pytest.approx(each.mean(), rel=1e-5)


def test_the_directions_that_decide_a_linear_teacher_are_taken_out():
    rng = np.random.default_rng(0)
    rows, weight = rng.standard_normal((200, 6)), rng.standard_normal((6, 3))
    z = rows @ weight
    said = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    left = beyond_classes(rows, said, np.ones(200, bool))
    differences = weight - weight.mean(1, keepdims=True)
    assert np.abs(left @ differences).max() < 1e-8 * np.abs(rows @ differences).max()
    assert np.linalg.matrix_rank(left, tol=1e-8) == 4


def test_directions_are_turned_principal_components_of_variance_one():
    rng = np.random.default_rng(0)
    rows, of = rng.standard_normal((50, 5)) * [4, 3, 2, 1, 0.5], np.arange(50) < 30
    found = projections(rows, of, 2, np.random.default_rng(1))
    np.testing.assert_allclose(found[of].std(0), 1, atol=1e-12)
    plane = PCA(2).fit(rows[of]).transform(rows)
    left = found - plane @ np.linalg.lstsq(plane, found, rcond=None)[0]
    assert np.abs(left).max() < 1e-10  # in the plane of the first two, however it is turned
    assert not projections(rows, np.arange(50) < 1, 2, rng).any()


# ND


def test_nd_at_norm_0_is_distillation_bit_for_bit():
    found = {n.removeprefix("body."): t for n, t in state(Nd(norm=0.0, temperature=1.0)).items()}
    assert same({n: t for n, t in found.items() if not n.startswith("brought")}, state(Distil(divergence="kl")))


def test_norm_and_direction_by_hand():
    rows = torch.tensor([[3.0, 4.0], [3.0, 4.0], [0.0, 2.0]])
    ahead = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, -1.0]])
    found = norm_and_direction(rows, ahead, torch.tensor([10.0, 5.0, 1.0]))
    torch.testing.assert_close(found, torch.tensor([1 - 3 / 10, 1 - 5 / 5, 1 + 2 / 2]))


def test_nd_s_directions_are_the_class_means_of_what_the_teacher_sees():
    seen = draw(20, 3, seed=9)
    kept = Nd(size=3).remembers(loader(heard=Heard(features=lambda: (seen, draw(6, 3)))), TASK)
    label, spoken = SAID.nan_to_num().argmax(1), ~SAID.isnan().any(1)
    for c in range(3):
        mean = seen[spoken & (label == c)].mean(0)
        torch.testing.assert_close(kept["directions"][:, c], mean / mean.norm())
    torch.testing.assert_close(kept["lengths"], seen.norm(dim=1))


def test_features_keep_their_lengths_in_another_number_of_dimensions():
    rows = draw(8, 2) @ draw(2, 5, seed=1)  # of rank 2
    torch.testing.assert_close(fitting(rows, 3).norm(dim=1), rows.norm(dim=1), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(fitting(rows, 7) @ fitting(rows, 7).T, rows @ rows.T)


def test_nd_draws_the_student_along_the_teacher_s_class():
    seen = nn.functional.one_hot(SAID.nan_to_num().argmax(1), 3) * 5.0
    given, away = loader(heard=Heard(features=lambda: (seen, seen[:6]))), []
    for norm in (0.0, 20.0):
        run = run_of(Nd(norm=norm, size=3), given, steps=200, hidden=8)
        module = run.seats["student"].module
        assert isinstance(module, Equipped)
        rows = Player(module.eval()).aside(given.unlabelled.rows)[1]["adapter"]
        away.append(norm_and_direction(rows, seen / 5, torch.full((20,), 5.0)).detach().mean())
    assert away[1] < 0.5 * away[0]


# All of them


@pytest.mark.parametrize("method", [Dho(), Slam(), AlmKd(), MultiTeacher(), Lelp(), Nd()], ids=lambda m: m.name)
def test_without_a_teacher_and_for_pixels_each_says_what_is_wrong(method):
    with pytest.raises(ValueError, match=f"{method.name} learns what a teacher said, but none was brought"):
        run_of(method, loader(said=None))
    with pytest.raises(ValueError, match=f"{method.name} remembers each unit from step to step"):
        method.settled(Segmentation(3))


@pytest.mark.parametrize("method", [Dho(), Slam(), AlmKd(), MultiTeacher(), Lelp(), Nd()], ids=lambda m: m.name)
def test_words_of_sentences_have_teachers_too(method):
    pool, labelled = (WordFeatures(draw(n, 4, seed=n), np.array([4, n - 4])) for n in (20, 6))
    given = Loader(labelled, torch.arange(6) % 3, pool, 2, 2, said=SAID, heard=heard())
    run = train(method, Tagging(3, ("O", "B-X", "I-X")), Head(4, 3, 5), given, Training(4))
    assert run.network().eval()(pool.rows).isfinite().all()


@pytest.mark.parametrize("method", [Lelp(), Nd()], ids=lambda m: m.name)
def test_where_nobody_knows_what_the_teacher_sees_it_is_said(method):
    given = loader(unlabelled=Tokens([{"input_ids": [1, 2]}] * 20))
    with pytest.raises(ValueError, match=f"{method.name} needs what the teacher sees of each item"):
        method.remembers(given, TASK)
    seen = draw(20, 3), draw(6, 3)
    assert len(method.remembers(dataclasses.replace(given, heard=Heard(features=lambda: seen)), TASK)["said"]) == 20
