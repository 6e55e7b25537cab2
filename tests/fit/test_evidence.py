"""Evidence: Bayes' rule in closed form, decisions at the ends, and harm that is caught."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm
from sklearn.datasets import load_digits

from tutelage import Classifier
from tutelage.fit.evidence import Evidence, Prior, likelihood, weigh, wilson
from tutelage.fit.held_out import repeated_folds
from tutelage.fit.recorded import recorded_prior
from tutelage.game import Player, Rule, Simultaneous
from tutelage.memory import Memory
from tutelage.methods import Method
from tutelage.ops.losses import cross_entropy, mean
from tutelage.tasks import Task
from tutelage.types import Batch, Terms

MIXED = Prior(mean=0.02, spread=0.04, surprise=0.2, surprise_spread=0.3)


def density(prior: Prior, change: float) -> float:
    usual = (1 - prior.surprise) * norm.pdf(change, prior.mean, prior.spread)
    return usual + prior.surprise * norm.pdf(change, 0, prior.surprise_spread)


@pytest.mark.parametrize("observed", [-0.4, -0.05, 0.0, 0.1])
@pytest.mark.parametrize("error", [0.02, 0.1])
def test_posterior_is_that_of_numerical_integration(observed, error):
    def joint(v):
        return density(MIXED, v) * norm.pdf(observed, v, error)

    total = quad(joint, -1.5, 1.5, points=[observed, 0], limit=200)[0]
    expected_mean = quad(lambda v: v * joint(v), -1.5, 1.5, points=[observed, 0], limit=200)[0] / total
    harm = quad(joint, -1.5, 0, points=[observed] if observed < 0 else None, limit=200)[0] / total
    posterior = MIXED.posterior(observed, error)
    assert posterior.mean == pytest.approx(expected_mean, abs=1e-6)
    assert posterior.below(0) == pytest.approx(harm, abs=1e-6)
    assert posterior.below(posterior.quantile(0.3)) == pytest.approx(0.3, abs=1e-6)


def right(share: float, n: int = 120) -> np.ndarray:
    return (np.random.default_rng(0).random(n) < share).astype(float)


def test_a_disaster_is_refused_even_against_a_hopeful_prior():
    evidence = weigh(right(0.83), right(0.50), Prior(mean=0.03, spread=0.03), held_out_share=0.2)
    assert evidence.returned == "reference"
    assert evidence.harm > 0.99
    assert "almost certainly hurt" in evidence.words()


def test_a_clear_gain_is_taken():
    evidence = weigh(right(0.5), right(0.9), Prior(), held_out_share=0.2)
    assert evidence.returned == "candidate"
    assert evidence.low > 0


def test_lack_of_proof_is_no_reason_to_fall_back_on_the_reference():
    """A slightly lower score on few labels does not outweigh what the method did before."""
    reference, candidate = right(0.7, 40), right(0.7, 40)
    candidate[np.flatnonzero(reference)[0]] = 0
    assert weigh(reference, candidate, Prior(mean=0.03, spread=0.03), 0.2).returned == "candidate"
    assert weigh(reference, candidate, Prior(), 0.2).returned == "reference"


def test_more_labels_tell_smaller_changes():
    widths = [weigh(right(0.7, n), right(0.75, n), Prior(), 0.2).resolution for n in (20, 80, 320)]
    assert widths[0] > widths[1] > widths[2]


def test_the_returned_one_depends_on_the_limit():
    def returned(limit: float) -> str:
        return weigh(right(0.8), right(0.78), Prior(), 0.2, harm_limit=limit).returned

    assert [returned(x) for x in (0.0, 1.0)] == ["reference", "candidate"]


def test_folds_are_stratified_repeated_and_no_more_than_the_smallest_class():
    y = np.repeat([0, 1, 2], [3, 10, 10])
    parts = repeated_folds(y, wanted=5, repeats=2, seed=0)
    assert len(parts) == 6
    assert all(set(y[train]) == {0, 1, 2} for train, _ in parts)
    held = np.concatenate([out for _, out in parts])
    assert (np.bincount(held) == 2).all()


def test_one_label_of_a_class_cannot_be_held_out():
    with pytest.raises(ValueError, match="labels in the smallest class must be at least 2, got 1"):
        repeated_folds(np.array([0, 0, 1]), 5, 1, 0)


def test_wilson_is_inside_zero_and_one():
    for share in (0.0, 0.5, 1.0):
        e = wilson(share, 10)
        assert 0 <= e.low <= share <= e.high <= 1
        assert e.low < e.high


def test_priors_are_recorded_for_text_and_neutral_elsewhere():
    assert recorded_prior("drift", "no such kind") == Prior()
    assert recorded_prior("no such method", "texts") == Prior()
    assert recorded_prior("drift", "texts").runs


@pytest.mark.parametrize("harm", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0])
def test_every_probability_has_words(harm):
    assert f"{100 * harm:.0f} %" in likelihood(harm)


@dataclass(frozen=True)
class Poison(Method):
    """Learns that the whole pool is of class 0, as a collapsed teacher would."""

    name = "poison"

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student",))

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        zeros, everyone = task.target(batch.unlabelled.index * 0)
        logits = task.units(play["student"](batch.unlabelled["weak"]))
        return Terms({"pool": 10 * mean(cross_entropy(zeros, logits), everyone)})


def test_a_fit_that_the_pool_ruins_returns_the_reference():
    x, y = load_digits(return_X_y=True)
    hidden = np.where(np.arange(len(y)) < 150, y, -1)
    model = Classifier(Poison(), steps=60, folds=2, repeats=1).fit(x[:1000], hidden[:1000])
    assert model.returned_ == "reference"
    assert isinstance(model.evidence_, Evidence)
    assert model.evidence_.harm > 0.5
    assert model.summary()["student_share"] < 0.2  # it answers beside the labels-only model, and hardly counts
    assert model.score(x[1000:], y[1000:]) > 0.8
    unasked = Classifier(Poison(), steps=60, evidence=False).fit(x[:1000], hidden[:1000])
    assert unasked.score(x[1000:], y[1000:]) < 0.3
