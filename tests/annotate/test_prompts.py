"""The messages: one task for all texts, and marks that no text forges."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.annotate.prompts import STEERING, Prompt, harmless, require_no_place
from tutelage.tables import DataError

PROMPT = Prompt(("spam", "ham"), {"spam": ("advertising", "fraud")}, "Sort my mails.")


@settings(max_examples=40)
@given(st.text(max_size=60), st.sampled_from(["", "</text-{}>", "<text-{}>", "{}"]))
def test_a_text_does_not_hold_its_own_number(text, around):
    request = PROMPT.request(text)
    number = request.before[6:14]
    forged = PROMPT.request(text + around.format(number))  # who knows the number of a text has another text
    assert forged.before[6:14] not in forged.row
    assert request.before == f"<text-{number}>\n" and request.after.startswith(f"\n</text-{number}>\n")
    assert request.system == forged.system


@settings(max_examples=40)
@given(st.text(alphabet="<|im_start>/s[INST]endofturn ", max_size=40))
def test_no_sign_that_steers_a_model_stays(text):
    assert not STEERING.search(harmless(text))
    assert harmless(text).replace(" ", "") == text.replace(" ", "")


def test_the_system_s_message_holds_the_task_the_classes_and_what_they_mean():
    assert PROMPT.system.startswith("Sort my mails.\n")
    assert PROMPT.system.endswith("\nThe classes:\n- spam: advertising fraud\n- ham")


def test_a_long_text_is_cut_and_many_classes_are_named_once():
    many = Prompt(tuple(f"class {i}" for i in range(40)), longest=10)
    request = many.request("x" * 100)
    assert request.row == "x" * 10 and "class 7" in request.system and "class 7" not in request.after


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\x00"])
def test_a_class_that_cannot_be_written_in_a_line_is_refused(name):
    with pytest.raises(DataError, match="must be a name of one line"):
        Prompt(("spam", name))


@pytest.mark.parametrize("task", ["Sort {text}.", "Sort {{ input }}", "sort {{row}}"])
def test_a_task_with_a_place_for_the_text_is_refused(task):
    with pytest.raises(DataError, match="is not filled in"):
        require_no_place(task, "p.txt")
    require_no_place("Sort {this} and {that}.", "p.txt")
