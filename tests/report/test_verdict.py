"""The verdict on a fit says what the numbers say, in words that a layman can act on."""

from __future__ import annotations

import numpy as np
import pytest

from tutelage.fit.box import box
from tutelage.fit.evidence import Evidence, Prior, likelihood, weigh
from tutelage.fit.verdict import labels_more, verdict


@pytest.mark.parametrize(
    ("harm", "answer"),
    [
        (0.01, "The pool almost certainly helped."), (0.2, "The pool probably helped."),
        (0.4, "The pool more likely helped than hurt."), (0.41, "It is a coin toss whether the pool helped."),
        (0.6, "It is a coin toss whether the pool helped."), (0.61, "The pool more likely hurt than helped."),
        (0.99, "The pool almost certainly hurt."),
    ],
)  # fmt: skip
def test_the_answer_follows_the_probability_of_harm(summary, harm, answer):
    summary["evidence"]["harm"] = harm
    found = verdict(summary)
    assert found.answer == answer
    assert f"is about {round(100 * harm)} in 100" in found.size
    if "coin" not in answer:  # the terminal says the same
        assert likelihood(harm).split(" (")[0] in answer


def test_both_numbers_are_said_on_the_test_and_on_held_out_labels(summary):
    assert verdict(summary, "test table").both == (
        "On the test table: labels only 90.0 % (79.0 to 96.0), with the pool 92.7 % (80.0 to 97.0).",
        "On held-out labels: labels only 75.0 % (50.0 to 90.0), with the pool 80.0 % (60.0 to 90.0).",
    )


def test_a_change_in_accuracy_is_said_of_100_answers(summary):
    assert verdict(summary).size.startswith("Expected of 100 answers: 1 more right (between 8 fewer and 11 more).")
    summary["evidence"] |= {"difference": -0.034, "high": -0.01}
    assert verdict(summary).size.startswith("Expected of 100 answers: 3 fewer right (between 8 fewer and 1 fewer).")
    summary["evidence"] |= {"difference": 0.001, "high": 0.01}
    assert "no change to speak of" in verdict(summary).size
    summary["measure"] = "entity F1"
    assert "change in entity F1: +0.1 points (between -8.0 and +1.0)" in verdict(summary).size


@pytest.mark.parametrize("seed", range(4))
def test_after_as_many_labels_as_it_asks_for_cross_validation_can_tell_the_change(seed):
    rng = np.random.default_rng(seed)
    n = 40
    alone, pooled = (rng.random(n) < 0.8).astype(float), (rng.random(n) < 0.82).astype(float)

    def resolution(times: int) -> float:
        both = (np.tile(scores, times) for scores in (alone, pooled))
        return weigh(*both, Prior(), held_out_share=0.2).resolution

    more = labels_more(n, resolution(1))
    times = -(-(n + more) // n)
    assert resolution(times) <= 0.05 < resolution(max(times // 2, 1))


def test_of_a_coin_toss_it_asks_for_labels_where_they_are_to_be_had(summary):
    assert verdict(summary).after.startswith(
        "Label about 72 more texts and fit again: with some 96 labels, a change of 5"
    )
    summary["unlabelled"] = 70
    assert verdict(summary).after.startswith(
        "Do not wait for certainty: to tell a change of 5 points takes about 72 more"
    )
    summary["evidence"]["resolution"] = 0.04
    assert verdict(summary, use="`predict`").after.endswith("and see none. Use it: `predict`.")


def test_a_model_that_is_no_better_than_the_commonest_class_is_not_to_be_used(summary):
    summary["commonest"]["share"] = 0.8
    assert verdict(summary, use="predict").after.startswith("Do not use the model yet. Label more texts of every class")


def test_a_test_that_clearly_prefers_the_labels_only_model_is_heeded(summary):
    summary["evidence"]["harm"] = 0.1
    assert verdict(summary, use="x").after.startswith("Use it: x.")
    summary["test_candidate"] = {"accuracy": 0.5, "interval": [0.4, 0.6]}
    assert verdict(summary, use="x").after.startswith("The test speaks against it: use the other model (labels only)")


def test_without_evidence_the_answer_is_the_test_or_that_there_is_none(summary):
    summary["evidence"] = None
    assert verdict(summary, "test table").answer == "The model gets 92.7 % (80.0 to 97.0) right on the test table."
    del summary["test"]
    found = verdict(summary)
    assert found.answer.startswith("No estimate") and found.both == () and found.size == ""
    assert found.after.startswith("Before you use it, score it")
    summary["labelled"] = 0
    assert verdict(summary).after.startswith("Label some 30 texts of each class")


def test_the_box_shows_three_findings_at_most_and_says_them_as_they_are(summary):
    page = box(verdict(summary), ["a < b", "two", "three", "four"])
    assert page.count("<li>") == 3 and "a &lt; b" in page and "four" not in page
    assert 'class="tutelage candidate"' in page


def test_evidence_in_a_notebook_is_the_same_box():
    scores = (np.array([0.0] * 8 + [1.0] * 32), np.array([0.0] * 4 + [1.0] * 36))
    evidence: Evidence = weigh(*scores, Prior(mean=0.02), held_out_share=0.2)
    page = evidence._repr_html_()
    assert "On held-out labels: labels only 80.0 %" in page and "with the pool 90.0 %" in page
    assert likelihood(evidence.harm).split(" (")[0] in page
    assert page.startswith("<style>") and "prefers-color-scheme: dark" in page
