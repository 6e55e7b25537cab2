"""What an endpoint may say that is not so, and what becomes of it."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from tutelage.annotate import Annotator, Prompt, Reply
from tutelage.annotate.endpoint import Endpoint, _UnreadableError, proxy_of
from tutelage.annotate.replies import Position, logs_in
from tutelage.ask import select


def position(token, **options):
    return Position(token, list(options.items()))


@pytest.mark.parametrize("log", [math.nan, math.inf, 700.0])
def test_a_logprob_that_is_none_tells_nothing(log):
    assert logs_in([position("bad", bad=log, good=-2.0)], ["good", "bad"]) is None
    told = logs_in([position("bad", bad=-0.01, xx=log)], ["good", "bad"])
    assert told is not None and np.argmax(told) == 1


@pytest.mark.parametrize("tokens", [["-1"], ["-", "1"]])
def test_a_class_that_begins_with_a_sign_is_no_other(tokens):
    positions = [Position(token, [(token, -0.01)]) for token in tokens]
    assert np.argmax(logs_in(positions, ["-1", "0", "1"])) == 0
    assert np.argmax(logs_in([Position("1", [("1", -0.01)])], ["-1", "0", "1"])) == 2
    assert np.argmax(logs_in([Position('"', [('"', 0.0)]), Position("net", [("net", -0.01)])], [".net", "net"])) == 1


def test_rows_of_which_the_model_is_unsure_are_asked_about_first():
    p = np.r_[np.full((3, 2), 0.5), np.tile([[1.0, 0.0]], (17, 1))]
    for seed in range(3):
        rows = np.random.default_rng(seed).normal(size=(20, 3))
        found = select("robust", rows=rows, probabilities=p, labelled=np.array([], int), count=5, seed=seed, wrong=0.25)
        assert set(found.index[:3].tolist()) == {0, 1, 2} and len(set(found.index.tolist())) == 5


def test_a_proxy_is_named_without_its_password(monkeypatch):
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert proxy_of("https://api.example.org/v1") == ""
    monkeypatch.setenv("https_proxy", "http://ann:secret@proxy.example.org:3128")
    assert proxy_of("https://api.example.org/v1") == "proxy.example.org:3128"


def completion(text="bad", refusal=None, read=5, wrote=1):
    choice = SimpleNamespace(
        message=SimpleNamespace(content=text, refusal=refusal), finish_reason="stop", logprobs=None
    )  # fmt: skip
    usage = SimpleNamespace(prompt_tokens=read, completion_tokens=wrote)
    return SimpleNamespace(choices=[choice], model="m", usage=usage)


def test_a_key_is_taken_out_before_words_are_cut_and_tokens_below_none_are_not_believed():
    pytest.importorskip("openai")
    key, request = "sk-secret-0123456789-abcdef", Prompt(("good", "bad")).request("a text")
    endpoint = Endpoint("http://127.0.0.1:9/v1", "m", key)
    assert "sk-secret" not in endpoint._read(completion(refusal="x" * 190 + key), request).refused
    with pytest.raises(_UnreadableError) as caught:
        endpoint._tried([].pop, SimpleNamespace(id="x" * 80 + key))
    assert "sk-secret" not in str(caught.value)
    assert min(endpoint._read(completion(read=-1000), request).tokens) >= 0


def test_texts_that_are_equal_as_far_as_they_are_read_are_asked_about_once():
    pytest.importorskip("openai")
    asked = Prompt(("good", "bad"), longest=10)
    plan = Annotator(Endpoint("http://127.0.0.1:9/v1", "m"), asked).plan([f"ten letters and {i}" for i in range(5)])
    assert plan.different == 5 and len(plan.missing) == 1
    reply = Reply("bad", "m", None, (7, 1))
    plan.annotator.kept.add(plan.missing[0].key, reply)
    assert plan.spent == (7, 1) and plan.read().labels == ["bad"] * 5
