"""The choice among models that may be returned: priors, honest predictions, and brought teachers in folds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tutelage.data import Features
from tutelage.fit import comparison
from tutelage.fit.by_folds import AnswersByFolds
from tutelage.fit.evidence import Prior
from tutelage.fit.fit import fit
from tutelage.fit.labels_only import Probe
from tutelage.fit.problem import Plan, Problem, WeakLabels
from tutelage.fit.recorded import error_of
from tutelage.fit.reference import LabelsOnly
from tutelage.fit.rivals import Judge, Rival, expected
from tutelage.fit.setup import Setup
from tutelage.fit.shares import REFERENCE, shares_of
from tutelage.fit.teacher import BroughtTeacher
from tutelage.fit.teacher_paths import ALONE, FAITHFUL, LOOKED_AT, agreement, learnable
from tutelage.methods import Dho, Distil, Drift, LabelPropagation, Slam
from tutelage.modalities.head import Head
from tutelage.tasks import Classification
from tutelage.train import Training
from tutelage.weak import Source, combine

TASK = Classification(3)
PLAN = Plan(folds=3, repeats=1)
TRAINING = Training(60, lr=1e-2)


def draw(count, seed, apart=2.0):
    rng = np.random.default_rng(seed)
    y = np.arange(count) % 3
    x = rng.normal(size=(count, 5)) + apart * np.eye(3, 5)[y]
    return torch.tensor(x, dtype=torch.float32), y


def network(seed: int = 0) -> Head:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Head(5, 3, 8, 0.1)


def problem(labels=12, pool=120, apart=2.0):
    (x, y), (u, truth) = draw(labels, 0, apart), draw(pool, 1, apart)
    probe = Probe(x.numpy(), y, {"": Head(5, 3).standardise(torch.cat([x, u]), False)})
    made = Problem(TASK, Features(x), y, Features(u), network, probe, batch_labelled=12, batch_unlabelled=32)
    return made, truth


def taught(made, truth, right, seed=3):
    """The problem with a teacher whose answers on the pool and on the labels are right with this probability."""
    rng, answers = np.random.default_rng(seed), np.append(made.y, truth)
    told = np.where(rng.random(len(answers)) < right, answers, (answers + rng.integers(1, 3, len(answers))) % 3)
    table = np.full((len(answers), 3), 0.05)
    table[np.arange(len(answers)), told] = 0.9
    return BroughtTeacher([Source("told", table)], made.y).of(made)


def score(network, truth, made):
    with torch.no_grad():
        return float((network.eval()(made.pool.rows).argmax(1).numpy() == truth).mean())


def rival(mean=0.0, spread=0.1):
    return Rival("candidate", "some", LabelsOnly("some", Setup(problem()[0], TRAINING), []), Prior(mean, spread))


FOLDS = [(np.setdiff1d(np.arange(12), np.arange(k, 12, 3)), np.arange(k, 12, 3)) for k in range(3)]


def said(right):
    """Held-out predictions of 12 labels: whether each is right, or the number of the first ones that are."""
    right = np.arange(12) < right if isinstance(right, int) else np.asarray(right)
    y, p = problem()[0].y, np.full((12, 3), 0.1)
    p[np.arange(12), np.where(right, y, (y + 1) % 3)] = 0.8
    return [(out, {"probabilities": p[out]}) for _, out in FOLDS]


def verdict(rivals, held, reference=6, **options):
    return Judge(problem()[0], FOLDS, said(reference), **options).verdict(rivals, held)


def test_the_best_by_the_labels_is_chosen_and_where_labels_are_alike_the_prior_decides():
    found = verdict([rival(), rival()], [said(3), said(11)])
    assert found.shares == {1: 1.0}
    assert found.judged[1].gain > 0 > found.judged[0].gain
    assert [told.share for told in found.judged] == [0.0, 1.0]
    found = verdict([rival(0.05), rival(0.0)], [said(6), said(6)])
    assert found.best == 0
    assert found.judged[0].gain > found.judged[1].gain


def test_a_gain_is_drawn_towards_what_was_expected_by_bayes_rule():
    """One rival: the posterior mean of a normal prior, by hand."""
    change = (np.arange(12) < 9).astype(float) - (np.arange(12) < 6)
    error = (((change - change.mean()) ** 2).sum() + 1) / 144
    expected = 0.02 + 0.1**2 / (0.1**2 + error) * (change.mean() - 0.02)
    found = verdict([rival(0.02)], [said(9)])
    assert found.judged[0].gain == pytest.approx(expected)
    for (_, one), (_, other) in zip(found.honest, said(9), strict=True):
        np.testing.assert_array_equal(one["probabilities"], other["probabilities"])


def test_each_fold_is_predicted_by_the_rival_that_is_best_without_it():
    """One rival is right on the labels of the first fold alone: they may not choose it for themselves."""
    first = np.isin(np.arange(12), FOLDS[0][1])
    lucky, other = said(first), said(np.arange(12) % 2 == 0)
    found = verdict([rival(), rival()], [lucky, other], reference=0)
    np.testing.assert_array_equal(found.honest[0][1]["probabilities"], other[0][1]["probabilities"])


def test_models_that_the_labels_cannot_tell_apart_count_together_and_each_fold_has_shares_of_the_others():
    rivals, right = [rival(0.02), rival(0.02)], (8, 9)
    found = verdict(rivals, [said(n) for n in right], together=True)
    assert set(found.shares) == {REFERENCE, 0, 1}
    assert sum(found.shares.values()) == pytest.approx(1)
    assert found.shares[1] > found.shares[0] > found.shares[REFERENCE]
    answers = {number: said(n) for number, n in zip((REFERENCE, 0, 1), (6, *right), strict=True)}
    for j, (index, _) in enumerate(FOLDS):
        change = np.stack([(index < n).astype(float) - (index < 6) for n in right], axis=1)
        gains = expected([r.prior for r in rivals]).posterior(change.mean(0), error_of(change), np.arange(2))
        shares = shares_of(*gains, np.arange(2), 3)
        by_hand = sum(share * answers[i][j][1]["probabilities"] for i, share in shares.items())
        np.testing.assert_allclose(found.honest[j][1]["probabilities"], by_hand)


def test_labels_count_as_much_as_is_said():
    """A rival that is right where the labels count most is the better one."""
    rare, common = np.arange(12) < 6, np.arange(12) >= 6
    held, counts = [said(rare), said(common)], np.where(common, 3.0, 1.0)
    assert verdict([rival(), rival(-0.001)], held, reference=0).best == 0
    found = verdict([rival(), rival(-0.001)], held, reference=0, counts=counts)
    assert found.best == 1
    assert verdict([rival(), rival()], held, counts=np.ones(12)).judged == verdict([rival(), rival()], held).judged


def test_a_good_teacher_beside_few_labels_is_better_than_either():
    made, truth = problem(labels=12, apart=1.2)
    outcome = fit(taught(made, truth, 0.85), Drift(), TRAINING, Prior(0.03), PLAN)
    assert score(outcome.network, truth, made) > score(outcome.reference, truth, made) + 0.03
    assert outcome.evidence.tried == "together"
    assert outcome.method.name == "drift"
    assert sum(judged.share > 0 for judged in outcome.judged) >= 2
    assert sum(judged.share for judged in outcome.judged) <= 1 + 1e-9
    assert {j.role for j in outcome.judged} == {"candidate", "teacher"}


def test_a_teacher_that_is_wrong_is_seen_through():
    made, truth = problem(labels=36)
    outcome = fit(taught(made, truth, 0.1), Drift(), TRAINING, Prior(0.03), PLAN)
    assert score(outcome.network, truth, made) > 0.75
    assert outcome.returned != "teacher"


def test_fewer_than_two_labels_of_a_class_are_only_looked_at():
    made, truth = problem(labels=12)
    few = replace(made, labelled=made.labelled.subset(np.arange(4)), y=made.y[:4], probe=None, decays=(1e-2,))
    assert not learnable(few)
    assert learnable(made)
    outcome = fit(taught(few, truth, 0.8), Drift(), TRAINING, Prior(), PLAN)
    assert outcome.evidence is None
    assert [r.way for r in outcome.rivals] == [LOOKED_AT, ALONE]
    assert outcome.returned == "candidate"
    returned, looked_at = outcome.network.state_dict(), outcome.looked_at.state_dict()
    assert all(torch.equal(returned[name], looked_at[name]) for name in returned)


def unlabelled(made):
    return replace(made, labelled=made.labelled.subset(np.arange(0)), y=made.y[:0], probe=None)


def test_without_labels_a_game_that_leaves_the_teacher_is_not_followed(monkeypatch):
    """A game may swap two classes; nothing but the teacher could tell."""
    made, truth = problem(apart=1.5)
    none = unlabelled(made)
    followed = fit(taught(none, truth, 0.8), Drift(), TRAINING, Prior(), PLAN)
    assert (followed.returned, followed.note) == ("candidate", "")
    both = [network.eval()(made.pool.rows).softmax(-1) for network in (followed.stage_one, followed.network)]
    assert agreement(*both) >= FAITHFUL
    monkeypatch.setattr(comparison, "agreement", lambda *_: 0.08)
    left = fit(taught(none, truth, 0.8), Drift(), TRAINING, Prior(), PLAN)
    assert left.returned == "teacher"
    assert "only 8 % of what that is surest of" in left.note
    returned, alone = left.network.state_dict(), left.stage_one.state_dict()
    assert all(torch.equal(returned[name], alone[name]) for name in alone)


def test_labels_are_learnt_beside_the_teacher_and_no_fold_sees_its_held_out_ones():
    """Labels that are noise: whatever is learnt of them, held-out scores stay at chance, with a teacher calibrated."""
    made, truth = problem(labels=90)
    noise = replace(made, y=np.random.default_rng(0).permutation(made.y))
    noise = replace(noise, probe=replace(noise.probe, y=noise.y))
    rows = np.random.default_rng(1).dirichlet(np.ones(3), len(noise.y) + len(truth))
    outcome = fit(BroughtTeacher([Source("told", rows)], noise.y).of(noise), Drift(), TRAINING, Prior(), PLAN)
    for judged in outcome.judged:
        assert abs(judged.score.score - 1 / 3) < 0.17, judged


def test_a_teacher_is_calibrated_on_the_labels_of_the_fold_alone():
    made, truth = problem(labels=36)
    with_teacher = taught(made, truth, 0.4)
    calibrated = with_teacher.calibrated()
    fold = np.arange(24)
    teacher = with_teacher.teacher
    expected = teacher.labels(made.pool, fold).target
    assert torch.equal(calibrated.for_fold(fold).weak.target, expected)
    changed = BroughtTeacher(teacher.sources, np.append(made.y[:24], (made.y[24:] + 1) % 3))
    assert torch.equal(changed.labels(made.pool, fold).target, expected)
    assert calibrated.for_fold(np.arange(36)) is calibrated


def test_what_teachers_said_beyond_one_table_follows_the_labelled_rows_and_the_pool():
    made, truth = problem(labels=36)
    rules = np.full((36 + 120, 3), np.nan)
    rules[::2] = [0.8, 0.1, 0.1]
    two = BroughtTeacher([*taught(made, truth, 0.7).teacher.sources, Source("rules", rules)], made.y)
    with_two = two.of(made)
    heard, index = with_two.loader(np.array([3, 1])).heard, np.array([3, 1])
    each = heard.each()
    assert each.shape == (120, 2, 3)
    np.testing.assert_allclose(each[:, 0], two.sources[0].table[36:], atol=1e-6)
    np.testing.assert_allclose(each[:, 1], rules[36:], atol=1e-6)
    expected = combine(two.sources).probabilities[:36]
    np.testing.assert_allclose(heard.labelled(), expected[index], atol=1e-6)
    calibrated = two.calibrated(made).loader(index).heard.labelled()
    np.testing.assert_allclose(calibrated, combine(two.sources, whole(made)).held_out[index], atol=1e-6)
    assert with_two.game(True).heard.labelled is None
    assert made.loader().heard is None


def whole(made):
    return np.append(made.y, np.full(len(made.pool), -1))


def by_folds(made, truth, y=None):
    given = taught(made, truth, 0.6)
    given = given if y is None else replace(given, y=y)
    return AnswersByFolds("dho", Dho().settled(TASK), Setup(given, TRAINING), begins=True, chooses=FOLDS)


def test_the_answer_of_a_fold_is_chosen_without_its_labels():
    made, truth = problem(labels=12, apart=1.0)
    (units, first), *others = by_folds(made, truth).held_out(FOLDS)[0]
    turned = made.y.copy()
    turned[units] = (turned[units] + 1) % 3
    (_, again), *changed = by_folds(made, truth, turned).held_out(FOLDS)[0]
    np.testing.assert_array_equal(first["probabilities"], again["probabilities"])
    pairs = zip(others, changed, strict=True)
    assert any(not np.array_equal(one["probabilities"], other["probabilities"]) for (_, one), (_, other) in pairs)


def test_a_network_answers_as_all_held_out_labels_choose():
    made, truth = problem(labels=12, apart=1.0)
    both = by_folds(made, truth)
    network = both.network()[0]
    assert network.method == both._chosen(both._heads(FOLDS)) != both.method
    plain = replace(both, chooses=[]).network()[0]
    assert plain.method == both.method
    for name, t in plain.body.state_dict().items():
        assert torch.equal(t, network.body.state_dict()[name])


@pytest.mark.parametrize("method", [Dho(), Dho(share=1.0), Slam()], ids=repr)
def test_a_method_for_brought_teachers_is_a_way_of_its_own(method):
    made, truth = problem(labels=12)
    outcome = fit(taught(made, truth, 0.8), method, TRAINING, Prior(), PLAN)
    assert [r.says for r in outcome.rivals] == [
        f"{method.name} after the teacher, labels looked at", "the teacher alone", method.name,
    ]  # fmt: skip
    assert score(outcome.network, truth, made) > 0.75


def test_a_class_without_a_label_is_not_left_to_labels_only():
    made, truth = problem(labels=24)
    two = np.flatnonzero(made.y < 2)
    few = replace(made, labelled=made.labelled.subset(two), y=made.y[two], probe=None, decays=(1e-2,))
    outcome = fit(taught(few, truth, 0.9), Drift(), TRAINING, Prior(), PLAN)
    assert outcome.returned != "reference"
    assert [r.way for r in outcome.rivals] == [LOOKED_AT, ALONE]
    guess = outcome.network.eval()(made.pool.rows).argmax(1).numpy()
    assert (guess[truth == 2] == 2).mean() > 0.5


def test_what_a_method_needs_is_said():
    made, truth = problem()
    with pytest.raises(ValueError, match="distil learns what a teacher said, but none was brought"):
        fit(made, Distil(), TRAINING, Prior(), PLAN)
    none = replace(made, labelled=made.labelled.subset(np.arange(0)), y=made.y[:0], probe=None)
    with pytest.raises(ValueError, match="label_propagation needs clean labels"):
        fit(taught(none, truth, 0.9), LabelPropagation(), TRAINING, Prior(), PLAN)


def test_a_graph_follows_a_teacher_where_there_are_labels():
    made, truth = problem(labels=12)
    outcome = fit(taught(made, truth, 0.9), LabelPropagation(), TRAINING, Prior(), PLAN)
    assert not any("looked at" in j.says for j in outcome.judged)
    assert any("label_propagation after the teacher" in j.says for j in outcome.judged)


def test_rows_of_nan_are_where_the_teacher_is_silent():
    made, _ = problem()
    weak = WeakLabels(made.pool.subset(np.array([2, 5])), torch.tensor([1, -1]), np.array([2, 5]))
    said = replace(made, weak=weak).said
    assert said[2].tolist() == [0.0, 1.0, 0.0]
    assert said.isnan().any(1).sum() == len(made.pool) - 1
