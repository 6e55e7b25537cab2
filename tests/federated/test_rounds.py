"""Averaging, the beginning, and rounds of clients, against numpy and against a training without any federation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tutelage.data import Features, Loader
from tutelage.data.groups import Groups
from tutelage.federated import Client, Federation, FedLabel, Rounds, Update, average, beginning
from tutelage.federated.comparison import folds_within, without_fold
from tutelage.fit.setup import FolderStore, MemoryStore
from tutelage.methods import Supervised
from tutelage.modalities.head import Head
from tutelage.tasks import Classification
from tutelage.train import Training, train

TASK = Classification(3)
ROUNDS = Rounds(4, Training(steps=5, lr=0.1, weight_decay=1e-3, optimiser="sgd", seed=7))


def client(name: str, labels: int = 12, pool: int = 30) -> Client:
    draws = np.random.default_rng(list(name.encode()))
    y = draws.integers(0, 3, labels + pool)
    x = torch.tensor(draws.normal(size=(len(y), 6)) + np.eye(6)[y] * 3, dtype=torch.float32)
    noisy = Features(x[labels:] + 0.3 * torch.tensor(draws.normal(size=(pool, 6)), dtype=torch.float32))
    return Client(name, TASK, Features(x[:labels]), torch.tensor(y[:labels]), Features(x[labels:]), [noisy], 8, 16)


def federation(*clients: Client, **changes) -> Federation:
    start = beginning([c.moments() for c in clients], 3, per_feature=True, seed=0)
    return Federation(clients, start, **({"rounds": ROUNDS} | changes))


def same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_the_average_is_that_of_numpy_whatever_the_order():
    draws = np.random.default_rng(0)
    weights = [{"a": draws.normal(size=(3, 2)), "b": draws.normal(size=4)} for _ in range(3)]
    rows = [5, 1, 14]
    sent = [
        Update(name, {n: torch.tensor(v, dtype=torch.float32) for n, v in w.items()}, count, {})
        for name, w, count in zip("cab", weights, rows, strict=True)
    ]
    found = average(sent)
    for name in ("a", "b"):
        expected = np.average([w[name].astype(np.float32) for w in weights], axis=0, weights=rows)
        np.testing.assert_allclose(found[name], expected, rtol=1e-6)
        assert all(torch.equal(found[name], average(order)[name]) for order in (sent[::-1], sent[1:] + sent[:1]))


def test_the_average_of_equal_states_is_the_state_and_counts_stay_whole():
    state = {"w": torch.rand(5), "batches": torch.tensor(3)}
    found = average([Update(name, state, rows, {}) for name, rows in (("a", 3), ("b", 4), ("c", 9))])
    torch.testing.assert_close(found["w"], state["w"], rtol=0, atol=1e-7)
    assert found["batches"] == 3 and found["batches"].dtype == torch.int64


@pytest.mark.parametrize("per_feature", [True, False])
def test_the_beginning_is_standardised_as_all_rows_in_one_place(per_feature):
    clients = [client("a"), client("b", 3, 40), client("c", 0, 7)]
    rows = torch.cat([part.rows for c in clients for part in (c.labelled, c.pool)])
    expected = Head(6, 3).standardise(rows, per_feature)
    found = beginning([c.moments() for c in clients], 3, per_feature, seed=0)
    torch.testing.assert_close(found.mean, expected.mean)
    torch.testing.assert_close(found.scale, expected.scale)


def test_a_feature_that_never_changes_at_any_client_is_silenced():
    clients = [client("a"), client("b")]
    for c in clients:
        c.labelled.rows[:, 2] = c.pool.rows[:, 2] = 0.1
        c.labelled.rows[:, 4] = c.pool.rows[:, 4] = float(c.name == "a")  # it changes between the clients alone
    found = beginning([c.moments() for c in clients], 3, per_feature=True, seed=0)
    assert found.scale.isinf().tolist() == [i == 2 for i in range(6)]


@pytest.mark.parametrize("method", [Supervised(), FedLabel(threshold=0.6)], ids=["supervised", "fedlabel"])
def test_one_client_and_one_round_are_a_training_without_a_federation(method):
    one = client("a")
    alone = federation(one, rounds=replace(ROUNDS, number=1))
    network, history = alone.trained("a", method)
    how = alone.rounds.training_of(0, "a")
    loader = Loader(one.labelled, one.target, one.pool, 8, 16, how.seed, one.strong)
    run = train(method, TASK, alone.network, loader, how)
    assert how.lr == ROUNDS.training.lr
    assert same(network, run.seats["student"].module)
    assert history[0]["loss.supervised"] == pytest.approx(run.history[-1]["loss.supervised"])


def test_the_order_of_the_clients_is_irrelevant():
    a, b, c = client("a"), client("b", 3), client("c", 0)
    start = federation(a, b, c)
    turned = replace(start, clients=[c, a, b], store=MemoryStore())
    method = FedLabel(threshold=0.5)
    assert same(start.trained("x", method)[0], turned.trained("x", method)[0])
    assert start.trained("x", method)[1] == turned.trained("x", method)[1]


def test_rounds_are_played_where_a_feature_never_changes():
    clients = [client("a"), client("b")]
    for each in clients:
        for features in (each.labelled, each.pool, *each.strong):
            features.rows[:, 2] = 0.5
    network, _ = federation(*clients).trained("", Supervised())
    assert network.scale[2] == torch.inf
    assert all(p.isfinite().all() for p in network.parameters())


def test_a_learning_rate_that_is_too_high_is_said():
    rounds = replace(ROUNDS, training=replace(ROUNDS.training, lr=1e30))
    with pytest.raises(ValueError, match="no longer finite after round 1 of given: the learning rate 1e\\+30"):
        federation(client("a"), rounds=rounds).trained("given", Supervised())


def test_clients_draw_other_batches_in_each_round_and_at_each_client():
    seeds = {ROUNDS.training_of(number, name).seed for number in range(4) for name in ("a", "b", "c")}
    assert len(seeds) == 12
    assert ROUNDS.training_of(2, "b") == ROUNDS.training_of(2, "b")


def test_clients_without_what_a_method_learns_from_take_no_part():
    a, b, silent, labels = client("a"), client("b", 3), client("c", labels=0), client("d", pool=0)
    assert [x.rows(Supervised()) for x in (a, silent, labels)] == [12, 0, 12]
    assert [x.rows(FedLabel()) for x in (a, silent, labels)] == [42, 30, 12]
    start = federation(a, b, silent)
    two = replace(start, clients=[a, b], store=MemoryStore())
    assert same(start.trained("x", Supervised())[0], two.trained("x", Supervised())[0])
    method = FedLabel(threshold=0.5)
    assert not same(start.trained("y", method)[0], two.trained("y", method)[0])
    federation(a, labels).trained("z", FedLabel())
    with pytest.raises(ValueError, match="no client has a row that supervised learns from"):
        federation(silent).trained("x", Supervised())


class Stopped(Exception):  # noqa: N818
    pass


@pytest.mark.parametrize("at", [1, 3])
def test_a_stopped_federation_goes_on_to_the_same_bits(tmp_path, at):
    clients, method = (client("a"), client("b")), FedLabel(threshold=0.6)
    rounds = replace(ROUNDS, training=replace(ROUNDS.training, checkpoint_every=0.0))
    whole, history = federation(*clients, rounds=rounds).trained("x", method)
    done: list[int] = []

    def stop(what: str, number: int, of: int) -> None:
        if number == at:
            raise Stopped

    with pytest.raises(Stopped):
        federation(*clients, rounds=rounds, store=FolderStore(tmp_path), tick=stop).trained("x", method)
    again = federation(*clients, rounds=rounds, store=FolderStore(tmp_path), tick=lambda *told: done.append(told[1]))
    network, found = again.trained("x", method)
    assert done == [*range(at, 4), 4]  # no round that was finished is done again
    assert same(network, whole)
    assert found == history


def test_a_damaged_checkpoint_is_set_aside_and_the_rounds_are_done_again(tmp_path):
    clients = (client("a"), client("b"))
    whole, _ = federation(*clients).trained("x", Supervised())
    (tmp_path / "x.unfinished").write_bytes(b"no checkpoint")
    with pytest.warns(UserWarning, match="is set aside as"):
        network, _ = federation(*clients, store=FolderStore(tmp_path)).trained("x", Supervised())
    assert same(network, whole)


def test_each_fold_holds_out_its_share_of_every_client_and_class():
    clients = [client("a", 40), client("b", 25), client("c", 0)]
    fold = folds_within(clients, 5, seed=1)
    y = torch.cat([c.target for c in clients]).numpy()
    of = np.repeat([0, 1, 2], [40, 25, 0])
    for k in range(5):
        assert [int(((of == c) & (fold == k)).sum()) for c in (0, 1)] == [8, 5]
        for c in (0, 1):
            for label in range(3):
                share = ((of == c) & (y == label)).sum() / 5
                assert abs(((of == c) & (y == label) & (fold == k)).sum() - share) < 1
    left = without_fold(clients, fold, 2)
    assert torch.equal(left[1].target, clients[1].target[torch.tensor(fold[40:] != 2)])
    assert [len(c.labelled) for c in left] == [32, 20, 0]


def test_rounds_out_of_range_are_refused():
    with pytest.raises(ValueError, match="rounds must be at least 1, got 0"):
        Rounds(0, Training())


def test_copies_are_held_out_together_whichever_clients_have_them():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(12, 3, generator=generator), torch.arange(12) % 2
    both = [torch.cat([x[:6], x[:6]]), torch.cat([x[6:], x[3:6]])]
    targets = [torch.cat([y[:6], y[:6]]), torch.cat([y[6:], y[3:6]])]
    pool = Features(torch.zeros(0, 3))
    clients = [
        Client(name, Classification(2), Features(rows), of, pool, (), 4, 4)
        for name, rows, of in zip("ab", both, targets, strict=True)
    ]
    item = np.array([*range(6), *range(6), *range(6, 12), 3, 4, 5])
    fold = folds_within(clients, 3, 0, Groups.of(item))
    assert all(len(set(fold[item == i].tolist())) == 1 for i in range(12))
    assert sorted(set(fold.tolist())) == [0, 1, 2]
