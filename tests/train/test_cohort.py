"""Trainings that are done together: what is alike, what is each member's own, and what outlives a stop."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from tutelage.data import Features, Loader, WordFeatures
from tutelage.game import Ema, Stackelberg
from tutelage.methods import Drift, FlexMatch, MeanTeacher, MixMatch, SelfTraining, Supervised
from tutelage.modalities.head import Head
from tutelage.ops.draws import drawn, dropout, of_members
from tutelage.ops.stacks import linear
from tutelage.tasks import Classification
from tutelage.train import Member, Training, cohorts, predict, train, train_together
from tutelage.train.cohort import clip_each

TASK = Classification(3)
TRAINING = Training(steps=24, lr=1e-2, checkpoint_every=0, records=6)


def network(seed: int) -> Head:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Head(5, 3, 8, 0.3)


@pytest.fixture(scope="module")
def rows():
    return torch.randn(60, 5, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def pool(rows):
    return Features(rows[20:])


def member(rows, pool, seed, labels=12, **changes):
    loader = Loader(Features(rows[:labels]), torch.arange(labels) % 3, pool, 6, 8, seed, strong=[pool])
    return Member(network, dataclasses.replace(loader, **changes), seed)


@pytest.fixture
def three(rows, pool):
    return [member(rows, pool, seed) for seed in (4, 5, 6)]


def test_members_whose_batches_or_networks_have_other_shapes_are_apart(rows, pool):
    few, other = member(rows, pool, 1, labels=5), Member(lambda seed: Head(5, 3, 4), member(rows, pool, 2).loader, 2)
    members = [member(rows, pool, 3), few, member(rows, pool, 4), other, member(rows, pool, 5, labels=11)]
    assert cohorts(Supervised(), TASK, members) == [[0, 2, 4], [1], [3]]
    with pytest.raises(ValueError, match="2 trainings of supervised cannot be done together"):
        train_together(Supervised(), TASK, members[:2], TRAINING)


def test_pools_that_differ_networks_of_a_user_and_words_are_not_stacked(rows, pool):
    own = Member(lambda seed: torch.nn.Linear(5, 3), member(rows, pool, 1).loader, 1)
    words = WordFeatures(rows[:12], np.array([4, 4, 4]))
    tagged = Member(network, Loader(words, torch.arange(12) % 3, words), 1)
    for other in (member(rows, Features(rows[20:]), 1), own, tagged):
        assert cohorts(Drift().settled(TASK), TASK, [member(rows, pool, 2), other]) == [[0], [1]]


def test_a_cohort_is_as_small_as_what_it_remembers_lets_it_be(three, monkeypatch):
    monkeypatch.setattr("tutelage.train.cohort.MOST_BYTES", 2 * 40 * (12 + 12))
    assert cohorts(MeanTeacher().settled(TASK), TASK, three) == [[0, 1], [2]]


def test_a_member_does_not_depend_on_the_others_but_by_rounding(three, pool):
    method = Drift().settled(TASK)
    all_three, two = train_together(method, TASK, three, TRAINING), train_together(method, TASK, three[1:], TRAINING)
    for one, other in zip(all_three[1:], two, strict=True):
        apart = predict(one.network(), TASK, pool) - predict(other.network(), TASK, pool)
        assert apart.abs().max() < 1e-4


@pytest.mark.parametrize("method", [Drift(), SelfTraining(rounds=2), FlexMatch()], ids=lambda m: m.name)
@pytest.mark.parametrize("stop", [1, 13, 23])
def test_a_cohort_that_is_cut_off_resumes_to_the_same_bits(method, three, tmp_path, stop):
    class CutError(Exception):
        pass

    def cut(step):
        if step == stop:
            raise CutError

    path, method = tmp_path / "cohort", method.settled(TASK)
    whole = train_together(method, TASK, three, TRAINING)
    with pytest.raises(CutError):
        train_together(method, TASK, three, TRAINING, path=path, tick=cut)
    again = train_together(method, TASK, three, TRAINING, path=path)
    for one, other in zip(whole, again, strict=True):
        assert one.history == other.history
        assert all(torch.equal(t, other.tensors()[n]) for n, t in one.tensors().items())


def test_a_damaged_checkpoint_is_set_aside_and_said(three, tmp_path):
    path = tmp_path / "cohort"
    path.write_bytes(b"torn")
    with pytest.warns(UserWarning, match="these trainings begin anew"):
        runs = train_together(Supervised(), TASK, three, TRAINING, path=path)
    assert runs[0].history == train_together(Supervised(), TASK, three, TRAINING)[0].history


def test_a_checkpoint_of_another_cohort_is_not_taken(three, tmp_path):
    path = tmp_path / "cohort"
    train_together(Supervised(), TASK, three[:2], TRAINING, path=path)
    with pytest.warns(UserWarning, match="a checkpoint of other trainings"):
        train_together(Supervised(), TASK, three, TRAINING, path=path)


def test_each_member_watches_itself(three):
    seen = []
    watched = [
        dataclasses.replace(m, watch=lambda run, k=k: seen.append(k) or {"k": float(k)}) for k, m in enumerate(three)
    ]
    runs = train_together(Supervised(), TASK, watched, TRAINING)
    assert [run.history[-1]["k"] for run in runs] == [0.0, 1.0, 2.0] and len(seen) == 3 * len(runs[0].history)


def test_what_is_left_of_a_cohort_shares_no_memory(three):
    runs = train_together(Drift().settled(TASK), TASK, three, TRAINING)
    starts = {p.untyped_storage().data_ptr() for run in runs for p in run.seats["student"].params.values()}
    assert len(starts) == sum(len(run.seats["student"].params) for run in runs)


def test_the_global_random_state_is_left_alone(three):
    state = torch.get_rng_state()
    train_together(Drift().settled(TASK), TASK, three, TRAINING)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
def test_each_member_has_its_own_weight_decay(three, optimiser):
    decays, training = (0.01, 1.0, 1.0), dataclasses.replace(TRAINING, optimiser=optimiser, weight_decay=0.3)
    members = [dataclasses.replace(m, weight_decay=d) for m, d in zip(three, decays, strict=True)]
    runs = train_together(Drift().settled(TASK), TASK, members, training)
    for run, one, decay in zip(runs, three, decays, strict=True):
        changed = dataclasses.replace(training, seed=one.seed, weight_decay=decay)
        alone = train(Drift(), TASK, one.network, one.loader, changed).seats["student"].module.state_dict()
        assert all(torch.allclose(t, alone[n], atol=1e-5) for n, t in run.seats["student"].module.state_dict().items())


def test_a_cohort_of_several_weight_decays_resumes_to_the_same_bits(three, tmp_path):
    members = [dataclasses.replace(m, weight_decay=d) for m, d in zip(three, (0.01, 1.0, 1.0), strict=True)]
    whole = train_together(Supervised(), TASK, members, TRAINING)

    def cut(step):
        if step == 13:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_together(Supervised(), TASK, members, TRAINING, path=tmp_path / "cohort", tick=cut)
    again = train_together(Supervised(), TASK, members, TRAINING, path=tmp_path / "cohort")
    for one, other in zip(whole, again, strict=True):
        assert all(torch.equal(t, other.tensors()[n]) for n, t in one.tensors().items())


def of_scale(scale):
    def made(seed):
        head = network(seed)
        head.mean.add_(torch.arange(5.0))
        head.scale.mul_(scale)
        return head

    return made


@pytest.mark.parametrize("method", [Drift(), FlexMatch(), MixMatch()], ids=lambda m: m.name)
def test_rows_are_standardised_as_each_head_does(method, three):
    method, members = method.settled(TASK), [dataclasses.replace(m, network=of_scale(3.0)) for m in three]
    rows = members[0].loader.unlabelled.rows.clone()
    for run, one in zip(train_together(method, TASK, members, TRAINING), members, strict=True):
        alone = train(method, TASK, one.network, one.loader, dataclasses.replace(TRAINING, seed=one.seed))
        expected = alone.seats["student"].module.state_dict()
        found = run.seats["student"].module
        assert not found.standardised and torch.equal(found.mean, torch.arange(5.0))
        assert all(torch.allclose(t, expected[n], atol=1e-4) for n, t in found.state_dict().items())
    assert torch.equal(members[0].loader.unlabelled.rows, rows)


def test_members_whose_heads_standardise_otherwise_are_apart(three):
    members = [*three, dataclasses.replace(three[0], network=of_scale(2.0))]
    assert cohorts(Supervised(), TASK, members) == [[0, 1, 2], [3]]


def test_each_member_s_gradient_has_its_own_norm():
    grads = [torch.randn(3, 4, 2), torch.randn(3, 5) * torch.tensor([[0.01], [1.0], [100.0]])]
    kept, stacks = [g.clone() for g in grads], [torch.zeros_like(g) for g in grads]
    for stack, g in zip(stacks, grads, strict=True):
        stack.grad = g
    clip_each(stacks, 1.0)
    for k in range(3):
        alone = [torch.nn.Parameter(torch.zeros_like(g[k])) for g in kept]
        for p, g in zip(alone, kept, strict=True):
            p.grad = g[k].clone()
        torch.nn.utils.clip_grad_norm_(alone, 1.0)
        assert all(torch.allclose(g[k], p.grad, rtol=1e-6) for g, p in zip(grads, alone, strict=True))


@pytest.mark.parametrize("quick", [True, False])
def test_a_cohort_drops_for_each_member_what_torch_drops(quick, monkeypatch):
    if not quick:
        monkeypatch.setattr("tutelage.ops.draws._draws_uniformly", lambda: False)
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    x = torch.ones(2, 60, 4, requires_grad=True)
    with of_members(generators):
        together = torch.func.vmap(lambda row: dropout(dropout(row, 0.3), 0.0))(x)
    for k, seed in enumerate((1, 2)):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            assert torch.equal(together[k], torch.nn.functional.dropout(torch.ones(60, 4), 0.3))
    (slope,) = torch.autograd.grad(together.sum(), x)
    assert torch.equal(slope, together)


@pytest.mark.parametrize("outputs", [3, 20])
def test_a_linear_layer_of_a_cohort_is_that_of_each_member(outputs):
    x, weight, bias = (
        torch.randn(4, *s, dtype=torch.float64, requires_grad=True) for s in ((5, 6), (outputs, 6), (outputs,))
    )
    layer = torch.func.vmap(linear)
    assert torch.allclose(layer(x, weight, bias), torch.stack([x[k] @ weight[k].T + bias[k] for k in range(4)]))
    assert torch.autograd.gradcheck(layer, (x, weight, bias)) and torch.autograd.gradgradcheck(layer, (x, weight, bias))
    (slope,) = torch.autograd.grad(layer(x, weight, bias).sum(), weight)
    assert slope.stride() == weight.stride()


def test_a_loss_that_draws_for_what_members_share_is_told():
    with of_members([torch.Generator()]), pytest.raises(RuntimeError, match="all members of a cohort share"):
        drawn(torch.zeros(3), lambda like, generator: like)


def test_a_rule_gets_the_sum_of_the_members_losses(three):
    """The follower of each member answers its own leader."""
    method = MeanTeacher(decay=0.5).settled(TASK)
    assert method.rule == Stackelberg("student", "teacher", Ema(0.5), 0.0)
    runs = train_together(method, TASK, three, TRAINING)
    for run, one in zip(runs, three, strict=True):
        alone = train(method, TASK, one.network, one.loader, dataclasses.replace(TRAINING, seed=one.seed))
        teacher = alone.seats["teacher"].module.state_dict()
        found = run.seats["teacher"].module.state_dict()
        assert all(torch.allclose(t, teacher[n], atol=1e-5) for n, t in found.items())
