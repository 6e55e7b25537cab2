"""SSLD, GRIP, SPL, DP-SSL, DiffKD and PromptKD: their limits, and their parts by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from tutelage.data import Features, Loader
from tutelage.data.heard import Heard
from tutelage.fit.described import described_head
from tutelage.memory import Memory
from tutelage.methods import DiffKd, Distil, DpSsl, Grip, PromptKd, SelfTraining, Spl, Ssld
from tutelage.methods.diffkd import Diffusion, remaining
from tutelage.methods.dp_ssl import combined, easiest
from tutelage.methods.grip import boards
from tutelage.methods.prompt_kd import class_vectors, with_classes
from tutelage.methods.spl import of_pairs, pairs_of
from tutelage.modalities.head import Head
from tutelage.tasks import Classification
from tutelage.train import Training, train
from tutelage.weak import Votes, label

TASK = Classification(3)


def table(seed, n=20, c=3):
    return torch.randn(n, c, generator=torch.Generator().manual_seed(seed)).softmax(-1)


def loader(said, labels=6, pool=20, heard=None):
    draw = torch.Generator().manual_seed(0)
    labelled, rows = torch.randn(labels, 4, generator=draw), torch.randn(pool, 4, generator=draw)
    return Loader(Features(labelled), torch.arange(labels) % 3, Features(rows), 4, 8, 0, said=said, heard=heard)


def trained(method, data, steps=12):
    network = Head(4, 3, 8, 0.0)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        _ = [layer.reset_parameters() for layer in network.layers if hasattr(layer, "reset_parameters")]
    return train(method, TASK, network, data, Training(steps=steps, lr=1e-2))


def state(run):
    return run.seats["student"].module.state_dict()


def same(here, there, exact=True):
    for name, t in there.items():
        mine = here[name] if name in here else here[f"body.{name}"]
        assert torch.equal(mine, t) if exact else torch.allclose(mine, t, atol=1e-6), name


# SSLD


def test_ssld_with_labels_and_all_units_is_distil_bit_for_bit():
    data = loader(table(1))
    same(state(trained(Ssld(most=0, labels=1.0), data)), state(trained(Distil(divergence="js"), data)))


def test_ssld_learns_no_label():
    data, other = loader(table(1)), loader(table(1))
    other.target = other.target.flip(0)
    same(state(trained(Ssld(), data)), state(trained(Ssld(), other)))


def test_ssld_begins_with_the_surest_and_then_takes_all():
    said, memory = table(1), Memory(20)
    run = trained(Ssld(most=2), loader(said))
    memory.kept, batch = run.memory.kept, loader(said).batch(0, 0.5)
    counted = []
    for memory.round in (0, 1):
        with torch.no_grad():
            pool = batch.unlabelled
            learns = Ssld(most=2).apart(run.seats["student"], pool, said[pool.index], TASK, memory) > 0
        counted.append(learns)
    surest = {
        int(i) for k in range(3) for i in [j for j in said[:, k].argsort(descending=True) if said[j].argmax() == k][:2]
    }
    assert counted[0].tolist() == [int(i) in surest for i in batch.unlabelled.index]
    assert counted[1].all()


def test_the_second_stage_of_ssld_begins_at_a_hundredth_of_the_rate():
    _, second, end = Ssld().starts(10_000)
    assert (1 + math.cos(math.pi * second / end)) / 2 == pytest.approx(0.01, rel=1e-2)
    assert Ssld().starts(1) == [0, 1, 1]


# GRIP


@pytest.mark.parametrize("seed", range(5))
def test_no_unit_would_rather_be_on_a_board_that_would_rather_have_it(seed):
    said, seats = table(seed, 31, 4), 6
    found = boards(said, seats)
    assert torch.bincount(found[found >= 0]).tolist() == [6] * 4
    last = [said[found == k, k].min() for k in range(4)]
    for unit in range(31):
        here = said[unit, found[unit]] if found[unit] >= 0 else -1.0
        assert all(said[unit, k] <= here or said[unit, k] <= last[k] for k in range(4))
    order = torch.randperm(31, generator=torch.Generator().manual_seed(seed))
    assert torch.equal(boards(said[order], seats), found[order])


def test_boards_without_end_are_the_likeliest_classes_and_silence_is_on_none():
    said = table(0, 31, 4)
    said[3] = torch.nan
    found = boards(said, 31)
    assert found[3] == -1
    assert torch.equal(found[[0, 1, 2, 4]], said[[0, 1, 2, 4]].argmax(1))


def test_fpl_with_all_units_is_hard_distillation_bit_for_bit():
    data = loader(table(1))
    same(state(trained(Grip(form="fpl", each=20), data)), state(trained(Distil(temperature=1e-6), data)))


def test_with_all_units_and_a_silent_teacher_it_is_plain_self_training():
    data = loader(torch.full((20, 3), torch.nan))
    here = trained(Grip(form="ifpl", each=20, rounds=2, fresh=True), data, 40)
    same(state(here), state(trained(SelfTraining(rounds=1, threshold=0.0), data, 40)), exact=False)


def test_grip_grows_by_the_same_share_in_each_round():
    method = Grip(rounds=4)
    assert [method.seats(turn, 100, 3) for turn in range(4)] == [8, 16, 25, 33]
    assert [Grip(form="ifpl", each=7).seats(turn, 100, 3) for turn in range(3)] == [7, 7, 7]
    assert Grip(rounds=50).seats(0, 20, 3) == 1
    run = trained(Grip(rounds=4), loader(table(1)), 16)
    counts = run.memory.kept["counts"]
    assert (counts > 0).sum() == 18  # 20 // 3 of each class
    assert counts.sum().item() == pytest.approx(20)


# SPL


def test_pairs_that_are_rare_count_as_what_the_first_teacher_says():
    a = torch.tensor([0, 0, 0, 0, 1, 1, 2, 2, 2])
    b = torch.tensor([0, 1, 1, 2, 1, 0, 2, 1, 1])
    speak = torch.ones(9).bool()
    speak[7:] = False
    pair, there = pairs_of(a, b, speak, 3, 1)
    assert pair.tolist() == [0, 1, 1, 0, 4, 4, 8, 8, 8]
    assert there.nonzero().flatten().tolist() == [0, 1, 4, 8]


def test_where_both_always_agree_pairs_are_the_classes():
    a = torch.tensor([0, 2, 1, 1])
    pair, there = pairs_of(a, a, torch.ones(4).bool(), 3, 9)
    z = torch.randn(4, 9, generator=torch.Generator().manual_seed(0))
    expected = torch.nn.functional.cross_entropy(z[:, [0, 4, 8]], a, reduction="none")
    torch.testing.assert_close(of_pairs(z, pair, there), expected)


def test_spl_reads_two_teachers_or_the_labels_beside_one():
    one, other = table(1), table(2)
    each = loader(one, heard=Heard(each=lambda: torch.stack([one, other], 1)))
    assert torch.equal(Spl().both(each, TASK)[1], other)
    first, second = Spl().both(loader(one), TASK)
    assert first is one
    data = loader(one)
    from sklearn.linear_model import LogisticRegression

    rows, x = data.unlabelled.rows.numpy(), data.labelled.rows.numpy()
    centre, scale = rows.mean(0), rows.std(0).mean()
    model = LogisticRegression(C=1e-2, max_iter=1000).fit((x - centre) / scale, data.target)
    np.testing.assert_allclose(second.numpy(), model.predict_proba((rows - centre) / scale), atol=1e-6)


def test_spl_learns_pairs_and_then_labels_and_drops_the_pairs():
    run = trained(Spl(), loader(table(1)), 40)
    told = [set(h) & {"loss.pool", "loss.supervised"} for h in run.history]
    assert told[0] == {"loss.pool"} and told[-1] == {"loss.supervised"}
    assert type(run.network()) is Head


def test_spl_refuses_what_it_makes_no_sense_for():
    with pytest.raises(ValueError, match="spl learns pairs of classes: these must be at most 200, got 201"):
        Spl().settled(Classification(201))
    with pytest.raises(ValueError, match="spl learns what a teacher said, but none was brought"):
        trained(Spl(), loader(None))
    unlabelled = loader(table(1))
    unlabelled.target = torch.full_like(unlabelled.target, -1)
    with pytest.raises(ValueError, match="spl needs labels: none is known"):
        trained(Spl(), unlabelled)


# DP-SSL


def test_each_label_is_learnt_by_the_heads_that_find_it_easiest():
    log_p = torch.randn(5, 4, 3, generator=torch.Generator().manual_seed(0)).log_softmax(-1)
    y = torch.eye(3)[[0, 1, 2, 1, 0]]
    expected = []
    for unit in range(5):
        losses = [-float((y[unit] * log_p[unit, head]).sum()) for head in range(4)]
        order = np.argsort(losses)
        unsure = [-float(log_p[unit, head].mean()) - math.log(3) for head in order[2:]]
        expected.append(np.mean([losses[head] for head in order[:2]]) + 0.5 * np.mean(unsure))
    np.testing.assert_allclose(easiest(log_p, y, 2, 0.5), expected, rtol=1e-5)
    all_of_them = -(y[:, None] * log_p).sum(-1).mean(-1)
    torch.testing.assert_close(easiest(log_p, y, 9, 0.5), all_of_them)


def test_one_head_gives_the_labels_of_self_training():
    method, memory, other = DpSsl(functions=1, best=1, threshold=0.6), Memory(20), Memory(20)
    p = table(3)
    confidence, label_of = p.max(-1)
    votes = torch.where(confidence > 0.6, label_of, -1).float()[:, None]
    memory.kept = {"votes": votes, "said": torch.zeros(20, 3), "counts": torch.zeros(20)}
    method.keep(memory)
    other.write(torch.arange(20), label_of, confidence, torch.ones(20))
    other.round = 1
    SelfTraining(threshold=0.6).keep(other)
    assert 0 < other.weight.sum() < 20
    assert torch.equal(memory.kept["counts"], other.weight)
    assert torch.equal(memory.label[other.weight > 0], other.label[other.weight > 0])


def test_votes_are_put_together_by_the_label_model():
    votes = torch.randint(-1, 3, (50, 4), generator=torch.Generator().manual_seed(0)).float()
    cast = Votes(votes.numpy().astype(int), list("abcd"), list("xyz"))
    for model in ("data_programming", "majority"):
        p, counts = combined(votes, 3, model)
        np.testing.assert_allclose(p, label(cast, model), atol=1e-6)
        assert counts.tolist() == cast.covered.tolist()
    p, counts = combined(torch.full((4, 2), -1.0), 3, "majority")
    assert counts.sum() == 0 and torch.allclose(p, torch.tensor(1 / 3))


def test_the_heads_vote_on_the_pool_while_they_learn():
    run = trained(DpSsl(functions=6, best=2), loader(None), 60)
    assert ((run.memory.kept["votes"] >= 0).sum(1) > 0).float().mean() > 0.5
    told = [set(h) & {"loss.functions", "loss.pool"} for h in run.history]
    assert told[0] == {"loss.functions"} and told[-1] == {"loss.pool"}


# DiffKD


def test_diffkd_without_steps_or_features_is_distil():
    data = loader(table(1))
    here = state(trained(DiffKd(steps=0, feature=0.0), data))
    same(here, state(trained(Distil(divergence="kl"), data)), exact=False)


def test_diffkd_without_steps_compares_projected_features():
    data, method = loader(table(1)), DiffKd(steps=0, size=5)
    run = trained(method, data)
    batch, student = data.batch(0, 0.5), run.seats["student"]
    h = data.unlabelled.rows - data.unlabelled.rows.mean(0)
    h = torch.nn.functional.pad(h, (0, 1))
    h = (h / h.square().mean().sqrt())[batch.unlabelled.index]
    logits, rows = student.represent(batch.unlabelled["weak"])
    projected = student.module.brought["diffusion"].project(rows)
    t = data.said[batch.unlabelled.index]
    expected = (t * (t.log() - logits.log_softmax(-1))).sum(1) + (projected - h).square().sum(1) / 5
    found = method.apart(student, batch.unlabelled, t, TASK, run.memory)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_ddim_takes_off_exactly_the_noise_that_a_denoiser_knows():
    g = torch.Generator().manual_seed(0)
    model, clean, e = Diffusion(4, 6, 5), torch.randn(7, 6, generator=g), torch.randn(7, 6, generator=g)
    model.guess = lambda x, at: e
    betas = np.linspace(1e-4, 0.02, 1000)
    left = np.prod(1 - betas[:401])
    assert remaining(e)[400].item() == pytest.approx(left, rel=1e-4)
    x = math.sqrt(left) * clean + math.sqrt(1 - left) * e
    torch.testing.assert_close(model.cleaned(x), clean, atol=1e-4, rtol=1e-4)


def test_the_denoiser_learns_the_noise():
    data, method = loader(table(1), pool=200), DiffKd(size=4, feature=0.0)
    data.said = table(1, 200)
    run = trained(method, data, 400)
    model, h = run.seats["student"].module.brought["diffusion"], run.memory.kept["features"]
    g = torch.Generator().manual_seed(1)
    at, e = torch.randint(1000, (200,), generator=g), torch.randn(200, 4, generator=g)
    left = remaining(h)[at][:, None]
    with torch.no_grad():
        wrong = (model.guess(left.sqrt() * h + (1 - left).sqrt() * e, at) - e).square().mean()
    assert wrong < 0.7


# PromptKD


def described():
    """A described teacher: its features, of length 1, its answers, and its head."""
    g = torch.Generator().manual_seed(0)
    rows = torch.nn.functional.normalize(torch.randn(300, 6, generator=g), dim=1)
    head = described_head(torch.randn(3, 6, generator=g), range(3), rows, scale=4.0)
    with torch.no_grad():
        return rows, head(rows).softmax(-1), head


def test_class_vectors_of_a_described_teacher_are_its_own():
    rows, said, head = described()
    w, b = class_vectors(rows, said)
    own = head.layers[-1].weight.detach()
    torch.testing.assert_close(w, (own - own.mean(0)).T, atol=2e-2, rtol=0)
    torch.testing.assert_close((rows @ w + b).softmax(-1), said, atol=5e-3, rtol=0)


def test_the_weight_of_the_authors_is_a_thousandth_of_the_classes():
    said = table(1)
    run = trained(PromptKd(size=4), loader(said))
    batch = loader(said).batch(0, 0.5).unlabelled
    found = PromptKd(size=4).apart(run.seats["student"], batch, said[batch.index], TASK, run.memory)
    l = run.network()(batch["weak"])  # noqa: E741
    each = said[batch.index] * (said[batch.index].log() - l.log_softmax(-1))
    torch.testing.assert_close(1000 * each.mean(), 1000 / 3 * found.mean())


def test_prompt_kd_learns_the_teacher_and_answers_for_a_class_that_came_later():
    rows, said, _ = described()
    mixed = torch.tanh(rows @ torch.randn(6, 9, generator=torch.Generator().manual_seed(3)))  # what the student sees
    nothing = Features(mixed[:0]), torch.empty(0, dtype=torch.int64)
    heard = Heard(features=lambda: (rows, rows[:0]))
    data = Loader(*nothing, Features(mixed), 4, 64, 0, said=said, heard=heard)
    run = train(PromptKd(size=6), TASK, Head(9, 3, 32, 0.0), data, Training(steps=600, lr=1e-2))
    kept = run.network().eval()
    w, b = class_vectors(rows, said)
    later, offset = w @ torch.tensor([1.0, 1.0, -1.0]), b @ torch.tensor([1.0, 1.0, -1.0])  # said by the first three
    four = with_classes(kept, torch.cat([w.T, later[None]]), torch.cat([b, offset[None]]))
    with torch.no_grad():
        assert (kept(mixed).argmax(1) == said.argmax(1)).float().mean() > 0.9
        truth, found = torch.cat([rows @ w + b, (rows @ later + offset)[:, None]], 1).argmax(1), four(mixed).argmax(1)
    assert (truth == 3).sum() > 30
    assert (found == truth).float().mean() > 0.9
    assert kept(mixed).shape[1] == 3  # which is left as it was
