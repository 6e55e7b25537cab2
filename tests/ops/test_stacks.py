"""Layers of all members of a cohort: what each member's own layers give, and the same gradients."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn
from torch.func import functional_call, vmap

from tutelage.game import Player
from tutelage.ops.draws import noise, of_members, zeroed
from tutelage.ops.layers import Perceptron, for_cohort
from tutelage.ops.stacks import gathered, hidden

SEEDS = (3, 4, 5)
SHARES = (0.2, 0.5)


def generators():
    return [torch.Generator().manual_seed(seed) for seed in SEEDS]


def stacks(outputs=20):
    shapes = {"x": (7, 6), "weight": (outputs, 6), "bias": (outputs,)}
    source = torch.Generator().manual_seed(0)
    return [
        torch.randn(3, *shape, generator=source, dtype=torch.float64).requires_grad_(name != "x")
        for name, shape in shapes.items()
    ]


def by_itself(x, weight, bias, seed):
    """The hidden layer as torch computes it."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        inputs = nn.functional.dropout(x, SHARES[0])
        return nn.functional.dropout((inputs @ weight.T + bias).relu(), SHARES[1])


@pytest.mark.parametrize("moved", [False, True], ids=["rows", "rows with a gradient"])
def test_a_hidden_layer_of_a_cohort_is_that_of_each_member(moved):
    x, weight, bias = stacks()
    x.requires_grad_(moved)
    wanted = [x, weight, bias][not moved :]
    with of_members(generators()):
        found = vmap(partial(hidden, shares=SHARES))(x, weight, bias)
    expected = torch.stack([by_itself(x[k], weight[k], bias[k], seed) for k, seed in enumerate(SEEDS)])
    assert torch.allclose(found, expected)
    towards = torch.randn_like(found)
    grads = torch.autograd.grad((found * towards).sum(), wanted)
    for grad, own in zip(grads, torch.autograd.grad((expected * towards).sum(), wanted), strict=True):
        assert torch.allclose(grad, own)


@pytest.mark.parametrize("moved", [False, True], ids=["rows", "rows with a gradient"])
def test_a_gradient_of_a_hidden_layer_can_be_differentiated(moved):
    x, weight, bias = (t.detach().requires_grad_(t.requires_grad) for t in stacks(outputs=3))
    x.requires_grad_(moved)

    def layer(*given):
        with of_members(generators()):
            return vmap(partial(hidden, shares=SHARES))(*(given if moved else (x, *given))).square()

    given = (x, weight, bias)[not moved :]
    assert torch.autograd.gradcheck(layer, given) and torch.autograd.gradgradcheck(layer, given)


@pytest.mark.parametrize("besides", [False, True], ids=["layers alone", "another use"])
@pytest.mark.parametrize("twice", [False, True], ids=["once", "differentiated again"])
def test_a_gathered_gradient_is_the_sum_over_all_uses(besides, twice):
    x, weight, bias = stacks()

    def slope(params):
        with of_members(generators()):
            layer = vmap(partial(hidden, shares=SHARES))
            loss = layer(x, params["weight"], params["bias"]).square().sum()
            loss = loss + layer(2 * x, params["weight"], params["bias"]).cos().sum()
        loss = loss + besides * params["weight"].square().sum()
        (found,) = torch.autograd.grad(loss, weight, create_graph=twice)
        return torch.autograd.grad(found.square().sum(), weight)[0] if twice else found

    params = {"weight": weight, "bias": bias}
    together = slope(gathered(params))
    assert torch.allclose(together, slope(params)) and together.stride() == weight.stride()


def test_a_gathered_stack_that_nothing_uses_has_no_gradient():
    weight = stacks()[1]
    params = gathered({"weight": weight})
    (found,) = torch.autograd.grad(params["weight"].sum() * 0, weight)
    assert not found.any()


@pytest.mark.parametrize("share", [0.1, 0.25, 1 / 3, 0.5, 0.9])
def test_what_is_zeroed_is_what_torch_drops(share):
    x = torch.ones(3, 40, 30)
    with of_members(generators()):
        found = zeroed(x, share)
    with of_members(generators()):
        again = noise(x, share)
    for k, seed in enumerate(SEEDS):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            dropped = nn.functional.dropout(x[k], share)
        assert torch.equal(found[k], (dropped > 0).float())
        assert torch.equal(again[k], dropped)


def test_a_perceptron_s_inputs_of_the_last_layer_can_be_seen():
    layers = [nn.Dropout(0.2), nn.Linear(6, 20), nn.ReLU(), nn.Dropout(0.5), nn.Linear(20, 3)]
    network = for_cohort(nn.Sequential(*layers))
    assert type(network) is Perceptron
    params = {n: torch.stack([p.detach() + k for k in range(3)]) for n, p in network.named_parameters()}
    x = stacks()[0].float()

    def seen(x, params):
        return Player(network).seat(params).represent(x)

    with of_members(generators()):
        logits, rows = vmap(seen)(x, params)
    with of_members(generators()):
        directly = vmap(lambda x, params: functional_call(network, params, x))(x, params)
    assert torch.equal(logits, directly)
    for k, seed in enumerate(SEEDS):
        own = {n: p[k] for n, p in params.items()}
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            inputs = nn.functional.dropout(x[k], SHARES[0])
            expected = nn.functional.dropout((inputs @ own["1.weight"].T + own["1.bias"]).relu(), SHARES[1])
        assert torch.allclose(rows[k], expected, atol=1e-4)
        assert torch.allclose(logits[k], expected @ own["4.weight"].T + own["4.bias"], atol=1e-3)


@pytest.mark.parametrize(
    "layers",
    [
        [nn.Dropout(0.2), nn.Linear(6, 20), nn.Tanh(), nn.Dropout(0.5), nn.Linear(20, 3)],
        [nn.Dropout(0.2), nn.Linear(6, 20, bias=False), nn.ReLU(), nn.Dropout(0.5), nn.Linear(20, 3)],
        [nn.Dropout(0.2), nn.Linear(6, 20), nn.ReLU(), nn.Dropout(1.0), nn.Linear(20, 3)],
        [nn.Dropout(0.2), nn.Linear(6, 3)],
    ],
    ids=["another bend", "no bias", "all is dropped", "no hidden layer"],
)
def test_other_layers_are_no_perceptron(layers):
    assert type(for_cohort(nn.Sequential(*layers))) is nn.Sequential
