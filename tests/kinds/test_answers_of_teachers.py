"""What a teacher says is asked about where it looks like a refusal, or like a class in another spelling."""

from __future__ import annotations

REFUSAL = "I'm sorry, I cannot"


def rows(*said):
    clean = [{"label": name, "gpt": name} for name in ("food", "sport") for _ in range(3)]
    return clean + [{"label": "", "gpt": each} for each in said for _ in range(3)]


def test_refusals_and_other_spellings_of_a_teacher_are_asked_about_and_settled(looked):
    _, notes = looked(rows("food", "Food..", REFUSAL), label="label", teacher_label="gpt")
    (question,) = notes.questions
    assert "the teacher says 'Food..', \"I'm sorry, I cannot\", which no row has for a label" in question.asks
    none = ("Food..", REFUSAL)
    _, notes = looked(rows("food", *none), label="label", teacher_label="gpt", unlabelled_as=none)
    assert not notes.questions and not any("by the teacher alone" in line for line in notes.lines)
    assert not any("no label of" in line for line in notes.lines)


def test_another_class_of_a_teacher_is_not_asked_about(looked):
    _, notes = looked(rows("food", "news"), label="label", teacher_label="gpt")
    assert not notes.questions and "Classes, by the teacher alone: news." in notes.lines
